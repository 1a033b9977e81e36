"""secp256k1 signatures as 65 bytes ``r || s || v``, by libsecp256k1 through coincurve.

Only the canonical form is accepted: v is 27 or 28 and s lies in the lower half, so a signature
cannot be changed into another one of the same message.
"""

try:
    from coincurve import PrivateKey, PublicKey
except ImportError as _missing:
    raise ImportError(
        "signatures need the package coincurve: install the locked requirements"
    ) from _missing

from offchain.ledger.errors import SignatureError
from offchain.ledger.keccak import keccak256

BACKEND = "coincurve"
SIGNATURE_BYTES = 65
CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
HALF_ORDER = CURVE_ORDER // 2
_V_OFFSET = 27


def sign(digest: bytes, private_key: bytes) -> bytes:
    """Return the deterministic (RFC 6979) signature of a 32-byte digest, with low s.

    Raises
    ------
    SignatureError
        The digest has not 32 bytes, or the key is not one.
    """
    if len(digest) != 32:
        raise SignatureError(f"a digest has 32 bytes, not {len(digest)}")
    signature: bytes = _key(private_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([signature[64] + _V_OFFSET])


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the 20-byte address whose key signed a digest.

    Raises
    ------
    SignatureError
        Wrong length, v not 27 or 28, r or s zero or out of range, s in the upper half, or no
        point of the curve.
    """
    if len(digest) != 32:
        raise SignatureError(f"a digest has 32 bytes, not {len(digest)}")
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"a signature has 65 bytes, not {len(signature)}")
    r, s, v = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64]
    if v not in (27, 28):
        raise SignatureError(f"v is 27 or 28, not {v}")
    if not 0 < r < CURVE_ORDER:
        raise SignatureError("r is out of range")
    if not 0 < s <= HALF_ORDER:
        raise SignatureError("s is zero or in the upper half of the order")
    compact = signature[:64] + bytes([v - _V_OFFSET])
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as fault:
        raise SignatureError("the signature recovers to no key") from fault
    return _address(key)


def address_of(private_key: bytes) -> bytes:
    """Return the 20-byte address of a 32-byte private key; SignatureError when it is not one."""
    return _address(_key(private_key).public_key)


def _key(private_key: bytes) -> PrivateKey:
    if len(private_key) != 32 or not 0 < int.from_bytes(private_key) < CURVE_ORDER:
        raise SignatureError("a private key has 32 bytes, above zero and below the order")
    return PrivateKey(private_key)


def _address(key: PublicKey) -> bytes:
    return keccak256(key.format(compressed=False)[1:])[12:]
