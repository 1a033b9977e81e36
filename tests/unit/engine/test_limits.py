"""Every limit is refused where a value enters, one unit beyond it and no earlier."""

from dataclasses import replace

import pytest

from offchain.core.units import ONE_E8, AccountId, InstrumentId, TimestampNs
from offchain.engine import machine
from offchain.engine.events import (
    Closing,
    Filled,
    LiquidationOrdered,
    OrderClosed,
    PositionTransferred,
)
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.messages import Deposit, FundingTick, Genesis, Liquidate, SettleExpiry
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.engine.withdrawal import withdrawable
from offchain.ledger.effects import effect_words
from offchain.services.batch_policy import BatchPolicy
from offchain.services.sequencer import COMMIT_BYTES
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ENTRY_TIME_S,
    ETH_PERP,
    RULES,
    WEEK_NS,
    Venue,
    feed_values,
)

TRANSACTION_BYTES = 128 << 10
RECORD_BYTES = 4 << 10
"""Frame, roots and calldata around the effects of one record, at the most."""


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        v.deposit(name, 50_000)
    v.price(120_000)
    return v


def test_an_account_has_positions_and_orders_in_32_instruments_and_no_more(venue: Venue) -> None:
    ids = [i.id for i in RULES.listing.instruments]
    for instrument in ids[:16]:
        venue.must(venue.order(3, instrument, -1, 0.1))
        venue.must(venue.order(2, instrument, 1, 0.1))
    for instrument in ids[16:32]:
        venue.must(venue.order(2, instrument, 1, 0.1))
    assert venue.refuses(venue.order(2, ids[32], 1, 0.1)) is Reason.TOO_MANY_POSITIONS
    venue.must(venue.order(2, ids[0], 1, 0.1))
    for instrument in ids[16:32]:
        venue.must(venue.order(4, instrument, -1, 0.1))
    assert venue.state.accounts.counts[2] == 32
    assert venue.refuses(venue.order(2, ids[32], 1, 0.1)) is Reason.TOO_MANY_POSITIONS


def test_position_and_orders_of_one_side_stay_below_the_lots_limit(venue: Venue) -> None:
    rich, other = (venue.deposit(name, 20_000_000_000) for name in (13, 14))
    half = 1 << 23
    venue.trade(rich, other, ETH_PERP, half - 1, 4_300)
    venue.must(venue.order(rich, ETH_PERP, half - 1, 3_000))
    assert venue.refuses(venue.order(rich, ETH_PERP, 2, 3_000)) is Reason.POSITION_LIMIT
    venue.must(venue.order(rich, ETH_PERP, 1, 3_000))
    assert venue.refuses(venue.order(rich, ETH_PERP, 1, 3_000)) is Reason.POSITION_LIMIT
    venue.must(venue.order(rich, ETH_PERP, -half, 5_000))  # the other side has room of its own


