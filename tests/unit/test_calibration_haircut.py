"""Haircuts and concentration against closed forms."""

import math

import numpy as np
import pytest

from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.haircut import (
    MULTIPLIER,
    bracket_weights,
    haircut_e6,
    propose_haircut,
    ratchet,
)
from offchain.calibration.series import Series
from offchain.calibration.settings import ASSETS, DAY_S, Asset, Settings

ASSET = Asset("BTC", "BTC", 50_000, 500_000)
HOUR = 3_600


def hourly(sizes: list[float]) -> Series:
    """Return hourly prices whose returns have these sizes and alternate in sign."""
    prices = [1_000.0]
    for place, size in enumerate(sizes):
        prices.append(prices[-1] * (1.0 + (size if place % 2 else -size)))
    times = np.arange(len(prices), dtype=np.int64) * HOUR
    return Series("made.csv", times, np.array(prices), HOUR)


def test_the_formula_is_the_published_one() -> None:
    settings = Settings(collateral_days=4)
    assert haircut_e6(0.03, 50_000, 500_000, settings) == 175_000  # 2.9125 x 3 % x 2 = 17.475 %
    assert haircut_e6(0.001, 50_000, 500_000, settings) == 50_000
    assert haircut_e6(0.3, 50_000, 500_000, settings) == 500_000


def test_the_larger_of_a_day_and_a_week_counts() -> None:
    calm_then_wild = hourly([0.002] * (24 * 20) + [0.01] * 24)
    found = propose_haircut(calm_then_wild, ASSET, None, Settings())
    assert found.sigma_24h == pytest.approx(0.01 * math.sqrt(24))
    week = math.sqrt((24 * 0.01**2 + 144 * 0.002**2) / 168 * 24)
    assert found.sigma_7d == pytest.approx(week)
    assert found.now_e6 == haircut_e6(found.sigma_24h, 50_000, found.cap_e6, Settings())
    assert found.cap_e6 >= found.now_e6 > MULTIPLIER * found.sigma_24h * 1e6 - 2_500
    wild_then_calm = hourly([0.01] * (24 * 6) + [0.002] * 24)
    after = propose_haircut(wild_then_calm, ASSET, None, Settings())
    assert after.sigma_7d > after.sigma_24h
    assert after.now_e6 == haircut_e6(after.sigma_7d, 50_000, after.cap_e6, Settings())


def test_a_haircut_rises_at_once_and_falls_by_a_percent_a_day() -> None:
    assert ratchet([50, 300_000, 100_000, 280_000, 295_000]) == [
        50,
        300_000,
        290_000,
        280_000,
        295_000,
    ]


def test_the_curve_never_falls_and_stays_between_its_bounds() -> None:
    found = propose_haircut(hourly([0.004] * 400), ASSET, None, Settings())
    values = [value for _, value in found.curve]
    assert values == sorted(values)
    assert all(found.floor_e6 <= value <= found.cap_e6 for value in values)


def test_brackets_credit_what_the_curve_credits_at_their_edges() -> None:
    edges, impact = [2e6, 1e7, 5e7], 7e-5
    weights = bracket_weights(edges, impact, 1)
    credited, below = 0.0, 0.0
    for edge, weight in zip(edges, weights, strict=True):
        credited += (edge - below) * weight / 1e6
        below = edge
        curve = edge * min(1.0, 1.1 / (1.0 + impact * math.sqrt(edge)))
        assert curve - 1e-6 * edge <= credited <= curve


def test_weights_fall_even_when_the_market_is_deep() -> None:
    weights = bracket_weights([1e6, 1e7, 1e8], 0.0, 2_500)
    assert weights == [1_000_000, 997_500, 995_000]


def test_a_thin_market_has_more_impact() -> None:
    prices = hourly([0.004] * 400)
    deep = propose_haircut(prices, ASSET, 1e9, Settings())
    thin = propose_haircut(prices, ASSET, 1e6, Settings())
    assert thin.impact == pytest.approx(deep.impact * math.sqrt(1_000))
    assert thin.brackets[-1][1] < deep.brackets[-1][1]


def test_staked_tokens_use_the_stated_impact_and_a_higher_floor() -> None:
    staked = ASSETS[2]
    found = propose_haircut(hourly([0.004] * 400), staked, 1e9, Settings())
    assert found.floor_e6 == 150_000
    assert found.impact == 5e-5


def test_no_whole_week_is_refused() -> None:
    with pytest.raises(HistoryTooShortError, match="week"):
        propose_haircut(hourly([0.004] * 100), ASSET, None, Settings())
    assert DAY_S == 24 * HOUR
