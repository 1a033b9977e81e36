"""The account tree of the engine's accounts, hashed where their numbers lie.

Every record of a batch needs the root after it. `AccountTree` with `leaf_hash` defines what this
computes; here one call encodes the changed leaves, hashes them and the paths above them. Nodes are
a heap over as many leaves as there is room for, above which every right-hand neighbour is empty.
"""

from collections.abc import Collection

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import MAX_POSITIONS
from offchain.engine.accounts import FIRST_CAPACITY, MAX_ACCOUNTS, Accounts
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.keccak_lanes import (
    HASH_LANES,
    STATE_LANES,
    Lanes,
    bytes_of,
    digest,
    lanes_of,
    put_word,
)
from offchain.ledger.leaf import leaf_hash, leaf_of
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH, EMPTY_SUBTREES, AccountTree

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
WORD_BYTES = 32
HEAD_WORDS = 6
FIXED_WORDS = HEAD_WORDS + 3
"""The offset of the struct, its head, and the two counts."""
POSITION_WORDS = 3
_EMPTIES = np.array([lanes_of(node) for node in EMPTY_SUBTREES], np.uint64)


def root_reference(accounts: Accounts) -> bytes:
    """Return the account root by the definition of leaf and tree."""
    tree = AccountTree()
    tree.update({a: leaf_hash(leaf_of(accounts, a)) for a in range(accounts.count)})
    return tree.root


@njit(cache=True, nogil=True)
def put_leaf(
    message: Lanes,
    owner: Lanes,
    subaccount: int,
    mode: int,
    cash_e6: int,
    collateral_e8: Int64Array,
    ids: Int32Array,
    lots: Int32Array,
    costs_e6: Int64Array,
    count: int,
) -> int:
    """Write ``abi.encode(leaf)``; return its lanes. `encode_leaf` defines it."""
    assets = collateral_e8.shape[0]
    place = put_word(message, 0, WORD_BYTES)
    for k in range(HASH_LANES):
        message[place + k] = owner[k]
    place = put_word(message, place + HASH_LANES, subaccount)
    place = put_word(message, place, mode)
    place = put_word(message, place, cash_e6)
    place = put_word(message, place, HEAD_WORDS * WORD_BYTES)
    place = put_word(message, place, (HEAD_WORDS + 1 + assets) * WORD_BYTES)
    place = put_word(message, place, assets)
    for asset in range(assets):
        place = put_word(message, place, collateral_e8[asset])
    place = put_word(message, place, count)
    for slot in range(count):
        place = put_word(message, place, ids[slot])
        place = put_word(message, place, lots[slot])
        place = put_word(message, place, costs_e6[slot])
    return place


@njit(cache=True, nogil=True)
def climb(nodes: Lanes, places: Int64Array, empties: Lanes, room: Lanes, root: Lanes) -> None:
    """Hash every node above changed leaves, then up to the root.

    Parameters
    ----------
    nodes : uint64[2 * capacity, 4]
        The heap; row 1 is its top, the leaves begin at row `capacity`.
    places : int64[k]
        Rows of the changed leaves, ascending; used up.
    empties : uint64[21, 4]
        The empty subtree of each height.
    room : uint64[..]
        To work in: a state, then a message.
    root : uint64[4]
        The result.
    """
    state, message = room[:STATE_LANES], room[STATE_LANES:]
    count, height = len(places), 0
    while places[0] > 1:
        height += 1
        kept = 0
        for k in range(count):
            parent = places[k] >> 1
            if kept == 0 or places[kept - 1] != parent:
                places[kept] = parent
                kept += 1
        count = kept
        for k in range(count):
            node = places[k]
            for lane in range(HASH_LANES):
                message[lane] = nodes[2 * node, lane]
                message[HASH_LANES + lane] = nodes[2 * node + 1, lane]
            digest(message, 2 * HASH_LANES, state, nodes[node])
    root[:] = nodes[1]
    for above in range(height, empties.shape[0] - 1):
        for lane in range(HASH_LANES):
            message[lane] = root[lane]
            message[HASH_LANES + lane] = empties[above, lane]
        digest(message, 2 * HASH_LANES, state, root)


