"""Volatility shocks, their sources and their powers."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.calibration.errors import HistoryError, HistoryTooShortError
from offchain.calibration.history import Depeg, History, Surface
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings
from offchain.calibration.statistics import Floats
from offchain.calibration.venue_terms import check_funding, depeg_terms
from offchain.calibration.volatility_history import daily_changes, volatility_history
from offchain.calibration.volatility_shock import powers, volatility_shocks

SETTINGS = Settings(horizon_days=1)
DAYS = 700


def prices(seed: int, scale: float = 0.03) -> Series:
    returns = np.random.default_rng(seed).normal(0.0, scale, DAYS)
    values = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + returns]))
    return Series(f"{seed}.csv", np.arange(DAYS + 1, dtype=np.int64) * DAY_S, values, DAY_S)


def index(name: str, up: float, down: float, level: float = 60.0) -> Series:
    """Return an index that jumps by `up` every fortieth day and falls by `down` the day after."""
    values = [level]
    for day in range(DAYS):
        move = up if day % 40 == 20 else -down if day % 40 == 21 else 0.0
        values.append(level if day % 40 == 30 else values[-1] * (1.0 + move))
    return Series(name, np.arange(DAYS + 1, dtype=np.int64) * DAY_S, np.array(values), DAY_S)


def surface(scales: dict[int, float]) -> Surface:
    """Return volatilities whose daily changes are in proportion to `scales`."""
    noise = np.random.default_rng(5).normal(0.0, 0.01, 200)
    times = np.arange(200, dtype=np.int64) * DAY_S
    tenors: dict[int, Floats] = {}
    for tenor, scale in scales.items():
        tenors[tenor] = np.asarray(0.6 * np.cumprod(1.0 + scale * noise), np.float64)
    return Surface("s.csv", times, tenors)


def history(**parts: object) -> History:
    bare = History((), {"BTC": prices(1), "ETH": prices(2)}, {}, {}, {}, {}, None)
    return replace(bare, **parts)  # type: ignore[arg-type]


def test_shocks_are_the_tail_changes_of_the_index() -> None:
    found = volatility_history(history(volatilities={"BTC": index("i", 0.3, 0.2)}), "BTC", 30)
    assert found.is_implied
    shocks = volatility_shocks(found, None, SETTINGS)
    # The fortieth part of all days jumps, which is more than the tail of 0.5 %.
    assert shocks.up == pytest.approx(0.3)
    assert shocks.down == pytest.approx(0.2)
    assert (shocks.up_e6, shocks.down_e6) == (300_000, 200_000)
    assert shocks.min_up_e8 == 60_000_000
    assert (shocks.power_short_e6, shocks.power_long_e6) == (None, None)


def test_a_stressed_window_has_its_weight() -> None:
    calm = index("i", 0.1, 0.1)
    values = calm.values.copy()
    for day in range(300, 330, 2):
        values[day] *= 1.8
    wild = Series("i", calm.times, values, DAY_S)
    base = volatility_shocks(
        volatility_history(history(volatilities={"BTC": calm}), "BTC", 30), None, SETTINGS
    )
    found = volatility_shocks(
        volatility_history(history(volatilities={"BTC": wild}), "BTC", 30), None, SETTINGS
    )
    assert found.up > base.up


def test_a_neighbours_index_is_scaled_by_the_surfaces() -> None:
    flat = {7: 1.0, 30: 1.0, 90: 1.0, 180: 1.0}
    twice = dict.fromkeys(flat, 2.0)
    given = history(
        volatilities={"BTC": index("i", 0.3, 0.2)},
        surfaces={"BTC": surface(flat), "ETH": surface(twice)},
    )
    found = volatility_history(given, "ETH", 30)
    assert found.factor == pytest.approx(2.0)
    assert volatility_shocks(found, None, SETTINGS).up == pytest.approx(0.6)
    start = 20 * DAY_S
    assert found.change(start, start + DAY_S) == pytest.approx(0.6)


def test_without_any_index_realised_volatility_stands_in_and_says_so() -> None:
    found = volatility_history(history(), "BTC", 30)
    assert not found.is_implied
    assert found.source.startswith("realised")
    shocks = volatility_shocks(found, None, SETTINGS)
    assert shocks.down == pytest.approx(shocks.up / (1.0 + shocks.up))
    # 3 % a day is 57 % a year.
    assert 50_000_000 < shocks.min_up_e8 < 65_000_000
    assert shocks.calm_e8 <= shocks.min_up_e8


def test_times_that_the_index_does_not_cover_take_the_realised_change() -> None:
    short = index("i", 0.3, 0.2)
    short = Series("i", short.times[300:], short.values[300:], DAY_S)
    found = volatility_history(history(volatilities={"BTC": short}), "BTC", 30)
    realised = found.realised.values
    assert found.change(100 * DAY_S, 101 * DAY_S) == realised[101] / realised[100] - 1.0
    assert found.change(380 * DAY_S, 381 * DAY_S) == pytest.approx(0.3)


@pytest.mark.parametrize(("short", "long"), [(0.30, 0.13), (0.53, 0.56), (0.0, 0.0)])
def test_powers_recover_a_power_law(short: float, long: float) -> None:
    scales = {
        7: (30 / 7) ** short,
        30: 1.0,
        90: (30 / 90) ** long,
        180: (30 / 180) ** long,
    }
    made = surface(scales)
    changes = {tenor: daily_changes(made, tenor) for tenor in scales}
    assert len(changes[7]) == 199
    found_short, found_long = powers(made)
    assert found_short == pytest.approx(short * 1e6, abs=10_000)
    assert found_long == pytest.approx(long * 1e6, abs=10_000)


def test_powers_stay_within_zero_and_one() -> None:
    assert powers(surface({7: 0.5, 30: 1.0, 90: 2.0, 180: 2.0})) == (0, 0)
    assert powers(surface({7: 30.0, 30: 1.0, 90: 0.01, 180: 0.01})) == (1_000_000, 1_000_000)


def test_changes_over_more_than_a_day_are_left_out() -> None:
    times = np.array([0, 1, 2, 5, 6], dtype=np.int64) * DAY_S
    made = Surface("s.csv", times, {30: np.array([1.0, 1.1, np.nan, 1.0, 1.2])})
    assert daily_changes(made, 30).tolist() == [1.1 / 1.0 - 1.0, 1.2 / 1.0 - 1.0]


def test_a_surface_that_never_changes_is_refused() -> None:
    times = np.arange(50, dtype=np.int64) * DAY_S
    with pytest.raises(HistoryError, match=r"s\.csv: .* at 30 days"):
        daily_changes(Surface("s.csv", times, {30: np.full(50, 0.6)}), 30)


def test_too_few_changes_are_refused() -> None:
    short = index("i", 0.3, 0.2)
    short = Series("i", short.times[:100], short.values[:100], DAY_S)
    found = volatility_history(history(volatilities={"BTC": short}), "BTC", 30)
    with pytest.raises(HistoryTooShortError, match="200 changes"):
        volatility_shocks(found, None, SETTINGS)


def test_a_funding_cap_must_allow_the_largest_rate_and_a_quarter_more() -> None:
    found = check_funding("BTC", np.array([0.0001, -0.002, 0.0015]), SETTINGS)
    assert found.largest_e8 == 200_000
    assert found.needed_cap_e8 == 250_000


def test_the_depeg_factor_covers_the_rest_of_the_fall() -> None:
    minutes = np.arange(3_000, dtype=np.int64) * 60
    values = np.full(3_000, 0.9995)
    values[2_000:2_500] = np.maximum(0.9895 - np.arange(500) * 0.0004, 0.88)
    found = depeg_terms(Depeg("d.csv", minutes, values), SETTINGS)
    assert found is not None
    assert found.threshold_e6 == 990_000
    then = values[2_060]  # an hour after it fell below
    factor = found.factor_e6 / 1e6
    assert factor >= (then - 0.88) / (0.99 - then) > factor - 0.5


def test_a_peg_that_holds_gives_no_terms() -> None:
    minutes = np.arange(3_000, dtype=np.int64) * 60
    assert depeg_terms(Depeg("d.csv", minutes, np.full(3_000, 0.9995)), SETTINGS) is None
