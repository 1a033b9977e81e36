"""`plimsoll stress` from the command line: files, their shape, repeatability, refusals."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offchain.app import stress_command
from offchain.app.cli import app
from offchain.app.exit_codes import Exit
from offchain.app.stress_command import StressChoices, run_stress
from offchain.stress.errors import StressError
from offchain.stress.events import EVENTS, event_named
from offchain.stress.findings import findings
from offchain.stress.page import LIMITS, NO_PLOTS
from offchain.stress.replay import MOST_POINTS, POLICIES

EVENT = "2025-10"
METRICS = {
    "title", "open_interest_e6", "deficit_e6", "insured_e6", "deleveraging_cost_e6",
    "socialised_loss_e6", "deleveraged_notional_e6", "deleveraged_accounts", "deleveraged_fills",
    "weakened_by_deleveraging", "overshoot_lots", "overshoot_lots_max", "overshoot_e6",
    "liquidated_notional_e6", "to_backstop_e6", "auctioned_e6", "backstop_result_e6", "fees_e6",
    "fund_before_e6", "fund_after_e6", "accounts_called", "accounts_touched", "accounts_closed",
    "accounts_in_debt_at_end", "accounts_below_at_end", "actions", "wrongful_liquidations",
    "longest_wait_s", "lowest_premium", "highest_premium", "seconds_beyond_one_percent",
    "added_by_dip_buyers_e6", "dip_buyers_refused", "steps", "steps_halted",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_beside_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stress_command, "SHARED", tmp_path / "none")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stress")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stress_command, "SHARED", folder / "none")
        run_stress(StressChoices(folder / "out", EVENT, accounts=60))
    return folder / "out"


def call(*words: str | Path) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["stress", *map(str, words)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_the_document_has_its_stated_shape(written: Path) -> None:
    found = json.loads((written / f"{EVENT}.json").read_text())
    assert found["schema_version"] == 1
    assert set(found) == {
        *("schema_version", "event", "prices", "seed", "assumptions", "metrics", "deleveraging"),
        "series",
    }
    assert tuple(found["metrics"]) == POLICIES
    for of_policy in found["metrics"].values():
        assert set(of_policy) == METRICS
    (file,) = found["prices"]["files"]
    assert file["name"] == "2025-10-10_BTCUSDT_5m.csv"
    assert file["sha256"].startswith("61c2793e4e28")  # as data/README.md states
    assert set(found["assumptions"]) >= {"population", "depth", "dips", "auction", "breaker"}
    assert found["deleveraging"]["overshoot_ratio"] <= 0.1


def test_a_series_has_no_more_points_than_a_page_needs(written: Path) -> None:
    found = json.loads((written / f"{EVENT}.json").read_text())
    for series in found["series"].values():
        assert 2 <= len(series) <= MOST_POINTS
        assert series[-1]["s"] == found["prices"]["to_s"]


def test_nothing_is_left_out_of_the_page(written: Path) -> None:
    text = (written / "report.html").read_text()
    for name in POLICIES:
        assert f">{name}<" in text
    assert all(limit.split(".")[0].replace("'", "&#x27;") in text for limit in LIMITS)
    assert "modelled ETH" in text
    assert "http" not in text.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "").replace("https://matplotlib.org", "")


def test_the_same_seed_writes_the_same_bytes(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run_stress(StressChoices(again, EVENT, accounts=60))
    for name in (f"{EVENT}.json", "report.html"):
        assert (again / name).read_bytes() == (written / name).read_bytes()


def test_another_seed_writes_others(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run_stress(StressChoices(again, EVENT, accounts=60, seed=2))
    name = f"{EVENT}.json"
    assert (again / name).read_bytes() != (written / name).read_bytes()


def test_without_matplotlib_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    summary = run_stress(StressChoices(tmp_path / "out", EVENT, accounts=20))
    assert summary["plots"] is False
    assert NO_PLOTS in (tmp_path / "out" / "report.html").read_text()


def test_all_events_are_written_under_one_policy(tmp_path: Path) -> None:
    code, text = call("--out", tmp_path / "o", "--accounts", "10", "--policies", "binary", "--json")
    assert code == 0
    assert list(json.loads(text)["events"]) == [event.name for event in EVENTS]
    for event in EVENTS:
        assert (tmp_path / "o" / f"{event.name}.json").is_file()


def test_any_candle_file_can_be_replayed(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    rows = "".join(f"{60 * k},{9000 - k},{9100},{8900 - k},{9000 - k},1\n" for k in range(20))
    file.write_text("ts,open,high,low,close,volume\n" + rows)
    code, _ = call("--input", file, "--out", tmp_path / "out", "--accounts", "20")
    assert code == 0
    found = json.loads((tmp_path / "out" / "input.json").read_text())
    assert found["event"]["title"] == "mine.csv"
    assert found["prices"]["kind"] == "real BTC, modelled ETH"


@pytest.mark.parametrize("price", [0.5, 999])
def test_prices_that_the_lots_do_not_fit_are_refused(tmp_path: Path, price: float) -> None:
    file = tmp_path / "mine.csv"
    rows = "".join(f"{60 * k},{price},{price},{price},{price},1\n" for k in range(3))
    file.write_text("ts,open,high,low,close,volume\n" + rows)
    code, text = call("--input", file, "--out", tmp_path / "out")
    assert code == Exit.CONFIGURATION
    assert "StressDataError" in text


@pytest.mark.parametrize(
    ("words", "error", "code"),
    [
        (("--event", "1929-10"), "UnknownNameError", Exit.USAGE),
        (("--policies", "mercy"), "UnknownNameError", Exit.USAGE),
        (("--policies", "binary,binary"), "StressChoiceError", Exit.USAGE),
        (("--accounts", "0"), "StressChoiceError", Exit.USAGE),
        (("--accounts", "1000000"), "StressChoiceError", Exit.USAGE),
        (("--event", EVENT, "--input", "x.csv"), "StressChoiceError", Exit.USAGE),
        (("--event", EVENT, "--data", "{here}"), "StressDataError", Exit.CONFIGURATION),
    ],
)
def test_a_wrong_choice_is_named(
    tmp_path: Path, words: tuple[str, ...], error: str, code: Exit
) -> None:
    found = call("--out", tmp_path / "out", *(w.format(here=tmp_path) for w in words))
    assert found[0] == code
    assert error in found[1]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(NotADirectoryError):
        run_stress(StressChoices(taken, EVENT))
    with pytest.raises(NotADirectoryError):
        run_stress(StressChoices(tmp_path / "out", EVENT, data=taken))


def test_a_policy_is_needed(tmp_path: Path) -> None:
    with pytest.raises(StressError):
        run_stress(StressChoices(tmp_path, EVENT, policies=()))


def test_findings_follow_from_the_numbers(tmp_path: Path) -> None:
    choices = StressChoices(tmp_path, EVENT, accounts=60)
    run = stress_command._run(event_named(EVENT), choices)
    text = " ".join(findings(run))
    assert "finds none of" in text
    run.outcomes[1].tally.wrongful = 3
    assert "binary 3" in findings(run)[0]
    own, *others = (o.tally.socialised_e6 for o in run.outcomes)
    assert ("less than under any other" in text) or own >= min(others)