@njit(cache=True, nogil=True)
def update_tree(
    nodes: Lanes,
    changed: Int64Array,
    owners: Lanes,
    subaccounts: Int64Array,
    modes: NDArray[np.int8],
    cash_e6: Int64Array,
    collateral_e8: Int64Array,
    ids: Int32Array,
    lots: Int32Array,
    costs_e6: Int64Array,
    counts: Int32Array,
    empties: Lanes,
    room: Lanes,
    root: Lanes,
) -> None:
    """Hash the changed accounts and what lies above them; arguments as in `Accounts` and `climb`.

    `changed` ascends, is not empty, and is used up.
    """
    capacity = nodes.shape[0] // 2
    state, message = room[:STATE_LANES], room[STATE_LANES:]
    for k in range(len(changed)):
        a = changed[k]
        size = put_leaf(
            message,
            owners[a],
            subaccounts[a],
            modes[a],
            cash_e6[a],
            collateral_e8[a],
            ids[a],
            lots[a],
            costs_e6[a],
            counts[a],
        )
        digest(message, size, state, nodes[capacity + a])
        changed[k] = capacity + a
    climb(nodes, changed, empties, room, root)


class LeafTree:
    """The account tree over `Accounts`, kept up to date record by record."""

    def __init__(self) -> None:
        self._known = 0
        self.root = EMPTY_SUBTREES[ACCOUNT_TREE_DEPTH]
        """The root over all leaves."""
        self._root: Lanes = _EMPTIES[ACCOUNT_TREE_DEPTH].copy()
        self._room: Lanes = np.zeros(0, np.uint64)
        self._allocate(FIRST_CAPACITY)

    @property
    def capacity(self) -> int:
        """Leaves for which there is room, a power of two."""
        return len(self._nodes) // 2

    def update(self, accounts: Accounts, changed: Collection[int]) -> None:
        """Hash the leaves of some accounts as they stand in the engine."""
        if not changed:
            return
        self._make_room(accounts)
        if accounts.count > self._known:
            self._enter(accounts)
        update_tree(
            self._nodes,
            np.array(sorted(changed), np.int64),
            self._owners,
            self._subaccounts,
            accounts.mode,
            accounts.cash,
            accounts.collateral,
            accounts.ids,
            accounts.lots,
            accounts.costs,
            accounts.counts,
            _EMPTIES,
            self._room,
            self._root,
        )
        self.root = bytes_of(self._root)

    def proof(self, account: int) -> tuple[bytes, ...]:
        """Return the 20 siblings of an account, leaf level first; EncodingError out of range."""
        if not 0 <= account < MAX_ACCOUNTS:
            raise EncodingError(f"account indices are below {MAX_ACCOUNTS}")
        return tuple(
            self._node(height, account >> height ^ 1) for height in range(ACCOUNT_TREE_DEPTH)
        )

    def _node(self, height: int, index: int) -> bytes:
        """Return a node of the whole tree; above the heap only the first of a level is there."""
        width = self.capacity >> height
        if index < width:
            return bytes_of(self._nodes[width + index])
        if width or index:
            return EMPTY_SUBTREES[height]
        return keccak256(self._node(height - 1, 0) + EMPTY_SUBTREES[height - 1])

    def _allocate(self, capacity: int) -> None:
        """Make a heap of empty leaves."""
        self._nodes = np.empty((2 * capacity, HASH_LANES), np.uint64)
        for row in range(capacity.bit_length()):
            self._nodes[1 << row : 2 << row] = _EMPTIES[capacity.bit_length() - 1 - row]
        self._owners: Lanes = np.zeros((capacity, HASH_LANES), np.uint64)
        self._subaccounts: Int64Array = np.zeros(capacity, np.int64)

    def _make_room(self, accounts: Accounts) -> None:
        """Have room for the longest leaf: it grows when assets are listed."""
        words = FIXED_WORDS + accounts.assets + POSITION_WORDS * MAX_POSITIONS
        size = STATE_LANES + words * HASH_LANES
        if self._room.size != size:
            self._room = np.zeros(size, np.uint64)

    def _enter(self, accounts: Accounts) -> None:
        """Take in the accounts that were opened since; they never change their owner."""
        if accounts.count > self.capacity:
            self._grow(accounts)
        for account in range(self._known, accounts.count):
            owner = accounts.owner[account]
            self._owners[account] = lanes_of(owner.rjust(WORD_BYTES, b"\0"))
            self._subaccounts[account] = accounts.subaccount[account]
        self._known = accounts.count

    def _grow(self, accounts: Accounts) -> None:
        """Double the heap until it has room, and put the leaves that are there into it."""
        old, owners, subaccounts = self._nodes, self._owners, self._subaccounts
        before = capacity = self.capacity
        while capacity < accounts.count:
            capacity *= 2
        self._allocate(capacity)
        self._owners[:before], self._subaccounts[:before] = owners, subaccounts
        self._nodes[capacity : capacity + before] = old[before:]
        if self._known:
            places = np.arange(capacity, capacity + self._known)
            climb(self._nodes, places, _EMPTIES, self._room, self._root)
