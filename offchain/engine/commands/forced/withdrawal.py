"""A forced withdrawal: as much of what was asked for as is free goes out."""

from offchain.core.units import AccountId
from offchain.engine.accounts import INSURANCE
from offchain.engine.commands.forced.answer import Answer, done, noop
from offchain.engine.commands.withdraw import available
from offchain.engine.events import NoopReason, Withdrawn
from offchain.engine.messages import Forced
from offchain.engine.reasons import Rejected
from offchain.engine.state import State


def answer(state: State, command: Forced, account: AccountId, time_ns: int) -> Answer:
    """Put out the least of what was asked for and what a signed withdrawal could take.

    Without positions, orders and debt no price is needed. Of the insurance fund nothing is free,
    nor of the one asset for which there is a place before any is listed.
    """
    is_none = account == INSURANCE or command.place > len(state.rules.collateral)
    free = 0 if is_none else available(state, account, command.place, time_ns)
    if isinstance(free, Rejected):
        return noop(command, NoopReason.PRICES_IN_DOUBT, account)
    amount = min(command.amount, free)
    if amount <= 0:
        return noop(command, NoopReason.NOTHING_FREE, account)
    output = state.next_output_id
    return done(
        command, [Withdrawn(output, account, command.owner, command.place, amount)], account
    )
