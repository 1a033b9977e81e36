#!/usr/bin/env python3
"""Switch off each guard of the contracts alone, and see whether a forge test notices.

In a copy of the tree each guard (see scripts/guard_sources.py) gets a switch, which an environment
variable turns off through a cheatcode: so one compilation serves them all. Every guard then costs
one run of the tests named after its contract and, while none notices, one of those of its folder
and one of all. Gas and invariant suites are left out: they measure what the switches change, or are
slow.

A guard counts as noticed when a test that passes with it fails without it, and as a survivor when
as many tests pass without it as with it. A run that says neither of the two, which found no test,
did not compile or did not end, says nothing of the guard, and that is red too.

What the switches cannot reach: modifiers and OpenZeppelin's checks (the access matrix calls those),
and arithmetic that the compiler checks.

Writes build/guards.json. Fails when a guard survives that `scripts/guards.toml` does not explain,
when it explains one that is noticed or gone, when a guard was not judged, when a folder has no
guard, and when the unchanged copy is not green.

Usage: guards.py [--folders settlement,challenge,..] [--workers N] [--near] [--only ID,ID]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from threading import Lock, Timer

from scripts.guard_sources import LIBRARY, Guard, planted

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "guards"
REPORT = ROOT / "build" / "guards.json"
EXPLAINED = ROOT / "scripts" / "guards.toml"
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
COPIED = ("contracts", "tests/contracts", "tests/vectors", "scripts/solc.js", "foundry.toml")
SWITCH = "PLIMSOLL_GUARD"
SUITES = {
    "settlement": "tests/contracts/{Settlement,Sequencer,Demands,LiquidationFinality}*.t.sol",
    "challenge": "tests/contracts/{Court,Content,Demands,Challenge,Transition,*Judge}*.t.sol",
    "governance": "tests/contracts/Governance*.t.sol",
    "risk": "tests/contracts/RiskParameters*.t.sol",
    "proof": "tests/contracts/{Proof,Attested}*.t.sol",
    "insurance": "tests/contracts/InsuranceFund*.t.sol",
    "liquidation": "tests/contracts/Liquidation*.t.sol",
    "vault": "tests/contracts/CollateralVault*.t.sol",
    "inbox": "tests/contracts/Inbox*.t.sol",
    "exit": "tests/contracts/Exit*.t.sol",
    "oracle": "tests/contracts/{Oracle,Chainlink,Pyth,Risk,Funding,Reference}*.t.sol",
    "libraries": "tests/contracts/{Content,Transition,Liquidation,RiskParameters,*Judge}*.t.sol",
    "pricing": "tests/contracts/pricing/*.t.sol",
    "devnet": "tests/contracts/DevToken.t.sol",
}
"""Where the guards of a folder are most likely noticed, after the suites of the contract."""
ALL = "tests/contracts/**/*.t.sol"
LEFT_OUT = "tests/contracts/**/{*Gas,*.invariant,*Planted}.t.sol"
MEASURING = "ceilings|test_gas"
"""Tests of suites that stay, which measure gas."""
CODE_SIZE = "1000000"
FUZZ_RUNS = "32"
TIMEOUT_S = 900

FAILED = re.compile(r"\[FAIL[^\n]*\] (\w+)\(")
SUMMARY = re.compile(r"^Ran \d+ test suites? in .*: (\d+) tests passed, (\d+) failed", re.MULTILINE)
COMPILED = re.compile(r"compilation skipped|Compiler run|No tests found")
NO_TEST = "No tests found in project"
STARTING = Lock()
"""Forge writes its cache at each start; one that reads half of it compiles everything again."""


class NotJudgedError(Exception):
    """A run of forge says neither that a test failed nor that all passed."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the tests say of a guard: the test that notices, or nobody, or why that is unknown."""

    number: int
    guard: Guard
    noticed_by: str | None
    unknown: str | None

    @property
    def is_survivor(self) -> bool:
        """Return whether everything passes without the guard."""
        return self.noticed_by is None and self.unknown is None


