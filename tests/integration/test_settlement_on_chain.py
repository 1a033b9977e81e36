"""Batches hashed and signed in Python are committed, finalised and claimed on a real chain."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import RPCEndpoint, TxReceipt

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.core.units import SECOND_NS
from offchain.engine.messages import EntryKind
from offchain.ledger.checkpoint import CheckpointRoot, ExitSums
from offchain.ledger.header import SCHEMA, BatchHeader, batch_hash, header_digest
from offchain.ledger.inbox import InboxEntry, entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import list_proof, list_root
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.signatures import sign
from offchain.ledger.totals import Totals, totals_hash
from offchain.ledger.typed_data import Domain, attestation_digest
from tests.support.deployed import (
    ATTESTORS,
    CONFIG,
    GENESIS_S,
    SEQUENCER,
    Deployed,
    account,
    deployed,
)

LOG = b"frame"
COMMIT_GAS_LIMIT = 120_000
"""For a whole transaction: 21,000 + calldata of header and signature + execution."""
RING = 64
"""Open batches that the contract has room for."""
TRADER = account("trader")
DEPOSIT = 1_000_000_000


class Chain:
    """A venue whose batches are empty but for one trader's deposit and withdrawals."""

    def __init__(self, venue: Deployed) -> None:
        self.venue = venue
        self.settlement = venue.contract("Settlement")
        self.domain = self._domain("Settlement")
        self.last: BatchHeader | None = None
        self.prefix = ZERO32
        self.entries = 0
        none = (0,) * len(venue.deployment.tokens[1:])
        self.totals = Totals(0, none, 0, none, 0, none, 0, 0, 0, 0, 2, 0, 0)
        self._stake()
        self._consume(CONFIG.insurance_seed_e6)

    def _domain(self, name: str) -> Domain:
        return Domain(31_337, bytes.fromhex(self.venue.deployment.address(name)[2:]))

    def _stake(self) -> None:
        cash, registry = self.venue.contract("Cash"), self.venue.contract("SequencerRegistry")
        amount = CONFIG.protocol.minimum_stake_e6
        self.fund_gas(SEQUENCER.address)
        self.send(cash.functions.mint(SEQUENCER.address, amount))
        self.send(cash.functions.approve(registry.address, amount), SEQUENCER)
        self.send(registry.functions.stake(amount), SEQUENCER)

    def fund_gas(self, address: str) -> None:
        method = RPCEndpoint("anvil_setBalance")
        self.venue.web3.provider.make_request(method, [address, hex(10**18)])

    def _consume(self, amount: int) -> None:
        """Take the next entry, a deposit, as the inbox announced it."""
        self.entries += 1
        (event,) = self.venue.contract("Inbox").events.Enqueued.get_logs(
            from_block=0, argument_filters={"index": self.entries}
        )
        said = event["args"]
        assert (said["kind"], said["amount"]) == (EntryKind.DEPOSIT, amount)
        owner, key = (bytes.fromhex(said[name][2:]) for name in ("owner", "key"))
        entry = InboxEntry(
            said["kind"],
            said["index"],
            said["time"],
            owner,
            said["subaccount"],
            said["place"],
            said["amount"],
            key,
        )
        self.prefix = prefix_hash(self.prefix, entry_hash(entry))
        assert self.prefix == said["prefix"]
        paid_in = self.totals.deposited_cash + amount
        self.totals = replace(
            self.totals,
            deposited_cash=paid_in,
            net_cash_e6=paid_in - self.totals.withdrawn_cash,
        )

    def send(self, call: Any, sender: LocalAccount | None = None) -> TxReceipt:
        sender = sender or self.venue.deployer
        nonce = self.venue.web3.eth.get_transaction_count(sender.address)
        built = call.build_transaction({"from": sender.address, "nonce": nonce})
        signed = sender.sign_transaction(built)
        sent = self.venue.web3.eth.send_raw_transaction(signed.raw_transaction)
        return self.venue.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)

    def wait(self, seconds: int) -> None:
        for method, params in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            self.venue.web3.provider.make_request(RPCEndpoint(method), params)

    def deposit(self, amount: int) -> None:
        cash, vault = self.venue.contract("Cash"), self.venue.contract("CollateralVault")
        self.send(cash.functions.mint(self.venue.deployer.address, amount))
        self.send(cash.functions.approve(vault.address, amount))
        self.send(vault.functions.deposit(0, amount, TRADER.address, 0))
        self._consume(amount)

    def header(self, outputs: tuple[Output, ...] = ()) -> BatchHeader:
        number = 1 + (self.last.batch_no if self.last else 0)
        withdrawn = self.totals.withdrawn_cash + sum(o.amount for o in outputs)
        self.totals = replace(
            self.totals,
            withdrawn_cash=withdrawn,
            net_cash_e6=self.totals.deposited_cash - withdrawn,
        )
        time_ns = (GENESIS_S + number) * SECOND_NS
        self.checkpoint = CheckpointRoot(
            keccak256(b"exits %d" % number),
            ExitSums(self.totals.net_cash_e6, 0, 0, self.totals.collateral_e8),
        )
        anchor = self.venue.web3.eth.get_block(self.venue.web3.eth.block_number - 1)
        return BatchHeader(
            schema=SCHEMA,
            batch_no=number,
            prev_batch_hash=batch_hash(self.last) if self.last else ZERO32,
            prev_state_root=self.last.state_root if self.last else ZERO32,
            state_root=keccak256(b"state %d" % number),
            checkpoint_root=self.checkpoint.hash,
            input_log_hash=keccak256(b"log %d" % number),
            trace_root=keccak256(b"trace %d" % number),
            step_count=1,
            da_hash=keccak256(LOG),
            da_length=len(LOG),
            da_kind=0,
            output_root=list_root([output_hash(o) for o in outputs]),
            liquidation_root=ZERO32,
            liquidation_count=0,
            adl_root=ZERO32,
            inbox_from=self.last.inbox_to if self.last else 0,
            inbox_to=self.entries,
            inbox_prefix_hash=self.prefix,
            epoch_root=keccak256(b"epochs %d" % number),
            price_root=keccak256(b"prices %d" % number),
            risk_root=keccak256(b"risk %d" % number),
            params_hash=self.venue.contract("RiskParameters").functions.paramsHash().call(),
            engine_hash=CONFIG.engine_hash,
            l1_block_number=anchor["number"],
            l1_block_hash=bytes(anchor["hash"]),
            time_start_ns=time_ns,
            time_end_ns=time_ns + 1,
            totals_hash=totals_hash(self.totals),
            sequencer_epoch=1,
            proof_kind=0,
        )

    def commit(self, header: BatchHeader) -> TxReceipt:
        signature = sign(header_digest(self.domain, header), bytes(SEQUENCER.key))
        receipt = self.send(self.settlement.functions.commit(astuple(header), signature, LOG))
        self.last = header
        return receipt

    def finalise(self, header: BatchHeader) -> TxReceipt:
        digest = attestation_digest(self._domain("AttestedVerifier"), batch_hash(header))
        attestors = sorted(ATTESTORS, key=lambda a: bytes.fromhex(a.address[2:]))[:2]
        proof = encode(["bytes[]"], [[sign(digest, bytes(a.key)) for a in attestors]])
        sums, root_hash = astuple(self.checkpoint.sums), self.checkpoint.root_hash
        call = self.settlement.functions.finalise(
            astuple(header), astuple(self.totals), sums, root_hash, proof
        )
        return self.send(call)


