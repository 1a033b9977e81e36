"""Liquidation: only below the trigger, never more than the rule, and the fund pays what is left."""

import pytest

from offchain.engine.events import (
    Closing,
    CollateralSold,
    DeficitCovered,
    Event,
    LiquidationOrdered,
    OrderClosed,
    PenaltyCharged,
    PositionTransferred,
    Tier,
)
from offchain.engine.machine import Decision, below_trigger
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from tests.support.venue import BTC_PERP, Venue, option


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    v.deposit(10, 50_000)
    v.deposit(11, 5_000_000)
    v.price(120_000)
    v.trade(2, 3, BTC_PERP, 2_400, 120_000)
    return v


def fall_to(venue: Venue, *prices: int) -> None:
    for usd in prices:
        venue.price(usd)


def accepted(decision: Decision) -> tuple[Event, ...]:
    assert not isinstance(decision, Rejected), str(decision)
    return decision


def ordered(decision: Decision) -> LiquidationOrdered:
    return next(e for e in accepted(decision) if isinstance(e, LiquidationOrdered))


def test_a_healthy_account_is_never_liquidated(venue: Venue) -> None:
    decision = venue.liquidate(2)
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.NOT_LIQUIDATABLE  # INV-8
    assert below_trigger(venue.state) == []


def test_the_trigger_is_exact_to_the_unit(venue: Venue) -> None:
    fall_to(venue, 115_000)
    margin = account_margin(venue.state, 2)
    spare = margin.margin_balance_e6 - margin.maintenance_e6
    venue.grant(2, -spare)
    assert isinstance(venue.liquidate(2), Rejected)  # balance == maintenance
    venue.grant(2, -1)
    assert below_trigger(venue.state) == [2]
    assert ordered(venue.liquidate(2)).tier is Tier.PARTIAL


def test_a_partial_step_reduces_and_raises_the_ratio(venue: Venue) -> None:
    fall_to(venue, 115_000, 110_000, 109_000)
    before = account_margin(venue.state, 2)
    assert before.margin_balance_e6 < before.maintenance_e6
    step = ordered(venue.liquidate(2))
    assert step.tier is Tier.PARTIAL
    (leg,) = step.legs
    assert 0 < -leg.lots <= 1_200  # reduce-only, within the 50 % cap (E-11)
    after = account_margin(venue.state, 2)
    assert after.ratio_e6 is not None
    assert before.ratio_e6 is not None
    assert after.ratio_e6 > before.ratio_e6
    assert venue.conserved()


def test_the_book_is_asked_before_the_backstop(venue: Venue) -> None:
    fall_to(venue, 115_000, 110_000, 109_000)
    venue.must(venue.order(3, BTC_PERP, 100, 109_000))
    events = accepted(venue.liquidate(2))
    kinds = [type(e).__name__ for e in events]
    assert kinds.index("Filled") < kinds.index("PositionTransferred")


def test_an_order_below_the_limit_price_is_not_hit(venue: Venue) -> None:
    fall_to(venue, 115_000, 110_000, 109_000)
    venue.must(venue.order(3, BTC_PERP, 10_000, 90_000))
    events = accepted(venue.liquidate(2))
    assert not any(type(e).__name__ == "Filled" for e in events)


def test_resting_orders_of_the_account_are_closed_first(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, -1, 200_000))
    fall_to(venue, 115_000, 110_000, 109_000)
    events = accepted(venue.liquidate(2))
    assert isinstance(events[0], OrderClosed)
    assert events[0].closing is Closing.LIQUIDATION
    assert venue.state.orders_of(2) == []


def test_a_deep_fall_closes_everything_and_the_fund_pays_the_deficit(venue: Venue) -> None:
    fall_to(venue, 115_000, 110_000, 105_000, 100_000, 95_000)
    deficit = -account_margin(venue.state, 2).equity_e6
    assert deficit > 0
    fund = int(venue.state.accounts.cash[0])
    events = accepted(venue.liquidate(2))
    assert ordered(events).tier is Tier.FULL
    covered = next(e for e in events if isinstance(e, DeficitCovered))
    assert covered.paid_e6 + covered.shortfall_e6 == deficit  # INS-1
    assert covered.shortfall_e6 == 0
    assert int(venue.state.accounts.cash[0]) == fund - deficit
    assert venue.state.accounts.positions(2) == ()
    assert int(venue.state.accounts.cash[2]) == 0
    assert not any(isinstance(e, PenaltyCharged) for e in events)  # nothing left to charge
    assert venue.conserved()


def test_a_fund_that_is_too_small_leaves_a_named_shortfall() -> None:
    venue = Venue()
    venue.fund(insurance_usd=1_000, backstop_usd=5_000_000)
    venue.deposit(10, 50_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    fall_to(venue, 115_000, 110_000, 105_000, 100_000, 95_000)
    fund = int(venue.state.accounts.cash[0])
    events = accepted(venue.liquidate(2))
    covered = next(e for e in events if isinstance(e, DeficitCovered))
    assert covered.paid_e6 == fund
    assert covered.shortfall_e6 > 0
    assert int(venue.state.accounts.cash[0]) == 0  # the fund is never negative
    assert int(venue.state.accounts.cash[2]) == -covered.shortfall_e6
    assert venue.state.flows.shortfall_e6 == covered.shortfall_e6
    decision = venue.liquidate(2)
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE
    venue.deposit(int("f0" * 20, 16), 100_000)
    events = accepted(venue.liquidate(2))
    assert int(venue.state.accounts.cash[2]) == 0
    assert venue.conserved()


def test_collateral_is_sold_before_the_fund_is_asked() -> None:
    venue = Venue()
    venue.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    trader, other = venue.deposit(10, btc=0.5), venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(trader, other, BTC_PERP, 1_800, 120_000)
    fall_to(venue, 115_000, 110_000, 105_000, 101_000)
    events = accepted(venue.liquidate(trader))
    assert ordered(events).tier is Tier.FULL
    (sold,) = (e for e in events if isinstance(e, CollateralSold))
    assert sold.buyer == 1
    assert int(venue.state.accounts.cash[trader]) >= 0
    assert not any(isinstance(e, DeficitCovered) for e in events)
    assert venue.conserved()


def test_nothing_is_handed_to_a_backstop_that_cannot_carry_it() -> None:
    venue = Venue()
    venue.fund(insurance_usd=20_000, backstop_usd=10)
    venue.deposit(10, 50_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    fall_to(venue, 115_000, 110_000, 109_000)
    decision = venue.liquidate(2)
    assert isinstance(decision, Rejected)  # K-1: no step without a change
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE
    venue.must(venue.order(3, BTC_PERP, 10, 109_000))
    events = accepted(venue.liquidate(2))
    assert not any(isinstance(e, PositionTransferred) for e in events)


def test_a_hedge_stays_while_what_it_covers_is_reduced() -> None:
    venue = Venue()
    venue.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    venue.deposit(10, 45_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    put = option("BTC-MONTH-110000-P")
    venue.trade(2, 3, BTC_PERP, 2_000, 120_000)
    venue.trade(2, 3, put, 1_000, 1_500)
    for usd in range(119_000, 60_000, -1_000):
        venue.price(usd)
        if below_trigger(venue.state):
            break
    step = ordered(venue.liquidate(2))
    assert step.tier is Tier.PARTIAL
    assert [leg.instrument for leg in step.legs] == [BTC_PERP]


def test_reserved_accounts_are_not_liquidated(venue: Venue) -> None:
    for account in (0, 1):
        decision = venue.liquidate(account)
        assert isinstance(decision, Rejected)
        assert decision.reason is Reason.RESERVED_ACCOUNT
