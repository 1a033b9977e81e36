#!/usr/bin/env python3
"""Switch off each guard of the contracts alone, and see whether a forge test notices.

A guard is a condition of a `require`, of an `if (..) revert`, or a call of a function that only
checks (`_requireOpen(..);`). What is joined by `&&` in a `require`, or by `||` before a `revert`,
is so many guards. In a copy of the tree each one gets a switch, which an environment variable turns
off through a cheatcode: so one compilation serves them all. Every guard then costs one run of the
tests of its folder and, if none of those notices, one of all tests. Gas and invariant suites are
left out: they measure what the switches change, or are slow.

What the switches cannot reach: modifiers and OpenZeppelin's checks (the access matrix calls those),
and arithmetic that the compiler checks.

Writes build/guards.json. Fails when a guard survives that `scripts/guards.toml` does not explain,
when it explains one that is noticed or gone, and when the unchanged copy is not green.

Usage: guards.py [--folders settlement,challenge,..] [--workers N] [--only ID,ID]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "guards"
REPORT = ROOT / "build" / "guards.json"
EXPLAINED = ROOT / "scripts" / "guards.toml"
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
COPIED = ("contracts", "tests/contracts", "tests/vectors", "scripts/solc.js", "foundry.toml")
SWITCH = "PLIMSOLL_GUARD"
SUITES = {
    "settlement": "tests/contracts/{Settlement,Sequencer,Demands,LiquidationFinality}*.t.sol",
    "challenge": "tests/contracts/{Court,Demands,Challenge,Transition,*Judge}*.t.sol",
    "governance": "tests/contracts/Governance*.t.sol",
    "risk": "tests/contracts/RiskParameters*.t.sol",
    "proof": "tests/contracts/{Proof,Attested}*.t.sol",
    "insurance": "tests/contracts/InsuranceFund*.t.sol",
    "liquidation": "tests/contracts/Liquidation*.t.sol",
    "vault": "tests/contracts/CollateralVault*.t.sol",
    "inbox": "tests/contracts/Inbox*.t.sol",
    "exit": "tests/contracts/Exit*.t.sol",
    "oracle": "tests/contracts/{Oracle,Chainlink,Pyth,Risk,Funding}*.t.sol",
}
"""Where a folder's guards are most likely noticed; every other folder begins with all tests."""
ALL = "tests/contracts/**/*.t.sol"
LEFT_OUT = "tests/contracts/**/{*Gas,*.invariant,*Planted}.t.sol"
MEASURING = "ceilings"
"""Tests of suites that stay, which measure gas."""
CODE_SIZE = "1000000"
FUZZ_RUNS = "32"
TIMEOUT_S = 900

LIBRARY = """\
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Written by scripts/guards.py into a copy of the tree.
library Guards {
    function on(uint256 id) internal pure returns (bool) {
        return asPure(chosen)() != id;
    }

    /// @dev vm.envOr("PLIMSOLL_GUARD", uint256(0))
    function chosen() private view returns (uint256 id) {
        bytes memory call = abi.encodeWithSignature("envOr(string,uint256)", "PLIMSOLL_GUARD", 0);
        (, bytes memory answer) = 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D.staticcall(call);
        return answer.length == 32 ? abi.decode(answer, (uint256)) : 0;
    }

    function asPure(function() view returns (uint256) viewed)
        private
        pure
        returns (function() pure returns (uint256) made)
    {
        assembly ("memory-safe") {
            made := viewed
        }
    }
}
"""

COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
START = re.compile(
    r"\b(?P<word>require|if)\s*\(|(?<=[;{}\n])\s*(?P<call>(?:\w+\.)?_?(?:require|check|refuse)[A-Z]\w*)\("
)
REVERT = re.compile(r"\s*\{?\s*revert\b")


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition without which something would pass; `start` and `end` are its place."""

    file: str
    line: int
    text: str
    start: int
    end: int
    form: str

    @property
    def key(self) -> str:
        """Return what names the guard while lines move."""
        return f"{self.file}: {self.text}"

    def switched(self, source: str, number: int) -> str:
        """Return the source of the guard with its switch."""
        inner = source[self.start : self.end]
        if self.form == "require":
            return f"(!Guards.on({number}) || ({inner}))"
        if self.form == "revert":
            return f"(Guards.on({number}) && ({inner}))"
        return f"if (Guards.on({number})) {inner}"


def blanked(source: str) -> str:
    """Return the source with its comments and strings blanked; places stay."""
    return COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source)


def closing(code: str, start: int) -> int:
    """Return the place of the bracket that closes the one at `start`."""
    depth = 0
    for place in range(start, len(code)):
        depth += code[place] in "([{"
        depth -= code[place] in ")]}"
        if depth == 0:
            return place
    raise ValueError("a bracket is not closed")


def parts(code: str, start: int, end: int, separator: str) -> Iterator[tuple[int, int]]:
    """Yield the pieces between a separator that stands in no bracket."""
    depth, begin, place = 0, start, start
    while place < end:
        depth += code[place] in "([{"
        depth -= code[place] in ")]}"
        if depth == 0 and code.startswith(separator, place):
            yield begin, place
            begin = place = place + len(separator)
        else:
            place += 1
    yield begin, end


def conditions(code: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and form of each guard of a source without comments, in order."""
    for match in START.finditer(code):
        opened = match.end() - 1
        closed = closing(code, opened)
        if match["call"]:
            if code[closed + 1] == ";":
                yield match.start("call"), closed + 2, "call"
        elif match["word"] == "require":
            _, end = next(parts(code, opened + 1, closed, ","))
            is_either = len(list(parts(code, opened + 1, end, "||"))) > 1
            pieces = [(opened + 1, end)] if is_either else parts(code, opened + 1, end, "&&")
            yield from ((*piece, "require") for piece in pieces)
        elif REVERT.match(code, closed + 1):
            yield from ((*piece, "revert") for piece in parts(code, opened + 1, closed, "||"))


