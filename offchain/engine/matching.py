"""Matching: what an incoming order would trade with, in price-time priority.

Nothing here changes the state. What has already been matched lives in the overlay, so that one
decision can match several legs and still check every maker as it will be.
"""

from dataclasses import dataclass

from offchain.core.margin import fee_e6, is_valid_risk_change, trade_cost_e6
from offchain.core.units import (
    MAX_POSITIONS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    RatioE6,
    UsdE6,
)
from offchain.engine.accounts import LOTS_LIMIT
from offchain.engine.book import Order
from offchain.engine.breakers import voids_orders
from offchain.engine.events import Closing, Event, Filled, OrderClosed
from offchain.engine.overlay import Overlay, positions_after
from offchain.engine.risk import account_margin
from offchain.engine.state import State

MATCH_LIMIT = 256
"""Resting orders that one record may touch, over all its orders; what is left over is dropped.

So the effects of one record always fit into a transaction.
"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order looking for the other side."""

    account: AccountId
    instrument: InstrumentId
    lots: int
    limit_price_e8: int
    fee_rate_e6: RatioE6


@dataclass(slots=True)
class Match:
    """What matching found: events in order, and the lots left, signed as the order."""

    events: list[Event]
    left: int
    is_cut: bool = False
    touched: int = 0


def match(
    state: State, order: Incoming, time_ns: int, overlay: Overlay, most: int = MATCH_LIMIT
) -> Match:
    """Match an order with at most so many resting ones and record its trades in the overlay.

    A resting order is closed instead of filled when it has expired, when it belongs to the same
    owner, when it could no longer reduce, when a circuit breaker has made it void, or when its fill
    would take its owner below what `is_valid_risk_change` allows (E-5) or beyond what an account
    may hold.
    """
    found = Match([], order.lots)
    is_halted = voids_orders(state, order.instrument, time_ns)
    for maker in state.books[order.instrument].against(order.lots).orders():
        if found.left == 0 or not _crosses(order, maker):
            break
        if found.touched == most:
            found.is_cut = True
            break
        found.touched += 1
        if maker.order_id in overlay.closed:
            continue
        size = _maker_size(state, maker, found.left, overlay)
        closing = _closing(state, order, maker, size, time_ns)
        if closing is None and is_halted and not maker.reduce_only:
            closing = Closing.BREAKER
        if closing is None and not _maker_may_fill(state, maker, size, overlay):
            closing = Closing.MARGIN
        if closing is not None:
            overlay.closed.add(maker.order_id)
            found.events.append(_closed(maker, closing))
            continue
        found.events.append(_fill(state, order, maker, size, overlay))
        found.left -= size
        if found.left and abs(size) < abs(maker.lots):  # it may reduce no further
            overlay.closed.add(maker.order_id)
            found.events.append(_closed(maker, Closing.REDUCED))
    return found


def _closed(maker: Order, closing: Closing) -> OrderClosed:
    return OrderClosed(maker.order_id, maker.account, maker.instrument, closing)


def _crosses(order: Incoming, maker: Order) -> bool:
    if order.lots > 0:
        return maker.price_e8 <= order.limit_price_e8
    return maker.price_e8 >= order.limit_price_e8


def _maker_size(state: State, maker: Order, left: int, overlay: Overlay) -> int:
    """Return the taker's signed lots that this maker can give; zero when it may only reduce."""
    available = abs(maker.lots)
    if maker.reduce_only:
        position = overlay.lots(state, maker.account, maker.instrument)
        reducible = abs(position) if position * maker.lots < 0 else 0
        available = min(available, reducible)
    size = min(available, abs(left))
    return size if left > 0 else -size


def _closing(
    state: State, order: Incoming, maker: Order, size: int, time_ns: int
) -> Closing | None:
    if time_ns >= maker.expires_at_ns:
        return Closing.EXPIRED
    if state.accounts.owner[maker.account] == state.accounts.owner[order.account]:
        return Closing.SELF_TRADE
    return Closing.REDUCED if size == 0 else None


def _cost(state: State, instrument: InstrumentId, lots: int, price_e8: int) -> int:
    divisor = state.underlying(instrument).lot_divisor
    return trade_cost_e6(lots, price_e8, divisor, int(state.market.funding_e6[instrument]))


def _maker_may_fill(state: State, maker: Order, size: int, overlay: Overlay) -> bool:
    if not _has_room(state, maker, size, overlay):
        return False
    before = account_margin(state, maker.account, overlay, orders=())
    cost = _cost(state, maker.instrument, -size, maker.price_e8)
    overlay.trade(maker.account, maker.instrument, -size, cost)
    after = account_margin(state, maker.account, overlay, orders=())
    overlay.trade(maker.account, maker.instrument, size, -cost)
    return is_valid_risk_change(
        before.margin_balance_e6,
        before.maintenance_e6,
        after.margin_balance_e6,
        after.maintenance_e6,
    )


def _has_room(state: State, maker: Order, size: int, overlay: Overlay) -> bool:
    """Tell whether the account may hold the result.

    Order entry sees to that for traders; the backstop takes positions over besides.
    """
    held = overlay.lots(state, maker.account, maker.instrument)
    if abs(held - size) >= LOTS_LIMIT:
        return False
    if held:
        return True
    positions = positions_after(state, maker.account, overlay)
    return sum(1 for _, lots, _ in positions if lots) < MAX_POSITIONS


def _fill(state: State, order: Incoming, maker: Order, size: int, overlay: Overlay) -> Filled:
    price = PriceE8(maker.price_e8)
    cost = _cost(state, order.instrument, size, price)
    divisor = state.underlying(order.instrument).lot_divisor
    fee = fee_e6(size, price, divisor, order.fee_rate_e6)
    overlay.trade(order.account, order.instrument, size, cost)
    overlay.trade(maker.account, order.instrument, -size, -cost)
    overlay.pay(order.account, -fee)
    overlay.filled[maker.order_id] = -size
    return Filled(
        instrument=order.instrument,
        price_e8=price,
        lots=Lots(size),
        taker=order.account,
        maker=maker.account,
        maker_order_id=maker.order_id,
        fee_e6=UsdE6(fee),
    )
