"""Filtered history: past moves brought to the volatility of today.

A move R over the horizon that began at volatility s is worth z = R / s, and stands today for
R* = z x s_now (filtered historical simulation; Barone-Adesi, Giannopoulos and Vosper 1999;
Hull and White 1998). The volatility is the exponentially weighted one, known before the move.
"""

from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryError, HistoryTooShortError
from offchain.calibration.series import Ints, Series
from offchain.calibration.settings import DAY_S, LONG_RUN_DAYS, Settings
from offchain.calibration.statistics import Floats, ewma_variances, mean_square


@dataclass(frozen=True)
class Moves:
    """The moves of a series over the horizon, where it is unbroken.

    Attributes
    ----------
    series : Series
        What they are made of.
    steps : int
        Steps of the horizon.
    starts : int64[m]
        Rows at which the moves begin, ascending.
    moves : float64[m]
        Relative changes over the horizon, R.
    """

    series: Series
    steps: int
    starts: Ints
    moves: Floats

    def window(self, row: int, days: int) -> slice:
        """Return the moves that began at most `days` before a row and had ended by then."""
        times = self.series.times
        first = np.searchsorted(times, times[row] - days * DAY_S, side="left")
        low = np.searchsorted(self.starts, first, side="left")
        high = np.searchsorted(self.starts, row - self.steps, side="right")
        return slice(int(low), max(int(low), int(high)))


@dataclass(frozen=True)
class FilteredHistory(Moves):
    """Moves with their scores.

    Attributes
    ----------
    scores : float64[m]
        R / s.
    sigmas : float64[n]
        Volatility over the horizon that is known at each row.
    """

    scores: Floats
    sigmas: Floats

    def long_run_sigma(self, row: int) -> float:
        """Return the plain volatility over the horizon, of up to ten years before a row."""
        times = self.series.times
        first = int(np.searchsorted(times, times[row] - LONG_RUN_DAYS * DAY_S, side="left"))
        counts = self.series.follows[first:row]
        return float(np.sqrt(mean_square(self.series.returns[first:row][counts]) * self.steps))


def moves_of(series: Series, days: int) -> Moves:
    """Return the moves of a series over some days."""
    return Moves(series, series.steps(days), *series.moves(days))


def filter_history(series: Series, settings: Settings) -> FilteredHistory:
    """Return the filtered history of a series.

    Raises
    ------
    HistoryTooShortError
        Fewer rows than the seed of the variance and the look-back window ask for.
    HistoryError
        The series does not move during the seed.
    """
    day, seed_rows = series.steps(1), series.steps(settings.seed_days)
    need = seed_rows + series.steps(settings.lookback_days)
    if len(series.times) < need:
        raise HistoryTooShortError(
            series.file,
            len(series.times) + 1,
            f"{len(series.times)} rows; seed and look-back window need {need}",
        )
    seed_returns = series.returns[:seed_rows][series.follows[:seed_rows]]
    seed = mean_square(seed_returns) if len(seed_returns) else 0.0
    if not seed > 0:
        raise HistoryError(series.file, seed_rows + 1, "the series does not move before this row")
    weight = (1_000_000 - settings.decay_e6) / (1_000_000 * day)
    variances = ewma_variances(series.returns.tolist(), series.follows.tolist(), weight, seed)
    steps = series.steps(settings.horizon_days)
    sigmas = np.sqrt(variances * steps)
    starts, moves = series.moves(settings.horizon_days)
    kept = starts >= seed_rows
    starts, moves = starts[kept], moves[kept]
    return FilteredHistory(series, steps, starts, moves, moves / sigmas[starts], sigmas)
