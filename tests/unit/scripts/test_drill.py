"""The drill turns red on any deviation, tries every death, and judges by a rule of its own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.core.units import ONE_E6, ONE_E8
from offchain.ledger.checkpoint import ExitLeaf
from offchain.ledger.inbox import InboxEntry
from offchain.services.exit_plan import ExitAccount, RefundDeposit, WayOut
from scripts import drill
from tests.support.doomed import DEATHS, Doom, population
from tests.support.evacuation import Outcome
from tests.support.exit_rule import Owed, ratios_e6, unfair_to

ANN, BEN, CID = (bytes([n]) * 20 for n in (1, 2, 3))
PRICES = (100_000 * ONE_E8,)


def exit_of(account: int, owner: bytes, equity: int, debt: int, coins: int) -> ExitAccount:
    return ExitAccount(ExitLeaf(account, owner, 0, equity, debt, debt, (coins,)), b"", 0b11)


def refund(owner: bytes, amount: int) -> RefundDeposit:
    return RefundDeposit(InboxEntry(1, 9, 0, owner, 0, 0, amount, bytes(20)))


CALLS: list[WayOut] = [
    exit_of(1, ANN, 3_000 * ONE_E6, 0, 5 * 10**6),
    exit_of(2, BEN, 1_000 * ONE_E6, 0, 0),
    exit_of(3, CID, 0, 0, 0),
    refund(CID, 70 * ONE_E6),
]


def test_deposits_come_first_and_a_healthy_book_is_paid_in_full() -> None:
    owed = Owed.of(CALLS, {0: 4_070 * ONE_E6, 1: 5 * 10**6})
    assert owed.payouts() == {
        (ANN, 0): 3_000 * ONE_E6,
        (ANN, 1): 5 * 10**6,
        (BEN, 0): 1_000 * ONE_E6,
        (BEN, 1): 0,
        (CID, 0): 70 * ONE_E6,
        (CID, 1): 0,
    }
    assert unfair_to(owed, PRICES) == []
    assert set(ratios_e6(owed, PRICES)) == {ONE_E6}


def test_collateral_that_covered_debts_goes_to_those_with_equity() -> None:
    # A debtor's coin paid for 1,000 dollars of losses: the cash is short by as much.
    owed = Owed.of(CALLS, {0: 3_070 * ONE_E6, 1: 6 * 10**6})
    paid = owed.payouts()
    assert (paid[ANN, 0], paid[ANN, 1]) == (2_250 * ONE_E6, 5_750_000)
    assert (paid[BEN, 0], paid[BEN, 1]) == (750 * ONE_E6, 250_000)
    assert unfair_to(owed, PRICES) == []
    assert set(ratios_e6(owed, PRICES)) == {ONE_E6}


def test_what_is_missing_is_missing_for_all_alike_and_named_when_it_should_not_be() -> None:
    owed = Owed.of(CALLS, {0: 2_070 * ONE_E6, 1: 5 * 10**6})
    assert set(ratios_e6(owed, PRICES)) == {ONE_E6 // 2}
    assert [problem.split(" gets")[0] for problem in unfair_to(owed, PRICES)] == [
        "account 1",
        "account 2",
    ]


def test_every_death_is_tried_by_books_of_both_kinds() -> None:
    dooms = drill.dooms(1)
    assert [doom.death for doom in dooms] == list(DEATHS)
    kinds = [doom.is_solvent for doom in dooms]
    assert min(kinds.count(True), kinds.count(False)) >= 3
    assert drill.dooms(1) == dooms != drill.dooms(2)
    assert drill.orders_of(dooms, 100).count(100) == 2
    assert population(1) != population(2)


def test_a_deviation_turns_the_drill_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def evacuated(_folder: Path, doom: Doom, orders: int) -> Outcome:
        outcome = Outcome(doom.death, doom.seed, orders=orders)
        return replace(outcome, deviations=planted if doom.death == "cutting" else [])

    results = tmp_path / "drill" / "results.json"
    monkeypatch.setattr(drill, "evacuate", evacuated)
    for planted in ([], ["somebody got less"]):
        code = drill.main(["--results", str(results), "--orders", "3"])
        assert code == len(planted)
        assert json.loads(results.read_text())["ok"] == (not planted)
        out = capsys.readouterr().out
        assert ("somebody got less" in out) == bool(planted)
        assert len(json.loads(results.read_text())["rounds"]) == len(DEATHS)
