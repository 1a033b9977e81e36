"""keccak256 of messages in 64-bit lanes, for kernels that hash thousands of words at a time.

A call of `keccak256` costs more around the hash than in it. Here message and digest are little
endian lanes in arrays, so that a kernel encodes, hashes and hashes again without leaving machine
code. `keccak256` defines it; the permutation is that of FIPS 202, section 3.2.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.ledger.keccak import keccak256

Lanes = NDArray[np.uint64]
RATE_LANES = 17
STATE_LANES = 25
HASH_LANES = 4
ROUNDS = 24


def _round_constants() -> tuple[int, ...]:
    """Return the constants of iota: bits of a linear register, at places 2**j - 1."""
    constants, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            constant |= (register & 1) << ((1 << j) - 1)
            register <<= 1
            register ^= 0x171 * (register >> 8)
        constants.append(constant)
    return tuple(constants)


_IOTA = np.array(_round_constants(), np.uint64)


def digest_reference(message: Lanes) -> Lanes:
    """Return the hash of whole lanes by the one backend; this defines `digest`."""
    return lanes_of(keccak256(bytes_of(message)))


@njit(cache=True, nogil=True)
def _turned(lane: np.uint64, bits: int) -> np.uint64:
    return (lane << np.uint64(bits)) | (lane >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def permute(a: Lanes) -> None:
    """Apply keccak-f[1600] to 25 lanes in place; lane x + 5y stands at column x and row y."""
    a00, a01, a02, a03, a04 = a[0], a[1], a[2], a[3], a[4]
    a05, a06, a07, a08, a09 = a[5], a[6], a[7], a[8], a[9]
    a10, a11, a12, a13, a14 = a[10], a[11], a[12], a[13], a[14]
    a15, a16, a17, a18, a19 = a[15], a[16], a[17], a[18], a[19]
    a20, a21, a22, a23, a24 = a[20], a[21], a[22], a[23], a[24]
    for constant in _IOTA:
        c0 = a00 ^ a05 ^ a10 ^ a15 ^ a20
        c1 = a01 ^ a06 ^ a11 ^ a16 ^ a21
        c2 = a02 ^ a07 ^ a12 ^ a17 ^ a22
        c3 = a03 ^ a08 ^ a13 ^ a18 ^ a23
        c4 = a04 ^ a09 ^ a14 ^ a19 ^ a24
        d0, d1, d2 = c4 ^ _turned(c1, 1), c0 ^ _turned(c2, 1), c1 ^ _turned(c3, 1)
        d3, d4 = c2 ^ _turned(c4, 1), c3 ^ _turned(c0, 1)
        b00, b10 = a00 ^ d0, _turned(a01 ^ d1, 1)
        b20, b05, b15 = _turned(a02 ^ d2, 62), _turned(a03 ^ d3, 28), _turned(a04 ^ d4, 27)
        b16, b01 = _turned(a05 ^ d0, 36), _turned(a06 ^ d1, 44)
        b11, b21, b06 = _turned(a07 ^ d2, 6), _turned(a08 ^ d3, 55), _turned(a09 ^ d4, 20)
        b07, b17 = _turned(a10 ^ d0, 3), _turned(a11 ^ d1, 10)
        b02, b12, b22 = _turned(a12 ^ d2, 43), _turned(a13 ^ d3, 25), _turned(a14 ^ d4, 39)
        b23, b08 = _turned(a15 ^ d0, 41), _turned(a16 ^ d1, 45)
        b18, b03, b13 = _turned(a17 ^ d2, 15), _turned(a18 ^ d3, 21), _turned(a19 ^ d4, 8)
        b14, b24 = _turned(a20 ^ d0, 18), _turned(a21 ^ d1, 2)
        b09, b19, b04 = _turned(a22 ^ d2, 61), _turned(a23 ^ d3, 56), _turned(a24 ^ d4, 14)
        a00, a01, a02 = b00 ^ (~b01 & b02) ^ constant, b01 ^ (~b02 & b03), b02 ^ (~b03 & b04)
        a03, a04 = b03 ^ (~b04 & b00), b04 ^ (~b00 & b01)
        a05, a06, a07 = b05 ^ (~b06 & b07), b06 ^ (~b07 & b08), b07 ^ (~b08 & b09)
        a08, a09 = b08 ^ (~b09 & b05), b09 ^ (~b05 & b06)
        a10, a11, a12 = b10 ^ (~b11 & b12), b11 ^ (~b12 & b13), b12 ^ (~b13 & b14)
        a13, a14 = b13 ^ (~b14 & b10), b14 ^ (~b10 & b11)
        a15, a16, a17 = b15 ^ (~b16 & b17), b16 ^ (~b17 & b18), b17 ^ (~b18 & b19)
        a18, a19 = b18 ^ (~b19 & b15), b19 ^ (~b15 & b16)
        a20, a21, a22 = b20 ^ (~b21 & b22), b21 ^ (~b22 & b23), b22 ^ (~b23 & b24)
        a23, a24 = b23 ^ (~b24 & b20), b24 ^ (~b20 & b21)
    a[0], a[1], a[2], a[3], a[4] = a00, a01, a02, a03, a04
    a[5], a[6], a[7], a[8], a[9] = a05, a06, a07, a08, a09
    a[10], a[11], a[12], a[13], a[14] = a10, a11, a12, a13, a14
    a[15], a[16], a[17], a[18], a[19] = a15, a16, a17, a18, a19
    a[20], a[21], a[22], a[23], a[24] = a20, a21, a22, a23, a24


@njit(cache=True, nogil=True)
def digest(message: Lanes, count: int, state: Lanes, out: Lanes) -> None:
    """Write keccak256 of the first `count` lanes of a message into four lanes.

    Parameters
    ----------
    message : uint64[n]
        Little-endian lanes.
    count : int
        How many of them; the message is 8 x count bytes.
    state : uint64[25]
        Room to work in.
    out : uint64[4]
        The hash as little-endian lanes.
    """
    state[:] = 0
    place = 0
    for k in range(count):
        state[place] ^= message[k]
        place += 1
        if place == RATE_LANES:
            permute(state)
            place = 0
    state[place] ^= np.uint64(1)
    state[RATE_LANES - 1] ^= np.uint64(1) << np.uint64(63)
    permute(state)
    for k in range(HASH_LANES):
        out[k] = state[k]


_EVERY_OTHER_BYTE = np.uint64(0x00FF00FF00FF00FF)
_EVERY_OTHER_PAIR = np.uint64(0x0000FFFF0000FFFF)


@njit(cache=True, nogil=True)
def big_endian(value: np.uint64) -> np.uint64:
    """Return the lane whose eight bytes are a uint64 written big-endian."""
    swapped = ((value & _EVERY_OTHER_BYTE) << np.uint64(8)) | (
        (value >> np.uint64(8)) & _EVERY_OTHER_BYTE
    )
    swapped = ((swapped & _EVERY_OTHER_PAIR) << np.uint64(16)) | (
        (swapped >> np.uint64(16)) & _EVERY_OTHER_PAIR
    )
    return (swapped << np.uint64(32)) | (swapped >> np.uint64(32))


@njit(cache=True, nogil=True)
def put_word(message: Lanes, place: int, value: int) -> int:
    """Write an int64 as a word of the ABI at a lane; return the lane after it."""
    sign = np.uint64(value >> 63)
    message[place] = sign
    message[place + 1] = sign
    message[place + 2] = sign
    message[place + 3] = big_endian(np.uint64(value))
    return place + HASH_LANES


def lanes_of(data: bytes) -> Lanes:
    """Return whole lanes of bytes."""
    return np.frombuffer(data, "<u8").astype(np.uint64)


def bytes_of(lanes: Lanes) -> bytes:
    """Return the bytes of lanes."""
    return lanes.astype("<u8", copy=False).tobytes()


@njit(cache=True, nogil=True)
def fold(nodes: Lanes, state: Lanes, message: Lanes) -> None:
    """Hash every node above the leaves of a heap.

    Parameters
    ----------
    nodes : uint64[2 * width, 4]
        Row 1 is the root; the leaves fill the rows from `width`.
    state, message : uint64[25], uint64[8]
        Room to work in.
    """
    for node in range(nodes.shape[0] // 2 - 1, 0, -1):
        for lane in range(HASH_LANES):
            message[lane] = nodes[2 * node, lane]
            message[HASH_LANES + lane] = nodes[2 * node + 1, lane]
        digest(message, 2 * HASH_LANES, state, nodes[node])
