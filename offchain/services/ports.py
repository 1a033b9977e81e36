"""What the services need from outside, each as the smallest protocol that serves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

from offchain.engine.messages import PriceReport
from offchain.ledger import inbox
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.closing import Anchor
from offchain.ledger.epoch import Report
from offchain.ledger.header import BatchHeader
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.ledger.witness import LiquidationWitness


class Clock(Protocol):
    """A source of time. It may jump; the sequencer never lets recorded time go back."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970, UTC."""
        ...


class EventStore(Protocol):
    """The durable, hash-chained log of frames: the one commit point of the system."""

    @property
    def last_seq(self) -> int:
        """Sequence number of the last frame, 0 when the log is empty."""
        ...

    @property
    def tip(self) -> bytes:
        """Chain hash of the last frame, 32 zero bytes when the log is empty."""
        ...

    @property
    def last_epoch(self) -> int:
        """Sequencer epoch of the last frame, 0 when the log is empty."""
        ...

    def append(self, frames: Sequence[bytes]) -> bytes:
        """Make frames durable in order and return the new tip; LogFailed if that is unsure."""
        ...

    def frames(self, after: int = 0) -> Iterator[bytes]:
        """Yield the frames with a sequence number above `after`, in order."""
        ...

    def tip_at(self, seq: int) -> bytes:
        """Return the chain hash at `seq`; KeyError when the log does not hold it."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after record `seq`, as bytes, with the root that it must restore to."""

    seq: int
    root: bytes
    data: bytes


class SnapshotStore(Protocol):
    """Snapshots beside the log. They save time at a start and are never trusted."""

    def save(self, snapshot: Snapshot) -> None:
        """Store a snapshot durably and drop the oldest ones."""
        ...

    def newest_first(self) -> Iterator[Snapshot]:
        """Yield the readable snapshots, newest first."""
        ...


