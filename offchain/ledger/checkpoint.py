"""The checkpoint: what each account is owed, so that everybody can leave without the venue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.collateral import UNITS_E10
from offchain.core.units import ceil_div, floor_div
from offchain.engine.accounts import Accounts
from offchain.engine.state import State
from offchain.ledger.abi import WORD, address, bytes32, dynamic_bytes, unsigned
from offchain.ledger.errors import ConservationError, EncodingError
from offchain.ledger.keccak import keccak256
from offchain.ledger.keccak_lanes import Lanes, lanes_of
from offchain.ledger.leaf import AccountLeaf
from offchain.ledger.sum_tree import FIXED_SUMS, LEAF_HEAD_WORDS, SUM_BYTES, SumNode, SumTree
from offchain.ledger.totals import Totals

Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ExitLeaf:
    """What one account is owed.

    Attributes
    ----------
    equity_e6, owed_e6 : int
        Cash and open profit less loss: if positive, if negative. [USD e-6]
    debt_e6 : int
        What collateral did not cover of what is owed. [USD e-6]
    collateral_e8 : tuple of int
        By asset from 1, less what covers the debt. [token e-8]
    """

    account: int
    owner: bytes
    subaccount: int
    equity_e6: int
    owed_e6: int
    debt_e6: int
    collateral_e8: tuple[int, ...]

    def sums(self) -> tuple[int, ...]:
        """Return the sums of the leaf, in the order of the tree."""
        return (self.equity_e6, self.owed_e6, self.debt_e6, *self.collateral_e8)


@dataclass(frozen=True, slots=True)
class ExitSums:
    """Sums over all leaves of a checkpoint, in the units of the leaf."""

    equity_e6: int
    owed_e6: int
    debt_e6: int
    collateral_e8: tuple[int, ...]

    @property
    def net_cash_e6(self) -> int:
        """What must be the net cash of the totals. [USD e-6]"""
        return self.equity_e6 - self.owed_e6


@dataclass(frozen=True, slots=True)
class CheckpointRoot:
    """What a header's `checkpointRoot` is the hash of, as `finalise` and `Exit.start` take it."""

    root_hash: bytes
    sums: ExitSums

    @property
    def hash(self) -> bytes:
        """The `checkpointRoot`."""
        of = self.sums
        sums = (of.equity_e6, of.owed_e6, of.debt_e6, *of.collateral_e8)
        packed = b"".join([unsigned(amount, 128)[-SUM_BYTES:] for amount in sums])
        offset = unsigned(2 * WORD, 256)
        return keccak256(bytes32(self.root_hash) + offset + dynamic_bytes(packed))


def encode_exit_leaf(leaf: ExitLeaf) -> bytes:
    """Return ``abi.encode(leaf)``; EncodingError when a value does not fit its type."""
    return b"".join(
        [
            unsigned(WORD, 256),
            unsigned(leaf.account, 32),
            address(leaf.owner),
            unsigned(leaf.subaccount, 8),
            *[unsigned(amount, 128) for amount in leaf.sums()[:FIXED_SUMS]],
            unsigned(LEAF_HEAD_WORDS * WORD, 256),
            unsigned(len(leaf.collateral_e8), 256),
            *[unsigned(amount, 128) for amount in leaf.collateral_e8],
        ]
    )


def exit_node(leaf: ExitLeaf) -> SumNode:
    """Return a leaf as a node of the sum tree."""
    return SumNode(keccak256(encode_exit_leaf(leaf)), leaf.sums())


def exit_leaf(
    account: int,
    leaf: AccountLeaf,
    values_e6: Sequence[int] | Mapping[int, int],
    prices_e8: Sequence[int],
) -> ExitLeaf:
    """Return what an account is owed, by the rule of docs/COMMITMENTS.md.

    Parameters
    ----------
    account : int
        Its number.
    leaf : AccountLeaf
        Its leaf.
    values_e6 : sequence or mapping of int
        Value of one long lot by instrument id; only those held are asked for. [USD e-6]
    prices_e8 : sequence of int
        Index price of asset 1, 2, ..; none before the first report. [USD e-8]
    """
    worth = leaf.cash_e6 + sum(p.lots * values_e6[p.instrument] - p.cost_e6 for p in leaf.positions)
    owed = max(0, -worth)
    debt, left = covered(owed, leaf.collateral_e8, prices_e8)
    return ExitLeaf(account, leaf.owner, leaf.subaccount, max(0, worth), owed, debt, left)


