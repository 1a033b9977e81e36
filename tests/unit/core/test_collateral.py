"""Collateral: haircuts that rise at once and fall slowly (E-14), brackets, what may leave."""

from dataclasses import replace
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.collateral import (
    FAST_NS,
    MAX_VARIANCE,
    CreditCurve,
    HaircutState,
    collateral_credit,
    collateral_value,
    credit_curve,
    first_haircut,
    least_amount,
    next_haircut,
    target_haircut,
    total_credit,
)
from offchain.core.model_parameters import Bracket
from offchain.core.presets import COLLATERAL
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, SECOND_NS, RatioE6, TimestampNs

WBTC = COLLATERAL[0]
PRICE = 100_000 * ONE_E8
HOUR_NS = DAY_NS // 24
AMOUNTS = st.one_of(st.integers(0, 2**60 - 1), st.integers(0, 10**12))


def seen(*prices: tuple[int, int]) -> HaircutState:
    state = first_haircut(WBTC)
    for time_ns, price in prices:
        state = next_haircut(state, price, time_ns, WBTC)
    return state


def test_before_the_first_price_the_haircut_is_the_cap_and_then_the_floor() -> None:
    assert first_haircut(WBTC).haircut_e6 == WBTC.haircut_cap_e6
    assert seen((1, PRICE)).haircut_e6 == WBTC.haircut_floor_e6


def test_the_target_is_a_multiple_of_the_volatility_over_the_horizon() -> None:
    # 3 % a day: variance 9e-4, times 1.25 x 2.33 = 8.7375 %.
    assert target_haircut(9 * 10**14, WBTC) == 87_376  # rounded up
    four_days = replace(WBTC, horizon_ns=TimestampNs(4 * DAY_NS))
    assert target_haircut(9 * 10**14, four_days) == 174_751
    assert target_haircut(0, WBTC) == WBTC.haircut_floor_e6
    assert target_haircut(MAX_VARIANCE, WBTC) == WBTC.haircut_cap_e6


