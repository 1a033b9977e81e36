"""The contracts as Python methods: exactly what services, auditors and the demo need of them.

`Chain` is bound to one deployment and to no key: whoever writes passes a `Signer`. It implements
`InboxChain`, `SettlementChain`, `ReportChain` and `LiquidationChain` of the services' ports.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from enum import IntEnum
from typing import Any, Self

from offchain.adapters.blob_source import BeaconBlobs, NodeBlobs
from offchain.adapters.blobs import blob_hash
from offchain.adapters.chain_abi import ContractInterface, RevertDecoder
from offchain.adapters.chain_clock import ChainClock
from offchain.adapters.chain_history import ChainEvent, CommittedBatch, History
from offchain.adapters.chain_node import READ_TIMEOUT_S, Node
from offchain.adapters.chain_reports import ChainReports
from offchain.adapters.chain_sender import RECEIPT_TIMEOUT_S, GasUse, Sender
from offchain.adapters.compiler import abi
from offchain.adapters.deployment import Deployment
from offchain.adapters.deployment_plan import contract_name
from offchain.ledger.blob_data import pack
from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.header import DATA_KIND_BLOBS, BatchHeader
from offchain.ledger.instruction import Instruction
from offchain.ledger.outputs import Output
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.ledger.typed_data import Domain
from offchain.ledger.witness import LiquidationWitness
from offchain.services.errors import WrongChain
from offchain.services.ports import InboxEntry, Signer, TransactionReceipt


class BatchStatus(IntEnum):
    """Where a batch is in its life, as the contract numbers it."""

    NONE = 0
    COMMITTED = 1
    PROVEN = 2
    CHALLENGED = 3
    FINALIZED = 4
    REVERTED = 5


class Chain(ChainClock, ChainReports):
    """One deployment on one node. Safe to use from several threads.

    Parameters
    ----------
    url : str
        HTTP address of the node.
    deployment : Deployment
        Where the contracts are.
    timeout_s, receipt_timeout_s : float
        Bounds on one request and on the wait for one receipt. [s]
    beacon_url : str, optional
        Where blobs are read by the beacon API; from the node itself, a development node, if not
        given.

    Raises
    ------
    WrongChain
        The node serves another chain, or there is no code at an address.
    ChainUnreachable
        The node does not answer.
    """

    def __init__(
        self,
        url: str,
        deployment: Deployment,
        timeout_s: float = READ_TIMEOUT_S,
        receipt_timeout_s: float = RECEIPT_TIMEOUT_S,
        beacon_url: str | None = None,
    ) -> None:
        self.deployment = deployment
        self.contracts = {
            name: ContractInterface(name, bytes.fromhex(address[2:]), abi(contract_name(name)))
            for name, address in deployment.addresses.items()
        }
        self.node = Node(url, timeout_s)
        self.node.reverts = RevertDecoder(self.contracts.values())
        try:
            self._examine()
        except BaseException:
            self.node.close()
            raise
        self._sender = Sender(self.node, deployment.chain_id, receipt_timeout_s)
        self._beacon = BeaconBlobs(beacon_url, timeout_s) if beacon_url else None
        blobs = self._beacon or NodeBlobs(self.node)
        self.history = History(self.node, self.contracts, deployment.block_number, blobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the node."""
        self.node.close()
        if self._beacon is not None:
            self._beacon.close()

    def domain(self, name: str) -> Domain:
        """Return the EIP-712 domain of a contract of the deployment."""
        return Domain(self.deployment.chain_id, self.contracts[name].address)

    @property
    def gas_by_call(self) -> dict[str, GasUse]:
        """Gas of everything sent through this object, by contract and function."""
        return self._sender.gas_by_call

    def send(
        self, signer: Signer, name: str, function: str, *arguments: object
    ) -> TransactionReceipt:
        """Send one call to a contract of the deployment; see `Sender.send` for the faults."""
        contract = self.contracts[name]
        return self._sender.send(signer, contract, contract.function(function), arguments)

    def call(self, name: str, function: str, *arguments: object, block: int | None = None) -> Any:
        """Return what a view function returns: the value, or a tuple when there are several.

        By the newest block, unless another one is named.
        """
        contract = self.contracts[name]
        values = self.node.call(contract, contract.function(function), arguments, block=block)
        return values[0] if len(values) == 1 else values

    # Tokens and deposits

    def mint(self, signer: Signer, asset: int, owner: bytes, amount: int) -> TransactionReceipt:
        """Mint development tokens. [token units]"""
        return self.send(signer, self.deployment.tokens[asset], "mint", owner, amount)

    def approve(
        self, signer: Signer, asset: int, amount: int, spender: str = "CollateralVault"
    ) -> TransactionReceipt:
        """Allow a contract of the deployment to take the signer's tokens. [token units]"""
        token, address = self.deployment.tokens[asset], self.contracts[spender].address
        return self.send(signer, token, "approve", address, amount)

    def deposit(
        self, signer: Signer, asset: int, amount: int, owner: bytes, subaccount: int = 0
    ) -> TransactionReceipt:
        """Pay into the vault for an owner's subaccount. [token units]"""
        vault = "CollateralVault"
        return self.send(signer, vault, "deposit", asset, amount, owner, subaccount)

    def token_balance(self, asset: int, owner: bytes) -> int:
        """Return how much of a token an address holds. [token units]"""
        return int(self.call(self.deployment.tokens[asset], "balanceOf", owner))

    def inbox_count(self) -> int:
        """Return how many entries the inbox has."""
        return int(self.call("Inbox", "count"))

    def inbox_prefix(self, count: int) -> bytes:
        """Return the prefix hash of the first `count` entries."""
        return bytes(self.call("Inbox", "prefixAt", count))

    def inbox_entries(self, first_block: int, last_block: int) -> list[InboxEntry]:
        """Return the inbox entries of an inclusive range of blocks, in order."""
        return self.history.inbox_entries(first_block, last_block)

    # Batches

    def commit(
        self, signer: Signer, header: BatchHeader, signature: bytes, data: bytes
    ) -> TransactionReceipt:
        """Append a signed batch, its data where the header says; `signer` only pays."""
        contract, is_in_blobs = self.contracts["Settlement"], header.da_kind == DATA_KIND_BLOBS
        return self._sender.send(
            signer,
            contract,
            contract.function("commit"),
            (header.values(), signature, b"" if is_in_blobs else data),
            pack(data) if is_in_blobs else (),
        )

    def blob_hash(self, data: bytes) -> bytes:
        """Return `daHash` of data that goes into blobs; EncodingError when it does not fit."""
        return blob_hash(data)

    def rollback(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        """Take back an open batch and all after it; the sequencer's key only."""
        return self.send(signer, "Settlement", "rollback", header.values())

    def prove(self, signer: Signer, header: BatchHeader, proof: bytes) -> TransactionReceipt:
        """Show the proof of a committed batch; anyone may."""
        return self.send(signer, "Settlement", "prove", header.values(), proof)

    def finalise(
        self,
        signer: Signer,
        header: BatchHeader,
        totals: Totals,
        checkpoint: CheckpointRoot,
        proof: bytes,
    ) -> TransactionReceipt:
        """Make the oldest open batch final; the proof may be empty when it was shown before."""
        sums = astuple(checkpoint.sums)
        return self.send(
            signer,
            "Settlement",
            "finalise",
            header.values(),
            astuple(totals),
            sums,
            checkpoint.root_hash,
            proof,
        )

    def claim(
        self,
        signer: Signer,
        header: BatchHeader,
        output: Output,
        index: int,
        proof: Sequence[bytes],
    ) -> TransactionReceipt:
        """Pay one output of a finalised batch to its owner."""
        values = astuple(output)
        return self.send(signer, "Settlement", "claim", header.values(), values, index, proof)

    def head(self) -> int:
        """Return the number of the last committed batch, 0 when there is none."""
        return int(self.call("Settlement", "head"))

    def finalised(self) -> int:
        """Return the number of the last finalised batch, 0 when there is none."""
        return int(self.call("Settlement", "finalised"))

    def status_of(self, batch_no: int) -> BatchStatus:
        """Return where a batch is in its life."""
        return BatchStatus(self.call("Settlement", "statusOf", batch_no))

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        return bytes(self.call("Settlement", "batchHashOf", batch_no))

    def committed_at(self, batch_no: int) -> int:
        """Return when a batch was committed. [s since 1970]"""
        return int(self.call("Settlement", "committedAt", batch_no))

    def attested_window(self) -> int:
        """Return how long an attested batch waits between commit and finality. [s]"""
        return int(self.call("Settlement", "attestedWindow"))

    def final_after(self, batch_no: int) -> int:
        """Return when the window of an open batch ends. [s since 1970]"""
        return int(self.call("Settlement", "finalAfter", batch_no))

    def sequencer(self) -> tuple[bytes, int, bool]:
        """Return the sequencer's address, its epoch, and whether its stake is whole."""
        address, epoch, is_bonded = self.call("SequencerRegistry", "current")
        return bytes.fromhex(str(address)[2:]), int(epoch), bool(is_bonded)

    def stake(self, signer: Signer, amount_e6: int) -> TransactionReceipt:
        """Add to the signer's stake; the registry must be allowed to take it. [USD e-6]"""
        return self.send(signer, "SequencerRegistry", "stake", amount_e6)

    def max_open_batches(self) -> int:
        """Return how many batches may be committed and not final."""
        return int(self.call("Settlement", "maxOpenBatches"))

    def committed_header(self, batch_no: int) -> BatchHeader:
        """Return the header of a committed batch, checked by the hash that the contract holds."""
        return self.history.committed_header(batch_no)

    def committed_batches(self) -> Iterator[CommittedBatch]:
        """Yield every committed batch, header and log, from the chain alone."""
        return self.history.committed_batches()

    def events(
        self, names: Sequence[str] | None = None, first_block: int | None = None
    ) -> Iterator[ChainEvent]:
        """Yield the events of some contracts, or of all, in order."""
        return self.history.events(names, first_block)

    # Liquidations and keepers

    def verify_liquidation(
        self, signer: Signer, header: BatchHeader, witness: LiquidationWitness
    ) -> TransactionReceipt:
        """Submit the witness of one liquidation; the signer earns the fee."""
        instruction = instruction_tuple(witness.instruction)
        manager = "LiquidationManager"
        return self.send(
            signer, manager, "verify", header.values(), instruction, witness.abi_tuple()
        )

    def is_verified(self, batch_no: int, index: int) -> bool:
        """Return whether a liquidation of a batch was verified."""
        batch_hash = self.batch_hash_of(batch_no)
        return bool(self.call("LiquidationManager", "isVerified", batch_hash, index))

    def verified_count(self, batch_no: int) -> int:
        """Return how many liquidations of a batch were verified."""
        batch_hash = self.batch_hash_of(batch_no)
        return int(self.call("LiquidationManager", "verifiedCount", batch_hash))

    def terms_of(self, params_hash: bytes) -> Terms:
        """Return the terms of an adopted parameter set."""
        return Terms(*self.call("RiskParameters", "termsOf", params_hash))

    def active_params_hash(self) -> bytes:
        """Return the hash of the parameter set in force."""
        return bytes(self.call("RiskParameters", "paramsHash"))

    def document_hash_of(self, params_hash: bytes) -> bytes:
        """Return the hash of the document of an adopted parameter set."""
        return bytes(self.call("RiskParameters", "documentHashOf", params_hash))

    def curves_hash_of(self, params_hash: bytes) -> bytes:
        """Return the hash of the tier curves of an adopted parameter set."""
        return bytes(self.call("RiskParameters", "curvesHashOf", params_hash))

    def batches_of_keeper(self, keeper: bytes) -> list[int]:
        """Return the batches in which a keeper verified something, ascending."""
        events = self.history.events(("LiquidationManager",))
        found = {e.arguments["batchNo"] for e in events if e.arguments.get("keeper") == keeper}
        return sorted(found)

    def keeper_credit(self, batch_no: int, keeper: bytes) -> int:
        """Return what a keeper may claim of a batch; zero until it is final. [USD e-6]"""
        return int(self.call("InsuranceFund", "keeperCredit", batch_no, keeper))

    def claim_keeper_fees(self, signer: Signer, batch_nos: Sequence[int]) -> TransactionReceipt:
        """Pay out what the signer is owed of some final batches."""
        return self.send(signer, "InsuranceFund", "claimKeeperFees", list(batch_nos))

    def _examine(self) -> None:
        found, wanted = self.node.chain_id(), self.deployment.chain_id
        if found != wanted:
            raise WrongChain(f"{self.node.url} is chain {found}, not {wanted}")
        for name, contract in self.contracts.items():
            if not self.node.code(contract.address):
                raise WrongChain(f"{name}: there is no code at {contract.checksum_address}")


def instruction_tuple(instruction: Instruction) -> tuple[object, ...]:
    """Return an instruction as the ABI takes it."""
    return (
        instruction.id,
        instruction.account,
        instruction.tier,
        instruction.account_root,
        instruction.leaf_hash,
        instruction.epoch_hash,
        tuple(astuple(leg) for leg in instruction.legs),
    )
