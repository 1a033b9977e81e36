"""A stranger demands until it knows the lie or the batch is gone; an operator shows its paths."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.batch_archive import cuts
from offchain.services.demands import Finding, Inquiry, ShownPath, ShownWalk, defend
from offchain.services.errors import CheckpointMismatch, TransactionReverted
from offchain.services.path_answers import KeptCheckpoints, PathAnswerer, checkpoint_at
from offchain.services.ports import SignedBatch
from tests.support.batcher_rig import Rig, held
from tests.support.desk import key
from tests.support.lying_tree import BOND_E6, REVEAL_S, MemoryCourt, honest, richer, with_leaf

STRANGER, OTHER, RELAYER = key(71), key(72), key(73)


class Venue:
    """A batcher with a batch that is open, its operator, and a court."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.rebuilt: list[int] = []
        self.checkpoints = KeptCheckpoints(self.rebuild)
        self.rig.batcher.on_cut(self.checkpoints.keep)
        for _ in range(2):
            self.rig.records(4)
            assert self.rig.batcher.cut(force=True)
        self.court = MemoryCourt(*[self.header(number) for number in (1, 2)])
        self.operator = self.answerer()
        self.inquiry = Inquiry(self.court, STRANGER)

    def answerer(self) -> PathAnswerer:
        return PathAnswerer(self.court, self.rig.batcher, self.checkpoints, RELAYER, at_once=1)

    def rebuild(self, seq: int) -> Checkpoint:
        self.rebuilt.append(seq)
        return checkpoint_at(self.rig.desk.store, None, cuts(self.rig.files), seq)

    def signed(self, number: int) -> SignedBatch:
        return held(self.rig.batcher.batch(number))

    def header(self, number: int) -> BatchHeader:
        return self.signed(number).batch.header

    def own(self, number: int = 2) -> Checkpoint:
        return self.checkpoints.of(self.signed(number))

    def lie(self, root: bytes) -> BatchHeader:
        """Return an open header with another checkpoint root."""
        header = replace(self.header(2), checkpoint_root=root)
        self.court.headers[batch_hash(header)] = header
        return header


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return Venue(tmp_path)


def test_an_honest_batch_is_left_alone(venue: Venue) -> None:
    assert venue.inquiry.step(venue.header(2), venue.own()) == Finding()
    assert venue.court.calls == []


def test_a_root_that_nobody_can_open_is_reverted_when_the_time_is_over(venue: Venue) -> None:
    header = venue.lie(b"\x13" * 32)
    until = venue.court.time_s + REVEAL_S
    assert venue.inquiry.step(header, venue.own()) == Finding(asked=0)
    assert venue.inquiry.step(header, venue.own()) == Finding(until_s=until)
    venue.court.time_s = until
    assert venue.inquiry.step(header, venue.own()) == Finding(until_s=until)
    venue.court.time_s += 1
    assert venue.inquiry.step(header, venue.own()) == Finding(reverted=True)
    assert venue.court.reverted == [2]
    assert venue.court.bonds == {STRANGER.address: BOND_E6}


def test_a_wrong_leaf_is_found_by_answers_and_the_walk_is_handed_out(venue: Venue) -> None:
    own = venue.own()
    tree = with_leaf(own, richer(own.leaf(2)))
    header = venue.lie(tree.root)
    findings = [venue.inquiry.step(header, own)]
    while findings[-1].asked is not None:
        for demand in venue.court.open_demands():
            venue.court.answer(OTHER, demand, header, tree.shown(demand.account))
        findings.append(venue.inquiry.step(header, own))
    walk = findings[-1].walk
    assert isinstance(walk, ShownWalk)
    assert walk.account == 2
    assert venue.court.bonds[OTHER.address] == (len(findings) - 1) * BOND_E6


def test_what_another_stranger_demanded_is_waited_for_and_settled(venue: Venue) -> None:
    header = venue.lie(b"\x13" * 32)
    assert Inquiry(venue.court, OTHER).step(header, venue.own()).asked == 0
    assert venue.inquiry.step(header, venue.own()).until_s is not None
    venue.court.time_s += REVEAL_S + 1
    assert venue.inquiry.step(header, venue.own()).reverted
    assert venue.court.bonds == {OTHER.address: BOND_E6}


def test_demands_on_other_batches_are_none_of_this_inquiry(venue: Venue) -> None:
    header = venue.lie(b"\x13" * 32)
    venue.court.demand(OTHER, venue.header(1), 0)
    venue.court.time_s += REVEAL_S + 1
    assert venue.inquiry.step(header, venue.own()) == Finding(asked=0)
    assert venue.court.reverted == []


def test_who_is_overtaken_goes_on_and_other_refusals_are_told(venue: Venue) -> None:
    header = venue.lie(b"\x13" * 32)
    venue.court.refuse_next = "DemandExists"
    assert venue.inquiry.step(header, venue.own()) == Finding()
    venue.court.refuse_next = "WindowOver"
    with pytest.raises(TransactionReverted, match="WindowOver"):
        venue.inquiry.step(header, venue.own())
    venue.inquiry.step(header, venue.own())
    venue.court.time_s += REVEAL_S + 1
    venue.court.refuse_next = "NoSuchDemand"
    assert venue.inquiry.step(header, venue.own()) == Finding()
    venue.court.refuse_next = "NotCourt"
    with pytest.raises(TransactionReverted, match="NotCourt"):
        venue.inquiry.step(header, venue.own())


