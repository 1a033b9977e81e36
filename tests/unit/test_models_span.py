"""SPAN: arrays and deltas that a file gives, spreads between months and commodities, minima."""

import json
from pathlib import Path
from typing import Any

import pytest

from offchain.app.margin_command import answer_of
from offchain.models.errors import MarginFileError
from offchain.models.schema import read_portfolio

EXAMPLE = Path(__file__).parents[2] / "data" / "portfolios" / "span_spreads.json"
FUTURE = [0, 0, 300, 300, -300, -300, 600, 600, -600, -600, 900, 900, -900, -900, 700, -700]


def run(file: dict[str, Any], model: str) -> dict[str, Any]:
    return answer_of(read_portfolio(file), model, None)


def line(found: dict[str, Any], name: str) -> float:
    return float(next(x["amount"] for x in found["lines"] if x["name"] == name))


def given(kind: str, amount: float, month: str = "M", **more: Any) -> dict[str, Any]:
    """Return a position whose array is given, so that it needs no market data."""
    array = more.pop("risk_array", FUTURE)
    return {
        "kind": kind,
        "underlying": "A",
        "expiry": month,
        "amount": amount,
        "risk_array": array,
        **more,
    }


def test_span_arrays_computed_from_ranges_follow_the_published_order() -> None:
    file = {
        "parameters": {"price_scan_range": 0.1, "extreme_multiple": 2, "extreme_cover": 0.35},
        "underlyings": {"X": {"spot": 100_000}},
        "positions": [{"kind": "perpetual", "underlying": "X", "amount": 1}],
    }
    gains = [s["pnl"] for s in run(file, "span16")["scenarios"]]
    third = 10_000 / 3
    shape = [0, third, -third, 2 * third, -2 * third, 10_000, -10_000]
    assert gains == pytest.approx([*(g for x in shape for g in (x, x)), 7_000, -7_000])


def test_span_spreads_cost_between_months_and_earn_between_commodities() -> None:
    file: dict[str, Any] = {
        "parameters": {
            "intermonth_rate": 5,
            "credits": [
                {"first": "A", "second": "B", "first_ratio": 1, "second_ratio": 2, "rate": 0.5}
            ],
        },
        "underlyings": {
            "A": {"spot": 100, "expiries": {"m": {"years": 1, "forward": 100}}},
            "B": {"spot": 50},
        },
        "positions": [
            {"kind": "perpetual", "underlying": "A", "amount": 3},
            {"kind": "future", "underlying": "A", "expiry": "m", "amount": -1},
            {"kind": "perpetual", "underlying": "B", "amount": -4},
        ],
    }
    found = run(file, "span16")
    assert line(found, "A scan risk") == pytest.approx(20)
    assert line(found, "A inter-month charge") == pytest.approx(5)
    assert line(found, "A inter-commodity credit") == pytest.approx(-10)
    assert line(found, "B inter-commodity credit") == pytest.approx(-10)
    assert found["initial_margin"] == pytest.approx(15 + 10)


def test_composite_deltas_and_prices_may_be_given_with_the_arrays() -> None:
    found = run(json.loads(EXAMPLE.read_text()), "span16")
    # Deltas: March 3, June -1 - 2 x 0.4; 1.8 of them cancel.
    assert line(found, "GAS inter-month charge") == pytest.approx(1.8 * 75)
    assert line(found, "GAS short option minimum") == pytest.approx(2 * 50)
    assert line(found, "GAS net option value") == pytest.approx(-2 * 820)
    # Scenario 16: 3 x -1500 + 1500 + 2 x 450; it has no twin, and scenarios 1 and 2 average 5 x 2.
    assert line(found, "GAS scan risk") == pytest.approx(2_100)
    price_risk = 2_100 + (-2 * 90 + 2 * 100) / 2
    assert line(found, "GAS inter-commodity credit") == pytest.approx(-price_risk / 1.2 * 0.6)


def test_an_option_without_a_delta_is_refused_where_deltas_are_charged() -> None:
    file: dict[str, Any] = {"positions": [given("future", 1), given("call", -1)]}
    assert run(file, "span16")["initial_margin"] == 0
    file["parameters"] = {"intermonth_rate": 5}
    with pytest.raises(MarginFileError, match=r"positions\[1\].delta: is needed"):
        run(file, "span16")
    file["positions"][1]["delta"] = 0.5
    assert run(file, "span16")["initial_margin"] == 0
    file["positions"][1]["expiry"] = "LATER"
    assert run(file, "span16")["initial_margin"] == pytest.approx(0.5 * 5)


def test_the_short_option_minimum_is_a_floor_for_each_short_contract() -> None:
    tiny = [0.0] * 15 + [-1.0]
    file = {
        "parameters": {"short_option_minimum": 50},
        "positions": [given("put", -3, risk_array=tiny), given("call", 2, risk_array=tiny)],
    }
    assert run(file, "span16")["initial_margin"] == pytest.approx(150)


def test_a_scan_range_may_be_an_amount_of_the_price() -> None:
    file: dict[str, Any] = {
        "parameters": {"price_scan_amount": 10, "extreme_multiple": 2, "extreme_cover": 0.35},
        "underlyings": {"A": {"spot": 100, "perpetual": {"price": 103}}},
        "positions": [
            {"kind": "perpetual", "underlying": "A", "amount": 1, "entry_price": 101},
        ],
    }
    found = run(file, "span16")
    assert found["initial_margin"] == pytest.approx(10)
    assert found["scenarios"][10]["price"] == pytest.approx(1.1)
    assert found["scenarios"][14]["pnl"] == pytest.approx(7)
    assert found["equity"] == pytest.approx(2)  # the perpetual's own price, not spot


def test_collateral_and_stated_profit_count_as_equity() -> None:
    file = {
        "stable_price": 0.5,
        "underlyings": {"A": {"spot": 100}},
        "positions": [given("future", 1, unrealised_pnl=-7)],
        "collateral": [{"asset": "A", "underlying": "A", "amount": 2, "haircut_mm": 0.1}],
    }
    file["underlyings"] = {"B": {"spot": 100}}
    file["collateral"] = [{"asset": "B", "underlying": "B", "amount": 2, "haircut_mm": 0.1}]
    assert run(file, "span16")["equity"] == pytest.approx(2 * 100 / 0.5 * 0.9 - 7)
