"""What is proposed at a moment follows from the past alone, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.app.calibrate_command import SHIPPED
from offchain.calibration.backtest import backtest
from offchain.calibration.filtered import filter_history
from offchain.calibration.history import read_history
from offchain.calibration.scan_range import range_parts, stressed_windows
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings, StressRule
from offchain.calibration.volatility_history import realised_volatility

SETTINGS = Settings(
    lookback_days=365, rules=(StressRule.STRESSED_WEIGHT, StressRule.LONG_RUN), stress_days=30
)
STEPS_A_DAY = 6


@pytest.fixture(scope="module")
def prices() -> Series:
    return read_history(SHIPPED, ("BTC",)).prices["BTC"]


@pytest.mark.parametrize("day", [434, 436, 437, 438, 440, 450, 700, 1_906, 1_908, 1_909])
def test_a_range_is_the_same_whatever_comes_after_it(prices: Series, day: int) -> None:
    """The generated series crashes on days 436 and 1,908, so a glance ahead would show."""
    row = day * STEPS_A_DAY + 2
    known, whole = (filter_history(s, SETTINGS) for s in (prices.until(row + 1), prices))
    then = range_parts(known, stressed_windows(known, SETTINGS), row, SETTINGS)
    assert range_parts(whole, stressed_windows(whole, SETTINGS), row, SETTINGS) == then


def test_the_last_move_of_a_window_is_the_one_that_ends_at_its_row(prices: Series) -> None:
    history = filter_history(prices, SETTINGS)
    row = 500 * STEPS_A_DAY
    starts = history.starts[history.window(row, 100)]
    assert starts[-1] + history.steps == row
    assert prices.times[starts[0]] == prices.times[row] - 100 * DAY_S


def test_a_jump_is_scored_by_the_volatility_before_it_and_not_after() -> None:
    settings = replace(SETTINGS, lookback_days=180, horizon_days=1)
    values = [100.0]
    for day in range(300):
        values.append(values[-1] * (0.7 if day == 250 else 1.01 if day % 2 else 0.99))
    series = Series("made.csv", np.arange(301, dtype=np.int64) * DAY_S, np.array(values), DAY_S)
    history = filter_history(series, settings)
    place = int(np.flatnonzero(history.starts == 250)[0])
    assert history.scores[place] == pytest.approx(-0.30 / 0.01)
    assert history.sigmas[250] == pytest.approx(0.01)
    assert history.sigmas[251] == pytest.approx((0.97 * 0.01**2 + 0.03 * 0.30**2) ** 0.5)
    realised = realised_volatility(series, 30).values
    assert realised[250] == pytest.approx(0.01 * 365**0.5)
    assert realised[251] > 5 * realised[250]


def test_a_stressed_window_counts_from_its_end_on() -> None:
    returns = [0.01, -0.01] * 100 + [0.2, -0.2] * 15 + [0.01, -0.01] * 100
    values = np.array(100.0 * np.cumprod([1.0, *(1.0 + r for r in returns)]), np.float64)
    times = np.arange(len(values), dtype=np.int64) * DAY_S
    settings = replace(SETTINGS, lookback_days=180, horizon_days=1)
    history = filter_history(Series("made.csv", times, values, DAY_S), settings)
    windows = stressed_windows(history, settings)
    first = min(end for end, q in zip(windows.ends, windows.quantiles, strict=True) if q > 0.1)
    assert windows.worst(first - 1)[0] == pytest.approx(0.01)
    assert windows.worst(first)[0] == pytest.approx(0.2)
    assert first > 200 * DAY_S


@pytest.mark.parametrize("jump", [0.6, 1.4])
def test_a_fall_beyond_the_range_counts_as_a_fall_and_a_rise_as_a_rise(jump: float) -> None:
    settings = replace(SETTINGS, horizon_days=1)
    values = [100.0]
    for day in range(700):
        values.append(values[-1] * (jump if day == 600 else 1.0095 if day % 2 else 0.9905))
    series = Series("made.csv", np.arange(701, dtype=np.int64) * DAY_S, np.array(values), DAY_S)
    history = filter_history(series, settings)
    test = backtest(history, stressed_windows(history, settings), settings).proposed
    hit, other = (test.falls, test.rises) if jump < 1 else (test.rises, test.falls)
    assert (hit.exceedances, other.exceedances) == (1, 0)
    assert hit.worst_excess_e6 == pytest.approx(400_000 - 10_000, abs=2_500)
