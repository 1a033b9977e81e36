"""The gas snapshot turns red when a call grows beyond 2 %, is new, or was not measured."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "gas_snapshot.py"
COMMITTED = {"calls.commit": 10_000, "risk_cell.option": 40_000}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script, with a snapshot and a folder of measurements of its own."""
    spec = importlib.util.spec_from_file_location("gas_snapshot_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    (tmp_path / "gas.json").write_text(json.dumps(COMMITTED))
    monkeypatch.setattr(module, "SNAPSHOT", tmp_path / "gas.json")
    monkeypatch.setattr(module, "MEASURED", tmp_path / "measured")
    (tmp_path / "measured").mkdir()
    return module


def run(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, gas: dict[str, int], *words: str
) -> int:
    for name, value in gas.items():
        group, call = name.split(".", 1)
        path = script.MEASURED / f"{group}.json"
        before = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps({**before, call: str(value)}))  # forge writes text
    monkeypatch.setattr(sys, "argv", ["gas_snapshot.py", *words])
    return int(script.main())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"calls.commit": 10_200}, ""),
        ({"calls.commit": 10_201}, "calls.commit: 10000 -> 10201 gas"),
        ({"calls.commit": 1}, ""),
        ({"calls.claim": 1}, "calls.claim: not in the snapshot"),
    ],
)
def test_growth_beyond_the_tolerance_and_new_calls_are_red(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, int],
    said: str,
) -> None:
    assert run(script, monkeypatch, {**COMMITTED, **change}) == bool(said)
    assert said in capsys.readouterr().err


def test_a_call_that_was_not_measured_is_red_unless_the_run_is_partial(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, monkeypatch, {"calls.commit": 10_000}) == 1
    assert "risk_cell.option: not measured" in capsys.readouterr().err
    assert run(script, monkeypatch, {}, "--partial") == 0


def test_a_run_that_measured_nothing_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(script, monkeypatch, {}) == 1


def test_what_fell_is_named_and_written(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    less = {**COMMITTED, "risk_cell.option": 30_000}
    assert run(script, monkeypatch, less) == 0
    assert "risk_cell.option: 40000 -> 30000" in capsys.readouterr().out
    assert run(script, monkeypatch, {}, "--write") == 0
    assert json.loads(script.SNAPSHOT.read_text()) == less
    assert run(script, monkeypatch, {}) == 0