@pytest.fixture
def chain() -> Iterator[Chain]:
    with Anvil(AnvilOptions(timestamp_s=GENESIS_S)) as anvil:
        yield Chain(deployed(anvil))


def test_a_deposit_comes_back_through_a_final_batch(chain: Chain) -> None:
    chain.deposit(DEPOSIT)
    first = chain.header()
    chain.commit(first)
    assert chain.settlement.functions.batchHashOf(1).call() == batch_hash(first)
    chain.wait(CONFIG.protocol.attested_window_s)
    chain.finalise(first)

    owner = bytes.fromhex(TRADER.address[2:])
    outputs = (Output(1, 2, owner, 0, 400), Output(2, 2, owner, 0, DEPOSIT - 400))
    second = chain.header(outputs)
    chain.commit(second)
    chain.wait(CONFIG.protocol.attested_window_s)
    chain.finalise(second)
    leaves = [output_hash(o) for o in outputs]
    for index, output in enumerate(outputs):
        paid = (output.id, output.account, TRADER.address, output.asset, output.amount)
        proof = list_proof(leaves, index)
        chain.send(chain.settlement.functions.claim(astuple(second), paid, index, proof))
    assert chain.venue.contract("Cash").functions.balanceOf(TRADER.address).call() == DEPOSIT
    assert chain.settlement.functions.finalised().call() == 2


def test_a_commit_stays_within_its_gas(chain: Chain) -> None:
    # Steady state: a round of the ring of open batches pays for slots that are later rewritten.
    for _ in range(RING):
        chain.wait(CONFIG.protocol.attested_window_s)
        header = chain.header()
        chain.commit(header)
        chain.wait(CONFIG.protocol.attested_window_s)
        chain.finalise(header)
    for _ in range(2):
        receipt = chain.commit(chain.header())
        assert receipt["status"] == 1
        assert receipt["gasUsed"] <= COMMIT_GAS_LIMIT


def test_the_log_and_the_header_are_read_back_from_the_transaction(chain: Chain) -> None:
    header = chain.header()
    receipt = chain.commit(header)
    sent = chain.venue.web3.eth.get_transaction(receipt["transactionHash"])
    _, arguments = chain.settlement.decode_function_input(sent["input"])
    assert arguments["logData"] == LOG
    assert tuple(arguments["header"].values()) == astuple(header)
    (event,) = chain.settlement.events.BatchCommitted().process_receipt(receipt)
    assert event["args"] == {
        "batchNo": 1,
        "batchHash": batch_hash(header),
        "stateRoot": header.state_root,
        "daLength": len(LOG),
    }


def test_the_domain_of_headers_is_the_same_in_both_languages(chain: Chain) -> None:
    assert chain.settlement.functions.domainSeparator().call() == chain.domain.separator
    verifier = chain.venue.contract("AttestedVerifier")
    digest = verifier.functions.attestationDigest(Web3.keccak(text="batch")).call()
    domain = Domain(31_337, bytes.fromhex(verifier.address[2:]))
    assert digest == attestation_digest(domain, Web3.keccak(text="batch"))
