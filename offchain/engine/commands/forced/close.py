"""A forced close: a position is reduced on the book, and the backstop takes what is left.

The book is asked within the liquidation band and is paid the taker's fee, as for any order. The
backstop takes the rest at the mark; on that part the liquidation fee goes to the insurance fund.
"""

from offchain.core.margin import AccountMargin, is_valid_risk_change
from offchain.core.units import AccountId, Lots, UsdE6
from offchain.engine.accounts import BACKSTOP
from offchain.engine.commands.forced.answer import Answer, done, noop
from offchain.engine.commands.intents import refuse_unsettled_prices
from offchain.engine.events import (
    Event,
    Filled,
    Leg,
    NoopReason,
    PenaltyCharged,
    PositionTransferred,
)
from offchain.engine.liquidation_legs import leg_of, liquidation_fee_e6
from offchain.engine.messages import Forced
from offchain.engine.reduction import Reduction, hand_to_backstop, sell_on_book
from offchain.engine.risk import account_margin
from offchain.engine.state import State


def answer(state: State, command: Forced, account: AccountId, time_ns: int) -> Answer:
    """Reduce the position by at most what was asked for; zero asks for all of it.

    Where the prices of the book would leave the account worse (INV-7), the backstop is asked for
    the whole; nobody takes what would leave it worse at the mark as well.
    """
    held = state.accounts.lots_of(account, command.place)
    if not held:
        return noop(command, NoopReason.NOTHING_TO_CLOSE, account)
    if refuse_unsettled_prices(state, time_ns):
        return noop(command, NoopReason.PRICES_IN_DOUBT, account)
    size = min(command.amount or abs(held), abs(held))
    leg = leg_of(state, command.place, Lots(-size if held > 0 else size))
    before = account_margin(state, account, orders=())
    for asks_book in (True, False):
        found = _close(Reduction(state, account, time_ns), leg, before, asks_book=asks_book)
        if found:
            return done(command, found, account)
    return noop(command, NoopReason.NOBODY_TOOK, account)


def _close(
    step: Reduction, leg: Leg, before: AccountMargin, *, asks_book: bool
) -> list[Event] | None:
    """Return what closing does, or None when it trades nothing or leaves the account worse."""
    state, left = step.state, int(leg.lots)
    if asks_book:
        left = sell_on_book(step, leg, state.rules.taker_fee_e6)
    due = 0
    if left and step.account != BACKSTOP and not hand_to_backstop(step, [(leg, left)]):
        due = liquidation_fee_e6(state, leg.instrument, left)
    if not any(isinstance(event, Filled | PositionTransferred) for event in step.events):
        return None
    fee = _bearable_fee(step, before, due)
    if fee is None:
        return None
    return [*step.events, PenaltyCharged(step.account, fee)] if fee else step.events


def _bearable_fee(step: Reduction, before: AccountMargin, due_e6: int) -> UsdE6 | None:
    """Return the fee that leaves the account no worse, None when none does.

    It is the whole fee as far as the balance reaches. If that is too much for an account near its
    requirement, it is at most half of the balance that stood behind the MM that was released, as in
    a partial liquidation.
    """
    after = account_margin(step.state, step.account, step.overlay, orders=())
    balance, required = before.margin_balance_e6, before.maintenance_e6
    whole = max(0, min(due_e6, after.margin_balance_e6))
    released = required - after.maintenance_e6
    least = max(0, min(whole, balance * released // (2 * required))) if required else 0
    for fee in (whole, least):
        left = after.margin_balance_e6 - fee
        if is_valid_risk_change(balance, required, left, after.maintenance_e6):
            return UsdE6(fee)
    return None
