"""Path by path, a lie in a checkpoint that nobody posted is found in at most twenty answers."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.ledger.checkpoint import Checkpoint, ExitLeaf, exit_node
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.services.checkpoint_probe import CheckpointProbe, ShownPath, ShownWalk
from tests.support.journal_venue import JournalVenue
from tests.support.lying_tree import (
    LyingTree,
    end_of,
    honest,
    leaves_of,
    packed,
    richer,
    root_shown,
    sums_of,
    with_leaf,
)

MOST_ANSWERS = 20


def venue_of(traders: int) -> Checkpoint:
    """Return the checkpoint of a venue with that many traders, a fund and a backstop."""
    venue = JournalVenue()
    for number in range(traders):
        venue.deposit(100 + number, 1_000 + number, btc=0.5)
    return Checkpoint(venue.state)


@pytest.fixture(scope="module")
def own() -> Checkpoint:
    return venue_of(11)


def search(own: Checkpoint, tree: LyingTree) -> tuple[ShownWalk | int, int]:
    """Ask until something is found, or cannot be shown; return that and how many answers it took.

    What is asked for is never asked for twice.
    """
    probe, shown = CheckpointProbe(own, tree.root), list[ShownPath]()
    while True:
        wanted = probe.next(shown)
        if not isinstance(wanted, int):
            assert wanted is not None
            return wanted, len(shown)
        assert wanted not in {path.account for path in shown}
        if not tree.can_show(wanted):
            return wanted, len(shown)
        shown.append(tree.shown(wanted))


def found(own: Checkpoint, tree: LyingTree) -> ShownWalk:
    """Return the lie of a tree all of whose paths can be shown, its way down checked."""
    walk, answers = search(own, tree)
    assert isinstance(walk, ShownWalk)
    assert answers <= MOST_ANSWERS
    return walk


def test_a_path_leads_to_the_root_from_every_place(own: Checkpoint) -> None:
    for account in (0, own.count - 1, own.count, own.count + 1, 4_000, MAX_ACCOUNTS - 1):
        path = ShownPath.of(own, account)
        assert (path.leaf is None) == (account >= own.count)
        assert root_shown(path) == own.root.hash == honest(own).root
        assert path.collaterals == len(own.root.sums.collateral_e8)


def test_of_an_honest_checkpoint_nothing_is_demanded(own: Checkpoint) -> None:
    assert CheckpointProbe(own, own.root.hash).next([]) is None


def test_of_an_unknown_checkpoint_the_first_place_is_demanded(own: Checkpoint) -> None:
    assert CheckpointProbe(own, b"\x01" * 32).next([]) == 0


@given(traders=st.integers(0, 20), place=st.integers(0, MAX_ACCOUNTS - 1), near=st.booleans())
@settings(max_examples=60)
def test_one_wrong_leaf_is_found_wherever_it_is(traders: int, place: int, near: bool) -> None:
    own = venue_of(traders)
    account = place % (own.count + 2) if near else place
    leaf = own.leaf(account) if account < own.count else newcomer(own, account)
    tree = with_leaf(own, richer(leaf))
    walk = found(own, tree)
    assert walk.account == account
    assert end_of(walk, tree.root) == exit_node(richer(leaf)).packed()
    assert walk.down_to(account) == walk.nodes
    assert walk.down_to(account ^ 1) == ()


def newcomer(own: Checkpoint, account: int) -> ExitLeaf:
    """Return a leaf of nobody at a place."""
    return replace(own.leaf(0), account=account, owner=b"\x77" * 20)


def test_the_farthest_leaf_takes_twenty_answers(own: Checkpoint) -> None:
    tree = with_leaf(own, newcomer(own, MAX_ACCOUNTS - 1))
    walk, answers = search(own, tree)
    assert isinstance(walk, ShownWalk)
    assert (walk.account, answers, len(walk.nodes)) == (MAX_ACCOUNTS - 1, 20, 20)


@given(data=st.data())
@settings(max_examples=60)
def test_one_of_many_wrong_leaves_is_found(data: st.DataObject) -> None:
    own = venue_of(9)
    wrong = data.draw(st.sets(st.integers(0, own.count + 40), min_size=1, max_size=30))
    leaves = {leaf.account: leaf for leaf in leaves_of(own)}
    for account in wrong:
        leaves[account] = richer(leaves.get(account, newcomer(own, account)), 1 + account)
    tree = LyingTree(leaves.values())
    walk = found(own, tree)
    assert walk.account in wrong
    assert end_of(walk, tree.root) == tree.node(0, walk.account)


def test_an_account_that_is_left_out_is_found(own: Checkpoint) -> None:
    for missing in range(own.count):
        tree = LyingTree([leaf for leaf in leaves_of(own) if leaf.account != missing])
        walk = found(own, tree)
        assert walk.account == missing
        assert not any(end_of(walk, tree.root))


def test_accounts_that_are_all_left_out_are_found_at_the_empty_node(own: Checkpoint) -> None:
    tree = LyingTree(leaves_of(own)[:8])
    walk = found(own, tree)
    assert walk.account == 8
    assert len(walk.nodes) < 20
    assert not any(end_of(walk, tree.root))


def test_a_leaf_that_nobody_can_open_is_found_beside_one_that_was_shown(own: Checkpoint) -> None:
    unknown = packed(b"\x99" * 32, *own.leaf(3).sums())
    tree = LyingTree(leaves_of(own), {(0, 3): unknown})
    assert not tree.can_show(3)
    walk = found(own, tree)
    assert walk.account == 3
    assert end_of(walk, tree.root) == unknown


def test_a_node_without_hash_but_with_sums_is_found(own: Checkpoint) -> None:
    phantom = packed(ZERO32, 5, 0, 0, *[0] * len(own.root.sums.collateral_e8))
    tree = LyingTree(leaves_of(own), {(7, 3): phantom})
    walk = found(own, tree)
    assert walk.account == 3 << 7
    assert end_of(walk, tree.root) == phantom


def test_below_a_node_whose_sums_do_not_add_up_a_path_is_demanded_that_nobody_has(
    own: Checkpoint,
) -> None:
    plain = honest(own)
    for place in ((1, 2), (3, 1), (4, 0), (19, 0)):
        node = plain.node(*place)
        equity, *rest = sums_of(node)
        tree = LyingTree(leaves_of(own), {place: packed(node[:32], equity + 1, *rest)})
        wanted, answers = search(own, tree)
        assert isinstance(wanted, int)
        assert wanted >> place[0] == place[1]
        assert not tree.can_show(wanted)
        assert answers <= MOST_ANSWERS


def test_a_node_whose_children_nobody_knows_is_reached(own: Checkpoint) -> None:
    plain = honest(own)
    tree = LyingTree(leaves_of(own), {(2, 2): packed(b"\x55" * 32, *sums_of(plain.node(2, 2)))})
    wanted, _ = search(own, tree)
    assert wanted == 8


def test_a_tree_of_another_width_is_wrong_at_the_first_leaf(own: Checkpoint) -> None:
    leaves = [replace(leaf, collateral_e8=leaf.collateral_e8[:1]) for leaf in leaves_of(own)]
    tree = LyingTree(leaves)
    walk = found(own, tree)
    assert walk.account == 0
    assert end_of(walk, tree.root) == exit_node(leaves[0]).packed()


def test_paths_of_other_trees_are_passed_over(own: Checkpoint) -> None:
    tree = with_leaf(own, richer(own.leaf(5)))
    other = with_leaf(own, richer(own.leaf(6)))
    probe = CheckpointProbe(own, tree.root)
    assert probe.next([other.shown(0), honest(own).shown(5)]) == 0


def test_whatever_others_had_shown_helps(own: Checkpoint) -> None:
    tree = with_leaf(own, richer(own.leaf(5)))
    walk = CheckpointProbe(own, tree.root).next([tree.shown(4)])
    assert isinstance(walk, ShownWalk)
    assert walk.account == 5
