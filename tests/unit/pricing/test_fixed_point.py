"""Integer logarithm, exponential and root against fifty digits of mpmath."""

import random

import mpmath
import pytest

from offchain.pricing.fixed_point import LOG_BITS, MAX_EXPONENT, exp, ln, square_root

SEED = 20_260
UNIT = mpmath.mpf(2) ** -LOG_BITS


@pytest.fixture(autouse=True)
def _fifty_digits() -> object:
    with mpmath.workdps(50):
        yield


def test_logarithm_of_one_is_zero() -> None:
    assert ln(1) == 0


def test_logarithm_is_within_one_unit_below_the_true_value() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    values = [2, 3, (1 << 46) - 1, (1 << 96) - 1]
    values += [rng.randrange(1, 1 << rng.randrange(2, 97)) for _ in range(1_000)]
    for value in values:
        error = mpmath.log(value) - ln(value) * UNIT
        assert 0 <= error < UNIT * (1 + mpmath.mpf(2) ** -24), value


def test_logarithm_never_falls_when_the_price_rises() -> None:
    values = [ln(v) for v in range(1, 5_000)] + [ln((1 << 45) + v) for v in range(100)]
    assert values == sorted(values)


@pytest.mark.parametrize("value", [0, -1, 1 << 96])
def test_logarithm_refuses_what_it_was_not_made_for(value: int) -> None:
    with pytest.raises(AssertionError):
        ln(value)


def test_exponential_is_within_its_stated_error() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    exponents = [0, 1, -1, MAX_EXPONENT, -MAX_EXPONENT]
    exponents += [rng.randrange(-MAX_EXPONENT, MAX_EXPONENT) for _ in range(1_000)]
    for exponent in exponents:
        true = mpmath.exp(exponent * UNIT)
        assert abs(true - exp(exponent) * UNIT) < UNIT + true * mpmath.mpf(2) ** -85, exponent


def test_exponential_refuses_what_it_was_not_made_for() -> None:
    with pytest.raises(AssertionError):
        exp(MAX_EXPONENT + 1)


def test_root_is_the_floor_of_the_true_root() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(200):
        a, b = rng.randrange(1 << 63), rng.randrange(1, 1 << 55)
        root = square_root(a, b, 58)
        assert root * root * b <= a << 116 < (root + 1) ** 2 * b
