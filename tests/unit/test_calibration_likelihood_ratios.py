"""Kupiec's and Christoffersen's tests against published values."""

import math

import pytest

from offchain.calibration.likelihood_ratios import CRITICAL_95, christoffersen, kupiec

# Kupiec (1995), "Techniques for verifying the accuracy of risk measurement models", table of
# non-rejection regions at 95 %: failures strictly between these bounds do not reject. For 1 % of
# 255 it prints "N < 7"; none at all is rejected by the statistic (5.13), so that begins at 1.
NON_REJECTION = [
    (0.01, 255, 0, 7),
    (0.01, 510, 1, 11),
    (0.01, 1_000, 4, 17),
    (0.025, 255, 2, 12),
    (0.025, 510, 6, 21),
    (0.025, 1_000, 15, 36),
    (0.05, 255, 6, 21),
    (0.05, 510, 16, 36),
    (0.05, 1_000, 37, 65),
    (0.075, 255, 11, 28),
    (0.075, 510, 27, 51),
    (0.075, 1_000, 59, 92),
    (0.10, 255, 16, 36),
    (0.10, 510, 38, 65),
    (0.10, 1_000, 81, 120),
]


@pytest.mark.parametrize(("rate", "observations", "low", "high"), NON_REJECTION)
def test_kupiec_agrees_with_the_published_regions(
    rate: float, observations: int, low: int, high: int
) -> None:
    passing = [x for x in range(observations + 1) if kupiec(observations, x, rate).passes]
    assert (passing[0] - 1, passing[-1] + 1) == (low, high)


def test_kupiec_is_zero_when_the_rate_is_met_exactly() -> None:
    found = kupiec(1_000, 10, 0.01)
    assert found.statistic == pytest.approx(0.0, abs=1e-12)
    assert found.p_value == pytest.approx(1.0, abs=1e-6)


def test_no_exceedance_has_the_closed_form() -> None:
    assert kupiec(500, 0, 0.005).statistic == pytest.approx(-1_000 * math.log(0.995))


def test_the_critical_value_is_the_95_percent_point() -> None:
    assert math.erfc(math.sqrt(CRITICAL_95 / 2)) == pytest.approx(0.05, abs=1e-6)


def test_independence_counts_transitions() -> None:
    exceeded = [False] * 60 + [True, True, True, True] + [False] * 60
    # 59 + 59 times calm to calm, one calm to hit, three hit to hit, one hit to calm
    rate = 4 / 123
    found = christoffersen(exceeded)
    assert not found.passes
    together = 119 * math.log(1 - rate) + 4 * math.log(rate)
    apart = 118 * math.log(118 / 119) + math.log(1 / 119) + 3 * math.log(0.75) + math.log(0.25)
    assert found.statistic == pytest.approx(-2 * (together - apart), rel=1e-9)


def test_scattered_exceedances_are_independent() -> None:
    assert christoffersen([n % 97 == 5 for n in range(970)]).passes
    assert christoffersen([False] * 50).passes
    assert christoffersen([]).passes
