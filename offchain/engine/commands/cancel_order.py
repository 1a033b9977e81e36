"""CancelOrder: take one's own order out of the book."""

from offchain.engine.commands.intents import refuse_intent
from offchain.engine.events import Closing, Event, NonceUsed, OrderClosed
from offchain.engine.messages import CancelOrder
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def decide(
    state: State, command: CancelOrder, _seq: int, time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept for a resting order of the account itself; prices do not matter."""
    refused = refuse_intent(state, command.account, command.nonce, command.expires_at_ns, time_ns)
    if refused:
        return refused
    order = state.order(command.order_id)
    if order is None or order.account != command.account:
        return Rejected(Reason.UNKNOWN_ORDER, (("order_id", command.order_id),))
    return (
        NonceUsed(command.account, command.nonce),
        OrderClosed(order.order_id, order.account, order.instrument, Closing.CANCELLED),
    )
