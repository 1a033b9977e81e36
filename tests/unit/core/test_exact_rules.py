"""The small rules of the core on figures worked out by hand, at and beside every edge."""

from dataclasses import replace

import pytest

from offchain.core import units
from offchain.core.funding import clamp, funding_rate_e8, funding_step_e6, premium_e8
from offchain.core.liquidation import SHARES, limit_price, share_legs
from offchain.core.margin import (
    call_level,
    fee_e6,
    initial_margin,
    initial_with_shortfall,
    is_below,
    maintenance_margin,
    margin_ratio,
    partial_lots,
    peg_e6,
    trade_cost_e6,
)
from offchain.core.model_parameters import PegParameters
from offchain.core.oracle import (
    confidence_e6,
    is_accepted,
    is_within_band,
    median_deviation,
    median_low,
    medians,
)
from offchain.core.parameters import FundingParameters
from offchain.core.scenarios import (
    FIRST_SKEW,
    FIRST_TAIL,
    GRID_SCENARIOS,
    UNCHANGED,
    VolatilityShock,
    scenario_grid,
)
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, RatioE6, TimestampNs
from tests.support.venue import RULES

HOUR_NS = DAY_NS // 24
FUNDING = FundingParameters(TimestampNs(8 * HOUR_NS), 10_000, 50_000, 4_000_000)


def test_limits_are_those_of_the_page_on_units() -> None:
    # docs/UNITS.md, "Limits, and why sums fit"; the contracts and the leaves have the same widths.
    assert (units.ONE_E6, units.ONE_E8) == (10**6, 10**8)
    assert (units.SECOND_NS, units.DAY_NS) == (10**9, 86_400 * 10**9)
    assert units.YEAR_NS == 365 * 86_400 * 10**9
    assert (units.SCENARIOS, units.MAX_UNDERLYINGS) == (36, 2)
    assert (units.SLOT_BITS, units.SLOTS, units.ROWS) == (8, 256, 512)
    assert (units.LOTS_BITS, units.LOSS_BITS) == (24, 31)
    assert (units.POSITION_BITS, units.MAX_POSITIONS, units.MAX_ORDERS) == (5, 32, 64)
    assert (units.PRICE_BITS, units.CASH_BITS, units.COLLATERAL_BITS) == (46, 56, 40)


@pytest.mark.parametrize(
    ("a", "b", "floor", "ceil"), [(7, 2, 3, 4), (-7, 2, -4, -3), (6, 2, 3, 3), (0, 5, 0, 0)]
)
def test_a_division_says_which_way_it_rounds(a: int, b: int, floor: int, ceil: int) -> None:
    assert (units.floor_div(a, b), units.ceil_div(a, b)) == (floor, ceil)
    assert (units.mul_div_floor(a, 3, 3 * b), units.mul_div_ceil(a, 3, 3 * b)) == (floor, ceil)


def test_the_grid_is_nine_prices_by_three_volatilities_then_tails_then_skews() -> None:
    scan = replace(RULES.scan[0], price_range_e6=RatioE6(160_003))
    found = scenario_grid(scan)
    moves = [-160_003, -120_003, -80_002, -40_001, 0, 40_000, 80_001, 120_002, 160_003]
    shocks = (VolatilityShock.DOWN, VolatilityShock.SAME, VolatilityShock.UP)
    grid = [(move, shock, ONE_E6) for move in moves for shock in shocks]
    assert [(s.move_e6, s.shock, s.weight_e6) for s in found[:27]] == grid
    tails = [(t.move_e6, VolatilityShock.UP, t.weight_e6) for t in scan.tails]
    assert [(s.move_e6, s.shock, s.weight_e6) for s in found[27:34]] == tails
    assert [(s.move_e6, s.shock, s.weight_e6) for s in found[34:]] == [
        (0, VolatilityShock.FIRST_SKEW, ONE_E6),
        (0, VolatilityShock.SECOND_SKEW, ONE_E6),
    ]
    assert (GRID_SCENARIOS, FIRST_TAIL, FIRST_SKEW, UNCHANGED) == (27, 27, 34, 13)
    assert (found[UNCHANGED].move_e6, found[UNCHANGED].shock) == (0, VolatilityShock.SAME)
    assert [s.value for s in VolatilityShock] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("mid", "index", "premium"),
    [(None, 100, 0), (101, 100, 10**6), (99, 100, -(10**6)), (100, 300, -66_666_667), (7, 7, 0)],
)
def test_a_premium_is_the_distance_of_the_middle_from_the_index_rounded_down(
    mid: int | None, index: int, premium: int
) -> None:
    assert premium_e8(mid, index) == premium


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0, 10_000),  # only the interest
        (60_000, 10_000),  # the damper takes away what differs from the interest by up to 0.05 %
        (60_001, 10_001),
        (-40_000, 10_000),
        (-40_001, 9_999),
        (4_050_000, 4_000_000),
        (4_049_999, 3_999_999),
        (10**8, 4_000_000),
        (-(10**8), -4_000_000),
    ],
)
def test_a_funding_rate_is_the_premium_damped_toward_the_interest_and_capped(
    premium: int, rate: int
) -> None:
    assert funding_rate_e8(premium, FUNDING) == rate


