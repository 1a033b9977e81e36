"""Price reports, funding and expiry: what is believed, and what it does to accounts."""

from dataclasses import replace

import pytest

from offchain.core.oracle import STILL, UNBOUNDED_E5, Span
from offchain.core.units import InstrumentId, TimestampNs
from offchain.engine.events import FundingAccrued, MarginLevelChanged, PriceAccepted, PriceHeld
from offchain.engine.messages import SettleExpiry
from offchain.engine.reasons import Reason
from offchain.engine.risk import account_margin
from offchain.engine.withdrawal import withdrawable
from tests.support.venue import BTC_PERP, MONTH_NS, WEEK_NS, Venue, feed_values, option


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11):
        v.deposit(name, 50_000)
    v.price(120_000)
    return v


def test_a_report_uses_the_median_of_what_was_seen(venue: Venue) -> None:
    report = venue.report(*feed_values(120_000))
    seen = [
        replace(o, values=feed_values(usd))
        for o, usd in zip(report.observations, (1, 119_900, 120_100, 120_200, 600_000), strict=True)
    ]
    events = venue.must(replace(report, observations=tuple(seen)))
    assert isinstance(events[0], PriceAccepted)
    assert events[0].medians[0] == 120_100 * 10**8  # O-3: two liars of five move nothing


def test_a_single_print_outside_the_band_never_takes_effect(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 2_000, 120_000)
    balance = account_margin(venue.state, 2).margin_balance_e6
    events = venue.must(venue.report(*feed_values(60_000)))
    assert isinstance(events[0], PriceHeld)
    assert account_margin(venue.state, 2).margin_balance_e6 == balance  # O-6
    assert venue.liquidate(2).reason is Reason.STALE_PRICES  # type: ignore[union-attr]
    events = venue.must(venue.report(*feed_values(120_100)))
    assert isinstance(events[0], PriceAccepted)
    assert venue.state.market.pending is None


def test_nobody_adds_risk_at_marks_that_a_pending_jump_puts_in_doubt(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 100, 120_000)
    venue.must(venue.order(3, BTC_PERP, 50, 119_990))
    venue.must(venue.report(*feed_values(80_000)))
    assert venue.refuses(venue.order(2, BTC_PERP, 10, 120_000)) is Reason.STALE_PRICES
    assert venue.refuses(venue.order(2, BTC_PERP, -300, 119_000)) is Reason.STALE_PRICES
    venue.must(venue.order(2, BTC_PERP, -50, 119_000, reduce_only=True))
    venue.must(venue.report(*feed_values(119_900)))
    venue.must(venue.order(2, BTC_PERP, 10, 120_000))


def test_a_second_report_confirms_a_jump(venue: Venue) -> None:
    venue.must(venue.report(*feed_values(100_000)))
    events = venue.must(venue.report(*feed_values(100_500)))
    assert isinstance(events[0], PriceAccepted)
    assert venue.state.index_price(0) == 100_500 * 10**8


def test_reports_that_break_a_rule_are_refused(venue: Venue) -> None:
    good = venue.report(*feed_values(120_000))
    first, second, *rest = good.observations
    cases = {
        Reason.OLD_REPORT: replace(good, round=1),
        Reason.QUORUM_MISSING: replace(good, observations=good.observations[:4]),
        Reason.BAD_REPORT: replace(good, observations=(second, first, *rest)),
        Reason.STALE_PRICES: replace(good, observed_at_ns=TimestampNs(venue.now + 6 * 10**9)),
    }
    for reason, report in cases.items():
        assert venue.refuses(report) is reason
    zero = replace(first, values=(0, *first.values[1:]))
    assert venue.refuses(replace(good, observations=(zero, second, *rest))) is Reason.BAD_REPORT
    short = replace(first, values=first.values[:-1])
    assert venue.refuses(replace(good, observations=(short, second, *rest))) is Reason.BAD_REPORT
    spans = (
        first.spans[:-1],
        (*first.spans, STILL),
        (Span(-1, 0), *first.spans[1:]),
        (Span(0, UNBOUNDED_E5 + 1), *first.spans[1:]),
    )
    for wrong in spans:  # O-8
        bad = replace(good, observations=(replace(first, spans=wrong), second, *rest))
        assert venue.refuses(bad) is Reason.BAD_REPORT
    venue.must(good)
    assert venue.refuses(replace(good, round=good.round + 1)) is Reason.OLD_REPORT  # O-7


def test_prices_too_high_for_the_risk_array_are_refused() -> None:
    venue = Venue()
    assert venue.refuses(venue.report(*feed_values(120_000, 400_000))) is Reason.RISK_RANGE


