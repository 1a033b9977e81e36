"""The small rules of the core hold for every input within its limits."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.collateral import collateral_value, credit_curve
from offchain.core.funding import funding_rate_e8, funding_step_e6
from offchain.core.liquidation import SHARES, limit_price, share_legs
from offchain.core.margin import call_level, is_below, is_valid_risk_change, maintenance_margin
from offchain.core.oracle import is_accepted, median_low, medians
from offchain.core.units import (
    COLLATERAL_BITS,
    ONE_E6,
    PRICE_BITS,
    RatioE6,
    ceil_div,
    floor_div,
    mul_div_ceil,
    mul_div_floor,
)
from tests.support.venue import RULES

MONEY = st.integers(-(2**60), 2**60)
POSITIVE = st.integers(0, 2**60)
AMOUNT = st.integers(0, 2**COLLATERAL_BITS - 1)
PRICE = st.integers(1, 2**PRICE_BITS - 1)
RATIO = st.integers(1, 2 * ONE_E6)


@given(AMOUNT, AMOUNT, PRICE, st.integers(1, ONE_E6 - 1))
def test_splitting_collateral_never_gains_and_a_haircut_never_adds(
    a: int, b: int, price: int, haircut: int
) -> None:
    after = credit_curve(price, RatioE6(haircut), RULES.collateral[0])[0][1]
    assert after <= price
    parts = collateral_value(a, after) + collateral_value(b, after)
    assert parts <= collateral_value(a + b, after) <= parts + 1


@given(MONEY, st.integers(1, 2**60))
def test_floor_and_ceil_meet_only_at_exact_quotients(a: int, b: int) -> None:
    assert floor_div(a, b) * b <= a <= ceil_div(a, b) * b
    assert ceil_div(a, b) - floor_div(a, b) == (a % b != 0)
    assert mul_div_floor(a, 3, b) <= mul_div_ceil(a, 3, b)


@given(POSITIVE, POSITIVE, RATIO)
def test_requirements_are_monotone_and_round_up(scan: int, more: int, factor: int) -> None:
    low = maintenance_margin(scan, 0, factor)  # type: ignore[arg-type]
    assert low * ONE_E6 >= scan * factor
    assert maintenance_margin(scan + more, 0, factor) >= low  # type: ignore[arg-type]


@given(MONEY, POSITIVE)
def test_more_balance_never_lowers_a_call_level(balance: int, due: int) -> None:
    levels = RULES.liquidation.call_levels_e6
    assert call_level(balance + 1, due, levels) <= call_level(balance, due, levels)
    assert is_below(-1, due, levels[0])


@given(MONEY, POSITIVE, MONEY, POSITIVE)
def test_a_valid_risk_change_meets_the_requirement_or_keeps_the_ratio(  # INV-7
    balance: int, due: int, balance_after: int, due_after: int
) -> None:
    if is_valid_risk_change(balance, due, balance_after, due_after):
        assert balance_after >= due_after or balance_after * due >= balance * due_after
    elif due and due_after:
        assert balance_after < due_after


@given(st.lists(st.integers(1, 2**45), min_size=5, max_size=7), st.integers(1, 2**45))
def test_two_liars_of_five_cannot_move_the_median_past_the_honest(
    honest: list[int], lie: int
) -> None:
    reports = [*honest[:3], lie, lie]
    assert min(honest[:3]) <= median_low(reports) <= max(honest[:3])  # O-3, O-5
    assert medians([[r] for r in reports]) == (median_low(reports),)


@given(PRICE, PRICE)
def test_a_jump_needs_a_second_report_and_only_that(last: int, jump: int) -> None:
    band = RULES.oracle.band_e6
    is_small = abs(jump - last) * ONE_E6 <= band * last
    assert is_accepted((jump,), (last,), None, band) == is_small  # O-6
    assert is_accepted((jump,), (last,), (jump,), band)
    assert is_accepted((jump,), None, None, band)


@given(st.integers(-(10**8), 10**8), st.integers(0, 2**31), st.integers(0, 10**15))
def test_funding_is_capped_and_never_charges_more_than_a_period(
    premium: int, lot_value: int, elapsed: int
) -> None:
    funding = RULES.funding
    rate = funding_rate_e8(premium, funding)
    assert abs(rate) <= funding.cap_e8
    step = funding_step_e6(rate, lot_value, elapsed, funding)
    assert abs(step) <= lot_value * funding.cap_e8 // 10**8 + 1


@given(st.integers(-(2**24) + 1, 2**24 - 1).filter(bool), st.integers(1, SHARES))
def test_a_share_reduces_and_never_exceeds_its_cap(lots: int, share: int) -> None:
    ((_, change),) = share_legs([(0, lots)], share)
    assert change * lots < 0
    assert abs(change) <= abs(lots)
    assert abs(change) <= ceil_div(abs(lots) * (share * ONE_E6 // SHARES), ONE_E6) + 1


@given(st.integers(0, 2**45), PRICE)
def test_limit_prices_lie_on_the_tick_and_beyond_the_mark(mark: int, index: int) -> None:
    tick = 10_000_000
    terms = RULES.liquidation
    sale = limit_price(mark, index, tick, buys=False, parameters=terms)
    purchase = limit_price(mark, index, tick, buys=True, parameters=terms)
    assert sale % tick == purchase % tick == 0
    assert tick <= sale <= max(mark, tick)
    assert purchase >= mark
