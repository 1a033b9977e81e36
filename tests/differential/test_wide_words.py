"""Quotients and roots on 64-bit words against unbounded integers, above all at their limits."""

import math
import random
from collections.abc import Callable
from typing import cast

import pytest
from numba import njit

from offchain.pricing.integer_root import root_of_squares, root_of_word
from offchain.pricing.wide_product import product_quotient

SEED = 1_999
LARGEST = (1 << 63) - 1


def _quotient(a: int, b: int, c: int, limit: int) -> int:
    return product_quotient(a, b, c, limit)


quotient = cast("Callable[[int, int, int, int], int]", njit(_quotient))
"""The intrinsic, which only compiled code can call."""


def number(rng: random.Random, bits: int) -> int:
    """Return a number below 2**bits of any size, often beside a power of two."""
    size = rng.randrange(bits + 1)
    near = (1 << size) + rng.choice([-1, 0, 1])
    drawn = rng.choice([near, rng.randrange(1 << size)])
    return min(max(drawn, 0), (1 << bits) - 1)


def test_quotient_is_the_floor_cut_at_its_limit() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(50_000):
        a, b, limit = number(rng, 63), number(rng, 63), number(rng, 63)
        c = max(number(rng, 63), 1)
        assert quotient(a, b, c, limit) == min(a * b // c, limit), (a, b, c, limit)


def test_quotient_is_exact_on_both_sides_of_a_multiple() -> None:
    """A digit that is guessed one or two too high shows next to an exact multiple."""
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(50_000):
        c = max(number(rng, 62), 2)
        a = max(number(rng, 62), 1)
        assert quotient(a, c, c, LARGEST) == a
        assert quotient(a, c - 1, c, LARGEST) == a * (c - 1) // c
        assert quotient(a, c + 1, c, LARGEST) == a * (c + 1) // c


@pytest.mark.parametrize("divisor", [1 << 62, LARGEST, LARGEST - 1, (1 << 62) + (1 << 32) - 1])
def test_quotient_by_the_largest_divisors(divisor: int) -> None:
    for a in (0, 1, LARGEST, LARGEST - 1, divisor, 1 << 62):
        for b in (0, 1, LARGEST, divisor, divisor - 1):
            assert quotient(a, b, divisor, LARGEST) == min(a * b // divisor, LARGEST)


def test_root_of_a_word_is_the_floor_beside_every_kind_of_square() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    roots = [0, 1, 2, 3, (1 << 31) - 1, *(number(rng, 31) for _ in range(20_000))]
    for root in roots:
        for value in (root * root - 1, root * root, root * root + 1, root * root + 2 * root):
            if 0 <= value < 1 << 62:
                assert root_of_word(value) == math.isqrt(value), value


def test_root_of_squares_is_the_floor_for_every_size_and_sign() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(50_000):
        x, y = number(rng, 61), number(rng, 61)
        y = rng.choice([y, 0, 1, x, x >> 1])
        expected = math.isqrt(x * x + y * y)
        assert root_of_squares(rng.choice([x, -x]), rng.choice([y, -y])) == expected, (x, y)


def test_root_of_squares_is_exact_for_pythagorean_triples_and_just_short_of_them() -> None:
    """The correction by one of the last step shows beside a perfect square."""
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(20_000):
        p, q = sorted((number(rng, 30), number(rng, 30)))
        x, y = q * q - p * p, 2 * p * q
        assert root_of_squares(x, y) == p * p + q * q
        for near in (x - 1, x + 1):
            assert root_of_squares(near, y) == math.isqrt(near * near + y * y)


def test_root_of_squares_holds_at_its_largest_arguments() -> None:
    edge = (1 << 61) - 1
    for x in (edge, -edge, edge - 1):
        for y in (edge, 0, 1, -edge):
            assert root_of_squares(x, y) == math.isqrt(x * x + y * y)
