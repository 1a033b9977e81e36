"""A small book on two underlyings with one expiry each."""

from dataclasses import dataclass, replace

import pytest

from offchain.core.instruments import Feed, FeedKind, Instrument, Kind, Listing, Underlying
from offchain.core.parameters import RiskParameters
from offchain.core.units import DAY_NS, ONE_E8, SECOND_NS, InstrumentId, PriceE8, TimestampNs
from scripts.vectors_pricing import sample_parameters

NOW = 1_760_000_000 * SECOND_NS
EXPIRY = TimestampNs(NOW + 30 * DAY_NS)


@dataclass(frozen=True)
class Book:
    """A parameter set, a report for it, and its time."""

    parameters: RiskParameters
    medians: tuple[int, ...]
    now_ns: int
    expiry_ns: int

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument of that symbol."""
        return next(i for i in self.parameters.listing.instruments if i.symbol == symbol)


def listing() -> Listing:
    underlyings = (
        Underlying(0, "BTC", 100_000, PriceE8(10_000_000)),
        Underlying(1, "ETH", 10_000, PriceE8(1_000_000)),
    )
    instruments = []
    for u, strike in zip(underlyings, (60_000, 2_000), strict=True):
        kinds = (Kind.PERPETUAL, Kind.FUTURE, Kind.CALL, Kind.PUT)
        for slot, kind in enumerate(kinds):
            instruments.append(
                Instrument(
                    InstrumentId(u.index << 8 | slot),
                    f"{u.symbol}-{kind.name}",
                    kind,
                    TimestampNs(0) if kind == Kind.PERPETUAL else EXPIRY,
                    PriceE8(strike * ONE_E8 if kind in (Kind.CALL, Kind.PUT) else 0),
                )
            )
    feeds = [Feed(FeedKind.INDEX, u.index, TimestampNs(0)) for u in underlyings]
    feeds += [
        Feed(kind, u.index, EXPIRY)
        for u in underlyings
        for kind in (FeedKind.FORWARD, FeedKind.VOLATILITY)
    ]
    return Listing(underlyings, tuple(instruments), tuple(feeds))


@pytest.fixture(scope="session")
def book() -> Book:
    parameters = replace(sample_parameters(), listing=listing())
    medians = (
        60_123_45678901,
        2_012_34567890,
        60_500 * ONE_E8,
        48_000_000,
        2_020 * ONE_E8,
        65_000_000,
    )
    return Book(parameters, medians, NOW, EXPIRY)
