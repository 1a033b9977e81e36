"""Count what the test runs of `make test` did, and turn a run that tested too little red.

Forge exits 0 when a filter matches nothing, and when a damaged cache makes it forget whole files
(two builds at once in one folder do that). So each run must pass a minimum of tests, a full run
of forge must name every test file, and the closing line of `make test` is counted from reports.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "build" / "test"
FORGE_SUMMARY = re.compile(r"(\d+) tests passed, (\d+) failed, (\d+) skipped \(\d+ total tests\)")
FORGE_SUITE = re.compile(r"^Ran \d+ tests? for (\S+):", re.MULTILINE)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Tally:
    """What one run did."""

    passed: int
    failed: int
    skipped: int


def count_python(report: str) -> Tally:
    """Count the test cases of a JUnit report; one that errs in set-up or teardown has failed."""
    passed = failed = skipped = 0
    # The report was written by pytest a moment ago, on this machine.
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return Tally(passed, failed, skipped)


def count_contracts(log: str) -> Tally:
    """Read forge's closing line; a run without one tested nothing."""
    found = FORGE_SUMMARY.findall(COLOURS.sub("", log))
    return Tally(*map(int, found[-1])) if found else Tally(0, 0, 0)


def describe(tally: Tally) -> str:
    """Return one run in words."""
    return f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped"


def read(name: str) -> str | None:
    """Return a report, or None when the run left none."""
    path = REPORTS / name
    return path.read_text() if path.is_file() and path.stat().st_size else None


def python_tally() -> Tally | None:
    """Return what pytest did, or None when it left no report."""
    report = read("python.xml")
    return None if report is None else count_python(report)


def contracts_tally() -> Tally | None:
    """Return what forge did, or None when it left no report."""
    log = read("contracts.log")
    return None if log is None else count_contracts(log)


def require(name: str, tally: Tally | None, minimum: int) -> int:
    """Return an exit status: 1 when fewer than `minimum` tests passed."""
    passed = tally.passed if tally else 0
    if passed >= minimum:
        return 0
    print(f"red: {passed} {name} tests passed, at least {minimum} must")
    return 1


def require_every_file() -> int:
    """Return an exit status: 1 when forge ran nothing of some test file."""
    present = {
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/contracts/**/*.t.sol")
    }
    ran = set(FORGE_SUITE.findall(COLOURS.sub("", read("contracts.log") or "")))
    for name in sorted(present - ran):
        print(f"red: forge ran no test of {name}; remedy: rm -rf build/cache build/contracts")
    return 1 if present - ran else 0


def total() -> int:
    """Print the sum over both runs; return 1 when a test failed or a run left no report."""
    runs = {"Python": python_tally(), "contracts": contracts_tally()}
    for name, tally in runs.items():
        print(f"{name}: no result" if tally is None else f"{name}: {describe(tally)}")
    counted = [tally for tally in runs.values() if tally is not None]
    failed = sum(tally.failed for tally in counted)
    # A run that stopped before it could report is one failure more.
    missing = len(runs) - len(counted)
    print(f"{sum(tally.passed for tally in counted)} passed, {failed + missing} failed")
    return 1 if failed or missing else 0


def main() -> int:
    """Check one run, or add both up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python-minimum", type=int)
    parser.add_argument("--contracts-minimum", type=int)
    parser.add_argument("--every-contract-file", action="store_true")
    parser.add_argument("--total", action="store_true")
    chosen = parser.parse_args()
    status = 0
    if chosen.python_minimum is not None:
        status |= require("Python", python_tally(), chosen.python_minimum)
    if chosen.contracts_minimum is not None:
        status |= require("contract", contracts_tally(), chosen.contracts_minimum)
    if chosen.every_contract_file:
        status |= require_every_file()
    if chosen.total:
        status |= total()
    return status


if __name__ == "__main__":
    sys.exit(main())
