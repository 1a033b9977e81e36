"""The few statistics that calibration rests on, each stable to the last bit.

Sums are exact (`math.fsum`), quantiles are order statistics (never interpolated), and the only
function beyond the four operations is the square root, which IEEE 754 rounds correctly.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.core.units import ONE_E6, ceil_div

Floats = NDArray[np.float64]


def mean_square(values: Floats) -> float:
    """Return the mean of the squares about zero; `values` must not be empty."""
    return math.fsum((values * values).tolist()) / len(values)


def root_mean_square(values: Floats) -> float:
    """Return the square root of `mean_square`: volatility about zero, as margins use it."""
    return math.sqrt(mean_square(values))


def order_statistic(values: Floats, confidence_e6: int) -> float:
    """Return the smallest value that at least the share `confidence_e6` of all do not exceed.

    It is the value of rank ceil(confidence x n), so it grows with the confidence and does not
    depend on the order of `values`, which must not be empty.
    """
    count = len(values)
    rank = min(max(ceil_div(confidence_e6 * count, ONE_E6), 1), count)
    return float(np.partition(values, rank - 1)[rank - 1])


def ewma_variances(
    returns: Sequence[float], usable: Sequence[bool], weight: float, seed: float
) -> Floats:
    """Return the variance known before each return and after the last: one more than returns.

    v' = v + weight x (r^2 - v), which leaves a constant series constant to the last bit. A return
    that is not usable (it spans a gap) leaves the variance unchanged.
    """
    known = np.empty(len(returns) + 1)
    variance = seed
    for place, (value, counts) in enumerate(zip(returns, usable, strict=True)):
        known[place] = variance
        if counts:
            variance += weight * (value * value - variance)
    known[len(returns)] = variance
    return known


def correlation(left: Floats, right: Floats) -> float:
    """Return the correlation about zero of two equally long series, 0 when one never moves."""
    across = math.fsum((left * right).tolist())
    own = math.fsum((left * left).tolist()) * math.fsum((right * right).tolist())
    return max(-1.0, min(1.0, across / math.sqrt(own))) if own > 0 else 0.0


def median(values: Iterable[float]) -> float:
    """Return the lower median: an order statistic."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def ceil_to_grid(value: float, grid_e6: int) -> int:
    """Return `value` in millionths, rounded up to a multiple of the grid.

    A value within a billionth of a multiple is taken to be that multiple, so that the last bits
    of an exact result do not lift it by a whole step.
    """
    return math.ceil(round(value * ONE_E6 / grid_e6, 9)) * grid_e6


def floor_to_grid(value: float, grid_e6: int) -> int:
    """Return `value` in millionths, rounded down to a multiple of the grid (see `ceil_to_grid`)."""
    return math.floor(round(value * ONE_E6 / grid_e6, 9)) * grid_e6


def nearest(value: float, grid_e6: int) -> int:
    """Return `value` in millionths, rounded to the nearest multiple of the grid, halves up.

    A value within a millionth of a step from a half is taken to be the half: ratios of round
    numbers do meet halves, and their last bits must not choose the side.
    """
    return math.floor(round(value * ONE_E6 / grid_e6, 6) + 0.5) * grid_e6
