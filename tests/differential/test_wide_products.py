"""Products of 64-bit words, shifted, subtracted and cut, against unbounded integers."""

import random
from collections.abc import Callable
from typing import cast

import pytest
from numba import njit

from offchain.pricing.wide_product import (
    product_quotient,
    product_saturated,
    product_shifted,
    products_difference_shifted,
)

SEED = 2_029
EDGE = 1 << 63
MASK = (1 << 64) - 1
Ternary = Callable[[int, int, int], int]
Quaternary = Callable[[int, int, int, int], int]
Quinary = Callable[[int, int, int, int, int], int]


def _shifted(a: int, b: int, shift: int) -> int:
    return product_shifted(a, b, shift)


def _saturated(a: int, b: int, shift: int, limit: int) -> int:
    return product_saturated(a, b, shift, limit)


def _difference(a: int, b: int, c: int, d: int, shift: int) -> int:
    return products_difference_shifted(a, b, c, d, shift)


def _quotient(a: int, b: int, c: int, limit: int) -> int:
    return product_quotient(a, b, c, limit)


# The intrinsics, which only compiled code can call.
shifted = cast("Ternary", njit(_shifted))
saturated = cast("Quaternary", njit(_saturated))
difference = cast("Quinary", njit(_difference))
quotient = cast("Quaternary", njit(_quotient))


def word(value: int) -> int:
    """Return the low 64 bits of an integer, signed."""
    low = value & MASK
    return low - (1 << 64) if low >= EDGE else low


def numbers(count: int) -> list[int]:
    """Return signed words of every size, many of them beside a power of two."""
    rng = random.Random(SEED)  # noqa: S311 - test data
    found = [0, 1, -1, EDGE - 1, -EDGE, EDGE - 2, 1 - EDGE]
    while len(found) < count:
        size = rng.randrange(63)
        near = (1 << size) + rng.choice([-1, 0, 1, rng.randrange(1 << size)])
        found.append(rng.choice([near, -near]))
    return found


WORDS = numbers(60)
SHIFTS = (0, 1, 16, 32, 40, 56, 58, 62, 63)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_shifted_product_is_the_low_word_of_the_floor(shift: int) -> None:
    for a in WORDS:
        for b in WORDS:
            assert shifted(a, b, shift) == word(a * b >> shift), (a, b)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_saturated_product_is_cut_at_its_limit_on_either_side(shift: int) -> None:
    for a in WORDS:
        for b in WORDS:
            for limit in (0, 1, 1 << 61, EDGE - 1):
                expected = min(max(a * b >> shift, -limit), limit)
                assert saturated(a, b, shift, limit) == expected, (a, b, limit)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_difference_of_products_is_taken_before_it_is_shifted(shift: int) -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(3_000):
        a, b, c, d = (rng.choice(WORDS) >> 1 for _ in range(4))
        assert difference(a, b, c, d, shift) == word((a * b - c * d) >> shift), (a, b, c, d)
    assert difference(3, 5, 2, 7, 0) == 1
    assert difference(1, 1, 1, 2, shift) == -1  # floored


def test_a_quotient_just_below_a_multiple_is_one_less_for_every_low_digit() -> None:
    """With a b = q c - 1 whatever reaches a wrong bit of the last digit makes the quotient q."""
    rng = random.Random(SEED)  # noqa: S311 - test data
    for _ in range(20_000):
        c = (1 << 62) + rng.randrange(1 << 62) | 1
        a = rng.randrange(1, 1 << 62) | 1
        while a % c == 0:
            a += 2
        # b with a b = -1 (mod c): the largest rest that there can be.
        try:
            b = -pow(a, -1, c) % c
        except ValueError:  # a and c have a common divisor
            continue
        assert quotient(a, b, c, EDGE - 1) == (a * b + 1) // c - 1, (a, b, c)
        assert quotient(a, c - b, c, EDGE - 1) == a * (c - b) // c
