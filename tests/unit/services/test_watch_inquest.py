"""A watcher demands what a checkpoint of many accounts hides, and shows what an honest one does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from offchain.ledger.epoch import Epoch
from offchain.ledger.instruction import Instruction
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH
from offchain.services.demands import Inquiry
from offchain.services.watch import inquest as module
from offchain.services.watch.disclosures import Disclosures, ShownLiquidation
from offchain.services.watch.inquest import NOTHING, Case, Defence, Finding
from offchain.services.watch.path_inquiry import PathInquiry
from tests.support.crowd import ACCOUNTS, DRY, OPERATOR, STRANGER, Crowd, Scene, crowded
from tests.support.lying_tree import (
    BOND_E6,
    REVEAL_S,
    LyingTree,
    honest,
    leaves_of,
    packed,
    richer,
    sums_of,
    with_leaf,
)
from tests.support.watched import BOUNTY, WATCHER, watch

FIRST = "the path of account 0"


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return crowded()


def test_a_wrong_leaf_among_many_is_demanded_found_and_shown_to_the_judge(crowd: Crowd) -> None:
    own = crowd.own[1]
    for account in (2, ACCOUNTS - 1, ACCOUNTS):
        leaf = replace(own.leaf(min(account, ACCOUNTS - 1)), account=account)
        tree = with_leaf(own, richer(leaf))
        scene = Scene(crowd, tree.root)
        seen = scene.search(tree)
        (upheld,) = seen.upheld
        assert (upheld.batch_no, upheld.rule, upheld.bounty_e6) == (2, "TOTALS.owed", BOUNTY)
        assert scene.chain.head() == 1
        assert 1 <= scene.court.calls.count("demand") <= ACCOUNT_TREE_DEPTH
        assert scene.court.bonds[OPERATOR.address] == scene.court.calls.count("demand") * BOND_E6
        assert (seen.demanded, seen.awaited, seen.unprovable) == ({}, {}, {})


def test_inner_sums_that_do_not_add_up_cannot_be_shown_and_the_batch_falls(crowd: Crowd) -> None:
    own = crowd.own[1]
    node = honest(own).node(3, 5)
    equity, *rest = sums_of(node)
    tree = LyingTree(leaves_of(own), {(3, 5): packed(node[:32], equity + 1, *rest)})
    scene = Scene(crowd, tree.root)
    last = scene.search(tree)
    assert scene.court.calls.count("answer") > 0
    assert last.demanded
    assert scene.step().awaited == {2: scene.court.time_s + REVEAL_S}
    scene.court.time_s += REVEAL_S + 1
    assert scene.step().unanswered == [2]
    assert scene.chain.head() == 1
    assert scene.court.bonds[WATCHER.address] == BOND_E6


def test_a_root_that_nobody_can_open_falls_when_the_time_is_over(crowd: Crowd) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    seen = scene.step()
    assert (seen.examined, seen.demanded, seen.unprovable) == ([1], {2: FIRST}, {})
    for _ in range(3):
        seen = scene.step()
        assert (seen.demanded, seen.awaited) == ({}, {2: scene.court.time_s + REVEAL_S})
    scene.court.time_s += REVEAL_S + 1
    assert scene.step().unanswered == [2]
    assert scene.court.reverted == [2]
    assert scene.court.calls == ["demand", "settle"]
    batch = crowd.batches[1]
    scene.chain.batches.append((batch.header, batch.data))
    assert scene.step().examined == [2]


def test_a_dry_run_says_what_it_would_demand_and_sends_nothing(crowd: Crowd) -> None:
    tree = with_leaf(crowd.own[1], richer(crowd.own[1].leaf(7)))
    scene = Scene(crowd, tree.root, DRY)
    for _ in range(2):
        seen = scene.step()
        assert (seen.demanded, seen.unprovable) == ({2: FIRST}, {})
    assert scene.court.calls == []
    stranger = Inquiry(scene.court, STRANGER)
    while stranger.step(scene.header, crowd.own[1]).asked is not None:
        assert scene.step().awaited == {2: scene.court.time_s + REVEAL_S}
        scene.answer(tree)
    (upheld,) = scene.step().upheld
    assert (upheld.rule, upheld.bounty_e6) == ("TOTALS.owed", 0)
    assert scene.chain.calls == []
    assert scene.chain.head() == 2


def test_what_nobody_answered_to_a_stranger_is_settled_and_not_demanded_again(
    crowd: Crowd,
) -> None:
    scene = Scene(crowd, b"\x13" * 32, DRY)
    scene.court.demand(STRANGER, scene.header, 9)
    until = scene.court.time_s + REVEAL_S
    assert scene.step().demanded == {2: FIRST}, "the place that would be asked for is another"
    scene.court.time_s = until + 1
    seen = scene.step()
    assert (seen.demanded, seen.awaited) == ({}, {2: until})
    assert scene.watch().step().unanswered == [2]
    assert scene.court.bonds == {STRANGER.address: BOND_E6}


def test_a_window_that_is_over_is_told(crowd: Crowd) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    scene.court.refuse_next = "WindowOver"
    seen = scene.step()
    assert "WindowOver" in seen.unprovable[2]
    assert (seen.demanded, seen.awaited) == ({}, {})


def test_what_is_refused_is_not_sent_at_every_step(crowd: Crowd) -> None:
    """A bond is approved before it is paid: that costs gas, whatever becomes of the demand."""
    scene = Scene(crowd, b"\x13" * 32)
    scene.court.refuse_next = "WindowOver"
    for _ in range(module.REST):
        assert "WindowOver" in scene.step().unprovable[2]
    assert scene.court.calls == ["demand"]
    assert scene.step().demanded == {2: FIRST}


def test_an_accusation_that_is_refused_is_not_sent_at_every_step(crowd: Crowd) -> None:
    tree = with_leaf(crowd.own[1], richer(crowd.own[1].leaf(2)))
    scene = Scene(crowd, tree.root)
    scene.chain.reverts = True
    seen = scene.search(tree)
    assert "NoSuchChallenge" in seen.unprovable[2]
    scene.chain.reverts = False
    for _ in range(module.REST - 1):
        assert "NoSuchChallenge" in scene.step().unprovable[2]
    assert scene.chain.calls == []
    assert scene.step().upheld
    assert scene.chain.head() == 1


def test_who_is_overtaken_waits_for_the_other(crowd: Crowd) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    scene.court.refuse_next = "DemandExists"
    assert scene.step().awaited == {2: scene.court.time_s}
    assert scene.step().demanded == {2: FIRST}


def test_a_batch_without_a_checkpoint_is_no_matter_of_demands(crowd: Crowd) -> None:
    scene = Scene(crowd, ZERO32)
    assert list(scene.step().unprovable) == [2]
    assert scene.court.calls == []


def test_a_batch_whose_records_are_wrong_is_no_matter_of_paths(crowd: Crowd) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    inquiry, case = PathInquiry(scene.court, WATCHER), Case(scene.header)
    assert inquiry.look(case) == inquiry.step(case) == NOTHING
    assert scene.court.calls == []


@dataclass
class Insatiable:
    """An inquiry that demands for ever, and settles what it is told to."""

    most_demands: int = 3
    settles: bool = False
    cases: list[Case] = field(default_factory=list)
    sent: int = 0

    def look(self, case: Case) -> Finding:
        del case
        return Finding(demanded="more")

    def step(self, case: Case) -> Finding:
        self.cases.append(case)
        if self.settles:
            return Finding(is_settled=True)
        self.sent += 1
        return Finding(demanded="more")

    def defences(self, held: Mapping[bytes, Case]) -> Iterable[Defence]:
        del held
        return []


class Idle(Insatiable):
    """An inquiry whose business it never is."""

    def look(self, case: Case) -> Finding:
        del case
        return NOTHING

    def step(self, case: Case) -> Finding:
        self.cases.append(case)
        return NOTHING


def test_no_inquiry_demands_more_than_leads_to_an_end(crowd: Crowd) -> None:
    scene, inquiry = Scene(crowd, b"\x13" * 32), Insatiable()
    watcher = watch(scene.chain, None, [inquiry])
    for _ in range(3):
        assert watcher.step().demanded == {2: "more"}
    for _ in range(3):
        assert "3 demands did not decide it" in watcher.step().unprovable[2]
    assert inquiry.sent == 3


def test_inquiries_are_tried_in_order_and_each_has_its_own_demands(crowd: Crowd) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    idle, first, second = Idle(), Insatiable(2), Insatiable(1)
    watcher = watch(scene.chain, None, [idle, first, second])
    for sent in ((1, 0), (2, 0), (2, 1), (2, 1)):
        watcher.step()
        assert (first.sent, second.sent) == sent
    assert len(idle.cases) == 4


def test_an_inquest_ends_with_its_batch(crowd: Crowd) -> None:
    scene, inquiry = Scene(crowd, b"\x13" * 32), Insatiable(1)
    watcher = watch(scene.chain, None, [inquiry])
    assert watcher.step().demanded
    assert watcher.step().unprovable
    header, data = scene.chain.batches[1]
    other = replace(header, checkpoint_root=b"\x14" * 32)
    scene.chain.batches[1] = (other, data)
    assert watcher.step().demanded
    assert [case.header for case in inquiry.cases] == [header, other]
    first, begun = scene.chain.batches[0]
    scene.chain.batches[0] = (replace(first, l1_block_number=9), begun)
    seen = watcher.step()
    assert (seen.examined, list(seen.demanded)) == ([1], [2])
    assert inquiry.sent == 3


def test_a_demand_of_an_earlier_batch_of_this_hash_reverts_nothing(crowd: Crowd) -> None:
    scene, inquiry = Scene(crowd, b"\x13" * 32), Insatiable(settles=True)
    seen = watch(scene.chain, None, [inquiry]).step()
    assert (seen.unanswered, seen.unprovable, scene.chain.head()) == ([], {}, 2)


def test_what_judges_denied_they_are_asked_again_only_when_more_is_shown(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(crowd, b"\x13" * 32)
    scene.step()
    asked = scene.chain.asked
    assert asked > 0
    for _ in range(5):
        scene.step()
    assert scene.chain.asked == asked
    scene.chain.shown = Disclosures((shown_liquidation(),))
    scene.step()
    assert scene.chain.asked == 2 * asked
    scene.step()
    assert scene.chain.asked == 2 * asked
    monkeypatch.setattr(module, "ASK_EVERY", 3)
    for _ in range(3):
        scene.step()
    assert scene.chain.asked == 3 * asked


def shown_liquidation() -> ShownLiquidation:
    instruction = Instruction(0, 0, 0, ZERO32, ZERO32, ZERO32, ())
    epoch = Epoch(0, 0, ZERO32, ZERO32, ZERO32, ZERO32)
    return ShownLiquidation(instruction, 0, (), epoch, 0, (), ())


def test_an_accusation_that_is_denied_leaves_the_batch_unprovable(crowd: Crowd) -> None:
    tree = with_leaf(crowd.own[1], richer(crowd.own[1].leaf(2)))
    scene = Scene(crowd, tree.root)
    scene.chain.upholds = lambda _accusation: False
    seen = scene.search(tree)
    assert (seen.upheld, list(seen.unprovable)) == ([], [2])
