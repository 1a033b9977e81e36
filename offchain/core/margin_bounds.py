"""Bounds of MM from what a sweep gives, so that only accounts near a threshold are computed.

With S the plain sum over underlyings of the worst losses and G the gross (lots times the most that
add-ons can ask for one lot, of either side),

    breakdown x S <= R <= S    and    R <= max(R + add-ons, unwinding floor) <= S + G

Bounds, by the limits in `units`: S is below 2**60; gross rates are below 2**33, which
`gross_rates` checks, so G is below 2**62 and S + G below 2**63.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.addons import Charge
from offchain.core.cross import share_ceil
from offchain.core.units import ONE_E6, SLOT_BITS, ceil_div

Int64Array = NDArray[np.int64]

GROSS_LIMIT_E6 = 1 << 33
"""Gross rates stay below this, so that their sums fit; 8,590 USD a lot."""


class GrossRangeError(ValueError):
    """Charges of an instrument are too large for the sums of a sweep."""


def gross_rates(charges: Int64Array, top_rates_e6: Int64Array) -> Int64Array:
    """Return the most that the add-ons of MM ask for one lot of each instrument. [USD e-6]

    Parameters
    ----------
    charges : int64[ROWS, 9]
        Charges per lot, as in `addons.Charge`. [USD e-6]
    top_rates_e6 : int64[MAX_UNDERLYINGS, 3]
        As in `certificate.instrument_drifts`; the first two are used.

    Raises
    ------
    GrossRangeError
        A rate reaches `GROSS_LIMIT_E6`.
    """
    rates = top_rates_e6[np.arange(charges.shape[0]) >> SLOT_BITS]
    delta = -(-np.abs(charges[:, Charge.DELTA]) * rates[:, 0] // ONE_E6)
    floor = -(-charges[:, Charge.UNWIND] * rates[:, 1] // ONE_E6)
    holding = np.maximum(charges[:, Charge.LONG], charges[:, Charge.SHORT])
    most: Int64Array = np.maximum(np.abs(charges[:, Charge.ROLL]) + holding + delta, floor)
    if most.max(initial=0) >= GROSS_LIMIT_E6:
        raise GrossRangeError(f"instrument {int(most.argmax())} may owe {int(most.max())} a lot")
    return most


def maintenance_bounds_reference(
    scan_e6: int, gross_e6: int, breakdown_e6: int, factor_e6: int
) -> tuple[int, int]:
    """Return (least, most) that MM can be; defines `maintenance_bounds`. [USD e-6]"""
    least = ceil_div(breakdown_e6 * scan_e6, ONE_E6)
    return ceil_div(factor_e6 * least, ONE_E6), ceil_div(factor_e6 * (scan_e6 + gross_e6), ONE_E6)


@njit(cache=True, nogil=True)
def maintenance_bounds(
    scan_e6: Int64Array,
    gross_e6: Int64Array,
    breakdown_e6: int,
    factor_e6: int,
    least_out: Int64Array,
    most_out: Int64Array,
) -> None:
    """Write the least and the most that the MM of each account can be.

    Parameters
    ----------
    scan_e6, gross_e6 : int64[n]
        From `sweep.sweep_bounds` or `sweep_chosen`. [USD e-6]
    breakdown_e6, factor_e6 : RatioE6
        Of the correlation parameters and of MM; at most one.
    least_out, most_out : int64[n]
        Written. [USD e-6]
    """
    for a in range(scan_e6.shape[0]):
        least_out[a] = share_ceil(share_ceil(scan_e6[a], breakdown_e6), factor_e6)
        most_out[a] = share_ceil(scan_e6[a] + gross_e6[a], factor_e6)


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
