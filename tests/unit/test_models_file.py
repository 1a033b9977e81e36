"""The portfolio file is read strictly: wrong input meets a typed error that names its place."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain.app.cli import app
from offchain.app.exit_codes import Exit, exit_of
from offchain.app.margin_command import answer_of, read_file, run_margin
from offchain.models.errors import MarginFileError, ModelError, UnknownModelError
from offchain.models.registry import MODELS
from offchain.models.schema import MAX_POSITIONS, read_portfolio

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "data" / "portfolios").glob("*.json"))


def good() -> dict[str, Any]:
    return {
        "schema": "plimsoll.portfolio/1",
        "model": "derive-pm2",
        "cash": "1000.50",
        "underlyings": {
            "ETH": {
                "spot": 2000,
                "expiries": {
                    "30d": {"seconds": 2592000, "forward": 2010, "rate": 0.05, "volatility": 0.6}
                },
            }
        },
        "positions": [
            {"kind": "call", "underlying": "ETH", "expiry": "30d", "strike": 2000, "amount": -1}
        ],
    }


def change(path: str, value: object) -> dict[str, Any]:
    """Return the good file with one value changed, or removed where it is ``...``."""
    document = copy.deepcopy(good())
    *steps, last = path.split("/")
    place: Any = document
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def test_numbers_may_be_decimal_strings() -> None:
    as_text = change("underlyings/ETH/spot", "2000.0")
    assert answer_of(read_portfolio(as_text), None, None) == answer_of(
        read_portfolio(good()), None, None
    )


WRONG = [
    ("cash", "one", "cash: is no plain decimal number"),
    ("cash", True, "cash: must be a number or a decimal string"),
    ("cash", None, "cash: must be a number or a decimal string"),
    ("cash", float("nan"), "cash: is not finite, or beyond 1e15"),
    ("cash", float("inf"), "cash: is not finite, or beyond 1e15"),
    ("cash", "NaN", "cash: is no plain decimal number"),
    ("cash", "\N{ARABIC-INDIC DIGIT THREE}", "cash: is no plain decimal number"),
    ("cash", "1_000", "cash: is no plain decimal number"),
    ("cash", " 1", "cash: is no plain decimal number"),
    ("cash", "0x10", "cash: is no plain decimal number"),
    ("cash", "1e400", "cash: is not finite, or beyond 1e15"),
    ("cash", 10**400, "cash: is beyond 1e15"),
    ("cash", [1], "cash: must be a number or a decimal string"),
    ("money", 1, "money: Extra inputs are not permitted"),
    ("schema", "plimsoll.portfolio/2", "schema: "),
    ("model", 7, "model: Input should be a valid string"),
    ("model", "derive-pm9", "model: 'derive-pm9' is none of"),
    ("parameter_set", "", "parameter_set: String should have at least 1 character"),
    ("parameters", {"im_facto": 1}, "parameters.im_facto: "),
    ("parameters", {"im_factor": "x"}, "parameters.im_factor: is no plain decimal number"),
    ("parameters", {"im_factor": -1}, "parameters.im_factor: Input should be greater"),
    ("parameters", {"scenarios": []}, "parameters.scenarios: "),
    (
        "parameters",
        {"scenarios": [{"price": 1, "volatility": "sideways"}]},
        "parameters.scenarios[0].volatility: ",
    ),
    ("parameters", {"scenarios": [{"price": 1}]}, "parameters.scenarios[0].volatility: "),
    ("stable_price", 0, "stable_price: Input should be greater than 0"),
    ("valuation_time", -1, "valuation_time: Input should be greater than or equal to 0"),
    ("valuation_time", "yesterday", "valuation_time: is neither Unix seconds nor an ISO 8601"),
    ("valuation_time", "2025-10-10T00:00:00", "valuation_time: names no time zone"),
    ("underlyings", [], "underlyings: Input should be a valid dictionary"),
    ("underlyings/ETH/spot", ..., "underlyings.ETH.spot: Field required"),
    ("underlyings/ETH/spot", 0, "underlyings.ETH.spot: Input should be greater than 0"),
    ("underlyings/ETH/confidence", 1.1, "underlyings.ETH.confidence: Input should be less"),
    ("underlyings/ETH/parameters", {"x": 1}, "underlyings.ETH.parameters: "),
    ("underlyings/ETH/expiries/30d/seconds", -1, "underlyings.ETH.expiries.30d.seconds: "),
    ("underlyings/ETH/expiries/30d/seconds", ..., "underlyings.ETH.expiries.30d: exactly one of"),
    ("underlyings/ETH/expiries/30d/years", 1, "underlyings.ETH.expiries.30d: exactly one of"),
    ("underlyings/ETH/expiries/30d/forward", -1, "underlyings.ETH.expiries.30d.forward: "),
    ("underlyings/ETH/expiries/30d/forward", ..., "underlyings.ETH.expiries.30d.forward: is miss"),
    ("underlyings/ETH/expiries/30d/forward_fixed", 1, "underlyings.ETH.expiries.30d: forward_fi"),
    ("underlyings/ETH/expiries/30d/discount", 0.9, "underlyings.ETH.expiries.30d: at most one"),
    ("underlyings/ETH/expiries/30d/volatility", ..., "positions[0].volatility: is missing"),
    ("underlyings/ETH/expiries/30d/svi", {"a": 1}, "underlyings.ETH.expiries.30d.svi.b: Field"),
    ("positions/0/kind", "swap", "positions[0].kind: "),
    ("positions/0/underlying", "BTC", "positions[0].underlying: is not in underlyings"),
    ("positions/0/expiry", "60d", "positions[0].expiry: is not in underlyings.ETH.expiries"),
    ("positions/0/expiry", ..., "positions[0]: options and futures, and only they, have an exp"),
    ("positions/0/strike", ..., "positions[0]: options, and only they, have a strike"),
    ("positions/0/strike", -1, "positions[0].strike: "),
    ("positions/0/amount", ..., "positions[0].amount: Field required"),
    ("positions/0/amount", False, "positions[0].amount: must be a number"),
    ("positions/0/risk_array", [1, 2], "positions[0].risk_array: List should have at least 16"),
    ("positions", [good()["positions"][0]] * (MAX_POSITIONS + 1), "positions: List should have"),
    ("collateral", [{"asset": "X", "amount": 1}], "collateral[0]: needs a price"),
    ("collateral", [{"asset": "X", "amount": -1, "price": 1}], "collateral[0].amount: "),
    (
        "collateral",
        [{"asset": "X", "amount": 1, "price": 1, "risk_cancelling": "yes"}],
        "collateral[0].risk_cancelling: ",
    ),
    ("charges", {"mr7_raw": 1}, "charges.mr7_raw: is no charge of derive-pm2"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[w[2][:60] for w in WRONG])
def test_a_wrong_value_is_named_with_its_path(path: str, value: object, message: str) -> None:
    with pytest.raises(MarginFileError) as caught:
        answer_of(read_portfolio(change(path, value)), None, None)
    assert str(caught.value).startswith(message)
    assert exit_of(caught.value) == Exit.CONFIGURATION


BYTES = [
    (b"", "file: is not JSON"),
    (b"[1, 2", "file: is not JSON"),
    (b"[]", "file: must be a JSON object"),
    (b"\xff{}", "file: is not UTF-8"),
    (b'{"cash": NaN}', "file: NaN is no number"),
    (b'{"cash": -Infinity}', "file: -Infinity is no number"),
    (b'{"cash": 1, "cash": 2}', "cash: is repeated"),
    (b'{"cash": ' + b"[" * 50 + b"]" * 50 + b"}", "file: is nested deeper than 16"),
    (b'{"cash": ' + b"1" * 5_000 + b"}", "file: holds a number with too many digits"),
    (b" " * ((8 << 20) + 1), "file: is larger than"),
]


@pytest.mark.parametrize(("content", "message"), BYTES, ids=[b[1] for b in BYTES])
def test_a_file_that_is_no_json_object_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "portfolio.json"
    path.write_bytes(content)
    with pytest.raises(MarginFileError) as caught:
        read_file(path)
    assert str(caught.value).startswith(message)


def test_two_underlyings_do_not_fit_a_model_of_one() -> None:
    document = good()
    document["underlyings"]["BTC"] = {"spot": 60000}
    document["positions"].append({"kind": "perpetual", "underlying": "BTC", "amount": 1})
    with pytest.raises(ModelError, match="one underlying an account, not ETH, BTC"):
        answer_of(read_portfolio(document), None, None)


def test_a_model_refuses_what_it_has_no_rule_for() -> None:
    document = good()
    document["positions"].append(
        {"kind": "future", "underlying": "ETH", "expiry": "30d", "amount": 1}
    )
    for model in ("derive-pm2", "derive-pm1", "derive-srm"):
        with pytest.raises(ModelError, match="no dated futures"):
            answer_of(read_portfolio(document), model, None)
    with pytest.raises(ModelError, match="perpetuals and futures only"):
        answer_of(read_portfolio(document), "hyperliquid", None)


def test_a_surface_with_negative_variance_is_refused() -> None:
    svi = {"a": -0.0095, "b": 0.1, "rho": 0.9, "m": 0, "sigma": 0.1, "forward": 2000, "tau": 0.1}
    document = change("underlyings/ETH/expiries/30d/svi", svi)
    del document["underlyings"]["ETH"]["expiries"]["30d"]["volatility"]
    document["positions"][0]["strike"] = 1800
    with pytest.raises(MarginFileError, match=r"positions\[0\]: the variance at strike 1800"):
        answer_of(read_portfolio(document), None, None)


def test_numbers_that_leave_the_range_of_floats_are_refused() -> None:
    document = change("parameters", {"long_add": -1e15})
    with pytest.raises(ModelError, match="leave the range of floats"):
        answer_of(read_portfolio(document), None, None)


def test_the_command_prints_one_json_object(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.json"
    path.write_text(json.dumps(good()))
    ran = CliRunner().invoke(app, ["margin", "--input", str(path), "--set", "tests", "--json"])
    assert ran.exit_code == 0
    found = json.loads(ran.stdout)
    assert found["parameter_set"] == "tests"
    assert found["parameters"]["min_vol_up"] == 0.45
    assert found["equity"] == pytest.approx(found["net_initial"] + found["initial_margin"])


def test_the_command_prints_a_table_and_lists_the_models() -> None:
    runner = CliRunner()
    table = runner.invoke(app, ["margin", "--input", str(EXAMPLES[0])])
    assert table.exit_code == 0
    assert "net maintenance" in table.stdout
    listed = json.loads(runner.invoke(app, ["margin", "--list", "--json"]).stdout)
    assert [m["name"] for m in listed] == list(MODELS)
    assert all(m["source"] for m in listed)
    plain = runner.invoke(app, ["margin", "--list"]).stdout
    assert all(name in plain for name in MODELS)


def test_the_command_needs_a_file_and_a_known_model() -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["margin"]).exit_code == Exit.USAGE
    for options in (["--model", "pm99"], ["--set", "nothing"]):
        ran = runner.invoke(app, ["margin", "--input", str(EXAMPLES[0]), *options])
        assert isinstance(ran.exception, UnknownModelError)
        assert exit_of(ran.exception) == Exit.USAGE


@pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])
def test_every_example_is_priced(path: Path) -> None:
    found = run_margin(path, None, None)
    assert found["lines"]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("name", MODELS)
def test_every_model_names_its_source_and_has_its_sets(name: str) -> None:
    model = MODELS[name]
    assert model.name == name
    assert model.default_set in model.sets
    assert model.source


def test_the_tiers_and_rates_that_the_documentation_shows_are_accepted() -> None:
    text = (ROOT / "docs" / "MARGIN_FILE.md").read_text()
    blocks = [json.loads("{" + part.split("```")[0] + "}") for part in text.split("```json")[1:]]
    scenarios, shown = blocks
    assert answer_of(read_portfolio({**good(), **scenarios}), None, None)["scenarios"]
    for name, model in (("WIF", "hyperliquid"), ("SOL", "dydx"), ("OIL", "span16")):
        assert answer_of(
            read_portfolio(
                {
                    "underlyings": {name: shown["underlyings"][name]},
                    "positions": [{"kind": "perpetual", "underlying": name, "amount": 1}],
                }
            ),
            model,
            None,
        )["initial_margin"]
    for key, model in (("minimum_tiers", "okx"), ("credits", "span16")):
        stated = {"parameters": {key: shown["parameters"][key]}}
        found = answer_of(read_portfolio(stated), model, None)
        assert found["parameters"][key] == shown["parameters"][key]
