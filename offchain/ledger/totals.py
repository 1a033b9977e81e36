"""Totals: sums over the whole book, and SOL-1 on them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.margin import is_below
from offchain.core.units import ONE_E6, RatioE6
from offchain.engine.accounts import INSURANCE
from offchain.engine.state import State
from offchain.engine.sweeps import margins_near
from offchain.ledger.abi import WORD, unsigned, word
from offchain.ledger.errors import ConservationError
from offchain.ledger.keccak import keccak256

_TOTALS_TYPES = (
    "int128",
    "uint128[]",
    "uint128",
    "uint128[]",
    "uint128",
    "uint128[]",
    "int128",
    *["uint128"] * 3,
    *["uint32"] * 3,
)


@dataclass(frozen=True, slots=True)
class Totals:
    """What the whole book adds up to at the end of a batch.

    Attributes
    ----------
    net_cash_e6 : int
        Sum over accounts of cash - cost. [USD e-6]
    collateral_e8 : tuple of int
        Sums over accounts of asset 1, 2, .. [token e-8]
    deposited_cash, withdrawn_cash : int
        Since genesis. [token units]
    deposited_collateral, withdrawn_collateral : tuple of int
        Of asset 1, 2, .. since genesis. [token units]
    insurance_e6 : int
        Cash of account 0. [USD e-6]
    contributed_e6, drawn_e6, shortfall_e6 : int
        Into the fund, out of it, and not paid by it, since genesis. [USD e-6]
    accounts, below_maintenance, liquidations : int
        Counts; liquidations since genesis.
    """

    net_cash_e6: int
    collateral_e8: tuple[int, ...]
    deposited_cash: int
    deposited_collateral: tuple[int, ...]
    withdrawn_cash: int
    withdrawn_collateral: tuple[int, ...]
    insurance_e6: int
    contributed_e6: int
    drawn_e6: int
    shortfall_e6: int
    accounts: int
    below_maintenance: int
    liquidations: int


def totals_hash(totals: Totals) -> bytes:
    """Return ``keccak256(abi.encode(totals))``."""
    return keccak256(encode_totals(totals))


def encode_totals(totals: Totals) -> bytes:
    """Return ``abi.encode(totals)``; EncodingError when a value does not fit its type."""
    head: list[bytes] = []
    tail: list[bytes] = []
    for kind, value in zip(_TOTALS_TYPES, astuple(totals), strict=True):
        if isinstance(value, tuple):
            head.append(unsigned((len(_TOTALS_TYPES) + len(tail)) * WORD, 256))
            tail += [unsigned(len(value), 256), *[unsigned(v, 128) for v in value]]
        else:
            head.append(word(kind, value))
    return b"".join([unsigned(WORD, 256), *head, *tail])


def totals_of(state: State) -> Totals:
    """Return the totals of a state; exact sums over all accounts."""
    net_cash, collateral = book_balances(state)
    flows = state.flows
    return Totals(
        net_cash,
        collateral,
        flows.deposited[0],
        tuple(flows.deposited[1:]),
        flows.withdrawn[0],
        tuple(flows.withdrawn[1:]),
        int(state.accounts.cash[INSURANCE]),
        flows.contributed_e6,
        flows.drawn_e6,
        flows.shortfall_e6,
        state.accounts.count,
        _count_below_maintenance(state),
        flows.liquidations,
    )


def book_balances(state: State) -> tuple[int, tuple[int, ...]]:
    """Return over all accounts the sum of cash - cost, and of asset 1, 2, .. [USD e-6, e-8]"""
    accounts, n = state.accounts, state.accounts.count
    net_cash = _exact_sum(accounts.cash[:n]) - _exact_sum(accounts.costs[:n])
    return net_cash, tuple(_exact_sum(column) for column in accounts.collateral[:n].T)


def assert_conserved(state: State) -> None:
    """Assert SOL-1 on a state; raises ConservationError."""
    net_cash, collateral = book_balances(state)
    flows = state.flows
    _demand_none(_excesses((net_cash, *collateral), flows.deposited, flows.withdrawn))


def _exact_sum(values: NDArray[np.int64]) -> int:
    """Sum in two halves of 32 bits: 2**25 numbers (accounts x positions) cannot wrap either."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def _count_below_maintenance(state: State) -> int:
    """Count accounts whose margin balance is below MM; none before the first prices."""
    if state.market.arrays is None:
        return 0
    at_one = RatioE6(ONE_E6)
    rows = margins_near(state, state.market, at_one).rows()
    return sum(is_below(balance, due, at_one) for _, balance, due in rows)


def excesses(totals: Totals) -> tuple[int, ...]:
    """Return by how much the book exceeds its deposits in each asset, cash first: SOL-1 says 0.

    Totals that do not speak of the same assets throughout are a ValueError.
    """
    return _excesses(
        (totals.net_cash_e6, *totals.collateral_e8),
        (totals.deposited_cash, *totals.deposited_collateral),
        (totals.withdrawn_cash, *totals.withdrawn_collateral),
    )


def check_conservation(totals: Totals) -> None:
    """Assert SOL-1: the book holds what came in less what went out.

    Raises
    ------
    ConservationError
        With the excess of the book in each asset.
    """
    _demand_none(excesses(totals))


def _excesses(
    held: Sequence[int], deposited: Sequence[int], withdrawn: Sequence[int]
) -> tuple[int, ...]:
    return tuple(h - (d - w) for h, d, w in zip(held, deposited, withdrawn, strict=True))


def _demand_none(found: Sequence[int]) -> None:
    if any(found):
        raise ConservationError(
            f"SOL-1: the book exceeds its deposits by {found[0]} [USD e-6], {found[1:]} [token e-8]"
        )
