"""Challenges that are open, over a node."""

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import COURT
from offchain.adapters.chain_demands import REREAD_BLOCKS
from offchain.services.challenges import OpenChallenge
from offchain.services.ports import Signer, TransactionReceipt


class ChainChallenges:
    """A `ChallengeChain` of one deployment; it remembers how far it has read. One thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._read_to = chain.deployment.block_number - 1
        self._challenges: dict[bytes, OpenChallenge] = {}

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return self._chain.block_time()

    def open_challenges(self) -> list[OpenChallenge]:
        """Return the challenges that are open, of any batch."""
        last = self._chain.block_number()
        first = min(self._read_to, last) - REREAD_BLOCKS + 1
        for event in self._chain.history.events((COURT,), first, last):
            if event.name == "ChallengeOpened":
                said = event.arguments
                found = OpenChallenge(said["id"], said["batchNo"], said["until"])
                self._challenges[found.id] = found
        self._read_to = last
        self._challenges = {n: c for n, c in self._challenges.items() if self._is_open(n)}
        return list(self._challenges.values())

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