def test_an_operator_shows_accounts_and_empty_places_and_collects_the_bonds(venue: Venue) -> None:
    accounts = [0, 2, venue.own().count, 1_000_000]
    for account in accounts:
        venue.court.demand(STRANGER, venue.header(2), account)
    assert venue.operator.step() == accounts
    shown = venue.court.shown_paths(batch_hash(venue.header(2)))
    assert shown == [honest(venue.own()).shown(account) for account in accounts]
    assert venue.court.open_demands() == []
    assert venue.court.bonds == {}
    assert venue.court.calls.count("claim") == 1
    assert venue.operator.step() == []
    assert venue.court.calls.count("claim") == 1


def test_anybody_who_replays_may_show_the_paths_of_an_honest_batch(venue: Venue) -> None:
    lie, own = venue.lie(b"\x13" * 32), venue.own()
    for header, account in ((venue.header(2), 1), (venue.header(1), 2), (lie, 0)):
        venue.court.demand(STRANGER, header, account)
    assert defend(venue.court, OTHER, lie, own) == []
    assert defend(venue.court, OTHER, venue.header(2), own) == [1]
    assert venue.court.bonds == {OTHER.address: BOND_E6}
    assert len(venue.court.open_demands()) == 2
    venue.court.refuse_next = "AnswerTooLate"
    assert defend(venue.court, OTHER, venue.header(1), venue.own(1)) == []


def test_each_batch_is_answered_from_its_own_checkpoint(venue: Venue) -> None:
    assert venue.header(1).checkpoint_root != venue.header(2).checkpoint_root
    for number in (1, 2):
        venue.court.demand(STRANGER, venue.header(number), 2)
    assert venue.operator.step() == [2, 2]
    assert venue.rebuilt == []


def test_after_a_restart_the_checkpoint_is_rebuilt_from_the_log(venue: Venue) -> None:
    venue.rig.records(3)  # of the open batch
    venue.checkpoints = KeptCheckpoints(venue.rebuild)
    for number in (1, 2, 1):
        venue.court.demand(STRANGER, venue.header(number), number)
    assert len(venue.answerer().step()) == 2
    assert venue.rebuilt == [venue.signed(1).last_seq, venue.signed(2).last_seq]
    venue.court.demand(STRANGER, venue.header(1), 0)
    assert venue.answerer().step() == [0]
    assert len(venue.rebuilt) == 2, "what was rebuilt is kept"


def test_the_last_snapshot_before_a_batch_saves_the_replay_of_what_came_earlier(
    venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots, desk = SnapshotFiles(tmp_path / "snapshots"), venue.rig.desk
    first = desk.store.last_seq
    desk.sequencer.save_snapshot(snapshots)
    venue.rig.records(2)
    assert venue.rig.batcher.cut(force=True) == 3
    venue.rig.records(1)
    desk.sequencer.save_snapshot(snapshots)
    begun: list[int] = []
    frames = desk.store.frames

    def noted(after: int) -> Iterator[bytes]:
        begun.append(after)
        yield from frames(after)

    monkeypatch.setattr(desk.store, "frames", noted)
    signed = venue.signed(3)
    found = checkpoint_at(desk.store, snapshots, cuts(venue.rig.files), signed.last_seq)
    assert found.root.hash == signed.batch.header.checkpoint_root
    assert begun == [first]


def test_a_demand_on_a_batch_of_another_is_passed_over(venue: Venue) -> None:
    venue.court.demand(STRANGER, venue.lie(b"\x13" * 32), 0)
    beyond = replace(venue.header(2), batch_no=3)
    venue.court.headers[batch_hash(beyond)] = beyond
    venue.court.demand(STRANGER, beyond, 0)
    assert venue.operator.step() == []
    assert len(venue.court.open_demands()) == 2


def test_an_operator_that_is_overtaken_goes_on_and_other_refusals_are_told(venue: Venue) -> None:
    for account in (0, 1):
        venue.court.demand(STRANGER, venue.header(2), account)
    venue.court.refuse_next = "NoSuchDemand"
    assert venue.operator.step() == [1]
    venue.court.refuse_next = "WrongPath"
    with pytest.raises(TransactionReverted, match="WrongPath"):
        venue.operator.step()


def test_a_batch_that_does_not_follow_from_the_log_is_not_answered_for(venue: Venue) -> None:
    signed = venue.signed(2)
    header = replace(signed.batch.header, checkpoint_root=b"\x13" * 32)
    with pytest.raises(CheckpointMismatch, match="batch 2"):
        venue.checkpoints.of(replace(signed, batch=replace(signed.batch, header=header)))


def test_kept_checkpoints_are_bounded_and_end_with_finality(venue: Venue) -> None:
    first, second = venue.own(1), venue.own(2)
    small = KeptCheckpoints(venue.rebuild, most_accounts=second.count)
    small.keep(1, first)
    small.keep(2, second)
    assert small.of(venue.signed(2)) is second
    assert venue.rebuilt == []
    small.of(venue.signed(1))
    assert venue.rebuilt == [venue.signed(1).last_seq]

    venue.rig.batcher.commit_pending()
    venue.rig.wait(60)
    venue.rig.batcher.finalise_ready()
    assert venue.rig.batcher.finalised == 2
    venue.operator.step()
    venue.rebuilt.clear()
    venue.own(2)
    assert venue.rebuilt == [venue.signed(2).last_seq]


def test_a_batch_that_is_cut_anew_replaces_its_checkpoint(venue: Venue) -> None:
    first, second = venue.own(1), venue.own(2)
    venue.checkpoints.keep(2, first)
    assert venue.own(2).root == second.root
    assert venue.rebuilt == [venue.signed(2).last_seq]
    assert ShownPath.of(venue.own(2), 0) == ShownPath.of(second, 0)
