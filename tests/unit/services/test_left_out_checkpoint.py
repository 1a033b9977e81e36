"""A checkpoint may be left out of a header where nothing came in or went out, and nowhere else."""

from dataclasses import replace

import pytest

from offchain.ledger.batch import Batch
from offchain.ledger.closing import may_lack_checkpoint
from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.trace_data import posted_records
from offchain.services.replica import Replica, cut_as_posted
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.watched import MemoryChain, watch

COMES_IN, NEITHER, GOES_OUT, BOTH, LAST = range(5)


@pytest.fixture(scope="module")
def made() -> list[Batch]:
    """Return batches of a poster who leaves out every checkpoint that it may."""
    venue, batches = JournalVenue(), []

    def cut() -> None:
        batches.append(venue.journal.cut(ENGINE_HASH, has_checkpoint=False))

    venue.deposit(10, 1_000)
    cut()
    venue.price(120_000)
    cut()
    venue.must(venue.withdraw(2, usd=1))
    cut()
    venue.deposit(11, 1_000)
    venue.must(venue.withdraw(2, usd=1))
    cut()
    venue.price(121_000)
    batches.append(venue.journal.cut(ENGINE_HASH))
    return batches


def test_it_is_left_out_only_where_nothing_came_in_or_went_out(made: list[Batch]) -> None:
    without = [n for n, batch in enumerate(made) if batch.header.checkpoint_root == ZERO32]
    assert without == [NEITHER]
    assert [n for n, batch in enumerate(made) if may_lack_checkpoint(batch.header)] == [
        NEITHER,
        LAST,
    ]
    assert made[NEITHER].checkpoint.hash != ZERO32, "it can be known all the same"


def derived(made: list[Batch], number: int, posted: BatchHeader) -> BatchHeader:
    """Return the header that follows from the records of a batch after those before it."""
    journal = Journal()
    for before in made[:number]:
        replay(journal, before.header, before.data)
    return replay(journal, posted, made[number].data)


def replay(journal: Journal, header: BatchHeader, data: bytes) -> BatchHeader:
    for record in posted_records(header, data):
        journal.apply(record)
    return cut_as_posted(journal, ENGINE_HASH, header).header


@pytest.mark.parametrize("number", range(5))
def test_what_is_posted_follows_exactly_where_it_may(made: list[Batch], number: int) -> None:
    header = made[number].header
    assert derived(made, number, header) == header
    without = replace(header, checkpoint_root=ZERO32)
    assert (derived(made, number, without) == without) == (number in (NEITHER, LAST))
    other = replace(header, checkpoint_root=b"\x13" * 32)
    assert derived(made, number, other) != other


def test_an_attestor_goes_on_after_it_and_vouches_for_what_the_engine_makes(
    made: list[Batch],
) -> None:
    posted = {batch.header.batch_no: (batch.header, batch.data) for batch in made}
    replica = Replica(posted.__getitem__, ENGINE_HASH)
    vouched = [replica.vouches(batch.header) for batch in made]
    assert vouched == [True, False, True, True, True]
    assert replica.problem == ""


def test_a_watcher_takes_it_in_and_no_other(made: list[Batch]) -> None:
    batches = [(batch.header, batch.data) for batch in made]
    assert watch(MemoryChain(batches)).step().examined == [1, 2, 3, 4, 5]
    header, data = batches[GOES_OUT]
    batches[GOES_OUT] = (replace(header, checkpoint_root=ZERO32), data)
    seen = watch(MemoryChain(batches, lambda _accusation: False)).step()
    assert (seen.examined, seen.unprovable) == (
        [1, 2],
        {3: "the header has another checkpoint_root"},
    )
