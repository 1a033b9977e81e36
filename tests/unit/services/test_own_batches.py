"""What is demanded of our own batches is shown, also where the chain went back to a branch."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.batch_archive import cuts
from offchain.services.content_answers import ContentAnswerer, KeptColumns
from offchain.services.contents import IS_TOTALS, TREES, ContentPlace, root_of
from offchain.services.own_batches import OwnBatches
from offchain.services.recovery import recover
from tests.support.batcher_rig import Rig, held
from tests.support.desk import key
from tests.support.hidden import MemoryContents
from tests.support.settlement import Committed


class Venue:
    """One batch on the chain, committed before it was stamped anew or set aside."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.rig.records(2)
        self.rig.desk.price(120_000)
        assert self.rig.batcher.cut(force=True)
        self.rig.batcher.commit_pending()
        self.signed = held(self.rig.batcher.batch(1))
        self.header = self.signed.batch.header
        self.court = MemoryContents(self.header)

    def own(self) -> OwnBatches:
        return OwnBatches(self.rig.batcher, self.rig.files, self.rig.chain)

    def stamp_anew(self) -> None:
        """Leave the branch of the commit, and come back to it."""
        committed = self.rig.chain.batches.pop()
        self.rig.chain.branch = 7
        self.rig.batcher.commit_pending()
        self.rig.chain.branch = 0
        self.rig.chain.batches[:] = [committed]
        assert held(self.rig.batcher.batch(1)).batch.hash != committed.hash

    def answered(self, *places: ContentPlace) -> list[ContentPlace]:
        for place in places:
            self.court.expect(place, key(71), self.header)
        columns = KeptColumns(
            lambda seq: recover(self.rig.desk.store, None, cuts(self.rig.files), until=seq)
        )
        return ContentAnswerer(self.court, self.own(), columns, key(73), at_once=1).step()


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return Venue(tmp_path)


def test_a_batch_that_was_stamped_anew_is_answered_for_under_its_first_stamp(venue: Venue) -> None:
    venue.stamp_anew()
    epoch = venue.signed.batch.epochs[-1]
    counts = (4, 72, 3)
    places = [ContentPlace(IS_TOTALS, 0, 0, venue.header.totals_hash)]
    places += [ContentPlace(w, 1, n, root_of(epoch, w)) for w, n in zip(TREES, counts, strict=True)]
    assert venue.answered(*places) == places


def test_a_batch_that_was_set_aside_is_found(venue: Venue) -> None:
    venue.rig.files.drop_from(1)
    assert venue.own().batch(1) == venue.signed
    place = ContentPlace(IS_TOTALS, 0, 0, venue.header.totals_hash)
    assert venue.answered(place) == [place]


def test_what_stands_is_as_it_was_cut_and_what_does_not_is_nobody_s(venue: Venue) -> None:
    own = venue.own()
    assert own.batch(1) is venue.rig.batcher.batch(1)
    assert own.finalised == venue.rig.batcher.finalised
    venue.rig.batches(1)
    assert own.batch(2) is None


NOBODY = b"\x13" * 32
OTHERS: dict[str, Callable[[BatchHeader], BatchHeader]] = {
    "state root": lambda header: replace(header, state_root=NOBODY),
    "totals": lambda header: replace(header, totals_hash=NOBODY),
    "trace": lambda header: replace(header, trace_root=NOBODY),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_batch_of_another_is_not_ours(venue: Venue, other: str) -> None:
    header = OTHERS[other](venue.header)
    venue.rig.chain.batches[:] = [Committed(header, batch_hash(header), 0)]
    assert venue.own().batch(1) is None
