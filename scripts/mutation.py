#!/usr/bin/env python3
"""Change the rules a little, many times, and count how often a test notices.

Mutants of offchain/core and offchain/pricing (`scripts.mutants` says which changes) are run in
copies of the tree, one at a time in each, against every test of core and pricing that needs neither
the engine nor a chain. A sample that a fixed seed chooses is run; `--sample 0` runs all. An error
at import, a crash and a run that hangs count as noticed; so does nothing else but a failed test.

A kernel is compiled again only when its own file changes, so the compiled code of every kernel that
rests on what was changed is thrown away (`scripts.stale_kernels`): a stale one would survive.

Writes build/mutation/report.json. Fails below `--threshold`, and when the unchanged tree fails.
"""

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue

from scripts.mutants import Mutant, mutants_of
from scripts.mutation_plugin import DURATIONS, FIRST
from scripts.stale_kernels import Definition, Definitions, dotted, is_stale

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "mutation"
PACKAGES = ("offchain/core", "offchain/pricing")
TREES = ("offchain", "tests", "scripts", "data", "docs")
FILES = ("pyproject.toml",)
SUITES = ("tests/unit/core", "tests/unit/pricing", "tests/property", "tests/differential")
OTHERS = tuple(
    f"offchain.{layer}"
    for layer in ("engine", "ledger", "calibration", "models", "services", "adapters", "app")
)
"""A test of core and pricing imports nothing of these itself."""
CHAIN = ("offchain.adapters", "web3", "solcx")
"""Nor of these through what it imports: no node, no compiler."""
SLOWER = 4
"""A run that takes so many times as long as the unchanged tree hangs."""
NOT_RUN = {4, 5}
"""Exit codes of pytest for a command that it does not understand, and for no tests."""