def test_a_value_is_held_within_both_ends() -> None:
    assert [clamp(x, 3) for x in (-4, -3, -2, 0, 2, 3, 4)] == [-3, -3, -2, 0, 2, 3, 3]


@pytest.mark.parametrize(
    ("rate", "hours", "step"),
    [
        (10_000, 8, 12_000),
        (10_000, 4, 6_000),
        (10_000, 9, 12_000),  # a gap is charged one period
        (-10_000, 8, -12_000),
        (10_000, 0, 0),
    ],
)
def test_funding_accrues_with_time_up_to_one_period(rate: int, hours: int, step: int) -> None:
    assert funding_step_e6(rate, 120 * ONE_E6, hours * HOUR_NS, FUNDING) == step


def test_a_funding_step_rounds_down_on_either_side() -> None:
    assert funding_step_e6(1, 1, 1, FUNDING) == 0
    assert funding_step_e6(-1, 1, 1, FUNDING) == -1


def test_the_median_of_an_even_number_is_the_lower_of_the_middle_two() -> None:
    assert median_low([4, 1, 3, 2]) == 2
    assert median_low([5, 1, 3]) == 3
    assert median_low([9]) == 9
    assert medians([[1, 10], [3, 30], [2, 20]]) == (2, 20)


@pytest.mark.parametrize(
    ("new", "is_inside"), [(105, True), (106, False), (95, True), (94, False), (100, True)]
)
def test_the_edge_of_the_band_belongs_to_it(new: int, is_inside: bool) -> None:
    band = RatioE6(50_000)
    assert is_within_band([new, 200], [100, 200], band) is is_inside
    assert is_accepted([new], [100], None, band) is is_inside
    assert is_accepted([new], [100], [new], band)
    assert not is_accepted([200], [100], [300], band)
    assert is_accepted([200], None, None, band)


def test_confidence_falls_in_a_line_with_the_median_deviation() -> None:
    spread = RatioE6(10_000)  # 1 % of the median is no confidence
    assert median_deviation([90, 95, 100, 105, 150]) == 5
    assert confidence_e6([1_000] * 5, spread) == ONE_E6
    assert confidence_e6([990, 995, 1_000, 1_005, 1_010], spread) == 500_000
    assert confidence_e6([980, 990, 1_000, 1_010, 1_020], spread) == 0
    assert confidence_e6([900, 950, 1_000, 1_050, 1_100], spread) == 0
    assert confidence_e6([2_999, 2_999, 3_000, 3_001, 3_001], spread) == 966_666


@pytest.mark.parametrize(
    ("scan", "addons", "floor", "due"),
    [(100, 50, 0, 120), (100, 50, 150, 120), (100, 50, 151, 121), (1, 0, 0, 1), (0, 0, 0, 0)],
)
def test_maintenance_is_a_share_of_the_scan_with_add_ons_and_at_least_of_the_floor(
    scan: int, addons: int, floor: int, due: int
) -> None:
    assert maintenance_margin(scan, addons, RatioE6(800_000), floor) == due


def test_initial_grows_off_the_peg_and_is_never_below_maintenance() -> None:
    assert initial_margin(100, RatioE6(0), 80) == 100
    assert initial_margin(100, RatioE6(40_000), 80) == 104
    assert initial_margin(101, RatioE6(5_000), 80) == 102  # rounded up
    assert initial_margin(100, RatioE6(0), 101) == 101


