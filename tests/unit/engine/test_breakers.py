"""Circuit breakers in the engine: what each level halts, and what none of them ever does (E-16)."""

from dataclasses import replace
from functools import partial

import pytest

from offchain.core.breaker import Breaker, Level
from offchain.core.presets import BREAKER, NO_BREAKER
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs
from offchain.engine import breakers
from offchain.engine.breakers import breaker_level, highest_level
from offchain.engine.events import BreakerTripped, Closing, Event, Filled, OrderClosed
from offchain.engine.messages import EntryKind
from offchain.engine.reasons import Reason, Rejected
from tests.support.adoption import adopt
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, Venue, feed_values

GUARDED = replace(RULES, breakers=(BREAKER, BREAKER))
COOL_S = BREAKER.cool_ns // SECOND_NS
LEVELS = {107_000: Level.REDUCE_ONLY, 101_000: Level.CANCEL, 95_000: Level.PAUSE}
"""Where a fall from 120,000 within half a minute leads."""


def opened() -> Venue:
    """Return a venue in which account 2 is long 2 BTC and 10 ETH of account 3."""
    venue = Venue(GUARDED)
    venue.fund(insurance_usd=50_000, backstop_usd=50_000_000)
    for name, usd in ((10, 2_000_000), (11, 5_000_000), (12, 3_000)):
        venue.deposit(name, usd)
    venue.price(120_000, step_s=10)
    venue.trade(2, 3, BTC_PERP, 2_000, 120_000)
    venue.trade(2, 3, ETH_PERP, 1_000, 4_300)
    return venue


@pytest.fixture
def venue() -> Venue:
    return opened()


def fall(venue: Venue, usd: int) -> tuple[Event, ...]:
    """Fall to a price in one jump that the second report confirms."""
    events = venue.price(usd, step_s=10)
    assert highest_level(venue.state, venue.now) is LEVELS[usd]
    return events


def wait(venue: Venue, seconds: int, usd: int) -> None:
    """Let time pass at a price."""
    venue.must(venue.report(*feed_values(usd, 4_300), step_s=seconds))


def told(events: tuple[Event, ...]) -> list[tuple[int, Level]]:
    return [(e.underlying, e.level) for e in events if isinstance(e, BreakerTripped)]


@pytest.mark.parametrize("usd", LEVELS)
def test_an_order_that_could_add_risk_is_refused_until_the_breaker_is_open(
    venue: Venue, usd: int
) -> None:
    venue.must(venue.order(2, BTC_PERP, 1, 90_000))
    fall(venue, usd)
    level = LEVELS[usd]
    decision = venue.do(venue.order(2, BTC_WEEK, 1, usd))
    assert isinstance(decision, Rejected)
    pause = level is Level.PAUSE
    assert decision.reason is (Reason.TRADING_PAUSED if pause else Reason.RISK_HALTED)
    assert dict(decision.numbers) == {
        "underlying": 0,
        "level": level,
        "until_ns": venue.now + BREAKER.cool_ns,
    }
    venue.must(venue.order(2, ETH_PERP, 1, 4_300))  # another underlying
    for left in range(level - 1, -1, -1):
        wait(venue, COOL_S, usd)
        assert breaker_level(venue.state, 0, venue.now)[0] == left
        order = venue.order(2, BTC_WEEK, 1, usd)
        if left:
            assert venue.refuses(order) is Reason.RISK_HALTED
        else:
            venue.must(order)


@pytest.mark.parametrize("usd", LEVELS)
def test_what_only_reduces_is_taken_until_trading_pauses(venue: Venue, usd: int) -> None:
    venue.must(venue.order(3, BTC_PERP, 50, 94_000, reduce_only=True))
    fall(venue, usd)
    order = venue.order(2, BTC_PERP, -10, 90_000, reduce_only=True)
    if LEVELS[usd] is Level.PAUSE:
        assert venue.refuses(order) is Reason.TRADING_PAUSED
    else:
        assert any(isinstance(e, Filled) for e in venue.must(order))


@pytest.mark.parametrize("usd", LEVELS)
def test_no_level_stands_in_the_way_of_leaving(venue: Venue, usd: int) -> None:
    venue.must(venue.order(3, BTC_PERP, 1, 60_000, reduce_only=True))
    (order,) = venue.state.orders_of(3)
    fall(venue, usd)
    venue.must(venue.cancel(3, order.order_id))
    venue.must(venue.withdraw(4, usd=1_000))
    closed = venue.force(EntryKind.CLOSE, 2, BTC_PERP, 500)
    assert venue.state.accounts.lots_of(2, BTC_PERP) == 1_500, closed
    below = int(venue.state.accounts.cash[2]) - 20_000 * ONE_E6
    venue.grant(2, -below - (120_000 - usd) * 1_500 * 1_000)
    assert not isinstance(venue.liquidate(2), Rejected)


