"""Total volatility on 64-bit words equals its definition at both of its ends."""

import pytest

from offchain.core.units import ONE_E8
from offchain.pricing.black76 import (
    MAX_TOTAL_VOL,
    MIN_TOTAL_VOL,
    VOL_BITS,
    inverse_of,
    total_volatility_from,
)
from offchain.pricing.risk_kernel import inverse_word, total_volatility_word


@pytest.mark.parametrize("edge", [MIN_TOTAL_VOL, MAX_TOTAL_VOL])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_the_smallest_and_the_largest_total_volatility_are_kept(edge: int, beside: int) -> None:
    root = edge + beside  # at a volatility of one the total is the root of time
    expected = min(root, MAX_TOTAL_VOL) if root >= MIN_TOTAL_VOL else 0
    assert total_volatility_from(ONE_E8, root) == expected
    assert total_volatility_word(ONE_E8, root) == expected
    assert inverse_word(expected) == inverse_of(expected)


def test_the_ends_are_eight_and_two_to_the_minus_twenty_two() -> None:
    assert MAX_TOTAL_VOL == 8 << VOL_BITS == 1 << 61
    assert MIN_TOTAL_VOL << 22 == 1 << VOL_BITS
    assert inverse_word(0) == inverse_of(0) == 0
    assert inverse_word(MIN_TOTAL_VOL) == inverse_of(MIN_TOTAL_VOL) == 1 << 62