def test_a_fall_of_ten_percent_in_a_day_raises_the_haircut_at_once() -> None:
    state = seen((1, PRICE), (1 + DAY_NS, PRICE * 9 // 10))
    assert state.fast_e18 == 10**16  # the whole of a day's memory
    assert state.slow_e18 == 10**16 // 7
    assert state.haircut_e6 == 291_251  # 2.9125 x 10 %, rounded up


def test_the_haircut_falls_by_the_ratchet_and_no_faster() -> None:
    state = seen((1, PRICE), (1 + DAY_NS, PRICE * 9 // 10))
    start = state.haircut_e6
    for day in range(2, 9):
        state = next_haircut(state, PRICE * 9 // 10, 1 + day * DAY_NS, WBTC)
        assert state.haircut_e6 == start - (day - 1) * WBTC.ratchet_e6


def test_many_small_steps_fall_no_further_than_a_large_one_and_a_millionth_less_each() -> None:
    often = once = seen((1, PRICE), (1 + DAY_NS, PRICE * 9 // 10))
    minute = DAY_NS // 1_440
    for step in range(1, 1_441):
        often = next_haircut(often, PRICE * 9 // 10, 1 + DAY_NS + step * minute, WBTC)
    once = next_haircut(once, PRICE * 9 // 10, 1 + 2 * DAY_NS, WBTC)
    assert once.haircut_e6 <= often.haircut_e6 <= once.haircut_e6 + 1_440


@pytest.mark.parametrize("seconds", [1, 10, 60, 3_600, 86_400])
def test_a_jump_counts_the_same_however_soon_it_is_seen(seconds: int) -> None:
    moment = seconds * SECOND_NS
    state = seen((1, PRICE), (1 + moment, PRICE * 8 // 10))
    assert state.fast_e18 == 4 * 10**16  # a return of a fifth, of which a day remembers all
    assert state.slow_e18 == 4 * 10**16 // 7
    assert state.haircut_e6 == WBTC.haircut_cap_e6


@pytest.mark.parametrize("step", [SECOND_NS * 60, SECOND_NS * 3_600])
def test_a_steady_market_shows_its_volatility_however_often_it_is_seen(step: int) -> None:
    daily_e18 = 9 * 10**14  # 3 % a day, as an alternating return of 3 % x sqrt(step / day)
    move = isqrt(daily_e18 * step // DAY_NS)
    state, price = seen((1, PRICE)), PRICE
    for place in range(1, 30 * DAY_NS // step):
        price = PRICE * (10**9 + (move if place % 2 else 0)) // 10**9
        state = next_haircut(state, price, 1 + place * step, WBTC)
    for variance in (state.fast_e18, state.slow_e18):
        assert abs(variance - daily_e18) * 50 < daily_e18  # e^(-30 / 7) is 1.4 %
    assert abs(state.haircut_e6 - 87_376) <= 900


def test_a_second_price_of_the_same_moment_changes_nothing() -> None:
    state = seen((5, PRICE))
    assert next_haircut(state, PRICE // 2, 5, WBTC) == state


@given(
    st.lists(
        st.tuples(st.integers(1, 10 * DAY_NS), st.integers(1, 2**46 - 1)), min_size=2, max_size=12
    )
)
def test_the_haircut_stays_between_floor_and_cap_and_falls_by_the_ratchet_at_most(
    steps: list[tuple[int, int]],
) -> None:
    state, now = first_haircut(WBTC), 0
    state = next_haircut(state, PRICE, 1, WBTC)
    for elapsed, price in steps:
        now += elapsed
        after = next_haircut(state, price, 1 + now, WBTC)
        assert WBTC.haircut_floor_e6 <= after.haircut_e6 <= WBTC.haircut_cap_e6
        allowed = WBTC.ratchet_e6 * (1 + now - state.decayed_ns) // DAY_NS
        assert after.haircut_e6 >= state.haircut_e6 - allowed
        assert 0 <= after.fast_e18 <= MAX_VARIANCE
        assert 0 <= after.slow_e18 <= MAX_VARIANCE
        state = after


def test_a_memory_is_at_most_replaced_by_what_is_seen() -> None:
    state = seen((1, PRICE), (1 + 10 * FAST_NS, PRICE * 2))
    assert state.fast_e18 == 10**17  # a return of one over ten days, a tenth a day


def test_brackets_count_less_of_what_is_more() -> None:
    terms = replace(
        WBTC,
        brackets=(
            Bracket(10 * ONE_E8, RatioE6(ONE_E6)),
            Bracket(20 * ONE_E8, RatioE6(800_000)),
            Bracket(30 * ONE_E8, RatioE6(500_000)),
        ),
    )
    curve = credit_curve(PRICE, RatioE6(50_000), terms)
    assert [price for _, price in curve] == [95_000 * ONE_E8, 80_000 * ONE_E8, 50_000 * ONE_E8]
    usd = ONE_E6
    assert collateral_credit(10 * ONE_E8, curve) == 950_000 * usd
    assert collateral_credit(15 * ONE_E8, curve) == 1_350_000 * usd
    assert collateral_credit(30 * ONE_E8, curve) == 2_250_000 * usd
    assert collateral_credit(90 * ONE_E8, curve) == 2_250_000 * usd  # above the last: nothing
    deep = credit_curve(PRICE, RatioE6(400_000), terms)
    assert [price for _, price in deep] == [60_000 * ONE_E8, 60_000 * ONE_E8, 50_000 * ONE_E8]


def test_values_round_down() -> None:
    assert collateral_value(1, 10**10 - 1) == 0
    assert credit_curve(3, RatioE6(500_000), WBTC)[0][1] == 1
    assert total_credit((1, 0), (((10, 10**10),), ((10, 1),))) == 1


@st.composite
def curves(draw: st.DrawFn) -> CreditCurve:
    uptos = sorted(draw(st.sets(st.integers(1, 2**60 - 1), min_size=1, max_size=4)))
    prices = draw(st.lists(st.integers(0, 2**46), min_size=len(uptos), max_size=len(uptos)))
    return tuple(zip(uptos, sorted(prices, reverse=True), strict=True))


@given(AMOUNTS, AMOUNTS, curves())
def test_more_collateral_never_counts_less_and_never_more_than_its_first_price(
    a: int, b: int, curve: CreditCurve
) -> None:
    low, high = sorted((a, b))
    assert collateral_credit(low, curve) <= collateral_credit(high, curve)
    assert collateral_credit(high, curve) <= collateral_value(high, curve[0][1])


@given(AMOUNTS, curves(), st.integers(-5, 10**20))
def test_the_least_amount_is_enough_and_one_unit_less_is_not(
    held: int, curve: CreditCurve, needed: int
) -> None:
    kept = least_amount(needed, held, curve)
    if kept is None:
        assert collateral_credit(held, curve) < needed
        return
    assert 0 <= kept <= held
    assert collateral_credit(kept, curve) >= needed or needed <= 0
    assert kept == 0 or collateral_credit(kept - 1, curve) < needed


@pytest.mark.parametrize("held", [0, 7])
def test_nothing_is_kept_for_no_need(held: int) -> None:
    assert least_amount(0, held, ((10, 5),)) == 0
    assert least_amount(1, held, ((10, 0),)) is None
