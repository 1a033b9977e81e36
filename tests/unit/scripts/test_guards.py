"""Guards are found whole, switched alone, and their survivors named."""

from scripts.guards import Guard, guards_of, planted, problems_of

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
    results = {alive: None, dead: "test_few"}
    (problem,) = problems_of(results, {})
    assert "Purse.sol:3" in problem
    assert "a > 1" in problem
    assert problems_of(results, {alive.key: "implied"}) == []
    assert len(problems_of(results, {alive.key: "implied", dead.key: "no"})) == 1
    assert problems_of(results, {alive.key: "x", "contracts/exit/Exit.sol: gone": "y"}) == []
