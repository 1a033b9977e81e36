"""Effect words, read: what a posted step says that its record did."""

from dataclasses import dataclass
from itertools import pairwise

from offchain.ledger.effects import WORD_BYTES, Effect

_SIGNED_BYTES = 8


@dataclass(frozen=True, slots=True)
class Word:
    """One word; fields that its kind does not have mean nothing."""

    kind: int
    account: int
    place: int
    body: bytes

    @property
    def delta(self) -> int:
        """What CASH and COLLATERAL add, and the value that SETTLE states."""
        return int.from_bytes(self.body[:_SIGNED_BYTES], signed=True)

    @property
    def amount(self) -> int:
        """Of an OUTPUT or a SHORTFALL."""
        return int.from_bytes(self.body[:_SIGNED_BYTES])

    @property
    def output(self) -> int:
        """Number of an OUTPUT."""
        return int.from_bytes(self.body[8:16])

    @property
    def lots(self) -> int:
        """Of a TRADE."""
        return int.from_bytes(self.body[:4], signed=True)

    @property
    def cost(self) -> int:
        """What a TRADE adds to the cost of a position. [USD e-6]"""
        return int.from_bytes(self.body[4:12], signed=True)

    @property
    def is_deposit(self) -> bool:
        """Whether a COLLATERAL comes from the inbox."""
        return self.body[8] != 0

    @property
    def order(self) -> int:
        """The resting order that a TRADE fills; zero when it fills none."""
        return int.from_bytes(self.body[12:20])

    @property
    def is_trade(self) -> bool:
        """Whether it is a TRADE."""
        return self.kind == Effect.TRADE


def read_words(words: bytes) -> tuple[Word, ...]:
    """Return the whole words; what is left over is none."""
    whole = range(0, len(words) - WORD_BYTES + 1, WORD_BYTES)
    return tuple(_read(words[start : start + WORD_BYTES]) for start in whole)


def takers(words: tuple[Word, ...]) -> list[int]:
    """Return the places of TRADE words that a maker's word follows."""
    pairs = enumerate(pairwise(words))
    return [i for i, (a, b) in pairs if a.is_trade and b.is_trade and b.order]


def _read(word: bytes) -> Word:
    return Word(word[0], int.from_bytes(word[1:5]), int.from_bytes(word[5:7]), word[7:])
