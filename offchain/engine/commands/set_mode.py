"""SetMode: margin the account in another way, when it meets the requirement of that way."""

from offchain.core.margin import Mode
from offchain.core.units import AccountId
from offchain.engine.accounts import BACKSTOP
from offchain.engine.book import Order
from offchain.engine.commands.intents import refuse_intent, refuse_unsettled_prices
from offchain.engine.events import Closing, Event, ModeChanged, NonceUsed, OrderClosed
from offchain.engine.messages import SetMode
from offchain.engine.modes import forbidden_by_mode, instruments_of
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State


def decide(state: State, command: SetMode, _seq: int, time_ns: int) -> tuple[Event, ...] | Rejected:
    """Accept a mode that allows what is held and ordered, with IM of that mode covered (E-13).

    Expired orders of the account leave the book first. The backstop stays a portfolio.
    """
    account = command.account
    refused = refuse_intent(state, account, command.nonce, command.expires_at_ns, time_ns)
    if refused:
        return refused
    if account == BACKSTOP:
        return Rejected(Reason.RESERVED_ACCOUNT, (("account", account),))
    if command.mode not in list(Mode):
        return Rejected(Reason.UNKNOWN_MODE, (("mode", command.mode),))
    mode, now = Mode(command.mode), Mode(int(state.accounts.mode[account]))
    if mode is now:
        return Rejected(Reason.SAME_MODE, (("mode", mode),))
    orders = state.orders_of(account)
    live = [order for order in orders if time_ns < order.expires_at_ns]
    refused = forbidden_by_mode(
        state, mode, instruments_of(state, account, live)
    ) or _refuse_margin(state, account, mode, live, time_ns)
    if refused:
        return refused
    closed = [
        OrderClosed(o.order_id, account, o.instrument, Closing.EXPIRED)
        for o in orders
        if time_ns >= o.expires_at_ns
    ]
    return (NonceUsed(account, command.nonce), *closed, ModeChanged(account, mode))


def _refuse_margin(
    state: State, account: AccountId, mode: Mode, live: list[Order], time_ns: int
) -> Rejected | None:
    """Refuse below IM of the new mode; without risk or debt no price is needed."""
    accounts = state.accounts
    if not accounts.counts[account] and not live and accounts.cash[account] >= 0:
        return None
    refused = refuse_unsettled_prices(state, time_ns)
    if refused:
        return refused
    terms = [(o.instrument, o.lots, o.price_e8) for o in live]
    margin = account_margin(state, account, orders=terms, mode=mode)
    if margin.margin_balance_e6 >= margin.initial_e6:
        return None
    return Rejected(
        Reason.INSUFFICIENT_MARGIN,
        (
            ("margin_balance_e6", margin.margin_balance_e6),
            ("initial_margin_e6", margin.initial_e6),
        ),
    )
