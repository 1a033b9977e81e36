"""What the contracts announced, as plain values, each with its place in the chain."""

from dataclasses import dataclass
from enum import IntEnum

from offchain.ledger.closing import NO_ANCHOR, Anchor
from offchain.ledger.header import DATA_KIND_BLOBS, BatchHeader
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.terms import Terms


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something happened: the block, and the place of its log in it."""

    block: int = 0
    log_index: int = 0


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """A committed batch, read back from its transaction, or from the blobs of that.

    `blob_hash` is what `daHash` has to be when blobs hold the data, by whoever read them; nobody
    looks at it otherwise. `time_s` is the time of its block [s since 1970]; `anchor` is the block
    of the number that the header names, as the chain has it.
    """

    header: BatchHeader
    signature: bytes
    data: bytes
    batch_hash: bytes
    blob_hash: bytes = ZERO32
    place: Place = Place()
    time_s: int = 0
    anchor: Anchor = NO_ANCHOR

    @property
    def data_hash(self) -> bytes:
        """What `daHash` has to be."""
        is_in_blobs = self.header.da_kind == DATA_KIND_BLOBS
        return self.blob_hash if is_in_blobs else keccak256(self.data)


class RevertCause(IntEnum):
    """Why batches were dropped, as the contract numbers it."""

    ROLLBACK = 0
    UNVERIFIED = 1
    CHALLENGE = 2
    FREEZE = 3


@dataclass(frozen=True, slots=True)
class Revert:
    """The batches `first` to `last` were dropped.

    `hashes` are theirs, in order; `batch` is the first of them, or None when nobody serves its data
    any more.
    """

    first: int
    last: int
    hashes: tuple[bytes, ...]
    cause: RevertCause
    place: Place
    time_s: int
    batch: PostedBatch | None

    @property
    def batch_hash(self) -> bytes:
        """The hash of the first batch that was dropped; empty when none was."""
        return self.hashes[0] if self.hashes else b""


@dataclass(frozen=True, slots=True)
class UpheldChallenge:
    """A fault that a judge found: of which kind, in which batch."""

    batch_no: int
    batch_hash: bytes
    kind: int
    place: Place


@dataclass(frozen=True, slots=True)
class Reign:
    """From this place on a sequencer has the epoch; the zero address is nobody."""

    epoch: int
    sequencer: bytes
    place: Place


@dataclass(frozen=True, slots=True)
class StakeMove:
    """What counts as somebody's bond changed; `change_e6` None: all of it was slashed. [USD e-6]"""

    owner: bytes
    change_e6: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class AdoptedParameters:
    """A parameter set that the contract adopted, at a time. [s since 1970]"""

    params_hash: bytes
    curves_hash: bytes
    listing_root: bytes
    document_hash: bytes
    terms: Terms
    place: Place
    time_s: int


@dataclass(frozen=True, slots=True)
class VerifiedLiquidation:
    """A liquidation that the contract recomputed. [USD e-6]"""

    account: int
    tier: int
    margin_balance_e6: int
    maintenance_e6: int


@dataclass(frozen=True, slots=True)
class InsuranceMove:
    """The fund's balance after a batch, and what moved in it. [USD e-6]"""

    balance_e6: int
    contributed_e6: int
    drawn_e6: int
    shortfall_e6: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An output that was paid."""

    id: int
    account: int
    owner: bytes
    asset: int
    amount: int
