"""Only the owner of an account and its trading keys speak for it, and not for long (C-9, C-10)."""

from dataclasses import replace

import pytest

from offchain.core.units import AccountId, InstrumentId, Lots, PriceE8, TimestampNs, UsdE6
from offchain.engine.messages import (
    CancelOrder,
    Convert,
    PlaceOrder,
    SetMode,
    TimeInForce,
    Withdraw,
)
from offchain.engine.reasons import Reason
from offchain.engine.state import State
from offchain.ledger.typed_data import Domain
from offchain.services.gateway import (
    Gateway,
    Intent,
    IntentReason,
    Refused,
    authorised,
    intent_digest,
)
from offchain.services.signing import KeySigner

DOMAIN = Domain(31337, bytes(19) + b"\x05")
OWNER, STRANGER = KeySigner(bytes(31) + b"\x11"), KeySigner(bytes(31) + b"\x12")
KEY = KeySigner(bytes(31) + b"\x13")
NOW = 1_000_000_000_000
NOW_S = NOW // 10**9
SOON = TimestampNs(NOW + 10**9)
ACCOUNT = AccountId(1)

ORDER = PlaceOrder(
    ACCOUNT,
    InstrumentId(3),
    Lots(-7),
    PriceE8(100),
    TimeInForce.POST_ONLY,
    reduce_only=False,
    nonce=2**64 - 1,
    expires_at_ns=SOON,
    signature=b"",
)
CANCEL = CancelOrder(ACCOUNT, 9, 5, SOON, b"")
WITHDRAWAL = Withdraw(ACCOUNT, 0, 10**6, 6, SOON, b"")
MODE = SetMode(ACCOUNT, 1, 7, SOON, b"")
CONVERSION = Convert(ACCOUNT, 2, 10**8, UsdE6(0), 8, SOON, b"")
INTENTS: list[Intent] = [ORDER, CANCEL, WITHDRAWAL, MODE, CONVERSION]


def state_of(*keys: tuple[KeySigner, int]) -> State:
    """Return a state with two accounts; the owner of the second granted some keys until a time."""
    state = State()
    state.accounts.open(bytes(20), 0)
    state.accounts.open(OWNER.address, 0)
    for key, until_s in keys:
        state.grant_key(OWNER.address, key.address, until_s, 0)
    return state


def signed(intent: Intent, key: KeySigner = OWNER, domain: Domain = DOMAIN) -> Intent:
    return replace(intent, signature=key.sign(intent_digest(domain, intent)))


def check(intent: Intent, state: State | None = None) -> Refused | None:
    return Gateway(DOMAIN).check(intent, state or state_of(), NOW)


def reason(intent: Intent, state: State | None = None) -> object:
    refused = check(intent, state)
    return refused.reason if refused else None


@pytest.mark.parametrize("intent", INTENTS)
def test_the_owner_passes_and_anybody_else_does_not(intent: Intent) -> None:
    assert check(signed(intent)) is None
    assert reason(signed(intent, STRANGER)) == IntentReason.WRONG_SIGNER


@pytest.mark.parametrize("intent", INTENTS)
def test_a_trading_key_orders_and_cancels_and_does_nothing_else(intent: Intent) -> None:
    state = state_of((KEY, NOW_S + 60))
    allowed = isinstance(intent, PlaceOrder | CancelOrder)
    assert reason(signed(intent, KEY), state) == (None if allowed else IntentReason.WRONG_SIGNER)
    assert reason(signed(intent, STRANGER), state) == IntentReason.WRONG_SIGNER
    assert reason(signed(replace(intent, account=AccountId(0)), KEY), state) == (
        IntentReason.WRONG_SIGNER
    )
    assert check(signed(intent), state) is None


def test_a_key_signs_no_more_once_it_ended_or_was_revoked() -> None:
    assert reason(signed(ORDER, KEY), state_of((KEY, NOW_S))) == IntentReason.WRONG_SIGNER
    state = state_of((KEY, NOW_S + 1), (STRANGER, NOW_S + 1))
    assert check(signed(ORDER, KEY), state) is None
    state.revoke_keys(OWNER.address, KEY.address)
    assert reason(signed(ORDER, KEY), state) == IntentReason.WRONG_SIGNER
    assert check(signed(ORDER, STRANGER), state) is None


def test_what_a_key_signs_expires_no_later_than_the_key() -> None:
    state = state_of((KEY, NOW_S + 1))
    end = TimestampNs((NOW_S + 1) * 10**9)
    assert check(signed(replace(ORDER, expires_at_ns=end), KEY), state) is None
    late = replace(ORDER, expires_at_ns=TimestampNs(end + 1))
    refused = check(signed(late, KEY), state)
    assert refused is not None
    assert refused.reason is IntentReason.EXPIRY_TOO_FAR
    assert dict(refused.numbers)["key_expires_at_ns"] == end
    assert check(signed(late), state) is None


