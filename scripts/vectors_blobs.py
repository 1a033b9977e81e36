"""Write the golden vectors of blobs: elements and whole blobs, as a challenger opens them."""

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import ckzg  # type: ignore[import-not-found] # a C extension without stubs
import eth_account

from offchain.ledger.keccak import keccak256
from scripts.golden import Case, Files, case, write

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
ELEMENTS = 4_096
ELEMENT_BYTES = 31
BLOB_BYTES = ELEMENTS * ELEMENT_BYTES
ROOT_OF_UNITY = pow(7, (MODULUS - 1) // ELEMENTS, MODULUS)
VERSION = b"\x01"

FENCE, TIME_NS = 1, 1_700_000_000 * 10**9
WORDS_OF_GENESIS = 3_969
"""So that the data reaches into a second blob."""


@cache
def setup() -> object:
    """Return the trusted setup that the chain uses."""
    folder = Path(eth_account.__file__).parent
    (path,) = folder.rglob("kzg_trusted_setup.txt")
    return ckzg.load_trusted_setup(str(path), 0)


def frame(seq: int, kind: int, payload: bytes) -> bytes:
    """Return the frame of a record, a second after the last."""
    head = seq.to_bytes(8) + (TIME_NS + seq * 10**9).to_bytes(8) + FENCE.to_bytes(4)
    return head + bytes([kind]) + len(payload).to_bytes(4) + payload


def batch_data() -> bytes:
    """Return the posted data of a batch that fills one blob and begins another."""
    document = b"".join([keccak256(i.to_bytes(32)) for i in range(WORDS_OF_GENESIS)])
    frames = [frame(1, 1, document), *[frame(seq, 6, b"") for seq in (2, 3, 4)]]
    return b"".join(frames) + bytes(3) * len(frames)


def blobs_of(data: bytes) -> list[bytes]:
    """Return the blobs that hold the data."""
    pieces = [data[i : i + BLOB_BYTES] for i in range(0, len(data), BLOB_BYTES)]
    return [blob_of([p[i : i + ELEMENT_BYTES] for i in range(0, len(p), 31)]) for p in pieces]


def blob_of(chunks: Sequence[bytes]) -> bytes:
    """Return the blob of these elements, each behind a zero byte and filled with zeros."""
    elements = [b"\0" + chunk.ljust(ELEMENT_BYTES, b"\0") for chunk in chunks]
    return b"".join(elements).ljust(ELEMENTS * 32, b"\0")


def versioned_hash(commitment: bytes) -> bytes:
    """Return the hash by which the chain knows a blob."""
    return VERSION + sha256(commitment).digest()[1:]


def point_of(element: int) -> int:
    """Return where a blob has its element."""
    place = int(f"{element:012b}"[::-1], 2)
    return pow(ROOT_OF_UNITY, place, MODULUS)


def opened(blob: bytes, point: int) -> tuple[bytes, bytes]:
    """Return proof and value of a blob at a point."""
    proof, value = ckzg.compute_kzg_proof(blob, point.to_bytes(32), setup())
    return proof, value


def batch_cases() -> Iterator[Case]:
    """Yield a whole batch in two blobs."""
    data = batch_data()
    blobs = blobs_of(data)
    commitments = [ckzg.blob_to_kzg_commitment(blob, setup()) for blob in blobs]
    hashes = [versioned_hash(commitment) for commitment in commitments]
    pieces = [data[i : i + BLOB_BYTES] for i in range(0, len(data), BLOB_BYTES)]
    points = [
        int.from_bytes(keccak256(known + keccak256(piece))) % MODULUS
        for known, piece in zip(hashes, pieces, strict=True)
    ]
    openings = [opened(blob, point) for blob, point in zip(blobs, points, strict=True)]
    yield case(
        "batch",
        dataHash=keccak256(data),
        versionedHashes=hashes,
        commitments=commitments,
        proofs=[proof for proof, _ in openings],
        values=[value for _, value in openings],
    )
    for element in (1, ELEMENTS - 1, ELEMENTS, *[ELEMENTS + n for n in (3, 4, 100)]):
        blob, place = divmod(element, ELEMENTS)
        yield element_case(element, blobs[blob], commitments[blob], place)


def element_case(element: int, blob: bytes, commitment: bytes, place: int) -> Case:
    """Return one opened element."""
    proof, value = opened(blob, point_of(place))
    return case(
        f"element {element}",
        element=element,
        versionedHash=versioned_hash(commitment),
        commitment=commitment,
        value=value,
        proof=proof,
    )


def padded_cases() -> Iterator[Case]:
    """Yield elements of a blob that is not laid out as data is."""
    blob = bytearray(blob_of([bytes([7]) * ELEMENT_BYTES] * 4))
    blob[0] = 1  # the first byte of element 0
    commitment = ckzg.blob_to_kzg_commitment(bytes(blob), setup())
    for element in range(3):
        yield element_case(element, bytes(blob), commitment, element)


FILES: Files = {"blobs": batch_cases, "blobs_padded": padded_cases}

if __name__ == "__main__":
    sys.exit(write(FILES))
