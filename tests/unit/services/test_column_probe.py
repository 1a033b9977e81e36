"""Which leaf of a posted tree to ask for, until a wrong one is known."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import ListTree
from offchain.services.column_probe import ColumnProbe, ShownLeaf


def leaves(count: int) -> list[bytes]:
    return [keccak256(bytes([n])) for n in range(count)]


def shown(tree: ListTree, index: int) -> ShownLeaf:
    return ShownLeaf(index, tree.levels[0][index], tree.proof(index))


def search(own: ListTree, posted: ListTree) -> list[int]:
    """Return what is asked for until all that differs is known."""
    asked: list[int] = []
    probe = ColumnProbe(own, posted.root)
    while (index := probe.next([shown(posted, n) for n in asked])) is not None:
        assert index not in asked
        asked.append(index)
    return asked


def test_nothing_is_asked_of_the_honest_tree() -> None:
    tree = ListTree.of(leaves(6))
    assert ColumnProbe(tree, tree.root).next([]) is None


@given(st.integers(1, 72), st.data())
def test_every_wrong_leaf_is_asked_for_and_one_within_the_levels(
    count: int, data: st.DataObject
) -> None:
    honest = leaves(count)
    wrong = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4))
    own = ListTree.of(honest)
    posted = ListTree.of([keccak256(x) if n in wrong else x for n, x in enumerate(honest)])
    asked = search(own, posted)
    assert wrong <= set(asked)
    first = min(asked.index(n) for n in wrong)
    assert first < len(own.levels)
    assert len(asked) <= len(wrong) * len(own.levels)


def test_a_root_that_nobody_opens_is_asked_for_at_the_first_place() -> None:
    assert ColumnProbe(ListTree.of(leaves(5)), b"\x13" * 32).next([]) == 0


def test_an_empty_place_that_is_not_is_asked_for() -> None:
    own, posted = ListTree.of(leaves(5)), ListTree.of(leaves(7))
    asked = search(own, posted)
    assert {5, 6} <= set(asked)


def test_a_tree_of_another_depth_is_given_up_when_everything_was_asked_for() -> None:
    own, tree = ListTree.of(leaves(4)), ListTree.of(leaves(8))
    known: list[ShownLeaf] = []
    probe = ColumnProbe(own, tree.root)
    while (index := probe.next(known)) is not None:
        assert index not in [leaf.index for leaf in known]
        known.append(ShownLeaf(index, keccak256(b"?"), (ZERO32,)))
    assert len(known) <= 4


def test_what_belongs_to_another_tree_leads_nowhere() -> None:
    own, posted = ListTree.of(leaves(4)), ListTree.of(leaves(5)[1:])
    other: Sequence[ShownLeaf] = [shown(own, 3)]
    assert ColumnProbe(own, posted.root).next(other) == 0
