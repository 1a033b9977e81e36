"""Joint historical scenarios for expected shortfall: what price and volatility did together.

A quarter (by default) are moves of the worst stressed window of each underlying, as they happened;
the others are filtered moves of the look-back window. Both are taken evenly over their windows, so
the set is a function of the history and nothing is drawn; the largest fall and rise of every
underlying in the stressed windows are always among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.filtered import FilteredHistory
from offchain.calibration.scan_range import StressedWindows
from offchain.calibration.series import Ints
from offchain.calibration.settings import DAY_S, Settings
from offchain.calibration.statistics import nearest
from offchain.calibration.volatility_history import VolatilityHistory

MOVE_LIMITS_E6 = (-950_000, 9_000_000)
VOLATILITY_LIMITS_E6 = (-900_000, 5_000_000)


@dataclass(frozen=True, slots=True)
class HistoricalScenario:
    """One joint scenario.

    Attributes
    ----------
    time : int
        Unix seconds at which the move began.
    is_stressed : bool
        Raw, from the stressed window; otherwise filtered.
    moves_e6, volatility_moves_e6 : tuple of int
        Relative change of price and of at-the-money volatility, per underlying in order. [1e-6]
    """

    time: int
    is_stressed: bool
    moves_e6: tuple[int, ...]
    volatility_moves_e6: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """The scenarios in time order, and the stressed windows: begin and end [Unix seconds]."""

    scenarios: tuple[HistoricalScenario, ...]
    windows: tuple[tuple[int, int], ...]


def historical_scenarios(
    symbols: Sequence[str],
    histories: Mapping[str, FilteredHistory],
    stress: Mapping[str, StressedWindows],
    volatilities: Mapping[str, VolatilityHistory],
    settings: Settings,
) -> ScenarioSet:
    """Return `scenario_count` joint scenarios of some underlyings.

    Raises
    ------
    HistoryTooShortError
        Fewer common moves than scenarios in either window.
    """
    lead = histories[symbols[0]]
    ends = {stress[s].worst(int(histories[s].series.times[-1]))[1] for s in symbols}
    windows = tuple((end - settings.stress_days * DAY_S, end) for end in sorted(ends))
    horizon = settings.horizon_days * DAY_S
    times = _common_starts(symbols, histories)
    inside = [(times >= begin) & (times <= end - horizon) for begin, end in windows]
    stressed = times[np.logical_or.reduce(inside)]
    last = int(times[-1])
    recent = times[times >= last - settings.lookback_days * DAY_S]
    must = _extremes(symbols, histories, stressed)
    chosen = [
        *((t, True) for t in spread(stressed, settings.stressed_scenarios, must, lead)),
        *(
            (t, False)
            for t in spread(recent, settings.scenario_count - settings.stressed_scenarios, (), lead)
        ),
    ]
    rows = [
        _scenario(time, raw, symbols, histories, volatilities, horizon)
        for time, raw in sorted(chosen)
    ]
    return ScenarioSet(tuple(rows), windows)


def spread(times: Ints, count: int, must: Sequence[int], history: FilteredHistory) -> list[int]:
    """Return `count` of the times, ascending: those of `must` and the others evenly spaced."""
    if len(times) < count:
        raise HistoryTooShortError(
            history.series.file, 0, f"{len(times)} moves for {count} scenarios"
        )
    free = times[~np.isin(times, np.array(must, np.int64))]
    rest = count - len(must)
    return sorted([*must, *(int(free[place * len(free) // rest]) for place in range(rest))])


def _common_starts(symbols: Sequence[str], histories: Mapping[str, FilteredHistory]) -> Ints:
    common = histories[symbols[0]].series.times[histories[symbols[0]].starts]
    for symbol in symbols[1:]:
        history = histories[symbol]
        common = np.intersect1d(common, history.series.times[history.starts])
    if not len(common):
        raise HistoryTooShortError(histories[symbols[0]].series.file, 0, "no common moves")
    return common


def _extremes(
    symbols: Sequence[str], histories: Mapping[str, FilteredHistory], times: Ints
) -> tuple[int, ...]:
    found: set[int] = set()
    for symbol in symbols:
        history = histories[symbol]
        begins = history.series.times[history.starts]
        inside = np.flatnonzero(np.isin(begins, times))
        if len(inside):
            moves = history.moves[inside]
            found |= {int(begins[inside[p]]) for p in (moves.argmin(), moves.argmax())}
    return tuple(sorted(found))


def _scenario(
    time: int,
    raw: bool,
    symbols: Sequence[str],
    histories: Mapping[str, FilteredHistory],
    volatilities: Mapping[str, VolatilityHistory],
    horizon: int,
) -> HistoricalScenario:
    moves, shifts = [], []
    for symbol in symbols:
        history = histories[symbol]
        begins = history.series.times[history.starts]
        place = int(np.searchsorted(begins, time))
        value = float(history.moves[place])
        if not raw:
            value = float(history.scores[place]) * float(history.sigmas[-1])
        moves.append(_within(value, MOVE_LIMITS_E6))
        shifts.append(
            _within(volatilities[symbol].change(time, time + horizon), VOLATILITY_LIMITS_E6)
        )
    return HistoricalScenario(time, raw, tuple(moves), tuple(shifts))


def _within(value: float, limits: tuple[int, int]) -> int:
    """Return a share in millionths, rounded to the nearest hundred, within limits."""
    return min(max(nearest(value, 100), limits[0]), limits[1])
