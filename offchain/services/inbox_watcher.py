"""The inbox watcher: every deposit that the chain confirms becomes a command, once and in order.

It recomputes the prefix hash from the entries as it goes, from the first one on, so an entry that
is missing, doubled or altered on the way is found before the engine sees it.
"""

from collections.abc import Sequence

from offchain.engine.messages import Deposit
from offchain.engine.reasons import Rejected
from offchain.ledger.inbox import KIND_DEPOSIT, entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32
from offchain.services.errors import InboxMismatch
from offchain.services.ports import InboxChain, InboxEntry
from offchain.services.sequencer import Sequencer

PAGE_BLOCKS = 2_000
COMMANDS = 256
"""Deposits in one call of the sequencer."""


class InboxWatcher:
    """Feeds the sequencer with deposits. One thread.

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
        self._next_block, self._confirmations = first_block, confirmations

    def poll(self) -> int:
        """Read what is new and confirmed, and return how many deposits the engine took.

        Entries that the engine consumed before, as after a restart, are checked and passed over.

        Raises
        ------
        InboxMismatch
            Entries and prefix hash disagree, or the engine refuses the next entry.
        """
        last = self._chain.block_number() - self._confirmations
        taken = 0
        while self._next_block <= last:
            stop = min(self._next_block + PAGE_BLOCKS - 1, last)
            found = self._chain.deposits(self._next_block, stop)
            entries = [entry for entry in found if entry.index > self.read]
            for start in range(0, len(entries), COMMANDS):
                taken += self._take(entries[start : start + COMMANDS])
            self._next_block = stop + 1
        return taken

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
        deposits = [
            Deposit(entry.index, entry.owner, entry.subaccount, entry.asset, entry.amount)
            for entry in entries
            if entry.index > cursor
        ]
        if deposits:
            self._compare_contract(entries[-1].index, prefix)
            self._submit(deposits)
        self.read, self.prefix = entries[-1].index, prefix
        return len(deposits)

    def _compare_contract(self, count: int, prefix: bytes) -> None:
        """Events can be invented by a node; a batch is held to the contract's storage."""
        stored = self._chain.inbox_prefix(count)
        if stored != prefix:
            raise InboxMismatch(
                f"entry {count}: prefix 0x{prefix.hex()}, the inbox says 0x{stored.hex()}"
            )

    def _submit(self, deposits: Sequence[Deposit]) -> None:
        answers = self._sequencer.submit_batch(deposits)
        for deposit, answer in zip(deposits, answers, strict=True):
            if isinstance(answer, Rejected):
                raise InboxMismatch(f"entry {deposit.index} is refused by the engine: {answer}")

    def _engine(self) -> tuple[int, bytes]:
        """Return cursor and prefix hash of what the engine consumed."""
        with self._sequencer.lock:
            return self._sequencer.state.inbox_cursor, self._sequencer.journal.inbox_prefix


def _follow(prefix: bytes, expected: int, entry: InboxEntry) -> bytes:
    """Return the prefix hash after an entry; its event carries the contract's own."""
    if entry.index != expected:
        raise InboxMismatch(f"entry {entry.index} does not follow {expected - 1}")
    hashed = entry_hash(
        KIND_DEPOSIT, entry.index, entry.owner, entry.subaccount, entry.asset, entry.amount
    )
    following = prefix_hash(prefix, hashed)
    if following != entry.prefix:
        raise InboxMismatch(
            f"entry {entry.index}: prefix 0x{following.hex()}, the event says "
            f"0x{entry.prefix.hex()}"
        )
    return following
