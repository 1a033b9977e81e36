"""What a hostile trader or keeper would try: each was possible once, or nearly."""

from dataclasses import replace

import pytest

from offchain.core.units import InstrumentId, TimestampNs
from offchain.engine.events import Closing, FundingAccrued, OrderClosed, PositionTransferred
from offchain.engine.messages import FundingTick, PlaceOrder
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.withdrawal import withdrawable
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    WEEK_NS,
    Venue,
    feed_values,
    option,
    scan_only,
)

PUT = option("BTC-WEEK-100000-P")
HOUR_NS = 3_600 * 10**9


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        v.deposit(name, 50_000)
    return v


@pytest.fixture
def worthless() -> Venue:
    """Return an hour before the expiry, where a put is worth nothing and requires nothing."""
    venue = Venue(scan_only())
    for name in (10, 11):
        venue.deposit(name, 50_000)
    venue.now = WEEK_NS - HOUR_NS
    venue.price(500_000)
    assert not venue.state.market.prices.losses_e6[PUT].any()
    return venue


def until(order: PlaceOrder, expires_at_ns: int) -> PlaceOrder:
    return replace(order, expires_at_ns=TimestampNs(expires_at_ns))


def closings(events: object) -> list[Closing]:
    assert isinstance(events, tuple)
    return [e.closing for e in events if isinstance(e, OrderClosed)]


def test_a_position_without_risk_is_not_bought_back_for_more_than_the_account_has(
    worthless: Venue,
) -> None:
    venue = worthless
    venue.trade(3, 2, PUT, 1_000, 0.1)
    assert account_margin(venue.state, 2).maintenance_e6 == 0
    venue.must(venue.order(3, PUT, -1_000, 90_000))
    gift = venue.order(2, PUT, 1_000, 90_000, reduce_only=True)
    assert venue.refuses(gift) is Reason.INSUFFICIENT_MARGIN  # E-5, E-12
    assert account_margin(venue.state, 2).margin_balance_e6 > 0


def test_a_maker_without_risk_is_not_filled_beyond_what_the_account_has(venue: Venue) -> None:
    venue.now = WEEK_NS - HOUR_NS
    venue.price(500_000)
    week = InstrumentId(BTC_WEEK)
    venue.trade(2, 3, week, 500, 500_000)
    venue.must(venue.order(3, PUT, -1_000, 40))  # an order that is fine while there is money
    venue.must(venue.order(2, PUT, 1_000, 39))
    for usd in (480_000, 460_000, 440_000, 420_000, 402_000):
        venue.price(usd)
    venue.must(venue.order(4, week, 500, 402_000))
    venue.must(venue.order(2, week, -500, 402_000, reduce_only=True))
    cash = int(venue.state.accounts.cash[2])
    assert 0 < cash < 39_000_000 * 10**6
    left = account_margin(venue.state, 2, orders=())
    assert left.maintenance_e6 == 0
    spare = int(venue.state.accounts.cash[2]) - 5 * 10**6
    venue.state.accounts.add_cash(2, -spare)
    venue.state.accounts.add_cash(3, spare)
    events = venue.must(venue.order(3, PUT, -1_000, 39))
    assert Closing.MARGIN in closings(events)  # E-5
    assert account_margin(venue.state, 2).margin_balance_e6 >= 0


def test_collateral_that_pays_an_unrealised_loss_stays() -> None:
    venue = Venue(scan_only())
    trader, other = venue.deposit(10, usd=100, btc=1), venue.deposit(11, 500_000)
    venue.now = WEEK_NS - HOUR_NS
    venue.price(120_000)
    venue.trade(trader, other, PUT, 1_000, 0.1)
    venue.trade(trader, other, option("BTC-WEEK-110000-P"), 1_000, 20_000)
    for _ in range(3):
        venue.price(500_000)
    margin = account_margin(venue.state, trader)
    assert margin.initial_e6 == 0  # nothing can be lost any more: it is lost
    most = withdrawable(venue.state, trader, 1)
    assert 0 < most < 10**8
    venue.must(venue.withdraw(trader, btc=most / 10**8))
    assert account_margin(venue.state, trader).margin_balance_e6 >= 0
    assert venue.refuses(venue.withdraw(trader, btc=1e-8)) is Reason.NOT_WITHDRAWABLE


