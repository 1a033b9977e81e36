#!/usr/bin/env python3
"""Hold every custom error of the contracts to a forge test that names its selector.

An error is declared once, in a contract, a library or an interface; a test expects it as
`X.Error.selector`, where X is that or whatever inherits from it. An error that no test function
names is red, and so is one that nothing reverts with. The table at the end of docs/ERRORS.md is
written from the same: each error with the first test that names it.

Usage: revert_coverage.py [--write]
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts"
TESTS = ROOT / "tests" / "contracts"
PAGE = ROOT / "docs" / "ERRORS.md"
HEAD = """\
## Contracts

Each custom error, where it is declared, and the forge test that provokes it.

| Contract | Error | Test |
| --- | --- | --- |
"""
FOREIGN = "OpenZeppelin"
"""Whose errors our tests provoke too; those that they name are listed, none is demanded."""

COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
CONTAINER = re.compile(r"\b(?:contract|library|interface)\s+(\w+)(?:\s+is\s+([^{]+))?\s*\{")
DECLARED = re.compile(r"\berror\s+(\w+)\s*\(")
FUNCTION = re.compile(r"\bfunction\s+(\w+)\s*\(")
CALLED = re.compile(r"\b(\w+)\s*\(")
CONSTANT = re.compile(r"\bconstant\s+(\w+)\s*=\s*(\w+\.\w+\.selector)\s*;")
SELECTOR = re.compile(r"\b(\w+)\.([A-Z]\w*)\.selector\b")
IMPORTED = re.compile(r'import\s*\{([^}]*)\}\s*from\s*"@openzeppelin/')
INTERFACE = re.compile(r"I(?=[A-Z][a-z])")
RUN_BY_FORGE = ("test", "invariant")

Named = Mapping[tuple[str, str], str]
"""By what it is reached through and the error's name: `Suite.test` of the first that names it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One custom error, and all through which Solidity lets a test name it."""

    home: str
    name: str
    through: frozenset[str]

    @property
    def contract(self) -> str:
        """Return whose error it is for a reader: an interface stands for its contract."""
        return INTERFACE.sub("", self.home, count=1)


def code(source: str) -> str:
    """Return a source without its comments; its strings stay."""
    return COMMENT.sub(lambda m: m[0] if m[0].startswith('"') else " ", source)


def sources() -> list[str]:
    """Return the code of every contract."""
    return [code(path.read_text()) for path in sorted(CONTRACTS.rglob("*.sol"))]


def heirs(texts: list[str]) -> dict[str, set[str]]:
    """Return for each contract itself and whatever inherits from it."""
    parents = {
        name: {re.split(r"[\s(.]", part.strip())[0] for part in bases.split(",") if part.strip()}
        for text in texts
        for name, bases in CONTAINER.findall(text)
    }
    below = {name: {name} for name in parents}
    for name, above in parents.items():
        waiting = list(above)
        while waiting:  # upwards, and inheritance has no cycle
            parent = waiting.pop()
            below.setdefault(parent, {parent}).add(name)
            waiting += parents.get(parent, ())
    return below


def declared(texts: list[str]) -> list[Declared]:
    """Return every custom error, in the order of the page."""
    below = heirs(texts)
    found = []
    for text in texts:
        places = [(m.start(), m[1]) for m in CONTAINER.finditer(text)]
        for match in DECLARED.finditer(text):
            homes = [name for start, name in places if start < match.start()]
            if not homes:
                sys.exit(f"red: the error {match[1]} stands outside of every contract")
            found.append(Declared(homes[-1], match[1], frozenset(below[homes[-1]])))
    return sorted(found, key=lambda e: (e.contract, e.name))


def tests_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of every function that forge runs, with all that it calls in its file."""
    starts = [(m.start(), m[1]) for m in FUNCTION.finditer(text)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    bodies: dict[str, str] = {}
    for (start, name), end in zip(starts, ends, strict=True):
        bodies[name] = bodies.get(name, "") + text[start:end]
    for _, name in starts:
        if not name.startswith(RUN_BY_FORGE):
            continue
        reached = [name]
        for caller in reached:  # grows, by each function of the file once at most
            for called in CALLED.findall(bodies[caller]):
                if called in bodies and called not in reached:
                    reached.append(called)
        yield name, "".join(bodies[called] for called in reached)


def named(folder: Path) -> tuple[Named, set[tuple[str, str]]]:
    """Return what the tests name, and which of it is OpenZeppelin's."""
    first: dict[tuple[str, str], str] = {}
    foreign = set()
    for path in sorted(folder.glob("*.t.sol")):
        text = code(path.read_text())
        for name, selector in CONSTANT.findall(text):
            text = re.sub(rf"\b{name}\b", selector, text)
        theirs = {n.strip() for names in IMPORTED.findall(text) for n in names.split(",")}
        for test, body in tests_of(text):
            for through, error in SELECTOR.findall(body):
                first.setdefault((through, error), f"{path.name.removesuffix('.t.sol')}.{test}")
                if through in theirs:
                    foreign.add((through, error))
    return first, foreign


def test_of(error: Declared, first: Named) -> str | None:
    """Return the first test that names an error, if one does."""
    tests = [
        first[through, error.name] for through in error.through if (through, error.name) in first
    ]
    return min(tests, default=None)


def unprovoked(errors: list[Declared], first: Named) -> list[str]:
    """Return the errors that no test names, in words."""
    return [
        f"{e.home}.{e.name}: no test expects its selector"
        for e in errors
        if test_of(e, first) is None
    ]


def unused(errors: list[Declared], texts: list[str]) -> list[str]:
    """Return the errors that nothing reverts with, in words."""
    used = {name for text in texts for name in CALLED.findall(DECLARED.sub(" ", text))}
    return [f"{e.home}.{e.name}: nothing reverts with it" for e in errors if e.name not in used]


def table(errors: list[Declared], first: Named, foreign: set[tuple[str, str]]) -> str:
    """Return the end of the page."""
    rows = [(e.contract, e.name, test_of(e, first)) for e in errors]
    others = {error: first[through, error] for through, error in sorted(foreign, reverse=True)}
    rows += [(FOREIGN, error, test) for error, test in sorted(others.items())]
    return HEAD + "".join(f"| {c} | {e} | {t} |\n" for c, e, t in rows if t is not None)


def page(end: str) -> str:
    """Return the page with this end; what comes before it is written by hand."""
    head, heading, _ = PAGE.read_text().partition(HEAD.splitlines()[0] + "\n")
    if not heading:
        sys.exit(f"red: {PAGE.name} has no heading for contracts")
    return head + end


def main() -> int:
    """Compare, or write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table of docs/ERRORS.md")
    options = parser.parse_args()
    texts = sources()
    errors = declared(texts)
    first, foreign = named(TESTS)
    wrong = unprovoked(errors, first) + unused(errors, texts)
    whole = page(table(errors, first, foreign))
    if options.write:
        PAGE.write_text(whole)
    elif PAGE.read_text() != whole:
        wrong.append(f"{PAGE.name}: its table of contracts is not what --write writes")
    for problem in wrong:
        print(f"red: {problem}", file=sys.stderr)
    if not wrong:
        print(f"revert coverage: {len(errors)} errors, each expected by a test")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
