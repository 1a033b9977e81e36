"""Commitments and openings are those that the contracts' vectors hold."""

import json
from pathlib import Path
from typing import Any

import ckzg  # type: ignore[import-not-found] # a C extension without stubs
import pytest

from offchain.adapters import blobs as kzg
from offchain.adapters.blobs import (
    blob_hash,
    blob_opening,
    commitment_of,
    piece_opening,
    sidecar,
    versioned_hash,
)
from offchain.ledger.blob_data import ELEMENTS, hash_of_blobs, pack, pieces
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from scripts.vectors_blobs import batch_data

VECTORS = Path(__file__).parents[2] / "vectors"
DATA = batch_data()
BLOBS = pack(DATA)


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return found


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


BATCH, *OPENED = cases("blobs")


def test_blobs_have_the_commitments_and_hashes_of_the_vectors() -> None:
    assert keccak256(DATA) == raw(BATCH["dataHash"])
    assert [commitment_of(blob) for blob in BLOBS] == [raw(c) for c in BATCH["commitments"]]
    assert [versioned_hash(blob) for blob in BLOBS] == [raw(h) for h in BATCH["versionedHashes"]]


def test_the_hash_of_data_is_that_of_its_versioned_hashes() -> None:
    assert blob_hash(DATA) == hash_of_blobs([raw(h) for h in BATCH["versionedHashes"]])


@pytest.mark.parametrize("case", OPENED, ids=lambda case: str(case["name"]))
def test_an_element_is_opened_as_the_vectors_have_it(case: dict[str, Any]) -> None:
    blob, index = divmod(int(case["element"]), ELEMENTS)
    opening = blob_opening(BLOBS[blob], index)
    assert (opening.value, opening.proof) == (raw(case["value"]), raw(case["proof"]))
    assert opening.commitment == raw(case["commitment"])
    assert opening.value == BLOBS[blob][32 * index : 32 * index + 32]


def test_a_piece_is_opened_as_the_vectors_have_it() -> None:
    found = [piece_opening(b, piece) for b, piece in zip(BLOBS, pieces(DATA), strict=True)]
    assert [o.value for o in found] == [raw(v) for v in BATCH["values"]]
    assert [o.proof for o in found] == [raw(p) for p in BATCH["proofs"]]


@pytest.mark.parametrize("index", [-1, ELEMENTS])
def test_an_element_beyond_the_blob_is_refused(index: int) -> None:
    with pytest.raises(EncodingError, match=f"element {index} of 4096"):
        blob_opening(BLOBS[0], index)


@pytest.mark.parametrize("blob", [b"", BLOBS[0][:-1], b"\xff" * len(BLOBS[0])])
def test_what_is_no_blob_has_no_commitment(blob: bytes) -> None:
    with pytest.raises(EncodingError, match=f"{len(blob)} bytes are no blob"):
        commitment_of(blob)


def test_a_sidecar_proves_every_cell_of_its_blobs() -> None:
    beside = sidecar(BLOBS[1:])
    setup = kzg._setup()
    cells, proofs = ckzg.compute_cells_and_kzg_proofs(BLOBS[1], setup)
    assert beside.cell_proofs == tuple(proofs)
    count = len(cells)
    commitments = list(beside.commitments) * count
    assert ckzg.verify_cell_kzg_proof_batch(commitments, list(range(count)), cells, proofs, setup)
    assert beside.versioned_hashes == (raw(BATCH["versionedHashes"][1]),)