def test_authority_is_asked_at_the_time_of_the_record() -> None:
    state, end = state_of((KEY, NOW_S + 1)), (NOW_S + 1) * 10**9
    assert authorised(state, ORDER, KEY.address, end - 1)
    assert not authorised(state, ORDER, KEY.address, end)
    assert not authorised(state, WITHDRAWAL, KEY.address, end - 1)
    assert authorised(state, WITHDRAWAL, OWNER.address, end)
    assert not authorised(state, replace(ORDER, account=AccountId(2)), OWNER.address, end)
    assert not authorised(state, replace(ORDER, account=AccountId(-1)), OWNER.address, end)


@pytest.mark.parametrize("intent", INTENTS)
def test_every_changed_field_breaks_the_signature(intent: Intent) -> None:
    whole = signed(intent)
    assert reason(replace(whole, nonce=4)) == IntentReason.WRONG_SIGNER
    later = replace(whole, expires_at_ns=TimestampNs(SOON + 1))
    assert reason(later) == IntentReason.WRONG_SIGNER


@pytest.mark.parametrize(
    ("intent", "field", "value"),
    [
        (MODE, "mode", 2),
        (CONVERSION, "asset", 1),
        (CONVERSION, "amount", 10**8 + 1),
        (CONVERSION, "minimum_e6", 1),
    ],
)
def test_what_is_asked_for_is_signed(intent: Intent, field: str, value: int) -> None:
    changed: Intent = replace(signed(intent), **{field: value})  # type: ignore[arg-type]
    assert reason(changed) == IntentReason.WRONG_SIGNER


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("domain", [Domain(1, DOMAIN.contract), Domain(31337, bytes(20))])
def test_a_signature_for_another_chain_or_contract_does_not_count(
    intent: Intent, domain: Domain
) -> None:
    assert reason(signed(intent, domain=domain)) == IntentReason.WRONG_SIGNER


@pytest.mark.parametrize("signature", [b"", bytes(65), bytes(64), bytes(66), b"\xff" * 65])
def test_a_malformed_signature_is_refused(signature: bytes) -> None:
    assert reason(replace(ORDER, signature=signature)) == IntentReason.BAD_SIGNATURE


def test_a_malleated_signature_is_refused() -> None:
    order = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    good = signed(ORDER).signature
    flipped = (order - int.from_bytes(good[32:64])).to_bytes(32) + bytes([55 - good[64]])
    assert reason(replace(ORDER, signature=good[:32] + flipped)) == IntentReason.BAD_SIGNATURE


@pytest.mark.parametrize("account", [2, -1, 2**32])
def test_an_unknown_account_is_refused(account: int) -> None:
    assert reason(replace(CANCEL, account=AccountId(account))) == Reason.UNKNOWN_ACCOUNT


@pytest.mark.parametrize("intent", INTENTS)
def test_an_expired_intent_is_refused(intent: Intent) -> None:
    assert reason(signed(replace(intent, expires_at_ns=TimestampNs(NOW)))) == Reason.INTENT_EXPIRED


def test_only_an_order_may_expire_far_ahead() -> None:
    far = TimestampNs(NOW + 3600 * 10**9)
    assert reason(signed(replace(ORDER, expires_at_ns=far))) is None
    assert reason(signed(replace(CANCEL, expires_at_ns=far))) == IntentReason.EXPIRY_TOO_FAR
    for intent in (WITHDRAWAL, MODE, CONVERSION):
        assert reason(signed(replace(intent, expires_at_ns=far))) == IntentReason.EXPIRY_TOO_FAR
    beyond = TimestampNs(NOW + 91 * 86_400 * 10**9)
    assert reason(signed(replace(ORDER, expires_at_ns=beyond))) == IntentReason.EXPIRY_TOO_FAR


@pytest.mark.parametrize(
    "intent",
    [
        replace(ORDER, lots=Lots(2**31)),
        replace(ORDER, instrument=InstrumentId(2**16)),
        replace(ORDER, limit_price_e8=PriceE8(-1)),
        replace(ORDER, nonce=2**64),
        replace(WITHDRAWAL, amount=2**64),
        replace(MODE, mode=2**8),
        replace(CONVERSION, asset=2**8),
        replace(CONVERSION, minimum_e6=UsdE6(-1)),
    ],
)
def test_a_value_outside_its_type_is_refused(intent: Intent) -> None:
    assert reason(replace(intent, signature=bytes(65))) == IntentReason.OUT_OF_RANGE
