"""The shape of the price: parity exactly, bounds exactly, slopes within the stated error."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.units import ONE_E8, PRICE_BITS, YEAR_NS
from offchain.pricing.black76 import option_price

PRICES = st.integers(1, (1 << PRICE_BITS) - 1)
USUAL = st.integers(100 * ONE_E8, 200_000 * ONE_E8)
VOLATILITIES = st.integers(0, 20 * ONE_E8)
TIMES = st.integers(0, 3 * YEAR_NS)
RATIOS = st.integers(500_000, 2_000_000)


def error_e8(forward: int, strike: int) -> int:
    """Return the stated error of one price: 1e-8 and 2e-14 x (F + K), rounded up."""
    return 2 + 2 * (forward + strike) // 10**14


@given(PRICES, PRICES, VOLATILITIES, TIMES)
def test_call_less_put_is_forward_less_strike_exactly(f: int, k: int, vol: int, time: int) -> None:
    call = option_price(f, k, vol, time, is_call=True)
    assert call - option_price(f, k, vol, time, is_call=False) == f - k


@given(PRICES, PRICES, VOLATILITIES, TIMES)
def test_price_lies_between_intrinsic_value_and_what_can_be_paid(
    f: int, k: int, vol: int, time: int
) -> None:
    assert max(f - k, 0) <= option_price(f, k, vol, time, is_call=True) <= f
    assert max(k - f, 0) <= option_price(f, k, vol, time, is_call=False) <= k


@given(USUAL, RATIOS, st.integers(1, 10**12), VOLATILITIES, TIMES)
def test_call_never_gains_from_a_higher_strike(
    f: int, ratio: int, step: int, vol: int, time: int
) -> None:
    k = f * ratio // 1_000_000
    low = option_price(f, k, vol, time, is_call=True)
    high = option_price(f, k + step, vol, time, is_call=True)
    assert high <= low + error_e8(f, k) + error_e8(f, k + step)
    assert low - high <= step + error_e8(f, k) + error_e8(f, k + step)


@given(USUAL, RATIOS, VOLATILITIES, st.integers(1, ONE_E8), TIMES)
def test_option_never_loses_from_more_volatility(
    f: int, ratio: int, vol: int, more: int, time: int
) -> None:
    k = f * ratio // 1_000_000
    before = option_price(f, k, vol, time, is_call=False)
    after = option_price(f, k, vol + more, time, is_call=False)
    assert after >= before - 2 * error_e8(f, k)


@given(USUAL, RATIOS, VOLATILITIES, TIMES, st.integers(1, YEAR_NS))
def test_option_never_loses_from_more_time(
    f: int, ratio: int, vol: int, time: int, more: int
) -> None:
    k = f * ratio // 1_000_000
    before = option_price(f, k, vol, time, is_call=True)
    after = option_price(f, k, vol, time + more, is_call=True)
    assert after >= before - 2 * error_e8(f, k)


@given(USUAL, RATIOS, VOLATILITIES, TIMES)
def test_price_is_convex_in_the_strike(f: int, ratio: int, vol: int, time: int) -> None:
    k = f * ratio // 1_000_000
    step = f // 100
    low, middle, high = (
        option_price(f, strike, vol, time, is_call=True) for strike in (k - step, k, k + step)
    )
    assert low + high >= 2 * middle - 4 * error_e8(f, k + step)
