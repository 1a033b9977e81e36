"""Every custom error has its test; an error without one, or one that nothing raises, is red."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "revert_coverage.py"
PURSE = """
/// @notice error Commented(uint256 it);
interface IPurse {
    error Empty(uint256 wanted); // error AlsoCommented();
}
abstract contract Half is IPurse {}
contract Purse is Half(), Other {
    error Locked();
    function pay() external {
        revert Empty(1);
    }
    function lock() external {
        require(false, Locked());
    }
}
"""
TESTS = """
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
contract PurseTest {
    function helper() internal {
        expect(Purse.Locked.selector);
    }
    function test_an_empty_purse_pays_nothing() public {
        expect(Purse.Empty.selector);
    }
    function test_a_locked_purse_pays_nothing() public {
        expect(IAccessControl.AccessControlBadConfirmation.selector);
        helper();
    }
}
"""
ROWS = """\
| Purse | Empty | Purse.test_an_empty_purse_pays_nothing |
| Purse | Locked | Purse.test_a_locked_purse_pays_nothing |
| OpenZeppelin | AccessControlBadConfirmation | Purse.test_a_locked_purse_pays_nothing |
"""
BEFORE = "# Errors\n\nBy hand.\n\n"


def loaded(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("revert_coverage_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script with a contract, its tests and a page of their own."""
    module = loaded(monkeypatch)
    for name in ("contracts", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "contracts" / "Purse.sol").write_text(PURSE)
    (tmp_path / "tests" / "Purse.t.sol").write_text(TESTS)
    (tmp_path / "ERRORS.md").write_text(BEFORE + module.HEAD + ROWS)
    monkeypatch.setattr(module, "CONTRACTS", tmp_path / "contracts")
    monkeypatch.setattr(module, "TESTS", tmp_path / "tests")
    monkeypatch.setattr(module, "PAGE", tmp_path / "ERRORS.md")
    return module


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["revert_coverage.py", *arguments])
    status: int = script.main()
    return status


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_error_of_this_tree_is_expected_by_a_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(loaded(monkeypatch), monkeypatch)
    told = capsys.readouterr().err
    assert status == 0, told


def test_a_tree_whose_errors_are_all_expected_is_green(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, monkeypatch) == 0
    assert "2 errors" in capsys.readouterr().out


def test_an_error_that_no_test_expects_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(script.TESTS / "Purse.t.sol", "Purse.Empty.selector", "0x00000000")
    assert run(script, monkeypatch) == 1
    assert "IPurse.Empty: no test expects its selector" in capsys.readouterr().err


def test_an_error_of_the_same_name_elsewhere_does_not_count(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(script.TESTS / "Purse.t.sol", "Purse.Empty", "Safe.Empty")
    assert run(script, monkeypatch) == 1
    assert "IPurse.Empty" in capsys.readouterr().err


def test_a_selector_that_only_a_comment_or_an_uncalled_function_names_does_not_count(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(script.TESTS / "Purse.t.sol", "        helper();", "")
    change(script.TESTS / "Purse.t.sol", "expect(Purse.Empty", "// expect(Purse.Empty")
    assert run(script, monkeypatch) == 1
    told = capsys.readouterr().err
    assert "Purse.Locked: no test expects its selector" in told
    assert "IPurse.Empty: no test expects its selector" in told


def test_an_error_that_nothing_reverts_with_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(script.CONTRACTS / "Purse.sol", "revert Empty(1);", "")
    assert run(script, monkeypatch) == 1
    assert "IPurse.Empty: nothing reverts with it" in capsys.readouterr().err


def test_an_error_outside_of_every_contract_is_red(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script.CONTRACTS / "Loose.sol").write_text("error Loose();")
    with pytest.raises(SystemExit, match="Loose stands outside"):
        run(script, monkeypatch)


def test_a_page_without_a_row_is_red_until_it_is_written(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(script.PAGE, "| Purse | Empty |", "| Purse | Other |")
    assert run(script, monkeypatch) == 1
    assert "is not what --write writes" in capsys.readouterr().err
    assert run(script, monkeypatch, "--write") == 0
    assert script.PAGE.read_text() == BEFORE + script.HEAD + ROWS
    assert run(script, monkeypatch) == 0
