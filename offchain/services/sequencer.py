"""The sequencer: one writer that gives every command its place, its time and its durability.

A command is decided and applied in memory, the frames of the whole call are appended with one
sync, and only then does anybody learn of it: receipts and listeners come after the sync. If the
append fails, memory is ahead of the disk; the sequencer halts and answers nothing more, so no one
can have seen what was not durable. A restart replays the log, which is the truth.

A command that has no place in the log is turned away before the first of its call is looked at.

Liquidations have a lane of their own: after every command that moves prices, accounts below their
trigger take one step each, worst first, before any other command of the call.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from offchain.core.units import AccountId, TimestampNs
from offchain.engine.events import Event
from offchain.engine.machine import below_trigger
from offchain.engine.messages import (
    Adopt,
    Command,
    FundingTick,
    Liquidate,
    PriceReport,
    SettleExpiry,
)
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.errors import WireError
from offchain.ledger.journal import MAX_OPEN_BYTES, MAX_OPEN_RECORDS, Journal
from offchain.ledger.wire import Record, encode_record
from offchain.services.errors import (
    BatchOverdue,
    CommandUnencodable,
    SequencerHalted,
    StartRefused,
)
from offchain.services.ports import Clock, EventStore, Snapshot, SnapshotStore

MAX_COMMANDS = 1024
"""Commands in one call."""
COMMIT_FRAMES = 256
COMMIT_BYTES = 16 << 10
"""A call is synced after so many frames, or bytes that they add to the batch, at the latest.

Only then do listeners hear of them, and one of them cuts batches that are full: so a batch grows no
further beyond its limit than this and one record.
"""
MAX_PASSES = 16
"""Passes of the liquidation lane for one price; what is left then waits in the backlog."""
MAX_LISTENERS = 64
_MOVES_PRICES = (PriceReport, FundingTick, SettleExpiry, Adopt)

Listener = Callable[[Record, tuple[Event, ...]], None]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command is durable: its place, its time, the chain hash after it, and what it caused.

    `inbox_cursor` entries with the hash `inbox_prefix` were consumed by then. `signature` is the
    sequencer's, once somebody asked for it (`services.receipts`).
    """

    seq: int
    time_ns: TimestampNs
    epoch: int
    tip: bytes
    events: tuple[Event, ...]
    inbox_cursor: int
    inbox_prefix: bytes
    signature: bytes | None = None


