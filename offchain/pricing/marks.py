"""Mark prices: what each instrument is worth now, from the medians of one oracle report."""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.instruments import FeedKind, Instrument, Kind, Listing
from offchain.core.units import PRICE_BITS, PriceE8, floor_div
from offchain.pricing.black76 import option_price
from offchain.pricing.fixed_point import ln
from offchain.pricing.surface import surface_of, surface_volatility_reference


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
        Of its strike, from the surface of its expiry; 0 for linear instruments and after expiry.
        [e-8]
    remaining_ns : int
        Time to expiry, 0 after it and for a perpetual.
    """

    price_e8: PriceE8
    volatility_e8: int
    remaining_ns: int


def check_medians(listing: Listing, medians: Sequence[int]) -> None:
    """Refuse a report that is not one positive number below 2**46 for each feed."""
    if len(medians) != len(listing.feeds):
        raise MarketDataError(f"{len(medians)} medians for {len(listing.feeds)} feeds")
    for place, median in enumerate(medians):
        if median <= 0:
            raise MarketDataError(f"feed {place} is not positive: {median}")
        if median >= 1 << PRICE_BITS:
            raise MarketDataError(f"feed {place} is not below 2**{PRICE_BITS}: {median}")


def quote(listing: Listing, medians: Sequence[int], instrument: Instrument, now_ns: int) -> Quote:
    """Return the quote of one instrument; the medians must have passed `check_medians`."""
    underlying, expiry_ns = instrument.underlying, instrument.expiry_ns
    if now_ns >= expiry_ns:  # always true of a perpetual, whose expiry is 0
        return Quote(PriceE8(medians[underlying]), 0, 0)
    forward = medians[listing.feed_index(FeedKind.FORWARD, underlying, expiry_ns)]
    remaining, volatility = expiry_ns - now_ns, 0
    if instrument.is_option:
        surface = surface_of(listing, medians, underlying, expiry_ns)
        moneyness = 0 if surface.is_flat else ln(forward) - ln(instrument.strike_e8)
        volatility = surface_volatility_reference(surface, remaining, moneyness)
    return Quote(PriceE8(forward), volatility, remaining)


def moved_medians(
    listing: Listing, medians: Sequence[int], underlying: int, index_e8: int
) -> tuple[int, ...]:
    """Return the report with the index of one underlying moved, its forwards in proportion.

    Forwards are floored, and at least 1. Volatilities stay with their place on the smile, which
    moves along with the forward; a scenario, in contrast, keeps the volatility of a strike.
    """
    old = medians[underlying]
    moved = list(medians)
    moved[underlying] = index_e8
    for place, feed in enumerate(listing.feeds):
        if feed.kind == FeedKind.FORWARD and feed.underlying == underlying:
            moved[place] = max(floor_div(medians[place] * index_e8, old), 1)
    return tuple(moved)


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
