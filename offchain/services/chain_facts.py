"""What an auditor takes from the chain, as plain values: nothing here comes from the operator."""

from collections.abc import Mapping
from dataclasses import dataclass

from offchain.ledger.header import BatchHeader
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.ledger.typed_data import Domain
from offchain.services.ports import InboxEntry


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """A committed batch, read back from the input of its transaction."""

    header: BatchHeader
    signature: bytes
    data: bytes
    batch_hash: bytes


@dataclass(frozen=True, slots=True)
class AdoptedParameters:
    """What the contract says of one parameter set."""

    curves_hash: bytes
    document_hash: bytes
    terms: Terms


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


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """One deployment as its chain tells it.

    Attributes
    ----------
    settlement, hub : Domain
        EIP-712 domains of orders and headers, and of observations.
    oracle_signers : tuple of bytes
        Registered now, ascending.
    batches : tuple of PostedBatch
        In order of commitment.
    head : int
        Number of the last committed batch.
    finalised : int
        Number of the last final batch.
    parameters : mapping
        By parameter hash.
    reports : frozenset of bytes
        Hashes that the hub accepted.
    verified : mapping
        Verified liquidations by (batch number, index).
    insurance, totals : mapping
        By batch number, for final batches.
    booked, held : tuple of int
        By asset: what the vault has booked, and its token balance. [token units]
    """

    settlement: Domain
    hub: Domain
    sequencer: bytes
    engine_hash: bytes
    oracle_signers: tuple[bytes, ...]
    quorum: int
    batches: tuple[PostedBatch, ...]
    head: int
    finalised: int
    deposits: tuple[InboxEntry, ...]
    parameters: Mapping[bytes, AdoptedParameters]
    reports: frozenset[bytes]
    verified: Mapping[tuple[int, int], VerifiedLiquidation]
    insurance: Mapping[int, InsuranceMove]
    totals: Mapping[int, Totals]
    claims: tuple[Claim, ...]
    booked: tuple[int, ...]
    held: tuple[int, ...]