class Sequencer:
    """Orders commands into the log and the machine. Safe to call from several threads.

    Parameters
    ----------
    journal : Journal
        State and commitments; what `recover` returned for `store`.
    store : EventStore
        The log. Its tip must be the journal's.
    clock : Clock
        Time for the records; recorded time never goes back, whatever the clock does.
    epoch : int
        Fencing number of this writer, at least that of the last record.
    liquidations_per_tick : int
        Steps taken at once in the lane; the rest waits in `backlog` and goes before the next
        command.

    Attributes
    ----------
    lock : RLock
        Held during every change. Hold it to read a consistent state.
    backlog : int
        Accounts below their trigger that still wait for their step.
    failed_listeners : list[str]
        Listeners that raised and were dropped: they cannot stop the sequencer.
    """

    def __init__(
        self,
        journal: Journal,
        store: EventStore,
        clock: Clock,
        epoch: int = 1,
        liquidations_per_tick: int = 256,
    ) -> None:
        if (journal.state.last_seq, journal.tip) != (store.last_seq, store.tip):
            raise StartRefused("the journal does not stand where the log ends")
        if epoch < store.last_epoch:
            raise StartRefused(f"epoch {epoch} is fenced off by {store.last_epoch}")
        self.journal, self.epoch = journal, epoch
        self.lock = threading.RLock()
        self.backlog = 0
        self.failed_listeners: list[str] = []
        self._store, self._clock = store, clock
        self._limit = liquidations_per_tick
        self._stepped: set[int] = set()
        self._listeners: list[Listener] = []
        self._pending: list[tuple[Record, tuple[Event, ...], bytes]] = []
        self._pending_bytes = 0
        self._halted: str | None = None

    @property
    def state(self) -> State:
        """The state of the machine; read it with `lock` held."""
        self._check()
        return self.journal.state

    @property
    def is_halted(self) -> bool:
        """Whether the log failed, so that nothing is accepted any more."""
        return self._halted is not None

    def now_ns(self) -> TimestampNs:
        """Return the time that the next record would carry. [ns]"""
        return TimestampNs(max(self.journal.state.time_ns, self._clock.now_ns()))

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(record, events)` for every record from now on, after its sync.

        It is called in log order with the lock held, so it must be quick, and must not submit.
        """
        if len(self._listeners) >= MAX_LISTENERS:
            raise ValueError(f"more than {MAX_LISTENERS} listeners")
        self._listeners.append(listener)

    def submit(self, command: Command) -> Receipt | Rejected:
        """Order one command. A refused one leaves no trace in the log.

        Raises
        ------
        CommandUnencodable
            A value does not fit its field of the log. Nothing of the call was taken.
        LogFailed
            The append failed; whether the command will be found after a restart is unknown.
        SequencerHalted
            An earlier append failed.
        BatchOverdue
            The open batch is too large, or not empty when a parameter set is to be adopted: it
            must be cut first.
        """
        return self.submit_batch([command])[0]

    def submit_batch(self, commands: Sequence[Command]) -> list[Receipt | Rejected]:
        """Order several commands with one sync and return an answer to each; see `submit`."""
        if len(commands) > MAX_COMMANDS:
            raise ValueError(f"{len(commands)} commands in one call, at most {MAX_COMMANDS}")
        _check_encodings(commands)
        with self.lock:
            self._check()
            self._check_batch()
            self._check_adoption(commands)
            try:
                answers = self._order(commands)
                self._commit()
            except BaseException as error:
                self._halted = f"{type(error).__name__}: {error}"
                raise
            return answers

    @contextmanager
    def timed_by(self, clock: Clock) -> Iterator[None]:
        """Hold the lock and take the time from another clock: to order again what was ordered."""
        with self.lock:
            usual, self._clock = self._clock, clock
            try:
                yield
            finally:
                self._clock = usual

    def restart(self, journal: Journal) -> None:
        """Go on from another journal, after the log was cut back to where it stands.

        Raises
        ------
        StartRefused
            The journal does not stand where the log ends.
        """
        with self.lock:
            self._check()
            if (journal.state.last_seq, journal.tip) != (self._store.last_seq, self._store.tip):
                raise StartRefused("the journal does not stand where the log ends")
            self.journal = journal
            self.backlog = 0
            self._stepped.clear()

    def halt(self, why: str) -> None:
        """Accept and answer nothing more: log and memory may differ, and a restart mends it."""
        self._halted = self._halted or why

    def save_snapshot(self, snapshots: SnapshotStore) -> Snapshot:
        """Store the present state beside the log, and return it."""
        with self.lock:
            self._check()
            journal = self.journal
            snapshot = Snapshot(journal.state.last_seq, journal.state_root(), journal.snapshot())
        snapshots.save(snapshot)
        return snapshot

    def _check(self) -> None:
        if self._halted is not None:
            raise SequencerHalted(self._halted)

    def _check_batch(self) -> None:
        """Push back while the open batch is still far from the size that the journal refuses."""
        journal = self.journal
        if journal.open_records > MAX_OPEN_RECORDS // 2 or journal.open_bytes > MAX_OPEN_BYTES // 2:
            raise BatchOverdue(f"{journal.open_records} records wait for the batch to be cut")

    def _check_adoption(self, commands: Sequence[Command]) -> None:
        """Have a parameter set adopted by the first record of a batch, or not at all."""
        if not any(isinstance(command, Adopt) for command in commands):
            return
        if len(commands) > 1:
            raise ValueError("a parameter set is adopted by a call of its own")
        if self.journal.open_records:
            raise BatchOverdue("the batch of the set before must be cut first")

    def _order(self, commands: Sequence[Command]) -> list[Receipt | Rejected]:
        answers: list[Receipt | Rejected] = []
        is_adoption = any(isinstance(command, Adopt) for command in commands)
        if self.backlog and not is_adoption:  # it comes first; whoever is below waits for it
            self._liquidate()
        for command in commands:
            answer = self._take(command)
            answers.append(answer)
            if isinstance(command, _MOVES_PRICES) and isinstance(answer, Receipt):
                self._stepped.clear()
                self._liquidate()
        return answers

    def _take(self, command: Command) -> Receipt | Rejected:
        journal = self.journal
        record = Record(journal.state.last_seq + 1, self.now_ns(), self.epoch, command)
        outcome = journal.apply(record)
        if isinstance(outcome, Rejected):
            return outcome
        self._pending.append((record, outcome, journal.open.frames[-1]))
        receipt = Receipt(
            record.seq,
            TimestampNs(record.time_ns),
            record.epoch,
            journal.tip,
            outcome,
            journal.state.inbox_cursor,
            journal.inbox_prefix,
        )
        self._pending_bytes += len(journal.open.frames[-1]) + len(journal.open.trace[-1])
        if len(self._pending) >= COMMIT_FRAMES or self._pending_bytes >= COMMIT_BYTES:
            self._commit()
        return receipt

    def _liquidate(self) -> None:
        """Take one step, for each price, on every account below its trigger that can be stepped.

        A step may make another one possible (the backstop is hedged, a maker's bid comes free), so
        refused accounts are tried again until a pass changes nothing. In the grace after an outage
        nobody is looked at: the report that ends it comes by here (L-5).
        """
        if not self.journal.state.market.standing.is_settled:
            self.backlog = 0
            return
        taken = 0
        for _ in range(MAX_PASSES):
            below = [a for a in below_trigger(self.journal.state) if a not in self._stepped]
            before = taken
            for account in below:
                if taken == self._limit:
                    break
                if isinstance(self._take(Liquidate(AccountId(account))), Receipt):
                    self._stepped.add(account)
                    taken += 1
            if taken == before:
                self.backlog = len(below) if taken == self._limit else 0
                return
        self.backlog = len(below)

    def _commit(self) -> None:
        """Make what was applied durable, then tell the listeners."""
        if not self._pending:
            return
        tip = self._store.append([frame for _, _, frame in self._pending])
        assert tip == self.journal.tip, "log and journal chain differently"
        done, self._pending, self._pending_bytes = self._pending, [], 0
        for record, events, _ in done:
            self._tell(record, events)

    def _tell(self, record: Record, events: tuple[Event, ...]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(record, events)
            except Exception as error:  # noqa: BLE001 - nothing that listens may stop the writer
                self._listeners.remove(listener)
                self.failed_listeners.append(f"{listener!r} at {record.seq}: {error!r}"[:500])


def _check_encodings(commands: Sequence[Command]) -> None:
    """Refuse values that the machine would have to reject as impossible, or the log cannot hold."""
    for command in commands:
        try:
            encode_record(Record(0, 0, 0, command))
        except WireError as fault:
            raise CommandUnencodable(str(fault)) from fault
