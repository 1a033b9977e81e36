"""The tally counts what the runners report, and sees when they tested less than there is."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "tally.py"
JUNIT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><error/></testcase>
<testcase name="d"><skipped/></testcase><testcase name="e"/></testsuite></testsuites>"""
FORGE = """Ran 2 tests for tests/contracts/One.t.sol:OneTest
Suite result: \x1b[32mok\x1b[0m. 2 passed; 0 failed; 0 skipped; finished in 1ms (1ms CPU time)

Ran 1 test suite in 12.51s (15.45s CPU time): \x1b[32m2\x1b[0m tests passed, 0 failed, 1 skipped \
(3 total tests)
"""


@pytest.fixture
def tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script, with a folder of its own for the project and its reports."""
    spec = importlib.util.spec_from_file_location("tally_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    reports = tmp_path / "build" / "test"
    reports.mkdir(parents=True)
    (reports / "python.xml").write_text(JUNIT)
    (reports / "contracts.log").write_text(FORGE)
    (tmp_path / "tests" / "contracts").mkdir(parents=True)
    (tmp_path / "tests" / "contracts" / "One.t.sol").touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "REPORTS", reports)
    return module


def test_a_test_that_errs_counts_as_failed(tally: ModuleType) -> None:
    assert tally.python_tally() == tally.Tally(passed=2, failed=2, skipped=1)


def test_the_summary_of_forge_is_read_through_its_colours(tally: ModuleType) -> None:
    assert tally.contracts_tally() == tally.Tally(passed=2, failed=0, skipped=1)


def test_a_run_without_a_summary_tested_nothing(tally: ModuleType) -> None:
    assert tally.count_contracts("No tests match the provided pattern") == tally.Tally(0, 0, 0)


@pytest.mark.parametrize(("minimum", "status"), [(2, 0), (3, 1)])
def test_fewer_passing_tests_than_the_minimum_are_red(
    tally: ModuleType, minimum: int, status: int
) -> None:
    assert tally.require("contract", tally.contracts_tally(), minimum) == status


def test_a_test_file_that_forge_forgot_is_red(
    tally: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tally.require_every_file() == 0
    (tmp_path / "tests" / "contracts" / "Two.t.sol").touch()
    assert tally.require_every_file() == 1
    assert "no test of tests/contracts/Two.t.sol" in capsys.readouterr().out


def test_the_closing_line_stands_alone_and_adds_both_runs(
    tally: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tally.total() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 2 failed"


def test_a_run_that_left_no_report_counts_as_a_failure(
    tally: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build" / "test" / "python.xml").unlink()
    assert tally.total() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 1 failed"
