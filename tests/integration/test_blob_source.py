"""Blobs come by the beacon API, and are believed only under their own hash."""

from collections.abc import Iterator

import pytest

from offchain.adapters import blob_source
from offchain.adapters.blob_source import BeaconBlobs, read_blobs
from offchain.adapters.blobs import versioned_hash
from offchain.adapters.chain_node import Block
from offchain.ledger.blob_data import pack
from offchain.services.errors import BatchDataMissing, BlobMissing, ChainUnreachable
from tests.support.beacon import SLOT_S, Beacon, beacon

GENESIS_S, SLOT = 1_760_000_000, 700
BLOCK = Block(55, GENESIS_S + SLOT * SLOT_S, bytes(32), 0)
(ONE,), (TWO,), (OTHER,) = pack(b"one"), pack(b"two"), pack(b"another")
HASHES = versioned_hash(ONE), versioned_hash(TWO)


@pytest.fixture
def node() -> Iterator[Beacon]:
    with beacon(GENESIS_S) as found:
        yield found


@pytest.fixture
def source(node: Beacon) -> Iterator[BeaconBlobs]:
    found = BeaconBlobs(node.url)
    yield found
    found.close()


def test_blobs_are_read_from_the_slot_of_their_block_in_the_order_asked_for(
    node: Beacon, source: BeaconBlobs
) -> None:
    node.hold(SLOT, OTHER, TWO, ONE)
    assert read_blobs(source, BLOCK, HASHES) == (ONE, TWO)
    path, asked = node.asked[-1]
    assert path.endswith(f"/{SLOT}")
    assert asked == ["0x" + known.hex() for known in HASHES]


def test_the_slots_are_asked_for_once(node: Beacon, source: BeaconBlobs) -> None:
    node.hold(SLOT, ONE, TWO)
    for _ in range(3):
        read_blobs(source, BLOCK, HASHES)
    assert [path for path, _ in node.asked].count("/eth/v1/config/spec") == 1


@pytest.mark.parametrize("held", [(), (ONE,), (ONE, OTHER)])
def test_a_blob_that_is_not_served_is_missed_by_name(
    node: Beacon, source: BeaconBlobs, held: tuple[bytes, ...]
) -> None:
    node.hold(SLOT, *held)
    missing = HASHES[0] if not held else HASHES[1]
    with pytest.raises(BlobMissing, match=f"0x{missing.hex()} of block 55 is not served"):
        read_blobs(source, BLOCK, HASHES)
    assert issubclass(BlobMissing, BatchDataMissing)


def test_a_slot_that_the_node_no_longer_has_is_a_missing_blob(source: BeaconBlobs) -> None:
    with pytest.raises(BlobMissing, match=f"0x{HASHES[0].hex()}"):
        read_blobs(source, BLOCK, HASHES)


@pytest.mark.parametrize("texts", [[None], ["0x"], ["0xzz"], ["0x" + "ff" * len(ONE)], {}, "0x00"])
def test_what_is_no_blob_is_not_taken_for_one(
    node: Beacon, source: BeaconBlobs, texts: object
) -> None:
    node.answers[f"/eth/v1/beacon/blobs/{SLOT}"] = texts
    with pytest.raises(BlobMissing, match="is not served"):
        read_blobs(source, BLOCK, HASHES)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"no JSON"])
def test_an_answer_without_sense_is_no_missing_blob(
    node: Beacon, source: BeaconBlobs, body: bytes
) -> None:
    node.answers[f"/eth/v1/beacon/blobs/{SLOT}"] = body
    with pytest.raises(ChainUnreachable, match="makes no sense"):
        read_blobs(source, BLOCK, HASHES)


def test_an_endless_answer_is_cut_off(
    node: Beacon, source: BeaconBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_source, "MAX_ANSWER_BYTES", 1_000)
    node.hold(SLOT, ONE)
    with pytest.raises(ChainUnreachable, match="the answer is too long"):
        read_blobs(source, BLOCK, HASHES)


@pytest.mark.parametrize("spec", [{}, {"SECONDS_PER_SLOT": "soon"}, [], None])
def test_a_node_without_slots_is_no_beacon_node(
    node: Beacon, source: BeaconBlobs, spec: object
) -> None:
    node.answers["/eth/v1/config/spec"] = spec
    with pytest.raises(ChainUnreachable, match="is no beacon node"):
        read_blobs(source, BLOCK, HASHES)


def test_a_beacon_chain_that_began_after_the_block_is_another_one(
    node: Beacon, source: BeaconBlobs
) -> None:
    node.answers["/eth/v1/beacon/genesis"] = {"genesis_time": str(BLOCK.time_s + 1)}
    with pytest.raises(ChainUnreachable, match="is of another chain"):
        read_blobs(source, BLOCK, HASHES)


def test_a_beacon_node_that_is_gone_is_unreachable(node: Beacon) -> None:
    gone = BeaconBlobs("http://127.0.0.1:1")
    with pytest.raises(ChainUnreachable):
        read_blobs(gone, BLOCK, HASHES)
    gone.close()
