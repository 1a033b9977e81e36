"""How far underlyings move together, and which offset survives when they stop."""

import math
from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.series import Series
from offchain.calibration.settings import Settings
from offchain.calibration.statistics import (
    Floats,
    ceil_to_grid,
    correlation,
    floor_to_grid,
    order_statistic,
)
from offchain.core.units import ONE_E6

LOW_E6 = 950_000
"""The low correlation is one that rolling windows stay above in 95 % of days."""
_GRID_E6 = 10_000


@dataclass(frozen=True, slots=True)
class Correlation:
    """Correlation of daily returns of two underlyings and what it allows.

    Attributes
    ----------
    now, low, breakdown : float
        Exponentially weighted; 5 % quantile and minimum of rolling windows.
    offset_e6 : int
        Share of gains that is credited, rounded down.
    breakdown_e6 : int
        Share of the plain sum that is always required, rounded up.
    rolling : tuple of (day, correlation)
        Day since 1970 that a window ends on.
    """

    now: float
    low: float
    breakdown: float
    offset_e6: int
    breakdown_e6: int
    rolling: tuple[tuple[int, float], ...]


def correlate(left: Series, right: Series, settings: Settings) -> Correlation:
    """Propose an offset and a breakdown share for two underlyings.

    One unit of risk L long in one and one short in the other has the risk L sqrt(2 (1 - rho)).
    The model asks L (1 - offset), so offset = 1 - sqrt(2 (1 - rho)) at the lower of the present
    and the low correlation; and at least breakdown x 2 L, so breakdown = sqrt((1 - rho) / 2) at
    the smallest correlation ever seen.

    Raises
    ------
    HistoryTooShortError
        Fewer common days than one window.
    """
    days, first, second = _common(left.daily(), right.daily())
    size = settings.correlation_days
    if len(days) < size:
        raise HistoryTooShortError(right.file, len(days), f"fewer than {size} common days")
    rolling = tuple(
        (int(days[end - 1]), correlation(first[end - size : end], second[end - size : end]))
        for end in range(size, len(days) + 1)
    )
    values = np.array([value for _, value in rolling])
    now = _weighted(first, second, 1.0 - settings.decay_e6 / ONE_E6)
    low, least = -order_statistic(-values, LOW_E6), float(values.min())
    offset = 1.0 - math.sqrt(2.0 * (1.0 - min(now, low)))
    floor = math.sqrt((1.0 - least) / 2.0)
    return Correlation(
        now,
        low,
        least,
        max(0, floor_to_grid(offset, _GRID_E6)),
        min(ONE_E6, max(_GRID_E6, ceil_to_grid(floor, _GRID_E6))),
        rolling,
    )


def _common(
    left: tuple[np.ndarray, Floats], right: tuple[np.ndarray, Floats]
) -> tuple[np.ndarray, Floats, Floats]:
    days, mine, theirs = np.intersect1d(left[0], right[0], return_indices=True)
    return days, left[1][mine], right[1][theirs]


def _weighted(first: Floats, second: Floats, weight: float) -> float:
    """Return the exponentially weighted correlation about zero."""
    across = own = other = 0.0
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        across += weight * (a * b - across)
        own += weight * (a * a - own)
        other += weight * (b * b - other)
    return max(-1.0, min(1.0, across / math.sqrt(own * other))) if own * other > 0 else 0.0
