"""What is not revealed in time is closed by whoever runs the venue, once and no earlier."""

from dataclasses import dataclass, field

import pytest

from offchain.services.challenges import ChallengeCloser, OpenChallenge
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt
from tests.support.devnet import signer

KEEPER = signer("keeper")
RECEIPT = TransactionReceipt("Court.close", bytes(32), 1, 50_000, 1, b"")


@dataclass
class Court:
    """A court that knows the time."""

    waiting: list[OpenChallenge] = field(default_factory=list)
    now_s: int = 1_000
    refusal: str | None = None
    closed: list[bytes] = field(default_factory=list)

    def block_time(self) -> int:
        return self.now_s

    def open_challenges(self) -> list[OpenChallenge]:
        return [c for c in self.waiting if c.id not in self.closed]

    def close(self, signer: Signer, challenge: OpenChallenge) -> TransactionReceipt:
        assert signer is KEEPER
        if self.refusal:
            raise TransactionReverted("Court", self.refusal, {})
        self.closed.append(challenge.id)
        return RECEIPT


def test_only_what_is_overdue_is_closed() -> None:
    early, due = OpenChallenge(b"a", 4, 1_000), OpenChallenge(b"b", 5, 999)
    court = Court([early, due])
    closer = ChallengeCloser(court, KEEPER)
    assert closer.step() == [5]
    assert court.closed == [b"b"]
    court.now_s += 1
    assert closer.step() == [4]
    assert closer.step() == []


@pytest.mark.parametrize("name", ["NoSuchChallenge", "RevealStillOpen"])
def test_who_comes_second_goes_on(name: str) -> None:
    court = Court([OpenChallenge(b"a", 4, 1)], refusal=name)
    assert ChallengeCloser(court, KEEPER).step() == []


def test_another_refusal_is_told() -> None:
    court = Court([OpenChallenge(b"a", 4, 1)], refusal="Unknown")
    with pytest.raises(TransactionReverted):
        ChallengeCloser(court, KEEPER).step()
