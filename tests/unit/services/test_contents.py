"""Totals, epochs and columns as an operator shows them when strangers demand them."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.core.units import SCENARIOS
from offchain.ledger.columns import Columns
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.journal import Journal
from offchain.ledger.totals import totals_hash
from offchain.services.batch_archive import cuts
from offchain.services.content_answers import ContentAnswerer, KeptColumns, SignedContents
from offchain.services.contents import (
    IS_EPOCH,
    IS_TOTALS,
    TREES,
    ContentPlace,
    ShownContent,
    column_at,
    content_of,
    index_of,
    place_of,
    root_of,
    tree_of,
)
from offchain.services.errors import CheckpointMismatch, TransactionReverted
from offchain.services.ports import SignedBatch
from offchain.services.recovery import recover
from tests.support.batcher_rig import Rig, held
from tests.support.desk import key
from tests.support.hidden import MemoryContents, root_shown

STRANGER, RELAYER = key(71), key(73)


class Venue:
    """A batcher with batches that are open, its operator, and a court."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.replayed: list[int] = []
        for usd in (120_000, 120_500):
            self.rig.records(2)
            for report in (usd, usd + 50):
                self.rig.desk.price(report)
            self.rig.records(1)
            assert self.rig.batcher.cut(force=True)
        self.rig.records(2)  # a batch without a new price
        assert self.rig.batcher.cut(force=True)
        self.court = MemoryContents(*[self.header(number) for number in (1, 2, 3)])
        self.columns = KeptColumns(self.journal_at)
        self.operator = ContentAnswerer(
            self.court, self.rig.batcher, self.columns, RELAYER, at_once=1
        )

    def journal_at(self, seq: int) -> Journal:
        self.replayed.append(seq)
        return recover(self.rig.desk.store, None, cuts(self.rig.files), until=seq)

    def signed(self, number: int) -> SignedBatch:
        return held(self.rig.batcher.batch(number))

    def header(self, number: int) -> BatchHeader:
        return self.signed(number).batch.header

    def places(self, number: int) -> list[ContentPlace]:
        """Return everything that can be demanded of a batch."""
        batch = self.signed(number).batch
        found = [ContentPlace(IS_TOTALS, 0, 0, batch.header.totals_hash)]
        for epoch in batch.epochs:
            if epoch_hash(epoch) not in [step.epoch_hash for step in batch.steps]:
                continue
            found.append(ContentPlace(IS_EPOCH, 0, 0, epoch_hash(epoch)))
            for what, count in zip(TREES, (4, 2 * SCENARIOS, 3), strict=True):
                root, leaves = root_of(epoch, what), 1 << (count - 1).bit_length()
                found += [ContentPlace(what, place, count, root) for place in range(leaves)]
        return found


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return Venue(tmp_path)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_everything_that_can_be_demanded_of_a_batch_is_shown(venue: Venue, number: int) -> None:
    places, header = venue.places(number), venue.header(number)
    assert len(places) >= 1 + 1 + 4 + 4 + 128
    for place in places:
        venue.court.expect(place, STRANGER, header)
    assert venue.operator.step() == places
    shown = venue.court.shown_contents(batch_hash(header))
    assert [content.place for content in shown] == places
    assert all(root_shown(content) == content.place.expected for content in shown)
    assert shown[0].totals == venue.signed(number).batch.totals
    assert shown[1].epoch in venue.signed(number).batch.epochs
    assert venue.court.bonds == {}
    assert venue.court.calls.count("claim") == 1
    assert venue.operator.step() == []
    assert venue.court.calls.count("claim") == 1


def test_the_log_is_replayed_once_for_an_epoch_and_not_for_totals(venue: Venue) -> None:
    places, header = venue.places(1), venue.header(1)
    for place in places[:2]:
        venue.court.expect(place, STRANGER, header)
    venue.operator.step()
    assert venue.replayed == []
    for place in places[2:8]:
        venue.court.expect(place, STRANGER, header)
    venue.operator.step()
    assert len(venue.replayed) == 1
    steps = venue.signed(1).batch.steps
    assert steps[venue.replayed[0] - 1].epoch_hash == places[1].expected


