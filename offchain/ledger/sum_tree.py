"""The Merkle sum tree of a checkpoint, hashed where its numbers lie.

Of the depth and indices of the account tree; a node carries what all accounts below it are owed.
``nodeHash = keccak256(leftHash | leftSums | rightHash | rightSums)``, a sum has 16 bytes, and an
empty subtree is zeros throughout. `root_reference` defines it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.keccak_lanes import (
    HASH_LANES,
    STATE_LANES,
    Lanes,
    big_endian,
    bytes_of,
    digest,
    put_word,
)
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH, MAX_ACCOUNTS

Int64Array = NDArray[np.int64]
WORD_BYTES = 32
SUM_BYTES = 16
FIXED_SUMS = 3
"""Equity, owed and debt; then one for each asset."""
LEAF_HEAD_WORDS = 7


@dataclass(frozen=True, slots=True)
class SumNode:
    """A node: its hash, and its sums in the order of the tree."""

    hash: bytes
    sums: tuple[int, ...]

    def packed(self) -> bytes:
        """Return ``hash | sums`` as a parent hashes it and as a path carries it."""
        return self.hash + b"".join([amount.to_bytes(SUM_BYTES) for amount in self.sums])


def parent(left: SumNode, right: SumNode) -> SumNode:
    """Return the node above two; above two empty ones it is empty."""
    sums = tuple(a + b for a, b in zip(left.sums, right.sums, strict=True))
    if left.hash == right.hash == ZERO32:
        return SumNode(ZERO32, sums)
    return SumNode(keccak256(left.packed() + right.packed()), sums)


def root_reference(leaves: Sequence[SumNode], width: int) -> SumNode:
    """Return the root over leaves 0, 1, .. with `width` sums each, by the definition."""
    empty = SumNode(ZERO32, (0,) * width)
    level = list(leaves) or [empty]
    for _ in range(ACCOUNT_TREE_DEPTH):
        level += [empty] * (len(level) % 2)
        level = [parent(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def root_from(leaf: SumNode, index: int, path: bytes) -> SumNode:
    """Return the root that a leaf and its packed path lead to.

    Raises
    ------
    EncodingError
        The path has not 20 siblings with as many sums as the leaf.
    """
    size = WORD_BYTES + SUM_BYTES * len(leaf.sums)
    if len(path) != ACCOUNT_TREE_DEPTH * size or not 0 <= index < MAX_ACCOUNTS:
        raise EncodingError(f"a path has {ACCOUNT_TREE_DEPTH} siblings of {size} bytes")
    node = leaf
    for height in range(ACCOUNT_TREE_DEPTH):
        sibling = _unpack(path[height * size : (height + 1) * size])
        pair = (sibling, node) if index >> height & 1 else (node, sibling)
        node = parent(*pair)
    return node


def _unpack(packed: bytes) -> SumNode:
    places = range(WORD_BYTES, len(packed), SUM_BYTES)
    sums = tuple(int.from_bytes(packed[i : i + SUM_BYTES]) for i in places)
    return SumNode(packed[:WORD_BYTES], sums)


@njit(cache=True, nogil=True)
def _put_node(message: Lanes, place: int, hash_: Lanes, sums: Lanes) -> int:
    """Write ``hash | sums`` at a lane; sums are pairs of high and low halves."""
    for lane in range(HASH_LANES):
        message[place + lane] = hash_[lane]
    place += HASH_LANES
    for half in range(sums.shape[0]):
        message[place + half] = big_endian(sums[half])
    return place + int(sums.shape[0])


@njit(cache=True, nogil=True)
def _add_up(hashes: Lanes, sums: Lanes, node: int, room: Lanes) -> None:
    """Make a node of the two below it; `parent` defines it."""
    left, right = 2 * node, 2 * node + 1
    carry = np.uint64(0)
    for half in range(sums.shape[1] - 1, -1, -1):
        total = sums[left, half] + sums[right, half]
        is_low = half % 2 == 1
        if not is_low:
            total += carry  # sums of 2**20 numbers below 2**63 leave the high half far from full
        carry = np.uint64(1) if is_low and total < sums[left, half] else np.uint64(0)
        sums[node, half] = total
    is_empty = True
    for lane in range(HASH_LANES):
        if hashes[left, lane] != 0 or hashes[right, lane] != 0:
            is_empty = False
    if is_empty:
        hashes[node] = 0
        return
    message = room[STATE_LANES:]
    place = _put_node(message, 0, hashes[left], sums[left])
    place = _put_node(message, place, hashes[right], sums[right])
    digest(message, place, room[:STATE_LANES], hashes[node])


@njit(cache=True, nogil=True)
def fill_tree(
    hashes: Lanes, sums: Lanes, owners: Lanes, subaccounts: Int64Array, amounts: Int64Array
) -> None:
    """Hash leaves and nodes of a whole heap.

    Parameters
    ----------
    hashes : uint64[2 * capacity, 4]
        The heap, filled in from row `capacity`; zero before.
    sums : uint64[2 * capacity, 2 * w]
        High and low halves of the sums of each node; zero before.
    owners, subaccounts : uint64[n, 4], int64[n]
        Of each account: the word of its owner, and its number.
    amounts : int64[n, w]
        Equity, owed, debt, then collateral by asset; not negative.
    """
    capacity, width = hashes.shape[0] // 2, amounts.shape[1]
    assets = width - FIXED_SUMS
    words = max(2 + LEAF_HEAD_WORDS + assets, 2 * (2 + width))
    room = np.zeros(STATE_LANES + words * HASH_LANES, np.uint64)
    state, message = room[:STATE_LANES], room[STATE_LANES:]
    for a in range(amounts.shape[0]):
        place = put_word(message, 0, WORD_BYTES)
        place = put_word(message, place, a)
        for lane in range(HASH_LANES):
            message[place + lane] = owners[a, lane]
        place = put_word(message, place + HASH_LANES, subaccounts[a])
        for k in range(FIXED_SUMS):
            place = put_word(message, place, amounts[a, k])
        place = put_word(message, place, LEAF_HEAD_WORDS * WORD_BYTES)
        place = put_word(message, place, assets)
        for k in range(FIXED_SUMS, width):
            place = put_word(message, place, amounts[a, k])
        digest(message, place, state, hashes[capacity + a])
        for k in range(width):
            sums[capacity + a, 2 * k + 1] = np.uint64(amounts[a, k])
    for node in range(capacity - 1, 0, -1):
        _add_up(hashes, sums, node, room)


class SumTree:
    """A whole sum tree, for its root and for paths."""

    def __init__(self, owners: Lanes, subaccounts: Int64Array, amounts: Int64Array) -> None:
        """Hash the leaves of accounts 0, 1, ..; arguments as in `fill_tree`."""
        count, width = amounts.shape
        capacity: int = 1 << max(count - 1, 0).bit_length()
        assert capacity <= MAX_ACCOUNTS
        assert not count or amounts.min() >= 0
        self._width = width
        self._hashes: Lanes = np.zeros((2 * capacity, HASH_LANES), np.uint64)
        self._sums: Lanes = np.zeros((2 * capacity, 2 * width), np.uint64)
        fill_tree(self._hashes, self._sums, owners, subaccounts, amounts)
        self._spine: list[SumNode] = [self._row(1)]
        self._height: int = capacity.bit_length() - 1
        empty = SumNode(ZERO32, (0,) * width)
        for _ in range(self._height, ACCOUNT_TREE_DEPTH):
            self._spine.append(parent(self._spine[-1], empty))

    @property
    def root(self) -> SumNode:
        """The root, over all 2**20 places."""
        return self._spine[-1]

    def path(self, index: int) -> bytes:
        """Return the 20 siblings of a leaf, packed, leaf level first.

        Raises
        ------
        EncodingError
            The index is beyond the tree.
        """
        if not 0 <= index < MAX_ACCOUNTS:
            raise EncodingError(f"account indices are below {MAX_ACCOUNTS}")
        siblings = [self._node(h, index >> h ^ 1) for h in range(ACCOUNT_TREE_DEPTH)]
        return b"".join([sibling.packed() for sibling in siblings])

    def _node(self, height: int, index: int) -> SumNode:
        width: int = 1 << self._height >> height
        if index < width:
            return self._row(width + index)
        if height >= self._height and index == 0:
            return self._spine[height - self._height]
        return SumNode(ZERO32, (0,) * self._width)

    def _row(self, row: int) -> SumNode:
        halves: list[int] = self._sums[row].tolist()
        sums = tuple(halves[k] << 64 | halves[k + 1] for k in range(0, len(halves), 2))
        return SumNode(bytes_of(self._hashes[row]), sums)
