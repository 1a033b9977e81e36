"""The checkpoint: what accounts are owed, and the tree over it."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.ledger import checkpoint as ck
from offchain.ledger.errors import ConservationError, EncodingError
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.keccak_lanes import lanes_of
from offchain.ledger.sum_tree import SumNode, SumTree, parent, root_from, root_reference
from offchain.ledger.totals import totals_of
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, crashed, in_trouble
from tests.support.venue import BTC_PERP

PRICES = (100_000 * 10**8, 4_000 * 10**8)
BITCOIN, ETHER = 10**8, 10**8


def test_what_covers_a_debt_rounds_up_and_what_it_pays_rounds_down() -> None:
    assert ck.covered(1, (BITCOIN, 0), PRICES) == (0, (BITCOIN - 1, 0))  # a unit is 1e-3 dollars
    assert ck.covered(10**6, (BITCOIN, 0), PRICES) == (0, (BITCOIN - 1_000, 0))
    assert ck.covered(10**6 + 1, (BITCOIN, 0), PRICES) == (0, (BITCOIN - 1_001, 0))
    assert ck.covered(5, (3,), (3_000_000_000,)) == (5, (0,))  # three units are worth 0.9


def test_assets_cover_a_debt_in_their_order_and_the_rest_stays_a_debt() -> None:
    most = 104_000 * 10**6
    assert ck.covered(most, (BITCOIN, ETHER), PRICES) == (0, (0, 0))
    assert ck.covered(most - 1, (BITCOIN, ETHER), PRICES) == (0, (0, 0))
    assert ck.covered(most + 7, (BITCOIN, ETHER), PRICES) == (7, (0, 0))
    assert ck.covered(2_000 * 10**6, (0, ETHER), PRICES) == (0, (0, ETHER // 2))
    assert ck.covered(0, (5, 6), PRICES) == (0, (5, 6))


def test_without_prices_collateral_covers_nothing() -> None:
    assert ck.covered(9, (BITCOIN,), ()) == (9, (BITCOIN,))


def slow_leaves(venue: JournalVenue) -> list[ck.ExitLeaf]:
    """Return the exit leaf of every account by the definition."""
    journal, market = venue.journal, venue.state.market
    values = market.net_lot_values().tolist() if market.arrays is not None else []
    prices = [venue.state.index_price(c.underlying) for c in venue.rules.collateral]
    proofs = [journal.account_proof(a) for a in range(venue.state.accounts.count)]
    return [ck.exit_leaf(a, proof.leaf, values, prices) for a, proof in enumerate(proofs)]


def in_debt() -> JournalVenue:
    """Return a venue in which account 2 owes more than its bitcoin is worth."""
    venue = in_trouble()
    venue.deposit(10, btc=0.01)
    for usd in (110_000, 100_000, 90_000):
        venue.price(usd)
    return venue


def test_a_checkpoint_has_the_leaf_of_every_account_and_its_path() -> None:
    for venue in (in_trouble(), crashed(), in_debt()):
        batch = venue.journal.cut(ENGINE_HASH)
        made = venue.journal.checkpoint
        assert made is not None
        leaves = slow_leaves(venue)
        assert [made.leaf(a) for a in range(made.count)] == leaves
        nodes = [ck.exit_node(leaf) for leaf in leaves]
        root = root_reference(nodes, len(nodes[0].sums))
        assert batch.checkpoint == made.root
        assert made.root.root_hash == root.hash
        assert batch.header.checkpoint_root == made.root.hash
        for account, node in enumerate(nodes):
            assert root_from(node, account, made.path(account)) == root
        assert batch.checkpoint.sums.net_cash_e6 == batch.totals.net_cash_e6  # SOL-1


def test_losses_beyond_cash_and_collateral_stay_a_debt() -> None:
    venue = in_debt()
    sums = venue.journal.cut(ENGINE_HASH).checkpoint.sums
    assert venue.journal.checkpoint is not None
    leaf = venue.journal.checkpoint.leaf(2)
    assert leaf.equity_e6 == 0 < leaf.debt_e6 < leaf.owed_e6
    assert leaf.collateral_e8 == (0, 0)
    assert sums.owed_e6 == leaf.owed_e6
    held = totals_of(venue.state).collateral_e8
    assert sums.collateral_e8[0] < held[0]


def test_a_checkpoint_before_the_first_price_is_cash_and_collateral() -> None:
    venue = JournalVenue()
    venue.deposit(10, 5, btc=2)
    venue.journal.cut(ENGINE_HASH)
    assert venue.journal.checkpoint is not None
    leaf = venue.journal.checkpoint.leaf(2)
    assert (leaf.equity_e6, leaf.collateral_e8) == (5 * 10**6, (2 * 10**8, 0))


def test_a_checkpoint_that_owes_something_else_than_the_book_holds_is_refused() -> None:
    venue = in_trouble()
    batch = venue.journal.cut(ENGINE_HASH)
    sums, totals = batch.checkpoint.sums, batch.totals
    ck.check_checkpoint(sums, totals)
    ck.check_checkpoint(sums, replace(totals, collateral_e8=(1, 0)))
    for wrong in (
        replace(sums, equity_e6=sums.equity_e6 + 1),
        replace(sums, owed_e6=sums.owed_e6 + 1),
        replace(sums, collateral_e8=(0, 1)),
    ):
        with pytest.raises(ConservationError):
            ck.check_checkpoint(wrong, totals)


def test_there_is_no_leaf_of_an_account_that_is_not_there() -> None:
    venue = in_trouble()
    venue.journal.cut(ENGINE_HASH)
    made = venue.journal.checkpoint
    assert made is not None
    for account in (-1, made.count):
        with pytest.raises(EncodingError):
            made.leaf(account)
    for account in (-1, 2**20):
        with pytest.raises(EncodingError):
            made.path(account)


def test_a_path_of_another_length_is_refused() -> None:
    leaf = SumNode(b"\x01" * 32, (1, 0, 0, 0))
    for path in (b"", bytes(20 * 96 - 1), bytes(20 * 112)):
        with pytest.raises(EncodingError):
            root_from(leaf, 0, path)
    with pytest.raises(EncodingError):
        root_from(leaf, 2**20, bytes(20 * 96))


def test_the_node_above_two_empty_ones_is_empty() -> None:
    empty = SumNode(ZERO32, (0, 0))
    assert parent(empty, empty) == empty
    one = SumNode(b"\x01" * 32, (2, 3))
    packed = one.hash + (2).to_bytes(16) + (3).to_bytes(16)
    assert parent(empty, one) == SumNode(keccak256(bytes(64) + packed), (2, 3))


def test_sums_beyond_64_bits_carry_over() -> None:
    """Five accounts with the largest amounts of 63 bits, in every column."""
    top = 2**63 - 1
    amounts = np.full((5, 5), top, np.int64)
    owners = [bytes([i]) * 20 for i in range(5)]
    words = np.stack([lanes_of(owner.rjust(32, b"\0")) for owner in owners])
    tree = SumTree(words, np.arange(5, dtype=np.int64), amounts)
    leaves = [ck.ExitLeaf(i, owners[i], i, top, top, top, (top, top)) for i in range(5)]
    nodes = [ck.exit_node(leaf) for leaf in leaves]
    assert tree.root == root_reference(nodes, 5)
    assert tree.root.sums == (5 * top,) * 5
    for place in (0, 4, 5, 7, 8, 2**20 - 1):
        node = nodes[place] if place < 5 else SumNode(ZERO32, (0,) * 5)
        assert root_from(node, place, tree.path(place)) == tree.root


def test_the_tree_of_no_account_is_empty() -> None:
    tree = SumTree(np.zeros((0, 4), np.uint64), np.zeros(0, np.int64), np.zeros((0, 4), np.int64))
    assert tree.root == SumNode(ZERO32, (0, 0, 0, 0)) == root_reference([], 4)


def test_an_amount_that_does_not_fit_is_refused() -> None:
    leaf = ck.ExitLeaf(0, bytes(20), 0, 2**128, 0, 0, ())
    with pytest.raises(EncodingError):
        ck.encode_exit_leaf(leaf)


def test_a_position_counts_at_the_value_of_the_epoch() -> None:
    venue = in_trouble()
    venue.price(118_000)
    venue.journal.cut(ENGINE_HASH)
    assert venue.journal.checkpoint is not None
    (held,) = venue.journal.account_proof(2).leaf.positions
    value = int(venue.state.market.net_lot_values()[BTC_PERP])
    cash = venue.journal.account_proof(2).leaf.cash_e6
    worth = cash + held.lots * value - held.cost_e6
    leaf = venue.journal.checkpoint.leaf(2)
    assert (leaf.equity_e6, leaf.owed_e6) == (max(0, worth), max(0, -worth))
