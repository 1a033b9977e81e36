"""A forced close reduces on the book, hands the rest to the backstop, and leaves nobody worse."""

from dataclasses import replace

import pytest

from offchain.core.margin import is_valid_risk_change
from offchain.core.parameters import RiskParameters
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, UsdE6
from offchain.engine.accounts import BACKSTOP
from offchain.engine.events import (
    Event,
    Filled,
    ForcedDone,
    ForcedNoop,
    NoopReason,
    PenaltyCharged,
    PositionTransferred,
)
from offchain.engine.messages import EntryKind
from offchain.engine.risk import account_margin
from tests.support.venue import BTC_PERP, RULES, WEEK_NS, Venue, option

LONG, SHORT, OTHER = 2, 3, 4
USD = ONE_E6
CLOSE = EntryKind.CLOSE
FEE_RATE, LOT = 5_000, 1_000  # 0.5 % of the notional; a lot is 1/1000 BTC


def venue_of(backstop_usd: float = 5_000_000, rules: RiskParameters = RULES) -> Venue:
    """Return a venue where account 2 is long 2.4 BTC against account 3; 4 has no position."""
    v = Venue(rules)
    v.fund(insurance_usd=20_000, backstop_usd=backstop_usd)
    v.deposit(10, 50_000)
    v.deposit(11, 5_000_000)
    v.deposit(12, 5_000_000)
    v.price(120_000)
    v.trade(LONG, SHORT, BTC_PERP, 2_400, 120_000)
    return v


@pytest.fixture
def venue() -> Venue:
    return venue_of()


def lots(venue: Venue, account: int) -> int:
    return venue.state.accounts.lots_of(account, BTC_PERP)


def reason(events: tuple[Event, ...]) -> NoopReason:
    (answer,) = events
    assert isinstance(answer, ForcedNoop)
    return answer.reason


def penalty(events: tuple[Event, ...]) -> int:
    return sum(e.amount_e6 for e in events if isinstance(e, PenaltyCharged))


def test_the_backstop_takes_an_empty_book_at_the_mark_less_the_liquidation_fee(
    venue: Venue,
) -> None:
    mark = int(venue.state.market.prices.lot_values_e6[BTC_PERP])
    cash, fund = (int(venue.state.accounts.cash[a]) for a in (LONG, 0))
    events = venue.force(CLOSE, LONG, BTC_PERP)
    kinds = [type(e) for e in events]
    assert kinds == [ForcedDone, PositionTransferred, PenaltyCharged]
    fee = 2_400 * mark * FEE_RATE // ONE_E6
    assert penalty(events) == fee
    assert int(venue.state.accounts.cash[LONG]) == cash - fee  # the mark is what it had paid
    assert int(venue.state.accounts.cash[0]) == fund + fee
    assert (lots(venue, LONG), lots(venue, BACKSTOP)) == (0, 2_400)


def test_the_book_is_asked_first_and_pays_no_liquidation_fee(venue: Venue) -> None:
    venue.must(venue.order(OTHER, BTC_PERP, 1_000, 119_500))
    events = venue.force(CLOSE, LONG, BTC_PERP)
    fill = next(e for e in events if isinstance(e, Filled))
    assert (fill.lots, fill.taker, fill.maker) == (-1_000, LONG, OTHER)
    assert fill.fee_e6 == 1_000 * 119_500 * USD // LOT * 300 // ONE_E6  # the taker's fee
    moved = next(e for e in events if isinstance(e, PositionTransferred))
    assert moved.lots == 1_400
    assert penalty(events) == 1_400 * 120_000 * USD // LOT * FEE_RATE // ONE_E6


def test_a_book_that_takes_all_leaves_nothing_to_the_backstop(venue: Venue) -> None:
    venue.must(venue.order(OTHER, BTC_PERP, 3_000, 120_000))
    events = venue.force(CLOSE, LONG, BTC_PERP)
    assert [type(e) for e in events] == [ForcedDone, Filled]
    assert (lots(venue, LONG), lots(venue, OTHER), lots(venue, BACKSTOP)) == (0, 2_400, 0)


