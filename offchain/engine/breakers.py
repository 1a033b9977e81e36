"""What the circuit breakers of underlyings halt (`core.breaker`).

From level 1 an order that could add risk is refused, from level 2 those that rest are void, and at
level 3 no order is taken. An order could add risk unless it may only reduce. Liquidations, forced
operations, cancels and withdrawals never ask here; what they sell meets no void order.
"""

from collections.abc import Iterator
from itertools import islice

from offchain.core.breaker import Breaker, Level, in_force, observe
from offchain.core.units import TimestampNs
from offchain.engine.book import Order
from offchain.engine.events import BreakerTripped, Closing, Event, OrderClosed
from offchain.engine.market import Market
from offchain.engine.messages import PlaceOrder
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

CLOSING_LIMIT = 4_096
"""Void orders that one report closes; the others are void all the same, and the next one follows.

Keeps the time of one record bounded: an account may have 64 orders.
"""


def breaker_level(state: State, underlying: int, time_ns: int) -> tuple[Level, TimestampNs]:
    """Return the level of an underlying at a time, and when it falls by one."""
    market = state.market
    if underlying >= len(market.breakers):  # before genesis has begun
        return Level.OPEN, TimestampNs(0)
    terms = state.rules.breakers[underlying]
    return in_force(market.breakers[underlying], TimestampNs(time_ns), terms)


def highest_level(state: State, time_ns: int) -> Level:
    """Return the highest level of all underlyings at a time."""
    places = range(len(state.market.breakers))
    return max((breaker_level(state, u, time_ns)[0] for u in places), default=Level.OPEN)


def refuse_order(state: State, command: PlaceOrder, time_ns: int) -> Rejected | None:
    """Refuse what could add risk from level 1, and everything at level 3."""
    underlying = state.instruments[command.instrument].underlying
    level, until_ns = breaker_level(state, underlying, time_ns)
    if level is Level.OPEN or (level is not Level.PAUSE and command.reduce_only):
        return None
    reason = Reason.TRADING_PAUSED if level is Level.PAUSE else Reason.RISK_HALTED
    return Rejected(
        reason, (("underlying", underlying), ("level", int(level)), ("until_ns", until_ns))
    )


def voids_orders(state: State, instrument: int, time_ns: int) -> bool:
    """Tell whether resting orders in an instrument that could add risk are void."""
    underlying = state.underlying(instrument).index
    return breaker_level(state, underlying, time_ns)[0] >= Level.CANCEL


def observed(
    state: State, medians: tuple[int, ...], observed_at_ns: TimestampNs
) -> tuple[Breaker, ...]:
    """Return every breaker after an accepted report; the index feeds stand first."""
    return tuple(
        observe(breaker, medians[place], observed_at_ns, terms)
        for place, (breaker, terms) in enumerate(
            zip(state.market.breakers, state.rules.breakers, strict=True)
        )
    )


def tripped(state: State, ahead: Market, time_ns: int) -> list[Event]:
    """Return the levels that a report changes, and the orders that are void by it."""
    events: list[Event] = []
    rules, now = state.rules, TimestampNs(time_ns)
    halted: set[int] = set()
    for place, (old, new) in enumerate(zip(state.market.breakers, ahead.breakers, strict=True)):
        terms = rules.breakers[place]
        was = in_force(old, ahead.observed_at_ns, terms)[0]
        if not old.level == was == new.level:
            events.append(BreakerTripped(place, new.level, new.until_ns))
        if in_force(new, now, terms)[0] >= Level.CANCEL:
            halted.add(place)
    events += [
        OrderClosed(order.order_id, order.account, order.instrument, Closing.BREAKER)
        for order in islice(_void_orders(state, halted), CLOSING_LIMIT)
    ]
    return events


def _void_orders(state: State, halted: set[int]) -> Iterator[Order]:
    """Yield the orders that could add risk in halted underlyings, book by book in priority."""
    if not halted:
        return
    for instrument in sorted(state.books):
        if state.instruments[instrument].underlying in halted:
            for order in state.books[instrument].orders():
                if not order.reduce_only:
                    yield order
