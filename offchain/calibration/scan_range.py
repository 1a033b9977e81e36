"""The price scan range of one underlying: filtered quantile, stressed floor, grid."""

from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.filtered import FilteredHistory, Moves
from offchain.calibration.settings import DAY_S, Settings, StressRule
from offchain.calibration.statistics import Floats, ceil_to_grid, order_statistic
from offchain.core.units import ONE_E6

LARGEST_RANGE_E6 = 950_000
"""A range stays below the whole price."""


@dataclass(frozen=True, slots=True)
class RangeParts:
    """How a scan range comes about; shares of the price, before any bound on its change.

    Attributes
    ----------
    down, up : float
        Filtered quantiles of falls and rises.
    filtered, stressed, long_run : float
        The larger of the two; the worst stressed window's; the filtered one at the long-run
        volatility.
    target : float
        The largest result of the rules that are used, never below `filtered`.
    range_e6 : int
        The target on the grid, rounded up. [1e-6]
    """

    down: float
    up: float
    filtered: float
    stressed: float
    long_run: float
    target: float
    range_e6: int


@dataclass(frozen=True)
class StressedWindows:
    """The quantile of each stressed window, by the time of its end.

    Windows of `stress_days` end every `recalibration_days`, counted from the first row. The
    stressed quantile as of a time is the largest of all windows that have ended, so a longer
    history of stress never lowers it.
    """

    ends: tuple[int, ...]
    quantiles: tuple[float, ...]

    def worst(self, time: int) -> tuple[float, int]:
        """Return the largest quantile up to a time and the end of its window; (0, 0) if none."""
        known = [(q, -end) for end, q in zip(self.ends, self.quantiles, strict=True) if end <= time]
        quantile, end = max(known, default=(0.0, 0))
        return quantile, -end


def two_sided(values: Floats, confidence_e6: int) -> tuple[float, float]:
    """Return the quantile of falls and that of rises, each at this confidence, not below 0."""
    return (
        max(0.0, order_statistic(-values, confidence_e6)),
        max(0.0, order_statistic(values, confidence_e6)),
    )


def stressed_windows(
    history: Moves, settings: Settings, sides: tuple[int, ...] = (-1, 1)
) -> StressedWindows:
    """Return the raw quantile of every stressed window that is at least half filled.

    `sides` says whether falls (-1), rises (1) or the worse of both count.
    """
    times = history.series.times
    half = history.series.steps(settings.stress_days) // 2
    ends, quantiles = [], []
    pace = settings.recalibration_days * DAY_S
    for end in range(int(times[0]) + pace, int(times[-1]) + 1, pace):
        row = int(np.searchsorted(times, end, side="right")) - 1
        moves = history.moves[history.window(row, settings.stress_days)]
        if len(moves) >= half:
            ends.append(end)
            quantiles.append(
                max(0.0, *(order_statistic(side * moves, settings.confidence_e6) for side in sides))
            )
    return StressedWindows(tuple(ends), tuple(quantiles))


def range_parts(
    history: FilteredHistory, stress: StressedWindows, row: int, settings: Settings
) -> RangeParts:
    """Return the scan range that follows from everything known at a row.

    Raises
    ------
    HistoryTooShortError
        Fewer moves in the look-back window than one out of the tail that is asked for.
    """
    scores = history.scores[history.window(row, settings.lookback_days)]
    if len(scores) * (ONE_E6 - settings.confidence_e6) < ONE_E6:
        raise HistoryTooShortError(
            history.series.file, row + 2, f"{len(scores)} moves in the window are too few"
        )
    falls, rises = two_sided(scores, settings.confidence_e6)
    now = float(history.sigmas[row])
    filtered = max(falls, rises) * now
    stressed, _ = stress.worst(int(history.series.times[row]))
    stressed = max(stressed, filtered)
    long_run = max(falls, rises) * history.long_run_sigma(row)
    weight = settings.stress_weight_e6 / ONE_E6
    results = {
        StressRule.BUFFER: filtered * (1.0 + settings.buffer_e6 / ONE_E6),
        StressRule.STRESSED_WEIGHT: filtered + weight * (stressed - filtered),
        StressRule.LONG_RUN: long_run,
    }
    target = max([filtered, *(results[rule] for rule in settings.rules)])
    range_e6 = min(
        LARGEST_RANGE_E6, max(settings.range_grid_e6, ceil_to_grid(target, settings.range_grid_e6))
    )
    return RangeParts(falls * now, rises * now, filtered, stressed, long_run, target, range_e6)