def test_a_bid_below_the_band_is_not_hit(venue: Venue) -> None:
    venue.must(venue.order(OTHER, BTC_PERP, 1_000, 117_000))
    events = venue.force(CLOSE, LONG, BTC_PERP)
    assert not any(isinstance(e, Filled) for e in events)
    assert lots(venue, LONG) == 0


def test_a_short_is_bought_back_within_the_band(venue: Venue) -> None:
    venue.must(venue.order(OTHER, BTC_PERP, -1_000, 121_000))
    events = venue.force(CLOSE, SHORT, BTC_PERP)
    fill = next(e for e in events if isinstance(e, Filled))
    assert (fill.lots, fill.price_e8) == (1_000, 121_000 * 10**8)
    assert (lots(venue, SHORT), lots(venue, BACKSTOP)) == (0, -1_400)


@pytest.mark.parametrize(("asked", "left"), [(1, 2_399), (2_400, 0), (2**127, 0), (0, 0)])
def test_no_more_is_closed_than_was_asked_for_or_is_held(
    venue: Venue, asked: int, left: int
) -> None:
    venue.force(CLOSE, LONG, BTC_PERP, asked)
    assert lots(venue, LONG) == left


def test_what_is_not_held_cannot_be_closed(venue: Venue) -> None:
    assert reason(venue.force(CLOSE, OTHER, BTC_PERP)) is NoopReason.NOTHING_TO_CLOSE
    assert reason(venue.force(CLOSE, LONG, BTC_PERP + 1)) is NoopReason.NOTHING_TO_CLOSE
    assert reason(venue.force(CLOSE, 0, BTC_PERP)) is NoopReason.NOTHING_TO_CLOSE


def test_nothing_is_closed_at_stale_or_held_prices(venue: Venue) -> None:
    doubled = [v * 2 for v in venue.state.market.medians]
    venue.must(venue.report(*doubled))
    assert reason(venue.force(CLOSE, LONG, BTC_PERP)) is NoopReason.PRICES_IN_DOUBT
    venue.must(venue.report(*doubled))
    venue.now += 10**6 * SECOND_NS
    assert reason(venue.force(CLOSE, LONG, BTC_PERP)) is NoopReason.PRICES_IN_DOUBT
    assert lots(venue, LONG) == 2_400


def test_nobody_takes_what_neither_book_nor_backstop_can_carry() -> None:
    venue = venue_of(backstop_usd=1)
    venue.must(venue.order(OTHER, BTC_PERP, 1_000, 100_000))  # outside the band
    assert reason(venue.force(CLOSE, LONG, BTC_PERP)) is NoopReason.NOBODY_TOOK
    assert lots(venue, LONG) == 2_400
    venue.must(venue.order(OTHER, BTC_PERP, 1_000, 119_900))
    events = venue.force(CLOSE, LONG, BTC_PERP)  # what the book takes is done
    assert [type(e) for e in events] == [ForcedDone, Filled]
    assert lots(venue, LONG) == 1_400


def test_the_backstop_closes_on_the_book_alone(venue: Venue) -> None:
    venue.force(CLOSE, LONG, BTC_PERP)
    assert reason(venue.force(CLOSE, BACKSTOP, BTC_PERP)) is NoopReason.NOBODY_TOOK
    venue.must(venue.order(OTHER, BTC_PERP, 400, 120_000))
    venue.force(CLOSE, BACKSTOP, BTC_PERP)
    assert lots(venue, BACKSTOP) == 2_000


def test_orders_of_the_same_owner_are_not_traded_with(venue: Venue) -> None:
    venue.deposit(10, 50_000)
    venue.must(venue.order(LONG, BTC_PERP, 100, 119_000))
    events = venue.force(CLOSE, LONG, BTC_PERP)
    assert not any(isinstance(e, Filled) for e in events)
    assert venue.state.orders_of(LONG) == []