def _is_in(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


class Sources:
    """A tree of sources and who imports whom in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The sources, by their place in the tree."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for tree in ("offchain", "tests", "scripts")
            for path in sorted((self.root / tree).rglob("*.py"))
        }

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The names that each module imports, of modules or of what is in them."""
        return {dotted(file): _imported(source) for file, source in self.files.items()}

    @cached_property
    def definitions(self) -> Definitions:
        """What every definition rests on."""
        return Definitions(self.files)

    def stale_after(self, mutant: Mutant) -> set[Definition]:
        """Return the definitions that rest on what a mutant changes."""
        changed = self.definitions.changed_at(mutant.file, mutant.line)
        return self.definitions.resting_on(changed)

    def needs(self, module: str) -> set[str]:
        """Return what a module imports, at any distance."""
        found: set[str] = set()
        waiting = [module]
        while waiting:
            new = self.imports.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def suite(self) -> list[str]:
        """Return the test files of core and pricing."""
        folders = [self.root / suite for suite in SUITES]
        files = [
            str(path.relative_to(self.root))
            for folder in folders
            for path in sorted(folder.rglob("test_*.py"))
        ]
        return [file for file in files if self._is_of_rules(dotted(file))]

    def _is_of_rules(self, module: str) -> bool:
        return not (
            any(_is_in(name, OTHERS) for name in self.imports[module])
            or any(_is_in(name, CHAIN) for name in self.needs(module))
        )

    def direct_tests(self, module: str) -> list[str]:
        """Return the test files of core and pricing that import a module themselves."""
        return [file for file in self.suite() if module in self.imports[dotted(file)]]

    def mutants(self, only: str = "") -> list[Mutant]:
        """Return every mutant of the files whose path contains a text."""
        files = [
            str(path.relative_to(self.root))
            for package in PACKAGES
            for path in sorted((self.root / package).glob("*.py"))
        ]
        return [mutant for file in files if only in file for mutant in mutants_of(self.root, file)]


def _imported(source: bytes) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant: the test that noticed, or None for a survivor."""

    mutant: Mutant
    noticed_by: str | None
    seconds: float = 0.0


class Bench:
    """A copy of a tree, in which one mutant at a time lives."""

    def __init__(self, sources: Sources, place: Path) -> None:
        self.place = place
        copy_tree(sources.root, place / "tree")
        self.sources = Sources(place / "tree")  # read before a mutant moves in, and kept
        self.suite = self.sources.suite()
        self.timeout_s = 3_600.0

    def prepare(self) -> None:
        """Run the unchanged tree once, which compiles its kernels and times its tests."""
        begun = time.perf_counter()
        notice = self._run("compiled", [])
        if notice:
            raise SystemExit(f"mutation: the unchanged tree fails its own tests: {notice}")
        self.timeout_s = SLOWER * (time.perf_counter() - begun) + 60

    def _run(self, cache: str, first: Sequence[str]) -> str | None:
        """Run the tests and return what failed."""
        environment = dict(os.environ)
        environment |= {
            "PYTHONPATH": str(self.sources.root),
            "NUMBA_CACHE_DIR": str(self.place / cache),
            # Bytecode goes by the second of a file's time: of a mutant it is never kept.
            "PYTHONPYCACHEPREFIX": str(self.place / "bytecode"),
            DURATIONS: str(self.place / "durations.json"),
            FIRST: os.pathsep.join(first),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if cache != "compiled":
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
        command += ["-p", "no:xdist", "-p", "scripts.mutation_plugin", *self.suite]
        try:
            done = subprocess.run(  # noqa: S603  our own interpreter and our own tests
                command,
                cwd=self.sources.root,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"a run of more than {self.timeout_s:.0f} s"
        if done.returncode == 0:
            return None
        failed = [x for x in done.stdout.splitlines() if x.startswith(("FAILED ", "ERROR "))]
        if done.returncode in NOT_RUN and not failed and "Error" not in done.stderr:
            raise SystemExit(f"mutation: pytest did not run: {done.stdout}{done.stderr}")
        return failed[0].split(" - ")[0] if failed else f"exit code {done.returncode}"

    def _recall(self, stale: set[Definition]) -> None:
        """Take the compiled kernels that a change leaves as they are."""
        shutil.rmtree(self.place / "kernels", ignore_errors=True)
        for source in (self.place / "compiled").rglob("*.nb?"):
            if not is_stale(source.name, stale):
                target = self.place / "kernels" / source.relative_to(self.place / "compiled")
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, target)  # numba replaces files and never writes into them

    def judge(self, mutant: Mutant) -> Verdict:
        """Tell whether a test notices a mutant."""
        target = self.sources.root / mutant.file
        original, times = target.read_bytes(), target.stat()
        module = dotted(mutant.file)
        self._recall(self.sources.stale_after(mutant))
        target.write_bytes(mutant.applied(original))
        begun = time.perf_counter()
        try:
            noticed_by = self._run("kernels", self.sources.direct_tests(module))
            return Verdict(mutant, noticed_by, time.perf_counter() - begun)
        finally:
            target.write_bytes(original)
            os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def copy_tree(root: Path, place: Path) -> None:
    """Copy what the tests need; what others change meanwhile does not matter then."""
    shutil.rmtree(place.parent, ignore_errors=True)
    for name in TREES:
        if (root / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / name, place / name, ignore=ignored)
    for name in FILES:
        shutil.copy2(root / name, place / name)


def choose(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return the sample: `count` mutants, or all of them for 0, in an order that the seed fixes."""
    found = list(mutants)
    random.Random(seed).shuffle(found)  # noqa: S311  a sample, not a secret
    return found[:count] if count else found


def run(benches: Sequence[Bench], mutants: Sequence[Mutant]) -> Iterator[Verdict]:
    """Yield a verdict on each mutant."""
    free: SimpleQueue[Bench] = SimpleQueue()

    def judge(mutant: Mutant) -> Verdict:
        bench = free.get()
        try:
            return bench.judge(mutant)
        finally:
            free.put(bench)

    with ThreadPoolExecutor(len(benches)) as pool:
        for bench, _ in zip(benches, pool.map(Bench.prepare, benches), strict=True):
            free.put(bench)
        yield from pool.map(judge, mutants)


def described(verdict: Verdict) -> str:
    """Return a verdict in words."""
    mutant = verdict.mutant
    change = f"{mutant.file}:{mutant.line} {mutant.before!r} -> {mutant.after!r}"
    return f"{change}: {verdict.noticed_by or 'survived'}"


def report(verdicts: Sequence[Verdict], seed: int) -> dict[str, object]:
    """Return the score as a whole and file by file, and every survivor."""
    tried = Counter(v.mutant.file for v in verdicts)
    noticed = Counter(v.mutant.file for v in verdicts if v.noticed_by)
    return {
        "mutants": len(verdicts),
        "killed": noticed.total(),
        "score": round(noticed.total() / len(verdicts), 4),
        "seed": seed,
        "files": {file: [noticed[file], count] for file, count in sorted(tried.items())},
        "survivors": [asdict(v.mutant) for v in verdicts if not v.noticed_by],
        "noticed_by": dict(Counter(v.noticed_by for v in verdicts if v.noticed_by)),
    }


def main() -> int:
    """Run the campaign and write the report."""
    parser = argparse.ArgumentParser(description="Mutation score of core and pricing.")
    parser.add_argument("--sample", type=int, default=400, help="mutants to run; 0 for all")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--only", default="", help="only files whose path contains this")
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=WORK, help="where the copies go")
    given = parser.parse_args()
    work: Path = given.work
    first = Bench(Sources(ROOT), work / "bench0")
    others = range(1, given.workers)
    benches = [first, *(Bench(first.sources, work / f"bench{k}") for k in others)]
    every = first.sources.mutants(given.only)
    mutants = choose(every, given.sample, given.seed)
    if not mutants:
        print("mutation: nothing to change")
        return 1
    print(f"mutation: {len(mutants)} of {len(every)} mutants, seed {given.seed}", flush=True)
    verdicts: list[Verdict] = []
    with (work / "verdicts.log").open("w") as log:
        for verdict in run(benches, mutants):
            verdicts.append(verdict)
            log.write(f"{verdict.seconds:.0f} s, {described(verdict)}\n")
            log.flush()
            if not verdict.noticed_by:
                print(described(verdict), flush=True)
            if len(verdicts) % 20 == 0:
                print(f"mutation: {len(verdicts)} of {len(mutants)}", flush=True)
    result = report(verdicts, given.seed)
    (work / "report.json").write_text(json.dumps(result, indent=2) + "\n")
    score = float(str(result["score"]))
    print(f"mutation: {result['killed']} of {len(mutants)} noticed, score {score:.1%}")
    return 0 if score >= given.threshold else 1


if __name__ == "__main__":
    sys.exit(main())
