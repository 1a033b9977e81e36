"""Tiered linear margin: isolated and cross accounts, which hold perpetuals and dated futures.

MM of an instrument is a tier curve on its notional. IM is the same curve times a multiple, or,
where that is more, the notional times a rate that rises with open interest (dYdX's form); a
position that is a large share of the open interest pays for that share on top. Nothing nets between
instruments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.addons import AccountLine, Charge
from offchain.core.curves import CURVE_LIMIT, Line, curve_lines, curve_reference, curve_value
from offchain.core.model_parameters import MarginClass
from offchain.core.units import ONE_E6, SLOT_BITS, RatioE6, UsdE6, ceil_div

Int64Array = NDArray[np.int64]
_DELTA = int(Charge.DELTA)


@dataclass(frozen=True, slots=True)
class InstrumentMargin:
    """The linear margin of one instrument. [USD e-6]"""

    instrument: int
    notional_e6: UsdE6
    maintenance_e6: UsdE6
    tier_initial_e6: UsdE6
    interest_initial_e6: UsdE6
    concentration_e6: UsdE6

    @property
    def initial_e6(self) -> UsdE6:
        """IM: the larger of both rates, and the surcharge for concentration; at most notional."""
        rate = max(self.tier_initial_e6, self.interest_initial_e6)
        bounded = min(rate + self.concentration_e6, self.notional_e6)
        return UsdE6(max(bounded, self.maintenance_e6))


def maintenance_lines(margin_class: MarginClass) -> tuple[Line, ...]:
    """Return the straight lines of the maintenance curve."""
    return curve_lines(margin_class.tiers)


def instrument_margin(
    line: AccountLine, lot_notional_e6: int, open_interest_lots: int, of: MarginClass
) -> InstrumentMargin:
    """Return the margin of one line: MM of the position, IM of the worst that orders make of it.

    `open_interest_lots` counts the long side of the whole book; the account's own orders may raise
    it by the larger of what they buy and sell, which the IM rate takes as done. Requirements round
    up.
    """
    instrument, lots, buys, sells = line
    held = abs(lots) * lot_notional_e6
    most_lots = max(abs(lots + buys), abs(lots - sells))
    notional = most_lots * lot_notional_e6
    lines = maintenance_lines(of)
    base = ceil_div(curve_reference(notional, lines) * of.im_multiple_e6, ONE_E6)
    rate = interest_rate((open_interest_lots + max(buys, sells)) * lot_notional_e6, of)
    return InstrumentMargin(
        instrument,
        UsdE6(notional),
        UsdE6(curve_reference(held, lines)),
        UsdE6(base),
        UsdE6(ceil_div(notional * rate, ONE_E6)),
        UsdE6(_concentration(most_lots, notional, open_interest_lots, of)),
    )


def interest_rate(open_interest_e6: int, of: MarginClass) -> RatioE6:
    """Return the IM rate at an open interest, rounded up. [e-6]

    min(base + max((OI - lower) / (upper - lower) x (1 - base), 0), 1): dYdX's scaled initial
    margin fraction (reference: margin model, section 2.9).
    """
    base = ceil_div(of.tiers[0].rate_e6 * of.im_multiple_e6, ONE_E6)
    lower, upper = of.oi_lower_usd * ONE_E6, of.oi_upper_usd * ONE_E6
    above = max(0, open_interest_e6 - lower)
    return RatioE6(min(ONE_E6, base + ceil_div(above * (ONE_E6 - base), upper - lower)))


def _concentration(lots: int, notional_e6: int, open_interest: int, of: MarginClass) -> int:
    """Return (notional - free) x slope x (share - allowed share), rounded up; at least zero.

    Only what lies above the free size pays, so that a price which carries a position across it
    does not multiply its IM.
    """
    above = notional_e6 - of.concentration_free_usd * ONE_E6
    if above <= 0:
        return 0
    whole = max(open_interest, lots)  # an order of one's own makes the book at least this big
    excess = lots * ONE_E6 - of.concentration_share_e6 * whole
    if excess <= 0:
        return 0
    return ceil_div(above * of.concentration_slope_e6 * excess, ONE_E6 * ONE_E6 * whole)


def linear_maintenance_reference(
    positions: Sequence[tuple[int, int]],
    charges: Sequence[Sequence[int]],
    curves: Sequence[Sequence[Line]],
) -> UsdE6:
    """Return MM of (instrument, lots): the sum of the curves on each notional. [USD e-6]"""
    return UsdE6(
        sum(
            curve_reference(abs(lots * charges[i][Charge.DELTA]), curves[i >> SLOT_BITS])
            for i, lots in positions
        )
    )


@njit(cache=True, nogil=True)
def linear_maintenance(
    ids: NDArray[np.int32],
    lots: NDArray[np.int32],
    count: int,
    charges: Int64Array,
    curves: Int64Array,
) -> int:
    """Return `linear_maintenance_reference` of the first `count` positions. [USD e-6]

    A notional is below 2**55, a charge below 2**62 and in practice below the notional: rates are
    at most one, so 32 of them are below 2**60.
    """
    total = np.int64(0)
    for i in range(count):
        row = ids[i]
        notional = abs(np.int64(lots[i]) * charges[row, _DELTA])
        total += curve_value(notional, curves[row >> SLOT_BITS])
    return int(total)


assert CURVE_LIMIT >= 1 << 55
