"""Headers name a recent block; what waited too long is stamped anew, and nothing else changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.ledger.header import BatchHeader, batch_hash, header_digest
from offchain.ledger.signatures import recover
from offchain.services.errors import BatchConflict, InboxReorganised
from offchain.services.ports import SignedBatch
from tests.support.batcher_rig import DOMAIN, OPERATOR, Rig, held


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def headers(rig: Rig) -> list[BatchHeader]:
    numbers = range(1, rig.batcher.last_batch + 1)
    return [held(rig.batcher.batch(number)).batch.header for number in numbers]


def unstamped(header: BatchHeader) -> BatchHeader:
    return replace(header, prev_batch_hash=b"", l1_block_number=0, l1_block_hash=b"")


def is_signed(signed: SignedBatch) -> bool:
    digest = header_digest(DOMAIN, signed.batch.header)
    return recover(digest, signed.signature) == OPERATOR.address


def test_a_batch_that_waited_too_long_is_stamped_anew_with_all_that_follow(rig: Rig) -> None:
    rig.batches(3)
    before = headers(rig)
    rig.chain.block_no += 1_000
    assert [number for number, _ in rig.batcher.commit_pending()] == [1, 2, 3]
    after = headers(rig)
    assert {h.l1_block_number for h in before} == {1}
    assert {h.l1_block_number for h in after} == {1_001}
    assert [unstamped(h) for h in before] == [unstamped(h) for h in after]
    assert all(is_signed(held(rig.batcher.batch(number))) for number in (1, 2, 3))


def test_a_fresh_stamp_is_left_as_it_is(rig: Rig) -> None:
    rig.batches(2)
    before = headers(rig)
    rig.chain.block_no += 100
    rig.batcher.commit_pending()
    assert headers(rig) == before


def test_a_block_of_another_branch_is_replaced(rig: Rig) -> None:
    rig.batches(2)
    rig.chain.branch = 7
    rig.batcher.commit_pending()
    assert rig.chain.head() == 2
    assert all(h.l1_block_hash == rig.chain.block_of(1).hash for h in headers(rig))


def test_what_was_committed_before_is_not_stamped_again(rig: Rig) -> None:
    rig.batches(1)
    rig.batcher.commit_pending()
    rig.batches(1)
    rig.chain.block_no += 1_000
    rig.batcher.commit_pending()
    assert [h.l1_block_number for h in headers(rig)] == [1, 1_001]


def test_a_batch_cut_after_a_stamp_follows_the_stamped_ones(rig: Rig) -> None:
    rig.batches(2)
    rig.chain.block_no += 1_000
    rig.batcher.commit_pending()
    rig.batches(1)
    assert rig.batcher.commit_pending()
    assert rig.chain.head() == 3


def test_a_restart_in_the_middle_of_a_stamp_is_made_good(rig: Rig) -> None:
    rig.batches(2)
    first = held(rig.batcher.batch(1))
    anchor = rig.chain.block_of(1)
    moved = replace(first.batch.header, l1_block_number=anchor.number, time_start_ns=0)
    rig.files.replace(replace(first, batch=replace(first.batch, header=moved)))
    again = rig.restart()
    again.commit_pending()
    assert rig.chain.head() == 2
    assert rig.chain.batches[1].header.prev_batch_hash == rig.chain.batches[0].hash


def test_an_entry_that_the_chain_dropped_is_said_to_be_so(rig: Rig) -> None:
    rig.batches(1)
    rig.chain.refuse_next = "WrongInboxPrefix"
    with pytest.raises(InboxReorganised, match="batch 1"):
        rig.batcher.commit_pending()


def test_without_a_whole_stake_a_batch_waits(rig: Rig) -> None:
    rig.batches(1)
    rig.chain.refuse_next = "BondNotWhole"
    assert rig.batcher.commit_pending() == []
    assert [number for number, _ in rig.batcher.commit_pending()] == [1]


def test_only_a_batch_that_is_there_can_be_replaced(rig: Rig) -> None:
    rig.batches(1)
    signed = held(rig.batcher.batch(1))
    header = replace(signed.batch.header, batch_no=2)
    with pytest.raises(ValueError, match="no batch 2"):
        rig.files.replace(replace(signed, batch=replace(signed.batch, header=header)))


def test_dropped_batches_are_set_aside_and_not_deleted(rig: Rig) -> None:
    rig.batches(3)
    rig.files.drop_from(2)
    assert rig.files.count() == 1
    kept = sorted(path.name for path in rig.folder.iterdir())
    assert len(kept) == 3
    assert sum("dropped" in name for name in kept) == 2


def test_a_batch_of_a_branch_that_was_left_is_rolled_back(rig: Rig) -> None:
    rig.batches(1)
    rig.batcher.commit_pending()
    rig.files.drop_from(1)
    assert rig.restart().commit_pending() == []
    assert (rig.chain.head(), rig.chain.calls[-1]) == (0, "rollback 1")


def test_a_batch_that_was_stamped_anew_is_rolled_back_under_its_old_stamp(rig: Rig) -> None:
    rig.batches(2)
    rig.batcher.commit_pending()
    before = rig.chain.batches[:]
    rig.chain.batches.clear()
    rig.chain.branch = 1
    rig.batcher.commit_pending()
    rig.chain.batches = before
    rig.batcher.commit_pending()
    assert rig.chain.calls[-3:] == ["rollback 1", "commit 1", "commit 2"]


def test_a_batch_that_we_never_made_is_not_rolled_back(rig: Rig) -> None:
    rig.batches(1)
    rig.batcher.commit_pending()
    (known,) = rig.chain.batches
    header = replace(known.header, input_log_hash=b"\x01" * 32)
    rig.chain.batches = [replace(known, header=header, hash=batch_hash(header))]
    with pytest.raises(BatchConflict):
        rig.batcher.commit_pending()
    assert rig.chain.head() == 1


def test_what_is_final_is_not_rolled_back(rig: Rig) -> None:
    rig.batches(1)
    rig.batcher.step()
    rig.wait(rig.chain.window_s + 1)
    rig.batcher.step()
    rig.files.drop_from(1)
    again = rig.restart()
    with pytest.raises(BatchConflict, match="at batch 1, we made 0"):
        again.commit_pending()
    assert rig.chain.finalised() == rig.chain.head() == 1
