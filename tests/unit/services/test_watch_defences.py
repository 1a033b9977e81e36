"""A watcher shows what strangers demand of batches that hold, so that none falls unanswered."""

import pytest

from offchain.ledger.header import batch_hash
from offchain.services.watch.watcher import WatchPolicy
from tests.support.crowd import DRY, STRANGER, Crowd, Scene, crowded
from tests.support.lying_tree import (
    BOND_E6,
    REVEAL_S,
)
from tests.support.watched import WATCHER


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return crowded()


def test_what_strangers_demand_of_batches_that_hold_is_shown(crowd: Crowd) -> None:
    scene = Scene(crowd)
    scene.step()
    for header, account in ((scene.header, 299), (crowd.batches[0].header, 5)):
        scene.court.demand(STRANGER, header, account)
    scene.court.time_s += REVEAL_S
    seen = scene.step()
    assert seen.defended == {2: ["the path of account 299"], 1: ["the path of account 5"]}
    assert scene.court.open_demands() == []
    assert scene.court.bonds == {WATCHER.address: 2 * BOND_E6}
    assert [p.account for p in scene.court.shown_paths(batch_hash(scene.header))] == [299]


def test_nothing_is_shown_by_who_must_not_or_for_whom_it_is_not_right(crowd: Crowd) -> None:
    for policy in (DRY, WatchPolicy(may_defend=False)):
        scene = Scene(crowd, policy=policy)
        scene.step()
        scene.court.demand(STRANGER, scene.header, 0)
        assert scene.step().defended == {}
        assert len(scene.court.open_demands()) == 1
    scene = Scene(crowd, b"\x13" * 32)
    scene.court.demand(STRANGER, scene.header, 0)
    scene.step()
    assert "answer" not in scene.court.calls


def test_what_is_late_or_final_is_not_shown(crowd: Crowd) -> None:
    scene = Scene(crowd)
    scene.step()
    scene.court.demand(STRANGER, crowd.batches[0].header, 0)
    scene.chain.final = 1
    assert scene.step().defended == {}
    scene.court.demand(STRANGER, scene.header, 0)
    scene.court.time_s += REVEAL_S + 1
    assert scene.step().defended == {}
    assert "answer" not in scene.court.calls


def test_so_much_is_shown_in_a_step_and_what_has_least_time_first(crowd: Crowd) -> None:
    scene = Scene(crowd, policy=WatchPolicy(most_answers=2))
    scene.step()
    for account in (3, 2, 1):
        scene.court.demand(STRANGER, scene.header, account)
        scene.court.time_s -= 1
    assert scene.step().defended == {2: ["the path of account 1", "the path of account 2"]}
    assert scene.step().defended == {2: ["the path of account 3"]}


def test_an_answer_that_is_refused_is_told_and_the_others_are_given(crowd: Crowd) -> None:
    scene = Scene(crowd)
    scene.step()
    for account in (1, 2, 3):
        scene.court.demand(STRANGER, scene.header, account)
    scene.court.refuse_next = "WrongPath"
    seen = scene.step()
    assert "the path of account 1: " in seen.undefended[2]
    assert "WrongPath" in seen.undefended[2]
    assert len(seen.defended[2]) == 2
    scene.court.refuse_next = "NoSuchDemand"
    seen = scene.step()
    assert (seen.defended, seen.undefended) == ({}, {})