def guards_of(file: str, source: str) -> list[Guard]:
    """Return the guards of one source, in order."""
    code, found = blanked(source), list[Guard]()
    for begin, after, form in conditions(code):
        inner = code[begin:after]
        start = begin + len(inner) - len(inner.lstrip())
        end = begin + len(inner.rstrip())
        text = " ".join(source[start:end].split())
        found.append(Guard(file, code.count("\n", 0, start) + 1, text, start, end, form))
    return found


def planted(file: str, source: str, first: int) -> tuple[str, list[Guard]]:
    """Return the source with a switch at each guard, numbered from `first`, and the guards."""
    guards = guards_of(file, source)
    for number, guard in reversed(list(enumerate(guards, start=first))):
        source = source[: guard.start] + guard.switched(source, number) + source[guard.end :]
    if guards:
        up = "../" * (len(Path(file).parts) - 2) or "./"
        source = re.sub(
            r"(pragma solidity [^;]+;\n)", rf'\1import {{Guards}} from "{up}Guards.sol";\n', source
        )
    return source, guards


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


def run(number: int, suite: str) -> tuple[bool, str]:
    """Run a suite without one guard (0: with all); return whether it is green, and its output."""
    command = [
        str(FORGE), "test", "--offline", "--fail-fast", "--code-size-limit", CODE_SIZE,
        "--match-path", suite, "--no-match-path", LEFT_OUT, "--no-match-test", MEASURING,
    ]  # fmt: skip
    settings = {SWITCH: str(number), "FOUNDRY_FUZZ_RUNS": FUZZ_RUNS, "NO_COLOR": "1"}
    try:
        ended = subprocess.run(  # noqa: S603 (forge, with a number and paths of ours)
            command, cwd=WORK, env=os.environ | settings, timeout=TIMEOUT_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, "[FAIL: it did not end]"
    return ended.returncode == 0, ended.stdout + ended.stderr


def noticed_by(number: int, guard: Guard) -> str | None:
    """Return the test that notices that a guard is gone, or None."""
    for suite in (SUITES.get(Path(guard.file).parts[1]), ALL):
        if suite is None:
            continue
        is_green, output = run(number, suite)
        if not is_green:
            failed = re.search(r"\[FAIL[^\n]*\] (\w+)\(", output)
            return failed[1] if failed else "[no test named]"
    return None


def explained() -> dict[str, str]:
    """Return why some guards are noticed by nobody, by their keys."""
    if not EXPLAINED.exists():
        return {}
    rows = tomllib.loads(EXPLAINED.read_text())["guard"]
    return {f"{row['file']}: {row['text']}": row["why"] for row in rows}


def problems_of(results: dict[Guard, str | None], reasons: dict[str, str]) -> list[str]:
    """Return what is red, in words."""
    survivors = {guard.key: guard for guard, test in results.items() if test is None}
    found = [
        f"{guard.file}:{guard.line}: no test notices that this is gone: {guard.text}"
        for key, guard in survivors.items()
        if key not in reasons
    ]
    tried = {guard.key for guard in results}
    return found + [
        f"scripts/guards.toml explains what is noticed: {key}"
        for key in reasons
        if key in tried and key not in survivors
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", default=",".join(SUITES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="numbers of guards, as in the report")
    given = parser.parse_args(arguments)
    numbered = make_copy(given.folders.split(","))
    only = {int(number) for number in given.only.split(",") if number}
    chosen = {n: guard for n, guard in numbered.items() if not only or n in only}
    is_green, output = run(0, ALL)
    if not is_green:
        print(output[-4000:])
        print("the copy with every guard is not green")
        return 1
    with ThreadPoolExecutor(given.workers) as pool:
        tests = list(pool.map(noticed_by, chosen, chosen.values()))
    results = dict(zip(chosen.values(), tests, strict=True))
    rows = [
        {"id": n, "noticed_by": test, **asdict(guard)}
        for (n, guard), test in zip(chosen.items(), tests, strict=True)
    ]
    REPORT.write_text(json.dumps(rows, indent=1) + "\n")
    problems = problems_of(results, explained())
    noticed = sum(test is not None for test in tests)
    for line in [*problems, f"{noticed} of {len(tests)} guards are noticed"]:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
