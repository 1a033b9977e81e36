"""A replica vouches for what follows from the chain as it is, also after a reorganisation."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.ledger.header import BatchHeader
from offchain.services.replica import Replica
from tests.support.forking import ENGINE_HASH, ForkedVenue


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[ForkedVenue]:
    made = ForkedVenue(tmp_path)
    made.deposit(10, 1_000)
    made.chain.mine(9)
    made.batcher.step(force=True)
    made.deposit(11, 2_000)
    made.batcher.step(force=True)
    yield made
    made.log.close()


def replica_of(venue: ForkedVenue) -> Replica:
    return Replica(venue.chain.posted.__getitem__, ENGINE_HASH)


def header(venue: ForkedVenue, batch_no: int) -> BatchHeader:
    return venue.chain.posted[batch_no][0]


def test_it_vouches_for_every_batch_in_order(venue: ForkedVenue) -> None:
    replica = replica_of(venue)
    assert replica.vouches(header(venue, 1))
    assert replica.vouches(header(venue, 2))
    assert not replica.vouches(replace(header(venue, 2), proof_kind=9))


def test_a_batch_that_replaces_one_that_was_replayed_is_vouched_for(venue: ForkedVenue) -> None:
    replica = replica_of(venue)
    assert replica.vouches(header(venue, 2))
    left = header(venue, 2)
    venue.chain.reorganise(2)
    venue.resequence()
    venue.deposit(12, 5)
    venue.batcher.step(force=True)
    venue.deposit(13, 5)
    venue.batcher.step(force=True)
    assert header(venue, 2) != left
    assert replica.vouches(header(venue, 2))
    assert replica.vouches(header(venue, 3))
    assert replica.problem == ""


def test_what_is_wrong_is_wrong_for_ever(venue: ForkedVenue) -> None:
    replica = replica_of(venue)
    assert replica.vouches(header(venue, 1))
    good, data = venue.chain.posted[2]
    venue.chain.posted[2] = good, venue.chain.posted[1][1]
    assert not replica.vouches(good)
    assert replica.problem.startswith("batch 2")
    venue.chain.posted[2] = good, data
    assert not replica.vouches(good)
