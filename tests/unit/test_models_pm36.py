"""PM-36 on a portfolio file is the venue's engine, and translation loses nothing that counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from offchain.app.margin_command import answer_of
from offchain.core.units import ONE_E8, YEAR_NS
from offchain.models.errors import ModelError
from offchain.models.pm36_listing import surface_of, translate
from offchain.models.portfolio import resolve
from offchain.models.schema import read_portfolio
from offchain.models.surface import svi_volatility
from offchain.pricing.fixed_point import ln
from offchain.pricing.surface import surface_volatility_reference

EXAMPLE = Path(__file__).parents[2] / "data" / "portfolios" / "pm36_strangle.json"


def example() -> dict[str, Any]:
    return dict(json.loads(EXAMPLE.read_text()))


def run(file: dict[str, Any]) -> dict[str, Any]:
    return answer_of(read_portfolio(file), "pm36", None)


def line(found: dict[str, Any], name: str) -> float:
    return float(next(x["amount"] for x in found["lines"] if x["name"] == name))


def test_a_surface_in_the_file_becomes_the_same_surface_of_the_venue() -> None:
    file = read_portfolio(example())
    state = resolve(file).markets[0].expiries[0]
    svi = file.underlyings["BTC"].expiries["31OCT25"].svi
    assert svi is not None
    surface = surface_of(svi, state)
    remaining = round(state.tau * YEAR_NS)
    for strike in (90_000, 100_000, 110_000, 121_500, 130_000, 170_000):
        moneyness = ln(round(state.forward * ONE_E8)) - ln(strike * ONE_E8)
        found = surface_volatility_reference(surface, remaining, moneyness) / ONE_E8
        assert found == pytest.approx(svi_volatility(svi, strike, ""), abs=2e-7)


def test_scan_risk_equals_a_float_model_with_the_same_cell() -> None:
    """Paradex's tail of +500 % has the same weight and shock; that cell decides both."""
    ours = run(example())
    other = answer_of(read_portfolio(example()), "paradex-pm", None)
    tail = next(s["pnl"] for s in other["scenarios"] if s["name"] == "6 up")
    assert line(ours, "scan risk") == pytest.approx(-tail, rel=1e-6)


def test_the_margins_are_assembled_from_the_lines() -> None:
    found = run(example())
    scan = line(found, "scan risk")
    mm = sum(line(found, n) for n in ("roll", "closing fee, funding, naked options", "large delta"))
    assert found["maintenance_margin"] == pytest.approx(0.8 * (scan + mm), abs=2e-6)
    im = sum(
        line(found, n)
        for n in (
            "roll IM",
            "closing fee, funding, naked options IM",
            "large delta IM",
            "naked options on top",
            "calm volatility",
            "oracle confidence",
        )
    )
    assert found["initial_margin"] == pytest.approx(scan + im, abs=2e-6)
    assert len(found["scenarios"]) == 36


def test_without_add_ons_only_the_scan_remains() -> None:
    found = run({**example(), "parameters": {"addons": False, "mm_factor": 0.5}})
    scan = line(found, "scan risk")
    assert found["initial_margin"] == pytest.approx(scan)
    assert found["maintenance_margin"] == pytest.approx(scan / 2, abs=1e-6)


def test_an_overridden_range_moves_the_edge_of_the_grid() -> None:
    found = run({**example(), "parameters": {"price_range": 0.2}})
    prices = {s["price"] for s in found["scenarios"]}
    assert {0.8, 1.2} <= prices


def test_a_missing_peg_raises_only_the_initial_margin() -> None:
    straight, crooked = run(example()), run({**example(), "stable_price": 0.97})
    assert crooked["initial_margin"] == pytest.approx(1.08 * straight["initial_margin"], rel=1e-9)
    assert crooked["maintenance_margin"] == straight["maintenance_margin"]


def test_low_confidence_costs_initial_margin() -> None:
    file = example()
    file["underlyings"]["BTC"]["confidence"] = 0.4
    assert line(run(file), "oracle confidence") == pytest.approx(0.6 * 121_000.5 * 4.35, rel=1e-6)


def test_two_underlyings_meet_in_the_cross_rule() -> None:
    file = example()
    file["underlyings"]["ETH"] = {"spot": 4_000}
    file["positions"].append({"kind": "perpetual", "underlying": "ETH", "amount": -1})
    found = run(file)
    alone = line(found, "BTC worst loss") + line(found, "ETH worst loss")
    assert 0.85 * alone - 1e-6 <= line(found, "scan risk") <= alone
    assert len(found["scenarios"]) == 72


def changed(**values: object) -> dict[str, Any]:
    file = example()
    file["positions"][0] |= values
    return file


REFUSED: list[tuple[dict[str, Any], str]] = [
    (changed(amount=0.00051), "is no whole number of lots of 0.001"),
    (changed(amount=1e9), "fewer than 2**24 lots"),
    (changed(volatility=0.9), "PM-36 has one surface for an expiry"),
    ({**example(), "parameters": {"price_range": 0}}, "0 < price range < 1"),
    (
        {"underlyings": {"SOL": {"spot": 150}}, "positions": []},
        "PM-36 has parameters for BTC, ETH",
    ),
    (
        {
            "underlyings": {"BTC": {"spot": 1e7}},
            "positions": [{"kind": "perpetual", "underlying": "BTC", "amount": 1}],
        },
        "is not below",
    ),
    (
        {
            "underlyings": {"BTC": {"spot": 1e5}},
            "positions": [{"kind": "spot", "underlying": "BTC", "amount": 1}],
        },
        "PM-36 takes spot as collateral",
    ),
    ({}, "PM-36 margins 1 to 2, not 0"),
]


@pytest.mark.parametrize(("file", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_the_integer_engine_cannot_hold_is_refused(file: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        run(file)
    assert message in str(caught.value)


def test_positions_are_whole_lots() -> None:
    file = read_portfolio(example())
    assert sorted(translate(file, resolve(file)).lots.values()) == [-2_000, -2_000, -100, 250]
