"""The margin of accounts in a state, as it is or as a trade would leave it."""

from collections.abc import Iterable, Mapping, Sequence

from offchain.core.addons import AccountLine
from offchain.core.margin import AccountMargin, Mode
from offchain.core.portfolio import OrderLine
from offchain.core.units import UsdE6
from offchain.engine.accounts import INSURANCE
from offchain.engine.credit import credit_of, full_value
from offchain.engine.overlay import (
    OrderTerms,
    Overlay,
    cash_after,
    collateral_after,
    interest_after,
    positions_after,
)
from offchain.engine.requirements import (
    linear_requirement,
    portfolio_requirement,
    without_positions,
)
from offchain.engine.state import State


def account_margin(
    state: State,
    account: int,
    overlay: Overlay | None = None,
    orders: Iterable[OrderTerms] | None = None,
    mode: Mode | None = None,
) -> AccountMargin:
    """Return the margin of an account, with an overlay applied and orders that may fill.

    `orders` defaults to the resting orders of the account, `mode` to its own. Initial margin takes
    each term, and each scenario, at the worst subset of those orders filled at their limits.
    """
    if mode is None:
        mode = Mode(int(state.accounts.mode[account]))
    cash = cash_after(state, account, overlay)
    if state.market.arrays is None:
        assert not state.accounts.counts[account], "a position without prices"
        return without_positions(mode, (UsdE6(cash), UsdE6(cash)))
    if orders is None:
        orders = [(o.instrument, o.lots, o.price_e8) for o in state.orders_of(account)]
    positions = positions_after(state, account, overlay)
    amounts = collateral_after(state, account, overlay)
    interest = interest_after(state, overlay)
    return margin_of(state, mode, positions, cash, amounts, orders, account, interest)


def margin_of(
    state: State,
    mode: Mode,
    positions: Sequence[tuple[int, int, int]],
    cash_e6: int,
    collateral_e8: Sequence[int],
    orders: Iterable[OrderTerms] = (),
    account: int = INSURANCE,
    interest: Mapping[int, int] | None = None,
) -> AccountMargin:
    """Return the margin of holdings that need not be anybody's, at the prices in force.

    Parameters
    ----------
    positions : sequence of (instrument, lots, cost)
        Each instrument once. [lots, USD e-6]
    collateral_e8 : sequence of int
        Amount of each volatile collateral; empty when there is none. [token e-8]
    orders : iterable of (instrument, lots, limit price)
        Orders that may fill. [lots, USD e-8]
    account : int
        Whose credit curves apply: only the backstop has its own.
    interest : mapping of instrument to lots
        By how much trades that are not in the state yet change the open interest.
    """
    market = state.market
    open_value = cash_e6 + open_profit(state, positions)
    worth = (
        UsdE6(open_value + full_value(state, market, collateral_e8)),
        UsdE6(open_value + credit_of(market, account, collateral_e8)),
    )
    terms = _order_lines(state, orders)
    lines = _lines(positions, terms)
    if not lines:
        return without_positions(mode, worth)
    if mode is Mode.PORTFOLIO:
        return portfolio_requirement(state, worth, lines, terms)
    return linear_requirement(state, mode, worth, lines, terms, interest or {})


def open_profit(state: State, positions: Sequence[tuple[int, int, int]]) -> int:
    """Return the unrealised profit of (instrument, lots, cost). [USD e-6]"""
    if not positions:
        return 0
    values, funding = state.market.prices.lot_values_e6, state.market.funding_e6
    return sum(lots * (int(values[i]) - int(funding[i])) - cost for i, lots, cost in positions)


def _order_lines(state: State, orders: Iterable[OrderTerms]) -> list[OrderLine]:
    """Return instrument, lots and limit less mark of one lot of each order."""
    values = state.market.prices.lot_values_e6
    return [
        (i, lots, price // state.underlying(i).lot_divisor - int(values[i]))
        for i, lots, price in orders
    ]


def _lines(
    positions: Sequence[tuple[int, int, int]], orders: Sequence[OrderLine]
) -> list[AccountLine]:
    """Return what is held and ordered of each instrument, ascending."""
    if not orders:
        return [(i, lots, 0, 0) for i, lots, _ in positions if lots]
    held = {i: (lots, 0, 0) for i, lots, _ in positions if lots}
    for i, lots, _ in orders:
        position, buys, sells = held.get(i, (0, 0, 0))
        held[i] = (position, buys + max(0, lots), sells + max(0, -lots))
    return [(i, *held[i]) for i in sorted(held)]
