"""The contracts, compiled by the pinned solc through py-solc-x, with the settings of forge."""

import json
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError

from offchain.services.errors import OffchainError

ROOT = Path(__file__).parents[2]
SOLC = "scripts/solc.js"
OUTPUT = "build/contracts-python"
LONGEST_MESSAGE = 4_000


class CompilerError(OffchainError):
    """The contracts do not compile, or the compiler does not run; the message is its own."""


class UnknownContractError(OffchainError):
    """No contract of the project has this name."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a deployment and a caller need of one contract."""

    abi: list[dict[str, Any]]
    bytecode: str


@dataclass(frozen=True, slots=True)
class Artifacts:
    """All contracts of the project by name."""

    by_name: dict[str, Artifact]

    def artifact(self, name: str) -> Artifact:
        """Return one contract; UnknownContractError when there is none of that name."""
        try:
            return self.by_name[name]
        except KeyError:
            raise UnknownContractError(f"the project has no contract {name}") from None

    def abi(self, name: str) -> list[dict[str, Any]]:
        """Return the ABI of one contract."""
        return self.artifact(name).abi

    def bytecode(self, name: str) -> str:
        """Return the creation code of one contract, 0x-prefixed."""
        return self.artifact(name).bytecode


@cache
def artifacts() -> Artifacts:
    """Return the project's contracts, compiled at most once a process."""
    return compile_contracts(ROOT)


def abi(name: str) -> list[dict[str, Any]]:
    """Return the ABI of a contract or interface of the project.

    Raises
    ------
    CompilerError
        The contracts do not compile.
    UnknownContractError
        There is none of that name.
    """
    return artifacts().abi(name)


def compile_contracts(root: Path) -> Artifacts:
    """Compile every contract below `root`, or read what an earlier run left for the same input.

    Parameters
    ----------
    root : Path
        A checkout: contracts, foundry.toml, package-lock.json, node_modules and scripts.

    Returns
    -------
    Artifacts
        ABIs and creation code, for the settings of foundry.toml.

    Raises
    ------
    CompilerError
        A file is missing, the compiler does not run, or it refuses the sources.
    """
    try:
        request = standard_input(root)
        pins = (root / "package-lock.json").read_bytes()  # pins solc and the libraries
    except OSError as missing:
        raise CompilerError(f"contracts are compiled from a checkout: {missing}") from missing
    key = sha256(json.dumps(request, sort_keys=True).encode() + pins).hexdigest()[:32]
    cached = root / OUTPUT / f"{key}.json"
    if not cached.exists():
        _store(cached, _compile(root, request))
    found: dict[str, dict[str, Any]] = json.loads(cached.read_text())
    return Artifacts({name: Artifact(**parts) for name, parts in found.items()})


def standard_input(root: Path) -> dict[str, Any]:
    """Return the compiler's standard JSON input for the contracts below `root`."""
    profile = tomllib.loads((root / "foundry.toml").read_text())["profile"]["default"]
    paths = sorted((root / profile["src"]).rglob("*.sol"))
    return {
        "language": "Solidity",
        "sources": {p.relative_to(root).as_posix(): {"content": p.read_text()} for p in paths},
        "settings": {
            "remappings": profile["remappings"],
            "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
            "evmVersion": profile["evm_version"],
            "viaIR": profile.get("via_ir", False),
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
        },
    }


def _compile(root: Path, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    try:
        answer = solcx.compile_standard(request, solc_binary=root / SOLC, base_path=root)
    except SolcError as refused:
        raise CompilerError(str(refused)[:LONGEST_MESSAGE]) from refused
    except (OSError, ValueError) as failed:
        raise CompilerError(f"{SOLC} cannot be run: {failed}") from failed
    return {
        name: {"abi": contract["abi"], "bytecode": "0x" + contract["evm"]["bytecode"]["object"]}
        for path, contracts in answer["contracts"].items()
        if path in request["sources"]
        for name, contract in contracts.items()
    }


def _store(path: Path, found: dict[str, dict[str, Any]]) -> None:
    """Write whole or not at all: another process may read or write the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(found, sort_keys=True))
    temporary.replace(path)