class Signer(Protocol):
    """A key that signs digests and never leaves its holder."""

    @property
    def address(self) -> bytes:
        """The 20-byte address."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """Return the 65-byte signature (r, s, v) of a 32-byte digest."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """What the spot markets say at one moment, one index price for each underlying [USD e-8]."""

    time_ns: int
    prices_e8: tuple[int, ...]


class PriceFeed(Protocol):
    """A bounded or endless sequence of spot prices in time order."""

    def __iter__(self) -> Iterator[Spot]:
        """Yield spots; `time_ns` strictly increases."""
        ...


class WitnessStore(Protocol):
    """Liquidation witnesses of committed batches, as JSON-ready values, for keepers."""

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        """Return the witness of instruction `index` of a batch, or None."""
        ...


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """A transaction that succeeded: which call, where, and what it cost.

    Attributes
    ----------
    call : str
        Contract and function, as ``Settlement.commit``.
    gas_used : int
        All of it, intrinsic gas included. [gas]
    calldata : bytes
        What was sent to the contract.
    blob_gas_used, blob_gas_price_wei : int
        Of the blobs, which are paid apart; zero without them. [gas, wei]
    """

    call: str
    transaction_hash: bytes
    block: int
    gas_used: int
    gas_price_wei: int
    calldata: bytes
    blob_gas_used: int = 0
    blob_gas_price_wei: int = 0


@dataclass(frozen=True, slots=True)
class InboxEntry(inbox.InboxEntry):
    """An entry of any kind as the inbox announced it.

    `prefix` is the contract's hash of all entries up to it, `block` where it was announced.
    """

    prefix: bytes
    block: int

    def content(self) -> inbox.InboxEntry:
        """Return what is hashed: the entry without where it stands."""
        return inbox.InboxEntry(*[getattr(self, f.name) for f in fields(inbox.InboxEntry)])


class InboxChain(Protocol):
    """The inbox as the watcher reads it."""

    def block_number(self) -> int:
        """Return the number of the newest block."""
        ...

    def block_hash(self, number: int) -> bytes:
        """Return the hash of the block that the chain has under a number."""
        ...

    def inbox_count(self) -> int:
        """Return how many entries the inbox has."""
        ...

    def inbox_prefix(self, count: int) -> bytes:
        """Return the contract's prefix hash of its first `count` entries."""
        ...

    def inbox_entries(self, first_block: int, last_block: int) -> Sequence[InboxEntry]:
        """Return the entries of an inclusive range of blocks, in order."""
        ...


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A closed batch with the sequencer's signature; `last_seq` is its last record's number."""

    batch: Batch
    signature: bytes
    last_seq: int


class BatchStore(Protocol):
    """Closed batches, durable from before they are committed; numbers have no gaps."""

    def save(self, signed: SignedBatch) -> None:
        """Store the next batch durably, whole or not at all."""
        ...

    def replace(self, signed: SignedBatch) -> None:
        """Store a batch that is there in another form, durably, whole or not at all."""
        ...

    def drop_from(self, batch_no: int) -> None:
        """Set the batches from a number on aside, the last one first."""
        ...

    def left(self, batch_no: int) -> Sequence[SignedBatch]:
        """Return the batches of a number that were set aside."""
        ...

    def load(self, batch_no: int) -> SignedBatch | None:
        """Return a batch, or None when there is none; BatchFileCorrupt when it is damaged."""
        ...

    def count(self) -> int:
        """Return how many batches there are, which is the number of the last one."""
        ...


class SettlementChain(Protocol):
    """The settlement contract as the batcher uses it."""

    def head(self) -> int:
        """Return the number of the last committed batch, 0 when there is none."""
        ...

    def finalised(self) -> int:
        """Return the number of the last finalised batch, 0 when there is none."""
        ...

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        ...

    def committed_at(self, batch_no: int) -> int:
        """Return when a batch was committed. [s since 1970]"""
        ...

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        ...

    def final_after(self, batch_no: int) -> int:
        """Return when the window of an open batch ends. [s since 1970]"""
        ...

    def sequencer(self) -> tuple[bytes, int, bool]:
        """Return the sequencer's address, its epoch, and whether its stake is whole."""
        ...

    def anchor(self, confirmations: int = 0) -> Anchor:
        """Return the block that a batch which is committed now may name."""
        ...

    def is_canonical(self, anchor: Anchor) -> bool:
        """Return whether a block is still the chain's, and young enough to be named."""
        ...

    def committed_header(self, batch_no: int) -> BatchHeader:
        """Return the header of a committed batch, from its transaction, checked by its hash."""
        ...

    def max_open_batches(self) -> int:
        """Return how many batches may be committed and not final."""
        ...

    def verified_count(self, batch_no: int) -> int:
        """Return how many liquidations of a batch were verified."""
        ...

    def blob_hash(self, data: bytes) -> bytes:
        """Return `daHash` of data that goes into blobs; EncodingError when it does not fit."""
        ...

    def commit(
        self, signer: Signer, header: BatchHeader, signature: bytes, data: bytes
    ) -> TransactionReceipt:
        """Append a signed batch, with its data where the header says."""
        ...

    def rollback(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        """Take back an open batch and all after it; the sequencer's key only."""
        ...

    def finalise(
        self,
        signer: Signer,
        header: BatchHeader,
        totals: Totals,
        checkpoint: CheckpointRoot,
        proof: bytes,
    ) -> TransactionReceipt:
        """Make the oldest open batch final; the proof may be empty when it was shown before."""
        ...


class Attestor(Protocol):
    """Someone who replays batches and vouches for those that are right."""

    @property
    def address(self) -> bytes:
        """The registered 20-byte address."""
        ...

    def attest(self, header: BatchHeader) -> bytes | None:
        """Return the 65-byte signature over a committed batch, or None while not vouched for."""
        ...


class ReportChain(Protocol):
    """The oracle hub as the relayer uses it."""

    def submit_report(self, signer: Signer, report: PriceReport) -> TransactionReceipt:
        """Submit a round."""
        ...

    def submit_late_report(
        self, signer: Signer, report: PriceReport, base: Report | None
    ) -> TransactionReceipt:
        """Submit a round beside the sequence, vouched for by an earlier report of the hub."""
        ...

    def is_report_accepted(self, report_hash: bytes) -> bool:
        """Return whether the hub accepted a report."""
        ...

    def is_report_settled(self, report_hash: bytes) -> bool:
        """Return whether a liquidation may cite a report: accepted, and no outage echoes (L-5)."""
        ...

    def newest_round(self) -> int:
        """Return the newest round that the hub took, accepted or pending; 0 before the first."""
        ...


class LiquidationChain(Protocol):
    """What a keeper needs of the chain."""

    def head(self) -> int:
        """Return the number of the last committed batch, 0 when there is none."""
        ...

    def finalised(self) -> int:
        """Return the number of the last finalised batch, 0 when there is none."""
        ...

    def committed_header(self, batch_no: int) -> BatchHeader:
        """Return the header of a committed batch, from its transaction, checked by its hash."""
        ...

    def curves_hash_of(self, params_hash: bytes) -> bytes:
        """Return the hash of the tier curves of an adopted parameter set."""

    def terms_of(self, params_hash: bytes) -> Terms:
        """Return the terms of an adopted parameter set."""
        ...

    def is_verified(self, batch_no: int, index: int) -> bool:
        """Return whether a liquidation of a batch was verified."""
        ...

    def verified_count(self, batch_no: int) -> int:
        """Return how many liquidations of a batch were verified."""
        ...

    def verify_liquidation(
        self, signer: Signer, header: BatchHeader, witness: LiquidationWitness
    ) -> TransactionReceipt:
        """Submit the witness of one liquidation."""
        ...

    def batches_of_keeper(self, keeper: bytes) -> Sequence[int]:
        """Return the batches in which a keeper verified something, ascending."""
        ...

    def keeper_credit(self, batch_no: int, keeper: bytes) -> int:
        """Return what a keeper may claim of a batch; zero until it is final. [USD e-6]"""
        ...

    def claim_keeper_fees(self, signer: Signer, batch_nos: Sequence[int]) -> TransactionReceipt:
        """Pay out what the signer is owed of some final batches."""
        ...
