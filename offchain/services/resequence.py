"""Re-sequencing: when the chain drops an inbox entry that the log consumed, the log follows.

The log is kept up to the record before the first entry that is no longer the chain's; what follows
is set aside, durably, and ordered again (`services.reorder`). Batches and snapshots of later
records are set aside too. Nothing that the chain has committed, and so nothing final, can be lost
this way: the contract took every commit by the inbox of its own chain.

Receipts of the branch that was left stay true of it: they name an inbox prefix that the chain does
not have. Should the chain come back to it, two promises about one record could meet, so nothing is
signed for numbers that any branch has had (`services.receipts`).

A process that ends in between leaves the frames that wait; the next one orders them before it
serves anybody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from offchain.engine.messages import Deposit, Forced
from offchain.ledger.inbox import entry_hash, entry_of, prefix_hash
from offchain.ledger.keccak import ZERO32
from offchain.ledger.wire import Record, decode_records
from offchain.services.batch_archive import cuts
from offchain.services.batcher import Batcher
from offchain.services.errors import BatchConflict, BatchFileCorrupt
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.ports import (
    BatchStore,
    EventStore,
    InboxChain,
    SnapshotStore,
)
from offchain.services.recovery import recover
from offchain.services.reorder import Dropped, Gate, Reordering
from offchain.services.sequencer import Sequencer


class BranchStore(EventStore, Protocol):
    """A log that can be cut back, and keeps what was cut off."""

    @property
    def waits_after(self) -> int | None:
        """Record after which frames were cut off and wait to be ordered again, if any do."""
        ...

    def cut_back(self, seq: int) -> None:
        """Keep the log up to a record; the rest waits, durably."""
        ...

    def waiting_frames(self) -> Iterator[bytes]:
        """Yield the frames that wait, in order."""
        ...

    def ordered_again(self) -> None:
        """Note that nothing waits any more."""
        ...


class BranchSnapshots(SnapshotStore, Protocol):
    """Snapshots of a log that can be cut back."""

    def drop_after(self, seq: int) -> None:
        """Set aside the snapshots of later records."""
        ...


class ReorganisedChain(InboxChain, Protocol):
    """The inbox, and how much is committed."""

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """What a venue keeps on disk beside its read model."""

    log: BranchStore
    batches: BatchStore
    snapshots: BranchSnapshots


@dataclass(frozen=True, slots=True)
class Resequenced:
    """What became of the log.

    Attributes
    ----------
    kept : int
        Last record that stayed.
    first_batch : int
        Number of the first batch that was set aside, or that will be made next.
    ordered : int
        Later records that found a place again.
    dropped : tuple[Dropped, ...]
        Those that did not, by name.
    """

    kept: int
    first_batch: int
    ordered: int
    dropped: tuple[Dropped, ...]


class Resequencer:
    """Brings log, batches and machine back to the chain's inbox.

    Parameters
    ----------
    sequencer, batcher, watcher :
        Of the venue; they stay the same objects.
    gate : Gate
        Checks signed intents again.

    Attributes
    ----------
    set_back : callable
        Called with the lock held, when the machine stands at the last record that is kept: for
        what follows the log.
    """

    def __init__(
        self,
        chain: ReorganisedChain,
        files: Files,
        sequencer: Sequencer,
        batcher: Batcher,
        watcher: InboxWatcher,
        gate: Gate,
    ) -> None:
        self.set_back: Callable[[], None] = lambda: None
        self._chain, self._files = chain, files
        self._sequencer, self._batcher, self._watcher = sequencer, batcher, watcher
        self._gate = gate

    def run(self) -> Resequenced | None:
        """Order the log again from the first entry that was dropped; None when none was.

        Raises
        ------
        BatchConflict
            A batch that the chain has consumed an entry that it does not have, as it may look while
            the chain moves. Nothing is changed.
        ChainError
            The chain does not answer. Nothing is changed.
        """
        with self._batcher.at_rest(), self._sequencer.lock:
            if not self._watcher.is_reorganised():
                return None
            return self._order_after(self._last_canonical())

    def finish(self) -> Resequenced | None:
        """Order again what a process left that ended in between; None when nothing waits."""
        after = self._files.log.waits_after
        if after is None:
            return None
        with self._batcher.at_rest(), self._sequencer.lock:
            return self._order_after(min(after, self._last_canonical()))

    def _order_after(self, kept: int) -> Resequenced:
        files = self._files
        first_batch = first_after(files.batches, kept)
        self._demand_dropped(first_batch)
        entries = self._watcher.entries_after(_consumed(files.log, kept))
        try:
            set_back(files, kept)
            self._sequencer.restart(recover(files.log, files.snapshots, cuts(files.batches)))
            self._batcher.restart()
            self.set_back()
            again = Reordering(self._sequencer, self._gate, entries)
            again.run(list(_records(files.log.waiting_frames())))
            files.log.ordered_again()
        except BaseException as fault:
            self._sequencer.halt(f"ordering again after {kept}: {type(fault).__name__}: {fault}")
            raise
        return Resequenced(kept, first_batch, again.ordered, tuple(again.dropped))

    def _demand_dropped(self, batch_no: int) -> None:
        """Refuse to set aside what the chain has committed: it holds all that those consumed."""
        signed = self._files.batches.load(batch_no)
        if signed is not None and self._chain.batch_hash_of(batch_no) == signed.batch.hash:
            raise BatchConflict(f"batch {batch_no} is on chain and consumed what it lacks")

    def _last_canonical(self) -> int:
        """Return the last record before the first entry that the chain does not have.

        A prefix hash binds all entries before it, so the longest common prefix is found by halving.
        """
        consumed = list(consumptions(_records(self._files.log.frames())))
        low, high = 0, min(self._chain.inbox_count(), len(consumed))
        while low < high:
            middle = (low + high + 1) // 2
            if self._chain.inbox_prefix(middle) == consumed[middle - 1][1]:
                low = middle
            else:
                high = middle - 1
        return consumed[low][0] - 1 if low < len(consumed) else self._files.log.last_seq


def set_back(files: Files, kept: int) -> None:
    """Set aside everything on disk that is of later records than `kept`.

    Whatever point it is stopped at, it can be done again: the log says where to.
    """
    files.log.cut_back(kept)
    files.batches.drop_from(first_after(files.batches, kept))
    files.snapshots.drop_after(kept)


def first_after(batches: BatchStore, seq: int) -> int:
    """Return the number of the first batch that holds a later record; of the next, if none does.

    Raises
    ------
    BatchFileCorrupt
        A stored batch is missing or damaged.
    """
    number = batches.count()
    while number:
        signed = batches.load(number)
        if signed is None:
            raise BatchFileCorrupt(f"batch {number} is missing from the store")
        if signed.last_seq <= seq:
            break
        number -= 1
    return number + 1


def consumptions(records: Iterator[Record]) -> Iterator[tuple[int, bytes]]:
    """Yield, for each inbox entry that records from the first consume, record and prefix hash."""
    prefix = ZERO32
    for record in records:
        if isinstance(record.command, Deposit | Forced):
            prefix = prefix_hash(prefix, entry_hash(entry_of(record.command)))
            yield record.seq, prefix


def _consumed(log: EventStore, kept: int) -> int:
    """Return how many entries the log consumed up to a record."""
    return sum(seq <= kept for seq, _ in consumptions(_records(log.frames())))


def _records(frames: Iterator[bytes]) -> Iterator[Record]:
    for frame in frames:
        yield from decode_records(frame)