def test_the_shortfall_decides_alone_or_by_its_weight() -> None:
    assert initial_with_shortfall(100, 120, RatioE6(0), 80) == 120
    assert initial_with_shortfall(100, 90, RatioE6(0), 80) == 100
    assert initial_with_shortfall(100, 90, RatioE6(0), 130) == 130
    assert initial_with_shortfall(100, 200, RatioE6(250_000), 80) == 125
    assert initial_with_shortfall(100, 0, RatioE6(250_001), 10) == 75  # rounded up
    assert initial_with_shortfall(100, 0, RatioE6(ONE_E6), 10) == 10


@pytest.mark.parametrize(
    ("price", "growth"),
    [
        (ONE_E8, 0),
        (99_000_000, 0),
        (98_999_999, 1),
        (98_000_000, 40_000),
        (97_500_000, 60_000),
        (150_000_000, 0),
    ],
)
def test_initial_grows_by_a_multiple_of_the_distance_from_the_peg(price: int, growth: int) -> None:
    assert peg_e6(price, PegParameters(99_000_000, RatioE6(4_000_000))) == growth


def test_a_ratio_for_display_is_rounded_down_and_absent_without_a_requirement() -> None:
    assert margin_ratio(100, 0) is None
    assert margin_ratio(2, 3) == 666_666
    assert margin_ratio(-2, 3) == -666_667
    assert margin_ratio(3, 1) == 3 * ONE_E6


@pytest.mark.parametrize(
    ("balance", "due", "trigger", "is_under"),
    [
        (100, 100, 1_000_000, False),  # at the trigger is not under it
        (99, 100, 1_000_000, True),
        (110, 100, 1_100_000, False),
        (109, 100, 1_100_000, True),
        (0, 0, 1_000_000, False),
        (-1, 0, 1_000_000, True),
        (-1, 0, 0, True),
    ],
)
def test_an_account_is_under_a_trigger_below_it_and_whenever_it_is_in_debt(
    balance: int, due: int, trigger: int, is_under: bool
) -> None:
    assert is_below(balance, due, RatioE6(trigger)) is is_under


def test_a_call_level_counts_the_thresholds_that_were_passed() -> None:
    levels = (1_500_000, 1_250_000, 1_100_000)
    assert [call_level(b, 100, levels) for b in (150, 149, 125, 124, 110, 109)] == [
        0,
        1,
        1,
        2,
        2,
        3,
    ]


def test_a_trade_costs_its_price_less_the_funding_of_the_moment() -> None:
    price = 120_000 * ONE_E8
    assert trade_cost_e6(3, price, 100_000, 7) == 3 * (120 * ONE_E6 - 7)
    assert trade_cost_e6(-3, price, 100_000, -7) == -3 * (120 * ONE_E6 + 7)


def test_a_fee_is_a_share_of_the_notional_rounded_up_whoever_trades() -> None:
    price = 120_000 * ONE_E8
    for lots in (5, -5):
        assert fee_e6(lots, price, 100_000, RatioE6(300)) == 180_000
    assert fee_e6(1, 100_000, 100_000, RatioE6(1)) == 1
    assert fee_e6(1, price, 100_000, RatioE6(0)) == 0


@pytest.mark.parametrize(
    ("lots", "share", "closed"), [(64, 1, 1), (65, 1, 2), (-65, 1, 2), (1, 1, 1), (100, 32, 50)]
)
def test_a_step_closes_a_share_of_a_position_rounded_up(lots: int, share: int, closed: int) -> None:
    assert SHARES == 64
    assert partial_lots(lots, share, SHARES) == closed
    change = -closed if lots > 0 else closed
    assert share_legs([(7, lots), (9, -lots)], share) == ((7, change), (9, -change))


@pytest.mark.parametrize(
    ("mark", "index", "sale", "purchase"),
    [
        (1_000, 10_000, 970, 1_030),  # 2 % of the mark and 0.1 % of the index
        (1_005, 10_000, 970, 1_040),  # to the tick, against the account
        (20, 10_000, 10, 30),
        (9, 100_000, 10, 110),  # never below one tick
    ],
)
def test_a_forced_order_may_trade_within_a_band_on_the_tick(
    mark: int, index: int, sale: int, purchase: int
) -> None:
    terms = replace(RULES.liquidation, band_mark_e6=RatioE6(20_000), band_index_e6=RatioE6(1_000))
    assert limit_price(mark, index, 10, buys=False, parameters=terms) == sale
    assert limit_price(mark, index, 10, buys=True, parameters=terms) == purchase
