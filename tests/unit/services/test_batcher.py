"""Batches are cut by policy, kept before they are committed, and never committed twice."""

from pathlib import Path

import pytest
from eth_abi.abi import decode, encode

from offchain.adapters.batch_file import BatchFiles
from offchain.ledger.header import batch_hash, header_digest
from offchain.ledger.journal import Journal
from offchain.ledger.merkle import verify_list
from offchain.ledger.outputs import output_hash
from offchain.ledger.signatures import recover as signer_of
from offchain.ledger.typed_data import attestation_digest
from offchain.ledger.witness import LiquidationWitness
from offchain.services.attestation import LocalAttestor, collect
from offchain.services.batcher import BatchPolicy
from offchain.services.errors import (
    BatchConflict,
    BatchFileCorrupt,
    BatchNotStored,
    SequencerHalted,
    StartRefused,
)
from offchain.services.json_values import from_json
from offchain.services.ports import SignedBatch
from offchain.services.recovery import recover
from offchain.services.sequencer import Sequencer
from tests.support.batcher_rig import ATTESTORS, DOMAIN, OPERATOR, VERIFIER, Rig, held
from tests.support.desk import Desk
from tests.support.venue import BTC_PERP


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_nothing_is_cut_before_a_limit_is_reached(rig: Rig) -> None:
    rig.records(3)
    assert rig.batcher.cut() is None
    assert rig.batcher.step().cut == ()


def test_an_empty_batch_is_never_cut(rig: Rig) -> None:
    rig.batches(1)
    assert rig.batcher.cut(force=True) is None
    rig.wait(3_600)
    assert not rig.batcher.is_due()


def test_age_cuts_a_batch(rig: Rig) -> None:
    rig.wait(59)
    assert rig.batcher.cut() is None
    rig.wait(1)
    assert rig.batcher.cut() == 1


def test_records_and_bytes_cut_a_batch(tmp_path: Path) -> None:
    by_records = Rig(tmp_path / "a", BatchPolicy(max_records=3))
    by_records.records(1)
    assert by_records.batcher.cut() is None
    by_records.records(1)
    assert by_records.batcher.cut() == 1

    by_bytes = Rig(tmp_path / "b", BatchPolicy(max_bytes=40_000, call_bytes=1_000))
    while by_bytes.desk.sequencer.journal.open_bytes < 39_000:
        assert by_bytes.batcher.cut() is None
        by_bytes.records()
    assert by_bytes.batcher.cut() == 1
    assert held(by_bytes.batcher.batch(1)).batch.header.da_length <= 40_000


def test_a_policy_that_could_never_cut_is_refused() -> None:
    for wrong in ({"max_records": 0}, {"call_bytes": 96 << 10}, {"max_uncommitted": 0}):
        with pytest.raises(ValueError, match="no batch could be cut"):
            BatchPolicy(**wrong)


def test_the_sequencer_signs_the_header(rig: Rig) -> None:
    rig.batches(1)
    signed = held(rig.batcher.batch(1))
    digest = header_digest(DOMAIN, signed.batch.header)
    assert signer_of(digest, signed.signature) == OPERATOR.address


def test_the_proof_holds_as_many_attestations_as_are_needed_by_ascending_signer(rig: Rig) -> None:
    rig.batches(1)
    header = held(rig.batcher.batch(1)).batch.header
    attestors = [LocalAttestor(k, VERIFIER, lambda _header: True) for k in ATTESTORS]
    proof = collect(attestors, header, 2)
    assert proof is not None
    (signatures,) = decode(["bytes[]"], proof)
    assert proof == encode(["bytes[]"], [signatures])
    digest = attestation_digest(VERIFIER, batch_hash(header))
    signers = [signer_of(digest, signature) for signature in signatures]
    assert signers == sorted(k.address for k in ATTESTORS[:2])
    assert collect(attestors[:1], header, 2) is None


def test_batches_are_committed_in_order_and_made_final_after_their_window(rig: Rig) -> None:
    rig.batches(2)
    assert rig.batcher.step().committed == (1, 2)
    assert rig.batcher.step() == rig.batcher.step()
    rig.wait(30)
    assert rig.batcher.finalise_ready()[0][0] == 1
    assert rig.chain.calls == ["commit 1", "commit 2", "finalise 1", "finalise 2"]


