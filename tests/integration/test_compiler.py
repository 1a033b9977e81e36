"""The contracts compile through py-solc-x with the settings of forge, once for each input."""

import json
import tomllib
from pathlib import Path

import pytest

from offchain.adapters.compiler import (
    OUTPUT,
    ROOT,
    CompilerError,
    UnknownContractError,
    abi,
    artifacts,
    compile_contracts,
    standard_input,
)

SMALL = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with one contract, and the tools of the real one."""
    for name in ("foundry.toml", "package-lock.json", "scripts", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/Small.sol").write_text(SMALL + "contract Small { uint256 public x; }")
    return tmp_path


def test_settings_are_those_of_forge() -> None:
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    settings = standard_input(ROOT)["settings"]
    assert settings["optimizer"] == {"enabled": True, "runs": profile["optimizer_runs"]}
    assert settings["evmVersion"] == profile["evm_version"]


def test_every_contract_of_the_project_is_there() -> None:
    assert {entry["name"] for entry in abi("IInbox") if entry["type"] == "function"} == {
        "count",
        "forceCancelAll",
        "forceClose",
        "forceWithdraw",
        "grantKey",
        "isEntry",
        "isKeyActive",
        "keyOf",
        "prefixAt",
        "push",
        "revokeKey",
        "revokedAllAt",
        "settlement",
        "vault",
    }
    assert artifacts().bytecode("Settlement").startswith("0x6")
    assert artifacts().bytecode("ISettlement") == "0x"  # an interface has no code


def test_an_unknown_contract_is_refused_by_name() -> None:
    with pytest.raises(UnknownContractError, match="no contract Sttlement"):
        abi("Sttlement")


def test_a_second_run_reads_what_the_first_left(checkout: Path) -> None:
    first = compile_contracts(checkout)
    (stored,) = (checkout / OUTPUT).iterdir()
    (checkout / "scripts").unlink()  # no compiler: the stored result must serve
    assert compile_contracts(checkout) == first
    assert json.loads(stored.read_text())["Small"]["bytecode"] == first.bytecode("Small")


def test_a_changed_source_is_compiled_again(checkout: Path) -> None:
    first = compile_contracts(checkout)
    (checkout / "contracts/Small.sol").write_text(SMALL + "contract Small { uint256 public y; }")
    assert compile_contracts(checkout).abi("Small") != first.abi("Small")


def test_the_message_of_the_compiler_is_passed_on(checkout: Path) -> None:
    (checkout / "contracts/Small.sol").write_text(SMALL + "contract Small { uint256 x = ; }")
    with pytest.raises(CompilerError, match=r"Expected primary expression(.|\n)*Small\.sol"):
        compile_contracts(checkout)
    assert not (checkout / OUTPUT).exists()


def test_a_missing_compiler_is_a_clear_fault(checkout: Path) -> None:
    (checkout / "scripts").unlink()
    with pytest.raises(CompilerError, match=r"scripts/solc\.js cannot be run"):
        compile_contracts(checkout)


def test_a_place_without_contracts_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(CompilerError, match="from a checkout"):
        compile_contracts(tmp_path)
