"""Out-of-sample test of a scan range: propose, hold, count what exceeded, propose again."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from offchain.calibration.bounds import bounded
from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.filtered import FilteredHistory
from offchain.calibration.likelihood_ratios import LikelihoodRatio, christoffersen, kupiec
from offchain.calibration.scan_range import StressedWindows, range_parts
from offchain.calibration.settings import DAY_S, Settings
from offchain.core.units import ONE_E6


@dataclass(frozen=True, slots=True)
class Coverage:
    """The exceedances of one side (falls or rises) and the tests on them."""

    observations: int
    exceedances: int
    expected: float
    kupiec: LikelihoodRatio
    independence: LikelihoodRatio
    worst_excess_e6: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to set the range: its path over the back-test and how it fared.

    `peak_to_trough_e6` is the largest range over the smallest [1e-6]: its procyclicality.
    """

    name: str
    ranges_e6: tuple[int, ...]
    falls: Coverage
    rises: Coverage
    peak_to_trough_e6: int
    largest_rise_e6: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """Both variants over the same dates (Unix seconds of each proposal)."""

    dates: tuple[int, ...]
    proposed: Variant
    procyclical: Variant


def backtest(history: FilteredHistory, stress: StressedWindows, settings: Settings) -> Backtest:
    """Recalibrate every `recalibration_days` on the past alone, and test on what follows.

    The window grows from `backtest_start_days` to the look-back. Observations are the moves over
    the horizon that do not overlap. The proposed variant has floors, grid and bounds; the
    procyclical one is the filtered quantile alone.

    Raises
    ------
    HistoryTooShortError
        When no move lies behind the first proposal.
    """
    rows = _proposal_rows(history, settings)
    proposed: list[int] = []
    procyclical: list[int] = []
    for row in rows:
        parts = range_parts(history, stress, row, settings)
        target = parts.range_e6
        if proposed:
            grid = settings.range_grid_e6
            limits = (settings.max_up_e6, settings.max_down_e6)
            target = bounded(proposed[-1], target, *limits, grid).value
        proposed.append(target)
        procyclical.append(round(parts.filtered * ONE_E6))
    tested, moves = _observations(history, rows)
    if not len(tested):
        raise HistoryTooShortError(history.series.file, len(history.series.times), "no back-test")
    place = np.searchsorted(np.array(rows), tested, side="right") - 1
    dates = tuple(int(history.series.times[row]) for row in rows)
    return Backtest(
        dates,
        _variant("proposed", proposed, place, moves, settings),
        _variant("procyclical", procyclical, place, moves, settings),
    )


def _proposal_rows(history: FilteredHistory, settings: Settings) -> list[int]:
    times = history.series.times
    first = int(times[0]) + (settings.seed_days + settings.backtest_start_days) * DAY_S
    pace = settings.recalibration_days * DAY_S
    ends = np.arange(first, int(times[-1]) + 1, pace)
    return [int(row) for row in np.unique(np.searchsorted(times, ends, side="right") - 1)]


def _observations(history: FilteredHistory, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and values of moves that do not overlap, after the first proposal."""
    if not rows:
        return np.empty(0, np.int64), np.empty(0)
    horizon = history.steps * history.series.step_s
    since = history.series.times[history.starts] - history.series.times[rows[0]]
    chosen = (since >= 0) & (since % horizon == 0)
    return history.starts[chosen], history.moves[chosen]


def _variant(
    name: str, ranges: list[int], place: np.ndarray, moves: np.ndarray, settings: Settings
) -> Variant:
    held = np.array(ranges)[place] / ONE_E6
    growth = [ONE_E6 * b // a - ONE_E6 for a, b in pairwise(ranges)]
    return Variant(
        name,
        tuple(ranges),
        _coverage(-moves, held, settings),
        _coverage(moves, held, settings),
        ONE_E6 * max(ranges) // min(ranges),
        max(growth, default=0),
    )


def _coverage(moves: np.ndarray, held: np.ndarray, settings: Settings) -> Coverage:
    exceeded = moves > held
    rate = (ONE_E6 - settings.confidence_e6) / ONE_E6
    count = len(moves)
    return Coverage(
        count,
        int(exceeded.sum()),
        count * rate,
        kupiec(count, int(exceeded.sum()), rate),
        christoffersen(exceeded.tolist()),
        int(max(0.0, float((moves - held).max())) * ONE_E6),
    )
