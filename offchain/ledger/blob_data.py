"""Posted data as blobs: pieces of 31 bytes behind a zero byte, 4,096 to a blob.

The layout alone. What the chain knows of a blob is its versioned hash, and that takes the trusted
setup: see `offchain.adapters.blobs`.
"""

from collections.abc import Sequence

from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

ELEMENTS = 4_096
"""Field elements of a blob."""
WORD_BYTES, ELEMENT_BYTES = 32, 31
"""Bytes of an element, and how many of them hold data: the first is zero."""
BLOB_BYTES = ELEMENTS * ELEMENT_BYTES
"""What a blob holds. [bytes]"""
MAX_BLOBS = 2
"""Of one transaction."""
MAX_DATA_BYTES = MAX_BLOBS * BLOB_BYTES


def blob_count(length: int) -> int:
    """Return how many blobs data fills; the last of them need not be full."""
    return -(-length // BLOB_BYTES)


def pieces(data: bytes) -> list[bytes]:
    """Return the part of the data that each blob holds."""
    return [data[i : i + BLOB_BYTES] for i in range(0, len(data), BLOB_BYTES)]


def pack(data: bytes) -> tuple[bytes, ...]:
    """Return the blobs that hold data.

    Raises
    ------
    EncodingError
        There is no data, or more than the blobs of a transaction hold.
    """
    if not 0 < len(data) <= MAX_DATA_BYTES:
        raise EncodingError(f"{len(data)} bytes go into no blobs, at most {MAX_DATA_BYTES} do")
    return tuple(_blob(piece) for piece in pieces(data))


def unpack(blobs: Sequence[bytes], length: int) -> bytes:
    """Return the first `length` bytes that blobs hold.

    Whatever lies around them is left alone: one who fills it cannot make the data unreadable.
    Whether it is zero is seen by packing the data again.

    Raises
    ------
    EncodingError
        A blob has another size, or there are not just as many blobs as the data fills.
    """
    if len(blobs) != blob_count(length):
        raise EncodingError(f"{length} bytes fill {blob_count(length)} blobs, not {len(blobs)}")
    words = b"".join(blobs)
    if any(len(blob) != ELEMENTS * WORD_BYTES for blob in blobs):
        raise EncodingError(f"a blob has {ELEMENTS * WORD_BYTES} bytes")
    chunks = [words[i + 1 : i + WORD_BYTES] for i in range(0, len(words), WORD_BYTES)]
    return b"".join(chunks)[:length]


def first_filled(blobs: Sequence[bytes], length: int) -> int | None:
    """Return the first element that holds anything besides the data, None when all is zero."""
    honest = pack(unpack(blobs, length))
    for number, (blob, packed) in enumerate(zip(blobs, honest, strict=True)):
        for start in range(0, len(blob) if blob != packed else 0, WORD_BYTES):
            if blob[start : start + WORD_BYTES] != packed[start : start + WORD_BYTES]:
                return number * ELEMENTS + start // WORD_BYTES
    return None


def hash_of_blobs(versioned_hashes: Sequence[bytes]) -> bytes:
    """Return `daHash` of a batch in these blobs."""
    return keccak256(b"".join(versioned_hashes))


def _blob(piece: bytes) -> bytes:
    chunks = [piece[i : i + ELEMENT_BYTES] for i in range(0, len(piece), ELEMENT_BYTES)]
    words = [b"\0" + chunk.ljust(ELEMENT_BYTES, b"\0") for chunk in chunks]
    return b"".join(words).ljust(ELEMENTS * WORD_BYTES, b"\0")