def test_one_replay_makes_the_columns_of_every_epoch_that_is_asked_for(venue: Venue) -> None:
    wanted = [place for place in venue.places(2) if place.is_column]
    assert len({place.expected for place in wanted}) >= 2 * len(TREES)
    for place in reversed(wanted):
        venue.court.expect(place, STRANGER, venue.header(2))
    assert len(venue.operator.step()) == len(wanted)
    assert len(venue.replayed) == 1


def test_few_epochs_are_kept(venue: Venue) -> None:
    kept = KeptColumns(venue.journal_at, most_epochs=1)
    signed, epochs = venue.signed(1), venue.signed(1).batch.epochs
    for epoch in (epochs[0], epochs[0], epochs[1], epochs[0]):
        assert kept.of(signed, epoch_hash(epoch)).price_root == epoch.price_root
    assert len(venue.replayed) == 3


def test_what_has_the_least_time_is_shown_first(venue: Venue) -> None:
    one, other = venue.places(1)[:2]
    venue.court.expect(one, STRANGER, venue.header(1))
    venue.court.time_s -= 5
    venue.court.expect(other, STRANGER, venue.header(1))
    assert venue.operator.step() == [other, one]


def test_a_demand_on_a_batch_of_another_is_passed_over(venue: Venue) -> None:
    place = ContentPlace(IS_TOTALS, 0, 0, b"\x13" * 32)
    header = replace(venue.header(2), totals_hash=place.expected)
    venue.court.expect(place, STRANGER, header)
    venue.court.expect(place, STRANGER, replace(header, batch_no=9))
    assert venue.operator.step() == []
    assert len(venue.court.open_contents()) == 2


def test_an_operator_that_is_overtaken_goes_on_and_other_refusals_are_told(venue: Venue) -> None:
    one, other = venue.places(1)[:2]
    for place in (one, other):
        venue.court.expect(place, STRANGER, venue.header(1))
    venue.court.refuse_next = "NoSuchDemand"
    assert venue.operator.step() == [other]
    venue.court.refuse_next = "WrongContent"
    with pytest.raises(TransactionReverted, match="WrongContent"):
        venue.operator.step()


def test_a_demand_that_cannot_be_answered_holds_up_no_other_one(venue: Venue) -> None:
    good = venue.places(1)[:2]
    for place in (ContentPlace(IS_TOTALS, 0, 0, b"\x13" * 32), *good):
        venue.court.expect(place, STRANGER, venue.header(1))
    with pytest.raises(CheckpointMismatch, match="the totals"):
        venue.operator.step()
    assert len(venue.court.open_contents()) == 1
    assert [s.place for s in venue.court.shown_contents(batch_hash(venue.header(1)))] == good
    assert venue.court.calls.count("claim") == 1


def test_a_batch_has_no_content_of_another(venue: Venue) -> None:
    holder = SignedContents(venue.signed(2), venue.columns)
    for what in (IS_TOTALS, IS_EPOCH, *TREES):
        assert content_of(holder, ContentPlace(what, 0, 1, b"\x13" * 32)) is None
    with pytest.raises(CheckpointMismatch, match="batch 2"):
        holder.columns(b"\x13" * 32)


def test_every_column_has_one_place_and_every_place_one_column(venue: Venue) -> None:
    columns = venue.journal_at(venue.signed(1).last_seq).columns
    assert isinstance(columns, Columns)
    for tree in TREES:
        size = tree_of(columns, tree).size
        found = [column_at(tree, index) for index in range(size)]
        assert [index_of(*column) for column in found] == list(range(size))
        epoch = venue.signed(1).batch.epochs[-1]
        places = [place_of(epoch, columns, *column) for column in found]
        assert [(of.what, of.place, of.count) for of in places] == [
            (tree, n, size) for n in range(size)
        ]


def test_what_was_shown_is_read_as_what_it_is(venue: Venue) -> None:
    batch = venue.signed(1).batch
    place = ContentPlace(IS_TOTALS, 0, 0, totals_hash(batch.totals))
    content = content_of(SignedContents(venue.signed(1), venue.columns), place)
    assert content is not None
    shown = ShownContent(place, content)
    assert (shown.totals, shown.epoch, shown.column) == (batch.totals, None, None)
