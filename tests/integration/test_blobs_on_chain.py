"""A venue whose data goes into blobs: committed, read back, paid; every lie about it refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, replace

import pytest
from eth_abi.abi import encode

from offchain.adapters import blob_source
from offchain.adapters.blob_evidence import element_evidence, padding_evidence
from offchain.adapters.blobs import blob_hash, piece_opening, versioned_hash
from offchain.adapters.chain import Chain
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.chain_node import Block, Sent
from offchain.ledger.blob_data import BLOB_BYTES, hash_of_blobs, pack
from offchain.ledger.header import (
    DATA_KIND_BLOBS,
    DATA_KIND_CALLDATA,
    HEADER_TYPE,
    BatchHeader,
    header_digest,
)
from offchain.services.audit import audit
from offchain.services.batch_policy import BatchPolicy
from offchain.services.errors import BatchDataMissing, BlobMissing, TransactionReverted
from offchain.services.ports import TransactionReceipt
from offchain.services.replica import Posted, Replica
from tests.support.beacon import beacon
from tests.support.devnet import (
    BACKSTOP,
    ENGINE_HASH,
    KEEPER,
    SEQUENCER,
    WINDOW_S,
    Devnet,
    devnet,
    signer,
)

ALICE, BOB = signer("alice"), signer("bob")
BTC_PERP = 0
BLOB_GAS = 1 << 17
RULE_REBUILD = b"\x04"
HEADER = "(" + ",".join(kind for _, kind in HEADER_TYPE.members) + ")"
STEP = "(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32,uint64,uint64,uint32,uint32)"
REBUILD = f"({STEP},bytes32[],{HEADER}[],bytes,bytes32[],bytes[],bytes[])"


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    policy = BatchPolicy(data_kind=DATA_KIND_BLOBS)
    with devnet(tmp_path_factory.mktemp("blobs"), policy) as found:
        found.deposit(BACKSTOP, 1_000_000)
        found.deposit(ALICE, 50_000)
        found.deposit(BOB, 500_000, 5_000_000)
        found.price(120_000)
        found.trade(ALICE, BOB, BTC_PERP, 100, 120_000)
        found.batcher.step(force=True)
        found.withdraw(BOB, 1_000)
        found.batcher.step(force=True)
        found.wait(WINDOW_S + 1)
        assert found.batcher.step().finalised == (1, 2)
        found.do(found.report(120_000))
        assert found.batcher.cut(force=True) == 3
        yield found


@pytest.fixture
def fork(venue: Devnet) -> Iterator[Devnet]:
    """Lend the venue, with a third batch that is not committed yet; what is done is undone."""
    snapshot = venue.chain.node.request("evm_snapshot")
    yield venue
    venue.chain.node.request("evm_revert", snapshot)


def third(venue: Devnet, **fields: object) -> tuple[BatchHeader, bytes]:
    signed = venue.batcher.batch(3)
    assert signed is not None
    anchor = venue.chain.anchor(confirmations=1)  # the newest has no hash while gas is estimated
    header = replace(signed.batch.header, l1_block_number=anchor.number, l1_block_hash=anchor.hash)
    return replace(header, **fields), signed.batch.data  # type: ignore[arg-type]  # a header's fields


def commit(
    venue: Devnet, header: BatchHeader, blobs: Sequence[bytes], calldata: bytes = b""
) -> TransactionReceipt:
    """Commit anything at all, signed as it should be."""
    signature = SEQUENCER.sign(header_digest(venue.chain.domain("Settlement"), header))
    contract = venue.chain.contracts["Settlement"]
    arguments = (header.values(), signature, calldata)
    return venue.chain._sender.send(
        SEQUENCER, contract, contract.function("commit"), arguments, blobs
    )


def is_faulty(venue: Devnet, header: BatchHeader, evidence: bytes) -> bool:
    """Ask the judge of posted data, by a call."""
    return bool(venue.chain.call("DataJudge", "isFaulty", header.values(), evidence))


# The whole way


def test_the_data_is_in_blobs_and_not_in_the_calldata(venue: Devnet) -> None:
    for batch in venue.chain.committed_batches():
        assert batch.header.da_kind == DATA_KIND_BLOBS
        assert batch.blobs == pack(batch.data)
        sent = venue.chain.node.transaction(batch.transaction_hash)
        assert sent is not None
        assert batch.data not in sent.calldata
        assert batch.header.da_hash == hash_of_blobs(sent.blob_hashes) == batch.data_hash


def test_blob_gas_is_in_the_receipt(fork: Devnet) -> None:
    header, data = third(fork)
    receipt = commit(fork, header, pack(data))
    assert (receipt.blob_gas_used, receipt.blob_gas_price_wei) == (BLOB_GAS, 1)


def test_the_audit_passes_from_blobs_alone(venue: Devnet) -> None:
    report = audit(collect_facts(venue.chain), ENGINE_HASH)
    assert report.is_ok, report.failed
    assert report.batches == 2
    assert report.verdicts["data"].compared > 0


def test_a_replica_vouches_from_blobs_alone(venue: Devnet) -> None:
    def posted(number: int) -> Posted:
        batch = venue.chain.history.committed_batch(number)
        return batch.header, batch.data

    replica = Replica(posted, ENGINE_HASH)
    assert replica.vouches(venue.chain.committed_header(2)), replica.problem


def test_a_withdrawal_of_a_batch_in_blobs_is_paid(fork: Devnet) -> None:
    claim = fork.batcher.claim(1)
    assert claim is not None
    before = fork.chain.token_balance(0, BOB.address)
    fork.chain.claim(KEEPER, claim.header, claim.output, claim.index, claim.proof)
    assert fork.chain.token_balance(0, BOB.address) == before + claim.output.amount


def test_data_of_two_blobs_comes_back(fork: Devnet) -> None:
    data = bytes(range(1, 256)) * 510
    assert BLOB_BYTES < len(data) < 2 * BLOB_BYTES
    header, _ = third(fork, da_hash=blob_hash(data), da_length=len(data))
    commit(fork, header, pack(data))
    found = fork.chain.history.committed_batch(3)
    assert (found.data, len(found.blobs)) == (data, 2)


# What the contract refuses

Lie = Callable[[bytes], tuple[dict[str, object], Sequence[bytes], bytes]]
LIES: dict[str, tuple[str, Lie]] = {
    "another hash": ("WrongDataHash", lambda d: ({"da_hash": bytes(32)}, pack(d), b"")),
    "another blob": ("WrongDataHash", lambda d: ({}, pack(d + b"\x01"), b"")),
    "no blob": ("WrongBlobCount", lambda _: ({}, (), b"")),
    "a blob too many": ("WrongBlobCount", lambda d: ({}, pack(d) * 2, b"")),
    "a length of two": ("WrongBlobCount", lambda d: ({"da_length": BLOB_BYTES + 1}, pack(d), b"")),
    "calldata beside": ("WrongDataLength", lambda d: ({}, pack(d), d)),
    "blobs as calldata": (
        "WrongDataLength",
        lambda d: ({"da_kind": DATA_KIND_CALLDATA}, pack(d), b""),
    ),
    "an unknown kind": ("WrongDataKind", lambda d: ({"da_kind": 2}, pack(d), b"")),
}


@pytest.mark.parametrize("name", LIES)
def test_a_commit_that_lies_about_its_blobs_is_refused(fork: Devnet, name: str) -> None:
    error, lie = LIES[name]
    fields, blobs, calldata = lie(third(fork)[1])
    with pytest.raises(TransactionReverted) as refused:
        commit(fork, third(fork, **fields)[0], blobs, calldata)
    assert refused.value.name == error


# What a reader meets


def test_a_blob_that_nobody_serves_is_named_and_the_header_is_still_read(venue: Devnet) -> None:
    first = next(venue.chain.committed_batches())
    missing = versioned_hash(first.blobs[0]).hex()
    with (
        beacon(0) as node,
        Chain(venue.anvil.url, venue.deployment, beacon_url=node.url) as reader,
    ):
        with pytest.raises(BlobMissing, match=f"blob 0x{missing} of block {first.block} is not"):
            reader.history.committed_batch(1)
        assert reader.committed_header(1) == first.header


def test_blobs_are_read_by_the_beacon_api(venue: Devnet) -> None:
    first = next(venue.chain.committed_batches())
    slot = venue.chain.block(first.block).time_s // 12
    with (
        beacon(0) as node,
        Chain(venue.anvil.url, venue.deployment, beacon_url=node.url) as reader,
    ):
        node.hold(slot, *first.blobs)
        assert reader.history.committed_batch(1) == first


def test_another_blob_under_the_name_of_one_is_not_taken(
    venue: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Liar:
        def fetch(self, _block: Block, hashes: Sequence[bytes]) -> Sequence[bytes]:
            return pack(b"another") * len(hashes)

    monkeypatch.setattr(venue.chain.history, "_blobs", Liar())
    with pytest.raises(BlobMissing):
        venue.chain.history.committed_batch(1)


def test_a_node_that_keeps_no_blobs_says_so(venue: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_source, "BLOB_BY_HASH", "eth_noSuchMethod")
    with pytest.raises(BlobMissing, match="this node serves no blobs"):
        venue.chain.history.committed_batch(1)


def test_a_transaction_with_other_blobs_than_the_header_names_is_not_believed(
    venue: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = venue.chain.node.transaction

    def other(transaction_hash: bytes) -> Sent | None:
        sent = honest(transaction_hash)
        return sent and replace(sent, blob_hashes=sent.blob_hashes * 2)

    monkeypatch.setattr(venue.chain.node, "transaction", other)
    with pytest.raises(BatchDataMissing, match="carries other blobs"):
        venue.chain.committed_header(1)


# What a challenger shows


def padded(venue: Devnet) -> tuple[BatchHeader, bytes]:
    """Commit a batch whose blob holds something behind its data; return the blob too."""
    _, data = third(venue)
    (blob,) = pack(data)
    blob = blob[:-1] + b"\x01"
    header, _ = third(venue, da_hash=hash_of_blobs([versioned_hash(blob)]))
    commit(venue, header, [blob])
    return header, blob


def test_filled_padding_hides_no_data_and_is_found_and_shown(fork: Devnet) -> None:
    header, blob = padded(fork)
    found = fork.chain.history.committed_batch(3)
    assert (found.header, found.data) == (header, third(fork)[1])
    assert found.data_hash != header.da_hash
    report = audit(collect_facts(fork.chain), ENGINE_HASH)
    assert "data" in report.failed
    assert "the data has another hash" in str(report.verdicts["data"].findings[0])
    evidence = padding_evidence(found)
    assert evidence == element_evidence((blob,), 4_095)
    assert is_faulty(fork, header, evidence)
    assert not is_faulty(fork, header, element_evidence((blob,), 4_094))


def test_honest_blobs_are_no_fault_by_padding_or_by_rebuilding(venue: Devnet) -> None:
    signed = venue.batcher.batch(1)
    assert signed is not None
    batch, (blob,) = signed.batch, pack(signed.batch.data)
    last = batch.header.da_length // 31
    for index in (0, last, last + 1, 4_095):
        assert not is_faulty(venue, batch.header, element_evidence((blob,), index))
    assert padding_evidence(venue.chain.history.committed_batch(1)) is None
    opening = piece_opening(blob, batch.data)
    shown = [versioned_hash(blob)], [opening.commitment], [opening.proof]
    evidence = encode([REBUILD], [(astuple(batch.previous), (), (), batch.data, *shown)])
    assert not is_faulty(venue, batch.header, RULE_REBUILD + evidence)
