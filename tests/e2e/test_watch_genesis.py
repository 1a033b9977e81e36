"""The first record of all: nothing stands before it, and yet its leaves follow from its words."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from offchain.ledger.keccak import keccak256
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.merkle import AccountTree
from offchain.services.watch import judges_of
from offchain.services.watch.watcher import Watcher
from tests.support.draft import Draft
from tests.support.signed_venue import WATCHER, SignedVenue, signed_venue
from tests.support.street import USD


@pytest.fixture(scope="module")
def made() -> Iterator[SignedVenue]:
    """Return a venue that has committed nothing."""
    with signed_venue() as venue:
        venue.price(USD)
        yield venue


@pytest.fixture
def venue(made: SignedVenue) -> Iterator[SignedVenue]:
    moment = made.mark()
    yield made
    made.back(moment)


def watcher(venue: SignedVenue) -> Watcher:
    return Watcher(venue.court, venue.authenticity, WATCHER)


def test_of_an_honest_beginning_nothing_is_upheld(venue: SignedVenue) -> None:
    batch = venue.commit_honestly()
    watching = watcher(venue)
    assert watching.step().examined == [1]
    replay = watching.replay
    trace, mark = replay.archive.batch(1), replay.mark_of(1)
    asked = []
    for moment in replay.moments(trace, (0,), mark):
        for accusation in judges_of.record(moment):
            assert venue.court.answer(batch.header, accusation) is not True, accusation.rule
            asked.append(accusation.rule)
    assert "TRANSITION.root" in asked


@pytest.mark.parametrize("is_known", [True, False])
def test_accounts_that_the_first_record_did_not_open_are_shown(
    venue: SignedVenue, *, is_known: bool
) -> None:
    draft, tree = Draft.of(venue), AccountTree()
    leaves = draft.leaves()
    rich = replace(leaves[1], owner=b"\x77" * 20, cash_e6=10**12)
    tree.update({number: leaf_hash(leaf) for number, leaf in enumerate([*leaves, rich])})
    root = tree.root if is_known else keccak256(b"accounts of friends")
    draft.steps[0] = replace(draft.steps[0], account_root=root)
    venue.commit(*draft.close())
    seen = watcher(venue).step()
    assert [(u.batch_no, u.rule) for u in seen.upheld] == [(1, "TRANSITION.root")]
    assert venue.chain.head() == 0