def covered(
    owed_e6: int, collateral_e8: Sequence[int], prices_e8: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """Return what collateral does not cover of a debt, and what is left of the collateral.

    Asset by asset at the index price: what is taken rounds up, what it pays rounds down. An asset
    without a price covers nothing.
    """
    left = list(collateral_e8)
    for place, price in enumerate(prices_e8):
        taken = min(left[place], ceil_div(owed_e6 * UNITS_E10, price))
        owed_e6 = max(0, owed_e6 - floor_div(taken * price, UNITS_E10))
        left[place] -= taken
    return owed_e6, tuple(left)


class Checkpoint:
    """What every account of a state is owed, with the tree over it.

    Attributes
    ----------
    root : CheckpointRoot
        Root and sums.
    """

    def __init__(self, state: State) -> None:
        accounts = state.accounts
        self._owners, self._subaccounts = list(accounts.owner), list(accounts.subaccount)
        self._amounts = amounts_of(state)
        self._tree = SumTree(
            _owner_words(accounts), np.array(accounts.subaccount, np.int64), self._amounts
        )
        node = self._tree.root
        equity, owed, debt, *collateral = node.sums
        self.root = CheckpointRoot(node.hash, ExitSums(equity, owed, debt, tuple(collateral)))

    @property
    def count(self) -> int:
        """How many accounts it has."""
        return len(self._owners)

    def leaf(self, account: int) -> ExitLeaf:
        """Return the leaf of an account; EncodingError when there is none."""
        if not 0 <= account < self.count:
            raise EncodingError(f"there is no account {account}")
        equity, owed, debt, *collateral = self._amounts[account].tolist()
        owner, subaccount = self._owners[account], self._subaccounts[account]
        return ExitLeaf(account, owner, subaccount, equity, owed, debt, tuple(collateral))

    def path(self, account: int) -> bytes:
        """Return the path of an account as `Exit.exit` takes it; EncodingError beyond the tree."""
        return self._tree.path(account)


def check_checkpoint(sums: ExitSums, totals: Totals) -> None:
    """Assert what finality asks: the sums are those of the book.

    Raises
    ------
    ConservationError
        Equity less what is owed is not the net cash, or more collateral is owed than is held.
    """
    excess = sums.net_cash_e6 - totals.net_cash_e6
    pairs = zip(sums.collateral_e8, totals.collateral_e8, strict=True)
    if excess or any(owed > held for owed, held in pairs):
        raise ConservationError(f"the checkpoint owes {sums}, the book holds {totals}")


def amounts_of(state: State) -> Int64Array:
    """Return for each account equity, owed, debt and then collateral by asset.

    All at once in 64 bits, as the sweep for accounts in trouble does it; only where something is
    owed does an amount times a price need more.
    """
    accounts, n = state.accounts, state.accounts.count
    worth = accounts.cash[:n] - accounts.costs[:n].sum(axis=1)
    if state.market.arrays is not None:
        values = state.market.net_lot_values()[accounts.ids[:n]]
        worth += (accounts.lots[:n] * values).sum(axis=1)
    owed = np.maximum(-worth, 0)
    figures = np.column_stack([np.maximum(worth, 0), owed, owed, accounts.collateral[:n]])
    prices = _prices(state)
    for account in np.flatnonzero(owed).tolist():
        held = accounts.collateral[account].tolist()
        debt, left = covered(int(owed[account]), held, prices)
        figures[account, FIXED_SUMS - 1 :] = (debt, *left)
    return figures.astype(np.int64, copy=False)


def _prices(state: State) -> tuple[int, ...]:
    """Return the index price of each collateral asset; none before the first report. [USD e-8]"""
    if state.market.arrays is None:
        return ()
    return tuple(state.index_price(of.underlying) for of in state.rules.collateral)


def _owner_words(accounts: Accounts) -> Lanes:
    words = b"".join([owner.rjust(WORD, b"\0") for owner in accounts.owner])
    return lanes_of(words).reshape(accounts.count, -1) if words else np.zeros((0, 4), np.uint64)
