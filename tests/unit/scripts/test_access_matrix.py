"""The access matrix turns red when a function has no row, a row no function, a role no refusal."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from offchain.adapters.compiler import Artifact, Artifacts, artifacts

SCRIPT = Path(__file__).parents[3] / "scripts" / "access_matrix.py"
CODE = "0x6000"
ADDRESS = {"type": "address", "internalType": "address", "name": "to"}
HEADER = {
    "type": "tuple[]",
    "internalType": "struct IBook.Header[]",
    "name": "headers",
    "components": [{"type": "uint64", "name": "number"}, {"type": "bytes32", "name": "root"}],
}
TABLE = """
[roles.anyone]
meaning = "whoever"
[roles.governor]
meaning = "the timelock"
refusals = ["NotGovernor"]
[functions.Purse]
pay = ["governor"]
look = ["anyone"]
"""


def function(name: str, *inputs: dict[str, Any], changes: bool = True) -> dict[str, Any]:
    mutability = "nonpayable" if changes else "view"
    return {"type": "function", "name": name, "inputs": [*inputs], "stateMutability": mutability}


PURSE = [
    function("pay", ADDRESS),
    function("look", HEADER),
    function("balance", changes=False),
    {"type": "error", "name": "NotGovernor", "inputs": [ADDRESS]},
]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script with a table of its own, and its files in a folder of their own."""
    spec = importlib.util.spec_from_file_location("access_matrix_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    (tmp_path / "roles.toml").write_text(TABLE)
    monkeypatch.setattr(module, "PAGE", tmp_path / "ACCESS.md")
    monkeypatch.setattr(module, "VECTORS", tmp_path / "matrix.json")
    return module


def found(script: ModuleType, abi: list[dict[str, Any]], table: str = TABLE) -> list[str]:
    path = script.PAGE.parent / "roles.toml"
    path.write_text(table)
    roles, rows = script.load_roles(path)
    compiled = Artifacts({"Purse": Artifact(abi, CODE), "IPurse": Artifact(abi, "0x")})
    answer: list[str] = script.problems(script.contracts(compiled), roles, rows)
    return answer


def test_a_complete_table_has_no_problem(script: ModuleType) -> None:
    assert found(script, PURSE) == []


def test_a_new_function_without_a_row_is_red(script: ModuleType) -> None:
    assert found(script, [*PURSE, function("sweep")]) == ["Purse.sweep: has no row"]


def test_a_function_that_takes_money_without_a_row_is_red(script: ModuleType) -> None:
    receives = {"type": "receive", "stateMutability": "payable"}
    assert found(script, [*PURSE, receives]) == ["Purse.receive: has no row"]


def test_a_new_view_needs_no_row(script: ModuleType) -> None:
    assert found(script, [*PURSE, function("owner", changes=False)]) == []


def test_a_second_function_of_the_same_name_needs_rows_with_parameters(script: ModuleType) -> None:
    problems = found(script, [*PURSE, function("pay", HEADER)])
    assert "Purse.pay(address): has no row" in problems
    assert "Purse.pay(Header[]): has no row" in problems


def test_a_row_without_a_function_is_red(script: ModuleType) -> None:
    assert found(script, PURSE[1:]) == [
        "Purse.pay: has a row, but is no function that changes anything"
    ]


def test_rows_of_a_contract_that_is_gone_are_red(script: ModuleType) -> None:
    assert "Chest: has rows, but is no contract" in found(
        script, PURSE, TABLE + '[functions.Chest]\nopen = ["anyone"]\n'
    )


@pytest.mark.parametrize("by", ['["king"]', "[]"])
def test_a_role_that_nobody_described_is_red(script: ModuleType, by: str) -> None:
    assert len(found(script, PURSE, TABLE.replace('["governor"]', by))) == 1


def test_a_restricted_function_without_a_typed_refusal_is_red(script: ModuleType) -> None:
    assert found(script, PURSE[:-1]) == ["Purse.pay: no typed refusal for governor"]


def test_selectors_are_those_of_the_contract_abi(script: ModuleType) -> None:
    assert script.selector(
        function("transfer", ADDRESS, {"type": "uint256", "name": "amount"})
    ) == ("0xa9059cbb")
    assert script.shown(PURSE[1]) == "look(Header[])"
    assert script.canonical(HEADER) == "(uint64,bytes32)[]"


def test_only_what_is_restricted_is_tried_on_chain(script: ModuleType) -> None:
    roles, rows = script.load_roles(_table(script))
    columns = json.loads(script.vectors({"Purse": PURSE}, roles, rows))
    assert columns["functions"] == ["Purse.pay"]
    assert columns["roles"] == [",governor,"]
    assert columns["callers"] == ["governor"]
    assert columns["selectors"] == [script.selector(PURSE[0])]
    assert columns["refusals"] == [script.selector(PURSE[-1])]


def test_files_that_differ_are_red_and_written_ones_are_not(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "artifacts", lambda: Artifacts({"Purse": Artifact(PURSE, CODE)}))
    table = script.load_roles(_table(script))
    monkeypatch.setattr(script, "load_roles", lambda: table)
    assert _run(script, monkeypatch, "--check") == 1
    assert "ACCESS.md: not what the contracts and the table give" in capsys.readouterr().err
    assert _run(script, monkeypatch) == 0
    assert _run(script, monkeypatch, "--check") == 0
    script.VECTORS.write_text("{}")
    assert _run(script, monkeypatch, "--check") == 1
    assert "**governor**" in script.PAGE.read_text()


def test_the_committed_page_and_table_are_those_of_the_contracts(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "PAGE", script.ROOT / "docs" / "ACCESS.md")
    monkeypatch.setattr(script, "VECTORS", script.ROOT / "tests/vectors/access/matrix.json")
    monkeypatch.setattr(script, "artifacts", artifacts)
    status = _run(script, monkeypatch, "--check")
    assert (status, capsys.readouterr().err) == (0, "")


def _table(script: ModuleType) -> Path:
    path: Path = script.PAGE.parent / "roles.toml"
    return path


def _run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["access_matrix.py", *words])
    return int(script.main())
