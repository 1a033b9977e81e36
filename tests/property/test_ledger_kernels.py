"""The hashing kernels give what their definitions give, on anything."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.margin import Mode
from offchain.engine.accounts import Accounts
from offchain.ledger import checkpoint as ck
from offchain.ledger.account_tree import LeafTree, root_reference
from offchain.ledger.keccak_lanes import (
    RATE_LANES,
    STATE_LANES,
    big_endian,
    bytes_of,
    digest,
    digest_reference,
    lanes_of,
    put_word,
)
from offchain.ledger.leaf import leaf_hash, leaf_of
from offchain.ledger.merkle import AccountTree, verify_account
from offchain.ledger.sum_tree import SumTree, root_from
from offchain.ledger.sum_tree import root_reference as sum_root_reference
from tests.support.random_trading import ACTION, Trading

LANE = st.integers(0, 2**64 - 1)
ASSETS = 2
CHANGE = st.one_of(
    st.tuples(st.just("open"), st.binary(min_size=20, max_size=20), st.integers(0, 255)),
    st.tuples(st.just("cash"), st.integers(0, 199), st.integers(-(2**61), 2**61)),
    st.tuples(st.just("collateral"), st.integers(0, 199), st.integers(0, 2**61)),
    st.tuples(st.just("trade"), st.integers(1, 199), st.integers(0, 511), st.integers(-9, 9)),
    st.tuples(st.just("mode"), st.integers(0, 199), st.sampled_from(Mode)),
)


@given(st.lists(LANE, max_size=3 * RATE_LANES + 1))
def test_a_digest_of_lanes_is_keccak256_of_their_bytes(lanes: list[int]) -> None:
    message = np.array(lanes, np.uint64)
    out = np.zeros(4, np.uint64)
    digest(message, len(lanes), np.ones(STATE_LANES, np.uint64), out)
    assert bytes_of(out) == bytes_of(digest_reference(message))


@given(LANE, st.integers(-(2**63), 2**63 - 1))
def test_words_are_those_of_the_abi(lane: int, value: int) -> None:
    assert int(big_endian(np.uint64(lane))) == int.from_bytes(lane.to_bytes(8), "little")
    message = np.zeros(6, np.uint64)
    assert put_word(message, 1, value) == 5
    assert bytes_of(message) == bytes(8) + value.to_bytes(32, signed=True) + bytes(8)
    assert (lanes_of(bytes_of(message)) == message).all()


def change(accounts: Accounts, name: str, *values: int | bytes | Mode) -> None:
    """Apply one change; what does not fit the accounts that are there is passed over."""
    if name == "open":
        owner, subaccount = values
        if accounts.find(owner, subaccount) is None:  # type: ignore[arg-type] # from CHANGE
            accounts.open(owner, subaccount)  # type: ignore[arg-type] # from CHANGE
        return
    account, value, *rest = values
    assert isinstance(account, int)
    assert isinstance(value, int)
    if account >= accounts.count:
        return
    if name == "cash" and abs(int(accounts.cash[account]) + value) < 2**62:
        accounts.add_cash(account, value)
    elif name == "collateral" and int(accounts.collateral[account, 1]) + value < 2**62:
        accounts.add_collateral(account, ASSETS, value)
    elif name == "mode":
        accounts.set_mode(account, Mode(value))
    elif name == "trade" and rest[0] and accounts.counts[account] < 32:
        lots = rest[0]
        assert isinstance(lots, int)
        accounts.trade(account, value, lots, -lots * 10**9)


@settings(max_examples=50)
@given(st.integers(0, 130), st.lists(st.lists(CHANGE, max_size=4), max_size=12), st.data())
def test_the_tree_of_the_engine_is_the_account_tree(
    opened: int, records: list[list[tuple[object, ...]]], data: st.DataObject
) -> None:
    """Through growth of the heap, with any accounts changed between two roots."""
    accounts, tree = Accounts(ASSETS), LeafTree()
    for number in range(opened):
        accounts.open(number.to_bytes(20), number)
    for record in records:
        for name, *values in record:
            change(accounts, name, *values)  # type: ignore[arg-type] # from CHANGE
        tree.update(accounts, accounts.dirty)
        accounts.dirty.clear()
        assert tree.root == root_reference(accounts)
    tree.update(accounts, accounts.dirty)
    slow = AccountTree()
    slow.update({a: leaf_hash(leaf_of(accounts, a)) for a in range(accounts.count)})
    place = data.draw(st.one_of(st.integers(0, 300), st.integers(0, 2**20 - 1)))
    assert tree.proof(place) == slow.proof(place)
    assert verify_account(tree.root, place, slow.leaf(place), tree.proof(place))


@settings(max_examples=50)
@given(
    st.integers(0, 9).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 2**63 - 1), min_size=5, max_size=5), min_size=n, max_size=n
        )
    ),
    st.integers(0, 2**20 - 1),
)
def test_a_sum_tree_is_its_definition(amounts: list[list[int]], place: int) -> None:
    count = len(amounts)
    owners = [number.to_bytes(20) for number in range(count)]
    words = lanes_of(b"".join(bytes(12) + owner for owner in owners)).reshape(count, 4)
    subaccounts = np.arange(count, dtype=np.int64)
    tree = SumTree(words, subaccounts, np.array(amounts, np.int64).reshape(count, 5))
    leaves = [
        ck.ExitLeaf(i, owners[i], i, row[0], row[1], row[2], tuple(row[3:]))
        for i, row in enumerate(amounts)
    ]
    nodes = [ck.exit_node(leaf) for leaf in leaves]
    assert tree.root == sum_root_reference(nodes, 5)
    for index, node in enumerate(nodes):
        assert root_from(node, index, tree.path(index)) == tree.root
    empty = sum_root_reference([], 5)
    if place >= count:
        assert root_from(empty, place, tree.path(place)) == tree.root


@settings(max_examples=25)
@given(st.lists(ACTION, min_size=1, max_size=25))
def test_a_checkpoint_owes_every_account_what_the_page_says(
    actions: list[tuple[object, ...]],
) -> None:
    trading = Trading()
    trading.jump(-150)
    trading.run(actions)
    venue = trading.venue
    made = ck.Checkpoint(venue.state)
    values = venue.state.market.net_lot_values().tolist()
    prices = [venue.state.index_price(c.underlying) for c in venue.rules.collateral]
    for account in range(made.count):
        leaf = leaf_of(venue.state.accounts, account)
        assert made.leaf(account) == ck.exit_leaf(account, leaf, values, prices)
    sums = [made.leaf(account).sums() for account in range(made.count)]
    of = made.root.sums
    whole = (of.equity_e6, of.owed_e6, of.debt_e6, *of.collateral_e8)
    assert whole == tuple(map(sum, zip(*sums, strict=True)))