def test_an_order_touches_a_bounded_number_of_orders_and_its_rest_is_dropped(venue: Venue) -> None:
    makers = [venue.deposit(name, 50_000) for name in range(20, 25)]
    for k in range(MATCH_LIMIT + 1):
        venue.must(venue.order(makers[k // 64], BTC_PERP, -1, 120_000))
    events = venue.must(venue.order(2, BTC_PERP, MATCH_LIMIT + 10, 120_000))
    assert sum(isinstance(e, Filled) for e in events) == MATCH_LIMIT
    assert isinstance(events[-1], OrderClosed)
    assert events[-1].closing is Closing.UNFILLED
    assert venue.state.orders_of(2) == []


def test_a_liquidation_touches_as_many_orders_over_all_its_legs(venue: Venue) -> None:
    """Its one record, on top of a batch that is nearly due, still fits into a transaction."""
    rich, owner = venue.deposit(13, 30_000_000), venue.deposit(14, 300_000)
    makers = [venue.deposit(name, 500_000) for name in range(20, 26)]
    venue.trade(owner, rich, BTC_PERP, 8_000, 120_000)
    venue.trade(owner, rich, ETH_PERP, 8_000, 4_300)
    for usd in (110_000, 100_000, 92_000):
        venue.price(usd)
    for k in range(6 * 30):
        venue.must(venue.order(makers[k // 30], BTC_PERP, 1, 92_000))
        venue.must(venue.order(makers[k // 30], ETH_PERP, 1, 4_300))
    events = venue.liquidate(owner)
    assert not isinstance(events, Rejected)
    (legs,) = (e.legs for e in events if isinstance(e, LiquidationOrdered))
    fills = [e for e in events if isinstance(e, Filled)]
    assert {leg.instrument for leg in legs} == {f.instrument for f in fills}
    assert len(fills) == MATCH_LIMIT
    assert sum(isinstance(e, PositionTransferred) for e in events) == len(legs)
    words = sum(len(effect_words(venue.state, event)) for event in events)
    policy = BatchPolicy()
    most = policy.max_bytes - policy.call_bytes + COMMIT_BYTES + words + RECORD_BYTES
    assert most <= TRANSACTION_BYTES


def test_nothing_comes_before_genesis_and_no_second_one_after() -> None:
    empty = Venue.__new__(Venue)
    empty.state, empty.now = State(), 1
    assert empty.refuses(Deposit(1, ENTRY_TIME_S, bytes(20), 0, 0, 1)) is Reason.NOT_CONFIGURED
    assert Venue().refuses(Genesis(RULES)) is Reason.ALREADY_CONFIGURED


def test_time_does_not_go_back(venue: Venue) -> None:
    venue.now -= 1
    assert venue.refuses(venue.order(2, BTC_PERP, 1, 120_000)) is Reason.TIME_WENT_BACK


def test_a_report_names_registered_signers_and_prices_below_the_limit(venue: Venue) -> None:
    good = venue.report(*feed_values(120_000))
    *rest, last = good.observations
    stranger = replace(good, observations=(*rest, replace(last, signer=7)))
    assert venue.refuses(stranger) is Reason.BAD_REPORT
    huge = replace(last, values=(1 << 46, *last.values[1:]))
    assert venue.refuses(replace(good, observations=(*rest, huge))) is Reason.BAD_REPORT
    venue.must(good)


def test_a_pending_report_counts_for_the_order_of_rounds_and_times(venue: Venue) -> None:  # O-7
    held = venue.report(*feed_values(60_000))
    venue.must(held)
    assert venue.state.market.pending is not None
    assert venue.refuses(held) is Reason.OLD_REPORT  # it cannot confirm itself
    later = replace(held, observed_at_ns=TimestampNs(held.observed_at_ns + 1))
    assert venue.refuses(later) is Reason.OLD_REPORT
    next_round = replace(held, round=held.round + 1)
    assert venue.refuses(next_round) is Reason.OLD_REPORT
    venue.must(replace(later, round=held.round + 1))
    assert venue.state.index_price(0) == 60_000 * ONE_E8


def test_an_old_report_is_refused_and_the_oldest_that_may_be_is_not(venue: Venue) -> None:
    report = venue.report(*feed_values(120_000))
    venue.now += 600 * 10**9
    oldest = replace(report, observed_at_ns=TimestampNs(report.observed_at_ns - 1))
    assert venue.refuses(oldest) is Reason.STALE_PRICES
    venue.must(report)
    venue.must(venue.order(2, BTC_PERP, 1, 110_000))  # O-1, to the nanosecond
    venue.now += 1
    assert venue.refuses(venue.order(2, BTC_PERP, 1, 110_000)) is Reason.STALE_PRICES


@pytest.fixture
def crashed(venue: Venue) -> Venue:
    """Return a venue where account 2 is due for a partial step."""
    venue.deposit(13, 5_000_000)
    venue.trade(2, 5, BTC_PERP, 2_400, 120_000)
    for usd in (115_000, 110_500, 109_000):
        venue.price(usd)
    return venue


def test_a_step_closes_each_order_of_the_account_once(venue: Venue) -> None:
    venue.deposit(13, 5_000_000)
    venue.trade(2, 5, BTC_PERP, 2_400, 120_000)
    venue.must(venue.order(2, BTC_PERP, 1, 110_000))
    order_id = venue.state.last_seq
    for usd in (115_000, 110_500, 109_000):
        venue.price(usd)
    events = venue.liquidate(2)
    assert isinstance(events, tuple)
    closed = [e.closing for e in events if isinstance(e, OrderClosed) and e.order_id == order_id]
    assert closed == [Closing.LIQUIDATION]


def test_a_liquidated_account_does_not_meet_its_own_order(crashed: Venue) -> None:
    bid = crashed.order(2, BTC_PERP, 1, 109_000)
    crashed.grant(2, 10**12)
    crashed.must(bid)
    order_id = crashed.state.last_seq
    crashed.grant(2, -(10**12))
    events = crashed.liquidate(2)
    assert isinstance(events, tuple)
    closed = [e.closing for e in events if isinstance(e, OrderClosed) and e.order_id == order_id]
    assert closed == [Closing.LIQUIDATION]


def test_liquidation_needs_fresh_prices(crashed: Venue) -> None:
    crashed.now += 600 * 10**9 + 1
    decision = crashed.liquidate(2)
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.STALE_PRICES  # O-1


def test_the_backstop_carries_what_its_initial_margin_covers_to_the_unit(crashed: Venue) -> None:
    state = crashed.state
    step = machine.decide(state, Liquidate(AccountId(2)), state.last_seq + 1, crashed.now)
    assert isinstance(step, tuple)
    (taken,) = (e.lots for e in step if isinstance(e, PositionTransferred))
    assert int(state.market.prices.lot_values_e6[BTC_PERP]) == 109_000_000
    need = taken * (17_440_000 + 1_090_000 + 32_700)  # scan 16 %, roll 1 %, closing fee 0.03 %
    crashed.grant(1, need - 1 - int(state.accounts.cash[1]))
    assert isinstance(crashed.liquidate(2), Rejected)
    crashed.grant(1, 1)
    assert isinstance(crashed.liquidate(2), tuple)
    assert state.accounts.lots_of(1, BTC_PERP) == taken


def test_a_backstop_with_32_positions_takes_no_other(crashed: Venue) -> None:
    ids = [i.id for i in RULES.listing.instruments if i.id != BTC_PERP]
    for instrument in ids[:32]:
        crashed.must(crashed.order(1, instrument, 1, 0.1))
        crashed.must(crashed.order(4, instrument, -1, 0.1))
    assert crashed.state.accounts.counts[1] == 32
    decision = crashed.liquidate(2)
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE


def test_a_backstop_at_the_lots_limit_takes_no_more() -> None:
    venue = Venue()
    venue.fund(insurance_usd=100_000, backstop_usd=20_000_000_000)
    bankrupt = [venue.deposit(name, 50_000) for name in (10, 11)]
    rich, other = (venue.deposit(name, 20_000_000_000) for name in (12, 13))
    venue.price(120_000)
    venue.trade(1, rich, ETH_PERP, (1 << 24) - 2, 4_300)
    for account in bankrupt:
        venue.trade(account, other, ETH_PERP, 1, 4_300)
        venue.state.accounts.add_cash(account, -50_000 * 10**6)
        venue.state.accounts.add_cash(other, 50_000 * 10**6)
    assert isinstance(venue.liquidate(bankrupt[0]), tuple)
    assert venue.state.accounts.lots_of(1, ETH_PERP) == (1 << 24) - 1
    decision = venue.liquidate(bankrupt[1])
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE


def test_expired_options_and_futures_settle_once_and_only_at_fresh_prices(venue: Venue) -> None:
    week = InstrumentId(BTC_WEEK)
    venue.now = WEEK_NS
    venue.price(120_000)
    venue.now += 600 * 10**9 + 1
    assert venue.refuses(SettleExpiry(week)) is Reason.STALE_PRICES
    venue.price(120_000)
    venue.must(SettleExpiry(week))
    assert venue.refuses(SettleExpiry(week)) is Reason.UNKNOWN_INSTRUMENT


def test_a_resting_order_binds_a_withdrawal_to_fresh_prices(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, 1_000, 110_000))
    assert venue.refuses(venue.withdraw(2, usd=49_000)) is Reason.NOT_WITHDRAWABLE
    venue.now += 600 * 10**9 + 1
    assert venue.refuses(venue.withdraw(2, usd=1)) is Reason.STALE_PRICES
    assert venue.refuses(FundingTick()) is Reason.STALE_PRICES


def test_a_debt_without_a_position_holds_the_collateral(venue: Venue) -> None:
    venue.deposit(10, btc=1)
    venue.state.accounts.add_cash(2, -60_000 * 10**6)
    venue.state.accounts.add_cash(3, 60_000 * 10**6)
    most = withdrawable(venue.state, 2, 1)
    assert 0 < most < ONE_E8
    assert venue.refuses(venue.withdraw(2, btc=(most + 1) / ONE_E8)) is Reason.NOT_WITHDRAWABLE
    venue.must(venue.withdraw(2, btc=most / ONE_E8))
    assert account_margin(venue.state, 2).margin_balance_e6 >= 0
    nothing = replace(venue.withdraw(2, usd=1), amount=0)
    assert venue.refuses(nothing) is Reason.BAD_AMOUNT


def test_the_backstop_is_never_named_for_liquidation(crashed: Venue) -> None:
    crashed.must(crashed.order(4, BTC_PERP, -300, 109_000))
    crashed.must(crashed.order(1, BTC_PERP, 300, 109_000))
    crashed.state.accounts.add_cash(1, -5_000_000 * 10**6)
    assert account_margin(crashed.state, 1).margin_balance_e6 < 0
    assert machine.below_trigger(crashed.state) == [2]


def test_an_intent_is_good_until_the_nanosecond_before_its_expiry(venue: Venue) -> None:
    order = venue.order(2, BTC_PERP, 1, 110_000)
    late = replace(order, expires_at_ns=TimestampNs(venue.now))
    assert venue.refuses(late) is Reason.INTENT_EXPIRED
    venue.must(replace(order, expires_at_ns=TimestampNs(venue.now + 1)))
