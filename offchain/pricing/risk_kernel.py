"""The risk-array kernels: every cell of every listed instrument, on 64-bit words.

Bounds: prices are below 2**46, moves at most +9, so shocked prices and differences are below 2**50;
a weight is at most 1e6 < 2**20, and is applied in two parts so that no product passes 2**51.
A volatility is at most 10, shocked at most (1 + 10 x 30) x 10 < 2**39 [e-8].
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import LOSS_BITS, ONE_E6, ONE_E8, SCENARIOS
from offchain.pricing.black76 import (
    INVERSE_BITS,
    MAX_TOTAL_VOL,
    MIN_TOTAL_VOL,
    VOL_BITS,
    option_value,
)
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.normal_table import PROBABILITY_BITS, PROBABILITY_ONE
from offchain.pricing.surface import WORD_VARIANCE, surface_volatility
from offchain.pricing.volatility import FACTOR_ONE
from offchain.pricing.wide_product import (
    product_quotient,
    product_saturated,
    product_shifted,
    products_difference_shifted,
)

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

MOVE, LOG_MOVE, SHOCK, WEIGHT = range(4)
"""Columns of a scenario in `Plan.grids`."""
PRICE, PRICE_LOG, REMAINS, ROOT, FACTOR_DOWN, FACTOR_UP, LEAST_UP, V0, W0 = range(9)
SLOPE, TILT, CENTRE, WIDTH, CENTRE_ROOT = range(9, 14)
MARKET_COLUMNS = 14
"""Columns of a group in `market`, which holds what one report says about it:

