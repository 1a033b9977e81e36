"""Plant one failure for each gate in a copy of the tree; a gate that stays green fails.

A gate is a target of the Makefile and is run exactly as `make check` and `make test` run it. It
must exit non-zero *and* name what was planted: a gate that is red for another reason proves
nothing. The copies live in a temporary folder and share .venv and node_modules by link.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = (".venv", ".venv-analysis", "node_modules")
TIMEOUT_S = 600
TAIL = 25
UNCITED = "SOL-" + "99"
"""In two parts, so that these sources do not cite it."""
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

Plant = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One gate, what is planted for it, and what its output must then say."""

    gate: str
    failure: str
    plant: Plant
    says: tuple[str, ...]
    arguments: tuple[str, ...] = ()


def file(name: str, *lines: str) -> Plant:
    """Plant a new file."""

    def plant(tree: Path) -> None:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join((*lines, "")))

    return plant


def solidity(name: str, *body: str) -> Plant:
    """Plant a new contract file with the house's header."""
    header = ("// SPDX-License-Identifier: Apache-2.0", "pragma solidity 0.8.37;", "")
    return file(name, *header, *body)


def altered_vector(tree: Path) -> None:
    """Change one digit of the first golden vector."""
    path = min((tree / "tests/vectors").glob("*.json"))
    text = path.read_text()
    place = max(text.rfind(digit) for digit in "123456789")
    path.write_text(text[:place] + str(10 - int(text[place])) + "0" + text[place + 1 :])


def cheaper_snapshot(tree: Path) -> None:
    """Claim that a call used to cost 3 % less."""
    path = tree / "tests/contracts/gas.json"
    gas = json.loads(path.read_text())
    gas["risk_cell.linear"] = gas["risk_cell.linear"] * 97 // 100
    path.write_text(json.dumps(gas))


def altered_case(tree: Path) -> None:
    """Change a published margin number."""
    path = tree / "tests/conformance/published.json"
    path.write_text(path.read_text().replace('"value": 599.889646', '"value": 599.889746', 1))


def altered_lock(tree: Path) -> None:
    """Pin another version in the lock file than in pyproject.toml."""
    path = tree / "requirements.lock"
    path.write_text(path.read_text().replace("\nnumba==", "\nnumba==9", 1))


def uncited_invariant(tree: Path) -> None:
    """State an invariant that nobody holds."""
    with (tree / "docs/INVARIANTS.md").open("a") as table:
        table.write(f"| {UNCITED} | Planted. | nobody |\n")


def open_inbox(tree: Path) -> None:
    """Let anybody push deposits that nobody made."""
    path = tree / "contracts/inbox/Inbox.sol"
    guard = "if (msg.sender != vault) revert NotVault(msg.sender);"
    assert guard in path.read_text()
    path.write_text(path.read_text().replace(guard, ""))


def unproven_function(tree: Path) -> None:
    """Restrict a function that no proof is about."""
    with (tree / "scripts/access_roles.toml").open("a") as table:
        table.write('\n[functions.Planted]\nseize = ["governor"]\n')


PASSING = (
    "contract SoleSelfTest {",
    "    function test_PlantedTruth() external pure {",
    "        assert(1 == 1);",
    "    }",
    "}",
)
FAILING = tuple(line.replace("1 == 1", "1 == 2").replace("Truth", "Failure") for line in PASSING)
SOLE = ("ONLY=--match-contract SoleSelfTest",)

