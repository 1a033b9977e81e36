"""Risk over the API: every line of a margin adds up, and equals what the engine requires."""

from collections.abc import Iterator
from typing import Any

import pytest

from offchain.adapters.client import ApiError
from offchain.adapters.guard import ApiLimits
from offchain.adapters.liquidation_prices import frozen, market_at
from offchain.adapters.margin_views import scenario_words
from offchain.core.margin import Mode
from offchain.core.scenarios import scenario_grid
from offchain.core.units import ONE_E6, ONE_E8, ceil_div
from offchain.engine.messages import SetMode
from offchain.engine.overlay import Overlay
from offchain.engine.risk import account_margin
from offchain.pricing.exposure import exposures, listed_greeks
from tests.support.desk import key
from tests.support.served import MAKER, TRADER, Served, serving
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, option

PLENTY = ApiLimits(rate=10_000, burst=10_000)
OPTIONS, LINEAR, COINS = 12, 13, 14
"""Names of the owners of accounts 4, 5 and 6."""
CALL, PUT = option("BTC-WEEK-130000-C"), option("BTC-WEEK-110000-P")
USD = ONE_E6


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(PLENTY) as one:
        desk = one.desk
        desk.deposit_for(OPTIONS, 200_000, 0.5)
        desk.deposit_for(LINEAR, 20_000)
        desk.deposit_for(COINS, 5_000, 1)
        desk.deposit(int.from_bytes(key(COINS).address), eth=2)
        desk.must(desk.set_mode(5, Mode.CROSS))
        desk.trade(2, 4, CALL, 3_000, 900)
        desk.trade(2, 4, PUT, 3_000, 900)
        desk.trade(4, 2, ETH_PERP, 1_000, 4_300)
        desk.must(desk.order(4, BTC_PERP, 100, 110_000))
        desk.trade(5, 2, BTC_PERP, 1_000, 120_000)
        desk.trade(2, 6, BTC_PERP, 300, 120_000)
        yield one


def numbers(of: dict[str, Any], *names: str) -> list[int]:
    return [int(of[name]) for name in names]


def refused(call: Any, *args: object, **params: object) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*args, **params)
    return caught.value


@pytest.mark.parametrize("account", range(7))
def test_a_breakdown_has_the_totals_of_the_engine(served: Served, account: int) -> None:
    shown, margin = (
        served.client.account_margin(account),
        account_margin(served.desk.state, account),
    )
    assert shown["mode"] == margin.mode.name.lower()
    names = ("equity_e6", "margin_balance_e6", "maintenance_margin_e6", "initial_margin_e6")
    figures = (margin.equity_e6, margin.margin_balance_e6, margin.maintenance_e6)
    assert numbers(shown, *names) == [*figures, margin.initial_e6]
    balance = sum(numbers(shown, "cash_e6", "profit_e6"))
    balance += sum(int(c["credit_e6"]) for c in shown["collateral"])
    assert balance == margin.margin_balance_e6
    assert int(shown["free_e6"]) == margin.margin_balance_e6 - margin.initial_e6


def test_the_lines_of_a_portfolio_add_up(served: Served) -> None:
    shown = served.client.account_margin(4)
    due, initial = shown["maintenance"], shown["initial"]
    lines = numbers(due, "scan_e6", "roll_e6", "holding_e6", "large_delta_e6")
    assert sum(lines) == int(due["sum_e6"])
    assert all(lines[:3])
    base = max(numbers(due, "sum_e6", "unwinding_floor_e6"))
    assert int(due["margin_e6"]) == ceil_div(base * int(due["factor_e6"]), ONE_E6)
    more = ("naked_options_e6", "calm_vega_e6", "doubt_e6")
    names = ("scan_with_orders_e6", "roll_e6", "holding_e6", "large_delta_e6", *more)
    assert sum(numbers(initial, *names)) == int(initial["sum_e6"])
    assert int(initial["naked_options_e6"]) > 0
    assert int(initial["margin_e6"]) == int(initial["sum_e6"]) == int(shown["initial_margin_e6"])
    assert int(initial["scan_with_orders_e6"]) > int(due["scan_e6"])  # an order rests
    assert shown["linear"] is None


def test_the_scan_names_its_scenarios_in_words(served: Served) -> None:
    scan = served.client.account_margin(4)["scan"]
    assert scan["decided_by"] in {"correlated", "breakdown"}
    bitcoin, ether = scan["underlyings"]
    state = served.desk.state
    losses = state.market.prices.losses_e6
    for shown in (bitcoin, ether):
        place = int(shown["scenario"])
        held = [p for p in state.accounts.positions(4) if (p[0] >= 256) == (shown is ether)]
        assert int(shown["loss_e6"]) == sum(n * int(losses[i, place]) for i, n, _ in held)
        grid = scenario_grid(state.rules.scan[shown is ether])
        assert shown["move"] == scenario_words(grid[place])


