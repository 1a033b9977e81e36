#!/usr/bin/env python3
"""Gas of deciding each kind of challenge, and of the court around it, measured by forge.

`challenge.gas.{kind}` is the dearest evidence of a judge that its gas tests have; `court.open` and
`court.reveal` are the calls around it, `demand.*` those about a checkpoint that nobody posted. The
figures come from a run of these tests, of the contracts as they are compiled now.

Usage: bench_challenge.py, or `measure()`.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
SNAPSHOTS = ROOT / "build" / "gas"
SUITES = "(Challenge|Court|Demands|[A-Z][a-z]+Judge).*"
TIMEOUT_S = 1_200
KINDS = {
    "oracle": ("judges", "oracle"),
    "cell": ("judges", "cell"),
    "transition": ("judges", "transition"),
    "inbox": ("challenge", "4."),
    "liquidation": ("judges", "liquidation"),
    "totals": ("challenge", "7."),
    "data": ("challenge", "8."),
    "double_leaf": ("challenge", "9."),
    "step": ("challenge", "11."),
    "effects": ("judges", "effects."),
    "output": ("challenge", "13."),
    "court.open": ("challenge", "court.open"),
    "court.reveal": ("challenge", "court.reveal"),
    "demand.open": ("challenge", "demand.open"),
    "demand.answer": ("challenge", "demand.answer"),
}
"""Key to the snapshot group, and to the beginning of the names in it."""
Entry = dict[str, Any]


def run_tests() -> None:
    """Run the tests that measure; an error when one is red or none is found."""
    for group in ("judges", "challenge"):
        (SNAPSHOTS / f"{group}.json").unlink(missing_ok=True)
    command = [str(FORGE), "test", "--offline", "--match-contract", SUITES]
    done = subprocess.run(  # noqa: S603 - the command is made of our own paths
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the gas tests are red:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def measure() -> dict[str, Entry]:
    """Return every figure by its key."""
    assert shutil.which(FORGE), "run make setup first"
    run_tests()
    groups = {
        group: {k: int(v) for k, v in json.loads((SNAPSHOTS / f"{group}.json").read_text()).items()}
        for group in ("judges", "challenge")
    }
    results: dict[str, Entry] = {}
    for key, (group, name) in KINDS.items():
        found = [gas for measured, gas in groups[group].items() if measured.startswith(name)]
        results[f"challenge.gas.{key}"] = {"value": max(found), "unit": "gas"}
    return results


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
