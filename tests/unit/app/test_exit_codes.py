"""Exit codes: the page lists those that there are, and each belongs to faults that exist."""

import re

from offchain.app.exit_codes import BY_FAULT, Exit, exit_of
from tests.support.command_line import ROOT

PAGE = (ROOT / "docs/ERRORS.md").read_text()


def test_the_page_lists_the_exit_codes_that_there_are() -> None:
    listed = dict(re.findall(r"^\| (\d+) \| ([A-Z_]+) \| [^|]+ \|$", PAGE, re.MULTILINE))
    assert {int(code): name for code, name in listed.items()} == {e.value: e.name for e in Exit}


def test_every_fault_with_an_exit_code_exists() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "offchain").rglob("*.py"))
    builtin = {name for name in BY_FAULT if name in __builtins__}  # type: ignore[operator]
    for name in BY_FAULT.keys() - builtin:
        assert f"class {name}(" in sources, name


def test_a_refusal_for_margin_has_its_own_exit_code() -> None:
    class Answer(Exception):  # noqa: N818 - stands for the client's ApiError, which has a code
        code = 12_001

    assert exit_of(Answer()) is Exit.REFUSED
    assert exit_of(RuntimeError()) is Exit.FAILURE