def test_scenarios_are_said_as_people_say_them() -> None:
    grid = scenario_grid(RULES.scan[0])
    assert scenario_words(grid[0]) == "price -16.00 %, volatility down"
    assert scenario_words(grid[13]) == "price the same, volatility the same"
    assert scenario_words(grid[17]) == "price +4.00 %, volatility up"
    assert scenario_words(grid[27]) == "price -66.00 %, volatility up, 24.24 % of the loss"
    assert scenario_words(grid[35]) == "price the same, wings raised"


def test_a_linear_account_shows_its_instruments_and_no_scan(served: Served) -> None:
    shown = served.client.account_margin(5)
    assert shown["scan"] is shown["maintenance"] is shown["initial"] is None
    (line,) = shown["linear"]["instruments"]
    assert line["symbol"] == "BTC-PERP"
    assert numbers(line, "notional_e6", "maintenance_e6") == [120_000 * USD, 600 * USD]
    assert line["initial_e6"] == shown["initial_margin_e6"] == str(1_200 * USD)


def test_collateral_shows_haircut_value_credit_and_brackets(served: Served) -> None:
    bitcoin, ether = served.client.account_margin(6)["collateral"]
    assert (bitcoin["symbol"], ether["symbol"]) == ("WBTC", "WETH")
    assert bitcoin["value_e6"] == str(120_000 * USD)
    haircut = int(bitcoin["haircut_e6"])
    assert int(bitcoin["credit_e6"]) == 120_000 * (ONE_E6 - haircut)
    assert sum(int(b["amount_e8"]) for b in ether["brackets"]) == int(ether["amount_e8"])


def test_what_is_withdrawable_can_be_withdrawn_and_not_a_unit_more(served: Served) -> None:
    shown = {w["asset"]: int(w["amount"]) for w in served.client.account_margin(6)["withdrawable"]}
    assert set(shown) == {"0", "1", "2"}
    command = served.desk.withdraw(6, btc=(shown["1"] + 1) / ONE_E8)
    error = refused(served.submit, command, COINS, amount=shown["1"] + 1)
    assert error.reason == "NOT_WITHDRAWABLE"


def test_exposure_is_that_of_the_positions(served: Served) -> None:
    shown = served.client.account_exposure(4)
    state = served.desk.state
    greeks = listed_greeks(state.rules.listing, state.market.medians, state.market.observed_at_ns)
    held = [(int(i), lots) for i, lots, _ in state.accounts.positions(4)]
    for view, of in zip(
        shown["underlyings"], exposures(state.rules.listing, held, greeks), strict=True
    ):
        figures = (of.delta_e8, of.option_delta_e8, of.gamma_e12, of.vega_e6, of.theta_e6)
        names = ("delta_e8", "option_delta_e8", "gamma_e12", "vega_e6", "theta_e6")
        assert numbers(view, *names) == list(figures)
    ether = shown["underlyings"][1]
    assert ether["delta_e8"] == ether["perpetual_delta_e8"] == str(10 * ONE_E8)
    assert ether["delta_value_e6"] == str(43_000 * USD)
    call = next(p for p in shown["positions"] if p["instrument"] == str(CALL))
    assert int(call["delta_e8"]) < 0 < int(call["theta_e6"])


def test_the_market_shows_what_the_report_says(served: Served) -> None:
    shown, state = served.client.call("public/get_market"), served.desk.state
    assert (shown["stable_price_e8"], shown["peg_e6"]) == (str(ONE_E8), "0")
    bitcoin = shown["underlyings"][0]
    assert bitcoin["index_price_e8"] == str(120_000 * ONE_E8)
    assert (bitcoin["confidence_e6"], bitcoin["margin_class"]) == (str(ONE_E6), "MAJOR")
    assert [s["v0_e8"] for s in bitcoin["surfaces"]] == ["45000000"] * 2
    assert (bitcoin["surfaces"][0]["slope_e8"], bitcoin["surfaces"][0]["tilt_e8"]) == ("0", "0")
    interest = {x["symbol"]: int(x["lots"]) for x in bitcoin["open_interest"]}
    assert interest["BTC-WEEK-130000-C"] == 3_000
    assert interest["BTC-PERP"] == int(state.accounts.open_interest[BTC_PERP])
    asset = shown["collateral"][1]
    assert (asset["symbol"], asset["held_e8"]) == ("WETH", str(2 * ONE_E8))
    assert int(asset["haircut_e6"]) == state.market.haircuts[1].haircut_e6


