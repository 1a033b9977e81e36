"""Liquidation prices: closed form, search, and why there is none."""

import pytest

from offchain.core.units import ONE_E6, ONE_E8, PriceE8
from offchain.pricing.liquidation_price import (
    LinearAccount,
    LiquidationPrices,
    PriceReason,
    linear_liquidation_price,
    search_liquidation_prices,
)

TICK = 10_000_000  # 0.1 USD
PRICE = 60_000 * ONE_E8
HIGHEST = 10 * PRICE
NEVER = PriceReason.NEVER_WITHIN_RANGE


def account(lots: int, cash_usd: int, lines: tuple[tuple[int, int], ...]) -> LinearAccount:
    return LinearAccount(lots, PRICE, cash_usd * ONE_E6, lines, 100_000, TICK)


def test_long_of_one_tier_fails_where_the_formula_says() -> None:
    """1 BTC at 60,000 with 6,000 USD and 1 %: (60,000 - 6,000) / 0.99 = 54,545.4545.."""
    found = linear_liquidation_price(account(1_000, 6_000, ((10_000, 0),)), PRICE, HIGHEST)
    assert found == LiquidationPrices(PriceE8(545_454 * 10**7), PriceReason.FOUND, None, NEVER)


def test_short_of_one_tier_fails_where_the_formula_says() -> None:
    """66,000 / 1.01 = 65,346.5346..: the first tick above it."""
    found = linear_liquidation_price(account(-1_000, 6_000, ((10_000, 0),)), PRICE, HIGHEST)
    assert found == LiquidationPrices(None, NEVER, PriceE8(653_466 * 10**7), PriceReason.FOUND)


def test_price_at_which_the_excess_is_zero_does_not_fail_yet() -> None:
    """Without MM the account is worth zero at 54,000 and fails one tick below."""
    found = linear_liquidation_price(account(1_000, 6_000, ((0, 0),)), PRICE, HIGHEST)
    assert found.lower_e8 == 54_000 * ONE_E8 - TICK


def test_deduction_of_a_higher_tier_is_used_in_that_tier_only() -> None:
    """Tiers 1 % up to 100,000 USD, 2 % above, deduction 1,000 USD (in 1e-12 USD)."""
    lines = ((10_000, 0), (20_000, 1_000 * ONE_E6 * ONE_E6))
    large = account(10_000, 60_000, lines)  # 600,000 USD: second tier
    found = linear_liquidation_price(large, PRICE, HIGHEST)
    exact = (600_000 - 60_000 - 1_000) / (10 * 0.98)
    assert found.lower_e8 is not None
    assert 0 < exact - found.lower_e8 / ONE_E8 <= 0.1
    small = account(1_000, 6_000, lines)
    assert linear_liquidation_price(small, PRICE, HIGHEST).lower_e8 == 545_454 * 10**7


def test_account_that_can_lose_everything_has_no_price() -> None:
    found = linear_liquidation_price(account(1_000, 60_000, ((10_000, 0),)), PRICE, HIGHEST)
    assert found == LiquidationPrices(None, NEVER, None, NEVER)


def test_short_whose_price_lies_beyond_the_range_has_none() -> None:
    rich = account(-1_000, 10_000_000, ((10_000, 0),))
    assert linear_liquidation_price(rich, PRICE, HIGHEST).upper_reason == NEVER


@pytest.mark.parametrize("lots", [1_000, -1_000])
def test_account_that_fails_now_says_so(lots: int) -> None:
    found = linear_liquidation_price(account(lots, 100, ((10_000, 0),)), PRICE, HIGHEST)
    below = PriceReason.ALREADY_BELOW
    assert found == LiquidationPrices(None, below, None, below)


def test_empty_account_says_so() -> None:
    none = PriceReason.NO_POSITIONS
    empty = LiquidationPrices(None, none, None, none)
    assert linear_liquidation_price(account(0, -5, ((10_000, 0),)), PRICE, HIGHEST) == empty
    found = search_liquidation_prices(
        lambda _: -1, PRICE, TICK, (TICK, HIGHEST), has_positions=False
    )
    assert found == empty


def test_reasons_keep_their_numbers() -> None:
    assert [(reason.name, int(reason)) for reason in PriceReason] == [
        ("FOUND", 0),
        ("NEVER_WITHIN_RANGE", 1),
        ("ALREADY_BELOW", 2),
        ("NO_POSITIONS", 3),
    ]


def test_account_with_nothing_to_spare_fails_at_the_next_tick() -> None:
    bare = account(1_000, 0, ((0, 0),))
    assert bare.excess_e6(PRICE) == 0
    assert linear_liquidation_price(bare, PRICE, HIGHEST).lower_e8 == PRICE - TICK
    found = search_liquidation_prices(bare.excess_e6, PRICE, TICK, (TICK, HIGHEST))
    assert found.lower_e8 == PRICE - TICK


def test_entry_between_lot_values_is_rounded_against_the_account() -> None:
    """One lot bought 1e-8 above the price: the loss of 1e-11 USD counts as 1e-6."""
    long = LinearAccount(1, PRICE + 1, 100, ((0, 0),), 100_000, TICK)
    assert long.excess_e6(PRICE) == 99
    assert long.excess_e6(PRICE - TICK) == -1
    assert linear_liquidation_price(long, PRICE, HIGHEST).lower_e8 == PRICE - TICK


