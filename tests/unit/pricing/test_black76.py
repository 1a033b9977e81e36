"""Black-76 at published values and at its edges."""

import math

import pytest

from offchain.core.units import DAY_NS, ONE_E8, YEAR_NS
from offchain.pricing.black76 import (
    MAX_TOTAL_VOL,
    MIN_TOTAL_VOL,
    inverse_of,
    option_price,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import ln

FORWARD = 60_000 * ONE_E8


@pytest.mark.parametrize("is_call", [True, False])
def test_reproduces_haug_future_option(is_call: bool) -> None:
    """Haug 2007, section 1.1.4: F = K = 19, r = 10 %, T = 0.75, vol 28 %: 1.7011."""
    price = option_price(19 * ONE_E8, 19 * ONE_E8, 28_000_000, YEAR_NS * 3 // 4, is_call=is_call)
    assert price / ONE_E8 * math.exp(-0.1 * 0.75) == pytest.approx(1.7011, abs=5e-5)


def test_reproduces_hull_future_put() -> None:
    """Hull, Black's model for a future on crude: F = K = 20, T = 4/12, r = 9 %, vol 25 %."""
    price = option_price(20 * ONE_E8, 20 * ONE_E8, 25_000_000, YEAR_NS // 3, is_call=False)
    assert price / ONE_E8 * math.exp(-0.09 / 3) == pytest.approx(1.1166, abs=5e-5)


@pytest.mark.parametrize(("volatility", "remaining"), [(0, YEAR_NS), (ONE_E8, 0), (ONE_E8, -1)])
@pytest.mark.parametrize("strike", [1, FORWARD - 1, FORWARD, FORWARD + 1, (1 << 46) - 1])
def test_without_time_or_volatility_an_option_is_worth_its_payoff(
    volatility: int, remaining: int, strike: int
) -> None:
    call = option_price(FORWARD, strike, volatility, remaining, is_call=True)
    put = option_price(FORWARD, strike, volatility, remaining, is_call=False)
    assert (call, put) == (max(FORWARD - strike, 0), max(strike - FORWARD, 0))


@pytest.mark.parametrize(("forward", "strike"), [(1, (1 << 46) - 1), ((1 << 46) - 1, 1)])
@pytest.mark.parametrize("volatility", [1, 1_000, ONE_E8, 100 * ONE_E8])
def test_extreme_moneyness_saturates_instead_of_wrapping(
    forward: int, strike: int, volatility: int
) -> None:
    for remaining in (1, 1_000_000, DAY_NS, 100 * YEAR_NS):
        call = option_price(forward, strike, volatility, remaining, is_call=True)
        assert max(forward - strike, 0) <= call <= forward


def test_smallest_total_volatility_still_has_an_inverse_of_64_bits() -> None:
    assert inverse_of(MIN_TOTAL_VOL) == 1 << 62
    at_the_money = price_reference(FORWARD, FORWARD, 0, MIN_TOTAL_VOL, is_call=True)
    assert 0 < at_the_money < FORWARD // 10**7


def test_total_volatility_is_cut_at_both_ends() -> None:
    assert total_volatility(10**12, YEAR_NS) == MAX_TOTAL_VOL
    assert total_volatility(1, 1) == 0


def test_largest_price_is_bounded_by_the_forward() -> None:
    for strike in (1, FORWARD, (1 << 46) - 1):
        moneyness = ln(FORWARD) - ln(strike)
        assert price_reference(FORWARD, strike, moneyness, MAX_TOTAL_VOL, is_call=True) <= FORWARD
