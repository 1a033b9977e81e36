"""Trees are what their definition says, however they were built."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import (
    ACCOUNT_TREE_DEPTH,
    EMPTY_SUBTREES,
    MAX_ACCOUNTS,
    AccountTree,
    list_proof,
    list_root,
    verify_account,
    verify_list,
)

LEAF = st.binary(min_size=32, max_size=32)
ACCOUNT = st.one_of(st.integers(0, 40), st.integers(0, MAX_ACCOUNTS - 1))
UPDATES = st.lists(st.dictionaries(ACCOUNT, LEAF, max_size=8), max_size=6)


def root_by_definition(leaves: dict[int, bytes], height: int = ACCOUNT_TREE_DEPTH) -> bytes:
    """Return the root of a subtree, top down; `leaves` has indices inside it."""
    if not leaves:
        return EMPTY_SUBTREES[height]
    if height == 0:
        return leaves[0]
    half = 1 << (height - 1)
    left = {i: x for i, x in leaves.items() if i < half}
    right = {i - half: x for i, x in leaves.items() if i >= half}
    return keccak256(root_by_definition(left, height - 1) + root_by_definition(right, height - 1))


def list_by_definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return ZERO32
    width = 1
    while width < len(leaves):
        width *= 2
    level = leaves + [ZERO32] * (width - len(leaves))
    while len(level) > 1:
        level = [keccak256(a + b) for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


@given(UPDATES)
def test_updates_give_the_root_of_what_they_leave_behind(updates: list[dict[int, bytes]]) -> None:
    tree, final = AccountTree(), dict[int, bytes]()
    for update in updates:
        tree.update(update)
        final |= update
    assert tree.root == root_by_definition(final)
    for account, leaf in final.items():
        assert verify_account(tree.root, account, leaf, tree.proof(account))


@given(st.lists(LEAF, max_size=40))
def test_lists_have_the_root_of_their_definition(leaves: list[bytes]) -> None:
    root = list_root(leaves)
    assert root == list_by_definition(leaves)
    for index, leaf in enumerate(leaves):
        assert verify_list(root, index, leaf, list_proof(leaves, index))


@given(st.lists(LEAF, min_size=2, max_size=20, unique=True), st.data())
def test_a_proof_holds_for_its_own_leaf_and_place_only(
    leaves: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, 63).filter(lambda i: i != index))
    root, proof = list_root(leaves), list_proof(leaves, index)
    assert not verify_list(root, other, leaves[index], proof)
    wrong = leaves[other % len(leaves)]
    if wrong != leaves[index]:
        assert not verify_list(root, index, wrong, proof)
