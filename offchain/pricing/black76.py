"""Black's formula (Black 1976, eq. 16, undiscounted) in integers.

    d1 = ln(F/K) / w + w/2,   d2 = d1 - w,   call = F N(d1) - K N(d2),   put = call - F + K

with w = sigma sqrt(T), the total volatility. `price_reference` on unbounded integers is the
definition; `option_value` is the same on 64-bit words.

Accuracy where 2**-22 <= w <= 8: |error| <= 1e-8 USD (the floor) + 2e-14 x (F + K), that is below
5e-8 USD while F + K <= 2,000,000 USD. Below that w an option is worth its intrinsic value, wrong by
at most 1e-7 x F (at the money); above, w counts as 8 (800 % of volatility for a year). The error
of ln(F/K) shifts d1 and d2 alike, and to first order such a shift cancels.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import ONE_E8, YEAR_NS
from offchain.pricing.fixed_point import LOG_BITS, ln, square_root
from offchain.pricing.normal_table import (
    COEFFICIENTS,
    LIMIT,
    NORMAL_TABLE,
    PROBABILITY_BITS,
    PROBABILITY_ONE,
    SEGMENT_BITS,
)
from offchain.pricing.wide_product import (
    product_saturated,
    product_shifted,
    products_difference_shifted,
)

Int64Array = NDArray[np.int64]

VOL_BITS = 58
"""Fraction bits of d1, d2 and the total volatility: |d| <= 16 fits int64."""
INVERSE_BITS = 40
MAX_TOTAL_VOL = 8 << VOL_BITS
MIN_TOTAL_VOL = 1 << (VOL_BITS - 22)
MAX_DISTANCE = 12 << VOL_BITS
"""Where ln(F/K) / w is cut: with w <= 8 both probabilities are 0 or 1 to within 7e-16 beyond."""

_DISTANCE_SHIFT = LOG_BITS + INVERSE_BITS - VOL_BITS
_ROW_SHIFT = VOL_BITS - SEGMENT_BITS
_FRACTION_MASK = (1 << _ROW_SHIFT) - 1
_FRACTION_SHIFT = PROBABILITY_BITS + 1 - _ROW_SHIFT
_TABLE_END = (LIMIT << VOL_BITS) - 1
_REFERENCE_TABLE = [int(c) for c in NORMAL_TABLE]


def total_volatility(volatility_e8: int, remaining_ns: int) -> int:
    """Return sigma sqrt(T), floored, at most 8; zero below 2**-22. [2**-58]."""
    return total_volatility_from(volatility_e8, root_of_time(remaining_ns))


def root_of_time(remaining_ns: int) -> int:
    """Return sqrt(T) for T in years of 365 days, floored; zero at expiry. [2**-58]."""
    return square_root(max(remaining_ns, 0), YEAR_NS, VOL_BITS)


def total_volatility_from(volatility_e8: int, root: int) -> int:
    """Return `total_volatility` where the root of time is known."""
    assert volatility_e8 >= 0
    total = min(volatility_e8 * root // ONE_E8, MAX_TOTAL_VOL)
    return total if total >= MIN_TOTAL_VOL else 0


def inverse_of(total_vol: int) -> int:
    """Return floor(1 / w), below 2**62; zero, which means intrinsic value, for zero. [2**-40]."""
    return (1 << (VOL_BITS + INVERSE_BITS)) // total_vol if total_vol else 0


def normal_reference(x: int) -> int:
    """Return N(x) for x of 58 fraction bits, in unbounded integers. [2**-62]."""
    distance = min(abs(x), _TABLE_END)
    first = COEFFICIENTS * (distance >> _ROW_SHIFT)
    t = ((distance & _FRACTION_MASK) << _FRACTION_SHIFT) - PROBABILITY_ONE
    value = 0
    for c in reversed(_REFERENCE_TABLE[first : first + COEFFICIENTS]):
        value = c + (value * t >> PROBABILITY_BITS)
    return value if x >= 0 else PROBABILITY_ONE - value


def first_distance_reference(log_moneyness: int, total_vol: int) -> int:
    """Return d1 of a positive total volatility, its first part cut at 12. [2**-58]."""
    distance = log_moneyness * inverse_of(total_vol) >> _DISTANCE_SHIFT
    return min(max(distance, -MAX_DISTANCE), MAX_DISTANCE) + (total_vol >> 1)


def call_delta_reference(
    forward_e8: int, strike_e8: int, log_moneyness: int, total_vol: int
) -> int:
    """Return the forward delta of a call, N(d1); a put has one less. [2**-62].

    Without total volatility it is 1 if F > K, else 0.
    """
    if total_vol == 0:
        return PROBABILITY_ONE if forward_e8 > strike_e8 else 0
    return normal_reference(first_distance_reference(log_moneyness, total_vol))


def price_reference(
    forward_e8: int, strike_e8: int, log_moneyness: int, total_vol: int, *, is_call: bool
) -> int:
    """Return the price of a European option on a forward, without discount.

    Parameters
    ----------
    forward_e8, strike_e8 : int
        In [0, 2**50) and [1, 2**46). [USD e-8]
    log_moneyness : int
        ln(F/K), below 64 in size. [2**-56]
    total_vol : int
        sigma sqrt(T), from `total_volatility`. [2**-58]
    is_call : bool
        Call or put.

    Returns
    -------
    int
        Floored, never below intrinsic value; call - put = F - K exactly. [USD e-8]
    """
    call = max(forward_e8 - strike_e8, 0)
    if total_vol:
        d1 = first_distance_reference(log_moneyness, total_vol)
        d2 = d1 - total_vol
        expected = forward_e8 * normal_reference(d1) - strike_e8 * normal_reference(d2)
        call = max(call, expected >> PROBABILITY_BITS)
    return call if is_call else call - forward_e8 + strike_e8


def option_price(
    forward_e8: int, strike_e8: int, volatility_e8: int, remaining_ns: int, *, is_call: bool
) -> int:
    """Return the price from market quantities: `price_reference` with its logs taken.

    Intrinsic value at and after expiry and at zero volatility. [USD e-8]
    """
    return price_reference(
        forward_e8,
        strike_e8,
        ln(forward_e8) - ln(strike_e8),
        total_volatility(volatility_e8, remaining_ns),
        is_call=is_call,
    )


@njit(cache=True, nogil=True)
def normal(x: int, table: Int64Array) -> int:
    """Return N(x); the twin of `normal_reference` on 64-bit words. [2**-62]."""
    distance = min(abs(x), _TABLE_END)
    first = COEFFICIENTS * (distance >> _ROW_SHIFT)
    t = ((distance & _FRACTION_MASK) << _FRACTION_SHIFT) - PROBABILITY_ONE
    value = int(table[first + 4])
    value = int(table[first + 3]) + product_shifted(value, t, PROBABILITY_BITS)
    value = int(table[first + 2]) + product_shifted(value, t, PROBABILITY_BITS)
    value = int(table[first + 1]) + product_shifted(value, t, PROBABILITY_BITS)
    value = int(table[first]) + product_shifted(value, t, PROBABILITY_BITS)
    return value if x >= 0 else PROBABILITY_ONE - value


@njit(cache=True, nogil=True)
def call_delta(
    forward_e8: int,
    strike_e8: int,
    log_moneyness: int,
    total_vol: int,
    inverse_vol: int,
    table: Int64Array,
) -> int:
    """Return N(d1); the twin of `call_delta_reference` on 64-bit words. [2**-62]."""
    if total_vol == 0:
        return PROBABILITY_ONE if forward_e8 > strike_e8 else 0
    d1 = product_saturated(log_moneyness, inverse_vol, _DISTANCE_SHIFT, MAX_DISTANCE)
    return normal(d1 + (total_vol >> 1), table)


@njit(cache=True, nogil=True)
def option_value(
    forward_e8: int,
    strike_e8: int,
    log_moneyness: int,
    total_vol: int,
    inverse_vol: int,
    is_call: bool,
    table: Int64Array,
) -> int:
    """Return the price of an option; the twin of `price_reference` on 64-bit words.

    `inverse_vol` is `inverse_of(total_vol)`, taken once for many cells. [USD e-8]
    """
    call = max(forward_e8 - strike_e8, 0)
    if total_vol:
        d1 = product_saturated(log_moneyness, inverse_vol, _DISTANCE_SHIFT, MAX_DISTANCE)
        d1 += total_vol >> 1
        d2 = d1 - total_vol
        expected = products_difference_shifted(
            forward_e8, normal(d1, table), strike_e8, normal(d2, table), PROBABILITY_BITS
        )
        call = max(call, expected)
    return call if is_call else call - forward_e8 + strike_e8


@njit(cache=True, nogil=True)
def price_options(
    forwards_e8: Int64Array,
    strikes_e8: Int64Array,
    log_moneyness: Int64Array,
    total_vols: Int64Array,
    inverse_vols: Int64Array,
    are_calls: NDArray[np.bool_],
    table: Int64Array,
    out_e8: Int64Array,
) -> None:
    """Price many options, each by `option_value`; all arrays have one length."""
    for i in range(out_e8.shape[0]):
        out_e8[i] = option_value(
            forwards_e8[i],
            strikes_e8[i],
            log_moneyness[i],
            total_vols[i],
            inverse_vols[i],
            are_calls[i],
            table,
        )
