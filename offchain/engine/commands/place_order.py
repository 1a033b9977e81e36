"""PlaceOrder: check mode and margin, match, and rest what is left."""

from offchain.core.margin import Mode
from offchain.core.units import LOSS_BITS, MAX_ORDERS, MAX_POSITIONS, Lots, PriceE8
from offchain.engine.accounts import LOTS_LIMIT
from offchain.engine.book import Order
from offchain.engine.breakers import refuse_order
from offchain.engine.commands.intents import refuse_intent, refuse_prices
from offchain.engine.commands.order_margin import refuse_margin, refuse_outcome
from offchain.engine.events import Closing, Event, NonceUsed, OrderClosed, OrderRested
from offchain.engine.matching import Incoming, match
from offchain.engine.messages import PlaceOrder, TimeInForce
from offchain.engine.modes import forbidden_by_mode, instruments_of
from offchain.engine.overlay import Overlay
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def decide(
    state: State, command: PlaceOrder, seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept an order that leaves initial margin covered however it fills (E-4).

    Expired orders of the account leave the book first, so they bind neither limit nor margin.
    """
    refused = (
        refuse_intent(state, command.account, command.nonce, command.expires_at_ns, time_ns)
        or refuse_prices(state, time_ns)
        or _refuse_terms(state, command, time_ns)
        or refuse_order(state, command, time_ns)
        or _refuse_risk_in_doubt(state, command)
    )
    if refused:
        return refused
    lots = _reducing_lots(state, command) if command.reduce_only else int(command.lots)
    if lots == 0:
        return Rejected(Reason.NOTHING_TO_REDUCE)
    orders = state.orders_of(command.account)
    live = [order for order in orders if time_ns < order.expires_at_ns]
    refused = _refuse_limits(state, command, lots, live) or refuse_margin(
        state, command, lots, live
    )
    if refused:
        return refused
    expired = [order for order in orders if time_ns >= order.expires_at_ns]
    return _execute(state, command, lots, expired, seq, time_ns)


def _refuse_terms(state: State, command: PlaceOrder, time_ns: int) -> Rejected | None:
    if command.instrument not in state.instruments:
        return Rejected(Reason.UNKNOWN_INSTRUMENT, (("instrument", command.instrument),))
    if not state.is_open(command.instrument, time_ns):
        return Rejected(Reason.INSTRUMENT_EXPIRED, (("instrument", command.instrument),))
    if command.lots == 0 or abs(command.lots) >= LOTS_LIMIT:
        return Rejected(Reason.BAD_SIZE, (("lots", command.lots), ("limit", LOTS_LIMIT)))
    underlying = state.underlying(command.instrument)
    price = command.limit_price_e8
    if price <= 0 or price % underlying.tick_e8 or price // underlying.lot_divisor >> LOSS_BITS:
        return Rejected(Reason.BAD_PRICE, (("price_e8", price), ("tick_e8", underlying.tick_e8)))
    return None


def _refuse_risk_in_doubt(state: State, command: PlaceOrder) -> Rejected | None:
    """While a jump waits for confirmation, marks may be wrong: nobody adds risk at them (O-6)."""
    pending = state.market.pending
    if pending is None or command.reduce_only:
        return None
    return Rejected(Reason.STALE_PRICES, (("pending_round", pending.round),))


def _reducing_lots(state: State, command: PlaceOrder) -> int:
    """Return the lots held to what the position allows; zero when they would not reduce."""
    position = state.accounts.lots_of(command.account, command.instrument)
    if position * command.lots >= 0:
        return 0
    size = min(abs(command.lots), abs(position))
    return size if command.lots > 0 else -size


def _refuse_limits(
    state: State, command: PlaceOrder, lots: int, orders: list[Order]
) -> Rejected | None:
    if len(orders) >= MAX_ORDERS:
        return Rejected(Reason.TOO_MANY_ORDERS, (("limit", MAX_ORDERS),))
    instruments = instruments_of(state, command.account, orders) | {command.instrument}
    if len(instruments) > MAX_POSITIONS:
        return Rejected(Reason.TOO_MANY_POSITIONS, (("limit", MAX_POSITIONS),))
    mode = Mode(int(state.accounts.mode[command.account]))
    if forbidden_by_mode(state, mode, instruments):
        return Rejected(Reason.MODE_FORBIDS, (("mode", mode), ("instrument", command.instrument)))
    same = sum(o.lots for o in orders if o.instrument == command.instrument and o.lots * lots > 0)
    position = state.accounts.lots_of(command.account, command.instrument)
    if abs(position + same + lots) >= LOTS_LIMIT:
        return Rejected(Reason.POSITION_LIMIT, (("lots", position + same + lots),))
    book = state.books[command.instrument]
    best = book.best_ask() if lots > 0 else book.best_bid()
    crosses = best is not None and (
        best <= command.limit_price_e8 if lots > 0 else best >= command.limit_price_e8
    )
    if command.time_in_force == TimeInForce.POST_ONLY and crosses:
        return Rejected(Reason.WOULD_CROSS, (("best_e8", best or 0),))
    return None


def _execute(
    state: State, command: PlaceOrder, lots: int, expired: list[Order], seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    incoming = Incoming(
        command.account,
        command.instrument,
        lots,
        command.limit_price_e8,
        state.rules.taker_fee_e6,
    )
    overlay = Overlay(closed={order.order_id for order in expired})
    found = match(state, incoming, time_ns, overlay)
    is_dropped = command.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL or found.is_cut
    rest = 0 if is_dropped else found.left
    refused = refuse_outcome(state, command, overlay, rest)
    if refused:
        return refused
    events: list[Event] = [NonceUsed(command.account, command.nonce)]
    events += [OrderClosed(o.order_id, o.account, o.instrument, Closing.EXPIRED) for o in expired]
    events += found.events
    if rest:
        events.append(
            OrderRested(
                order_id=seq,
                account=command.account,
                instrument=command.instrument,
                lots=Lots(rest),
                price_e8=PriceE8(command.limit_price_e8),
                reduce_only=command.reduce_only,
                expires_at_ns=command.expires_at_ns,
            )
        )
    elif found.left:
        events.append(OrderClosed(seq, command.account, command.instrument, Closing.UNFILLED))
    return tuple(events)


def resting_order(event: OrderRested) -> Order:
    """Return the order that an event puts into the book."""
    return Order(
        event.order_id,
        event.account,
        event.instrument,
        int(event.lots),
        int(event.price_e8),
        event.reduce_only,
        event.expires_at_ns,
    )
