#!/usr/bin/env python3
"""Hold the gas of contract calls to the committed snapshot: 2 % more than it is red.

The tests of gas leave what they measured in `build/gas`, one JSON file for each group. The snapshot
is `tests/contracts/gas.json`. A call that grew, that was not measured, or that the snapshot does
not know is red; one that fell by as much is named, so that the snapshot can follow.

Usage, after `make test-contracts`: gas_snapshot.py [--write] [--partial]
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "build" / "gas"
SNAPSHOT = ROOT / "tests" / "contracts" / "gas.json"
TOLERANCE_PERCENT = 2


def measured() -> dict[str, int]:
    """Return what the last run measured, by group and name. [gas]"""
    return {
        f"{path.stem}.{name}": int(gas)
        for path in sorted(MEASURED.glob("*.json"))
        for name, gas in json.loads(path.read_text()).items()
    }


def committed() -> dict[str, int]:
    """Return the snapshot; empty when there is none. [gas]"""
    return json.loads(SNAPSHOT.read_text()) if SNAPSHOT.is_file() else {}


def grown(before: int, now: int) -> bool:
    """Tell whether a call costs more than the tolerance allows."""
    return now * 100 > before * (100 + TOLERANCE_PERCENT)


def problems(now: dict[str, int], before: dict[str, int], *, is_partial: bool) -> list[str]:
    """Return what is wrong, in words; a partial run is not asked for every call."""
    found = [
        f"{name}: {before[name]} -> {gas} gas, more than {TOLERANCE_PERCENT} %"
        for name, gas in now.items()
        if name in before and grown(before[name], gas)
    ]
    found += [f"{name}: not in the snapshot" for name in now if name not in before]
    if not is_partial:
        found += [f"{name}: not measured" for name in before if name not in now]
    return found


def main() -> int:
    """Compare, or write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="take what was measured as committed")
    parser.add_argument("--partial", action="store_true", help="do not ask for every call")
    options = parser.parse_args()
    now, before = measured(), committed()
    if options.write:
        SNAPSHOT.write_text(json.dumps(dict(sorted(now.items())), indent=1) + "\n")
        return 0
    found = problems(now, before, is_partial=options.partial)
    for problem in found:
        print(f"red: {problem}", file=sys.stderr)
    fallen = [name for name, gas in now.items() if name in before and grown(gas, before[name])]
    for name in fallen:
        print(f"gas: {name}: {before[name]} -> {now[name]}; take it with --write")
    if not found:
        print(f"gas: {len(now)} calls within {TOLERANCE_PERCENT} % of the snapshot")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
