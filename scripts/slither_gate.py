#!/usr/bin/env python3
"""Run Slither over the contracts; every finding must be known, with the reason why it stands.

What is known is `tests/contracts/slither.toml`: one table for each detector and its places, with a
reason. A finding that is not there is red, and so is an entry that no longer finds anything.
Slither compiles through Foundry's own binary and empties the folders that Foundry made: it works in
a copy of the contracts, which needs no tests.

Usage: slither_gate.py [--write], which prints the entries that are missing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KNOWN = ROOT / "tests" / "contracts" / "slither.toml"
OUT = ROOT / "build" / "slither"
COPY = OUT / "tree"
COPIED = ("contracts", "foundry.toml", "scripts/solc.js")
SLITHER = ROOT / ".venv-analysis" / "bin" / "slither"
FORGE_FOLDER = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin"
TIMEOUT_S = 900
SHORTEST_REASON = 20
"""A reason with fewer letters explains nothing."""
FOUND_SOMETHING = 255
PLACES = ("function", "variable", "contract", "event", "enum", "struct", "pragma")

Finding = tuple[str, str]


def copy_contracts() -> None:
    """Make the copy anew."""
    shutil.rmtree(COPY, ignore_errors=True)
    for name in COPIED:
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, COPY / name)
    (COPY / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)


def run() -> dict[str, object]:
    """Return the report of Slither; exit when it did not run to its end."""
    copy_contracts()
    report = OUT / "report.json"
    report.unlink(missing_ok=True)
    environment = os.environ | {"PATH": f"{FORGE_FOLDER}:{os.environ['PATH']}"}
    command = [
        str(SLITHER),
        ".",
        "--compile-force-framework",
        "foundry",
        "--foundry-out-directory",
        "build/contracts",
        "--filter-paths",
        "node_modules",
        "--exclude-informational",
        "--exclude-optimization",
        "--json",
        str(report),
    ]
    done = subprocess.run(  # noqa: S603 - the command is made of our own paths
        command,
        cwd=COPY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode not in {0, FOUND_SOMETHING} or not report.is_file():
        sys.exit(f"red: slither stopped with {done.returncode}\n{done.stderr[-4000:]}")
    made: dict[str, object] = json.loads(report.read_text())
    if not made["success"]:
        sys.exit(f"red: slither did not finish: {made['error']}")
    return made


def place_of(result: dict[str, object]) -> str:
    """Return where a finding is: contract, function and variable, as far as they go."""
    elements = result["elements"]
    assert isinstance(elements, list)
    for element in elements:
        if element["type"] in PLACES:
            return ".".join(reversed(list(names_of(element))))
    return "?"


def names_of(element: dict[str, Any]) -> Iterator[str]:
    """Yield the name of an element and of all that it stands in, up to the contract."""
    while element.get("type") in PLACES:
        yield str(element["name"])
        element = element.get("type_specific_fields", {}).get("parent", {})


def found(report: dict[str, object]) -> set[Finding]:
    """Return detector and place of every finding."""
    results = report["results"]
    assert isinstance(results, dict)
    return {(r["check"], place_of(r)) for r in results.get("detectors", [])}


def known() -> dict[Finding, str]:
    """Return the reason of every finding that stands."""
    entries = tomllib.loads(KNOWN.read_text())["accepted"]
    return {(e["check"], place): e["reason"] for e in entries for place in e["places"]}


def problems(now: set[Finding], accepted: dict[Finding, str]) -> list[str]:
    """Return what is red, in words."""
    new = [f"{check} in {place}: not explained" for check, place in sorted(now - accepted.keys())]
    stale = [f"{check} in {place}: not found any more" for check, place in accepted.keys() - now]
    bare = [
        f"{check} in {place}: the reason says too little"
        for (check, place), reason in accepted.items()
        if len(reason) < SHORTEST_REASON
    ]
    return new + sorted(stale) + sorted(bare)


def main() -> int:
    """Compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="print the missing entries")
    options = parser.parse_args()
    now, accepted = found(run()), known()
    if options.write:
        for check, place in sorted(now - accepted.keys()):
            print(f'[[accepted]]\ncheck = "{check}"\nplaces = ["{place}"]\nreason = ""\n')
    wrong = problems(now, accepted)
    for problem in wrong:
        print(f"red: {problem}", file=sys.stderr)
    if not wrong:
        print(f"slither: {len(now)} findings, each explained")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
