"""The inbox watcher: every entry that the chain confirms becomes a command, once and in order.

It recomputes the prefix hash from the entries as it goes, from the first one on, so an entry that
is missing, doubled or altered on the way is found before the engine sees it.

Blocks may be replaced after they were read. What the engine consumed is held to the inbox at every
poll, and where the last block that was read is another one by now, reading begins anew.

A deposit of an asset that the set in force does not list yet waits, with all that is behind it: the
vault has it because governance listed it, so a set that lists it follows, and no batch in which it
came to nothing could become final.
"""

from collections.abc import Iterator, Sequence

from offchain.core.model_rules import MAX_ASSETS
from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.inbox import entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32
from offchain.services.errors import InboxMismatch, InboxReorganised
from offchain.services.ports import InboxChain, InboxEntry
from offchain.services.sequencer import Sequencer

PAGE_BLOCKS = 2_000
COMMANDS = 256
"""Entries in one call of the sequencer."""


class InboxWatcher:
    """Feeds the sequencer with what was deposited and forced. One thread.

    Parameters
    ----------
    first_block : int
        Where the deployment begins.
    confirmations : int
        Blocks that must lie on top of an entry's block; 0 on a devnet, where nothing reorganises.

    Attributes
    ----------
    read : int
        Entries read from the chain so far, and so the index of the last one.
    prefix : bytes
        Their prefix hash, recomputed.
    """

    def __init__(
        self, chain: InboxChain, sequencer: Sequencer, first_block: int, confirmations: int = 0
    ) -> None:
        self.read, self.prefix = 0, ZERO32
        self._chain, self._sequencer = chain, sequencer
        self._first_block, self._confirmations = first_block, confirmations
        self._next_block, self._last_hash = first_block, b""
        self._height = 0
        self._due = (0, 0)  # entries that there were, and a block by which there were

    def poll(self) -> int:
        """Read what is new and confirmed, and return how many entries the engine took.

        Entries that the engine consumed before, as after a restart, are checked and passed over.

        Raises
        ------
        InboxMismatch
            Entries and prefix hash disagree, an entry is of no kind that is known, or the engine
            refuses the next one.
        InboxReorganised
            The chain dropped an entry that the engine consumed.
        """
        if self.is_reorganised():
            raise InboxReorganised("the inbox does not have what the engine consumed")
        count = self._chain.inbox_count()
        height, taken = self._chain.block_number(), 0
        if self._is_replaced(height):
            self.restart()
        try:
            for found in self._pages(self._next_block, height - self._confirmations):
                entries = [entry for entry in found if entry.index > self.read]
                for start in range(0, len(entries), COMMANDS):
                    part = entries[start : start + COMMANDS]
                    ready = self._ready(part)
                    taken += self._take(ready) if ready else 0
                    if len(ready) < len(part):
                        return taken
        except InboxMismatch:
            self.restart()  # the pages before may lack what does not follow
            raise
        self._look_again(count, height)
        return taken

    def _look_again(self, count: int, height: int) -> None:
        """Begin anew when all blocks up to one were read, but not all entries that it had.

        A node may leave out the newest event of a page and never show it again: then nothing would
        follow it, and an entry that waits too long ends the venue.
        """
        last = height - self._confirmations
        if any(
            last >= block and self.read < entries for entries, block in (self._due, (count, height))
        ):
            self.restart()
        if last >= self._due[1]:
            self._due = (count, height)

    def is_reorganised(self) -> bool:
        """Tell whether the chain has dropped an entry that the engine consumed.

        A node that shows fewer blocks than it did may only be behind; it is not believed until it
        shows as many again.
        """
        height = self._chain.block_number()
        if height < self._height:
            return False
        self._height = height
        cursor, known = self._engine()
        if self._chain.inbox_count() < cursor:
            return True
        return self._chain.inbox_prefix(cursor) != known

    def restart(self) -> None:
        """Read from the first block again with the next poll."""
        self.read, self.prefix = 0, ZERO32
        self._next_block, self._last_hash = self._first_block, b""

    def entries_after(self, index: int) -> list[InboxEntry]:
        """Return the confirmed entries beyond an index, checked, without submitting any.

        Raises
        ------
        InboxMismatch
            Entries and prefix hash disagree.
        """
        self.restart()
        prefix, expected, after = ZERO32, 0, list[InboxEntry]()
        last = self._chain.block_number() - self._confirmations
        for found in self._pages(self._first_block, last):
            for entry in found:
                expected += 1
                prefix = _follow(prefix, expected, entry)
                if entry.index > index:
                    after.append(entry)
        self._compare_contract(expected, prefix)
        self.restart()
        return after

    def _pages(self, first: int, last: int) -> Iterator[Sequence[InboxEntry]]:
        """Yield the entries of the blocks up to `last`, and move on behind each page."""
        while first <= last:
            stop = min(first + PAGE_BLOCKS - 1, last)
            block_hash = self._chain.block_hash(stop)  # before what it has: it may be replaced now
            yield self._chain.inbox_entries(first, stop)
            first = stop + 1
            self._next_block, self._last_hash = first, block_hash

    def _is_replaced(self, height: int) -> bool:
        """Tell whether the last block that was read is no longer the chain's."""
        last = self._next_block - 1
        if not self._last_hash or last > height:
            return False
        return self._chain.block_hash(last) != self._last_hash

    def _take(self, entries: Sequence[InboxEntry]) -> int:
        """Check some entries, submit those that the engine does not have, then move on.

        Whatever fails, the next call begins with the same entries again.
        """
        cursor, known = self._engine()
        prefix = self.prefix
        for expected, entry in enumerate(entries, start=self.read + 1):
            prefix = _follow(prefix, expected, entry)
            if entry.index == cursor and prefix != known:
                raise InboxMismatch(f"entry {cursor}: the engine consumed another one")
        commands = [command_of(entry) for entry in entries if entry.index > cursor]
        if commands:
            self._compare_contract(entries[-1].index, prefix)
            self._submit(commands)
        self.read, self.prefix = entries[-1].index, prefix
        return len(commands)

    def _ready(self, entries: Sequence[InboxEntry]) -> Sequence[InboxEntry]:
        """Return the entries before the first that waits for its asset to be listed."""
        with self._sequencer.lock:
            state = self._sequencer.state
            places = enumerate(entries)
            first = next((i for i, e in places if is_waiting(state, e)), len(entries))
        return entries[:first]

    def _compare_contract(self, count: int, prefix: bytes) -> None:
        """Events can be invented by a node; a batch is held to the contract's storage."""
        stored = self._chain.inbox_prefix(count)
        if stored != prefix:
            raise InboxMismatch(
                f"entry {count}: prefix 0x{prefix.hex()}, the inbox says 0x{stored.hex()}"
            )

    def _submit(self, commands: Sequence[Deposit | Forced]) -> None:
        answers = self._sequencer.submit_batch(commands)
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, Rejected):
                raise InboxMismatch(f"entry {command.index} is refused by the engine: {answer}")

    def _engine(self) -> tuple[int, bytes]:
        """Return cursor and prefix hash of what the engine consumed."""
        with self._sequencer.lock:
            return self._sequencer.state.inbox_cursor, self._sequencer.journal.inbox_prefix


