"""Orders: who may place them, how they match, and what margin they need."""

import pytest

from offchain.core.units import InstrumentId
from offchain.engine.events import Closing, Filled, OrderClosed, OrderRested
from offchain.engine.messages import TimeInForce
from offchain.engine.reasons import Reason
from offchain.engine.risk import account_margin
from tests.support.venue import (
    BTC_PERP,
    ETH_PERP,
    WEEK_NS,
    Venue,
    option,
)


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        v.deposit(name, 50_000)
    v.price(120_000)
    return v


def fills(events: tuple[object, ...]) -> list[Filled]:
    return [e for e in events if isinstance(e, Filled)]


def test_better_prices_trade_first_and_equal_prices_in_time_order(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, -10, 120_100))
    venue.must(venue.order(3, BTC_PERP, -10, 120_000))
    venue.must(venue.order(2, BTC_PERP, -10, 120_000))
    traded = fills(venue.must(venue.order(4, BTC_PERP, 25, 120_200)))
    assert [(f.maker, f.lots, f.price_e8) for f in traded] == [
        (3, 10, 120_000 * 10**8),
        (2, 10, 120_000 * 10**8),
        (2, 5, 120_100 * 10**8),
    ]


def test_the_rest_of_a_good_order_rests_and_of_an_immediate_one_is_dropped(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, -10, 120_000))
    events = venue.must(venue.order(3, BTC_PERP, 15, 120_000, tif=TimeInForce.IMMEDIATE_OR_CANCEL))
    assert isinstance(events[-1], OrderClosed)
    assert events[-1].closing is Closing.UNFILLED
    events = venue.must(venue.order(3, BTC_PERP, 15, 120_000))
    assert isinstance(events[-1], OrderRested)
    assert venue.state.books[InstrumentId(BTC_PERP)].best_bid() == 120_000 * 10**8


def test_a_post_only_order_never_takes(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, -10, 120_000))
    post = TimeInForce.POST_ONLY
    assert venue.refuses(venue.order(3, BTC_PERP, 1, 120_000, tif=post)) is Reason.WOULD_CROSS
    venue.must(venue.order(3, BTC_PERP, 1, 119_999, tif=post))


def test_an_owner_never_trades_with_itself(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, -10, 120_000))
    events = venue.must(venue.order(2, BTC_PERP, 10, 120_000))
    assert not fills(events)
    assert any(isinstance(e, OrderClosed) and e.closing is Closing.SELF_TRADE for e in events)


def test_an_expired_resting_order_is_closed_instead_of_filled(venue: Venue) -> None:
    short_lived = venue.order(2, BTC_PERP, -10, 120_000)
    object.__setattr__(short_lived, "expires_at_ns", venue.now + 1)
    venue.must(short_lived)
    venue.now += 2
    events = venue.must(venue.order(3, BTC_PERP, 10, 120_000))
    assert not fills(events)
    assert any(isinstance(e, OrderClosed) and e.closing is Closing.EXPIRED for e in events)


def test_an_order_beyond_initial_margin_is_refused_with_its_numbers(venue: Venue) -> None:
    # 16 % of scan, 1 % of roll and 0.03 % to close are 20,436 a coin: 50,000 carries 2.4 (E-4).
    venue.must(venue.order(2, BTC_PERP, 2_400, 120_000))
    decision = venue.do(venue.order(2, BTC_PERP, 200, 120_000))
    assert not isinstance(decision, tuple)
    assert decision.reason is Reason.INSUFFICIENT_MARGIN
    assert dict(decision.numbers)["initial_margin_e6"] > dict(decision.numbers)["margin_balance_e6"]


def test_resting_orders_count_at_their_worst(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, 1_300, 119_000))
    venue.must(venue.order(2, BTC_PERP, -1_300, 121_000))
    margin = account_margin(venue.state, 2)
    assert margin.maintenance_e6 == 0
    assert margin.initial_e6 > 1_300 * 16_000_000  # one side filled, not both netted


def test_a_maker_who_could_no_longer_carry_its_fill_is_closed(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, 2_400, 120_000))
    venue.must(venue.order(3, BTC_PERP, -100, 130_000))
    for usd in (115_000, 110_000, 105_000):
        venue.price(usd)
    venue.must(venue.order(4, BTC_PERP, -100, 104_000))
    # The bid at 120,000 would now lose 15,000 a coin at once: two fills are all that it can carry.
    assert account_margin(venue.state, 2).margin_balance_e6 > 0
    events = venue.must(venue.order(3, BTC_PERP, -2_400, 105_000))
    assert any(isinstance(e, OrderClosed) and e.closing is Closing.MARGIN for e in events)


def test_reduce_only_orders_never_open_or_flip(venue: Venue) -> None:
    assert (
        venue.refuses(venue.order(2, BTC_PERP, 10, 120_000, reduce_only=True))
        is Reason.NOTHING_TO_REDUCE
    )
    venue.trade(2, 3, BTC_PERP, 10, 120_000)
    venue.must(venue.order(4, BTC_PERP, 50, 120_000))
    venue.must(venue.order(2, BTC_PERP, -30, 120_000, reduce_only=True))
    assert venue.state.accounts.lots_of(2, BTC_PERP) == 0


