"""Keccak trees: incremental updates, absent leaves and what is no proof."""

import pytest

from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import (
    ACCOUNT_TREE_DEPTH,
    EMPTY_SUBTREES,
    MAX_ACCOUNTS,
    AccountTree,
    list_proof,
    list_root,
    root_from,
    verify_account,
    verify_list,
)

LEAVES = [keccak256(bytes([i])) for i in range(40)]


def test_the_empty_tree_is_made_of_absent_leaves() -> None:
    node = ZERO32
    for _ in range(ACCOUNT_TREE_DEPTH):
        node = keccak256(node + node)
    assert AccountTree().root == node == EMPTY_SUBTREES[-1]


def test_the_order_of_updates_does_not_matter() -> None:
    together, one_by_one = AccountTree(), AccountTree()
    together.update(dict(enumerate(LEAVES)))
    for i, leaf in reversed(list(enumerate(LEAVES))):
        one_by_one.update({i: leaf})
    assert together.root == one_by_one.root


def test_an_absent_account_has_a_proof_too() -> None:
    tree = AccountTree()
    tree.update({3: LEAVES[0]})
    assert verify_account(tree.root, 9, ZERO32, tree.proof(9))
    assert not verify_account(tree.root, 9, LEAVES[0], tree.proof(9))


def test_a_leaf_set_to_zero_is_absent_again() -> None:
    tree = AccountTree()
    tree.update({7: LEAVES[0]})
    tree.update({7: ZERO32})
    assert tree.root == EMPTY_SUBTREES[-1]


@pytest.mark.parametrize("account", [-1, MAX_ACCOUNTS])
def test_indices_beyond_the_tree_are_refused(account: int) -> None:
    tree = AccountTree()
    with pytest.raises(EncodingError):
        tree.update({account: LEAVES[0]})
    with pytest.raises(EncodingError):
        tree.proof(account)
    assert not verify_account(tree.root, account, ZERO32, tree.proof(0))


def test_list_roots_of_no_leaf_and_of_one() -> None:
    assert list_root([]) == ZERO32
    assert list_root(LEAVES[:1]) == LEAVES[0]
    assert list_proof(LEAVES[:1], 0) == ()
    assert verify_list(LEAVES[0], 0, LEAVES[0], ())


def test_a_list_is_padded_with_zero_leaves() -> None:
    assert list_root(LEAVES[:3]) == list_root([*LEAVES[:3], ZERO32])


def test_an_index_beyond_the_proof_is_refused() -> None:
    root, proof = list_root(LEAVES[:4]), list_proof(LEAVES[:4], 1)
    assert verify_list(root, 1, LEAVES[1], proof)
    assert root_from(LEAVES[1], 5, proof) == root  # the path alone would not notice
    assert not verify_list(root, 5, LEAVES[1], proof)
    with pytest.raises(EncodingError):
        list_proof(LEAVES[:4], 4)


def test_an_account_proof_has_twenty_siblings() -> None:
    tree = AccountTree()
    tree.update({1: LEAVES[1]})
    assert not verify_account(tree.root, 1, LEAVES[1], tree.proof(1)[:-1])
    assert not verify_account(tree.root, 1, LEAVES[1], (*tree.proof(1), ZERO32))