def test_crossing_a_call_level_is_an_event_once(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 2_300, 120_000)
    changes = []
    for usd in (118_000, 116_000, 114_000, 112_000, 112_000):
        changes += [e for e in venue.price(usd) if isinstance(e, MarginLevelChanged)]
    levels = [e.level for e in changes if e.account == 2]
    assert levels == sorted(set(levels))
    assert levels[-1] == 3


def test_funding_moves_money_from_longs_to_shorts_exactly(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.must(venue.order(2, BTC_PERP, 1, 120_500))
    venue.must(venue.order(3, BTC_PERP, -1, 120_700))
    long, short = (account_margin(venue.state, a).equity_e6 for a in (2, 3))
    (start,) = (
        e for e in venue.fund_tick(60) if isinstance(e, FundingAccrued) and not e.instrument
    )
    assert start.step_e6 == 0
    (event,) = (
        e for e in venue.fund_tick(480) if isinstance(e, FundingAccrued) and not e.instrument
    )
    assert event.rate_e8 == 450_000  # premium 0.5 %, damped by 0.05 %
    assert event.step_e6 == 120_000_000 * 450_000 * 480 // (10**8 * 28_800)
    paid = 1_000 * event.step_e6
    assert account_margin(venue.state, 2).equity_e6 == long - paid
    assert account_margin(venue.state, 3).equity_e6 == short + paid
    assert venue.conserved()  # SOL-1, INV-2


def test_an_option_settles_at_its_payoff_on_the_index(venue: Venue) -> None:
    call = option("BTC-WEEK-110000-C")
    venue.trade(2, 3, call, 1_000, 11_000)
    venue.must(venue.order(2, call, 5, 9_000))
    assert venue.refuses(SettleExpiry(call)) is Reason.NOT_EXPIRED
    venue.now = WEEK_NS
    venue.price(115_000)
    before = account_margin(venue.state, 2).equity_e6
    venue.must(SettleExpiry(call))
    assert venue.state.accounts.positions(2) == ()
    assert int(venue.state.accounts.cash[2]) == before
    assert int(venue.state.accounts.cash[2]) >= (50_000 + 5_000 - 11_000 - 50) * 10**6
    assert venue.state.books[call].best_bid() is None
    assert venue.conserved()
    assert venue.refuses(SettleExpiry(call)) is Reason.UNKNOWN_INSTRUMENT


def test_a_perpetual_never_expires(venue: Venue) -> None:
    venue.now = MONTH_NS
    venue.price(120_000)
    assert venue.refuses(SettleExpiry(InstrumentId(BTC_PERP))) is Reason.NOT_EXPIRED


def test_unrealised_profit_cannot_be_withdrawn(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 100, 120_000)
    venue.price(125_000)
    assert account_margin(venue.state, 2).equity_e6 > 50_000 * 10**6
    assert withdrawable(venue.state, 2, 0) <= int(venue.state.accounts.cash[2])
    assert withdrawable(venue.state, 3, 0) < 50_000 * 10**6 - 100 * 5_000_000


def test_a_withdrawal_leaves_initial_margin_covered(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    most = withdrawable(venue.state, 2, 0)
    assert venue.refuses(venue.withdraw(2, usd=(most + 1) / 10**6)) is Reason.NOT_WITHDRAWABLE
    venue.must(venue.withdraw(2, usd=most / 10**6))
    margin = account_margin(venue.state, 2)
    assert margin.margin_balance_e6 >= margin.initial_e6
    assert venue.conserved()


def test_an_account_without_risk_withdraws_without_prices(venue: Venue) -> None:
    venue.now += 10**13
    venue.must(venue.withdraw(2, usd=50_000))
    assert int(venue.state.accounts.cash[2]) == 0


def test_collateral_is_withdrawn_as_far_as_it_is_not_needed() -> None:
    venue = Venue()
    venue.fund(0, 1_000_000)
    trader, other = venue.deposit(10, btc=1), venue.deposit(11, 100_000)
    venue.price(120_000)
    venue.trade(trader, other, BTC_PERP, 1_000, 120_000)
    most = withdrawable(venue.state, trader, 1)
    assert 0 < most < 10**8
    assert venue.refuses(venue.withdraw(trader, btc=(most + 1) / 10**8)) is Reason.NOT_WITHDRAWABLE
    venue.must(venue.withdraw(trader, btc=most / 10**8))
    margin = account_margin(venue.state, trader)
    assert margin.margin_balance_e6 >= margin.initial_e6
