"""Solidity's `abi.encode` for the few shapes that we hash.

Everything committed is made of 32-byte words; `static` encodes a sequence of value types and
`dynamic_bytes` one `bytes`. Structs with arrays are put together where they are defined.
"""

from collections.abc import Sequence

from offchain.ledger.errors import EncodingError

WORD = 32
ADDRESS_BYTES = 20

Value = int | bytes


def unsigned(value: int, bits: int) -> bytes:
    """Return `value` as the word of a `uint<bits>`; EncodingError when it does not fit."""
    if not 0 <= value < 1 << bits:
        raise EncodingError(f"{value} is not a uint{bits}")
    return value.to_bytes(WORD, "big")


def signed(value: int, bits: int) -> bytes:
    """Return `value` as the word of an `int<bits>`; EncodingError when it does not fit."""
    half = 1 << (bits - 1)
    if not -half <= value < half:
        raise EncodingError(f"{value} is not an int{bits}")
    return value.to_bytes(WORD, "big", signed=True)


def address(value: bytes) -> bytes:
    """Return a 20-byte address as a word."""
    if len(value) != ADDRESS_BYTES:
        raise EncodingError(f"an address has 20 bytes, not {len(value)}")
    return bytes(WORD - ADDRESS_BYTES) + value


def bytes32(value: bytes) -> bytes:
    """Return a `bytes32`, which is its own word."""
    if len(value) != WORD:
        raise EncodingError(f"a bytes32 has 32 bytes, not {len(value)}")
    return value


def dynamic_bytes(value: bytes) -> bytes:
    """Return the tail of a `bytes`: its length, then its bytes padded with zeros to a word."""
    return len(value).to_bytes(WORD, "big") + value + bytes(-len(value) % WORD)


def static(types: Sequence[str], values: Sequence[Value]) -> bytes:
    """Return `abi.encode` of value types.

    Parameters
    ----------
    types : sequence of str
        Solidity names, such as ``uint64``, ``int32``, ``address``, ``bytes32``, ``bool``.
    values : sequence of int or bytes
        As many values.

    Raises
    ------
    EncodingError
        A value does not fit its type.
    """
    return b"".join([word(kind, value) for kind, value in zip(types, values, strict=True)])


def word(kind: str, value: Value) -> bytes:
    """Return one value as a word; EncodingError when it does not fit its type."""
    if isinstance(value, int):
        if kind == "bool":
            return unsigned(value, 1)
        if kind.startswith("uint"):
            return unsigned(value, int(kind[4:]))
        if kind.startswith("int"):
            return signed(value, int(kind[3:]))
    elif kind == "bytes32":
        return bytes32(value)
    elif kind == "address":
        return address(value)
    raise EncodingError(f"{type(value).__name__} is not a {kind}")
