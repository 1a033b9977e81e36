"""Keccak trees: the account tree of fixed depth, and list trees.

A node is ``keccak256(left || right)``; leaves are hashes of preimages longer than 64 bytes, so a
node never passes for a leaf. `contracts/libraries/Merkle.sol` is the same rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.keccak_lanes import (
    HASH_LANES,
    STATE_LANES,
    bytes_of,
    fold,
    lanes_of,
)

ACCOUNT_TREE_DEPTH = 20
MAX_ACCOUNTS = 1 << ACCOUNT_TREE_DEPTH
MAX_LIST_DEPTH = 32


def _empty_subtrees(depth: int) -> tuple[bytes, ...]:
    hashes = [ZERO32]
    for _ in range(depth):
        hashes.append(keccak256(hashes[-1] + hashes[-1]))
    return tuple(hashes)


EMPTY_SUBTREES = _empty_subtrees(ACCOUNT_TREE_DEPTH)
"""Hash of the subtree of a given height in which every leaf is absent (bytes32(0))."""


class AccountTree:
    """The tree over account leaves, kept up to date leaf by leaf.

    Absent leaves are bytes32(0). Updating a leaf costs one hash a level (about 45 us), and leaves
    that are updated together share the levels above.
    """

    def __init__(self) -> None:
        self._levels: list[dict[int, bytes]] = [{} for _ in range(ACCOUNT_TREE_DEPTH + 1)]

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return self._levels[-1].get(0, EMPTY_SUBTREES[-1])

    def leaf(self, account: int) -> bytes:
        """Return the leaf hash of an account, bytes32(0) when it is absent."""
        return self._levels[0].get(account, ZERO32)

    def update(self, leaves: Mapping[int, bytes]) -> None:
        """Set the leaf hashes of some accounts; EncodingError when an index is out of range."""
        if any(not 0 <= account < MAX_ACCOUNTS for account in leaves):
            raise EncodingError(f"account indices are below {MAX_ACCOUNTS}")
        self._levels[0].update(leaves)
        changed: Iterable[int] = leaves
        for height in range(ACCOUNT_TREE_DEPTH):
            nodes, above, empty = (
                self._levels[height],
                self._levels[height + 1],
                EMPTY_SUBTREES[height],
            )
            changed = {index >> 1 for index in changed}
            for index in changed:
                left, right = nodes.get(2 * index, empty), nodes.get(2 * index + 1, empty)
                above[index] = keccak256(left + right)

    def proof(self, account: int) -> tuple[bytes, ...]:
        """Return the 20 siblings of an account, leaf level first."""
        if not 0 <= account < MAX_ACCOUNTS:
            raise EncodingError(f"account indices are below {MAX_ACCOUNTS}")
        return tuple(
            self._levels[height].get((account >> height) ^ 1, EMPTY_SUBTREES[height])
            for height in range(ACCOUNT_TREE_DEPTH)
        )


def root_from(leaf: bytes, index: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof leads to; bit k of `index` says the node at level k is right."""
    node = leaf
    for height, sibling in enumerate(proof):
        node = keccak256(sibling + node if index >> height & 1 else node + sibling)
    return node


def verify_account(root: bytes, account: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether `leaf` is the leaf of `account` under an account root."""
    if len(proof) != ACCOUNT_TREE_DEPTH or not 0 <= account < MAX_ACCOUNTS:
        return False
    return root_from(leaf, account, proof) == root


Levels = tuple[tuple[bytes, ...], ...]
FOLDED = 16
"""From so many leaves on a list is hashed in machine code; below, the call costs more."""


@dataclass(frozen=True, slots=True)
class ListTree:
    """A list tree with all its nodes, for many proofs: `levels[0]` are the padded leaves."""

    size: int
    levels: Levels

    @classmethod
    def of(cls, leaves: Sequence[bytes]) -> "ListTree":
        """Return the tree over leaves padded with bytes32(0) to the next power of two."""
        width = 1 << max(len(leaves) - 1, 0).bit_length()
        padded = (*leaves, *[ZERO32] * (width - len(leaves)))
        make = levels_reference if width < FOLDED else _levels
        return cls(len(leaves), make(padded))

    @property
    def root(self) -> bytes:
        """The root: bytes32(0) of the empty list, and of one leaf that leaf."""
        return self.levels[-1][0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of leaf `index`, leaf level first; EncodingError beyond the list."""
        if not 0 <= index < self.size:
            raise EncodingError(f"leaf {index} of a list of {self.size}")
        return tuple(level[index >> k ^ 1] for k, level in enumerate(self.levels[:-1]))


def levels_reference(leaves: Sequence[bytes]) -> Levels:
    """Return leaves and the nodes above them, level by level; the leaves are a power of two."""
    levels = [tuple(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = range(0, len(below), 2)
        levels.append(tuple([keccak256(below[i] + below[i + 1]) for i in pairs]))
    return tuple(levels)


def _levels(leaves: Sequence[bytes]) -> Levels:
    """Return what `levels_reference` returns, hashed in machine code."""
    width = len(leaves)
    nodes = np.zeros((2 * width, HASH_LANES), np.uint64)
    nodes[width:] = lanes_of(b"".join(leaves)).reshape(width, HASH_LANES)
    fold(nodes, np.zeros(STATE_LANES, np.uint64), np.zeros(2 * HASH_LANES, np.uint64))
    packed, size = bytes_of(nodes), len(ZERO32)
    rows = [packed[i : i + size] for i in range(0, len(packed), size)]
    return tuple(tuple(rows[width >> h : 2 * width >> h]) for h in range(width.bit_length()))


def list_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the list tree over leaves."""
    return ListTree.of(leaves).root


def list_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the siblings of one leaf of a list; EncodingError beyond the list."""
    return ListTree.of(leaves).proof(index)


def verify_list(root: bytes, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether `leaf` is at place `index` of the list under `root`."""
    if len(proof) > MAX_LIST_DEPTH or not 0 <= index < 1 << len(proof):
        return False
    return root_from(leaf, index, proof) == root