def test_no_more_batches_are_open_than_the_contract_allows(rig: Rig) -> None:
    rig.batches(6)
    assert rig.batcher.step().committed == (1, 2, 3, 4)
    assert rig.batcher.waiting == 2
    rig.wait(30)
    assert rig.batcher.step().finalised == (1, 2, 3, 4)
    assert rig.batcher.step().committed == (5, 6)


def test_nothing_is_cut_while_too_many_batches_wait(tmp_path: Path) -> None:
    rig = Rig(tmp_path, BatchPolicy(max_uncommitted=2))
    rig.batches(2)
    rig.records()
    assert rig.batcher.cut(force=True) is None
    rig.batcher.commit_pending()
    assert rig.batcher.cut(force=True) == 3


def test_a_batch_waits_for_the_attestors(rig: Rig) -> None:
    rig.vouched = lambda header: header.batch_no == 1
    rig.batches(2)
    rig.batcher.step()
    rig.wait(30)
    assert rig.batcher.step().finalised == (1,)
    rig.vouched = lambda _header: True
    assert rig.batcher.step().finalised == (2,)


def test_a_commit_that_is_too_early_is_tried_again(rig: Rig) -> None:
    rig.batches(1)
    rig.chain.refuse_next = "EndsInFuture"
    assert rig.batcher.commit_pending() == []
    assert [number for number, _ in rig.batcher.commit_pending()] == [1]


def test_a_commit_that_somebody_relayed_is_passed_over(rig: Rig) -> None:
    rig.batches(2)
    signed = held(rig.batcher.batch(1))
    rig.chain.commit(OPERATOR, signed.batch.header, signed.signature, signed.batch.data)
    assert [number for number, _ in rig.batcher.commit_pending()] == [2]


def test_another_batch_under_our_number_is_a_conflict(rig: Rig, tmp_path: Path) -> None:
    other = Rig(tmp_path / "other")
    other.records(2)
    other.batches(1)
    rig.batches(1)
    foreign = held(other.batcher.batch(1))
    rig.chain.commit(OPERATOR, foreign.batch.header, foreign.signature, foreign.batch.data)
    with pytest.raises(BatchConflict, match="batch 1 on chain is 0x"):
        rig.batcher.commit_pending()


def test_a_batch_that_the_contract_refuses_is_a_conflict(rig: Rig) -> None:
    rig.batches(1)
    rig.chain.refuse_next = "WrongEngine"
    with pytest.raises(BatchConflict, match="batch 1 is refused"):
        rig.batcher.commit_pending()


def test_a_chain_that_is_ahead_of_us_is_a_conflict(rig: Rig, tmp_path: Path) -> None:
    rig.batches(2)
    rig.batcher.commit_pending()
    empty = Rig(tmp_path / "empty")
    empty.chain = rig.chain
    with pytest.raises(BatchConflict, match="the chain is at batch 2, we made 0"):
        empty.make(empty.desk.sequencer).commit_pending()


def test_a_restart_goes_on_where_it_stopped(rig: Rig) -> None:
    rig.batches(2)
    rig.batcher.commit_pending()
    rig.batches(1)
    rig.records(2)
    again = rig.restart()
    assert [number for number, _ in again.commit_pending()] == [3]
    assert again.cut(force=True) == 4
    headers = [held(again.batch(n)).batch.header for n in (3, 4)]
    assert headers[1].prev_state_root == headers[0].state_root
    rig.wait(30)
    assert again.step().finalised == (1, 2, 3)


def test_a_snapshot_of_just_before_the_cut_is_cut_again(rig: Rig) -> None:
    rig.records(2)
    snapshot = rig.desk.sequencer.journal.snapshot()
    rig.batcher.cut(force=True)
    journal = Journal.restore(snapshot)
    again = rig.make(Sequencer(journal, rig.desk.store, rig.desk))
    assert journal.batch_no == 2
    assert [number for number, _ in again.commit_pending()] == [1]


def test_a_journal_that_does_not_continue_the_batches_is_refused(rig: Rig) -> None:
    rig.batches(1)
    rig.records()
    uncut = Sequencer(recover(rig.desk.store), rig.desk.store, rig.desk)
    with pytest.raises(StartRefused, match="does not continue the stored batch 1"):
        rig.make(uncut)


