"""The proofs are red for a counterexample, an unfinished proof, a plant unfound, a gap."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "symbolic.py"
PROVEN, REFUTED, UNDECIDED = 0, 1, 2


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("symbolic_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "restricted", lambda: {"check_Purse_pay"})
    monkeypatch.setattr(module, "unchecked", lambda _: [])
    monkeypatch.setattr(sys, "argv", ["symbolic.py"])
    return module


def report(proof: int, planted: int = REFUTED, bounded: int = 0) -> dict[str, Any]:
    """Return what Halmos says of one proof and of what is planted beside it."""

    def said(status: int) -> list[dict[str, Any]]:
        name = "check_Purse_pay(address,uint256)"
        return [{"name": name, "exitcode": status, "num_bounded_loops": bounded}]

    return {
        "test_results": {
            "tests/symbolic/Purse.sol:PurseSymbolic": said(proof),
            "tests/symbolic/Purse.sol:PursePlanted": said(planted),
        }
    }


def told(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made: dict[str, Any],
) -> str:
    """Return what the gate says when Halmos reports this; its status agrees with its words."""
    monkeypatch.setattr(script, "run", lambda _: made)
    status = script.main()
    said = capsys.readouterr()
    assert (status == 0) == (not said.err)
    return str(said.err or said.out)


def test_every_restricted_function_of_this_tree_has_a_check(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.__spec__.loader.exec_module(script)  # type: ignore[union-attr] # without the changes
    needed = script.restricted()
    assert len(needed) >= 40
    assert script.unchecked(needed) == []


def test_a_restricted_function_without_a_check_is_named(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.__spec__.loader.exec_module(script)  # type: ignore[union-attr] # without the changes
    roles = '[roles.a]\nrefusals = ["No"]\n[roles.b]\n[functions.Purse]\n'
    (tmp_path / "roles.toml").write_text(roles + '"pay(uint8)" = ["b", "a"]\nlook = ["b"]\n')
    (tmp_path / "Purse.sol").write_text("function check_Purse_look() public {}")
    monkeypatch.setattr(script, "ROLES", tmp_path / "roles.toml")
    monkeypatch.setattr(script, "CHECKS", tmp_path)
    problem = "check_Purse_pay: a restricted function without a check"
    assert script.unchecked(script.restricted()) == [problem]


def test_proofs_with_plants_that_are_found_are_green(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, report(PROVEN))
    assert "1 rules proven, 1 planted faults found" in said


def test_a_counterexample_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, report(REFUTED))
    assert "PurseSymbolic.check_Purse_pay: there is a counterexample" in said


def test_a_proof_that_did_not_end_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, report(UNDECIDED))
    assert "PurseSymbolic.check_Purse_pay: was not proven (status 2)" in said


def test_a_proof_that_left_paths_out_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, report(PROVEN, bounded=1))
    assert "some paths were left out" in said


@pytest.mark.parametrize("status", [PROVEN, UNDECIDED])
def test_a_plant_that_is_not_found_is_red(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    said = told(script, monkeypatch, capsys, report(PROVEN, planted=status))
    assert "PursePlanted.check_Purse_pay: what is planted was not found" in said


def test_a_proof_without_a_plant_and_no_proof_at_all_are_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = report(PROVEN)
    del made["test_results"]["tests/symbolic/Purse.sol:PursePlanted"]
    assert "Purse: a proof, but nothing planted" in told(script, monkeypatch, capsys, made)
    assert "no check was run" in told(script, monkeypatch, capsys, {"test_results": {}})