def test_what_came_to_nothing_leaves_the_book_as_it_was() -> None:
    venue = venue_of(backstop_usd=1)
    venue.deposit(10, 50_000)
    venue.must(venue.order(LONG, BTC_PERP, 100, 119_000))  # a fill would close it
    assert reason(venue.force(CLOSE, LONG, BTC_PERP)) is NoopReason.NOBODY_TOOK
    assert len(venue.state.orders_of(LONG)) == 1


def test_an_expired_instrument_trades_with_the_backstop_alone() -> None:
    venue = venue_of()
    call = option("BTC-WEEK-110000-C")
    venue.trade(LONG, SHORT, call, 10, 11_000)
    venue.must(venue.order(OTHER, call, 10, 9_990))  # meant for a price that still moves
    venue.now = WEEK_NS - 60 * SECOND_NS
    venue.price(120_000)  # at the expiry; the settlement was not ordered yet
    events = venue.force(CLOSE, LONG, call)
    assert [type(e) for e in events[:2]] == [ForcedDone, PositionTransferred]


def below_requirement(percent: int) -> Venue:
    """Return a venue with a large fee, where the balance of account 2 is a share of its MM."""
    liquidation = replace(RULES.liquidation, fee_e6=RatioE6(50_000))
    venue = venue_of(rules=replace(RULES, liquidation=liquidation))
    margin = account_margin(venue.state, LONG)
    venue.grant(LONG, margin.maintenance_e6 * percent // 100 - margin.margin_balance_e6)
    return venue


def test_below_the_requirement_the_fee_is_what_leaves_the_account_no_worse() -> None:
    venue = below_requirement(percent=30)
    before = account_margin(venue.state, LONG, orders=())
    fee = penalty(venue.force(CLOSE, LONG, BTC_PERP, 1_200))
    after = account_margin(venue.state, LONG, orders=())
    released = before.maintenance_e6 - after.maintenance_e6
    assert fee == before.margin_balance_e6 * released // (2 * before.maintenance_e6)
    assert 0 < fee < 1_200 * 120_000 * USD // LOT * 50_000 // ONE_E6
    assert is_valid_risk_change(
        before.margin_balance_e6,
        before.maintenance_e6,
        after.margin_balance_e6,
        after.maintenance_e6,
    )


def test_closing_everything_takes_no_more_than_the_balance() -> None:
    venue = below_requirement(percent=30)
    balance = account_margin(venue.state, LONG).margin_balance_e6
    assert penalty(venue.force(CLOSE, LONG, BTC_PERP)) == balance
    assert int(venue.state.accounts.cash[LONG]) == 0


def test_a_bad_price_of_the_book_does_not_keep_the_backstop_away() -> None:
    venue = below_requirement(percent=10)
    venue.must(venue.order(OTHER, BTC_PERP, 10, 118_000))
    events = venue.force(CLOSE, LONG, BTC_PERP, 10)
    assert [type(e) for e in events] == [ForcedDone, PositionTransferred, PenaltyCharged]


def test_a_hedge_is_not_closed_where_that_leaves_the_account_worse(venue: Venue) -> None:
    call = option("BTC-WEEK-110000-C")
    venue.deposit(10, 200_000)
    venue.must(venue.order(SHORT, call, 2_400, 11_000))
    venue.must(venue.order(LONG, call, -2_400, 11_000))  # covered by the perpetual
    margin = account_margin(venue.state, LONG)
    venue.grant(LONG, UsdE6(margin.maintenance_e6 - margin.margin_balance_e6))
    assert reason(venue.force(CLOSE, LONG, BTC_PERP)) is NoopReason.NOBODY_TOOK
    assert lots(venue, LONG) == 2_400
