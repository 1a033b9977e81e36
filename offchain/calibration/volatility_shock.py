"""Shocks of volatility: up, down, their powers in time to expiry, and the minimum up-volatility."""

import math
from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.filtered import moves_of
from offchain.calibration.history import Surface
from offchain.calibration.scan_range import stressed_windows
from offchain.calibration.settings import Settings
from offchain.calibration.statistics import (
    Floats,
    ceil_to_grid,
    floor_to_grid,
    order_statistic,
    root_mean_square,
)
from offchain.calibration.volatility_history import (
    TENOR_DAYS,
    VolatilityHistory,
    daily_changes,
)
from offchain.core.units import ONE_E6

SMALLEST_SAMPLE = 200
NORMAL_E6, CALM_E6 = 500_000, 250_000
"""Quantiles of the level of volatility that are taken as normal and as calm."""
_POWER_GRID_E6 = 10_000


@dataclass(frozen=True, slots=True)
class VolatilityShocks:
    """Proposed shocks of the 30-day volatility over the horizon. [1e-6, volatility in 1e-8]

    Attributes
    ----------
    source : str
        The volatility that they come from.
    up, down : float
        The same before the grid.
    up_e6, down_e6 : int
        Relative, both positive, on the grid, rounded up.
    min_up_e8 : int
        Median of the volatility, rounded up: in a calm market the shocked volatility is at least
        what is normal. [1e-8 of one]
    calm_e8 : int
        Lower quartile of the volatility, rounded up: below it a market is calm. [1e-8 of one]
    power_short_e6, power_long_e6 : int or None
        Powers of 30/DTE below and above 30 days; None when no surface is known.
    """

    source: str
    up: float
    down: float
    up_e6: int
    down_e6: int
    min_up_e8: int
    calm_e8: int
    power_short_e6: int | None
    power_long_e6: int | None


def volatility_shocks(
    history: VolatilityHistory, surface: Surface | None, settings: Settings
) -> VolatilityShocks:
    """Return the shocks that follow from a volatility history.

    The shock is the quantile of all changes over the horizon, with the stressed weight on the
    worst stressed window's, as for prices but not filtered: changes of volatility cluster little.
    Realised volatility falls slowly by construction, so with it the fall is the one that undoes
    the rise: down = up / (1 + up).

    Raises
    ------
    HistoryTooShortError
        Fewer than 200 changes.
    """
    changes = moves_of(history.series, settings.horizon_days)
    if len(changes.moves) < SMALLEST_SAMPLE:
        raise HistoryTooShortError(
            history.series.file, len(changes.moves), f"fewer than {SMALLEST_SAMPLE} changes"
        )
    last = int(history.series.times[-1])
    shocks, grid = [], settings.shock_grid_e6
    for side in (1, -1):
        plain = max(0.0, order_statistic(side * changes.moves, settings.confidence_e6))
        stressed, _ = stressed_windows(changes, settings, (side,)).worst(last)
        weight = settings.stress_weight_e6 / ONE_E6
        shocks.append(history.factor * (plain + weight * max(0.0, stressed - plain)))
    up, down = shocks
    if not history.is_implied:
        down = up / (1.0 + up)
    # Of the underlying's own level: a neighbour's index tells changes, not levels.
    own = history.series if history.factor == 1.0 else history.realised
    normal, calm = (
        min(ceil_to_grid(order_statistic(own.values, share) * _unit(own.values), grid), 5 * ONE_E6)
        for share in (NORMAL_E6, CALM_E6)
    )
    short, long = powers(surface) if surface else (None, None)
    return VolatilityShocks(
        history.source,
        up,
        down,
        min(ceil_to_grid(up, grid), 10 * ONE_E6),
        min(ceil_to_grid(down, grid), 900_000),
        normal * 100,
        calm * 100,
        short,
        long,
    )


def powers(surface: Surface) -> tuple[int, int]:
    """Return the powers p of (30/DTE)^p below and above 30 days [1e-6], from daily changes.

    If changes of volatility fall as (30/T)^p, then p = ln(s_T / s_30) / ln(30 / T). The short one
    uses 7 days and is rounded up to hundredths; the long one is the mean over 90 and 180 days,
    rounded down: both the cautious way. Limited to [0, 1].
    """
    swing = {tenor: root_mean_square(daily_changes(surface, tenor)) for tenor in surface.tenors}

    def power(tenor: int) -> float:
        return math.log(swing[tenor] / swing[TENOR_DAYS]) / math.log(TENOR_DAYS / tenor)

    short, long = power(7), (power(90) + power(180)) / 2.0
    return (
        min(max(ceil_to_grid(short, _POWER_GRID_E6), 0), ONE_E6),
        min(max(floor_to_grid(long, _POWER_GRID_E6), 0), ONE_E6),
    )


def _unit(values: Floats) -> float:
    """Return what one of the series is: an index in percent stands far above 5 (500 %)."""
    return 0.01 if float(np.median(values)) > 5.0 else 1.0
