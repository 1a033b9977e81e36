"""What the chain knows of blobs: commitments, versioned hashes, and openings for challenges.

The trusted setup is the one that comes with eth-account; nothing is downloaded. Loading it takes
seconds, so it happens once, at the first use.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import ckzg  # type: ignore[import-not-found] # a C extension without stubs
from eth_account.typed_transactions.base import TRUSTED_SETUP

from offchain.ledger.blob_data import ELEMENTS, hash_of_blobs, pack
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Of the scalar field of BLS12-381."""
ROOT_OF_UNITY = pow(7, (MODULUS - 1) // ELEMENTS, MODULUS)
INDEX_BITS = 12
VERSION = b"\x01"
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opening:
    """A blob's value at a point, as the point evaluation of EIP-4844 takes it.

    Attributes
    ----------
    point, value : bytes
        32 bytes each.
    commitment, proof : bytes
        48 bytes each.
    """

    point: bytes
    value: bytes
    commitment: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What travels beside a transaction: its blobs, and what proves them (EIP-7594)."""

    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    cell_proofs: tuple[bytes, ...]

    @property
    def versioned_hashes(self) -> tuple[bytes, ...]:
        """The hashes by which the transaction names its blobs."""
        return tuple(_version(commitment) for commitment in self.commitments)


def commitment_of(blob: bytes) -> bytes:
    """Return the KZG commitment of a blob, 48 bytes.

    Raises
    ------
    EncodingError
        It has another size, or an element that is not below the modulus.
    """
    try:
        made: bytes = ckzg.blob_to_kzg_commitment(blob, _setup())
    except (RuntimeError, ValueError) as fault:
        raise EncodingError(f"{len(blob)} bytes are no blob: {fault}") from fault
    return made


def versioned_hash(blob: bytes) -> bytes:
    """Return the hash by which the chain knows a blob; EncodingError when it is none."""
    return _version(commitment_of(blob))


def blob_hash(data: bytes) -> bytes:
    """Return `daHash` of data that goes into blobs; EncodingError when it does not fit."""
    return hash_of_blobs([versioned_hash(blob) for blob in pack(data)])


def sidecar(blobs: Sequence[bytes]) -> Sidecar:
    """Return blobs with what a node wants to see beside them; it takes a second for each."""
    proofs: list[bytes] = []
    for blob in blobs:
        proofs += ckzg.compute_cells_and_kzg_proofs(blob, _setup())[1]
    return Sidecar(tuple(blobs), tuple(commitment_of(blob) for blob in blobs), tuple(proofs))


def blob_opening(blob: bytes, index: int) -> Opening:
    """Return the opening of element `index` of a blob.

    Raises
    ------
    EncodingError
        The blob has no such element, or is none.
    """
    if not 0 <= index < ELEMENTS:
        raise EncodingError(f"element {index} of {ELEMENTS}")
    place = int(f"{index:0{INDEX_BITS}b}"[::-1], 2)
    return _opening(blob, pow(ROOT_OF_UNITY, place, MODULUS))


def piece_opening(blob: bytes, piece: bytes) -> Opening:
    """Return the opening that shows whether a blob holds just this piece of the data.

    The point follows from both, as in `BlobData.pointOf`.
    """
    seed = keccak256(versioned_hash(blob) + keccak256(piece))
    return _opening(blob, int.from_bytes(seed) % MODULUS)


def _opening(blob: bytes, point: int) -> Opening:
    commitment, z = commitment_of(blob), point.to_bytes(32)
    proof, value = ckzg.compute_kzg_proof(blob, z, _setup())
    return Opening(z, value, commitment, proof)


def _version(commitment: bytes) -> bytes:
    return VERSION + sha256(commitment).digest()[1:]


def _setup() -> object:
    with _LOADING:  # a cache alone would let two threads load it
        return _load()


@cache
def _load() -> object:
    return ckzg.load_trusted_setup(TRUSTED_SETUP, 0)
