"""Data goes into blobs and comes back; nothing else does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.ledger.blob_data import (
    BLOB_BYTES,
    ELEMENT_BYTES,
    ELEMENTS,
    MAX_BLOBS,
    MAX_DATA_BYTES,
    WORD_BYTES,
    blob_count,
    first_filled,
    hash_of_blobs,
    pack,
    pieces,
    unpack,
)
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

EDGES = (1, ELEMENT_BYTES, ELEMENT_BYTES + 1, BLOB_BYTES - 1, BLOB_BYTES, BLOB_BYTES + 1)


def some(length: int) -> bytes:
    block = b"".join(keccak256(i.to_bytes(4)) for i in range(64))
    return (block * (length // len(block) + 1))[:length]


@pytest.mark.parametrize("length", [*EDGES, MAX_DATA_BYTES])
def test_data_of_any_length_comes_back(length: int) -> None:
    blobs = pack(some(length))
    assert len(blobs) == blob_count(length) <= MAX_BLOBS
    assert unpack(blobs, length) == some(length)


@settings(max_examples=25)
@given(st.binary(min_size=1, max_size=200))
def test_each_element_is_31_bytes_behind_a_zero(data: bytes) -> None:
    (blob,) = pack(data)
    assert len(blob) == ELEMENTS * WORD_BYTES
    for place in range(0, len(data) + ELEMENT_BYTES, ELEMENT_BYTES):
        word = blob[place // ELEMENT_BYTES * WORD_BYTES :][:WORD_BYTES]
        piece = data[place : place + ELEMENT_BYTES]
        assert word == b"\0" + piece + bytes(ELEMENT_BYTES - len(piece))


def test_what_lies_around_the_data_hides_none_of_it() -> None:
    (blob,) = pack(some(100))
    filled = bytearray(blob)
    filled[0] = filled[WORD_BYTES] = filled[-1] = 1
    assert unpack((bytes(filled),), 100) == some(100)
    assert pack(some(100)) != (bytes(filled),)


@pytest.mark.parametrize("at", [0, 31 * 3, BLOB_BYTES, BLOB_BYTES + 500])
def test_the_first_element_that_holds_anything_else_is_found(at: int) -> None:
    length = BLOB_BYTES + 100
    blobs = [bytearray(blob) for blob in pack(some(length))]
    assert first_filled([bytes(blob) for blob in blobs], length) is None
    element = at // ELEMENT_BYTES
    number, place = divmod(element, ELEMENTS)
    blobs[number][place * WORD_BYTES] = 7
    blobs[1][-1] = 7
    assert first_filled([bytes(blob) for blob in blobs], length) == element


@pytest.mark.parametrize("length", [0, MAX_DATA_BYTES + 1])
def test_what_fits_no_blobs_is_refused(length: int) -> None:
    with pytest.raises(EncodingError, match=f"{length} bytes go into no blobs"):
        pack(bytes(length))


def test_another_number_of_blobs_is_refused() -> None:
    (blob,) = pack(some(100))
    for blobs, length in (((), 100), ((blob, blob), 100), ((blob,), BLOB_BYTES + 1)):
        with pytest.raises(EncodingError, match=f"{length} bytes fill"):
            unpack(blobs, length)


def test_a_blob_of_another_size_is_refused() -> None:
    (blob,) = pack(some(100))
    with pytest.raises(EncodingError, match="a blob has 131072 bytes"):
        unpack((blob[:-1],), 100)


def test_a_piece_is_what_one_blob_holds() -> None:
    data = some(2 * BLOB_BYTES + 5)
    assert [len(piece) for piece in pieces(data)] == [BLOB_BYTES, BLOB_BYTES, 5]
    assert b"".join(pieces(data)) == data


def test_the_hash_of_blobs_depends_on_their_order() -> None:
    one, two = keccak256(b"one"), keccak256(b"two")
    assert hash_of_blobs((one, two)) == keccak256(one + two) != hash_of_blobs((two, one))
