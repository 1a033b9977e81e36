"""The margin of accounts in a state, as it is or as a trade would leave it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offchain.core.collateral import UNITS_E10, collateral_value, haircut_price
from offchain.core.margin import AccountMargin, is_below, maintenance_margin
from offchain.core.scan import order_sums, scan_risk, scan_sums, sweep
from offchain.core.units import MAX_UNDERLYINGS, SCENARIOS, UsdE6, ceil_div
from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.market import Market
from offchain.engine.state import State
from offchain.pricing.risk_array import RiskArrays

Int64Array = NDArray[np.int64]
OrderTerms = tuple[int, int, int]
"""(instrument, signed lots, limit price e8) of an order that may fill."""


@dataclass(slots=True)
class Overlay:
    """Trades and cash that a decision would add to the state, account by account."""

    trades: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    cash: dict[int, int] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)  # orders that have already left the book
    filled: dict[int, int] = field(default_factory=dict)  # lots already taken of others, signed

    def trade(self, account: int, instrument: int, lots: int, cost_e6: int) -> None:
        """Add a trade."""
        held = self.trades.setdefault(account, {})
        old_lots, old_cost = held.get(instrument, (0, 0))
        held[instrument] = (old_lots + lots, old_cost + cost_e6)

    def pay(self, account: int, amount_e6: int) -> None:
        """Add (or, negative, take) cash."""
        self.cash[account] = self.cash.get(account, 0) + amount_e6

    def lots(self, state: State, account: int, instrument: int) -> int:
        """Return the position as the overlay leaves it."""
        added = self.trades.get(account, {}).get(instrument, (0, 0))[0]
        return state.accounts.lots_of(account, instrument) + added

    def orders(self, state: State, account: int) -> list[OrderTerms]:
        """Return the resting orders of an account as the overlay leaves them."""
        left = [
            (o.instrument, o.lots - self.filled.get(o.order_id, 0), o.price_e8)
            for o in state.orders_of(account)
            if o.order_id not in self.closed
        ]
        return [terms for terms in left if terms[1]]


def positions_after(
    state: State, account: int, overlay: Overlay | None
) -> tuple[tuple[int, int, int], ...]:
    """Return (instrument, lots, cost) ascending; a closed position keeps its cost, without lots."""
    positions = state.accounts.positions(account)
    added = overlay.trades.get(account) if overlay else None
    if not added:
        return positions
    merged: dict[int, tuple[int, int]] = {i: (lots, cost) for i, lots, cost in positions}
    for instrument, (lots, cost) in added.items():
        old_lots, old_cost = merged.get(instrument, (0, 0))
        merged[instrument] = (old_lots + lots, old_cost + cost)
    return tuple((i, *merged[i]) for i in sorted(merged))


def haircut_prices(state: State, market: Market) -> tuple[int, ...]:
    """Return the price after the haircut of each volatile collateral. [USD e-8]"""
    return tuple(
        haircut_price(market.medians[c.underlying], c.haircut_e6) for c in state.rules.collateral
    )


def collateral_values(state: State, account: int, prices: Sequence[int]) -> int:
    """Return the value of all volatile collateral of an account. [USD e-6]"""
    held = state.accounts.collateral[account]
    return sum(
        collateral_value(int(amount), price)
        for amount, price in zip(held, prices, strict=True)
        if amount
    )


def account_margin(
    state: State,
    account: int,
    overlay: Overlay | None = None,
    orders: Iterable[OrderTerms] | None = None,
) -> AccountMargin:
    """Return the margin of an account, with an overlay applied and orders that may fill.

    `orders` defaults to the resting orders of the account. Initial margin takes, in each scenario,
    the worst subset of those orders to fill at their limits: exact, since each scenario is linear.
    """
    market = state.market
    if not state.accounts.counts[account] and market.arrays is None:
        return _cash_only(state, account)
    arrays = market.prices
    positions = positions_after(state, account, overlay)
    cash = int(state.accounts.cash[account])
    if overlay:
        cash += overlay.cash.get(account, 0)
    net = market.net_lot_values()
    open_value = sum(lots * int(net[i]) - cost for i, lots, cost in positions)
    sums = _position_sums(positions, arrays)
    scan, worst = scan_risk(sums)
    if orders is None:
        orders = [(o.instrument, o.lots, o.price_e8) for o in state.orders_of(account)]
    initial = _with_orders(state, sums, orders, arrays)
    index = tuple(market.medians[c.underlying] for c in state.rules.collateral)
    credit = collateral_values(state, account, haircut_prices(state, market))
    return AccountMargin(
        equity_e6=UsdE6(cash + open_value + collateral_values(state, account, index)),
        margin_balance_e6=UsdE6(cash + open_value + credit),
        scan_e6=UsdE6(int(scan)),
        addons_e6=UsdE6(0),
        maintenance_e6=maintenance_margin(int(scan), 0, state.rules.mm_factor_e6),
        initial_e6=UsdE6(initial),
        worst=tuple(int(s) for s in worst),
    )


def _cash_only(state: State, account: int) -> AccountMargin:
    cash = UsdE6(int(state.accounts.cash[account]))
    zero = UsdE6(0)
    return AccountMargin(cash, cash, zero, zero, zero, zero, (0,) * MAX_UNDERLYINGS)


def _position_sums(positions: Sequence[tuple[int, int, int]], arrays: RiskArrays) -> Int64Array:
    sums = np.empty((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    ids = np.array([p[0] for p in positions], np.int32)
    lots = np.array([p[1] for p in positions], np.int32)
    scan_sums(ids, lots, arrays.losses_e6, sums)
    return sums


def _with_orders(
    state: State, sums: Int64Array, orders: Iterable[OrderTerms], arrays: RiskArrays
) -> int:
    terms = list(orders)
    if terms:
        ids = np.array([t[0] for t in terms], np.int32)
        lots = np.array([t[1] for t in terms], np.int32)
        slippage = np.array(
            [
                price // state.underlying(i).lot_divisor - int(arrays.lot_values_e6[i])
                for i, _, price in terms
            ],
            np.int64,
        )
        sums = sums.copy()
        order_sums(ids, lots, slippage, arrays.losses_e6, sums)
    return int(scan_risk(sums)[0])


def open_profit(state: State, account: int) -> int:
    """Return the unrealised profit of all positions. [USD e-6]"""
    positions = state.accounts.positions(account)
    if not positions:
        return 0
    net = state.market.net_lot_values()
    return sum(lots * int(net[i]) - cost for i, lots, cost in positions)


def withdrawable(state: State, account: int, asset: int) -> int:
    """Return what may leave an account now, in token units.

    Cash: realised money less unrealised losses, as far as initial margin stays covered; unrealised
    profit never leaves. Volatile collateral: as much as leaves initial margin covered, and any
    debt or unrealised loss covered by what stays.
    """
    margin = account_margin(state, account)
    free = margin.margin_balance_e6 - margin.initial_e6
    realised = int(state.accounts.cash[account]) + min(0, open_profit(state, account))
    if asset == 0:
        return max(0, min(realised, free))
    held = int(state.accounts.collateral[account, asset - 1])
    prices = haircut_prices(state, state.market)
    value = collateral_value(held, prices[asset - 1])
    realised += collateral_values(state, account, prices)
    return _largest_release(held, prices[asset - 1], value - min(realised, free))


def _largest_release(held: int, price_e8: int, needed_e6: int) -> int:
    """Return how much of a holding may go so that the rest is still worth `needed`."""
    if needed_e6 <= 0:
        return held
    if price_e8 == 0:  # an index of less than two units is worth nothing after the haircut
        return 0
    return max(0, held - ceil_div(needed_e6 * UNITS_E10, price_e8))


def sweep_margins(
    state: State, market: Market, arrays: RiskArrays, funding_e6: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Return (margin balance, scan risk) of every account at given prices. [USD e-6]"""
    accounts, n = state.accounts, state.accounts.count
    credit = np.zeros(n, np.int64)
    prices = haircut_prices(state, market)
    for account in np.flatnonzero(accounts.collateral[:n].any(axis=1)).tolist():
        credit[account] = collateral_values(state, account, prices)
    balance, scan = np.empty(n, np.int64), np.empty(n, np.int64)
    sweep(
        accounts.ids[:n],
        accounts.lots[:n],
        accounts.costs[:n],
        accounts.counts[:n],
        accounts.cash[:n],
        credit,
        arrays.lot_values_e6 - funding_e6,
        arrays.losses_e6,
        scan,
        balance,
    )
    return balance, scan


def below_trigger(state: State) -> list[int]:
    """Return the accounts under the partial trigger, the worst ratio first.

    The reserved accounts are left out: the fund has no positions, the backstop is the taker.
    """
    if state.market.arrays is None:
        return []
    rules = state.rules
    balance, scan = sweep_margins(state, state.market, state.market.prices, state.market.funding_e6)
    found = []
    for account in np.flatnonzero((scan > 0) | (balance < 0)).tolist():
        due = maintenance_margin(int(scan[account]), 0, rules.mm_factor_e6)
        if account not in (INSURANCE, BACKSTOP) and is_below(
            int(balance[account]), due, rules.liquidation.partial_trigger_e6
        ):
            found.append((int(balance[account]) * 10**6 // max(1, due), account))
    return [account for _, account in sorted(found)]
