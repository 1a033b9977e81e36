"""Challenges that nobody revealed in time: closing them lets their batches go on.

A batch is not final while a challenge of it is open, and the court closes none by itself. Anybody
may; the operator's node does, so that one bond cannot hold up a batch until the venue freezes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt

OVERTAKEN = frozenset({"NoSuchChallenge", "RevealStillOpen"})
"""Refusals that mean that somebody else was quicker, or that the chain took blocks back."""


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge whose evidence was not revealed yet.

    Attributes
    ----------
    until_s : int
        Last second to reveal. [s since 1970]
    """

    id: bytes
    batch_no: int
    until_s: int


class ChallengeChain(Protocol):
    """The court as whoever closes challenges needs it."""

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        ...

    def open_challenges(self) -> Sequence[OpenChallenge]:
        """Return the challenges that are open, of any batch."""
        ...

    def close(self, signer: Signer, challenge: OpenChallenge) -> TransactionReceipt:
        """Close a challenge that was not revealed in time."""
        ...


class ChallengeCloser:
    """Closes every challenge that is overdue. One thread.

    Parameters
    ----------
    signer : Signer
        Pays gas. The forfeited bonds go to the insurance fund.
    """

    def __init__(self, chain: ChallengeChain, signer: Signer) -> None:
        self._chain, self._signer = chain, signer

    def step(self) -> list[int]:
        """Close what is overdue; return the batches, one for each challenge.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        """
        waiting = self._chain.open_challenges()
        now = self._chain.block_time() if waiting else 0
        return [c.batch_no for c in waiting if c.until_s < now and self._close(c)]

    def _close(self, challenge: OpenChallenge) -> bool:
        try:
            self._chain.close(self._signer, challenge)
        except TransactionReverted as reverted:
            if reverted.name in OVERTAKEN:
                return False
            raise
        return True