def test_a_ticker_prices_and_charges_an_option(served: Served) -> None:
    shown = served.client.call("public/get_ticker", instrument=CALL)
    pricing = shown["pricing"]
    assert pricing["mark_volatility_e8"] == "45000000"
    assert 0 < int(pricing["greeks"]["delta_e8"]) < ONE_E8
    row = served.desk.state.market.charges_in_force[CALL].tolist()
    assert [int(x) for x in pricing["charges"].values()] == row
    assert shown["open_interest_lots"] == "3000"
    perpetual = served.client.call("public/get_ticker", instrument=BTC_PERP)["pricing"]
    assert (perpetual["mark_volatility_e8"], perpetual["funding_rate_e8"]) == (None, "0")


def test_a_preview_is_the_margin_after_the_trades(served: Served) -> None:
    state, last = served.desk.state, served.desk.store.last_seq
    trades = [(CALL, 800), (BTC_PERP, -50)]
    shown = served.client.preview_margin(4, trades)
    overlay = Overlay()
    for instrument, lots in trades:
        value = int(state.market.prices.lot_values_e6[instrument])
        overlay.trade(4, instrument, lots, lots * value)
        overlay.pay(4, -ceil_div(abs(lots) * value * 300, ONE_E6))
    margin = account_margin(state, 4, overlay)
    after = shown["after"]
    names = ("margin_balance_e6", "maintenance_margin_e6", "initial_margin_e6")
    expected = [margin.margin_balance_e6, margin.maintenance_e6, margin.initial_e6]
    assert numbers(after, *names) == expected
    assert int(shown["before"]["initial_margin_e6"]) == account_margin(state, 4).initial_e6
    assert shown["meets_initial_margin"] is True
    assert served.desk.store.last_seq == last


def test_a_preview_of_a_mode_is_its_margin_or_its_refusal(served: Served) -> None:
    shown = served.client.preview_margin(5, mode="portfolio")
    assert shown["before"]["mode"] == "cross"
    assert shown["after"]["mode"] == "portfolio"
    assert shown["meets_initial_margin"] is False
    error = refused(served.client.preview_margin, 4, mode="cross")
    assert error.reason == "OPTION_NEEDS_PORTFOLIO"
    error = refused(served.client.preview_margin, 5, [(BTC_WEEK, 1)], "isolated")
    assert (error.code, error.reason) == (12007, "MODE_FORBIDS")


@pytest.mark.parametrize(
    ("trade", "reason"),
    [
        ({"instrument": 255, "lots": 1}, "UNKNOWN_INSTRUMENT"),
        ({"instrument": 0, "lots": 1, "price_e8": 1}, "BAD_PRICE"),
        ({"instrument": 0, "lots": 1, "price_e8": 0}, "BAD_PRICE"),
        ({"instrument": 0, "lots": 1, "price_e8": 10**18}, "BAD_PRICE"),
        ({"instrument": 0, "lots": 2**24 - 1}, "POSITION_LIMIT"),
    ],
)
def test_a_preview_of_what_cannot_be_traded_is_refused(
    served: Served, trade: dict[str, int], reason: str
) -> None:
    call = served.client.call
    assert refused(call, "public/preview_margin", account=3, trades=[trade]).reason == reason


def test_a_what_if_in_another_mode_is_tiered(served: Served) -> None:
    call, position = served.client.call, {"instrument": BTC_PERP, "lots": 1_000}
    answer = call("public/get_margin", mode="cross", cash_e6=5_000 * USD, positions=[position])
    assert answer["maintenance_margin_e6"] == str(600 * USD)
    option_position = {"instrument": CALL, "lots": 1}
    error = refused(call, "public/get_margin", mode="isolated", positions=[option_position])
    assert error.reason == "OPTION_NEEDS_PORTFOLIO"


def test_a_mode_is_set_by_its_owner_and_the_history_shows_it(served: Served) -> None:
    command = served.desk.set_mode(5, Mode.ISOLATED)
    assert refused(served.submit, command, TRADER).reason == "WRONG_SIGNER"
    assert served.submit(command, LINEAR)["mode"] == "isolated"
    assert served.client.call("public/get_account", account=5)["mode"] == "isolated"
    error = refused(served.submit, served.desk.set_mode(5, Mode.PORTFOLIO), LINEAR)
    assert error.reason == "INSUFFICIENT_MARGIN"
    margin = account_margin(served.desk.state, 5, mode=Mode.PORTFOLIO)
    assert error.numbers == {
        "margin_balance_e6": margin.margin_balance_e6,
        "initial_margin_e6": margin.initial_e6,
    }
    again = served.submit(served.desk.set_mode(5, Mode.CROSS), LINEAR)
    served.projector.drain()
    changes = served.client.call("public/get_mode_changes", account=5)["rows"]
    assert [c["mode"] for c in changes] == ["cross", "isolated", "cross"]
    assert changes[0]["seq"] == again["seq"]


