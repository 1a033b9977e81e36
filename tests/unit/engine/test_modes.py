"""Modes: what each may hold and must hold, and how an account changes its own (E-13)."""

import pytest

from offchain.core.margin import Mode
from offchain.core.units import SECOND_NS, InstrumentId
from offchain.engine.events import (
    Closing,
    DeficitCovered,
    LiquidationOrdered,
    ModeChanged,
    OrderClosed,
    PenaltyCharged,
    PositionTransferred,
    Tier,
)
from offchain.engine.machine import below_trigger
from offchain.engine.messages import SettleExpiry
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    WEEK_NS,
    Venue,
    feed_values,
    option,
)

CALL = option("BTC-WEEK-120000-C")
USD = 10**6


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        v.deposit(name, 50_000)
    v.price(120_000)
    return v


def refused(venue: Venue, account: int, mode: int) -> Rejected:
    decision = venue.do(venue.set_mode(account, mode))
    assert isinstance(decision, Rejected), decision
    return decision


def test_a_new_account_is_a_portfolio_and_changes_by_a_signed_command(venue: Venue) -> None:
    assert int(venue.state.accounts.mode[2]) == Mode.PORTFOLIO
    events = venue.must(venue.set_mode(2, Mode.CROSS))
    assert isinstance(events[-1], ModeChanged)
    assert int(venue.state.accounts.mode[2]) == Mode.CROSS
    assert 2 in venue.state.accounts.dirty
    assert account_margin(venue.state, 2).mode is Mode.CROSS


@pytest.mark.parametrize(
    ("account", "mode", "reason"),
    [
        (2, 3, Reason.UNKNOWN_MODE),
        (2, -1, Reason.UNKNOWN_MODE),
        (2, 2, Reason.SAME_MODE),
        (0, 1, Reason.RESERVED_ACCOUNT),
        (1, 1, Reason.RESERVED_ACCOUNT),
        (99, 1, Reason.UNKNOWN_ACCOUNT),
    ],
)
def test_a_change_that_means_nothing_is_refused(
    venue: Venue, account: int, mode: int, reason: Reason
) -> None:
    assert refused(venue, account, mode).reason is reason


def test_the_same_intent_counts_once(venue: Venue) -> None:
    command = venue.set_mode(2, Mode.CROSS)
    venue.must(command)
    assert venue.refuses(command) is Reason.NONCE_USED


def test_options_held_or_ordered_keep_an_account_a_portfolio(venue: Venue) -> None:
    venue.must(venue.order(2, CALL, 1, 100))
    for mode in (Mode.CROSS, Mode.ISOLATED):
        decision = refused(venue, 2, mode)
        assert decision.reason is Reason.OPTION_NEEDS_PORTFOLIO
        assert dict(decision.numbers)["instrument"] == CALL
    venue.must(venue.order(3, CALL, -1, 100))
    assert refused(venue, 3, Mode.CROSS).reason is Reason.OPTION_NEEDS_PORTFOLIO


def test_orders_that_have_expired_do_not_bind_and_leave_the_book(venue: Venue) -> None:
    order = venue.order(2, CALL, 1, 100)
    object.__setattr__(order, "expires_at_ns", venue.now + 1)
    venue.must(order)
    venue.now += 1
    events = venue.must(venue.set_mode(2, Mode.ISOLATED))
    assert any(isinstance(e, OrderClosed) and e.closing is Closing.EXPIRED for e in events)
    assert venue.state.orders_of(2) == []


def test_an_isolated_account_has_one_instrument_of_positions_and_orders(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 10, 120_000)
    venue.must(venue.order(2, ETH_PERP, 1, 4_000))
    order_id = venue.state.last_seq
    decision = refused(venue, 2, Mode.ISOLATED)
    assert decision.reason is Reason.MODE_FORBIDS
    assert dict(decision.numbers)["instruments"] == 2
    venue.must(venue.cancel(2, order_id))
    venue.must(venue.set_mode(2, Mode.ISOLATED))
    assert venue.refuses(venue.order(2, ETH_PERP, 1, 4_000)) is Reason.MODE_FORBIDS
    assert venue.refuses(venue.order(2, BTC_WEEK, 1, 100_000)) is Reason.MODE_FORBIDS
    venue.must(venue.order(2, BTC_PERP, 1, 100_000))


