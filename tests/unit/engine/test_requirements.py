"""What an account must hold beyond the scan, from reports and funding to the last unit."""

from dataclasses import replace

import pytest

from offchain.core.instruments import Feed, FeedKind
from offchain.core.margin import Mode
from offchain.core.model_parameters import JointMove, ShortfallModel
from offchain.core.shortfall import shortfall_of_losses_reference
from offchain.core.units import ONE_E6, ONE_E8, RatioE6, TimestampNs
from offchain.engine.events import ChargesRevised, Filled, PriceAccepted
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin, margin_of
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    RULES,
    WEEK_NS,
    Venue,
    feed_values,
    option,
    scan_only,
)

USD = ONE_E6
CALL = option("BTC-WEEK-120000-C")


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        v.deposit(name, 5_000_000)
    v.price(120_000)
    return v


def test_a_perpetual_requires_scan_roll_and_the_fee_to_close(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    margin = account_margin(venue.state, 2)
    assert margin.scan_e6 == 19_200 * USD  # 16 %
    assert margin.addons.roll_e6 == 1_200 * USD  # 1 %
    assert margin.addons.holding_e6 == 36 * USD  # 0.03 %
    assert margin.addons.delta_e6 == 0
    assert margin.floor_e6 == 120 * USD  # 0.1 %
    assert margin.maintenance_e6 == 20_436 * USD * 8 // 10
    assert margin.initial_e6 == 20_436 * USD
    assert margin.is_correlated  # one underlying: the common scenario is its own worst
    assert margin.worst == (0, 0)


def test_a_calendar_spread_requires_its_basis_and_not_its_delta(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.trade(3, 2, BTC_WEEK, 1_000, 120_000)
    margin = account_margin(venue.state, 2)
    assert margin.scan_e6 == 0
    assert margin.addons.roll_e6 == 2_400 * USD  # 1 % of each leg: the least
    assert margin.maintenance_e6 == (2_400 + 72) * USD * 8 // 10


def test_a_short_option_requires_its_naked_charge(venue: Venue) -> None:
    venue.trade(2, 3, CALL, 1_000, 3_000)
    short, long = account_margin(venue.state, 3).addons, account_margin(venue.state, 2).addons
    fee = 1_000 * -(-int(venue.state.market.prices.lot_values_e6[CALL]) * 300 // ONE_E6)
    assert long.holding_e6 == fee
    assert short.holding_e6 - fee == 360 * USD  # 0.3 % of the index
    assert (short.im_naked_e6, long.im_naked_e6) == (240 * USD, 0)  # 0.2 % more in IM


def test_the_losses_of_one_underlying_are_paid_by_half_the_gains_of_the_other(
    venue: Venue,
) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    alone = account_margin(venue.state, 2).scan_e6
    venue.trade(3, 2, ETH_PERP, 1_000, 4_300)  # short 43,000: gains 18 % when all falls
    margin = account_margin(venue.state, 2)
    worst_of_ether = 43_000 * USD * 18 // 100
    correlated = alone - worst_of_ether // 2
    broken = (alone + worst_of_ether) * 85 // 100
    assert margin.scan_e6 == max(correlated, broken) == broken
    assert not margin.is_correlated
    assert margin.worst == (0, 24)


def test_a_short_in_calm_markets_requires_the_way_back_to_normal() -> None:
    calm = Venue()
    for name in (10, 11):
        calm.deposit(name, 5_000_000)
    calm.price(120_000, vol_percent=25)
    calm.trade(2, 3, CALL, 1_000, 2_000)
    short, long = account_margin(calm.state, 3), account_margin(calm.state, 2)
    vega = int(calm.state.market.prices.vegas_e6[CALL])
    assert vega > 0
    assert short.addons.im_calm_e6 == 1_000 * 15 * vega // 2  # 15 points to 40 %, half of it
    assert long.addons.im_calm_e6 == 0
    assert short.addons_e6 == short.addons.roll_e6 + short.addons.holding_e6  # IM only


def test_the_provision_for_funding_falls_on_the_side_that_pays(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.must(venue.order(4, BTC_PERP, 1, 120_500))
    venue.must(venue.order(4, BTC_PERP, -1, 120_700))
    events = venue.fund_tick(60)
    (revised,) = (e for e in events if isinstance(e, ChargesRevised))
    assert revised.funding_rates_e8 == (450_000, 10_000)  # BTC as in its book, ETH at interest
    assert venue.state.market.funding_rates_e8 == revised.funding_rates_e8
    long, short = (account_margin(venue.state, a).addons.holding_e6 for a in (2, 3))
    assert (long, short) == ((36 + 540) * USD, 36 * USD)  # 0.45 % of 120,000 for one period
    venue.price(120_000)  # the rate stays until the next tick
    assert account_margin(venue.state, 2).addons.holding_e6 == (36 + 540) * USD


def test_observers_who_disagree_cost_initial_margin(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    before = account_margin(venue.state, 2)
    report = venue.report(*feed_values(120_000))
    seen = tuple(
        replace(o, values=feed_values(120_000 + step * 900))
        for o, step in zip(report.observations, (-2, -1, 0, 1, 2), strict=True)
    )
    events = venue.must(replace(report, observations=seen))
    assert isinstance(events[0], PriceAccepted)
    assert events[0].confidences_e6 == (250_000, ONE_E6)  # median deviation 0.75 % of 1 %
    after = account_margin(venue.state, 2)
    assert after.addons.im_doubt_e6 == 90_000 * USD  # three quarters of 120,000
    assert after.initial_e6 == before.initial_e6 + 90_000 * USD
    assert after.maintenance_e6 == before.maintenance_e6


def test_a_cash_asset_off_its_peg_costs_initial_margin_in_every_mode(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.must(venue.set_mode(3, Mode.CROSS))
    before = [account_margin(venue.state, a) for a in (2, 3)]
    venue.must(venue.report(*feed_values(120_000, stable=98_000_000)))
    for old, account in zip(before, (2, 3), strict=True):
        new = account_margin(venue.state, account)
        assert new.peg_e6 == 40_000
        assert new.initial_e6 == old.initial_e6 * 104 // 100
        assert new.maintenance_e6 == old.maintenance_e6


def test_a_large_delta_is_charged_above_twenty_million() -> None:
    venue = Venue()
    for name in (10, 11):
        venue.deposit(name, 500_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 300_000, 120_000)  # 36 million
    margin = account_margin(venue.state, 2)
    assert margin.addons.delta_e6 == 160_000 * USD  # 1 % of 16 million
    # Raw cost 36,000 of which 10,000 counts once and the rest twice.
    assert margin.floor_e6 == 62_000 * USD


def test_the_unwinding_cost_is_the_least_that_a_hedged_book_requires() -> None:
    rules = replace(
        scan_only(),
        addons=tuple(replace(a, unwind_linear_e6=RatioE6(1_000)) for a in scan_only().addons),
        taker_fee_e6=RatioE6(0),
    )
    venue = Venue(rules)
    for name in (10, 11):
        venue.deposit(name, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    venue.trade(3, 2, BTC_WEEK, 1_000, 120_000)
    margin = account_margin(venue.state, 2)
    assert margin.scan_e6 == margin.addons_e6 == 0
    assert margin.floor_e6 == 240 * USD
    assert (margin.maintenance_e6, margin.initial_e6) == (192 * USD, 240 * USD)


def test_a_trade_off_the_mark_that_offsets_would_hide_is_refused_when_it_is_done() -> None:
    # The floor decides and knows no price: what is paid above the mark is missing afterwards.
    rules = replace(
        scan_only(),
        addons=tuple(replace(a, unwind_linear_e6=RatioE6(50_000)) for a in scan_only().addons),
        taker_fee_e6=RatioE6(0),
    )
    venue = Venue(rules)
    trader, other = venue.deposit(10, 20_000), venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(trader, other, BTC_PERP, 500, 120_000)
    venue.trade(other, trader, BTC_WEEK, 500, 120_000)
    venue.grant(trader, -13_900 * USD)
    assert account_margin(venue.state, trader).initial_e6 == 6_000 * USD  # 5 % of 120,000
    venue.must(venue.order(other, BTC_PERP, 100, 108_000))
    sell = venue.order(trader, BTC_PERP, -100, 108_000)  # costs 1,200, frees 600
    decision = venue.do(sell)
    assert isinstance(decision, Rejected)  # E-4
    assert decision.reason is Reason.INSUFFICIENT_MARGIN
    assert dict(decision.numbers) == {
        "margin_balance_e6": 4_900 * USD,
        "initial_margin_e6": 5_400 * USD,
    }
    venue.grant(trader, 500 * USD)
    assert any(isinstance(e, Filled) for e in venue.must(sell))
    after = account_margin(venue.state, trader)
    assert after.margin_balance_e6 == after.initial_e6 == 5_400 * USD


MOVES = tuple(
    JointMove((-10_000 * k, -10_000 * k), (0, 0)) if k % 2 else JointMove((0, 0), (0, 0))
    for k in range(64)
)


def second_model(weight_e6: int) -> Venue:
    model = ShortfallModel(RatioE6(968_750), RatioE6(weight_e6), MOVES)  # the two worst of 64
    venue = Venue(replace(RULES, shortfall=(model,)))
    for name in (10, 11):
        venue.deposit(name, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    return venue


def test_the_larger_of_both_models_is_the_initial_margin() -> None:
    venue = second_model(0)
    long, short = account_margin(venue.state, 2), account_margin(venue.state, 3)
    assert long.shortfall_e6 == 120_000 * USD * 62 // 100  # falls of 63 % and 61 %
    assert long.initial_e6 == long.shortfall_e6
    assert short.shortfall_e6 == 0
    assert short.initial_e6 == 20_436 * USD
    assert long.maintenance_e6 == 20_436 * USD * 8 // 10  # MM stays with the scenarios


def test_a_mix_takes_a_share_of_each_model_and_never_less_than_maintenance() -> None:
    venue = second_model(250_000)
    long, short = account_margin(venue.state, 2), account_margin(venue.state, 3)
    assert long.initial_e6 == (20_436 * 75 + 74_400 * 25) * USD // 100
    assert short.initial_e6 == short.maintenance_e6  # 15,327 would be less than 16,348.8


def test_resting_orders_count_in_the_second_model_too() -> None:
    venue = second_model(0)
    venue.must(venue.order(3, BTC_PERP, 2_000, 120_000))
    assert account_margin(venue.state, 3).shortfall_e6 == 120_000 * USD * 62 // 100
    margin = margin_of(venue.state, Mode.PORTFOLIO, [(BTC_PERP, 1_000, 0)], 0, ())
    assert margin.shortfall_e6 == 120_000 * USD * 62 // 100


def test_an_index_beyond_the_range_of_a_charge_is_refused() -> None:
    # A lot of 0.01 ETH above 2,147 USD: its forward may be small, its charge is of the index.
    venue = Venue()
    assert venue.refuses(venue.report(*feed_values(120_000, 300_000))) is Reason.RISK_RANGE


def test_what_is_derived_can_be_made_again_from_what_is_kept(venue: Venue) -> None:
    venue.fund_tick(60)
    market = venue.state.market
    again = replace(market, arrays=None, charges=None, curves=())
    again.derive(RULES)
    assert again.charges is not None
    assert market.charges is not None
    assert again.charges.tobytes() == market.charges.tobytes()
    assert again.curves == market.curves
    assert again.prices.losses_e6.tobytes() == market.prices.losses_e6.tobytes()
    longs = venue.state.accounts.open_interest.copy()
    venue.state.accounts.count_open_interest()
    assert venue.state.accounts.open_interest.tolist() == longs.tolist()
    assert market.curves[0][0][1] == 114_000 * ONE_E8


def test_observers_need_not_agree_on_the_forward_of_what_has_expired(venue: Venue) -> None:
    venue.now = WEEK_NS
    report = venue.report(*feed_values(120_000))
    feeds = RULES.listing.feeds
    past = feeds.index(Feed(FeedKind.FORWARD, 0, TimestampNs(WEEK_NS)))
    seen = []
    for step, o in zip((-2, -1, 0, 1, 2), report.observations, strict=True):
        values = list(o.values)
        values[past] += step * 900 * ONE_E8
        seen.append(replace(o, values=tuple(values)))
    venue.must(replace(report, observations=tuple(seen)))
    assert venue.state.market.confidences_e6 == (ONE_E6, ONE_E6)


def test_orders_beyond_any_balance_do_not_wrap_the_shortfall() -> None:
    moves = tuple(JointMove((-k * 1_000, 0), (0, 0)) for k in range(64))
    model = ShortfallModel(RatioE6(974_999), RatioE6(ONE_E6), moves)  # 1.600064 of 64
    venue = Venue(replace(RULES, shortfall=(model,)))
    venue.price(120_000)
    size, price = 2**24 - 1, (2**31 - 1) * 100_000
    orders = [(BTC_PERP, size, price)] * 64
    slip = 2**31 - 1 - 120 * USD
    history = venue.state.market.history
    assert history is not None
    losses = [64 * size * (int(loss) + slip) for loss in history[BTC_PERP]]
    due = shortfall_of_losses_reference(losses, model.confidence_e6)
    assert due > 2**60  # more than positions alone can lose
    found = margin_of(venue.state, Mode.PORTFOLIO, (), 0, (), orders)
    assert found.shortfall_e6 == found.initial_e6 == due
