"""Slither's findings are red without a reason, and reasons without a finding are red too."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "slither_gate.py"
REASON = "A ring's place, by the number of a batch; nothing is drawn."


def element(kind: str, name: str, parent: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind, "name": name}
    if parent is not None:
        made["type_specific_fields"] = {"parent": parent}
    return made


PURSE = element("contract", "Purse")
PAY = element("function", "pay", PURSE)
AMOUNT = element("variable", "amount", PAY)
FINDINGS = [
    {"check": "weak-prng", "elements": [element("node", "a % b", PAY), PAY]},
    {"check": "uninitialized-local", "elements": [AMOUNT]},
    {"check": "odd", "elements": [element("node", "x")]},
]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("slither_gate_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["slither_gate.py"])
    return module


def told(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *entries: tuple[str, str, str],
) -> str:
    """Return what the gate says with these reasons; its status agrees with its words."""
    accepted = {(check, place): reason for check, place, reason in entries}
    monkeypatch.setattr(script, "known", lambda: accepted)
    monkeypatch.setattr(script, "run", lambda: {"results": {"detectors": FINDINGS}})
    status = script.main()
    said = capsys.readouterr()
    assert (status == 0) == (not said.err)
    return str(said.err or said.out)


EXPLAINED = (
    ("weak-prng", "Purse.pay", REASON),
    ("uninitialized-local", "Purse.pay.amount", REASON),
    ("odd", "?", REASON),
)


def test_findings_that_are_all_explained_are_green(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, *EXPLAINED)
    assert "3 findings, each explained" in said


def test_a_finding_without_a_reason_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(script, monkeypatch, capsys, *EXPLAINED[1:])
    assert "weak-prng in Purse.pay: not explained" in said


def test_a_reason_for_nothing_and_a_reason_of_nothing_are_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale, bare = ("weak-prng", "Purse.save", REASON), ("odd", "?", "fine")
    said = told(script, monkeypatch, capsys, *EXPLAINED[:2], stale, bare)
    assert "weak-prng in Purse.save: not found any more" in said
    assert "odd in ?: the reason says too little" in said


def test_the_reasons_of_this_tree_say_enough(script: ModuleType) -> None:
    accepted = script.known()
    assert len(accepted) >= 50
    assert script.problems(set(accepted), accepted) == []
