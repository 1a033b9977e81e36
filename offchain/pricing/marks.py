"""Mark prices: what each instrument is worth now, from the medians of one oracle report."""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.instruments import FeedKind, Instrument, Kind, Listing
from offchain.core.units import PRICE_BITS, PriceE8, floor_div
from offchain.pricing.black76 import option_price


class MarketDataError(ValueError):
    """A report cannot be priced; the message names the feed and its value."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What an instrument is priced from.

    Attributes
    ----------
    price_e8 : PriceE8
        The index for a perpetual and for what has expired, else the forward of its expiry.
    volatility_e8 : int
        At the money, for its expiry; 0 for linear instruments and after expiry. [e-8]
    remaining_ns : int
        Time to expiry, 0 after it and for a perpetual.
    """

    price_e8: PriceE8
    volatility_e8: int
    remaining_ns: int


def check_medians(listing: Listing, medians: Sequence[int]) -> None:
    """Refuse a report that is not one positive number a feed, prices below 2**46."""
    if len(medians) != len(listing.feeds):
        raise MarketDataError(f"{len(medians)} medians for {len(listing.feeds)} feeds")
    for place, (feed, median) in enumerate(zip(listing.feeds, medians, strict=True)):
        if median <= 0:
            raise MarketDataError(f"feed {place} is not positive: {median}")
        if feed.kind != FeedKind.VOLATILITY and median >= 1 << PRICE_BITS:
            raise MarketDataError(f"feed {place} is not below 2**{PRICE_BITS}: {median}")


def quote(listing: Listing, medians: Sequence[int], instrument: Instrument, now_ns: int) -> Quote:
    """Return the quote of one instrument; the medians must have passed `check_medians`."""
    underlying, expiry_ns = instrument.underlying, instrument.expiry_ns
    if now_ns >= expiry_ns:  # always true of a perpetual, whose expiry is 0
        return Quote(PriceE8(medians[underlying]), 0, 0)
    forward = medians[listing.feed_index(FeedKind.FORWARD, underlying, expiry_ns)]
    volatility = 0
    if instrument.is_option:
        volatility = medians[listing.feed_index(FeedKind.VOLATILITY, underlying, expiry_ns)]
    return Quote(PriceE8(forward), volatility, expiry_ns - now_ns)


def fair_value_e8(instrument: Instrument, of: Quote) -> int:
    """Return the value of one unit before any rounding to the tick. [USD e-8]."""
    if not instrument.is_option:
        return of.price_e8
    return option_price(
        of.price_e8,
        instrument.strike_e8,
        of.volatility_e8,
        of.remaining_ns,
        is_call=instrument.kind == Kind.CALL,
    )


def mark_price_e8(value_e8: int, tick_e8: int) -> PriceE8:
    """Return the mark: the value rounded down to the tick, so a lot is an exact amount."""
    return PriceE8(floor_div(value_e8, tick_e8) * tick_e8)
