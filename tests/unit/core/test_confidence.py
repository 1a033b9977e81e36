"""Confidence: how far observers agree, which a minority of them cannot decide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import confidence_e6, median_deviation
from offchain.core.units import ONE_E6, RatioE6

ONE_PERCENT = RatioE6(10_000)


@pytest.mark.parametrize(
    ("values", "confidence"),
    [
        ((1_000, 1_000, 1_000), ONE_E6),
        ((1_000_000, 1_005_000, 1_010_000), 502_487),  # 0.4975 % of the median, half of 1 %
        ((990_000, 1_000_000, 1_010_000), 0),
        ((1, 2, 3), 0),
        ((1_000_000,) * 4 + (5_000_000,) * 3, ONE_E6),  # three liars of seven
    ],
)
def test_confidence_falls_in_a_straight_line(values: tuple[int, ...], confidence: int) -> None:
    assert confidence_e6(values, ONE_PERCENT) == confidence


@given(st.lists(st.integers(1, 2**46 - 1), min_size=3, max_size=9), st.integers(1, ONE_E6))
def test_confidence_is_a_share_of_one(values: list[int], dispersion: int) -> None:
    assert 0 <= confidence_e6(values, RatioE6(dispersion)) <= ONE_E6


@given(
    st.integers(10**6, 10**9),
    st.lists(st.integers(1, 2**46 - 1), min_size=3, max_size=3),
    st.lists(st.integers(-5, 5), min_size=4, max_size=4),
)
def test_a_minority_cannot_cost_the_confidence_in_an_agreement(
    price: int, liars: list[int], noise: list[int]
) -> None:
    honest = [price + n for n in noise]
    assert median_deviation([*honest, *liars]) <= 10
    assert confidence_e6([*honest, *liars], ONE_PERCENT) >= ONE_E6 - 1_001
