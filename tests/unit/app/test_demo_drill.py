"""The drill of the demo pays by the rule of the protocol, whatever the vault holds."""

from offchain.app.demo.drill import Drill, payouts
from offchain.ledger.checkpoint import ExitLeaf

ALICE, BOB, CAROL = (bytes([n]) * 20 for n in (1, 2, 3))


def leaf(account: int, owner: bytes, equity: int, *collateral: int, debt: int = 0) -> ExitLeaf:
    return ExitLeaf(account, owner, 0, equity, debt, debt, collateral)


def test_a_vault_that_holds_everything_pays_everything() -> None:
    leaves = [leaf(0, ALICE, 600, 5), leaf(1, BOB, 400, 0)]
    assert payouts(leaves, (1_000, 5)) == {
        (ALICE, 0): 600,
        (ALICE, 1): 5,
        (BOB, 0): 400,
        (BOB, 1): 0,
    }


def test_a_vault_that_holds_less_pays_everybody_the_same_part_rounded_down() -> None:
    leaves = [leaf(0, ALICE, 600), leaf(1, BOB, 401), leaf(2, CAROL, 0, debt=500)]
    assert payouts(leaves, (501,)) == {(ALICE, 0): 300, (BOB, 0): 200, (CAROL, 0): 0}


def test_collateral_that_covered_debts_goes_to_those_with_equity() -> None:
    leaves = [leaf(0, ALICE, 300, 10), leaf(1, BOB, 100, 0)]
    paid = payouts(leaves, (400, 18))
    assert (paid[ALICE, 1], paid[BOB, 1]) == (10 + 6, 2)


def test_two_accounts_of_one_owner_are_added_up() -> None:
    assert payouts([leaf(0, ALICE, 3), leaf(1, ALICE, 4)], (7,)) == {(ALICE, 0): 7}


def test_nobody_is_paid_where_nothing_is_owed() -> None:
    assert payouts([leaf(0, ALICE, 0, 0)], (5, 5)) == {(ALICE, 0): 0, (ALICE, 1): 0}


def test_a_drill_fails_on_a_difference_and_on_more_than_dust() -> None:
    assert Drill("CENSORED", 2, 7, 0, (), (4, 0)).is_ok
    assert not Drill("CENSORED", 2, 7, 0, (), (5, 0)).is_ok
    assert not Drill("CENSORED", 2, 7, 0, ("0x01, asset 0",), (0, 0)).is_ok