def is_waiting(state: State, entry: InboxEntry) -> bool:
    """Tell whether an entry is a deposit of an asset that a later set can list, and this does not.

    Before genesis nothing is listed, and nothing waits.
    """
    if entry.kind != EntryKind.DEPOSIT or entry.index <= state.inbox_cursor:
        return False
    listed = len(state.parameters.collateral) if state.parameters else MAX_ASSETS
    return listed < entry.place <= MAX_ASSETS


def command_of(entry: InboxEntry) -> Deposit | Forced:
    """Return the command that consumes an entry; InboxMismatch when its kind is not known."""
    if entry.kind == EntryKind.DEPOSIT:
        return Deposit(
            entry.index, entry.time_s, entry.owner, entry.subaccount, entry.place, entry.amount
        )
    try:
        kind = EntryKind(entry.kind)
    except ValueError:
        raise InboxMismatch(f"entry {entry.index}: {entry.kind} is no kind of entry") from None
    return Forced(
        entry.index,
        entry.time_s,
        entry.owner,
        entry.subaccount,
        entry.place,
        entry.amount,
        kind,
        entry.key,
    )


def _follow(prefix: bytes, expected: int, entry: InboxEntry) -> bytes:
    """Return the prefix hash after an entry; its event carries the contract's own."""
    if entry.index != expected:
        raise InboxMismatch(f"entry {entry.index} does not follow {expected - 1}")
    following = prefix_hash(prefix, entry_hash(entry.content()))
    if following != entry.prefix:
        raise InboxMismatch(
            f"entry {entry.index}: prefix 0x{following.hex()}, the event says "
            f"0x{entry.prefix.hex()}"
        )
    return following
