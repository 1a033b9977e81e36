"""Find the guards of a Solidity source, and give each one a switch.

A guard is a condition of a `require`, of an `if (..) revert`, or a call of a function that only
checks (`_requireOpen(..);`). What is joined by `&&` in a `require`, or by `||` before a `revert`,
is so many guards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