@pytest.mark.parametrize(("mode", "reason"), [(3, "UNKNOWN_MODE"), (2, "SAME_MODE")])
def test_a_mode_that_is_none_is_refused(served: Served, mode: int, reason: str) -> None:
    assert refused(served.submit, served.desk.set_mode(3, mode), TRADER).reason == reason


def test_a_conversion_pays_the_index_less_the_haircut(served: Served) -> None:
    haircut = served.desk.state.market.haircuts[1].haircut_e6
    done = served.submit(served.desk.convert(6, 2, 0.5), COINS)
    assert int(done["cash_e6"]) == 2_150 * (ONE_E6 - haircut)
    served.projector.drain()
    (sale,) = served.client.call("public/get_collateral_sales", account=6)["rows"]
    assert (sale["cash_e6"], sale["buyer"], sale["is_liquidation"]) == (done["cash_e6"], "1", False)
    error = refused(served.submit, served.desk.convert(6, 2, 0.5, least_usd=2_000), COINS)
    assert (error.reason, error.numbers) == (
        "BELOW_MINIMUM",
        {"cash_e6": int(done["cash_e6"]), "minimum_e6": 2_000 * USD},
    )
    error = refused(served.submit, served.desk.convert(6, 2, 50), COINS)
    assert (error.reason, error.numbers["held"]) == ("BAD_AMOUNT", 150_000_000)


def test_liquidation_prices_have_their_method_and_reason(served: Served) -> None:
    linear = served.client.liquidation_prices(5)["underlyings"][0]
    assert (linear["method"], linear["upper_reason"]) == ("closed_form", "never_within_range")
    assert excess_at(served, 5, int(linear["lower_e8"])) < 0
    assert excess_at(served, 5, int(linear["lower_e8"]) + 10_000_000) >= 0
    maker = served.client.liquidation_prices(1)["underlyings"]
    assert {u["lower_reason"] for u in maker} == {"no_positions"}


def test_liquidation_prices_of_one_underlying_may_be_asked_for(served: Served) -> None:
    (ether,) = served.client.liquidation_prices(4, 1)["underlyings"]
    assert ether == served.client.liquidation_prices(4)["underlyings"][1]
    assert refused(served.client.liquidation_prices, 4, 2).code == -32602


def test_a_short_strangle_has_two_liquidation_prices(served: Served) -> None:
    shown = served.client.liquidation_prices(4)["underlyings"][0]
    assert shown["method"] == "search"
    for side, step in (("lower", 10_000_000), ("upper", -10_000_000)):
        assert shown[f"{side}_reason"] == "found"
        price = int(shown[f"{side}_e8"])
        assert excess_at(served, 4, price) < 0 <= excess_at(served, 4, price + step)


def excess_at(served: Served, account: int, btc_e8: int) -> int:
    """Return the excess of an account after a report with another price of BTC."""
    held = frozen(served.desk.state, account)
    margin = held.margin(market_at(held.state, 0, btc_e8))
    return margin.margin_balance_e6 - margin.maintenance_e6


def test_a_search_leaves_the_venue_as_it_was(served: Served) -> None:
    root = served.desk.sequencer.journal.state_root()
    before = served.client.account_margin(4)
    served.client.liquidation_prices(4)
    assert served.client.account_margin(4) == before
    assert served.desk.sequencer.journal.state_root() == root


def test_nothing_is_shown_before_the_first_price() -> None:
    with serving(PLENTY) as fresh:
        fresh.desk.state.market.arrays = None
        for method in ("get_market", "get_account_margin", "get_liquidation_prices"):
            params = {} if method == "get_market" else {"account": 1}
            error = refused(fresh.client.call, f"public/{method}", **params)
            assert error.reason == "NO_PRICES"


def test_an_intent_of_the_maker_is_not_one_of_the_trader(served: Served) -> None:
    command: SetMode = served.desk.set_mode(2, Mode.CROSS)
    assert refused(served.submit, command, TRADER).code == 14102
    assert refused(served.submit, command, MAKER).reason == "OPTION_NEEDS_PORTFOLIO"
