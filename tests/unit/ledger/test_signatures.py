"""Signatures: deterministic, low s, and refused in every other form."""

import pytest
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend

from offchain.ledger.errors import SignatureError
from offchain.ledger.keccak import keccak256
from offchain.ledger.signatures import (
    BACKEND,
    CURVE_ORDER,
    HALF_ORDER,
    address_of,
    recover,
    sign,
)

KEY = bytes(31) + b"\x01"
DIGEST = keccak256(b"a message")


def test_the_address_of_the_smallest_key_is_the_known_one() -> None:
    assert address_of(KEY).hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


def test_libsecp256k1_is_what_eth_account_uses_too() -> None:
    assert BACKEND == "coincurve"
    assert isinstance(get_backend(), CoinCurveECCBackend)


def test_a_signature_recovers_its_signer_and_is_deterministic() -> None:
    signature = sign(DIGEST, KEY)
    assert recover(DIGEST, signature) == address_of(KEY)
    assert sign(DIGEST, KEY) == signature
    assert int.from_bytes(signature[32:64]) <= HALF_ORDER


def test_another_message_recovers_another_address() -> None:
    assert recover(keccak256(b"another"), sign(DIGEST, KEY)) != address_of(KEY)


def malformed() -> dict[str, bytes]:
    good = sign(DIGEST, KEY)
    r, s, v = good[:32], int.from_bytes(good[32:64]), good[64]
    flipped = (CURVE_ORDER - s).to_bytes(32)
    return {
        "empty": b"",
        "compact": good[:64],
        "long": good + b"\x00",
        "high s": r + flipped + bytes([55 - v]),
        "v 0": good[:64] + b"\x00",
        "v 1": good[:64] + b"\x01",
        "v 29": good[:64] + b"\x1d",
        "zero s": r + bytes(32) + bytes([v]),
        "zero r": bytes(32) + good[32:],
        "r of the order": CURVE_ORDER.to_bytes(32) + good[32:],
        "r not on the curve": (5).to_bytes(32) + good[32:],
    }


@pytest.mark.parametrize("name", malformed())
def test_every_other_form_is_refused(name: str) -> None:
    with pytest.raises(SignatureError):
        recover(DIGEST, malformed()[name])


@pytest.mark.parametrize("key", [b"", bytes(32), CURVE_ORDER.to_bytes(32), bytes(33)])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(SignatureError):
        sign(DIGEST, key)
    with pytest.raises(SignatureError):
        address_of(key)


def test_a_digest_has_32_bytes() -> None:
    with pytest.raises(SignatureError):
        sign(b"short", KEY)
    with pytest.raises(SignatureError):
        recover(b"short", sign(DIGEST, KEY))
