"""The Derive presets equal a second implementation, written apart, on random portfolios."""

import json
from pathlib import Path
from typing import Any

import pytest
from mpmath import mp

from offchain.models.registry import MODELS, price
from offchain.models.schema import read_portfolio
from tests.support.random_portfolios import random_portfolio
from tests.support.slow_derive import slow_pm1, slow_pm2, slow_srm

SEEDS = range(40)
RELATIVE = 1e-12
VECTORS = Path(__file__).parent / "vectors"


def gross(file: dict[str, Any]) -> float:
    """Return the size of a portfolio, to which errors are relative: terms cancel one another."""
    spot = float(file["underlyings"]["U"]["spot"])
    lots = sum(abs(p["amount"]) for p in file["positions"])
    held = sum(c["amount"] * c["price"] for c in file["collateral"])
    return float(lots * spot + held / file["stable_price"] + abs(file["cash"]))


def fast(file: dict[str, Any], model: str, name: str) -> tuple[dict[str, float], list[float]]:
    priced = price(read_portfolio(file), model, name)
    result = priced.result
    assert result.net_initial is not None
    assert result.net_maintenance is not None
    found = {"im": result.net_initial, "mm": result.net_maintenance}
    return found, [s.pnl for s in result.scenarios]


def parameters_of(model: str, name: str) -> Any:
    file = read_portfolio({"underlyings": {"U": {"spot": 1}}})
    return price(file, model, name).plain_parameters()


TWINS = {"derive-pm2": slow_pm2, "derive-pm1": slow_pm1, "derive-srm": slow_srm}


@pytest.mark.parametrize("model", TWINS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_preset_equals_its_slow_twin(model: str, seed: int) -> None:
    file = random_portfolio(seed)
    name = list(MODELS[model].sets)[seed % len(MODELS[model].sets)]
    slow = TWINS[model](file, parameters_of(model, name))
    found, profits = fast(file, model, name)
    allowed = RELATIVE * gross(file)
    for key in ("im", "mm"):
        assert found[key] == pytest.approx(float(slow[key]), rel=RELATIVE, abs=allowed), key
    for mine, other in zip(profits, slow.get("profits", []), strict=True):
        assert mine == pytest.approx(float(other), rel=RELATIVE, abs=allowed)


def test_the_presets_equal_the_shipped_vectors() -> None:
    document = json.loads((VECTORS / "derive.json").read_text())
    assert document["schema"] == "plimsoll.derive-vectors/1"
    for case in document["cases"]:
        found, profits = fast(case["file"], case["model"], case["parameter_set"])
        allowed = RELATIVE * gross(case["file"])
        for key in ("im", "mm"):
            assert found[key] == pytest.approx(float(case[key]), abs=allowed), case["name"]
        assert len(profits) == len(case["scenario_pnl"])
        for mine, other in zip(profits, case["scenario_pnl"], strict=True):
            assert mine == pytest.approx(float(other), abs=allowed), case["name"]


def test_the_shipped_vectors_are_what_the_second_implementation_says() -> None:
    document = json.loads((VECTORS / "derive.json").read_text())
    assert {case["model"] for case in document["cases"]} == set(TWINS)
    for case in document["cases"]:
        parameters = parameters_of(case["model"], case["parameter_set"])
        slow = TWINS[case["model"]](case["file"], parameters)
        assert mp.nstr(slow["im"], 20) == case["im"], case["name"]
        assert mp.nstr(slow["mm"], 20) == case["mm"], case["name"]
