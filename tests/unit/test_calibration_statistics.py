"""The statistics of calibration do not depend on order, chunks or last bits."""

import math
import random

import numpy as np
import pytest

from offchain.calibration.statistics import (
    ceil_to_grid,
    correlation,
    ewma_variances,
    floor_to_grid,
    mean_square,
    median,
    nearest,
    order_statistic,
    root_mean_square,
)


def test_an_order_statistic_is_a_rank_and_never_interpolated() -> None:
    values = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    assert order_statistic(values, 600_000) == 3.0
    assert order_statistic(values, 600_001) == 4.0
    assert order_statistic(values, 999_999) == 5.0
    assert order_statistic(values, 1) == 1.0


def test_sums_are_exact_in_any_order_and_any_chunks() -> None:
    source = random.Random(3)  # noqa: S311 - a reproducible sample, no secret
    values = [source.gauss(0.0, 10.0 ** source.randint(-8, 8)) for _ in range(5_000)]
    shuffled = values[:]
    source.shuffle(shuffled)
    assert mean_square(np.array(values)) == mean_square(np.array(shuffled))
    assert order_statistic(np.array(values), 995_000) == order_statistic(
        np.array(shuffled), 995_000
    )
    chunked = math.fsum(x * x for start in range(0, 5_000, 777) for x in shuffled[start:][:777])
    assert mean_square(np.array(values)) == chunked / 5_000


def test_constant_returns_keep_their_variance_to_the_last_bit() -> None:
    returns = [0.0137 if n % 2 else -0.0137 for n in range(1_000)]
    variances = ewma_variances(returns, [True] * 1_000, 0.03, 0.0137 * 0.0137)
    assert set(variances.tolist()) == {0.0137 * 0.0137}


def test_an_unusable_return_leaves_the_variance() -> None:
    variances = ewma_variances([0.1, 9.0, 0.1], [True, False, True], 0.5, 0.04)
    assert variances.tolist() == [0.04, 0.025, 0.025, 0.0175]


def test_correlation_is_exact_at_its_ends() -> None:
    values = np.array([0.1, -0.2, 0.3])
    assert correlation(values, 2 * values) == 1.0
    assert correlation(values, -values) == -1.0
    assert correlation(values, np.zeros(3)) == 0.0
    assert correlation(np.array([1.0, 1.0]), np.array([1.0, -1.0])) == 0.0


def test_the_root_mean_square_is_about_zero() -> None:
    assert root_mean_square(np.array([3.0, 3.0])) == 3.0
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.0


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        (0.16, 160_000, 160_000),
        (0.1600001, 162_500, 160_000),
        (0.16 * (1 + 2**-50), 160_000, 160_000),
        (0.1 + 0.2, 300_000, 300_000),
        (-0.0001, 0, -2_500),
    ],
)
def test_the_grid_rounds_away_from_the_value_but_not_for_a_last_bit(
    value: float, up: int, down: int
) -> None:
    assert ceil_to_grid(value, 2_500) == up
    assert floor_to_grid(value, 2_500) == down


def test_halves_are_rounded_up_whatever_their_last_bits_say() -> None:
    for factor in (1.0, 1.0 + 2**-51, 1.0 - 2**-51):
        assert nearest(0.006_25 * factor, 100) == 6_300
        assert nearest(-0.006_25 * factor, 100) == -6_200
    assert nearest(0.006_24, 100) == 6_200
