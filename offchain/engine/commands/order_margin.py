"""The margin of an order: before it is matched, however it fills, and as it did fill."""

from offchain.core.margin import (
    AccountMargin,
    fee_e6,
    is_valid_risk_change,
    trade_cost_e6,
)
from offchain.engine.book import Order
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.messages import PlaceOrder
from offchain.engine.overlay import Overlay
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State


def refuse_margin(
    state: State, command: PlaceOrder, lots: int, orders: list[Order]
) -> Rejected | None:
    """Refuse an order that would leave IM uncovered, unless it only reduces, and does (E-4)."""
    resting = [(o.instrument, o.lots, o.price_e8) for o in orders]
    terms = [*resting, (command.instrument, lots, command.limit_price_e8)]
    margin = account_margin(state, command.account, orders=terms)
    divisor = state.underlying(command.instrument).lot_divisor
    fee = fee_e6(lots, command.limit_price_e8, divisor, state.rules.taker_fee_e6)
    most = fee + min(abs(lots), MATCH_LIMIT) - 1  # every fill rounds its own fee up
    balance = margin.margin_balance_e6 - most
    if balance >= margin.initial_e6:
        return None
    if command.reduce_only and _reduces_risk(state, command, lots, most):
        return None
    return _insufficient(balance, margin)


def _insufficient(balance_e6: int, margin: AccountMargin) -> Rejected:
    return Rejected(
        Reason.INSUFFICIENT_MARGIN,
        (("margin_balance_e6", balance_e6), ("initial_margin_e6", margin.initial_e6)),
    )


def _reduces_risk(state: State, command: PlaceOrder, lots: int, fee: int) -> bool:
    overlay = Overlay()
    divisor = state.underlying(command.instrument).lot_divisor
    funding = int(state.market.funding_e6[command.instrument])
    cost = trade_cost_e6(lots, command.limit_price_e8, divisor, funding)
    overlay.trade(command.account, command.instrument, lots, cost)
    overlay.pay(command.account, -fee)
    return _is_valid_outcome(state, command.account, overlay)


def _is_valid_outcome(state: State, account: int, overlay: Overlay) -> bool:
    before = account_margin(state, account, orders=())
    after = account_margin(state, account, overlay, orders=())
    return is_valid_risk_change(
        before.margin_balance_e6,
        before.maintenance_e6,
        after.margin_balance_e6,
        after.maintenance_e6,
    )


def refuse_outcome(
    state: State, command: PlaceOrder, overlay: Overlay, rest: int
) -> Rejected | None:
    """Refuse what an order has come to when it leaves IM uncovered (E-4, E-5).

    What was asked before counts an order at its worst in each scenario. A trade off the mark is
    paid in full all the same, while the scan may count it against an offset, or below the unwinding
    floor; and open interest may be another. So the outcome is looked at once more.
    """
    account = command.account
    if not overlay.trades.get(account):
        return None
    orders = overlay.orders(state, account)
    if rest:
        orders.append((command.instrument, rest, command.limit_price_e8))
    after = account_margin(state, account, overlay, orders)
    if after.margin_balance_e6 >= after.initial_e6:
        return None
    if command.reduce_only and _is_valid_outcome(state, account, overlay):
        return None
    return _insufficient(after.margin_balance_e6, after)
