"""The risk-array kernel: every cell of every listed instrument, on 64-bit words.

Bounds: prices are below 2**46, moves at most +9, so shocked prices and differences are below 2**50;
a weight is at most 1e6 < 2**20, and is applied in two parts so that no product passes 2**51.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import LOSS_BITS, ONE_E6, SCENARIOS, SLOT_BITS
from offchain.pricing.black76 import option_value

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

MOVE, LOG_MOVE, SHOCK, WEIGHT = range(4)
"""Columns of a scenario in the `grid` of `fill_losses`."""
SAME = 1
CALL, PUT = 2, 3
IN_RANGE = -1
_LOSS_LIMIT = 1 << LOSS_BITS


@njit(cache=True, nogil=True)
def shocked_price(price_e8: int, move_e6: int) -> int:
    """Return floor(price x (1e6 + move) / 1e6) without leaving int64. [USD e-8]."""
    whole, rest = price_e8 // ONE_E6, price_e8 % ONE_E6
    factor = ONE_E6 + move_e6
    return whole * factor + rest * factor // ONE_E6


@njit(cache=True, nogil=True)
def weighted_loss(fall_e8: int, weight_e6: int, lot_divisor: int) -> int:
    """Return ceil(weight x fall / (1e6 x lot_divisor)) without leaving int64. [USD e-6].

    With fall = 1e6 q + r, weight x fall / 1e6 rounds up to weight x q + ceil(weight x r / 1e6),
    and rounding up twice is rounding up once.
    """
    whole, rest = fall_e8 // ONE_E6, fall_e8 % ONE_E6
    covered = weight_e6 * whole - (-weight_e6 * rest // ONE_E6)
    return -(-covered // lot_divisor)


@njit(cache=True, nogil=True)
def fill_losses(
    ids: Int64Array,
    kinds: Int64Array,
    prices_e8: Int64Array,
    strikes_e8: Int64Array,
    log_moneyness: Int64Array,
    total_vols: Int64Array,
    inverse_vols: Int64Array,
    lot_divisors: Int64Array,
    grids: Int64Array,
    table: Int64Array,
    values_e8: Int64Array,
    losses_e6: Int32Array,
) -> int:
    """Value n instruments now and in each scenario.

    Parameters
    ----------
    ids, kinds, prices_e8, strikes_e8, log_moneyness, lot_divisors : int64[n]
        The instrument, the price of its quote, and ln(price / strike) [2**-56] of an option.
    total_vols, inverse_vols : int64[n, 5]
        Of an option in the order of `VolatilityShock`. [2**-58], [2**-40]
    grids : int64[U, 36, 4]
        Scenarios of each underlying: move [e-6], its log [2**-56], shock, weight [e-6].
    table : int64[2560]
        `NORMAL_TABLE`.
    values_e8 : int64[n]
        Written: value now. [USD e-8]
    losses_e6 : int32[ROWS, 36]
        Written at row `ids[i]`: loss of one long lot, rounded up. [USD e-6]

    Returns
    -------
    int
        The first place whose loss does not fit, where filling stopped; -1 when all fit.
    """
    for i in range(ids.shape[0]):
        price, strike, kind = prices_e8[i], strikes_e8[i], kinds[i]
        moneyness = log_moneyness[i]
        underlying = ids[i] >> SLOT_BITS
        is_option = kind in (CALL, PUT)
        is_call = kind == CALL
        value = price
        if is_option:
            vol, inverse = total_vols[i, SAME], inverse_vols[i, SAME]
            value = option_value(price, strike, moneyness, vol, inverse, is_call, table)
        values_e8[i] = value
        for s in range(SCENARIOS):
            after = shocked_price(price, grids[underlying, s, MOVE])
            if is_option:
                shock = grids[underlying, s, SHOCK]
                vol, inverse = total_vols[i, shock], inverse_vols[i, shock]
                moved = moneyness + grids[underlying, s, LOG_MOVE]
                after = option_value(after, strike, moved, vol, inverse, is_call, table)
            loss = weighted_loss(value - after, grids[underlying, s, WEIGHT], lot_divisors[i])
            if abs(loss) >= _LOSS_LIMIT:
                return i
            losses_e6[ids[i], s] = loss
    return IN_RANGE
