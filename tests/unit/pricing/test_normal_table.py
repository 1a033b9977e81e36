"""The table of N(x): its bytes never change, and they are right."""

import hashlib
import random

import mpmath
import numpy as np
import pytest

from offchain.pricing.black76 import VOL_BITS, normal_reference
from offchain.pricing.normal_table import (
    COEFFICIENTS,
    LIMIT,
    NORMAL_TABLE,
    PROBABILITY_BITS,
    PROBABILITY_ONE,
    SEGMENTS,
    normal_coefficients,
)

SEED = 7
ONE = 1 << VOL_BITS
HASH = "fa5147d9a477361d0c644cf7a26311d2f2184c5f06d002aad06bb6ce6ff6e878"


def test_table_bytes_are_the_published_ones() -> None:
    packed = NORMAL_TABLE.astype(">i8").tobytes()
    assert len(packed) == 20_480
    assert hashlib.sha256(packed).hexdigest() == HASH


def test_table_is_what_its_generator_says() -> None:
    assert NORMAL_TABLE.tolist() == normal_coefficients()
    assert NORMAL_TABLE.shape == (SEGMENTS * COEFFICIENTS,)


def test_nobody_can_write_to_the_table() -> None:
    with pytest.raises(ValueError, match="read-only"):
        NORMAL_TABLE[0] = np.int64(0)


def test_error_stays_below_the_stated_bound() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    points = [rng.randrange(-9 * ONE, 9 * ONE) for _ in range(2_000)]
    points += [rng.randrange(-ONE // 2, ONE // 2) for _ in range(2_000)]
    points += [k * ONE // 64 - 1 for k in range(1, SEGMENTS, 16)]
    with mpmath.workdps(40):
        for x in points:
            true = mpmath.ncdf(mpmath.mpf(x) / ONE)
            error = mpmath.mpf(normal_reference(x)) / PROBABILITY_ONE - true
            assert abs(error) < 3e-14, x


def test_the_two_tails_sum_to_one() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    for x in [1, ONE, LIMIT * ONE, LIMIT * ONE - 1] + [rng.randrange(16 * ONE) for _ in range(500)]:
        assert normal_reference(x) + normal_reference(-x) == 1 << PROBABILITY_BITS


def test_probability_stays_between_zero_and_one_at_the_cut() -> None:
    for x in range(LIMIT * ONE - 200, LIMIT * ONE + 2):
        assert 0 < normal_reference(x) <= PROBABILITY_ONE
        assert 0 <= normal_reference(-x) < PROBABILITY_ONE
