"""The gate for signed intents: signature, owner and expiry, before the sequencer sees them.

The machine refuses used nonces, expired intents and what the margin does not carry. Here is only
what it cannot know: whether the owner of the account signed. Nothing is cached.
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


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """How far ahead an intent may expire.

    An order's expiry is also when it leaves the book, so it may lie far ahead; the other intents
    act at once, and a short window bounds how long a withheld one stays dangerous.
    """

    order_window_ns: int = 90 * DAY_NS
    action_window_ns: int = 600 * SECOND_NS


class Gateway:
    """Checks signed intents against the owners of the accounts."""

    def __init__(self, domain: Domain, terms: GatewayTerms | None = None) -> None:
        self.domain = domain
        self.terms = terms or GatewayTerms()

    def check(self, intent: Intent, accounts: Owners, now_ns: int) -> Refused | None:
        """Return why an intent is turned away, or None when it may go to the sequencer.

        Parameters
        ----------
        intent : PlaceOrder, CancelOrder, Withdraw, SetMode or Convert
            As it would be logged.
        accounts : Owners
            The accounts of the engine; the signer must be the owner of the intent's account.
        now_ns : int
            Time of the sequencer. [ns]
        """
        if not 0 <= intent.account < accounts.count:
            return Refused(Reason.UNKNOWN_ACCOUNT, (("account", intent.account),))
        if (late := self._expiry(intent, now_ns)) is not None:
            return late
        try:
            signer = recover(intent_digest(self.domain, intent), intent.signature)
        except EncodingError:
            return Refused(IntentReason.OUT_OF_RANGE)
        except SignatureError:
            return Refused(IntentReason.BAD_SIGNATURE)
        if signer != accounts.owner[intent.account]:
            return Refused(IntentReason.WRONG_SIGNER, (("account", intent.account),))
        return None

    def _expiry(self, intent: Intent, now_ns: int) -> Refused | None:
        figures = (("expires_at_ns", intent.expires_at_ns), ("now_ns", now_ns))
        if intent.expires_at_ns <= now_ns:
            return Refused(Reason.INTENT_EXPIRED, figures)
        is_order = isinstance(intent, PlaceOrder)
        window = self.terms.order_window_ns if is_order else self.terms.action_window_ns
        if intent.expires_at_ns > now_ns + window:
            return Refused(IntentReason.EXPIRY_TOO_FAR, (*figures, ("window_ns", window)))
        return None


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
        try:
            digest = observation_digest(domain, report.round, report.observed_at_ns, seen.values)
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
