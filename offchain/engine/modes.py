"""What an account's mode lets it hold."""

from offchain.core.margin import Mode
from offchain.core.units import InstrumentId
from offchain.engine.book import Order
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def forbidden_by_mode(state: State, mode: Mode, instruments: set[InstrumentId]) -> Rejected | None:
    """Refuse a set of instruments, held or ordered, that a mode does not allow.

    Portfolio: everything. Cross: perpetuals and futures. Isolated: one of those.
    """
    if mode is Mode.PORTFOLIO:
        return None
    options = [i for i in sorted(instruments) if state.instruments[i].is_option]
    if options:
        return Rejected(Reason.OPTION_NEEDS_PORTFOLIO, (("mode", mode), ("instrument", options[0])))
    if mode is Mode.ISOLATED and len(instruments) > 1:
        return Rejected(Reason.MODE_FORBIDS, (("mode", mode), ("instruments", len(instruments))))
    return None


def instruments_of(state: State, account: int, orders: list[Order]) -> set[InstrumentId]:
    """Return what an account holds or has ordered."""
    held = {i for i, _, _ in state.accounts.positions(account)}
    return held | {order.instrument for order in orders}