def make_copy(folders: Sequence[str]) -> dict[int, Guard]:
    """Write the copy; return its guards by their numbers."""
    for name in ("contracts", "tests"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    modules = WORK / "node_modules"
    if not modules.exists():
        modules.symlink_to((ROOT / "node_modules").resolve())
    numbered: dict[int, Guard] = {}
    for path in sorted((WORK / "contracts").rglob("*.sol")):
        file = str(path.relative_to(WORK))
        if path.relative_to(WORK / "contracts").parts[0] in folders:
            text, guards = planted(file, path.read_text(), len(numbered) + 1)
            path.write_text(text)
            numbered.update(enumerate(guards, start=len(numbered) + 1))
    (WORK / "contracts" / "Guards.sol").write_text(LIBRARY)
    return numbered


def build() -> None:
    """Compile the copy; raise `NotJudgedError` when it does not compile."""
    command = [str(FORGE), "build", "--offline"]
    ended = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise NotJudgedError("the copy does not compile:\n" + (ended.stdout + ended.stderr)[-4000:])


def run(number: int, suite: str) -> str:
    """Run a suite without one guard (0: with all); return what forge says."""
    command = [
        str(FORGE), "test", "--offline", "--fail-fast", "--code-size-limit", CODE_SIZE,
        "--match-path", suite, "--no-match-path", LEFT_OUT, "--no-match-test", MEASURING,
    ]  # fmt: skip
    settings = {SWITCH: str(number), "FOUNDRY_FUZZ_RUNS": FUZZ_RUNS, "NO_COLOR": "1"}
    with STARTING:
        process = subprocess.Popen(  # noqa: S603 (forge, with a number and paths of ours)
            command, cwd=WORK, env=os.environ | settings, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = process.stdout or StringIO()
        first = until_compiled(said)
    # What is killed has no summary, so it is not judged.
    slow = Timer(TIMEOUT_S, process.kill)
    slow.start()
    rest = said.read()
    slow.cancel()
    process.wait()
    return first + rest


def until_compiled(lines: Iterable[str]) -> str:
    """Return the lines up to the one that says that nothing is left to compile, or all."""
    read = ""
    for line in lines:
        read += line
        if COMPILED.search(line):
            break
    return read


def verdict(output: str) -> str | int:
    """Return the first test that failed, or how many passed when none did.

    Raises `NotJudgedError` for what is neither.
    """
    if NO_TEST in output:
        return 0
    failed, summary = FAILED.search(output), SUMMARY.search(output)
    if summary is None or (failed is None) != (summary[2] == "0"):
        raise NotJudgedError("forge says neither red nor green: " + output[-1000:])
    return failed[1] if failed else int(summary[1])


def suites_of(guard: Guard) -> list[str]:
    """Return where to look for a test that notices, from the nearest to all."""
    _, folder, *_, name = Path(guard.file).parts
    near = f"tests/contracts/**/{name.removesuffix('.sol')}*.t.sol"
    return [near, *([SUITES[folder]] if folder in SUITES else []), ALL]


class Baseline:
    """How many tests of each suite pass with every guard, asked once, when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[str, Future[int]] = {}

    def passing(self, suite: str) -> int:
        """Return how many pass: 0 for a contract that has no suite of its name.

        Raises `NotJudgedError` when a test fails, and when a suite that is named here finds none.
        """
        with self._lock:
            is_first = suite not in self._asked
            answer = self._asked.setdefault(suite, Future())
        if is_first:
            try:
                answer.set_result(sound(suite))
            except NotJudgedError as error:
                answer.set_exception(error)
        return answer.result()


def sound(suite: str) -> int:
    """Return how many tests of a suite pass with every guard; raise as `Baseline.passing` does."""
    passed = verdict(run(0, suite))
    if isinstance(passed, str):
        raise NotJudgedError(f"the copy with every guard is not green: {passed} of {suite}")
    if not passed and suite in {*SUITES.values(), ALL}:
        raise NotJudgedError(f"no test is found by {suite}")
    return passed


def noticed_by(number: int, guard: Guard, baseline: Baseline, *, is_near: bool) -> str | None:
    """Return the test that notices that a guard is gone, or None.

    Raises `NotJudgedError` when a suite neither fails nor passes as with every guard.
    """
    for suite in suites_of(guard):
        if is_near and suite == ALL:
            continue
        passing = baseline.passing(suite)
        if passing == 0:
            continue
        said = verdict(run(number, suite))
        if isinstance(said, str):
            return said
        if said != passing:
            raise NotJudgedError(f"{said} tests of {suite} ran, not {passing}")
    return None


def judged(number: int, guard: Guard, baseline: Baseline, *, is_near: bool) -> Judgement:
    """Return what the tests say of one guard, and say so at once: a campaign is long."""
    try:
        one = Judgement(number, guard, noticed_by(number, guard, baseline, is_near=is_near), None)
    except NotJudgedError as error:
        one = Judgement(number, guard, None, str(error))
    said = f"not judged: {one.unknown}" if one.unknown else one.noticed_by or "NOBODY"
    print(f"{number} {guard.file}:{guard.line}: {guard.text}: {said}", flush=True)
    return one


def explained() -> dict[str, str]:
    """Return why some guards are noticed by nobody, by their keys."""
    if not EXPLAINED.exists():
        return {}
    rows = tomllib.loads(EXPLAINED.read_text())["guard"]
    return {f"{row['file']}: {row['text']}": row["why"] for row in rows}


def problems_of(
    results: Sequence[Judgement], reasons: dict[str, str], there: Iterable[Guard]
) -> list[str]:
    """Return what is red, in words; `there` is every guard of the folders, tried or not."""
    found = [
        f"{one.guard.file}:{one.guard.line}: no test notices that this is gone: {one.guard.text}"
        for one in results
        if one.is_survivor and one.guard.key not in reasons
    ]
    found += [
        f"{one.guard.file}:{one.guard.line}: not judged: {one.guard.text}: {one.unknown}"
        for one in results
        if one.unknown is not None
    ]
    survivors = {one.guard.key for one in results if one.is_survivor}
    tried = {one.guard.key for one in results if one.unknown is None}
    keys = {guard.key for guard in there}
    folders = {Path(key).parts[1] for key in keys}
    found += [
        f"scripts/guards.toml explains what is noticed: {key}"
        for key in reasons
        if key in tried - survivors
    ]
    return found + [
        f"scripts/guards.toml explains what is gone: {key}"
        for key in reasons
        if key not in keys and Path(key).parts[1] in folders
    ]


def without_guards(folders: Iterable[str], there: Iterable[Guard]) -> list[str]:
    """Return the folders that have no guard, as one misspelt."""
    return sorted(set(folders) - {Path(guard.file).parts[1] for guard in there})


def report(results: Sequence[Judgement]) -> None:
    """Write what was found as JSON."""
    rows = [
        {"id": one.number, "noticed_by": one.noticed_by, "unknown": one.unknown} | asdict(one.guard)
        for one in results
    ]
    REPORT.write_text(json.dumps(rows, indent=1) + "\n")


def campaign(chosen: dict[int, Guard], workers: int, *, is_near: bool) -> list[Judgement]:
    """Compile the copy and judge the guards; raise `NotJudgedError` when it does not compile."""
    build()
    baseline = Baseline()
    with ThreadPoolExecutor(workers) as pool:
        return list(
            pool.map(lambda one: judged(one[0], one[1], baseline, is_near=is_near), chosen.items())
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", default=",".join(SUITES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="numbers of guards, as in the report")
    parser.add_argument("--near", action="store_true", help="do not ask all tests: more survive")
    given = parser.parse_args(arguments)
    folders = given.folders.replace(",", " ").split()
    numbered = make_copy(folders)
    only = {int(number) for number in given.only.split(",") if number} or set(numbered)
    nowhere = [*without_guards(folders, numbered.values()), *sorted(only - set(numbered))]
    if nowhere or not numbered:
        print("no guards are found for:", *nowhere)
        return 1
    try:
        results = campaign(
            {n: numbered[n] for n in sorted(only)}, given.workers, is_near=given.near
        )
    except NotJudgedError as error:
        print(error)
        return 1
    report(results)
    problems = problems_of(results, explained(), numbered.values())
    noticed = sum(one.noticed_by is not None for one in results)
    for line in [*problems, f"{noticed} of {len(results)} guards are noticed"]:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
