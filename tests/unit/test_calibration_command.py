"""`plimsoll calibrate` from the command line: files, hashes, repeatability, refusals."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offchain.app.calibrate_command import SHIPPED, CalibrateChoices, find_history, run_calibrate
from offchain.app.cli import app
from offchain.app.exit_codes import Exit
from offchain.calibration.report_page import NO_PLOTS
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.ledger.document import document, parse_document
from offchain.ledger.errors import WireError
from offchain.ledger.terms import params_hash

FILES = ("parameters.json", "report.json", "report.html", "scenarios.json")


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dates = (("7D", 1_767_225_600 * 10**9),)
    roles = Roles(
        tuple(f"0x{n:040x}" for n in range(1, 8)),
        insurance_owner="0x" + "a" * 40,
        backstop_owner="0x" + "b" * 40,
    )
    base = pm36((Series(BITCOIN, dates, (90_000,)), Series(ETHER, dates, (500,))), roles)
    path = tmp_path_factory.mktemp("base") / "base.json"
    path.write_bytes(document(base))
    return path


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory, previous: Path) -> Path:
    folder = tmp_path_factory.mktemp("out")
    run_calibrate(CalibrateChoices(folder, SHIPPED, previous))
    return folder


def call(*words: str | Path) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["calibrate", *map(str, words)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_the_set_is_canonical_and_has_the_hash_that_the_report_states(
    calibrated: Path, previous: Path
) -> None:
    parameters = parse_document((calibrated / "parameters.json").read_bytes())
    report = json.loads((calibrated / "report.json").read_text())
    assert report["params_hash"] == f"0x{params_hash(parameters).hex()}"
    base = parse_document(previous.read_bytes())
    assert report["base_hash"] == f"0x{params_hash(base).hex()}"
    assert parameters.version == report["version"] == base.version + 1


def test_every_changed_number_is_in_the_report(calibrated: Path) -> None:
    parameters = parse_document((calibrated / "parameters.json").read_bytes())
    changes = json.loads((calibrated / "report.json").read_text())["changes"]
    values = {change["field"]: change["value"] for change in changes}
    assert values["BTC.price_range_e6"] == parameters.scan[0].price_range_e6
    assert values["ETH.vol_up_e6"] == parameters.scan[1].vol_up_e6
    assert values["BTC.calm_vol_e8"] == parameters.addons[0].calm_vol_e8
    assert values["correlation.offset_e6"] == parameters.correlation.offset_e6
    assert values["WBTC.haircut_cap_e6"] == parameters.collateral[0].haircut_cap_e6


def test_scenarios_are_integer_arrays(calibrated: Path) -> None:
    scenarios = json.loads((calibrated / "scenarios.json").read_text())
    assert scenarios["underlyings"] == ["BTC", "ETH"]
    for name in ("price_moves_e6", "volatility_moves_e6"):
        assert len(scenarios[name]) == 1_024
        assert all(type(x) is int for row in scenarios[name] for x in row)


def test_two_runs_write_the_same_bytes(calibrated: Path, previous: Path, tmp_path: Path) -> None:
    run_calibrate(CalibrateChoices(tmp_path, SHIPPED, previous))
    for name in FILES:
        first, second = (
            hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for folder in (calibrated, tmp_path)
        )
        assert first == second, name


def test_the_page_says_that_generated_prices_are_generated(calibrated: Path) -> None:
    page = (calibrated / "report.html").read_text()
    assert "generated" in page
    assert page.count("<svg") == 7
    assert "<script" not in page
    assert "href=" not in page.replace("xlink:href", "").replace("<svg", "")


def test_without_matplotlib_the_page_has_tables_and_says_so(
    calibrated: Path, previous: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    summary = run_calibrate(CalibrateChoices(tmp_path, SHIPPED, previous))
    assert summary["plots"] is False
    page = (tmp_path / "report.html").read_text()
    assert NO_PLOTS in page
    assert "<svg" not in page
    same = (folder / "parameters.json" for folder in (calibrated, tmp_path))
    assert len({path.read_bytes() for path in same}) == 1


def test_the_command_prints_one_object(previous: Path, tmp_path: Path) -> None:
    words = ("--data", SHIPPED, "--out", tmp_path, "--previous", previous)
    code, output = call(*words, "--shortfall", "--json")
    assert code == Exit.DONE
    summary = json.loads(output)
    assert summary["synthetic"] is True
    parameters = parse_document((tmp_path / "parameters.json").read_bytes())
    assert len(parameters.shortfall[0].moves) == 1_024


def test_without_a_previous_set_it_starts_from_the_demos_listing(tmp_path: Path) -> None:
    code, output = call("--data", SHIPPED, "--out", tmp_path)
    assert code == Exit.DONE
    assert "folder synthetic" in output
    parameters = parse_document((tmp_path / "parameters.json").read_bytes())
    assert parameters.version == 2
    assert any(i.is_option for i in parameters.listing.instruments)


def test_a_given_folder_is_used_and_a_missing_one_refused(tmp_path: Path) -> None:
    assert find_history(tmp_path) == (tmp_path, f"folder {tmp_path.name}")
    with pytest.raises(NotADirectoryError):
        find_history(tmp_path / "none")


def test_the_shipped_series_is_used_where_no_market_data_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offchain.app.calibrate_command.SHARED", tmp_path)
    assert find_history(None) == (SHIPPED, "the shipped, generated series")


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (("--confidence", "1"), Exit.USAGE, "SettingsError"),
        (("--confidence", "nan"), Exit.USAGE, "SettingsError"),
        (("--lookback-days", "7"), Exit.USAGE, "SettingsError"),
        (("--lookback-days", "3000"), Exit.CONFIGURATION, "HistoryTooShortError"),
    ],
)
def test_bad_choices_are_refused_with_their_exit_code(
    tmp_path: Path, previous: Path, words: tuple[str, ...], code: Exit, fault: str
) -> None:
    out = ("--data", SHIPPED, "--out", tmp_path / "out", "--previous", previous)
    found, output = call(*out, *words)
    assert found == code
    assert f"error: {fault}" in output
    assert not (tmp_path / "out").exists()


def test_bad_history_is_refused_by_file_and_row(tmp_path: Path, previous: Path) -> None:
    folder = tmp_path / "data" / "calibration"
    folder.mkdir(parents=True)
    (folder / "x_spot_BTCUSD_1h.csv").write_text("ts,close\n0,1\n3600,nan\n")
    words = ("--data", tmp_path / "data", "--out", tmp_path / "out", "--previous", previous)
    code, output = call(*words)
    assert code == Exit.CONFIGURATION
    assert "error: HistoryError: x_spot_BTCUSD_1h.csv: row 3: close 'nan'" in output


def test_an_empty_folder_is_refused(tmp_path: Path, previous: Path) -> None:
    code, output = call("--data", tmp_path, "--out", tmp_path / "o", "--previous", previous)
    assert code == Exit.CONFIGURATION
    assert "HistoryMissingError" in output


def test_a_file_in_place_of_the_result_folder_is_refused(tmp_path: Path, previous: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(NotADirectoryError):
        run_calibrate(CalibrateChoices(tmp_path / "out", SHIPPED, previous))
    assert (tmp_path / "out").read_text() == "mine"


def test_one_underlying_alone_can_be_calibrated(tmp_path: Path) -> None:
    roles = Roles(
        tuple(f"0x{n:040x}" for n in range(1, 8)),
        insurance_owner="0x" + "a" * 40,
        backstop_owner="0x" + "b" * 40,
    )
    dates = (("7D", 1_767_225_600 * 10**9),)
    base = pm36((Series(BITCOIN, dates, (90_000,)),), roles)
    (tmp_path / "base.json").write_bytes(document(base))
    choices = CalibrateChoices(tmp_path, SHIPPED, tmp_path / "base.json", shortfall=True)
    summary = run_calibrate(choices)
    assert summary["version"] == 2
    parameters = parse_document((tmp_path / "parameters.json").read_bytes())
    assert parameters.correlation == base.correlation
    assert all(len(move.prices_e6) == 1 for move in parameters.shortfall[0].moves)


def test_a_previous_set_that_is_no_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text("{}")
    with pytest.raises(WireError):
        run_calibrate(CalibrateChoices(tmp_path / "o", SHIPPED, tmp_path / "base.json"))
