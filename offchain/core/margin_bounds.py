"""Bounds of MM from what a sweep gives, so that only accounts near a threshold are computed.

With S the plain sum over underlyings of the worst losses and G the gross, lots times a rate of one
lot of either side,

    breakdown x S <= R <= S    and    R <= max(R + add-ons, unwinding floor) <= S + G

as long as G is small. Why:

* offsets only lower the scan risk, and the breakdown share is at most one;
* ``|sum q roll| <= sum |q| |roll|``, and holding is at most ``sum |q| max(long, short)``;
* a tier curve is at most its largest rate on the whole amount (unwinding), and on an amount within
  its first tier it is that tier's rate (delta); rounding up each lot is at least rounding the sum;
* ``max(sum a, sum f) <= sum max(a, f)``;
* a rate is at least 1 % of the lot's delta, so an account whose gross is at most 1 % of the first
  tier's end has all its delta in the first tier. Nothing is said of larger accounts.

Bounds, by the limits in `units` and of the parameters: S is below 2**60. Roll, closing fee, funding
and naked-option charge of a lot are at most 100 %, 1 %, 100 % and 10 % of at most 2**31, the delta
rate at most 10 %: a rate is below 2**33, so G is below 2**62 and S + G below 2**63.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.addons import Charge
from offchain.core.cross import share_ceil
from offchain.core.curves import CURVE_LIMIT
from offchain.core.model_parameters import AddonParameters
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SLOT_BITS, ceil_div

Int64Array = NDArray[np.int64]

DELTA_SHARE = 100
"""A gross rate is at least the delta of a lot divided by this."""
UNBOUNDED_E6 = 1 << 62
"""The most that MM can be where the gross is not small: no bound at all."""


def addon_rates(addons: Sequence[AddonParameters]) -> Int64Array:
    """Return the first delta rate and the last unwinding rate of each underlying. [e-6]"""
    rates = np.zeros((MAX_UNDERLYINGS, 2), np.int64)
    for u, of in enumerate(addons):
        rates[u] = of.delta_tiers[0].rate_e6, of.unwind_tiers[-1].rate_e6
    return rates


def small_gross(addons: Sequence[AddonParameters]) -> int:
    """Return the gross up to which all delta lies in the first tier. [USD e-6]"""
    ends = [a.delta_tiers[1].lower_e6 for a in addons if len(a.delta_tiers) > 1]
    return min(ends, default=CURVE_LIMIT) // DELTA_SHARE


def gross_rates(charges: Int64Array, rates_e6: Int64Array) -> Int64Array:
    """Return what the add-ons of MM ask at most for one lot of each instrument. [USD e-6]

    Parameters
    ----------
    charges : int64[ROWS, 9]
        Charges per lot, as in `addons.Charge`. [USD e-6]
    rates_e6 : int64[MAX_UNDERLYINGS, 2]
        From `addon_rates`.
    """
    rates = rates_e6[np.arange(charges.shape[0]) >> SLOT_BITS]
    delta = np.abs(charges[:, Charge.DELTA])
    holding = np.maximum(charges[:, Charge.LONG], charges[:, Charge.SHORT])
    summands = np.abs(charges[:, Charge.ROLL]) + holding + _share_up(delta, rates[:, 0])
    floor = _share_up(charges[:, Charge.UNWIND], rates[:, 1])
    most: Int64Array = np.maximum(np.maximum(summands, floor), -(-delta // DELTA_SHARE))
    return most


def _share_up(amounts: Int64Array, rates_e6: Int64Array) -> Int64Array:
    shares: Int64Array = -(-amounts * rates_e6 // ONE_E6)
    return shares


def maintenance_bounds_reference(
    scan_e6: int, gross_e6: int, small_e6: int, breakdown_e6: int, factor_e6: int
) -> tuple[int, int]:
    """Return (least, most) that MM can be; defines `maintenance_bounds`. [USD e-6]"""
    least = ceil_div(factor_e6 * ceil_div(breakdown_e6 * scan_e6, ONE_E6), ONE_E6)
    if gross_e6 > small_e6:
        return least, UNBOUNDED_E6
    return least, ceil_div(factor_e6 * (scan_e6 + gross_e6), ONE_E6)


@njit(cache=True, nogil=True)
def maintenance_bounds(
    scan_e6: Int64Array,
    gross_e6: Int64Array,
    small_e6: int,
    breakdown_e6: int,
    factor_e6: int,
    least_out: Int64Array,
    most_out: Int64Array,
) -> None:
    """Write the least and the most that the MM of each portfolio account can be.

    Parameters
    ----------
    scan_e6, gross_e6 : int64[n]
        From `sweep.sweep_bounds` or `sweep_chosen`. [USD e-6]
    small_e6 : int
        From `small_gross`. [USD e-6]
    breakdown_e6, factor_e6 : RatioE6
        Of the correlation parameters and of MM; at most one.
    least_out, most_out : int64[n]
        Written. [USD e-6]
    """
    for a in range(scan_e6.shape[0]):
        least_out[a] = share_ceil(share_ceil(scan_e6[a], breakdown_e6), factor_e6)
        most = share_ceil(scan_e6[a] + gross_e6[a], factor_e6)
        most_out[a] = most if gross_e6[a] <= small_e6 else UNBOUNDED_E6


def top_rates(
    delta_lines: Sequence[Sequence[tuple[int, int]]],
    unwind_lines: Sequence[Sequence[tuple[int, int]]],
    linear_rates_e6: Sequence[int],
) -> Int64Array:
    """Return the last rates of the curves of each underlying, as int64[MAX_UNDERLYINGS, 3].

    The curves are those of `curves.curve_lines`, one of each kind for each underlying; the third
    rate is the last marginal MM rate of linear margin on the notional.
    """
    rows = [
        (max((rate for rate, _ in delta), default=0), max((rate for rate, _ in unwind), default=0))
        for delta, unwind in zip(delta_lines, unwind_lines, strict=True)
    ]
    return np.array(
        [(*row, linear) for row, linear in zip(rows, linear_rates_e6, strict=True)], np.int64
    )