def test_a_damaged_batch_file_is_refused(rig: Rig) -> None:
    rig.batches(1)
    (path,) = rig.folder.glob("batch-*.json")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BatchFileCorrupt, match="checksum"):
        BatchFiles(rig.folder).load(1)
    path.unlink()
    (rig.folder / "batch-0000000002.json").write_bytes(b"")
    with pytest.raises(BatchFileCorrupt, match="batch 1 is missing"):
        BatchFiles(rig.folder)


def test_a_stored_batch_reads_back_as_it_was(rig: Rig) -> None:
    rig.batches(1)
    assert BatchFiles(rig.folder).load(1) == rig.batcher.batch(1)
    assert BatchFiles(rig.folder).load(2) is None


def test_a_batch_that_cannot_be_stored_stops_the_batcher(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_signed: SignedBatch) -> None:
        raise OSError("the disk is full")

    rig.records()
    monkeypatch.setattr(rig.files, "save", fail)
    with pytest.raises(OSError, match="full"):
        rig.batcher.cut(force=True)
    with pytest.raises(BatchNotStored, match="batch 1 was cut and not stored"):
        rig.batcher.step()
    assert rig.restart().cut(force=True) == 1


def test_what_is_not_durable_is_not_cut(rig: Rig) -> None:
    rig.desk.store.is_broken = True
    with pytest.raises(Exception, match="the disk is gone"):
        rig.records()
    with pytest.raises(SequencerHalted):
        rig.batcher.cut(force=True)


def test_a_withdrawal_is_claimed_with_a_proof(rig: Rig) -> None:
    desk = rig.desk
    account = desk.deposit_for(9, usd=1_000)
    rig.batches(1)
    for usd in (10, 20, 30):
        desk.must(desk.withdraw(account, usd=usd))
    rig.batches(1)
    rig.batches(1)
    for place, usd in enumerate((10, 20, 30)):
        claim = rig.batcher.claim(place + 1)
        assert claim is not None
        assert (claim.header.batch_no, claim.index, claim.output.amount) == (2, place, usd * 10**6)
        leaf = output_hash(claim.output)
        assert verify_list(claim.header.output_root, place, leaf, claim.proof)
    assert rig.batcher.claim(0) is None
    assert rig.batcher.claim(4) is None


def crash(desk: Desk) -> None:
    """Let account 2 be liquidated by the lane."""
    desk.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    desk.deposit(10, 50_000)
    desk.deposit(11, 5_000_000)
    desk.price(120_000)
    desk.trade(2, 3, BTC_PERP, 2_400, 120_000)
    for usd in (115_000, 110_000, 109_000, 105_000, 100_000, 96_000):
        desk.price(usd)


def test_a_batch_with_liquidations_waits_until_each_is_verified(rig: Rig) -> None:
    crash(rig.desk)
    rig.batcher.step(force=True)
    count = held(rig.batcher.batch(1)).batch.header.liquidation_count
    assert count >= 2
    rig.wait(60)
    rig.chain.verified[1] = count - 1
    assert rig.batcher.step().finalised == ()
    rig.chain.verified[1] = count
    assert rig.batcher.step().finalised == (1,)


def test_liquidations_cut_a_batch(tmp_path: Path) -> None:
    rig = Rig(tmp_path, BatchPolicy(max_age_ns=10**18, max_liquidations=1))
    crash(rig.desk)
    assert rig.batcher.cut() == 1


def test_keepers_get_witnesses_that_hold_under_the_header(rig: Rig) -> None:
    crash(rig.desk)
    rig.batcher.cut(force=True)
    batch = held(rig.batcher.batch(1)).batch
    for index in range(batch.header.liquidation_count):
        tree = rig.batcher.witness(1, index)
        assert tree is not None
        witness = from_json(LiquidationWitness, tree)
        assert witness == batch.witnesses[index]
        witness.check(batch.header, batch.terms, batch.curves_hash)
    assert rig.batcher.witness(1, batch.header.liquidation_count) is None
    assert rig.batcher.witness(2, 0) is None
    assert rig.batcher.witness(0, 0) is None