def test_resting_orders_that_could_add_risk_are_cancelled_at_the_second_level(
    venue: Venue,
) -> None:
    for order in (
        venue.order(2, BTC_PERP, 1, 50_000),
        venue.order(2, BTC_PERP, -1, 190_000, reduce_only=True),
        venue.order(3, BTC_WEEK, -1, 190_000),
        venue.order(3, ETH_PERP, 1, 2_000),
    ):
        venue.must(order)
    fall(venue, 107_000)
    assert venue.state.order_count(2) + venue.state.order_count(3) == 4
    events = fall(venue, 101_000)
    closed = [(e.instrument, e.closing) for e in events if isinstance(e, OrderClosed)]
    assert closed == [(BTC_PERP, Closing.BREAKER), (BTC_WEEK, Closing.BREAKER)]
    (left,) = venue.state.orders_of(2)
    assert left.reduce_only
    assert [o.instrument for o in venue.state.orders_of(3)] == [ETH_PERP]


def test_what_one_report_does_not_cancel_is_void_and_follows_at_the_next(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakers, "CLOSING_LIMIT", 1)
    for usd in (100_500, 100_400, 100_300, 100_200):
        venue.must(venue.order(3, BTC_PERP, 5, usd))
    fall(venue, 101_000)
    assert [o.price_e8 // 10**8 for o in venue.state.orders_of(3)] == [100_400, 100_300, 100_200]
    events = venue.must(venue.order(2, BTC_PERP, -5, 100_350, reduce_only=True))
    assert [e.closing for e in events if isinstance(e, OrderClosed)] == [Closing.BREAKER]
    assert not any(isinstance(e, Filled) for e in events)
    wait(venue, 10, 101_000)
    assert [o.price_e8 // 10**8 for o in venue.state.orders_of(3)] == [100_200]


def test_a_liquidation_meets_no_void_order(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "CLOSING_LIMIT", 0)
    venue.must(venue.order(3, BTC_PERP, 5_000, 101_000))
    fall(venue, 101_000)
    venue.grant(2, 10_000 * ONE_E6 - int(venue.state.accounts.cash[2]) + 38_000 * ONE_E6)
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    assert not any(isinstance(e, Filled) for e in events)
    assert [e.closing for e in events if isinstance(e, OrderClosed)] == [Closing.BREAKER]


def test_a_level_is_told_when_it_changes(venue: Venue) -> None:
    assert told(fall(venue, 107_000)) == [(0, Level.REDUCE_ONLY)]
    assert told(venue.price(107_100, step_s=10)) == []
    assert told(fall(venue, 101_000)) == [(0, Level.CANCEL)]
    until = venue.state.market.breakers[0].until_ns
    assert until == venue.now + BREAKER.cool_ns
    steady = partial(venue.price, 101_000)
    assert told(steady(step_s=COOL_S)) == [(0, Level.REDUCE_ONLY)]
    assert told(steady(step_s=COOL_S)) == [(0, Level.OPEN)]
    assert told(steady(step_s=10)) == []


def test_a_held_report_trips_nothing(venue: Venue) -> None:
    venue.must(venue.report(*feed_values(95_000, 4_300), step_s=10))
    assert venue.state.market.pending is not None
    assert highest_level(venue.state, venue.now) is Level.OPEN


def test_an_adopted_set_keeps_a_level_and_may_switch_breakers_off(venue: Venue) -> None:
    fall(venue, 95_000)
    milder = replace(BREAKER, pause_e6=RatioE6(900_000))
    wider = replace(milder, window_ns=TimestampNs(2 * BREAKER.window_ns))
    for version, terms in enumerate((milder, wider), start=2):
        venue.must(adopt(replace(GUARDED, version=version, breakers=(terms, terms))))
        assert breaker_level(venue.state, 0, venue.now)[0] is Level.PAUSE
    assert venue.state.market.breakers[0].buckets == ()
    venue.must(adopt(replace(RULES, version=4, breakers=(NO_BREAKER, NO_BREAKER))))
    assert venue.state.market.breakers == (Breaker(), Breaker())
    venue.must(venue.order(2, BTC_PERP, 1, 95_000))
