"""A forced cancel-all: every resting order of an account leaves the book."""

from offchain.core.units import AccountId
from offchain.engine.commands.forced.answer import Answer, done
from offchain.engine.events import Closing, OrderClosed
from offchain.engine.messages import Forced
from offchain.engine.state import State


def answer(state: State, command: Forced, account: AccountId, _time_ns: int) -> Answer:
    """Close the orders, oldest first; with none it is done as well. No price is needed."""
    closed = [
        OrderClosed(order.order_id, account, order.instrument, Closing.CANCELLED)
        for order in state.orders_of(account)
    ]
    return done(command, closed, account)
