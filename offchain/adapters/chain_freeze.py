"""Freezing over a node: the settlement contract itself says whether and from when it may be."""

from collections.abc import Callable
from dataclasses import astuple

from offchain.adapters.chain import Chain
from offchain.ledger.inbox import InboxEntry
from offchain.services.errors import TransactionReverted
from offchain.services.freezing import FreezeCause, FreezeChance, FreezeOutlook
from offchain.services.ports import Signer, TransactionReceipt

FUNCTIONS = {
    FreezeCause.CENSORED: "freezeCensored",
    FreezeCause.STALLED: "freezeStalled",
    FreezeCause.UNSERVED: "freezeUnserved",
    FreezeCause.UNREPAIRED: "freezeUnrepaired",
}
CURSORS = {FreezeCause.CENSORED: "inboxCursor", FreezeCause.UNSERVED: "finalCursor"}
"""Causes that are about the entry after a cursor of the settlement contract."""


class ChainFreeze:
    """What the contract says of a freeze, and the call that freezes.

    Parameters
    ----------
    entry_at : callable
        Returns an entry of the inbox by its number, None when there is none.
    """

    def __init__(self, chain: Chain, entry_at: Callable[[int], InboxEntry | None]) -> None:
        self._chain, self._entry_at = chain, entry_at

    def outlook(self) -> FreezeOutlook:
        """Return whether the venue is frozen, and else whether and when it may be."""
        frozen_at = int(self._chain.call("Settlement", "frozenAt"))
        if frozen_at:
            return FreezeOutlook(frozen_at)
        found = [chance for cause in FreezeCause if (chance := self._chance(cause)) is not None]
        return FreezeOutlook(0, tuple(sorted(found, key=lambda chance: chance.possible_at_s)))

    def freeze(self, signer: Signer, chance: FreezeChance) -> TransactionReceipt:
        """Freeze the venue for ever; TransactionReverted when there is still time."""
        arguments = _given(chance.entry)
        return self._chain.send(signer, "Settlement", FUNCTIONS[chance.cause], *arguments)

    def _chance(self, cause: FreezeCause) -> FreezeChance | None:
        """Ask the contract what it would answer now; its refusal says until when."""
        entry = None
        if cause in CURSORS:
            entry = self._entry_at(int(self._chain.call("Settlement", CURSORS[cause])) + 1)
            if entry is None:
                return None
        try:
            self._chain.call("Settlement", FUNCTIONS[cause], *_given(entry))
        except TransactionReverted as reverted:
            until = reverted.arguments.get("until")
            if reverted.name != "NotOverdue" or not isinstance(until, int):
                return None
            return FreezeChance(cause, until + 1, is_open=False, entry=entry)
        return FreezeChance(cause, self._chain.block_time(), is_open=True, entry=entry)


def _given(entry: InboxEntry | None) -> list[object]:
    return [] if entry is None else [astuple(entry)]
