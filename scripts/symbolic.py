#!/usr/bin/env python3
"""Prove rules of the contracts for all inputs, with Halmos.

`tests/symbolic` holds contracts `..Symbolic`, whose every check must be proven, and `..Planted`,
where something is wrong on purpose: each of their checks must find a counterexample, or the proof
beside it shows nothing. A proof that left paths out, or that did not end, is red. So is a
restricted function of `access_roles.toml` without a check `check_Contract_function`.

Usage: symbolic.py [--match REGEX], which runs only the contracts whose names match.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ROLES = ROOT / "scripts" / "access_roles.toml"
CHECKS = ROOT / "tests" / "symbolic"
OUT = ROOT / "build" / "symbolic"
ANALYSIS = ROOT / ".venv-analysis" / "bin"
FORGE_FOLDER = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin"
TIMEOUT_S = 1500
SOLVER_TIMEOUT_MS = 120_000
LOOP = 32
"""No loop that a check reaches is longer; one that is makes the check red."""
PROVEN, REFUTED = 0, 1
PROOF, PLANTED = "Symbolic", "Planted"
CHECK = re.compile(r"\bfunction\s+(check_\w+)\s*\(")


@dataclass(frozen=True, slots=True)
class Result:
    """What Halmos says of one check."""

    contract: str
    name: str
    status: int
    is_whole: bool

    @property
    def problem(self) -> str | None:
        """Return what is red, in words, or None."""
        where = f"{self.contract}.{self.name}"
        if self.contract.endswith(PLANTED):
            return None if self.status == REFUTED else f"{where}: what is planted was not found"
        if self.status == REFUTED:
            return f"{where}: there is a counterexample"
        if self.status != PROVEN:
            return f"{where}: was not proven (status {self.status})"
        return None if self.is_whole else f"{where}: some paths were left out"


def restricted() -> set[str]:
    """Return the check that each restricted function needs."""
    table = tomllib.loads(ROLES.read_text())
    closed = {name for name, role in table["roles"].items() if role.get("refusals")}
    return {
        f"check_{contract}_{key.partition('(')[0]}"
        for contract, rows in table["functions"].items()
        for key, roles in rows.items()
        if closed.intersection(roles)
    }


def unchecked(needed: Iterable[str]) -> list[str]:
    """Return the restricted functions that no check calls, in words."""
    written = {
        name for path in sorted(CHECKS.glob("*.sol")) for name in CHECK.findall(path.read_text())
    }
    return [
        f"{name}: a restricted function without a check" for name in sorted(set(needed) - written)
    ]


def run(match: str) -> dict[str, Any]:
    """Return the report of Halmos; exit when it did not run to its end."""
    OUT.mkdir(parents=True, exist_ok=True)
    report = OUT / "report.json"
    report.unlink(missing_ok=True)
    environment = os.environ | {
        "PATH": f"{FORGE_FOLDER}:{ANALYSIS}:{os.environ['PATH']}",
        "FOUNDRY_OUT": str(OUT / "out"),
        "FOUNDRY_CACHE_PATH": str(OUT / "cache"),
        **dict.fromkeys(("FOUNDRY_SRC", "FOUNDRY_TEST", "FOUNDRY_SCRIPT"), "tests/symbolic"),
    }
    command = [
        str(ANALYSIS / "halmos"),
        "--root",
        str(ROOT),
        "--forge-build-out",
        str(OUT / "out"),
        "--match-contract",
        match,
        "--loop",
        str(LOOP),
        "--solver-timeout-assertion",
        str(SOLVER_TIMEOUT_MS),
        "--solver-threads",
        "2",
        "--no-status",
        "--json-output",
        str(report),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the command is made of our own paths
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"red: halmos did not end within {TIMEOUT_S} s")
    (OUT / "halmos.log").write_text(done.stdout)
    if not report.is_file():
        sys.exit(f"red: halmos stopped with {done.returncode}\n{done.stdout[-4000:]}")
    made: dict[str, Any] = json.loads(report.read_text())
    return made


def results(report: dict[str, Any]) -> list[Result]:
    """Return what the report says of each check."""
    return [
        Result(
            contract.partition(":")[2],
            test["name"].partition("(")[0],
            test["exitcode"],
            not test.get("num_bounded_loops"),
        )
        for contract, tests in report["test_results"].items()
        for test in tests
    ]


def missing(found: list[Result]) -> list[str]:
    """Return the proofs beside which nothing is planted, in words."""
    names = {result.contract for result in found}
    proofs = {name.removesuffix(PROOF) for name in names if name.endswith(PROOF)}
    planted = {name.removesuffix(PLANTED) for name in names if name.endswith(PLANTED)}
    return [f"{name}: a proof, but nothing planted" for name in sorted(proofs - planted)]


def main() -> int:
    """Prove; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default=f"({PROOF}|{PLANTED})$", help="names of contracts")
    options = parser.parse_args()
    wrong = unchecked(restricted())
    found = results(run(options.match))
    wrong += missing(found)
    wrong += [result.problem for result in found if result.problem]
    if not found:
        wrong.append("no check was run")
    for problem in wrong:
        print(f"red: {problem}", file=sys.stderr)
    if not wrong:
        proven = sum(result.contract.endswith(PROOF) for result in found)
        print(f"symbolic: {proven} rules proven, {len(found) - proven} planted faults found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
