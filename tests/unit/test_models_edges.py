"""Edges of the models: what is owed, worth nothing, certain, over, or stated by the file."""

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from offchain.app.cli import app
from offchain.app.margin_command import answer_of, read_file
from offchain.models.black import generalised_black_scholes
from offchain.models.errors import MarginFileError, UnsupportedPortfolioError
from offchain.models.registry import MODELS
from offchain.models.scenario_engine import time_scale
from offchain.models.schema import Svi, read_portfolio
from offchain.models.surface import svi_volatility


def run(file: dict[str, Any], model: str, name: str | None = None) -> dict[str, Any]:
    return answer_of(read_portfolio(file), model, name)


def line(found: dict[str, Any], name: str) -> float:
    return float(next(x["amount"] for x in found["lines"] if x["name"] == name))


def one_option(**more: Any) -> dict[str, Any]:
    """Return a file with one short call at the forward."""
    expiry = {"seconds": 2_592_000, "forward": 2_000, "volatility": 0.6}
    return {
        "underlyings": {"ETH": {"spot": 2_000, "expiries": {"e": expiry}}},
        "positions": [
            {
                "kind": "call",
                "underlying": "ETH",
                "expiry": "e",
                "strike": 2_000,
                "amount": -1,
                **more,
            }
        ],
    }


@pytest.mark.parametrize("model", ["derive-pm1", "derive-srm"])
def test_a_base_asset_cannot_be_owed(model: str) -> None:
    file: dict[str, Any] = {
        "underlyings": {"ETH": {"spot": 2_000}},
        "positions": [{"kind": "spot", "underlying": "ETH", "amount": -1}],
    }
    with pytest.raises(UnsupportedPortfolioError, match="spot of ETH is owed"):
        run(file, model)
    file["collateral"] = [{"asset": "ETH", "underlying": "ETH", "amount": 1.5}]
    assert run(file, model)["equity"] == pytest.approx(1_000)


def test_the_standard_manager_takes_a_mark_that_the_file_states() -> None:
    """Near expiry Derive values options on the settlement price, not on the forward."""
    found = run(one_option(price=80), "derive-srm", "tests")
    assert line(found, "ETH option marks") == -80
    assert line(found, "ETH options MM") == pytest.approx(-80 - 0.075 * 2_000)
    assert line(found, "ETH options IM") == pytest.approx(-80 - 0.15 * 2_000)


def test_a_smallest_k_star_of_zero_makes_the_skew_a_step_at_the_forward() -> None:
    file = one_option(strike=2_100)
    file["parameters"] = {"min_k_star": 0, "vol_param_static": 0, "vol_param_scale": 0}
    step = run(file, "derive-pm2", "tests")
    file["parameters"] = {"min_k_star": 1e-9, "vol_param_static": 0, "vol_param_scale": 0}
    steep = run(file, "derive-pm2", "tests")
    skews = [s["pnl"] for s in step["scenarios"] if s["volatility"] in {"linear", "abs"}]
    assert skews == pytest.approx(
        [s["pnl"] for s in steep["scenarios"] if s["volatility"] in {"linear", "abs"}]
    )
    assert skews[0] < -1


def test_the_floor_of_days_to_expiry_may_be_switched_off() -> None:
    file = one_option()
    file["underlyings"]["ETH"]["expiries"]["e"]["seconds"] = 21_600
    file["parameters"] = {"dte_floor_days": 0, "vol_up": 0.5}
    found = run(file, "derive-pm2", "tests")
    assert found["detail"]["expiries"]["e"]["vol_factor_up"] == pytest.approx(1 + 0.5 * 120**0.3)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("carry", [0.0, 0.07, 0.02])
def test_greeks_without_volatility_are_the_limits_of_small_ones(
    is_call: bool,
    carry: float,
) -> None:
    strike = 80.0 if is_call else 130.0
    certain, nearly = (
        generalised_black_scholes(100.0, strike, 0.75, 0.07, carry, v, is_call=is_call)
        for v in (0.0, 0.01)
    )
    for name in ("price", "delta", "gamma", "vega", "theta", "rho"):
        assert getattr(certain, name) == pytest.approx(getattr(nearly, name), abs=1e-9), name
    assert certain.theta != 0


