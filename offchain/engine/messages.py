"""The commands: everything that enters the machine from outside, as frozen values.

Each is a record type of the input log (`offchain.ledger.wire`). Signatures travel with the intent
that they cover; the machine treats them as opaque, the gateway checks them before, and the auditor
checks them again from the log.
"""

from dataclasses import dataclass
from enum import IntEnum

from offchain.core.oracle import Span
from offchain.core.parameters import RiskParameters
from offchain.core.terms import Terms
from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, TimestampNs, UsdE6


class EntryKind(IntEnum):
    """What an entry of the inbox asks for; a deposit has a command of its own."""

    DEPOSIT = 1
    WITHDRAWAL = 2
    CANCEL_ALL = 3
    CLOSE = 4
    GRANT = 5
    REVOKE = 6


class TimeInForce(IntEnum):
    """What happens to the part of an order that does not trade at once."""

    GOOD_TILL_CANCELLED = 0
    IMMEDIATE_OR_CANCEL = 1
    POST_ONLY = 2


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first record: the parameter set that everything follows from."""

    parameters: RiskParameters


@dataclass(frozen=True, slots=True)
class Deposit:
    """Entry `index` of the inbox, in order. Asset 0 is USDC (1e-6), others are 1e-8 units.

    `time_s` is the time of the block that has the entry. [s since 1970]
    """

    index: int
    time_s: int
    owner: bytes
    subaccount: int
    asset: int
    amount: int


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A signed limit order; positive lots buy."""

    account: AccountId
    instrument: InstrumentId
    lots: Lots
    limit_price_e8: PriceE8
    time_in_force: TimeInForce
    reduce_only: bool
    nonce: int
    expires_at_ns: TimestampNs
    signature: bytes


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """A signed cancellation of one resting order."""

    account: AccountId
    order_id: int
    nonce: int
    expires_at_ns: TimestampNs
    signature: bytes


@dataclass(frozen=True, slots=True)
class Observation:
    """What one oracle saw: for each feed a value, and a span since the oracle's report before.

    `signer` is its place in the parameter set.
    """

    signer: int
    values: tuple[int, ...]
    spans: tuple[Span, ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class PriceReport:
    """One round of observations, signers ascending."""

    round: int
    observed_at_ns: TimestampNs
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class FundingTick:
    """Accrue funding up to now."""


@dataclass(frozen=True, slots=True)
class Liquidate:
    """Take one liquidation step on an account below its trigger."""

    account: AccountId


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A signed withdrawal to the owner's address."""

    account: AccountId
    asset: int
    amount: int
    nonce: int
    expires_at_ns: TimestampNs
    signature: bytes


@dataclass(frozen=True, slots=True)
class SettleExpiry:
    """Settle an expired instrument in cash at the index price."""

    instrument: InstrumentId


@dataclass(frozen=True, slots=True)
class SetMode:
    """A signed change of the account's mode: 0 isolated, 1 cross, 2 portfolio."""

    account: AccountId
    mode: int
    nonce: int
    expires_at_ns: TimestampNs
    signature: bytes


@dataclass(frozen=True, slots=True)
class Convert:
    """A signed sale of collateral to the backstop, for at least `minimum_e6` of cash.

    The price is that of the index after the haircut. [asset id, token e-8, USD e-6]
    """

    account: AccountId
    asset: int
    amount: int
    minimum_e6: UsdE6
    nonce: int
    expires_at_ns: TimestampNs
    signature: bytes


@dataclass(frozen=True, slots=True)
class Forced:
    """Entry `index` of the inbox that is no deposit: what its owner forces from the chain.

    Attributes
    ----------
    time_s : int
        Time of the block that has the entry. [s since 1970]
    place : int
        The asset of a withdrawal, the instrument of a close, else zero.
    amount : int
        Of a withdrawal at most so much [token units], of a close at most so many lots (0 is all),
        of a grant when it expires [s since 1970], else zero.
    kind : EntryKind
        Not a deposit.
    key : bytes
        The trading key of a grant or a revocation (zero revokes all), else zero. 20 bytes.
    """

    index: int
    time_s: int
    owner: bytes
    subaccount: int
    place: int
    amount: int
    kind: EntryKind
    key: bytes


@dataclass(frozen=True, slots=True)
class Adopt:
    """The parameter set that governance put in force: a document, and the terms above it."""

    terms: Terms
    parameters: RiskParameters


Command = (
    Genesis
    | Deposit
    | PlaceOrder
    | CancelOrder
    | PriceReport
    | FundingTick
    | Liquidate
    | Withdraw
    | SettleExpiry
    | SetMode
    | Convert
    | Forced
    | Adopt
)
