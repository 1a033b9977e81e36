"""The gate for signed intents: signature, owner and expiry, before the sequencer sees them.

The machine refuses used nonces, expired intents and what the margin does not carry. Here is only
what it cannot know: whether the owner of the account signed, or a trading key of the owner. Nothing
is cached. Hold the sequencer's lock from the check to the order: a key may be revoked in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from offchain.core.units import DAY_NS, PRICE_BITS, SECOND_NS
from offchain.engine.messages import (
    CancelOrder,
    Convert,
    PlaceOrder,
    PriceReport,
    SetMode,
    Withdraw,
)
from offchain.engine.reasons import Reason
from offchain.ledger.errors import EncodingError, SignatureError
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import (
    Domain,
    cancel_digest,
    conversion_digest,
    mode_digest,
    observation_digest,
    order_digest,
    withdrawal_digest,
)

Intent = PlaceOrder | CancelOrder | Withdraw | SetMode | Convert


class IntentReason(IntEnum):
    """Why an intent is turned away at the gate; numbers continue the machine's 14xxx."""

    BAD_SIGNATURE = 14101
    WRONG_SIGNER = 14102
    EXPIRY_TOO_FAR = 14103
    OUT_OF_RANGE = 14104
    BAD_OBSERVATION = 14105


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer from the gate, of the same shape as the machine's `Rejected`."""

    reason: IntentReason | Reason
    numbers: tuple[tuple[str, int], ...] = ()


class Owners(Protocol):
    """The part of the engine's accounts that the gate reads."""

    count: int
    owner: list[bytes]


class Authority(Protocol):
    """The part of the engine's state that says who may sign."""

    @property
    def accounts(self) -> Owners:
        """The accounts and their owners."""
        ...

    def key_expiry_s(self, owner: bytes, key: bytes) -> int:
        """Return when a trading key of an owner ends [s], 0 when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """How far ahead an intent may expire.

    An order's expiry is also when it leaves the book, so it may lie far ahead; the other intents
    act at once, and a short window bounds how long a withheld one stays dangerous.
    """

    order_window_ns: int = 90 * DAY_NS
    action_window_ns: int = 600 * SECOND_NS


class Gateway:
    """Checks signed intents against the owners of the accounts and their trading keys."""

    def __init__(self, domain: Domain, terms: GatewayTerms | None = None) -> None:
        self.domain = domain
        self.terms = terms or GatewayTerms()

    def check(self, intent: Intent, state: Authority, now_ns: int) -> Refused | None:
        """Return why an intent is turned away, or None when it may go to the sequencer.

        Parameters
        ----------
        intent : PlaceOrder, CancelOrder, Withdraw, SetMode or Convert
            As it would be logged.
        state : Authority
            Of the engine; the signer must be authorised by it. What a trading key signs must expire
            no later than the key: then no delay on the way carries it past the end of the key.
        now_ns : int
            Time of the sequencer. [ns]
        """
        if not 0 <= intent.account < state.accounts.count:
            return Refused(Reason.UNKNOWN_ACCOUNT, (("account", intent.account),))
        if (late := self._expiry(intent, now_ns)) is not None:
            return late
        try:
            signer = recover(intent_digest(self.domain, intent), intent.signature)
        except EncodingError:
            return Refused(IntentReason.OUT_OF_RANGE)
        except SignatureError:
            return Refused(IntentReason.BAD_SIGNATURE)
        if not authorised(state, intent, signer, now_ns):
            return Refused(IntentReason.WRONG_SIGNER, (("account", intent.account),))
        return self._outlives_key(intent, state, signer)

    def _outlives_key(self, intent: Intent, state: Authority, signer: bytes) -> Refused | None:
        owner = state.accounts.owner[intent.account]
        if signer == owner:
            return None
        ends_ns = state.key_expiry_s(owner, signer) * SECOND_NS
        if intent.expires_at_ns <= ends_ns:
            return None
        figures = (("expires_at_ns", intent.expires_at_ns), ("key_expires_at_ns", ends_ns))
        return Refused(IntentReason.EXPIRY_TOO_FAR, figures)

    def _expiry(self, intent: Intent, now_ns: int) -> Refused | None:
        figures = (("expires_at_ns", intent.expires_at_ns), ("now_ns", now_ns))
        if intent.expires_at_ns <= now_ns:
            return Refused(Reason.INTENT_EXPIRED, figures)
        is_order = isinstance(intent, PlaceOrder)
        window = self.terms.order_window_ns if is_order else self.terms.action_window_ns
        if intent.expires_at_ns > now_ns + window:
            return Refused(IntentReason.EXPIRY_TOO_FAR, (*figures, ("window_ns", window)))
        return None


def authorised(state: Authority, intent: Intent, signer: bytes, time_ns: int) -> bool:
    """Tell whether a signer speaks for the account of an intent, at the time of its record.

    The owner may sign anything, an active trading key of the owner orders and cancels.
    """
    if not 0 <= intent.account < state.accounts.count:
        return False
    owner = state.accounts.owner[intent.account]
    if signer == owner:
        return True
    is_trading = isinstance(intent, PlaceOrder | CancelOrder)
    return is_trading and time_ns < state.key_expiry_s(owner, signer) * SECOND_NS


def check_report(domain: Domain, signers: Sequence[str], report: PriceReport) -> Refused | None:
    """Return why a price report is turned away, or None when every signature holds.

    Parameters
    ----------
    domain : Domain
        EIP-712 domain of OracleHub.
    signers : sequence of str
        0x addresses of the parameter set; an observation names its signer by place.
    """
    for seen in report.observations:
        refused = Refused(IntentReason.BAD_OBSERVATION, (("signer", seen.signer),))
        is_listed = 0 <= seen.signer < len(signers)
        if not is_listed or not all(0 < v < 1 << PRICE_BITS for v in seen.values):
            return refused
        if len(seen.spans) != len(seen.values):
            return refused
        try:
            digest = observation_digest(
                domain, report.round, report.observed_at_ns, seen.values, seen.spans
            )
            signer = recover(digest, seen.signature)
        except (EncodingError, SignatureError):
            return refused
        if f"0x{signer.hex()}" != signers[seen.signer]:
            return refused
    return None


def intent_digest(domain: Domain, intent: Intent) -> bytes:
    """Return the digest that the owner signs for any intent."""
    if isinstance(intent, PlaceOrder):
        return order_digest(domain, intent)
    if isinstance(intent, CancelOrder):
        return cancel_digest(domain, intent)
    if isinstance(intent, SetMode):
        return mode_digest(domain, intent)
    if isinstance(intent, Convert):
        return conversion_digest(domain, intent)
    return withdrawal_digest(domain, intent)
