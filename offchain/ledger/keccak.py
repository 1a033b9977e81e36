"""keccak256, by one backend and no other.

safe-pysha3 hashes 64 bytes in about 1.7 us. A silent fallback to a Python implementation would be
hundreds of times slower, and `hashlib.sha3_256` pads differently and so is another function;
therefore the module refuses to load without the right one.
"""

try:
    from sha3 import keccak_256
except ImportError as _missing:
    raise ImportError(
        "keccak256 needs the package safe-pysha3 (module sha3): install the locked requirements"
    ) from _missing

BACKEND = "safe-pysha3"
ZERO32 = bytes(32)


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 hash that Ethereum uses (not NIST SHA-3)."""
    digest: bytes = keccak_256(data).digest()
    return digest


EMPTY_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
if keccak256(b"") != EMPTY_HASH:
    raise ImportError("module sha3 is not safe-pysha3: keccak256 of nothing is wrong")