def test_a_worthless_option_costs_zero_and_not_a_negative_zero() -> None:
    found = generalised_black_scholes(100.0, 1e-6, 0.1, 0.0, 0.0, 0.2, is_call=False)
    assert str(found.price) == "0.0"


def test_leverage_on_hyperliquid_is_that_of_the_tier_of_the_whole_position() -> None:
    file: dict[str, Any] = {
        "underlyings": {"BTC": {"spot": 100_000}},
        "positions": [{"kind": "perpetual", "underlying": "BTC", "amount": 2_000}],
    }
    assert run(file, "hyperliquid")["initial_margin"] == pytest.approx(200e6 / 20)
    file["positions"][0]["leverage"] = 40
    assert run(file, "hyperliquid")["initial_margin"] == pytest.approx(200e6 / 20)
    file["positions"][0]["leverage"] = 5
    assert run(file, "hyperliquid")["initial_margin"] == pytest.approx(200e6 / 5)
    file["positions"][0]["amount"] = 1_000
    del file["positions"][0]["leverage"]
    assert run(file, "hyperliquid")["initial_margin"] == pytest.approx(100e6 / 40)


def test_tiers_of_another_asset_can_be_stated() -> None:
    tiers = [{"lower": 0, "max_leverage": 10}, {"lower": 3e6, "max_leverage": 5}]
    file = {
        "underlyings": {"WIF": {"spot": 2, "parameters": {"tiers": tiers}}},
        "positions": [{"kind": "perpetual", "underlying": "WIF", "amount": 2_500_000}],
    }
    found = run(file, "hyperliquid")
    assert line(found, "WIF perpetual deduction") == pytest.approx(3e6 * (0.1 - 0.05))
    assert found["maintenance_margin"] == pytest.approx(5e6 * 0.1 - 150_000)


def test_an_auction_that_nobody_bought_goes_on_as_an_insolvent_one() -> None:
    state = {"mark_to_market": 1_000, "maintenance_margin": -200, "elapsed_seconds": 44_099}
    assert run({"auction": state}, "derive-auction")["worst"] == "solvent"
    state["elapsed_seconds"] = 44_100
    over = run({"auction": state}, "derive-auction")
    assert over["worst"] == "insolvent"
    assert line(over, "insolvent price") == -200
    assert over["detail"]["can_start"] is True
    assert over["detail"]["can_end"] is False
    for change in (
        {"maintenance_margin": 1},
        {"mark_to_market": -1},
        {"reserved_cash": 1_000},
        {"maintenance_margin": 200, "mark_to_market": 500},
    ):
        ended = run({"auction": {**state, **change}}, "derive-auction")
        assert ended["detail"]["can_end"] is True


def test_markets_with_published_terms_of_their_own_have_them() -> None:
    file = {
        "underlyings": {"DEGEN": {"spot": 1}, "ETH": {"spot": 1}},
        "positions": [
            {"kind": "perpetual", "underlying": "DEGEN", "amount": 100},
            {"kind": "perpetual", "underlying": "ETH", "amount": 100},
        ],
    }
    found = run(file, "derive-srm")
    assert line(found, "DEGEN perpetual MM") == pytest.approx(-20)
    assert line(found, "DEGEN perpetual IM") == pytest.approx(-33)
    assert line(found, "ETH perpetual IM") == pytest.approx(-10)
    tests = run(file, "derive-srm", "tests")
    assert line(tests, "DEGEN perpetual IM") == pytest.approx(-6.5)


def test_a_byte_order_mark_is_passed_over(tmp_path: Any) -> None:
    path = tmp_path / "portfolio.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"model": "bsm", "cash": 3}).encode())
    assert read_file(path).cash == 3


def test_the_list_of_models_has_every_parameter_of_every_set() -> None:
    listed = json.loads(CliRunner().invoke(app, ["margin", "--list", "--json"]).stdout)
    by_name = {m["name"]: m for m in listed}
    assert by_name["derive-pm2"]["parameters"]["tests"]["min_vol_up"] == 0.45
    assert by_name["brackets"]["parameters"] == {"none": None}
    assert "mr7_raw" in by_name["okx"]["charges"]
    assert by_name["derive-srm"]["underlyings_may_override"]
    for name, model in MODELS.items():
        assert list(by_name[name]["parameters"]) == list(model.sets)


