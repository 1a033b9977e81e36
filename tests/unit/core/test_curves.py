"""Tier curves: the marginal sum, as the largest of a few lines, in both forms."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.curves import (
    CURVE_LIMIT,
    MAX_RATE_E6,
    MAX_TIERS,
    Line,
    curve_lines,
    curve_reference,
    curve_table,
    curve_value,
)
from offchain.core.model_parameters import Tier
from offchain.core.units import ONE_E6, RatioE6, UsdE6

AMOUNTS = st.one_of(
    st.integers(0, 10**7), st.integers(0, CURVE_LIMIT), st.integers(CURVE_LIMIT, 2**62)
)


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    count = draw(st.integers(1, MAX_TIERS))
    bounds = draw(
        st.lists(
            st.integers(1, CURVE_LIMIT - 1), min_size=count - 1, max_size=count - 1, unique=True
        )
    )
    rates = draw(st.lists(st.integers(0, MAX_RATE_E6), min_size=count, max_size=count, unique=True))
    pairs = zip([0, *sorted(bounds)], sorted(rates), strict=True)
    return tuple(Tier(UsdE6(lower), RatioE6(rate)) for lower, rate in pairs)


def kernel(amount: int, lines: tuple[Line, ...]) -> int:
    return int(curve_value(amount, curve_table([lines])[0]))


def marginal_sum(amount: int, tiers: tuple[Tier, ...]) -> int:
    """Return what each part of an amount pays in its own tier, rounded up once."""
    ends = [*(t.lower_e6 for t in tiers[1:]), None]
    total = Fraction(0)
    for tier, end in zip(tiers, ends, strict=True):
        top = amount if end is None else min(amount, end)
        total += Fraction(max(0, top - tier.lower_e6) * tier.rate_e6, ONE_E6)
    return ceil(total)


@given(AMOUNTS, tier_lists())
def test_lines_kernel_and_marginal_sum_are_one(amount: int, tiers: tuple[Tier, ...]) -> None:
    lines = curve_lines(tiers)
    value = curve_reference(amount, lines)
    assert kernel(amount, lines) == value
    assert marginal_sum(min(amount, CURVE_LIMIT), tiers) == value


@given(AMOUNTS, AMOUNTS, tier_lists())
def test_a_curve_rises_with_the_amount_and_is_convex(
    a: int, b: int, tiers: tuple[Tier, ...]
) -> None:
    lines = curve_lines(tiers)
    low, high = sorted((a, b))
    assert curve_reference(low, lines) <= curve_reference(high, lines)
    a, b = min(a, CURVE_LIMIT // 2), min(b, CURVE_LIMIT // 2)
    together = curve_reference(a + b, lines)
    assert together + 1 >= curve_reference(a, lines) + curve_reference(b, lines)  # two roundings


def test_the_largest_curve_does_not_wrap() -> None:
    steep = curve_lines(
        [
            Tier(UsdE6(lower), RatioE6(MAX_RATE_E6 - 7 + k))
            for k, lower in enumerate([0, *range(CURVE_LIMIT - 7, CURVE_LIMIT)])
        ]
    )
    largest = kernel(2**63 - 1, steep)
    assert largest == curve_reference(CURVE_LIMIT, steep)
    assert 2**61 < largest < 2**62


def test_the_published_form_with_deductions() -> None:
    # Hyperliquid's and Binance's maintenance: rate x notional - deduction, continuous at a bound.
    usd = ONE_E6
    lines = curve_lines(
        [Tier(UsdE6(0), RatioE6(5_000)), Tier(UsdE6(5_000_000 * usd), RatioE6(10_000))]
    )
    assert lines == ((5_000, 0), (10_000, 5_000_000 * usd * 5_000))
    assert curve_reference(5_000_000 * usd, lines) == 25_000 * usd
    assert curve_reference(6_000_000 * usd, lines) == 35_000 * usd
    assert curve_reference(1, lines) == 1  # rounded up


@pytest.mark.parametrize("lines", [(), ((0, 0),)])
def test_nothing_is_charged_by_an_empty_or_free_curve(lines: tuple[Line, ...]) -> None:
    assert curve_reference(10**12, lines) == 0
    assert int(curve_value(10**12, curve_table([lines])[0])) == 0
    assert np.array_equal(curve_table([lines]), np.zeros((1, MAX_TIERS, 3)))
