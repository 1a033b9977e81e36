"""Margins of all accounts: exact for those that may be in trouble, bounded for the rest.

Stage one (`core.sweep`) gives each account's exact balance, its plain sum of worst losses and
`gross`, lots times a bound of the add-ons of one lot. Stage two computes MM exactly for whoever
might be below. Stage one hides nobody, by `core.margin_bounds`; accounts whose gross is not small
are never hidden, nor are isolated and cross accounts: their requirement is cheap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.collateral import UNITS_E10
from offchain.core.lanes import packed_losses
from offchain.core.margin import Mode, is_below
from offchain.core.margin_bounds import addon_rates, gross_rates, small_gross
from offchain.core.portfolio import maintenance_of
from offchain.core.sweep import sweep_bounds
from offchain.core.units import ONE_E6, RatioE6, ceil_div
from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.credit import credit_of
from offchain.engine.market import Market
from offchain.engine.state import State

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
BOUND_LIMIT = 1 << 60
RATE_LIMIT_E6 = 4 * ONE_E6
"""Bounds below 2**60 times rates up to four stay below 2**63: 2**60 / 1e6 < 2**41, 4e6 < 2**22."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Exact figures of some accounts, ascending. [USD e-6]"""

    accounts: Int64Array
    balances_e6: Int64Array
    maintenances_e6: Int64Array

    def rows(self) -> list[tuple[int, int, int]]:
        """Return (account, margin balance, MM) of each."""
        columns = (self.accounts, self.balances_e6, self.maintenances_e6)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def maintenance_margins(
    state: State, market: Market | None = None
) -> tuple[Int64Array, Int64Array]:
    """Return (margin balance, MM) of every account, exact, at a market. [USD e-6]"""
    at = market or state.market
    balance, _, _ = _bounds(state, at)
    everyone = np.arange(state.accounts.count)
    return balance, _maintenance(state, at, everyone)


def margins_near(
    state: State, market: Market, ratio_e6: RatioE6, also: Int64Array | None = None
) -> Margins:
    """Return exact figures of every account that may be below a margin ratio, and of `also`.

    Nobody below the ratio is left out; some who are not below are in.
    """
    balance, scan, gross = _bounds(state, market)
    hidden = hidden_accounts(state, balance, scan, gross, ratio_e6)
    if also is not None:
        hidden[also] = False
    chosen = np.flatnonzero(~hidden)
    return Margins(chosen, balance[chosen], _maintenance(state, market, chosen))


def hidden_accounts(
    state: State, balance: Int64Array, scan: Int64Array, gross: Int64Array, ratio_e6: RatioE6
) -> BoolArray:
    """Tell which accounts stage one proves to be above a ratio; see the top of the module.

    ``balance * 1e6 >= ratio x MM`` follows from ``balance >= rate x bound + slack`` with
    rate = ceil(ratio x factor) and MM <= factor x bound + 1.
    """
    accounts, n = state.accounts, state.accounts.count
    hidden: BoolArray = (accounts.counts[:n] == 0) & (balance >= 0)
    rate = ceil_div(ratio_e6 * state.rules.mm_factor_e6, ONE_E6)
    if rate > RATE_LIMIT_E6:
        return hidden
    bound = scan + gross
    needed = (np.minimum(bound, BOUND_LIMIT) // ONE_E6 + 1) * rate
    needed += ceil_div(ratio_e6, ONE_E6) + 1
    small = (gross <= small_gross(state.rules.addons)) & (bound < BOUND_LIMIT)
    is_portfolio = accounts.mode[:n] == Mode.PORTFOLIO
    covered: BoolArray = small & is_portfolio & (balance >= needed)
    return np.logical_or(hidden, covered)


def _credits(state: State, market: Market) -> Int64Array:
    """Return `credit_of` of every account; products need more than 63 bits, so they are objects."""
    accounts, n = state.accounts, state.accounts.count
    credit = np.zeros(n, np.int64)
    for asset, curve in enumerate(market.curves):
        held = accounts.collateral[:n, asset]
        rows = np.flatnonzero(held)
        below, total = 0, np.zeros(len(rows), np.object_)
        for upto, price in curve:
            part = np.clip(held[rows] - below, 0, upto - below)
            total += part.astype(np.object_) * price
            below = upto
        credit[rows] += (total // UNITS_E10).astype(np.int64)
    credit[BACKSTOP] = credit_of(market, BACKSTOP, accounts.collateral[BACKSTOP].tolist())
    return credit


def _bounds(state: State, market: Market) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return (margin balance, plain sum of worst losses, gross) of every account. [USD e-6]"""
    accounts, n = state.accounts, state.accounts.count
    balance, scan, gross = (np.empty(n, np.int64) for _ in range(3))
    sweep_bounds(
        accounts.ids[:n],
        accounts.lots[:n],
        accounts.counts[:n],
        accounts.cash[:n] - accounts.costs[:n].sum(axis=1),
        _credits(state, market),
        market.net_lot_values(),
        gross_rates(market.charges_in_force, addon_rates(state.rules.addons)),
        packed_losses(market.prices.losses_e6),
        balance,
        scan,
        gross,
    )
    return balance, scan, gross


def _maintenance(state: State, market: Market, chosen: Int64Array) -> Int64Array:
    accounts, tables = state.accounts, state.tables
    out = np.empty(len(chosen), np.int64)
    maintenance_of(
        chosen,
        accounts.mode,
        accounts.ids,
        accounts.lots,
        accounts.counts,
        market.prices.losses_e6,
        market.charges_in_force,
        tables.curves,
        tables.terms,
        int(tables.mm_factor_e6),
        out,
    )
    return out


def below_trigger(state: State) -> list[int]:
    """Return the accounts under the partial trigger, the worst ratio first.

    The reserved accounts are left out: the fund has no positions, the backstop is the taker.
    """
    if state.market.arrays is None:
        return []
    trigger = state.rules.liquidation.partial_trigger_e6
    found = [
        (balance * ONE_E6 // max(1, due), account)
        for account, balance, due in margins_near(state, state.market, trigger).rows()
        if account not in (INSURANCE, BACKSTOP) and is_below(balance, due, trigger)
    ]
    return [account for _, account in sorted(found)]