def test_a_debt_holds_its_collateral_whatever_the_unrealised_profit() -> None:
    venue = Venue()
    trader, other = venue.deposit(10, btc=1), venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(trader, other, BTC_PERP, 1_000, 120_000)
    venue.state.accounts.add_cash(trader, -20_000 * 10**6)
    venue.state.accounts.add_cash(other, 20_000 * 10**6)
    for usd in (126_000, 132_000, 138_000, 144_000, 151_000, 158_000, 165_000, 173_000):
        venue.price(usd)
    left = 10**8 - withdrawable(venue.state, trader, 1)
    debt = -int(venue.state.accounts.cash[trader])
    assert debt > 20_000 * 10**6
    haircut = venue.state.market.haircuts[0].haircut_e6
    assert 100_000 < haircut < 500_000  # such moves raise it from its floor of 5 %
    price = 173_000 * 100 * (10**6 - haircut)
    assert left * price // 10**10 >= debt  # unrealised profit never leaves
    assert (left - 1) * price // 10**10 < debt


def test_a_keeper_is_not_paid_for_closing_the_orders_of_an_account_again_and_again() -> None:
    venue = Venue()
    venue.fund(insurance_usd=20_000, backstop_usd=10)
    venue.deposit(10, 50_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    venue.must(venue.order(2, BTC_PERP, -1, 200_000, reduce_only=True))
    decision = venue.liquidate(2)
    assert isinstance(decision, Rejected)  # K-1
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE
    assert len(venue.state.orders_of(2)) == 1


def test_an_expired_instrument_is_liquidated_at_its_mark_not_on_orders_left_in_its_book(
    venue: Venue,
) -> None:
    week = InstrumentId(BTC_WEEK)
    venue.price(120_000)
    venue.must(venue.order(4, week, 2_000, 108_500))
    venue.trade(2, 3, week, 2_400, 120_000)
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    venue.now = WEEK_NS
    venue.price(109_000)
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    assert not any(type(e).__name__ == "Filled" for e in events)
    assert venue.state.accounts.lots_of(4, week) == 0
    assert venue.state.accounts.lots_of(1, week) > 0


def test_expired_orders_do_not_set_the_premium_of_the_funding(venue: Venue) -> None:
    venue.price(120_000)
    venue.must(until(venue.order(2, BTC_PERP, 1, 123_900), venue.now + 1))
    venue.must(venue.order(4, BTC_PERP, 1, 119_900))
    venue.must(venue.order(3, BTC_PERP, -1, 124_000))
    venue.now += 10**9
    events = venue.must(FundingTick())
    rates = {e.instrument: e.rate_e8 for e in events if isinstance(e, FundingAccrued)}
    mid = (119_900 + 124_000) * 10**8 // 2
    premium = (mid - 120_000 * 10**8) * 10**8 // (120_000 * 10**8)
    assert rates[InstrumentId(BTC_PERP)] == premium - 50_000


def test_a_reduce_only_order_that_can_reduce_no_more_does_not_stay_across_the_book(
    venue: Venue,
) -> None:
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 10, 120_000)
    venue.must(venue.order(2, BTC_PERP, -10, 120_000, reduce_only=True))
    venue.must(venue.order(3, BTC_PERP, 5, 119_000))
    venue.must(venue.order(2, BTC_PERP, -5, 119_000))
    assert venue.state.accounts.lots_of(2, BTC_PERP) == 5
    events = venue.must(venue.order(4, BTC_PERP, 20, 121_000))
    assert Closing.REDUCED in closings(events)
    book = venue.state.books[InstrumentId(BTC_PERP)]
    assert book.best_ask() is None
    assert book.best_bid() == 121_000 * 10**8
    assert venue.state.orders_of(2) == []


