"""Scan ranges against closed forms."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from offchain.calibration.errors import HistoryError, HistoryTooShortError, SettingsError
from offchain.calibration.filtered import FilteredHistory, filter_history, moves_of
from offchain.calibration.scan_range import (
    RangeParts,
    StressedWindows,
    range_parts,
    stressed_windows,
)
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings, StressRule
from offchain.calibration.statistics import ceil_to_grid, order_statistic

SETTINGS = Settings(
    lookback_days=400, horizon_days=1, rules=(StressRule.BUFFER,), confidence_e6=990_000
)


def series(returns: Sequence[float]) -> Series:
    """Return daily prices with these returns."""
    prices = [100.0]
    for value in returns:
        prices.append(prices[-1] * (1.0 + value))
    times = np.arange(len(prices), dtype=np.int64) * DAY_S
    return Series("made.csv", times, np.array(prices), DAY_S)


def alternating(size: float, days: int) -> list[float]:
    return [size if n % 2 else -size for n in range(days)]


def parts_of(history: FilteredHistory, settings: Settings) -> RangeParts:
    last = len(history.series.times) - 1
    return range_parts(history, stressed_windows(history, settings), last, settings)


def test_a_constant_volatility_gives_that_volatility() -> None:
    parts = parts_of(filter_history(series(alternating(0.03, 600)), SETTINGS), SETTINGS)
    assert parts.filtered == pytest.approx(0.03)
    assert parts.stressed == pytest.approx(0.03)
    assert parts.long_run == pytest.approx(0.03)
    assert parts.target == pytest.approx(0.0375)
    assert parts.range_e6 == 37_500  # on the grid, and not a step above it


def test_old_moves_are_brought_to_the_volatility_of_today() -> None:
    history = filter_history(series(alternating(0.02, 500) + alternating(0.04, 500)), SETTINGS)
    parts = parts_of(history, SETTINGS)
    assert parts.filtered == pytest.approx(0.04, rel=0.02)
    falling = filter_history(series(alternating(0.04, 500) + alternating(0.02, 500)), SETTINGS)
    calm = parts_of(falling, SETTINGS)
    assert calm.filtered == pytest.approx(0.02, rel=0.01)
    assert calm.stressed == pytest.approx(0.04, rel=0.01)
    variance = (500 * 0.04**2 + 500 * 0.02**2) / 1_000
    assert calm.long_run == pytest.approx(variance**0.5, rel=0.01)


def test_without_filtering_it_is_plain_historical_simulation() -> None:
    source = np.random.default_rng(11)
    returns = source.normal(0.0, 0.03, 700).tolist()
    settings = replace(SETTINGS, decay_e6=999_999)  # the variance hardly moves from its seed
    history = filter_history(series(returns), settings)
    window = history.window(700, 400)
    plain = max(
        order_statistic(history.moves[window], 990_000),
        order_statistic(-history.moves[window], 990_000),
    )
    assert parts_of(history, settings).filtered == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize(
    ("rules", "target"),
    [
        ((StressRule.BUFFER,), 0.025),
        ((StressRule.STRESSED_WEIGHT,), 0.02 + 0.25 * 0.02),
        ((StressRule.LONG_RUN,), (0.5 * 0.04**2 + 0.5 * 0.02**2) ** 0.5),
        (tuple(StressRule), (0.5 * 0.04**2 + 0.5 * 0.02**2) ** 0.5),
    ],
)
def test_each_rule_of_article_28_has_its_closed_form(
    rules: tuple[StressRule, ...], target: float
) -> None:
    settings = replace(SETTINGS, rules=rules)
    history = filter_history(series(alternating(0.04, 500) + alternating(0.02, 500)), settings)
    assert parts_of(history, settings).target == pytest.approx(target, rel=0.01)


def test_falls_and_rises_are_measured_apart_and_the_worse_one_counts() -> None:
    returns = alternating(0.01, 600)
    for day in range(220, 600, 40):
        returns[day] = -0.05
    parts = parts_of(filter_history(series(returns), SETTINGS), SETTINGS)
    assert parts.down > 2 * parts.up
    assert parts.filtered == parts.down


def test_the_worst_stressed_window_is_remembered() -> None:
    returns = alternating(0.01, 300) + alternating(0.10, 60) + alternating(0.01, 900)
    windows = stressed_windows(filter_history(series(returns), SETTINGS), SETTINGS)
    quantile, end = windows.worst(1_260 * DAY_S)
    assert quantile == pytest.approx(0.10)
    assert 300 * DAY_S < end < 400 * DAY_S
    assert windows.worst(250 * DAY_S)[0] == pytest.approx(0.01)
    assert windows.worst(0) == (0.0, 0)


def test_one_side_can_be_stressed_alone() -> None:
    returns = [0.01] * 200 + [0.01 if n % 2 else -0.03 for n in range(200)]
    moves = moves_of(series(returns), 1)
    assert stressed_windows(moves, SETTINGS, (1,)).worst(400 * DAY_S)[0] == pytest.approx(0.01)
    assert stressed_windows(moves, SETTINGS, (-1,)).worst(400 * DAY_S)[0] == pytest.approx(0.03)


def test_too_few_rows_are_refused_by_file() -> None:
    with pytest.raises(HistoryTooShortError, match=r"made\.csv: row 402"):
        filter_history(series(alternating(0.01, 400)), SETTINGS)


def test_too_few_moves_for_the_confidence_are_refused() -> None:
    settings = replace(SETTINGS, confidence_e6=999_000)
    history = filter_history(series(alternating(0.01, 600)), settings)
    with pytest.raises(HistoryTooShortError, match="too few"):
        range_parts(history, StressedWindows((), ()), 600, settings)


def test_a_price_that_does_not_move_is_refused() -> None:
    with pytest.raises(HistoryError, match="does not move"):
        filter_history(series([0.0] * 600), SETTINGS)


def test_a_range_stays_below_the_whole_price() -> None:
    parts = parts_of(filter_history(series(alternating(0.9, 600)), SETTINGS), SETTINGS)
    assert parts.target > 1.0
    assert parts.range_e6 == 950_000


def test_the_grid_is_never_below_the_target() -> None:
    source = np.random.default_rng(4)
    history = filter_history(series(source.normal(0.0, 0.02, 600).tolist()), SETTINGS)
    parts = parts_of(history, SETTINGS)
    assert parts.range_e6 == ceil_to_grid(parts.target, 2_500)
    assert parts.range_e6 / 1e6 >= parts.target > parts.range_e6 / 1e6 - 0.0025


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence_e6": 1_000_000},
        {"confidence_e6": 0},
        {"lookback_days": 100},
        {"horizon_days": 0},
        {"decay_e6": 1_000_000},
        {"rules": ()},
        {"max_up_e6": 0},
        {"max_down_e6": 1_000_000},
        {"range_grid_e6": 0},
        {"stressed_scenarios": 1_024},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        replace(Settings(), **wrong)  # type: ignore[arg-type]