def test_a_cross_account_orders_futures_and_no_options(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    for instrument in (BTC_PERP, BTC_WEEK, ETH_PERP):
        venue.must(venue.order(2, instrument, 1, 100))
    assert venue.refuses(venue.order(2, CALL, 1, 100)) is Reason.MODE_FORBIDS


def test_linear_margin_is_that_of_the_tiers(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    margin = account_margin(venue.state, 2)
    assert margin.maintenance_e6 == 600 * USD  # 0.5 % of 120,000
    assert margin.initial_e6 == 1_200 * USD
    assert margin.scan_e6 == margin.addons_e6 == 0
    (line,) = margin.lines
    assert (line.instrument, line.notional_e6) == (BTC_PERP, 120_000 * USD)


def test_nothing_nets_between_instruments_of_a_cross_account(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.trade(3, 2, BTC_WEEK, 1_000, 120_000)
    assert account_margin(venue.state, 2).maintenance_e6 == 1_200 * USD


def test_a_switch_below_initial_margin_is_refused_with_both_numbers(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.trade(2, 4, BTC_PERP, 2_000, 120_000)
    venue.must(venue.set_mode(3, Mode.CROSS))
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)  # 360,000 at 50,000: more than a portfolio may
    decision = refused(venue, 2, Mode.PORTFOLIO)
    assert decision.reason is Reason.INSUFFICIENT_MARGIN
    numbers = dict(decision.numbers)
    assert numbers["initial_margin_e6"] == 360_000 * USD * 1_703 // 10_000
    assert numbers["margin_balance_e6"] == (50_000 - 108) * USD
    assert int(venue.state.accounts.mode[2]) == Mode.CROSS


def test_orders_count_at_their_worst_and_at_their_price(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.must(venue.order(2, BTC_PERP, 1_000, 119_000))
    assert account_margin(venue.state, 2).initial_e6 == 1_200 * USD  # bought below the mark
    venue.must(venue.order(2, BTC_PERP, -2_000, 121_000))
    assert account_margin(venue.state, 2).initial_e6 == 2_400 * USD  # one side, not both
    venue.must(venue.order(2, ETH_PERP, 100, 4_310))
    extra = 100 * 43 * USD // 100 + 100 * USD // 10  # 1 % of 43 a lot, and 0.1 above the mark
    margin = account_margin(venue.state, 2)
    assert margin.initial_e6 == 2_400 * USD + extra
    assert margin.slippage_e6 == 100 * USD // 10
    assert margin.maintenance_e6 == 0


def test_without_risk_a_mode_changes_without_prices(venue: Venue) -> None:
    venue.trade(3, 4, BTC_PERP, 1, 120_000)
    venue.now += 10**13
    venue.must(venue.set_mode(2, Mode.CROSS))
    assert refused(venue, 3, Mode.CROSS).reason is Reason.STALE_PRICES


def test_with_risk_a_mode_does_not_change_while_a_jump_waits(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1, 120_000)
    venue.must(venue.report(*feed_values(60_000)))
    decision = refused(venue, 2, Mode.CROSS)
    assert decision.reason is Reason.STALE_PRICES
    assert "pending_round" in dict(decision.numbers)


def test_a_cross_account_is_liquidated_by_its_own_requirement(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.deposit(13, 5_000_000)
    venue.trade(2, 5, BTC_PERP, 6_000, 120_000)  # 720,000 on 50,000
    for usd in (116_000, 113_000, 112_200):
        venue.price(usd)
    margin = account_margin(venue.state, 2)
    assert margin.maintenance_e6 == 6_000 * 112_200 * 1_000 * 5 // 1_000
    assert margin.margin_balance_e6 < margin.maintenance_e6
    assert below_trigger(venue.state) == [2]
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    step = next(e for e in events if isinstance(e, LiquidationOrdered))
    assert step.tier is Tier.PARTIAL
    assert any(isinstance(e, PositionTransferred) for e in events)
    after = account_margin(venue.state, 2)
    # A fee of 0.5 % is as much as the requirement: the most is half of what stood behind it.
    (paid,) = (e.amount_e6 for e in events if isinstance(e, PenaltyCharged))
    released = margin.maintenance_e6 - after.maintenance_e6
    assert paid == margin.margin_balance_e6 * released // (2 * margin.maintenance_e6)
    assert after.ratio_e6 is not None
    assert margin.ratio_e6 is not None
    assert after.ratio_e6 > margin.ratio_e6
    assert int(venue.state.accounts.mode[1]) == Mode.PORTFOLIO
    assert venue.state.accounts.lots_of(1, InstrumentId(BTC_PERP)) > 0


def test_a_bankrupt_isolated_account_draws_on_the_fund(venue: Venue) -> None:
    venue.must(venue.set_mode(2, Mode.ISOLATED))
    venue.deposit(13, 5_000_000)
    venue.trade(2, 5, BTC_PERP, 6_000, 120_000)
    for usd in (115_000, 110_000):
        venue.price(usd)
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    covered = next(e for e in events if isinstance(e, DeficitCovered))
    assert covered.paid_e6 == (10_000 * 6 - 50_000 + 216) * USD  # the loss, the fee, the deposit
    assert venue.state.accounts.positions(2) == ()
    assert venue.conserved()


def test_open_interest_raises_the_rate_of_everybody(venue: Venue) -> None:
    rich, other = (venue.deposit(name, 10_000_000_000) for name in (13, 14))
    venue.must(venue.set_mode(2, Mode.CROSS))
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    before = account_margin(venue.state, 2)
    venue.trade(rich, other, BTC_PERP, 2_000_000_000 // 120, 120_000)
    assert int(venue.state.accounts.open_interest[BTC_PERP]) == 1_000 + 2_000_000_000 // 120
    after = account_margin(venue.state, 2)
    assert after.maintenance_e6 == before.maintenance_e6
    # A quarter of the way from 1 to 5 billion: 1 % + 99 % / 4, and a little for its own 1,000.
    assert 25_750 * 12 * USD // 100 * 10 <= after.initial_e6 <= 25_760 * 12 * USD // 100 * 10


def test_a_future_that_waits_for_its_settlement_still_requires_margin(venue: Venue) -> None:
    venue.trade(2, 3, BTC_WEEK, 1_000, 120_000)
    venue.must(venue.set_mode(2, Mode.CROSS))
    before = account_margin(venue.state, 2)
    venue.now = WEEK_NS - 60 * SECOND_NS
    venue.price(120_000)  # a report of the moment of expiry: from now on it follows the index
    after = account_margin(venue.state, 2)
    assert (after.maintenance_e6, after.initial_e6) == (before.maintenance_e6, before.initial_e6)
    most = after.margin_balance_e6 - after.initial_e6
    assert venue.refuses(venue.withdraw(2, (most + 1) / USD)) is Reason.NOT_WITHDRAWABLE
    venue.must(SettleExpiry(InstrumentId(BTC_WEEK)))
    assert account_margin(venue.state, 2).initial_e6 == 0