def test_fees_of_many_small_fills_are_in_the_margin_of_an_order(venue: Venue) -> None:
    venue.price(120_000)
    for _ in range(50):
        venue.must(venue.order(3, BTC_PERP, -1, 120_000.1))
    order = venue.order(2, BTC_PERP, 50, 120_000.1)
    margin = account_margin(venue.state, 2, orders=[(BTC_PERP, 50, int(order.limit_price_e8))])
    fee = -(-50 * 120_000_100 * 300 // 10**6)
    spare = margin.margin_balance_e6 - margin.initial_e6 - fee
    venue.state.accounts.add_cash(2, -spare)
    venue.state.accounts.add_cash(4, spare)
    decision = venue.do(order)
    if not isinstance(decision, Rejected):
        after = account_margin(venue.state, 2)
        assert after.margin_balance_e6 >= after.initial_e6  # E-4 to the unit
    venue.grant(2, 49)
    venue.must(order)


def test_a_grain_of_collateral_does_not_buy_a_step_on_a_debt(venue: Venue) -> None:
    venue.price(120_000)
    venue.state.accounts.add_cash(2, -250_000 * 10**6)
    venue.state.accounts.add_cash(3, 250_000 * 10**6)
    assert isinstance(venue.liquidate(2), Rejected)  # the fund holds 100,000
    venue.deposit(10, btc=1e-8)
    decision = venue.liquidate(2)
    assert isinstance(decision, Rejected)  # K-1
    assert decision.reason is Reason.NOTHING_TO_LIQUIDATE
    venue.deposit(10, btc=0.1)
    assert not isinstance(venue.liquidate(2), Rejected)
    assert not venue.state.accounts.collateral[2].any()
    assert int(venue.state.accounts.cash[0]) == 0
    assert isinstance(venue.liquidate(2), Rejected)
    assert venue.conserved()


def test_resting_orders_of_the_backstop_never_fill_beyond_what_an_account_may_hold(
    venue: Venue,
) -> None:
    venue.price(120_000)
    ids = [i.id for i in venue.state.rules.listing.instruments]
    assert len(ids) > 32
    (held, *others) = [i for i in ids if i != BTC_PERP][:33]
    for instrument in others:
        venue.must(venue.order(1, instrument, 1, 0.1))
    other = venue.deposit(13, 5_000_000)
    venue.trade(2, other, held, 2_400, 120_000)
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    assert venue.state.accounts.counts[1] == 1
    for instrument in others:
        events = venue.must(venue.order(4, instrument, -1, 0.1))
    assert Closing.MARGIN in closings(events)
    assert venue.state.accounts.counts[1] == 32


def test_resting_lots_of_the_backstop_never_fill_beyond_the_position_limit(venue: Venue) -> None:
    rich, other = (venue.deposit(name, 20_000_000_000) for name in (13, 14))
    venue.deposit(int("f1" * 20, 16), 20_000_000_000)
    venue.price(120_000)
    limit = (1 << 24) - 1
    venue.must(venue.order(1, ETH_PERP, limit, 3_000))
    venue.trade(2, other, ETH_PERP, 6_000, 4_300)
    for usd in (4_180, 4_000, 3_800):
        venue.price(120_000, usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    assert venue.state.accounts.lots_of(1, ETH_PERP) > 0
    events = venue.must(venue.order(rich, ETH_PERP, -limit, 3_000))
    assert Closing.MARGIN in closings(events)


def test_a_price_of_almost_nothing_stops_nothing(venue: Venue) -> None:
    tiny = (1, *feed_values(120_000)[1:])
    trader = venue.deposit(14, btc=1)
    venue.must(venue.report(*tiny))
    venue.state.accounts.add_cash(trader, -1)
    venue.state.accounts.add_cash(2, 1)
    assert venue.refuses(venue.withdraw(trader, btc=1)) is Reason.NOT_WITHDRAWABLE
    assert not isinstance(venue.liquidate(trader), Rejected)  # the fund pays, no division by zero
    assert int(venue.state.accounts.cash[trader]) == 0


def test_an_order_that_a_step_has_filled_does_not_count_twice_against_the_backstop() -> None:
    venue = Venue()
    venue.fund(insurance_usd=100_000, backstop_usd=19_500)
    venue.deposit(10, 50_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    venue.must(venue.order(1, BTC_PERP, 900, 109_000))
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    assert any(isinstance(e, PositionTransferred) for e in events)
    backstop = account_margin(venue.state, 1)
    assert backstop.initial_e6 <= backstop.margin_balance_e6 < 2 * backstop.initial_e6


def test_nothing_that_may_be_owed_leaves_while_a_jump_waits_for_its_confirmation(
    venue: Venue,
) -> None:
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 500, 120_000)
    venue.must(venue.report(*feed_values(80_000)))
    assert venue.state.market.pending is not None
    assert venue.refuses(venue.withdraw(2, usd=30_000)) is Reason.STALE_PRICES
    venue.must(venue.withdraw(4, usd=30_000))  # nothing at risk, nothing to wait for
    venue.must(venue.report(*feed_values(80_000)))
    assert venue.refuses(venue.withdraw(2, usd=30_000)) is Reason.NOT_WITHDRAWABLE
    venue.must(venue.withdraw(2, usd=10_000))
