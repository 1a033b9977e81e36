"""What is traded: underlyings, and the perpetuals, dated futures and options on them."""

from dataclasses import dataclass
from enum import IntEnum

from offchain.core.units import SLOT_BITS, SLOTS, InstrumentId, PriceE8, TimestampNs


class Kind(IntEnum):
    """The payoff of an instrument."""

    PERPETUAL = 0
    FUTURE = 1
    CALL = 2
    PUT = 3


OPTION_KINDS = (Kind.CALL, Kind.PUT)


@dataclass(frozen=True, slots=True)
class Underlying:
    """An asset that instruments are written on.

    Attributes
    ----------
    lot_divisor : int
        A price in 1e-8 USD divided by this is the value of one lot in 1e-6 USD. It is
        100 / (underlying units per lot): 100,000 for lots of 0.001 BTC, 10,000 for 0.01 ETH.
    tick_e8 : PriceE8
        Smallest price step; a multiple of `lot_divisor`, so lot values are exact. [1e-8 USD]
    """

    index: int
    symbol: str
    lot_divisor: int
    tick_e8: PriceE8


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed contract. `expiry_ns` is 0 for a perpetual, `strike_e8` 0 for a linear one."""

    id: InstrumentId
    symbol: str
    kind: Kind
    expiry_ns: TimestampNs
    strike_e8: PriceE8

    @property
    def underlying(self) -> int:
        """Index of the underlying."""
        return self.id >> SLOT_BITS

    @property
    def slot(self) -> int:
        """Place in the columns of the underlying."""
        return self.id & (SLOTS - 1)

    @property
    def is_option(self) -> bool:
        """Whether this is a European option."""
        return self.kind in OPTION_KINDS


class FeedKind(IntEnum):
    """What an oracle feed carries."""

    INDEX = 0  # robust median of spot sources [1e-8 USD]
    FORWARD = 1  # forward price for one expiry [1e-8 USD]
    VOLATILITY = 2  # at-the-money volatility for one expiry [1e-8 of one]
    SLOPE = 3  # of the smile of one expiry: b + 1 [1e-8 of one]
    TILT = 4  # rho + 2 [1e-8 of one]
    CENTRE = 5  # m + 5 [1e-8 of one]
    WIDTH = 6  # sigma + 1 [1e-8 of one]
    STABLE = 7  # price of the cash asset [1e-8 USD]


SHAPE_KINDS = (FeedKind.SLOPE, FeedKind.TILT, FeedKind.CENTRE, FeedKind.WIDTH)
"""The four numbers that bend the smile of an expiry; listed together or not at all.

Each is biased, so that no value is zero and the band of the oracle, a share of the number, bounds
how far a shape may move at once.
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """One number in every oracle report; its place in the listing is its place in the report."""

    kind: FeedKind
    underlying: int
    expiry_ns: TimestampNs


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything that can be priced. Slots of an underlying are dense and ascending."""

    underlyings: tuple[Underlying, ...]
    instruments: tuple[Instrument, ...]
    feeds: tuple[Feed, ...]

    def of_underlying(self, underlying: int) -> tuple[Instrument, ...]:
        """Return the instruments of an underlying in slot order."""
        return tuple(i for i in self.instruments if i.underlying == underlying)

    def feed_index(self, kind: FeedKind, underlying: int, expiry_ns: int = 0) -> int:
        """Return the place of a feed in every report; KeyError when it is not listed."""
        for place, feed in enumerate(self.feeds):
            if (feed.kind, feed.underlying, feed.expiry_ns) == (kind, underlying, expiry_ns):
                return place
        raise KeyError((kind, underlying, expiry_ns))
