"""Liquidation prices of accounts: closed form and search agree, and each is the first failure."""

from dataclasses import replace

import pytest

from offchain.adapters import liquidation_prices as prices_module
from offchain.adapters.liquidation_prices import (
    CELLS,
    Held,
    frozen,
    liquidation_prices_view,
    market_at,
)
from offchain.core.margin import Mode, is_below
from offchain.core.presets import BITCOIN
from offchain.core.units import RatioE6
from offchain.pricing.liquidation_price import search_liquidation_prices
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, Venue, option

UNDERLYINGS = RULES.listing.underlyings
TICK = int(BITCOIN.tick_e8)
CALL, PUT = option("BTC-WEEK-130000-C"), option("BTC-WEEK-110000-P")


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    v.deposit(10, 50_000_000)
    for name in (11, 12):
        v.deposit(name, 50_000)
    v.deposit(13, 50_000, btc=1)
    v.price(120_000)
    for account in (3, 4):
        v.must(v.set_mode(account, Mode.CROSS))
    return v


def excess(held: Held, price_e8: int) -> int:
    return held.excess_e6(market_at(held.state, 0, price_e8))


def shown(venue: Venue, account: int, underlying: int = 0) -> dict[str, object]:
    found: dict[str, object] = liquidation_prices_view(frozen(venue.state, account), UNDERLYINGS)[
        "underlyings"
    ][underlying]
    return found


@pytest.mark.parametrize(("lots", "side"), [(2_000, "lower"), (-2_000, "upper")])
def test_the_closed_form_is_the_first_failing_tick_of_the_engine(
    venue: Venue, lots: int, side: str
) -> None:
    buyer, seller = (3, 2) if lots > 0 else (2, 3)
    venue.trade(buyer, seller, BTC_PERP, abs(lots), 120_000)
    venue.trade(buyer, seller, ETH_PERP, 500, 4_300)
    found, held = shown(venue, 3), frozen(venue.state, 3)
    assert (found["method"], found[f"{side}_reason"]) == ("closed_form", "found")
    price = int(str(found[f"{side}_e8"]))
    inward = TICK if side == "lower" else -TICK
    assert excess(held, price) < 0 <= excess(held, price + inward)
    searched = search_liquidation_prices(
        lambda p: excess(held, p), 120_000 * 10**8, TICK, (TICK, 480_000 * 10**8)
    )
    assert getattr(searched, f"{side}_e8") == price
    assert found["upper_e8" if side == "lower" else "lower_e8"] is None


def test_two_instruments_of_one_underlying_are_searched(venue: Venue) -> None:
    venue.trade(4, 2, BTC_PERP, 1_000, 120_000)
    venue.trade(4, 2, BTC_WEEK, 1_000, 120_000)
    found, held = shown(venue, 4), frozen(venue.state, 4)
    assert found["method"] == "search"
    price = int(str(found["lower_e8"]))
    assert excess(held, price) < 0 <= excess(held, price + TICK)


def test_collateral_in_the_underlying_moves_with_it(venue: Venue) -> None:
    venue.must(venue.set_mode(5, Mode.CROSS))
    venue.trade(5, 2, BTC_PERP, 3_000, 120_000)
    found, held = shown(venue, 5), frozen(venue.state, 5)
    assert found["method"] == "search"
    price = int(str(found["lower_e8"]))
    assert excess(held, price) < 0 <= excess(held, price + TICK)
    bare = Held(held.state, 5, held.mode, held.cash_e6, (), held.positions)
    assert excess(bare, price + TICK) < excess(held, price + TICK)


def test_collateral_beside_positions_elsewhere_has_a_price_and_alone_has_none(
    venue: Venue,
) -> None:
    assert shown(venue, 5)["lower_reason"] == "no_positions"
    venue.trade(5, 2, ETH_PERP, 5_000, 4_300)
    assert shown(venue, 5)["lower_reason"] == "never_within_range"  # the cash is enough
    venue.state.accounts.add_cash(5, -40_000 * 10**6)
    assert shown(venue, 5)["lower_reason"] == "found"


def test_a_strangle_has_two_prices_and_a_hedged_account_none(venue: Venue) -> None:
    venue.deposit(14, 150_000)
    venue.trade(2, 6, CALL, 3_000, 900)
    venue.trade(2, 6, PUT, 3_000, 900)
    found, held = shown(venue, 6), frozen(venue.state, 6)
    for side, inward in (("lower", TICK), ("upper", -TICK)):
        price = int(str(found[f"{side}_e8"]))
        assert excess(held, price) < 0 <= excess(held, price + inward)
    venue.deposit(15, 150_000)
    venue.trade(7, 2, CALL, 100, 900)
    found = shown(venue, 7)
    assert found["lower_reason"] == found["upper_reason"] == "never_within_range"


def test_an_account_below_its_margin_says_so(venue: Venue) -> None:
    venue.trade(3, 2, BTC_PERP, 3_000, 120_000)
    venue.state.accounts.add_cash(3, -49_000 * 10**6)
    assert shown(venue, 3)["lower_reason"] == "already_below"


def test_the_trigger_of_the_parameter_set_decides() -> None:
    lower = replace(RULES.liquidation, partial_trigger_e6=RatioE6(800_000))
    found = []
    for rules in (RULES, replace(RULES, liquidation=lower)):
        v = Venue(rules=rules)
        v.fund(backstop_usd=5_000_000)
        v.deposit(10, 50_000_000)
        v.deposit(11, 50_000)
        v.price(120_000)
        v.must(v.set_mode(3, Mode.CROSS))
        v.trade(3, 2, BTC_PERP, 2_000, 120_000)
        at = shown(v, 3)
        found.append((at["method"], int(str(at["lower_e8"]))))
        held = frozen(v.state, 3)
        margin = held.margin(market_at(held.state, 0, found[-1][1]))
        trigger = rules.liquidation.partial_trigger_e6
        assert is_below(margin.margin_balance_e6, margin.maintenance_e6, trigger)
    assert [method for method, _ in found] == ["closed_form", "search"]
    assert found[1][1] < found[0][1]


def test_the_work_of_a_search_is_bounded(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    venue.deposit(14, 150_000)
    venue.trade(2, 6, CALL, 3_000, 900)
    venue.trade(2, 6, PUT, 3_000, 900)
    held, looked_at = frozen(venue.state, 6), []

    def counted(state: object, underlying: int, price_e8: int) -> object:
        looked_at.append(price_e8)
        return market_at(held.state, underlying, price_e8)

    monkeypatch.setattr(prices_module, "market_at", counted)
    liquidation_prices_view(held, UNDERLYINGS)
    assert 0 < len(looked_at) <= 2 * (CELLS + 24) + 1


def test_what_was_copied_does_not_move_with_the_venue(venue: Venue) -> None:
    venue.trade(3, 2, BTC_PERP, 2_000, 120_000)
    held = frozen(venue.state, 3)
    before = liquidation_prices_view(held, UNDERLYINGS)
    venue.price(118_000)
    venue.fund_tick(step_s=60)
    venue.trade(2, 3, BTC_PERP, 1_000, 118_000)
    assert liquidation_prices_view(held, UNDERLYINGS) == before
