"""Bounds are kept for every number, and more caution never lowers a range."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offchain.calibration.bounds import bounded
from offchain.calibration.filtered import filter_history
from offchain.calibration.haircut import bracket_weights
from offchain.calibration.scan_range import range_parts, stressed_windows
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings, StressRule
from offchain.calibration.statistics import ceil_to_grid, floor_to_grid, order_statistic
from offchain.core.units import ONE_E6

NUMBER = st.integers(1, 10**9)
SHARE = st.integers(1, ONE_E6 - 1)
GRID = st.sampled_from([1, 100, 2_500, 10_000])
FLOATS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=200)
RETURNS = st.lists(st.floats(-0.2, 0.2), min_size=260, max_size=300)
RULES = st.lists(st.sampled_from(list(StressRule)), min_size=1, unique=True).map(tuple)


def series(returns: list[float]) -> Series:
    prices = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + np.array(returns)]))
    times = np.arange(len(prices), dtype=np.int64) * DAY_S
    return Series("made.csv", times, prices, DAY_S)


def settings(confidence_e6: int, rules: tuple[StressRule, ...]) -> Settings:
    return Settings(
        lookback_days=180,
        horizon_days=1,
        stress_days=60,
        confidence_e6=confidence_e6,
        rules=rules,
    )


def range_of(returns: list[float], chosen: Settings, row: int | None = None) -> int:
    history = filter_history(series([0.01, *returns]), chosen)
    stress = stressed_windows(history, chosen)
    last = len(history.series.times) - 1 if row is None else row
    return range_parts(history, stress, last, chosen).range_e6


@given(NUMBER, NUMBER, SHARE, SHARE, GRID)
def test_a_change_exceeds_its_bounds_by_no_more_than_one_step_of_the_grid(
    previous: int, target: int, up: int, down: int, grid: int
) -> None:
    found = bounded(previous, target, up, down, grid)
    is_bounded = previous * (ONE_E6 - down) <= found.value * ONE_E6 <= previous * (ONE_E6 + up)
    assert is_bounded or abs(found.value - previous) <= grid
    assert min(previous, target) <= found.value <= max(previous, target)
    assert (found.value == target) == (found.held == "none")


@given(NUMBER, SHARE, SHARE, GRID)
def test_keeping_a_number_is_always_allowed(previous: int, up: int, down: int, grid: int) -> None:
    assert bounded(previous, previous, up, down, grid).value == previous


@given(NUMBER, NUMBER, NUMBER, SHARE, SHARE, GRID)
def test_a_larger_target_never_gives_a_smaller_number(
    previous: int, a: int, b: int, up: int, down: int, grid: int
) -> None:
    low, high = sorted((a, b))
    smaller = bounded(previous, low, up, down, grid).value
    assert smaller <= bounded(previous, high, up, down, grid).value


@given(FLOATS, SHARE, SHARE)
def test_an_order_statistic_grows_with_the_confidence(values: list[float], a: int, b: int) -> None:
    low, high = sorted((a, b))
    array = np.array(values)
    assert order_statistic(array, low) <= order_statistic(array, high)
    assert order_statistic(array, high) in values


@given(st.floats(0.0, 10.0), GRID)
def test_the_grid_brackets_its_value(value: float, grid: int) -> None:
    up, down = ceil_to_grid(value, grid), floor_to_grid(value, grid)
    slack = 1e-8 * grid
    assert up - down in {0, grid}
    assert down - slack <= value * ONE_E6 <= up + slack


@given(RETURNS, st.integers(900_000, 990_000), st.integers(900_000, 990_000), RULES)
def test_a_higher_confidence_never_lowers_a_range(
    returns: list[float], a: int, b: int, rules: tuple[StressRule, ...]
) -> None:
    low, high = sorted((a, b))
    assert range_of(returns, settings(low, rules)) <= range_of(returns, settings(high, rules))


@given(RETURNS, RULES, st.sampled_from(list(StressRule)))
def test_another_rule_never_lowers_a_range(
    returns: list[float], rules: tuple[StressRule, ...], more: StressRule
) -> None:
    with_more = settings(990_000, tuple(dict.fromkeys((*rules, more))))
    assert range_of(returns, settings(990_000, rules)) <= range_of(returns, with_more)


@given(RETURNS, st.integers(100, 250))
def test_a_longer_history_of_stress_never_lowers_the_stressed_quantile(
    returns: list[float], cut: int
) -> None:
    chosen = settings(950_000, (StressRule.STRESSED_WEIGHT,))
    history = filter_history(series([0.01, *returns]), chosen)
    windows = stressed_windows(history, chosen)
    whole = windows.worst(int(history.series.times[-1]))[0]
    assert windows.worst(cut * DAY_S)[0] <= whole


@given(
    st.lists(st.floats(1e4, 1e9), min_size=1, max_size=4, unique=True),
    st.floats(0.0, 1e-3),
)
def test_bracket_weights_fall_and_never_credit_more_than_the_value(
    uppers: list[float], impact: float
) -> None:
    weights = bracket_weights(sorted(uppers), impact, 100)
    assert all(0 <= weight <= ONE_E6 for weight in weights)
    assert all(b < a or b == 0 for a, b in pairwise(weights))