CASES = (
    Case(
        "test-python",
        "a failing test",
        file(
            "tests/planted/test_planted.py",
            '"""Planted."""',
            "",
            "",
            "def test_planted_failure() -> None:",
            "    assert 1 == 2",
        ),
        ("test_planted_failure", "1 failed"),
        ("ONLY=tests/planted",),
    ),
    Case(
        "test-python",
        "a lock file that differs from the pins",
        altered_lock,
        ("test_the_lock_file_holds_the_pins", "numba"),
        ("ONLY=tests/unit/test_house.py",),
    ),
    Case(
        "test-python",
        "an invariant that no test cites",
        uncited_invariant,
        ("test_every_invariant_is_cited_by_a_test", UNCITED),
        ("ONLY=tests/unit/test_house.py",),
    ),
    Case(
        "test-python",
        "a selection that matches nothing",
        lambda _: None,
        ("no tests ran",),
        ("ONLY=-k nothing_has_this_name tests/unit/test_house.py",),
    ),
    Case(
        "test-contracts",
        "a failing test",
        solidity("tests/contracts/Planted.t.sol", *FAILING),
        ("test_PlantedFailure", "1 failed"),
        SOLE,
    ),
    Case(
        "test-contracts",
        "fewer tests than the minimum",
        solidity("tests/contracts/Planted.t.sol", *PASSING),
        ("red: 1 contract tests passed, at least 2 must",),
        (*SOLE, "CONTRACTS_MINIMUM=2"),
    ),
    Case(
        "test-contracts",
        "a selection that matches nothing",
        solidity("tests/contracts/Planted.t.sol", *PASSING),
        ("red: 0 contract tests passed",),
        ("ONLY=--match-contract SoleSelfTest --match-test NothingHasThisName",),
    ),
    Case(
        "check-lint",
        "an unused import",
        file("offchain/core/planted.py", '"""Planted."""', "", "import math"),
        ("F401", "planted.py"),
    ),
    Case(
        "check-format",
        "a badly spaced line",
        file("offchain/core/planted.py", '"""Planted."""', "", "VALUE   =   1"),
        ("would be reformatted", "planted.py"),
    ),
    Case(
        "check-types",
        "a value of the wrong type",
        file("offchain/core/planted.py", '"""Planted."""', "", 'VALUE: int = "text"'),
        ("planted.py:3", "[assignment]"),
    ),
    Case(
        "check-layers",
        "a rule that imports the engine",
        file("offchain/core/planted.py", '"""Planted."""', "", "import offchain.engine"),
        ("Dependencies point down BROKEN", "offchain.core.planted"),
    ),
    Case(
        "check-layers",
        "a rule that reads the clock",
        file("offchain/core/planted.py", '"""Planted."""', "", "import time"),
        ("read no clock BROKEN", "offchain.core.planted"),
    ),
    Case(
        "check-contracts-format",
        "a badly spaced contract",
        solidity("contracts/types/Planted.sol", "contract   Planted{}"),
        ("Planted.sol",),
    ),
    Case(
        "check-contracts-build",
        "a contract that does not compile",
        solidity("contracts/types/Planted.sol", "contract Planted is Missing {}"),
        ("Planted.sol", "Identifier not found"),
    ),
    Case(
        "test-contracts",
        "a call that costs more gas than the snapshot allows",
        cheaper_snapshot,
        ("red: risk_cell.linear", "more than 2 %"),
        ("ONLY=--match-contract RiskCellGasTest", "CONTRACTS_MINIMUM=1"),
    ),
    Case(
        "test-python",
        "an error that no contract test expects",
        solidity(
            "contracts/libraries/Planted.sol",
            "library Planted {",
            "    error NeverExpected();",
            "",
            "    function refuse() internal pure {",
            "        revert NeverExpected();",
            "    }",
            "}",
        ),
        ("Planted.NeverExpected: no test expects its selector",),
        ("ONLY=tests/unit/scripts/test_revert_coverage.py",),
    ),
    Case(
        "test-python",
        "a restricted function without a proof",
        unproven_function,
        ("check_Planted_seize: a restricted function without a check",),
        ("ONLY=tests/unit/scripts/test_symbolic.py",),
    ),
    Case(
        "symbolic",
        "an inbox that anybody may push to",
        open_inbox,
        ("CustodyAccessSymbolic.check_Inbox_push: there is a counterexample",),
        ("MATCH=^CustodyAccess",),
    ),
    Case(
        "slither",
        "a contract that pays anybody",
        solidity(
            "contracts/types/Planted.sol",
            "contract Planted {",
            "    function pay(address payable to) external {",
            "        to.transfer(address(this).balance);",
            "    }",
            "}",
        ),
        ("arbitrary-send-eth in Planted.pay: not explained",),
    ),
    Case(
        "conformance",
        "a published margin number that does not come out",
        altered_case,
        ("599.889746", "1 missed"),
    ),
    Case(
        "check-vectors",
        "one altered digit",
        altered_vector,
        ("is not what the reference writes",),
    ),
)


def tracked() -> list[str]:
    """Return every file of the tree that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  git is found on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()})


def copy_tree(names: list[str], tree: Path) -> None:
    """Copy the files with their times, and link what is installed."""
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    for name in SHARED:
        (tree / name).symlink_to(ROOT / name, target_is_directory=True)


def run(case: Case, tree: Path) -> tuple[int, str]:
    """Run the gate's own recipe in the copy; the set-up counts as done and is never repeated."""
    done = [f"--old-file={name}/.ready" for name in SHARED]
    process = subprocess.Popen(  # noqa: S603  fixed arguments
        ["make", *done, case.gate, *case.arguments],  # noqa: S607  make is found on PATH
        cwd=tree,
        env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0", "MAKEFLAGS": "", "MAKELEVEL": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return -1, output + f"\nselftest: stopped after {TIMEOUT_S} s"
    return process.returncode, COLOURS.sub("", output)


def verdict(case: Case, status: int, output: str) -> str | None:
    """Return what is wrong with the gate, or None when it did its duty."""
    if status == 0:
        return "stayed green"
    if status < 0:
        return "did not end"
    silent = [text for text in case.says if text not in output]
    return f"is red, but does not say {silent}" if silent else None


def try_case(case: Case, names: list[str]) -> bool:
    """Copy, plant, run and report one case."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plimsoll-selftest-") as folder:
        tree = Path(folder)
        copy_tree(names, tree)
        case.plant(tree)
        status, output = run(case, tree)
    wrong = verdict(case, status, output)
    mark = "FAIL" if wrong else "ok  "
    seconds = time.monotonic() - start
    print(
        f"{mark} {case.gate}: {case.failure} ({seconds:.1f} s) {wrong or ''}".rstrip(), flush=True
    )
    if wrong:
        print("\n".join("     " + line for line in output.splitlines()[-TAIL:]), flush=True)
    return wrong is None


def main() -> int:
    """Try every case; exit 1 if any gate failed its test."""
    names = tracked()
    good = [try_case(case, names) for case in CASES]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