price [USD e-8] and its ln [2**-56]; 1 before expiry and for a perpetual, else 0; root of time
[2**-58]; factors of the volatility down and up [e-14] and the least volatility up [e-8]; and what
`surface_volatility` takes after ln(F/K).
"""
SAME, POINT = 1, 5
VOLS = 6
"""Volatilities of a series: those of `VolatilityShock`, then the one a point above SAME."""
POINT_E8 = ONE_E6
IN_RANGE = -1
OF_LOSS, OF_DELTA, OF_VEGA = range(3)
KINDS_OF_FAULT = 3
_LIMIT = 1 << LOSS_BITS
_INVERSE_HALF = 1 << ((VOL_BITS + INVERSE_BITS) // 2)
_LARGEST = (1 << 62) + 1


@njit(cache=True, nogil=True)
def shocked_price(price_e8: int, move_e6: int) -> int:
    """Return floor(price x (1e6 + move) / 1e6) without leaving int64. [USD e-8]."""
    whole, rest = price_e8 // ONE_E6, price_e8 % ONE_E6
    factor = ONE_E6 + move_e6
    return whole * factor + rest * factor // ONE_E6


@njit(cache=True, nogil=True)
def fill_shocked(
    market: Int64Array, underlyings: Int64Array, grids: Int64Array, out_e8: Int64Array
) -> None:
    """Write the price of each group in each scenario, int64[G, 36]. [USD e-8]."""
    for g in range(market.shape[0]):
        for s in range(SCENARIOS):
            out_e8[g, s] = shocked_price(market[g, PRICE], grids[underlyings[g], s, MOVE])


@njit(cache=True, nogil=True)
def weighted_loss(fall_e8: int, weight_e6: int, lot_divisor: int) -> int:
    """Return ceil(weight x fall / (1e6 x lot_divisor)) without leaving int64. [USD e-6].

    With fall = 1e6 q + r, weight x fall / 1e6 rounds up to weight x q + ceil(weight x r / 1e6),
    and rounding up twice is rounding up once.
    """
    if weight_e6 == ONE_E6:
        return -(-fall_e8 // lot_divisor)
    whole, rest = fall_e8 // ONE_E6, fall_e8 % ONE_E6
    covered = weight_e6 * whole - (-weight_e6 * rest // ONE_E6)
    return -(-covered // lot_divisor)


@njit(cache=True, nogil=True)
def total_volatility_word(volatility_e8: int, root: int) -> int:
    """Return `total_volatility_from` on 64-bit words. [2**-58]."""
    total = product_quotient(volatility_e8, root, ONE_E8, MAX_TOTAL_VOL)
    return total if total >= MIN_TOTAL_VOL else 0


@njit(cache=True, nogil=True)
def inverse_word(total_vol: int) -> int:
    """Return `inverse_of` on 64-bit words. [2**-40]."""
    if total_vol == 0:
        return 0
    return product_quotient(_INVERSE_HALF, _INVERSE_HALF, total_vol, _LARGEST)


@njit(cache=True, nogil=True)
def skewed_word(volatility_e8: int, log_moneyness: int, skew: Int64Array) -> int:
    """Return `skewed_volatility` on 64-bit words; `skew` is int64[3]. [e-8]."""
    distance = abs(log_moneyness) if skew[2] else -log_moneyness
    tilt_e6 = product_saturated(skew[0], distance, LOG_BITS, skew[1])
    return volatility_e8 * (ONE_E6 + tilt_e6) // ONE_E6


@njit(cache=True, nogil=True)
def fill_volatilities(series: Int64Array, market: Int64Array, out_e8: Int64Array) -> None:
    """Write the own volatility of each series, from the smile of its group. [e-8].

    Groups whose variance at the money reaches 2**62 are left out: they need wider words.
    """
    for j in range(series.shape[0]):
        m = market[series[j, 0]]
        if m[W0] < WORD_VARIANCE:
            out_e8[j] = surface_volatility(
                m[PRICE_LOG] - series[j, 2],
                m[V0],
                m[W0],
                m[SLOPE],
                m[TILT],
                m[CENTRE],
                m[WIDTH],
                m[CENTRE_ROOT],
            )


@njit(cache=True, nogil=True)
def fill_totals(
    volatility_e8: int, log_moneyness: int, market: Int64Array, skews: Int64Array, out: Int64Array
) -> None:
    """Write total volatilities and inverses of one series: int64[2, VOLS], by `VolatilityShock`."""
    down = product_quotient(volatility_e8, market[FACTOR_DOWN], FACTOR_ONE, _LARGEST)
    up = product_quotient(volatility_e8, market[FACTOR_UP], FACTOR_ONE, _LARGEST)
    if products_difference_shifted(volatility_e8, market[FACTOR_UP], up, FACTOR_ONE, 0):
        up += 1  # rounded up where something was left
    out[0, 0] = down
    out[0, SAME] = volatility_e8
    out[0, 2] = max(up, market[LEAST_UP])
    out[0, 3] = skewed_word(volatility_e8, log_moneyness, skews[0])
    out[0, 4] = skewed_word(volatility_e8, log_moneyness, skews[1])
    out[0, POINT] = volatility_e8 + POINT_E8
    for v in range(VOLS):
        out[0, v] = total_volatility_word(out[0, v], market[ROOT])
        out[1, v] = inverse_word(out[0, v])


@njit(cache=True, nogil=True)
def fill_leg(
    row: int,
    is_call: bool,
    market: Int64Array,
    shocked_e8: Int64Array,
    grid: Int64Array,
    calls_e8: Int64Array,
    delta: int,
    lot_divisor: int,
    losses_e6: Int32Array,
    greeks_e6: Int32Array,
) -> int:
    """Write losses, delta and vega of one option from the values of its call; see `fill_options`.

    `calls_e8` is int64[38]: value in each scenario, then now, then a volatility point above.
    Returns OF_LOSS, OF_DELTA or OF_VEGA when that leaves int32, else -1.
    """
    price = market[PRICE]
    value = calls_e8[SCENARIOS]
    if not is_call:
        delta -= PROBABILITY_ONE
    for s in range(SCENARIOS):
        fall = value - calls_e8[s]
        if not is_call:  # by parity the put falls by that less the fall of the forward
            fall += shocked_e8[s] - price
        loss = weighted_loss(fall, grid[s, WEIGHT], lot_divisor)
        if abs(loss) >= _LIMIT:
            return OF_LOSS
        losses_e6[row, s] = loss
    if market[REMAINS] == 0:
        return IN_RANGE
    cash_delta = product_shifted(delta, price, PROBABILITY_BITS) // lot_divisor
    if abs(cash_delta) >= _LIMIT:
        return OF_DELTA
    vega = (calls_e8[SCENARIOS + 1] - value) // lot_divisor
    if abs(vega) >= _LIMIT:
        return OF_VEGA
    greeks_e6[0, row], greeks_e6[1, row] = cash_delta, vega
    return IN_RANGE


@njit(cache=True, nogil=True)
def fill_calls(
    series: Int64Array,
    market: Int64Array,
    shocked_e8: Int64Array,
    grid: Int64Array,
    vols: Int64Array,
    table: Int64Array,
    calls_e8: Int64Array,
) -> None:
    """Write the values of the call of one series: int64[38], as `fill_leg` takes them."""
    price, strike = market[PRICE], series[1]
    moneyness = market[PRICE_LOG] - series[2]
    for s in range(SCENARIOS):
        shock = grid[s, SHOCK]
        calls_e8[s] = option_value(
            shocked_e8[s],
            strike,
            moneyness + grid[s, LOG_MOVE],
            vols[0, shock],
            vols[1, shock],
            True,
            table,
        )
    for place, vol in ((SCENARIOS, SAME), (SCENARIOS + 1, POINT)):
        calls_e8[place] = option_value(
            price, strike, moneyness, vols[0, vol], vols[1, vol], True, table
        )
