"""What happened: the events that `decide` returns and `evolve` applies.

Prices of trades are per unit [USD e-8]; a fill's cash effect follows from the lot divisor.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from offchain.core.breaker import Breaker, Level
from offchain.core.collateral import CreditCurve, HaircutState
from offchain.core.margin import Mode
from offchain.core.oracle import Standing
from offchain.core.parameters import RiskParameters
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, RatioE6, TimestampNs, UsdE6
from offchain.engine.messages import EntryKind
from offchain.pricing.risk_array import RiskArrays

NO_ACCOUNT = AccountId((1 << 32) - 1)
"""Stands for the account of an owner who has none."""
NO_KEY = bytes(20)
"""In a revocation: every key of the owner."""
Int64Array = NDArray[np.int64]


class Tier(IntEnum):
    """The size of a liquidation step."""

    PARTIAL = 1
    FULL = 2


class NoopReason(IntEnum):
    """Why an entry of the inbox came to nothing. Numbers are those of the protocol."""

    UNKNOWN_ACCOUNT = 1
    NOTHING_FREE = 2
    PRICES_IN_DOUBT = 3
    NOTHING_TO_CLOSE = 4
    NO_ROOM = 5
    NOBODY_TOOK = 6
    NOT_LISTED = 7


class Closing(IntEnum):
    """Why an order left the book, or never entered it."""

    CANCELLED = 0
    EXPIRED = 1
    SELF_TRADE = 2
    MARGIN = 3
    LIQUIDATION = 4
    UNFILLED = 5
    SETTLED = 6
    REDUCED = 7
    BREAKER = 8


@dataclass(frozen=True, slots=True)
class ParametersAdopted:
    """A parameter set is in force."""

    parameters: RiskParameters


@dataclass(frozen=True, slots=True)
class ParametersReplaced:
    """Another parameter set is in force, with what follows from it at the prices in force.

    `documented` is the set of its document, without the terms above it. Arrays, charges and history
    are None, and curves empty, before the first report.
    """

    parameters: RiskParameters
    documented: RiskParameters
    arrays: RiskArrays | None
    charges: Int64Array | None
    history: NDArray[np.int32] | None
    haircuts: tuple[HaircutState, ...]
    curves: tuple[CreditCurve, ...]
    breakers: tuple[Breaker, ...]


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """A margin account exists from now on."""

    account: AccountId
    owner: bytes
    subaccount: int


@dataclass(frozen=True, slots=True)
class Deposited:
    """Inbox entry `index` was credited."""

    index: int
    account: AccountId
    asset: int
    amount: int


@dataclass(frozen=True, slots=True)
class DepositReturned:
    """Inbox entry `index` found no room: the whole of it became an output to its owner."""

    index: int
    owner: bytes
    asset: int
    amount: int
    output_id: int


@dataclass(frozen=True, slots=True)
class ForcedDone:
    """Inbox entry `index` was carried out; NO_ACCOUNT where it concerns the owner as a whole.

    It comes first: the other events of the record are what was done.
    """

    index: int
    kind: EntryKind
    account: AccountId


@dataclass(frozen=True, slots=True)
class ForcedNoop:
    """Inbox entry `index` was consumed and changed nothing, for a reason."""

    index: int
    kind: EntryKind
    account: AccountId
    reason: NoopReason


@dataclass(frozen=True, slots=True)
class KeyGranted:
    """A key may sign orders and cancels for all accounts of an owner until it expires.

    `expires_s` is in seconds since 1970, below 2^64.
    """

    owner: bytes
    key: bytes
    expires_s: int


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """A key of an owner, or all of them for NO_KEY, may sign no more."""

    owner: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class NonceUsed:
    """A signed intent was consumed."""

    account: AccountId
    nonce: int


@dataclass(frozen=True, slots=True)
class OrderRested:
    """An order, or what is left of it, rests in the book."""

    order_id: int
    account: AccountId
    instrument: InstrumentId
    lots: Lots
    price_e8: PriceE8
    reduce_only: bool
    expires_at_ns: TimestampNs


@dataclass(frozen=True, slots=True)
class OrderClosed:
    """An order left the book, or its rest was dropped, without trading."""

    order_id: int
    account: AccountId
    instrument: InstrumentId
    closing: Closing


@dataclass(frozen=True, slots=True)
class Filled:
    """A trade at the maker's price; lots are the taker's, signed."""

    instrument: InstrumentId
    price_e8: PriceE8
    lots: Lots
    taker: AccountId
    maker: AccountId
    maker_order_id: int
    fee_e6: UsdE6


@dataclass(frozen=True, slots=True)
class PriceAccepted:
    """A report is in force, with everything that follows from it."""

    round: int
    observed_at_ns: TimestampNs
    medians: tuple[int, ...]
    arrays: RiskArrays
    charges: Int64Array
    history: NDArray[np.int32] | None
    confidences_e6: tuple[RatioE6, ...]
    haircuts: tuple[HaircutState, ...]
    curves: tuple[CreditCurve, ...]
    standing: Standing
    breakers: tuple[Breaker, ...]


@dataclass(frozen=True, slots=True)
class BreakerTripped:
    """The breaker of an underlying is at another level with this report, until it falls by one.

    It tells; the state is that of `PriceAccepted`.
    """

    underlying: int
    level: Level
    until_ns: TimestampNs


@dataclass(frozen=True, slots=True)
class PriceHeld:
    """A report outside the band waits for confirmation."""

    round: int
    observed_at_ns: TimestampNs
    medians: tuple[int, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class FundingAccrued:
    """The cumulative funding of a perpetual moved by `step_e6` for each lot."""

    instrument: InstrumentId
    rate_e8: int
    step_e6: int


@dataclass(frozen=True, slots=True)
class ChargesRevised:
    """Funding rates changed, one for each underlying, and with them the charges of holding."""

    funding_rates_e8: tuple[int, ...]
    charges: Int64Array


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """An account is margined in another mode from now on."""

    account: AccountId
    mode: Mode


@dataclass(frozen=True, slots=True)
class MarginLevelChanged:
    """An account crossed a call level. Level 0 is healthy, then 1.. for each level passed."""

    account: AccountId
    level: int
    margin_balance_e6: UsdE6
    maintenance_e6: UsdE6


@dataclass(frozen=True, slots=True)
class Leg:
    """One position to reduce: signed change in lots, worst acceptable price."""

    instrument: InstrumentId
    lots: Lots
    limit_price_e8: PriceE8


@dataclass(frozen=True, slots=True)
class LiquidationOrdered:
    """A step was ordered on an account below its trigger."""

    account: AccountId
    tier: Tier
    legs: tuple[Leg, ...]
    margin_balance_e6: UsdE6
    maintenance_e6: UsdE6
    ratio_e6: RatioE6


@dataclass(frozen=True, slots=True)
class PositionTransferred:
    """The backstop took over what the book did not, at the mark price."""

    instrument: InstrumentId
    price_e8: PriceE8
    lots: Lots
    giver: AccountId
    taker: AccountId


@dataclass(frozen=True, slots=True)
class CollateralSold:
    """Collateral changed hands for cash at its haircut price."""

    asset: int
    amount: int
    cash_e6: UsdE6
    seller: AccountId
    buyer: AccountId


@dataclass(frozen=True, slots=True)
class PenaltyCharged:
    """A liquidation fee went to the insurance fund."""

    account: AccountId
    amount_e6: UsdE6


@dataclass(frozen=True, slots=True)
class DeficitCovered:
    """The fund paid what an account could not; the shortfall stays with the account."""

    account: AccountId
    paid_e6: UsdE6
    shortfall_e6: UsdE6


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An output of the batch: claimable on chain once the batch is final."""

    output_id: int
    account: AccountId
    owner: bytes
    asset: int
    amount: int


@dataclass(frozen=True, slots=True)
class InstrumentSettled:
    """Every position in an expired instrument became cash at this value of one lot."""

    instrument: InstrumentId
    lot_value_e6: UsdE6


Event = (
    ParametersAdopted
    | ParametersReplaced
    | AccountOpened
    | Deposited
    | DepositReturned
    | ForcedDone
    | ForcedNoop
    | KeyGranted
    | KeyRevoked
    | NonceUsed
    | OrderRested
    | OrderClosed
    | Filled
    | PriceAccepted
    | BreakerTripped
    | PriceHeld
    | FundingAccrued
    | ChargesRevised
    | ModeChanged
    | MarginLevelChanged
    | LiquidationOrdered
    | PositionTransferred
    | CollateralSold
    | PenaltyCharged
    | DeficitCovered
    | Withdrawn
    | InstrumentSettled
)
