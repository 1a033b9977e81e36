"""Challenges that are open, over a node."""

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import COURT
from offchain.adapters.chain_history import ChainEvent
from offchain.adapters.chain_open import OpenAtCourt
from offchain.services.challenges import OpenChallenge
from offchain.services.ports import Signer, TransactionReceipt


class ChainChallenges:
    """A `ChallengeChain` of one deployment; it remembers how far it has read. One thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._open = OpenAtCourt(chain, "ChallengeOpened", _challenge_of, self._is_open)

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return self._chain.block_time()

    def open_challenges(self) -> list[OpenChallenge]:
        """Return the challenges that are open, of any batch."""
        return self._open.all()

    def _is_open(self, number: bytes) -> bool:
        _, _, opened_at, *_ = self._chain.call(COURT, "challengeOf", number)
        return bool(opened_at)

    def close(self, signer: Signer, challenge: OpenChallenge) -> TransactionReceipt:
        """Close a challenge that was not revealed in time.

        Raises
        ------
        TransactionReverted
            It is closed, or there is still time to reveal.
        """
        return self._chain.send(signer, COURT, "close", challenge.id)


def _challenge_of(event: ChainEvent) -> OpenChallenge:
    said = event.arguments
    return OpenChallenge(said["id"], said["batchNo"], said["until"])