def test_powers_of_time_change_at_thirty_days_and_stop_at_the_floor() -> None:
    days = np.array([0.25, 1, 20, 30, 31, 120]) * 86_400.0
    found = time_scale(days, 0.3, 0.13, 86_400.0)
    assert found == pytest.approx(
        [30**0.3, 30**0.3, 1.5**0.3, 1, (30 / 31) ** 0.13, 0.25**0.13], rel=1e-14
    )


def test_total_variance_is_limited() -> None:
    svi = Svi(a=200.0, b=0.0, rho=0.0, m=0.0, sigma=0.1, forward=100.0, tau=0.25)
    assert svi_volatility(svi, 100.0, "x") == pytest.approx(12 / 0.5)
    assert svi_volatility(svi, 0.0, "x") == 0


def test_a_short_put_deep_in_the_money_asks_initially_for_a_share_more_than_maintenance() -> None:
    found = run(one_option(kind="put", strike=5_000, price=3_000), "derive-srm", "tests")
    maintenance = -3_000 - 0.075 * 3_000
    assert line(found, "ETH options MM") == pytest.approx(maintenance)
    assert line(found, "ETH options IM") == pytest.approx(1.05 * maintenance)


def test_a_base_asset_that_counts_for_nothing_is_not_charged_for_doubt() -> None:
    file: dict[str, Any] = {
        "underlyings": {"ETH": {"spot": 2_000, "confidence": 0.25}},
        "collateral": [{"asset": "ETH", "underlying": "ETH", "amount": 1}],
    }
    assert line(run(file, "derive-srm"), "ETH oracle confidence") == pytest.approx(-1_500)
    for name in ("base_factor", "im_scale"):
        file["parameters"] = {name: 0}
        assert line(run(file, "derive-srm"), "ETH oracle confidence") == 0


@pytest.mark.parametrize("model", ["deribit-pm", "okx", "paradex-pm", "span16", "pm36"])
def test_haircuts_come_off_equity_and_not_off_the_mark(model: str) -> None:
    file: dict[str, Any] = {
        "cash": 100,
        "stable_price": 0.5,
        "underlyings": {"BTC": {"spot": 2_000}},
        "collateral": [{"asset": "X", "amount": 3, "price": 100, "haircut_mm": 0.25}],
    }
    found = run(file, model, "usd_pairs" if model == "deribit-pm" else None)
    assert found["mark_to_market"] == pytest.approx(600)
    assert found["equity"] == pytest.approx(100 + 600 - 150)
    file["collateral"][0]["haircut_mm"] = 7
    assert run(file, model, None)["equity"] * (2_000 if model == "deribit-pm" else 1) == (
        pytest.approx(100)
    )


@pytest.mark.parametrize("name", ["btc_usd", "usd_pairs"])
def test_deribit_counts_spot_that_is_held(name: str) -> None:
    file = {
        "underlyings": {"BTC": {"spot": 50_000}},
        "positions": [{"kind": "spot", "underlying": "BTC", "amount": 0.5}],
    }
    found = run(file, "deribit-pm", name)
    assert found["mark_to_market"] == pytest.approx(0.5 if name == "btc_usd" else 25_000)


def test_a_move_of_zero_cannot_be_weighted() -> None:
    file = {
        "underlyings": {"BTC": {"spot": 50_000}},
        "parameters": {"extended_moves": [0.5, 0]},
    }
    with pytest.raises(MarginFileError, match=r"parameters\.extended_moves: an extended move"):
        run(file, "deribit-pm")


def test_one_perpetual_has_one_leverage() -> None:
    leg = {"kind": "perpetual", "underlying": "BTC", "amount": 1, "leverage": 5}
    file = {"underlyings": {"BTC": {"spot": 50_000}}, "positions": [leg, leg]}
    assert run(file, "hyperliquid")["initial_margin"] == pytest.approx(20_000)
    file["positions"] = [leg, {**leg, "leverage": 6}]
    with pytest.raises(MarginFileError, match="more than one leverage"):
        run(file, "hyperliquid")
