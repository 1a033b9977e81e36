"""SettleExpiry: turn every position in an expired instrument into cash at the index price."""

from offchain.core.instruments import Instrument, Kind
from offchain.core.units import UsdE6
from offchain.engine.commands.intents import refuse_prices
from offchain.engine.events import Closing, Event, InstrumentSettled, OrderClosed
from offchain.engine.messages import SettleExpiry
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def decide(
    state: State, command: SettleExpiry, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept once a report from after the expiry is in force: the price follows from a rule."""
    instrument = state.instruments.get(command.instrument)
    if instrument is None or instrument.id in state.market.settled:
        return Rejected(Reason.UNKNOWN_INSTRUMENT, (("instrument", command.instrument),))
    refused = refuse_prices(state, time_ns)
    if refused:
        return refused
    if not instrument.expiry_ns or state.market.observed_at_ns < instrument.expiry_ns:
        return Rejected(Reason.NOT_EXPIRED, (("expiry_ns", instrument.expiry_ns),))
    closed = [
        OrderClosed(order.order_id, order.account, instrument.id, Closing.SETTLED)
        for order in state.books[instrument.id].orders()
    ]
    return (*closed, InstrumentSettled(instrument.id, settlement_value_e6(state, instrument)))


def settlement_value_e6(state: State, instrument: Instrument) -> UsdE6:
    """Return the payoff of one lot at the index price, rounded down to the tick. [USD e-6]"""
    underlying = state.underlying(instrument.id)
    index = state.index_price(instrument.underlying)
    payoff = {
        Kind.FUTURE: index,
        Kind.CALL: max(0, index - instrument.strike_e8),
        Kind.PUT: max(0, instrument.strike_e8 - index),
    }[instrument.kind]
    ticks = payoff // underlying.tick_e8
    return UsdE6(ticks * underlying.tick_e8 // underlying.lot_divisor)
