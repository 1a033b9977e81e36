"""Guards are found whole, switched alone, and their survivors named."""

import pytest

from scripts.guard_sources import Guard, guards_of, planted
from scripts.guards import Judgement, NotJudgedError, problems_of, verdict, without_guards

SOURCE = """\
pragma solidity 0.8.37;
contract Purse {
    function pay(uint256 a, uint256 b) external {
        // require(a > 9, Never());
        require(a > 1 && f(a, b), Few(a, "a, b && c"));
        require(a > 2 || b > 2, Neither());
        if (a > 3 || (b > 3 && a > b)) revert Many();
        if (
            a == 4
        ) {
            revert Four();
        }
        if (a > 5) b = 6;
        _requireOpen(a, b);
        uint256 c = requireMore(a);
        Openings.checkAll(c);
    }

    function _requireOpen(uint256 a, uint256 b) private {}
}
"""


def test_every_condition_is_a_guard_of_its_own() -> None:
    found = guards_of("contracts/vault/Purse.sol", SOURCE)
    assert [(g.form, g.text) for g in found] == [
        ("require", "a > 1"),
        ("require", "f(a, b)"),
        ("require", "a > 2 || b > 2"),
        ("revert", "a > 3"),
        ("revert", "(b > 3 && a > b)"),
        ("revert", "a == 4"),
        ("call", "_requireOpen(a, b);"),
        ("call", "Openings.checkAll(c);"),
    ]
    assert [g.line for g in found] == [5, 5, 6, 7, 7, 9, 14, 16]


def test_each_guard_has_a_switch_that_lets_everything_pass() -> None:
    text, guards = planted("contracts/vault/Purse.sol", SOURCE, 11)
    assert len(guards) == 8
    assert 'import {Guards} from "../Guards.sol";' in text
    assert "require((!Guards.on(11) || (a > 1)) && (!Guards.on(12) || (f(a, b))), Few(" in text
    assert "if ((Guards.on(14) && (a > 3)) || (Guards.on(15) && ((b > 3 && a > b)))) rev" in text
    assert "if (Guards.on(17)) _requireOpen(a, b);" in text
    assert text.count("Guards.on(") == 8


def test_a_source_without_guards_stays_as_it_is() -> None:
    assert planted("contracts/types/Units.sol", "pragma solidity 0.8.37;\n", 1) == (
        "pragma solidity 0.8.37;\n",
        [],
    )


def guard(text: str) -> Guard:
    return Guard("contracts/vault/Purse.sol", 3, text, 0, 0, "require")


def test_survivors_need_a_reason_and_reasons_need_a_survivor() -> None:
    alive, dead = guard("a > 1"), guard("a > 2")
    results = [Judgement(1, alive, None, None), Judgement(2, dead, "test_few", None)]
    there = [alive, dead]
    (problem,) = problems_of(results, {}, there)
    assert "Purse.sol:3" in problem
    assert "a > 1" in problem
    assert problems_of(results, {alive.key: "implied"}, there) == []
    assert len(problems_of(results, {alive.key: "implied", dead.key: "no"}, there)) == 1
    assert problems_of(results, {alive.key: "x", "contracts/exit/Exit.sol: gone": "y"}, there) == []
    (gone,) = problems_of(results, {alive.key: "x", "contracts/vault/Purse.sol: b": "y"}, there)
    assert gone.endswith("is gone: contracts/vault/Purse.sol: b")


def test_a_guard_that_no_run_judged_is_red_and_a_reason_does_not_help() -> None:
    results = [Judgement(1, guard("a > 1"), None, "it did not end")]
    (problem,) = problems_of(results, {guard("a > 1").key: "implied"}, [guard("a > 1")])
    assert "not judged" in problem
    assert "it did not end" in problem


def test_of_two_survivors_with_one_text_both_are_named() -> None:
    twins = [Judgement(1, guard("a > 1"), None, None), Judgement(2, guard("a > 1"), None, None)]
    assert len(problems_of(twins, {}, [guard("a > 1")])) == 2


GREEN = """\
[PASS] test_few() (gas: 10)
Suite result: ok. 7 passed; 0 failed; 0 skipped; finished in 83.04ms (106.41ms CPU time)

Ran 1 test suite in 121.32ms (83.04ms CPU time): 7 tests passed, 0 failed, 0 skipped (7 total tests)
"""
RED = """\
[FAIL: next call did not revert as expected] test_few(uint256) (runs: 3, \u03bc: 4, ~: 4)
Suite result: FAILED. 1 passed; 1 failed; 0 skipped; finished in 2.11ms (1.30ms CPU time)

Ran 2 test suites in 9.1s (11.2s CPU time): 1 tests passed, 1 failed, 0 skipped (2 total tests)
"""


def test_a_run_is_red_by_a_named_test_or_green_by_the_tests_that_passed() -> None:
    assert verdict(GREEN) == 7
    assert verdict(RED) == "test_few"
    assert verdict("No tests found in project! Forge looks for functions") == 0


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Error: Compiler run failed",
        "[FAIL: setup failed] setUp() (gas: 0)",
        GREEN.replace("0 failed, ", "1 failed, "),
        RED.replace("1 failed, ", "0 failed, "),
    ],
)
def test_a_run_that_is_neither_red_nor_green_says_nothing(output: str) -> None:
    with pytest.raises(NotJudgedError):
        verdict(output)


def test_a_folder_without_a_guard_is_named() -> None:
    assert without_guards(["vault", "valt"], [guard("a")]) == ["valt"]
