"""The two loops that fill the risk arrays: perpetuals and futures, then options by series.

A fault is returned as ``KINDS_OF_FAULT x place + kind``, -1 is no fault.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import LOSS_BITS, SCENARIOS
from offchain.pricing.black76 import call_delta
from offchain.pricing.risk_kernel import (
    IN_RANGE,
    KINDS_OF_FAULT,
    OF_DELTA,
    OF_LOSS,
    PRICE,
    PRICE_LOG,
    SAME,
    WEIGHT,
    fill_calls,
    fill_leg,
    fill_totals,
    weighted_loss,
)

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

_LIMIT = 1 << LOSS_BITS


@njit(cache=True, nogil=True)
def fill_linear(
    linear: Int64Array,
    market: Int64Array,
    shocked_e8: Int64Array,
    underlyings: Int64Array,
    grids: Int64Array,
    lot_divisors: Int64Array,
    values_e8: Int64Array,
    losses_e6: Int32Array,
    greeks_e6: Int32Array,
) -> int:
    """Value perpetuals and futures now and in each scenario; arguments as `fill_options`."""
    for n in range(linear.shape[0]):
        place, row, group = linear[n, 0], linear[n, 1], linear[n, 2]
        price, divisor = market[group, PRICE], lot_divisors[place]
        grid = grids[underlyings[group]]
        values_e8[place] = price
        for s in range(SCENARIOS):
            fall = price - shocked_e8[group, s]
            loss = weighted_loss(fall, grid[s, WEIGHT], divisor)
            if abs(loss) >= _LIMIT:
                return int(place) * KINDS_OF_FAULT + OF_LOSS
            losses_e6[row, s] = loss
        if price // divisor >= _LIMIT:
            return int(place) * KINDS_OF_FAULT + OF_DELTA
        greeks_e6[0, row] = price // divisor  # of an expired future too, until it is settled
    return IN_RANGE


@njit(cache=True, nogil=True)
def fill_options(
    series: Int64Array,
    volatilities_e8: Int64Array,
    market: Int64Array,
    shocked_e8: Int64Array,
    underlyings: Int64Array,
    grids: Int64Array,
    skews: Int64Array,
    ids: Int64Array,
    lot_divisors: Int64Array,
    table: Int64Array,
    vols: Int64Array,
    calls_e8: Int64Array,
    values_e8: Int64Array,
    losses_e6: Int32Array,
    greeks_e6: Int32Array,
) -> int:
    """Value options now and in each scenario, call and put of a series together.

    Parameters
    ----------
    series, underlyings, grids, skews, ids, lot_divisors : int64 arrays
        Of the `Plan`.
    volatilities_e8 : int64[N]
        Own volatility of each series. [e-8]
    market : int64[G, 14]
        Of each group; columns in `risk_kernel`.
    shocked_e8 : int64[G, 36]
        Price of each group in each scenario. [USD e-8]
    table : int64[2560]
        `NORMAL_TABLE`.
    vols, calls_e8 : int64[2, 6], int64[38]
        Room to work in.
    values_e8 : int64[n]
        Written by place: value now. [USD e-8]
    losses_e6 : int32[ROWS, 36]
        Written by id: loss of one long lot, rounded up. [USD e-6]
    greeks_e6 : int32[2, ROWS]
        Written by id: cash delta, and gain for a point of volatility, rounded down. [USD e-6]

    Returns
    -------
    int
        The first fault, where filling stopped; -1 when all fit.
    """
    for j in range(series.shape[0]):
        one = series[j]
        m = market[one[0]]
        owner = underlyings[one[0]]
        moneyness = m[PRICE_LOG] - one[2]
        fill_totals(volatilities_e8[j], moneyness, m, skews[owner], vols)
        fill_calls(one, m, shocked_e8[one[0]], grids[owner], vols, table, calls_e8)
        delta = call_delta(m[PRICE], one[1], moneyness, vols[0, SAME], vols[1, SAME], table)
        for leg in range(2):
            place = one[3 + leg]
            if place < 0:
                continue
            value = calls_e8[SCENARIOS]
            values_e8[place] = value if leg == 0 else value - m[PRICE] + one[1]
            fault = fill_leg(
                ids[place],
                leg == 0,
                m,
                shocked_e8[one[0]],
                grids[owner],
                calls_e8,
                delta,
                lot_divisors[place],
                losses_e6,
                greeks_e6,
            )
            if fault >= 0:
                return int(place) * KINDS_OF_FAULT + fault
    return IN_RANGE


@njit(cache=True, nogil=True)
def fill_marks(
    values_e8: Int64Array,
    ticks_e8: Int64Array,
    ids: Int64Array,
    lot_divisors: Int64Array,
    marks_e8: Int64Array,
    lot_values_e6: Int64Array,
) -> int:
    """Round values down to the tick, by id; return the first place whose lot does not fit."""
    for place in range(values_e8.shape[0]):
        mark = values_e8[place] // ticks_e8[place] * ticks_e8[place]
        marks_e8[ids[place]] = mark
        lot_values_e6[ids[place]] = mark // lot_divisors[place]
        if mark // lot_divisors[place] >= _LIMIT:
            return place
    return IN_RANGE
