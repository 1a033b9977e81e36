"""What an auditor takes from the chain, as plain values: nothing here comes from the operator."""

from collections.abc import Mapping
from dataclasses import dataclass

from offchain.ledger.totals import Totals
from offchain.ledger.typed_data import Domain
from offchain.services.chain_events import (
    AdoptedParameters,
    Claim,
    InsuranceMove,
    PostedBatch,
    Reign,
    Revert,
    StakeMove,
    UpheldChallenge,
    VerifiedLiquidation,
)
from offchain.services.ports import InboxEntry


@dataclass(frozen=True, slots=True)
class Registry:
    """What the registry says of the sequencer now. [USD e-6]"""

    sequencer: bytes
    epoch: int
    is_bonded: bool
    minimum_stake_e6: int


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A set that was put in force, and when. [s since 1970]

    Until `until_s` the contract takes it: the end of its grace after it was replaced; None for the
    one that was not.
    """

    params_hash: bytes
    time_s: int
    until_s: int | None = None


@dataclass(frozen=True, slots=True)
class HubRules:
    """By which rules the oracle hub takes reports. [1e-6, ns]"""

    feeds: int
    band_e6: int
    heartbeat_ns: int
    grace_reports: int
    grace_ns: int
    quorum: int
    signers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class VaultBooks:
    """What the vault says of one asset. [engine units; `held` in units too, rounded down]

    Attributes
    ----------
    deposited, released : int
        Since it was listed.
    booked : int
        What it answers for now.
    deferred : int
        Released, and not paid yet because the outflow was capped.
    held : int
        Its balance of the token.
    """

    deposited: int
    released: int
    booked: int
    deferred: int
    held: int


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """One deployment as its chain tells it.

    Attributes
    ----------
    settlement, hub : Domain
        EIP-712 domains of orders and headers, and of observations.
    registry, reigns, stakes :
        Who the sequencer is, who was since when, and what was staked and taken, in order.
    hub_rules : HubRules
        Of the oracle hub, now.
    batches : tuple of PostedBatch
        That stand, in order of commitment.
    head : int
        Number of the last committed batch.
    finalised : int
        Number of the last final batch.
    checkpoint : tuple of int and bytes
        The last final batch that has a checkpoint, and its root.
    reverts, upheld :
        What was dropped, and the challenges that were upheld, in order.
    is_frozen : bool
        Whether the venue ended.
    verify_window_s, parameter_grace_s : int
        For liquidations; for a set that was replaced. [s]
    inbox : tuple of InboxEntry
        Every entry, in order.
    parameters : tuple of AdoptedParameters
        In order of adoption.
    reports : frozenset of bytes
        Hashes that the hub accepted.
    verified : mapping
        Verified liquidations by (batch hash, index).
    insurance, totals : mapping
        By batch number, for final batches.
    claims : tuple of Claim
        In order of payment.
    exits : tuple of int
        By asset: what exits and refunds paid after a freeze. [engine units]
    vault : tuple of VaultBooks
        By asset.
    """

    settlement: Domain
    hub: Domain
    registry: Registry
    reigns: tuple[Reign, ...]
    stakes: tuple[StakeMove, ...]
    hub_rules: HubRules
    engine_hash: bytes
    batches: tuple[PostedBatch, ...]
    head: int
    finalised: int
    checkpoint: tuple[int, bytes]
    reverts: tuple[Revert, ...]
    upheld: tuple[UpheldChallenge, ...]
    is_frozen: bool
    verify_window_s: int
    parameter_grace_s: int
    inbox: tuple[InboxEntry, ...]
    parameters: tuple[AdoptedParameters, ...]
    reports: frozenset[bytes]
    verified: Mapping[tuple[bytes, int], VerifiedLiquidation]
    insurance: Mapping[int, InsuranceMove]
    totals: Mapping[int, Totals]
    claims: tuple[Claim, ...]
    exits: tuple[int, ...]
    vault: tuple[VaultBooks, ...]
