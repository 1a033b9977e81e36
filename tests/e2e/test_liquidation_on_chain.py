"""From a deposit to a finalised liquidation and a paid withdrawal, on the real contracts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.api import Api, ApiServer
from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.client import ApiClient
from offchain.adapters.client_witnesses import ApiWitnesses
from offchain.adapters.read_model import ReadModel
from offchain.adapters.served_venue import Deployment as ServedDeployment
from offchain.adapters.served_venue import ServedVenue
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, RatioE6, UsdE6
from offchain.engine.events import Leg, LiquidationOrdered, Tier
from offchain.ledger.batch import Batch
from offchain.ledger.header import BatchHeader, batch_hash, header_digest
from offchain.ledger.keccak import keccak256
from offchain.ledger.typed_data import attestation_digest
from offchain.ledger.wire import decode_records
from offchain.ledger.witness import LiquidationWitness
from offchain.services.attestation import attestation_proof
from offchain.services.errors import TransactionReverted, WitnessMissing
from offchain.services.keeper import Keeper
from offchain.services.ports import SignedBatch
from tests.support.devnet import (
    ATTESTOR,
    BACKSTOP,
    FEE_E6,
    KEEPER,
    SEQUENCER,
    Devnet,
    devnet,
    signer,
)

ALICE, BOB = signer("alice"), signer("bob")
BTC_PERP = 0
FALL = (115_000, 110_000, 109_000, 105_000, 100_000, 96_000)


def open_books(venue: Devnet) -> None:
    """Let Alice be long 2.4 BTC on 50,000 USD."""
    venue.deposit(BACKSTOP, 5_000_000)
    venue.deposit(ALICE, 50_000)
    venue.deposit(BOB, 5_000_000)
    venue.price(120_000)
    venue.trade(ALICE, BOB, BTC_PERP, 2_400, 120_000)
    venue.batcher.step(force=True)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Have a second batch with Alice's liquidations: committed, not yet verified."""
    with devnet(tmp_path_factory.mktemp("crashed")) as venue:
        open_books(venue)
        for usd in FALL:
            venue.price(usd)
        assert venue.batcher.step(force=True).committed == (2,)
        yield venue


def second(venue: Devnet) -> Batch:
    signed = venue.batcher.batch(2)
    assert signed is not None
    return signed.batch


def refusal(call: Callable[[], object]) -> str:
    """Return the name of the contract's error."""
    with pytest.raises(TransactionReverted) as caught:
        call()
    return caught.value.name