def test_an_account_under_initial_margin_may_still_reduce(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    for usd in (115_000, 111_000, 107_000):
        venue.price(usd)
    margin = account_margin(venue.state, 2)
    assert margin.margin_balance_e6 < margin.initial_e6
    venue.must(venue.order(4, BTC_PERP, 100, 107_000))
    assert venue.refuses(venue.order(2, BTC_PERP, 1, 107_000)) is Reason.INSUFFICIENT_MARGIN
    venue.must(venue.order(2, BTC_PERP, -100, 107_000, reduce_only=True))
    assert venue.state.accounts.lots_of(2, BTC_PERP) == 2_300


def test_a_hedge_needs_less_than_its_legs(venue: Venue) -> None:
    call = option("BTC-WEEK-120000-C")
    venue.trade(3, 2, call, 1_000, 4_000)
    naked = account_margin(venue.state, 2).maintenance_e6
    venue.trade(2, 4, BTC_PERP, 500, 120_000)
    assert account_margin(venue.state, 2).maintenance_e6 < naked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account": 99}, Reason.UNKNOWN_ACCOUNT),
        ({"account": 0}, Reason.RESERVED_ACCOUNT),
        ({"instrument": 200}, Reason.UNKNOWN_INSTRUMENT),
        ({"lots": 0}, Reason.BAD_SIZE),
        ({"lots": 1 << 24}, Reason.BAD_SIZE),
        ({"limit_price_e8": 0}, Reason.BAD_PRICE),
        ({"limit_price_e8": 120_000 * 10**8 + 1}, Reason.BAD_PRICE),
        ({"limit_price_e8": (1 << 31) * 10_000_000}, Reason.BAD_PRICE),
        ({"expires_at_ns": 1}, Reason.INTENT_EXPIRED),
    ],
)
def test_a_malformed_order_is_refused_with_its_reason(
    venue: Venue, change: dict[str, int], reason: Reason
) -> None:
    order = venue.order(2, BTC_PERP, 1, 120_000)
    for name, value in change.items():
        object.__setattr__(order, name, value)
    before = venue.state.last_seq
    assert venue.refuses(order) is reason
    assert venue.state.last_seq == before


def test_a_nonce_counts_once_and_in_any_order(venue: Venue) -> None:
    order = venue.order(2, BTC_PERP, 1, 110_000)
    object.__setattr__(order, "nonce", 1 << 63)
    venue.must(order)
    assert venue.refuses(order) is Reason.NONCE_USED
    object.__setattr__(order, "nonce", 5)
    venue.must(order)


def test_only_the_owner_cancels_its_order(venue: Venue) -> None:
    venue.must(venue.order(2, BTC_PERP, 1, 110_000))
    order_id = venue.state.last_seq
    assert venue.refuses(venue.cancel(3, order_id)) is Reason.UNKNOWN_ORDER
    venue.must(venue.cancel(2, order_id))
    assert venue.state.order(order_id) is None


def test_orders_need_fresh_prices(venue: Venue) -> None:
    venue.now += 601 * 10**9
    assert venue.refuses(venue.order(2, BTC_PERP, 1, 110_000)) is Reason.STALE_PRICES


def test_an_expired_instrument_takes_no_orders(venue: Venue) -> None:
    venue.now = WEEK_NS - 30 * 10**9
    venue.price(120_000)
    week = option("BTC-WEEK")
    assert venue.refuses(venue.order(2, week, 1, 120_000)) is Reason.INSTRUMENT_EXPIRED


def test_an_account_holds_a_bounded_number_of_orders(venue: Venue) -> None:
    for k in range(64):
        venue.must(venue.order(2, BTC_PERP, 1, 100_000 + k))
    assert venue.refuses(venue.order(2, BTC_PERP, 1, 99_000)) is Reason.TOO_MANY_ORDERS


def test_the_taker_pays_a_fee_to_the_insurance_fund(venue: Venue) -> None:
    fund = int(venue.state.accounts.cash[0])
    venue.trade(2, 3, ETH_PERP, 100, 4_300)
    fee = 100 * 43_000_000 * 300 // 10**6
    assert int(venue.state.accounts.cash[0]) == fund + fee
    assert venue.state.flows.contributed_e6 == fee
    assert venue.conserved()  # SOL-1


def test_expired_orders_bind_neither_limit_nor_margin(venue: Venue) -> None:
    for k in range(64):
        order = venue.order(2, BTC_PERP, 1, 100_000 + k)
        object.__setattr__(order, "expires_at_ns", venue.now + 10)
        venue.must(order)
    venue.now += 10
    events = venue.must(venue.order(2, BTC_PERP, 2_500, 119_000))
    assert sum(isinstance(e, OrderClosed) and e.closing is Closing.EXPIRED for e in events) == 64
    assert [o.lots for o in venue.state.orders_of(2)] == [2_500]
