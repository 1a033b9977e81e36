"""Adopt: another set in the middle of life changes what is required, and nothing that is owned."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offchain.core.parameters import RiskParameters, Tail
from offchain.core.terms import terms, with_terms
from offchain.core.units import RatioE6, TimestampNs
from offchain.engine.events import MarginLevelChanged, ParametersReplaced
from offchain.engine.machine import below_trigger
from offchain.engine.messages import Adopt
from offchain.engine.reasons import Reason
from offchain.engine.risk import account_margin
from offchain.engine.sweeps import maintenance_margins
from tests.support.adoption import adopt, dearer, later_call, tighter, with_asset, with_strike
from tests.support.venue import BTC_PERP, BTC_WEEK, RULES, Venue

OWNED = ("cash", "collateral", "ids", "lots", "costs", "counts", "mode")


@pytest.fixture
def venue() -> Venue:
    """Return a venue in which account 2 is long, and holds collateral of both kinds."""
    made = Venue()
    made.fund(insurance_usd=20_000, backstop_usd=1_000_000)
    made.deposit(10, 60_000, btc=0.1, eth=1)
    made.deposit(11, 5_000_000)
    made.price(120_000)
    made.trade(2, 3, BTC_PERP, 2_000, 120_000)
    made.must(made.order(3, BTC_WEEK, -10, 125_000))
    return made


def owned(venue: Venue) -> list[bytes]:
    return [getattr(venue.state.accounts, name).tobytes() for name in OWNED]


def test_nothing_that_is_owned_changes_and_prices_stay(venue: Venue) -> None:
    before, market = owned(venue), venue.state.market
    medians, epoch, orders = market.medians, market.epoch, venue.state.orders_of(3)
    venue.must(adopt(with_strike(dearer(RULES)), tighter(RULES)))
    assert owned(venue) == before
    assert venue.state.orders_of(3) == orders
    assert (market.medians, market.epoch) == (medians, epoch + 1)
    assert market.epoch_time_ns == venue.now


def test_everything_that_is_derived_is_as_if_the_set_had_always_been(venue: Venue) -> None:
    rules = with_strike(dearer(RULES))
    other = Venue(rules=rules)
    other.price(120_000)
    venue.must(adopt(rules))
    ours, theirs = venue.state.market, other.state.market
    assert np.array_equal(ours.prices.losses_e6, theirs.prices.losses_e6)
    assert np.array_equal(ours.prices.lot_values_e6, theirs.prices.lot_values_e6)
    assert np.array_equal(ours.charges_in_force, theirs.charges_in_force)
    assert (ours.curves, ours.haircuts) == (theirs.curves, theirs.haircuts)


def test_terms_above_the_document_are_the_ones_that_count(venue: Venue) -> None:
    before = account_margin(venue.state, 2).maintenance_e6
    venue.must(adopt(RULES, tighter(RULES)))
    assert terms(venue.state.rules) == tighter(RULES)
    assert venue.state.documented == RULES
    assert account_margin(venue.state, 2).maintenance_e6 > before
    _, swept = maintenance_margins(venue.state)
    assert swept[2] == account_margin(venue.state, 2, orders=()).maintenance_e6


def test_a_tightening_may_put_accounts_below_their_trigger(venue: Venue) -> None:
    assert below_trigger(venue.state) == []
    margin = account_margin(venue.state, 2, orders=())
    ratio = margin.margin_balance_e6 * 10**6 // margin.maintenance_e6
    laid = replace(terms(RULES), partial_trigger_e6=ratio + 1)
    venue.must(adopt(RULES, laid))
    assert below_trigger(venue.state) == [2]


def test_an_instrument_that_was_appended_trades(venue: Venue) -> None:
    rules = with_strike(RULES)
    venue.must(adopt(rules))
    venue.trade(3, 2, later_call(rules), 5, 1_000)
    assert venue.state.accounts.lots_of(3, later_call(rules)) == 5
    venue.price(121_000)
    venue.fund_tick(60)


def test_call_levels_are_counted_anew(venue: Venue) -> None:
    venue.price(99_000)
    level = int(venue.state.accounts.level[2])
    assert level > 0
    liquidation = replace(RULES.liquidation, call_levels_e6=())
    venue.must(adopt(replace(RULES, liquidation=liquidation)))
    assert venue.state.accounts.level[2] == 0
    (back,) = (e for e in venue.must(adopt(RULES)) if isinstance(e, MarginLevelChanged))
    assert (back.account, back.level) == (2, level)


def test_before_the_first_report_there_is_nothing_to_compute() -> None:
    venue = Venue()
    (event,) = venue.must(adopt(dearer(RULES)))
    assert isinstance(event, ParametersReplaced)
    assert (event.arrays, event.charges, event.curves) == (None, None, ())
    assert venue.state.market.epoch == 0
    venue.price(120_000)
    other = Venue(rules=dearer(RULES))
    other.price(120_000)
    assert venue.state.market.haircuts == other.state.market.haircuts


def changed_listing(rules: RiskParameters, **change: object) -> RiskParameters:
    return replace(rules, listing=replace(rules.listing, **change))  # type: ignore[arg-type]


def other_underlying(rules: RiskParameters) -> RiskParameters:
    first, *rest = rules.listing.underlyings
    return changed_listing(rules, underlyings=(replace(first, symbol="XBT"), *rest))


def fewer_feeds(rules: RiskParameters) -> RiskParameters:
    return changed_listing(rules, feeds=(*rules.listing.feeds[:2], *rules.listing.feeds[:1:-1]))


def other_strike(rules: RiskParameters) -> RiskParameters:
    *rest, last = rules.listing.instruments
    later = replace(last, expiry_ns=TimestampNs(rest[-1].expiry_ns), symbol="ANOTHER")
    return changed_listing(rules, instruments=(*rest, later))


def one_less(rules: RiskParameters) -> RiskParameters:
    return changed_listing(rules, instruments=rules.listing.instruments[:-1])


def other_backstop(rules: RiskParameters) -> RiskParameters:
    return replace(rules, backstop_owner="0x" + "f2" * 20)


def other_insurance(rules: RiskParameters) -> RiskParameters:
    return replace(rules, insurance_owner="0x" + "f3" * 20)


def other_asset(rules: RiskParameters) -> RiskParameters:
    first, *rest = rules.collateral
    return replace(rules, collateral=(replace(first, symbol="TBTC"), *rest))


def fewer_assets(rules: RiskParameters) -> RiskParameters:
    return replace(rules, collateral=rules.collateral[:1])


def reordered_assets(rules: RiskParameters) -> RiskParameters:
    return replace(rules, collateral=rules.collateral[::-1])


def an_asset_before(rules: RiskParameters) -> RiskParameters:
    added = with_asset(rules).collateral[-1]
    return replace(rules, collateral=(added, *rules.collateral))


def other_price(rules: RiskParameters) -> RiskParameters:
    first, *rest = rules.collateral
    longer = with_asset(rules)
    others = (replace(first, underlying=1), *rest, longer.collateral[-1])
    return replace(longer, collateral=others)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rules: rules, Reason.SAME_PARAMETERS),
        (other_underlying, Reason.UNDERLYINGS_CHANGED),
        (fewer_feeds, Reason.FEEDS_CHANGED),
        (other_backstop, Reason.OWNERS_CHANGED),
        (other_insurance, Reason.OWNERS_CHANGED),
        (other_strike, Reason.INSTRUMENT_CHANGED),
        (one_less, Reason.INSTRUMENT_CHANGED),
        (other_asset, Reason.COLLATERAL_CHANGED),
        (fewer_assets, Reason.COLLATERAL_CHANGED),
        (reordered_assets, Reason.COLLATERAL_CHANGED),
        (an_asset_before, Reason.COLLATERAL_CHANGED),
        (other_price, Reason.COLLATERAL_CHANGED),
    ],
)
def test_what_accounts_are_made_of_may_not_change(
    venue: Venue, change: Callable[[RiskParameters], RiskParameters], reason: Reason
) -> None:
    before = venue.state.last_seq
    assert venue.refuses(adopt(change(RULES))) is reason
    assert (venue.state.last_seq, venue.state.rules) == (before, RULES)


def test_terms_that_break_a_rule_are_refused(venue: Venue) -> None:
    bad = replace(terms(RULES), mm_factor_e6=1_000_001)
    assert venue.refuses(Adopt(bad, RULES)) is Reason.BAD_TERMS


def test_a_set_under_which_a_price_has_no_room_is_refused(venue: Venue) -> None:
    far = RatioE6(9_000_000)
    scan = tuple(
        replace(s, tails=tuple(Tail(far, RatioE6(1_000_000)) for _ in s.tails)) for s in RULES.scan
    )
    venue.price(480_000)
    assert venue.refuses(adopt(replace(RULES, scan=scan))) is Reason.RISK_RANGE


def test_the_same_document_under_other_terms_is_another_set(venue: Venue) -> None:
    venue.must(adopt(RULES, tighter(RULES)))
    assert venue.refuses(adopt(RULES, tighter(RULES))) is Reason.SAME_PARAMETERS
    laid = with_terms(RULES, tighter(RULES))
    venue.must(adopt(laid))
    assert venue.state.documented == laid


def test_no_other_command_of_governance_is_taken_before_genesis() -> None:
    venue = Venue.__new__(Venue)
    venue.__dict__.update(Venue().__dict__)
    venue.state = type(venue.state)()
    assert venue.refuses(adopt(RULES)) is Reason.NOT_CONFIGURED