def test_finest_tick_is_the_value_of_a_lot() -> None:
    """With a tick of one lot divisor (0.001 USD) the price is exact to one unit of lot value."""
    for lots, worthless in ((1_000, 54_000 * ONE_E8), (-1_000, 66_000 * ONE_E8)):
        fine = LinearAccount(lots, PRICE, 6_000 * ONE_E6, ((0, 0),), 100_000, 100_000)
        found = linear_liquidation_price(fine, PRICE, HIGHEST)
        if lots > 0:
            assert found.lower_e8 == worthless - 100_000
        else:
            assert found.upper_e8 == worthless + 100_000


def test_finest_tick_of_a_short_with_margin_is_rounded_up() -> None:
    """66,000 / 1.01 = 65,346.53465..: the first thousandth above it fails."""
    fine = LinearAccount(-1_000, PRICE, 6_000 * ONE_E6, ((10_000, 0),), 100_000, 100_000)
    assert linear_liquidation_price(fine, PRICE, HIGHEST).upper_e8 == 65_346_535 * 100_000


def test_requirement_is_rounded_up() -> None:
    """A millionth of 60.0001 USD is 60.0001 millionths: 61."""
    assert account(1, 0, ((1, 0),)).excess_e6(PRICE + TICK) == 100 - 61


def test_excess_of_zero_is_no_failure_anywhere() -> None:
    found = search_liquidation_prices(lambda _: 0, PRICE, TICK, (TICK, HIGHEST))
    assert found == LiquidationPrices(None, NEVER, None, NEVER)
    edge = PRICE - 7 * TICK
    found = search_liquidation_prices(
        lambda price: min(0, price - edge), PRICE, TICK, (TICK, HIGHEST)
    )
    assert found.lower_e8 == edge - TICK


def test_first_and_last_tick_of_the_range_count() -> None:
    """59,999.8 USD of cash: the long is worth nothing at 0.2 and fails at 0.1, the first tick."""
    long = LinearAccount(1_000, PRICE, 59_999_800_000, ((0, 0),), 100_000, TICK)
    assert linear_liquidation_price(long, PRICE, HIGHEST).lower_e8 == TICK
    short = account(-1_000, 6_000, ((0, 0),))
    last = 66_000 * ONE_E8 + TICK
    assert linear_liquidation_price(short, PRICE, last).upper_e8 == last
    assert linear_liquidation_price(short, PRICE, last - TICK).upper_e8 is None


def test_rate_of_one_or_a_tick_between_lots_is_refused() -> None:
    with pytest.raises(ValueError, match="rates"):
        account(1, 1, ((ONE_E6, 0),))
    with pytest.raises(ValueError, match="tick"):
        LinearAccount(1, PRICE, 0, ((0, 0),), 100_000, TICK + 1)


def test_short_straddle_has_a_price_on_either_side() -> None:
    def excess(price: int) -> int:
        return 5_000 * ONE_E8 - abs(price - PRICE)

    found = search_liquidation_prices(excess, PRICE, TICK, (TICK, HIGHEST))
    assert found.lower_e8 == PRICE - 5_000 * ONE_E8 - TICK
    assert found.upper_e8 == PRICE + 5_000 * ONE_E8 + TICK
    assert found.lower_reason == found.upper_reason == PriceReason.FOUND


def test_long_straddle_has_none() -> None:
    found = search_liquidation_prices(
        lambda price: abs(price - PRICE), PRICE, TICK, (TICK, HIGHEST)
    )
    assert found == LiquidationPrices(None, NEVER, None, NEVER)


def test_failing_search_says_so() -> None:
    below = PriceReason.ALREADY_BELOW
    found = search_liquidation_prices(lambda _: -1, PRICE, TICK, (TICK, HIGHEST))
    assert found == LiquidationPrices(None, below, None, below)


def test_excess_that_recovers_gives_the_first_failure_of_the_scan() -> None:
    """Fails between 50,000 and 55,000 and again below 10,000: the nearer failure is the price."""

    def excess(price: int) -> int:
        usd = price // ONE_E8
        return -1 if 50_000 <= usd < 55_000 or usd < 10_000 else 1

    found = search_liquidation_prices(excess, PRICE, TICK, (TICK, HIGHEST))
    assert found.lower_e8 == 55_000 * ONE_E8 - TICK
    assert found.upper_reason == NEVER


def test_bound_itself_is_looked_at_and_nothing_beyond() -> None:
    seen: list[int] = []

    def excess(price: int) -> int:
        seen.append(price)
        return -1 if price == TICK else 1

    found = search_liquidation_prices(excess, PRICE, TICK, (TICK, PRICE))
    assert found.lower_e8 == TICK
    assert (min(seen), max(seen)) == (TICK, PRICE)
    assert len(seen) < 2 + 64 + 24


@pytest.mark.parametrize(
    ("current", "bounds"),
    [
        (PRICE + 1, (TICK, HIGHEST)),
        (PRICE, (TICK + 1, HIGHEST)),
        (PRICE, (0, HIGHEST)),
        (PRICE, (PRICE + TICK, HIGHEST)),
        (PRICE, (TICK, PRICE - TICK)),
    ],
)
def test_bounds_off_the_tick_or_beside_the_price_are_refused(
    current: int, bounds: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="price"):
        search_liquidation_prices(lambda _: 1, current, TICK, bounds)