def test_a_crash_is_liquidated_verified_finalised_and_paid(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        open_books(venue)
        for usd in FALL:
            venue.price(usd)
        assert venue.sequencer.state.flows.liquidations >= 2
        venue.withdraw(BOB, 1_000)
        venue.batcher.step(force=True)
        count = second(venue).header.liquidation_count
        venue.wait(31)
        assert venue.batcher.step().finalised == (), "unverified liquidations hold a batch back"

        assert len(venue.keeper.step()) == count
        assert venue.keeper.given_up == {}
        assert venue.keeper.step() == [], "nothing is left to verify"
        assert venue.batcher.step().finalised == (2,)

        claim = venue.batcher.claim(1)
        assert claim is not None
        paid = (claim.header, claim.output, claim.index, claim.proof)
        before = venue.chain.token_balance(0, BOB.address)
        venue.chain.claim(ALICE, *paid)
        assert venue.chain.token_balance(0, BOB.address) - before == 1_000_000_000
        assert refusal(lambda: venue.chain.claim(BOB, *paid)) == "AlreadyClaimed"

        venue.keeper.claim()
        assert venue.keeper.earnings.earned_e6 == count * FEE_E6
        assert venue.chain.token_balance(0, KEEPER.address) == count * FEE_E6


def test_the_chain_holds_every_batch_whole(crashed: Devnet) -> None:
    found = list(crashed.chain.committed_batches())
    made = [crashed.batcher.batch(number) for number in (1, 2)]
    assert [(b.header, b.signature, b.data) for b in found] == [
        (m.batch.header, m.signature, m.batch.data) for m in made if m is not None
    ]
    assert crashed.chain.committed_header(2) == found[1].header


def swap_scenario(witness: LiquidationWitness) -> LiquidationWitness:
    column = replace(witness.columns[0], scenario=(witness.columns[0].scenario + 1) % 36)
    return replace(witness, columns=(column, *witness.columns[1:]))


def lower_cash(witness: LiquidationWitness) -> LiquidationWitness:
    return replace(witness, leaf=replace(witness.leaf, cash_e6=witness.leaf.cash_e6 - 1))


def other_report(witness: LiquidationWitness) -> LiquidationWitness:
    return replace(witness, epoch=replace(witness.epoch, report_hash=bytes(32)))


def lower_value(witness: LiquidationWitness) -> LiquidationWitness:
    column = witness.columns[0]
    altered = replace(column, values=b"\x80" + column.values[1:])
    return replace(witness, columns=(altered, *witness.columns[1:]))


def own_charges(witness: LiquidationWitness) -> LiquidationWitness:
    proof = (bytes(32), bytes(32))
    column = replace(witness.columns[0], charges=b"\x7f" * 21 * 20, charge_proof=proof)
    return replace(witness, columns=(column, *witness.columns[1:]))


def own_curves(witness: LiquidationWitness) -> LiquidationWitness:
    return replace(witness, curves=b"\0\0\0")


def own_collateral(witness: LiquidationWitness) -> LiquidationWitness:
    return replace(witness, collateral=bytes(64))


def other_account(witness: LiquidationWitness) -> LiquidationWitness:
    return replace(witness, instruction=replace(witness.instruction, account=3))


def deeper_loss(witness: LiquidationWitness) -> LiquidationWitness:
    column = witness.columns[0]
    altered = replace(column, losses=b"\x7f" + column.losses[1:])
    return replace(witness, columns=(altered, *witness.columns[1:]))


@pytest.mark.parametrize(
    ("alter", "error"),
    [
        (swap_scenario, "RiskColumnNotInEpoch"),
        (deeper_loss, "RiskColumnNotInEpoch"),
        (lower_cash, "LeafMismatch"),
        (other_report, "EpochMismatch"),
        (lower_value, "ValueColumnNotInEpoch"),
        (own_charges, "ChargeColumnNotInEpoch"),
        (own_curves, "CurvesNotNeeded"),
        (own_collateral, "CollateralNotHeld"),
        (other_account, "InstructionNotInBatch"),
    ],
)
def test_an_altered_witness_is_refused_by_the_contract(
    crashed: Devnet, alter: Callable[[LiquidationWitness], LiquidationWitness], error: str
) -> None:
    batch = second(crashed)
    altered = alter(batch.witnesses[0])
    call = crashed.chain.verify_liquidation
    assert refusal(lambda: call(KEEPER, batch.header, altered)) == error


def test_a_witness_under_another_header_is_refused(crashed: Devnet) -> None:
    batch = second(crashed)
    other = replace(batch.header, liquidation_root=bytes(32))
    call = crashed.chain.verify_liquidation
    assert refusal(lambda: call(KEEPER, other, batch.witnesses[0])) == "HeaderMismatch"


def test_an_unverified_batch_cannot_be_final(crashed: Devnet) -> None:
    batch = second(crashed)
    call = crashed.chain.finalise
    totals, checkpoint = batch.totals, batch.checkpoint
    proof = vouched_for(crashed, batch.header)
    assert refusal(lambda: call(ATTESTOR, batch.header, totals, checkpoint, proof)) in {
        "NotNextToFinalise",
        "WindowOpen",
        "UnverifiedLiquidations",
    }


def committed_by_hand(venue: Devnet) -> SignedBatch:
    """Cut the open batch and sign it, as a sequencer would that may lie."""
    with venue.sequencer.lock:
        anchor = venue.chain.anchor(confirmations=1)
        batch = venue.sequencer.journal.cut(venue_engine(venue), anchor)
    digest = header_digest(venue.chain.domain("Settlement"), batch.header)
    last = venue.sequencer.journal.state.last_seq
    return SignedBatch(batch, SEQUENCER.sign(digest), last)


def vouched_for(venue: Devnet, header: BatchHeader) -> bytes:
    """Return the proof of an attestor who vouches for anything."""
    digest = attestation_digest(venue.chain.domain("AttestedVerifier"), batch_hash(header))
    return attestation_proof({ATTESTOR.address: ATTESTOR.sign(digest)})


def venue_engine(venue: Devnet) -> bytes:
    return bytes(venue.chain.call("Settlement", "engineHash"))


def test_altered_data_and_unsigned_headers_are_not_committed(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        venue.deposit(ALICE, 50_000)
        signed = committed_by_hand(venue)
        header, data = signed.batch.header, signed.batch.data

        def refused(header: BatchHeader, signature: bytes, data: bytes) -> str:
            return refusal(lambda: venue.chain.commit(KEEPER, header, signature, data))

        right = signed.signature
        altered = data[:-1] + bytes([data[-1] ^ 1])
        assert refused(header, right, altered) == "WrongDataHash"
        assert refused(header, right, data + b"\x00") == "WrongDataLength"
        redone = replace(header, da_hash=keccak256(altered))
        assert refused(redone, right, altered) == "WrongSignature"
        forged = KEEPER.sign(header_digest(venue.chain.domain("Settlement"), header))
        assert refused(header, forged, data) == "WrongSignature"
        assert refused(replace(header, inbox_to=1), right, data) == "WrongInboxPrefix"
        venue.chain.commit(KEEPER, header, right, data)
        assert refused(header, right, data) == "WrongBatchNumber"


def test_a_healthy_account_cannot_be_liquidated_even_by_the_sequencer(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        open_books(venue)
        journal = venue.sequencer.journal
        venue.price(119_000)
        legs = (Leg(InstrumentId(BTC_PERP), Lots(-100), PriceE8(1)),)
        account, said = AccountId(venue.account(ALICE)), (UsdE6(0), UsdE6(1), RatioE6(0))
        order = LiquidationOrdered(account, Tier.PARTIAL, legs, *said)
        journal.open.captures.append(journal._capture(order, journal.state.last_seq))
        signed = committed_by_hand(venue)
        header, (witness,) = signed.batch.header, signed.batch.witnesses
        venue.chain.commit(SEQUENCER, header, signed.signature, signed.batch.data)

        call = venue.chain.verify_liquidation
        with pytest.raises(TransactionReverted) as caught:
            call(KEEPER, header, witness)
        assert caught.value.name == "NotLiquidatable"
        balance, need = (caught.value.arguments[k] for k in ("marginBalanceE6", "maintenanceE6"))
        assert isinstance(balance, int)
        assert isinstance(need, int)
        assert balance > need > 0
        venue.wait(31)
        venue.batcher.finalise_ready()
        finalise, of = venue.chain.finalise, signed.batch
        proof = vouched_for(venue, header)
        refused = refusal(lambda: finalise(SEQUENCER, header, of.totals, of.checkpoint, proof))
        assert refused == "UnverifiedLiquidations"


def test_a_venue_goes_on_after_a_restart(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        open_books(venue)
        venue.batcher.cut(force=True)
        for usd in FALL[:3]:
            venue.price(usd)
        venue.batcher.cut(force=True)  # stored, not committed
        root = venue.sequencer.journal.state_root()
        venue.stop()

        venue.start()
        assert venue.sequencer.journal.state_root() == root
        assert venue.watcher.poll() == 0, "no deposit is taken twice"
        venue.relayer.resume(decode_records(b"".join(venue.store.frames())))
        for usd in FALL[3:]:
            venue.price(usd)
        assert venue.batcher.step(force=True).committed[-1] == venue.batcher.last_batch
        venue.keeper.step()
        venue.wait(31)
        assert venue.batcher.step().finalised[-1] == venue.batcher.last_batch


def test_a_stranger_needs_two_addresses_and_a_key_to_be_a_keeper(tmp_path: Path) -> None:
    with devnet(tmp_path) as venue:
        open_books(venue)
        for usd in FALL[:3]:
            venue.price(usd)
        venue.batcher.step(force=True)
        count = second(venue).header.liquidation_count
        assert count > 0
        with serving(venue) as api_url:
            stranger = signer("a stranger")
            venue.chain.give_gas(stranger.address, 10**18)
            settlement = venue.chain.contracts["Settlement"].address
            with (
                Chain(venue.anvil.url, discover(venue.anvil.url, settlement)) as chain,
                ApiClient(api_url) as client,
            ):
                keeper = Keeper(chain, ApiWitnesses(client), stranger)
                assert len(keeper.step()) == count
                assert keeper.claim() is None, "no fee before its batch is final"
                venue.wait(31)
                assert venue.batcher.step().finalised
                keeper.claim()
            assert keeper.earnings.earned_e6 == count * FEE_E6
            assert venue.chain.token_balance(0, stranger.address) == count * FEE_E6
            with ApiClient(api_url) as client, pytest.raises(WitnessMissing, match="batch 9"):
                ApiWitnesses(client).witness(9, 0)
        with (
            ApiClient(api_url) as client,
            pytest.raises(WitnessMissing, match="liquidation 0"),
        ):
            ApiWitnesses(client).witness(2, 0)


@contextmanager
def serving(venue: Devnet) -> Iterator[str]:
    """Serve the venue's API and return its address."""
    model = ReadModel()
    model.rebuild(decode_records(b"".join(venue.store.frames())))
    contracts = {"settlement": venue.deployment.addresses["Settlement"].lower()}
    served = ServedVenue(
        venue.sequencer,
        venue.gateway,
        model,
        ServedDeployment(venue.deployment.chain_id, contracts),
        venue.batcher,
    )
    server = ApiServer(Api(served))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        model.close()
