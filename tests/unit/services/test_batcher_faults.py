"""The chain is away, slow or reorganised: batches stay small enough, and none is made twice."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.ledger.header import BatchHeader
from offchain.services.batcher import BatchPolicy
from offchain.services.errors import BatchConflict
from offchain.services.ports import Signer, Snapshot, TransactionReceipt
from offchain.services.recovery import recover
from tests.support.batcher_rig import Rig, held


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_no_batch_outgrows_a_transaction_however_long_the_chain_is_away(tmp_path: Path) -> None:
    rig = Rig(tmp_path, BatchPolicy(max_bytes=40_000, call_bytes=1_000, max_uncommitted=2))
    rig.desk.sequencer.subscribe(rig.batcher.on_record)
    rig.records(2_500)
    assert rig.batcher.last_batch >= 4
    sizes = [
        held(rig.batcher.batch(n)).batch.header.da_length
        for n in range(1, rig.batcher.last_batch + 1)
    ]
    assert max(sizes) <= 40_000
    assert rig.batcher.cut(force=True) is None, "age and force wait for the chain"
    rig.batcher.commit_pending()
    assert rig.chain.head() == 4
    assert rig.restart().last_batch == rig.batcher.last_batch


def test_a_slow_chain_does_not_hold_up_orders_that_fill_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, BatchPolicy(max_records=5))
    rig.batches(1)
    rig.desk.sequencer.subscribe(rig.batcher.on_record)
    is_committing, go = threading.Event(), threading.Event()
    commit: Callable[..., TransactionReceipt] = rig.chain.commit

    def slow(signer: Signer, header: BatchHeader, signature: bytes, data: bytes) -> object:
        is_committing.set()
        assert go.wait(20)
        return commit(signer, header, signature, data)

    monkeypatch.setattr(rig.chain, "commit", slow)
    step = threading.Thread(target=rig.batcher.step)
    orders = threading.Thread(target=rig.records, args=(12,))
    step.start()
    assert is_committing.wait(20)
    orders.start()
    orders.join(20)
    is_stuck = orders.is_alive()
    go.set()
    step.join(20)
    orders.join(20)
    assert not is_stuck
    assert rig.batcher.last_batch == 3


def test_what_a_reorganisation_took_is_committed_again(rig: Rig) -> None:
    rig.batches(3)
    assert rig.batcher.step().committed == (1, 2, 3)
    del rig.chain.batches[1:]
    assert rig.batcher.step().committed == (2, 3)
    assert rig.chain.batch_hash_of(3) == held(rig.batcher.batch(3)).batch.hash
    assert rig.batcher.step().committed == ()
    rig.chain.batches.clear()
    assert rig.batcher.step().committed == (1, 2, 3)
    rig.wait(30)
    assert rig.batcher.step().finalised == (1, 2, 3)


def test_another_batch_after_a_reorganisation_is_a_conflict(rig: Rig, tmp_path: Path) -> None:
    rig.batches(2)
    rig.batcher.step()
    stranger = Rig(tmp_path / "other")
    stranger.records(2)
    stranger.batches(1)
    stranger.batcher.step()
    rig.chain.batches = stranger.chain.batches
    with pytest.raises(BatchConflict, match="ours is"):
        rig.batcher.step()


def test_a_snapshot_of_just_before_a_cut_restores_with_the_cut(rig: Rig) -> None:
    rig.batches(1)
    rig.records(2)
    journal = rig.desk.sequencer.journal
    snapshot = Snapshot(journal.state.last_seq, journal.state_root(), journal.snapshot())
    assert rig.batcher.cut(force=True) == 2
    rig.records(1)
    stored = [held(rig.batcher.batch(n)) for n in (1, 2)]
    ends = {signed.last_seq: signed.batch.header for signed in stored}

    class Shelf:
        def save(self, snapshot: Snapshot) -> None:
            raise AssertionError(snapshot.seq)

        def newest_first(self) -> Iterator[Snapshot]:
            return iter([snapshot])

    again = recover(rig.desk.store, Shelf(), ends)
    assert (again.batch_no, again.prev_batch_hash) == (3, journal.prev_batch_hash)
    assert again.open_records == 1
