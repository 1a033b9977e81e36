"""Exposure of a portfolio: Greeks by position, and by underlying over everything held on it.

A lot is 100 / lot_divisor units of the underlying. Each figure is exact until it is floored, once:
the figures of an underlying are floored sums, not sums of floors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from offchain.core.instruments import OPTION_KINDS, Instrument, Kind, Listing, Underlying
from offchain.core.units import InstrumentId, Lots, UsdE6, floor_div
from offchain.pricing.greeks import Greeks, unit_greeks
from offchain.pricing.marks import quote

UNIT = 100
"""A lot divisor divides this into units of the underlying per lot."""


@dataclass(frozen=True, slots=True)
class PositionGreeks:
    """Greeks of one position, signs as it holds them.

    Attributes
    ----------
    delta_e8 : int
        Units of the underlying that move alike. [e-8]
    gamma_e12 : int
        Change of delta for one dollar. [units e-12]
    vega_e6, theta_e6 : UsdE6
        For one volatility point, and for one day. [USD e-6]
    """

    instrument: InstrumentId
    lots: Lots
    delta_e8: int
    gamma_e12: int
    vega_e6: UsdE6
    theta_e6: UsdE6


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a portfolio holds of one underlying: delta by kind and in all, and the other Greeks.

    `delta_e8` is the delta-equivalent exposure, in units of the underlying. Units as in
    `PositionGreeks`.
    """

    underlying: int
    perpetual_delta_e8: int
    future_delta_e8: int
    option_delta_e8: int
    delta_e8: int
    gamma_e12: int
    vega_e6: UsdE6
    theta_e6: UsdE6


def listed_greeks(listing: Listing, medians: Sequence[int], now_ns: int) -> dict[int, Greeks]:
    """Return the Greeks of one unit of everything listed, by instrument id."""
    return {i.id: unit_greeks(i, quote(listing, medians, i, now_ns)) for i in listing.instruments}


def position_greeks(
    instrument: Instrument, lots: int, of: Greeks, lot_divisor: int
) -> PositionGreeks:
    """Return the Greeks of some lots of an instrument, long positive."""
    return PositionGreeks(
        instrument.id,
        Lots(lots),
        floor_div(lots * of.delta_e8 * UNIT, lot_divisor),
        floor_div(lots * of.gamma_e12 * UNIT, lot_divisor),
        UsdE6(floor_div(lots * of.vega_e8, lot_divisor)),
        UsdE6(floor_div(lots * of.theta_e8, lot_divisor)),
    )


def exposures(
    listing: Listing, positions: Iterable[tuple[int, int]], greeks: Mapping[int, Greeks]
) -> tuple[Exposure, ...]:
    """Return the exposure to each underlying, in order of listing.

    Parameters
    ----------
    positions : iterable of (int, int)
        Instrument id and lots, long positive.
    greeks : mapping of int to Greeks
        Of one unit, by instrument id.

    Raises
    ------
    KeyError
        An instrument is not listed or has no Greeks.
    """
    by_id = {i.id: i for i in listing.instruments}
    held = [(by_id[InstrumentId(i)], lots, greeks[i]) for i, lots in positions]
    return tuple(
        _exposure(u, [holding for holding in held if holding[0].underlying == u.index])
        for u in listing.underlyings
    )


def _exposure(of: Underlying, held: Sequence[tuple[Instrument, int, Greeks]]) -> Exposure:
    def delta(kinds: tuple[Kind, ...]) -> int:
        total = sum(lots * g.delta_e8 for i, lots, g in held if i.kind in kinds)
        return floor_div(total * UNIT, of.lot_divisor)

    gamma = sum(lots * g.gamma_e12 for _, lots, g in held)
    vega = sum(lots * g.vega_e8 for _, lots, g in held)
    theta = sum(lots * g.theta_e8 for _, lots, g in held)
    return Exposure(
        of.index,
        delta((Kind.PERPETUAL,)),
        delta((Kind.FUTURE,)),
        delta(OPTION_KINDS),
        delta(tuple(Kind)),
        floor_div(gamma * UNIT, of.lot_divisor),
        UsdE6(floor_div(vega, of.lot_divisor)),
        UsdE6(floor_div(theta, of.lot_divisor)),
    )
