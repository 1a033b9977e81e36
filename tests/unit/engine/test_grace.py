"""After an outage of the oracle nobody is liquidated before enough reports and time (L-5)."""

from dataclasses import replace

import pytest

from offchain.core.units import SECOND_NS, TimestampNs
from offchain.engine.events import LiquidationOrdered
from offchain.engine.reasons import Reason, Rejected
from tests.support.venue import BTC_PERP, RULES, Venue, feed_values

GRACE_S = 90
ORACLE = replace(RULES.oracle, grace_reports=3, grace_ns=TimestampNs(GRACE_S * SECOND_NS))
OUTAGE_S = RULES.oracle.heartbeat_ns // SECOND_NS + 1


@pytest.fixture
def venue() -> Venue:
    """Let account 2 be long 2 BTC on 50,000 USD, with the oracle up for long."""
    v = Venue(replace(RULES, oracle=ORACLE))
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    v.deposit(10, 50_000)
    v.deposit(11, 5_000_000)
    for _ in range(3):
        v.price(120_000)
    v.trade(2, 3, BTC_PERP, 2_400, 120_000)
    return v


def fall(venue: Venue, *prices: int) -> None:
    for usd in prices:
        venue.price(usd)


def refusal(venue: Venue) -> Rejected:
    answer = venue.liquidate(2)
    assert isinstance(answer, Rejected)
    return answer


def test_without_an_outage_a_fall_liquidates_at_once(venue: Venue) -> None:
    fall(venue, 115_000, 110_000, 105_000, 100_000)
    assert not isinstance(venue.liquidate(2), Rejected)


def test_a_crash_after_an_outage_liquidates_after_reports_and_time(venue: Venue) -> None:
    venue.must(venue.report(*feed_values(98_000), step_s=OUTAGE_S))
    assert refusal(venue).reason is Reason.STALE_PRICES, "one print is no price"
    back_s = venue.now // SECOND_NS
    venue.must(venue.report(*feed_values(98_000), step_s=20))
    assert refusal(venue) == Rejected(
        Reason.AFTER_OUTAGE, (("streak", 1), ("reports", 3), ("open_at_s", back_s + GRACE_S))
    )
    fall(venue, 98_000)  # 80 s after it came back
    venue.must(venue.report(*feed_values(98_000), step_s=9))
    assert refusal(venue).numbers[0] == ("streak", 3), "89 s: reports alone are not enough"
    venue.must(venue.report(*feed_values(98_000), step_s=1))
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    assert any(isinstance(event, LiquidationOrdered) for event in events)


def test_time_without_reports_is_not_enough(venue: Venue) -> None:
    venue.must(venue.report(*feed_values(115_000), step_s=OUTAGE_S))
    venue.must(venue.report(*feed_values(110_000), step_s=500))
    assert refusal(venue).reason is Reason.AFTER_OUTAGE


def test_the_first_reports_of_all_are_in_grace() -> None:
    venue = Venue(replace(RULES, oracle=ORACLE))
    venue.deposit(10, 50_000)
    venue.price(120_000)
    assert not venue.state.market.standing.is_settled
    fall(venue, 120_000, 120_000)
    assert venue.state.market.standing.is_settled


def test_in_grace_traders_trade_withdraw_and_close(venue: Venue) -> None:
    venue.price(120_000, step_s=OUTAGE_S)
    assert not venue.state.market.standing.is_settled
    venue.must(venue.order(2, BTC_PERP, -100, 119_000))
    venue.must(venue.withdraw(3, usd=1_000))
    venue.must(venue.withdraw(2, usd=10))


def test_a_jump_that_nobody_confirms_does_not_bridge_a_silence(venue: Venue) -> None:
    half = OUTAGE_S // 2 + 1
    venue.must(venue.report(*feed_values(60_000), step_s=half))
    venue.must(venue.report(*feed_values(120_000), step_s=half))
    assert venue.state.market.standing.streak == 1
    assert not venue.state.market.standing.is_settled


def test_a_confirmed_jump_continues_the_price_before(venue: Venue) -> None:
    half = OUTAGE_S // 2 + 1
    venue.must(venue.report(*feed_values(98_000), step_s=half))
    venue.must(venue.report(*feed_values(98_000), step_s=half))
    assert venue.state.market.standing.is_settled
    assert not isinstance(venue.liquidate(2), Rejected)
