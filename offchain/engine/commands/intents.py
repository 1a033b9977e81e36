"""What intents and inbox entries must satisfy before their own rule is asked."""

from offchain.core.units import AccountId
from offchain.engine.accounts import INSURANCE
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def refuse_intent(
    state: State, account: AccountId, nonce: int, expires_at_ns: int, time_ns: int
) -> Rejected | None:
    """Refuse an unknown or reserved account, a late intent and a used nonce (C-9)."""
    if not 0 <= account < state.accounts.count:
        return Rejected(Reason.UNKNOWN_ACCOUNT, (("account", account),))
    if account == INSURANCE:
        return Rejected(Reason.RESERVED_ACCOUNT, (("account", account),))
    if time_ns >= expires_at_ns:
        return Rejected(Reason.INTENT_EXPIRED, (("expires_at", expires_at_ns), ("now", time_ns)))
    if state.is_nonce_used(account, nonce):
        return Rejected(Reason.NONCE_USED, (("nonce", nonce),))
    return None


def refuse_gap(state: State, index: int) -> Rejected | None:
    """Refuse every inbox entry but the one after the cursor."""
    if index == state.inbox_cursor + 1:
        return None
    return Rejected(Reason.INBOX_GAP, (("index", index), ("cursor", state.inbox_cursor)))


def refuse_prices(state: State, time_ns: int) -> Rejected | None:
    """Refuse to act without fresh prices (O-1)."""
    market = state.market
    if market.arrays is None:
        return Rejected(Reason.NO_PRICES)
    age = time_ns - market.observed_at_ns
    if age > state.rules.oracle.heartbeat_ns:
        return Rejected(Reason.STALE_PRICES, (("age_ns", age),))
    return None


def refuse_unsettled_prices(state: State, time_ns: int) -> Rejected | None:
    """Refuse without fresh prices, and while a jump waits for confirmation (O-1, O-6)."""
    pending = state.market.pending
    if pending is not None:
        return Rejected(Reason.STALE_PRICES, (("pending_round", pending.round),))
    return refuse_prices(state, time_ns)
