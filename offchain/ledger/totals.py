"""Totals: sums over the whole book, and SOL-1 on them."""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.margin import is_below, maintenance_margin
from offchain.core.units import ONE_E6, RatioE6
from offchain.engine.accounts import INSURANCE
from offchain.engine.risk import sweep_margins
from offchain.engine.state import State
from offchain.ledger.abi import static
from offchain.ledger.errors import ConservationError
from offchain.ledger.keccak import keccak256

_TOTALS_TYPES = (
    "int128",
    *["uint128"] * 5,
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
    collateral_e8 : int
        Sum over accounts of asset 1. [token e-8]
    deposited_cash, deposited_collateral, withdrawn_cash, withdrawn_collateral : int
        Since genesis. [token units]
    insurance_e6 : int
        Cash of account 0. [USD e-6]
    contributed_e6, drawn_e6, shortfall_e6 : int
        Into the fund, out of it, and not paid by it, since genesis. [USD e-6]
    accounts, below_maintenance, liquidations : int
        Counts; liquidations since genesis.
    """

    net_cash_e6: int
    collateral_e8: int
    deposited_cash: int
    deposited_collateral: int
    withdrawn_cash: int
    withdrawn_collateral: int
    insurance_e6: int
    contributed_e6: int
    drawn_e6: int
    shortfall_e6: int
    accounts: int
    below_maintenance: int
    liquidations: int


def totals_hash(totals: Totals) -> bytes:
    """Return ``keccak256(abi.encode(totals))``."""
    return keccak256(static(_TOTALS_TYPES, astuple(totals)))


def totals_of(state: State) -> Totals:
    """Return the totals of a state; exact sums over all accounts."""
    net_cash, collateral = book_balances(state)
    flows = state.flows
    return Totals(
        net_cash,
        collateral,
        flows.deposited[0],
        flows.deposited[1],
        flows.withdrawn[0],
        flows.withdrawn[1],
        int(state.accounts.cash[INSURANCE]),
        flows.contributed_e6,
        flows.drawn_e6,
        flows.shortfall_e6,
        state.accounts.count,
        _count_below_maintenance(state),
        flows.liquidations,
    )


def book_balances(state: State) -> tuple[int, int]:
    """Return (sum of cash - cost [USD e-6], sum of asset 1 [token e-8]) over all accounts."""
    accounts, n = state.accounts, state.accounts.count
    net_cash = _exact_sum(accounts.cash[:n]) - _exact_sum(accounts.costs[:n])
    return net_cash, _exact_sum(accounts.collateral[:n, 0])


def assert_conserved(state: State) -> None:
    """Assert SOL-1 on a state; raises ConservationError."""
    flows = state.flows
    _demand_conserved(
        book_balances(state),
        (flows.deposited[0] - flows.withdrawn[0], flows.deposited[1] - flows.withdrawn[1]),
    )


def _exact_sum(values: NDArray[np.int64]) -> int:
    """Sum in two halves of 32 bits: 2**25 numbers (accounts x positions) cannot wrap either."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def _count_below_maintenance(state: State) -> int:
    """Count accounts whose margin balance is below MM; none before the first prices."""
    if state.market.arrays is None:
        return 0
    market, factor = state.market, state.rules.mm_factor_e6
    balance, scan = sweep_margins(state, market, market.prices, market.funding_e6)
    # The factor is at most one, so only these can be below.
    candidates = np.flatnonzero((balance < scan) | (balance < 0)).tolist()
    return sum(
        is_below(int(balance[a]), maintenance_margin(int(scan[a]), 0, factor), RatioE6(ONE_E6))
        for a in candidates
    )


def check_conservation(totals: Totals) -> None:
    """Assert SOL-1: the book holds what came in less what went out.

    Raises
    ------
    ConservationError
        With the excess of the book in each asset.
    """
    _demand_conserved(
        (totals.net_cash_e6, totals.collateral_e8),
        (
            totals.deposited_cash - totals.withdrawn_cash,
            totals.deposited_collateral - totals.withdrawn_collateral,
        ),
    )


def _demand_conserved(held: tuple[int, int], due: tuple[int, int]) -> None:
    if held != due:
        cash, collateral = held[0] - due[0], held[1] - due[1]
        raise ConservationError(
            f"SOL-1: the book exceeds its deposits by {cash} [USD e-6], {collateral} [token e-8]"
        )
