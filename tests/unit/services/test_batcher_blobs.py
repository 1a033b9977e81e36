"""A batcher that posts in blobs says so in every header, and in nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.ledger.blob_data import MAX_DATA_BYTES
from offchain.ledger.header import DATA_KIND_BLOBS, DATA_KIND_CALLDATA
from offchain.ledger.keccak import keccak256
from offchain.services.batcher import BatchPolicy
from tests.support.batcher_rig import Rig, held

IN_BLOBS = BatchPolicy(data_kind=DATA_KIND_BLOBS)


def test_a_batch_in_blobs_differs_from_one_in_calldata_by_kind_and_hash_alone(
    tmp_path: Path,
) -> None:
    one, other = Rig(tmp_path / "calldata"), Rig(tmp_path / "blobs", IN_BLOBS)
    for rig in (one, other):
        rig.batches(1)
    plain, blobs = (held(rig.batcher.batch(1)).batch for rig in (one, other))
    assert (plain.header.da_kind, plain.header.da_hash) == (
        DATA_KIND_CALLDATA,
        keccak256(plain.data),
    )
    assert blobs.header == replace(
        plain.header, da_kind=DATA_KIND_BLOBS, da_hash=other.chain.blob_hash(plain.data)
    )
    assert blobs.data == plain.data


def test_batches_in_blobs_are_committed_and_go_on_after_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path, IN_BLOBS)
    rig.batches(2)
    again = rig.restart()
    assert again.step().committed == (1, 2)
    assert [c.header.da_kind for c in rig.chain.batches] == [DATA_KIND_BLOBS] * 2


def test_a_kind_of_data_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of data is 2"):
        BatchPolicy(data_kind=2)


def test_a_policy_for_more_than_the_blobs_of_a_transaction_is_refused() -> None:
    BatchPolicy(data_kind=DATA_KIND_BLOBS, max_bytes=MAX_DATA_BYTES)
    with pytest.raises(ValueError, match=f"blobs hold {MAX_DATA_BYTES} bytes"):
        BatchPolicy(data_kind=DATA_KIND_BLOBS, max_bytes=MAX_DATA_BYTES + 1)
