"""Deposit: credit the next inbox entry, opening the account when it is the owner's first."""

from offchain.core.units import AccountId
from offchain.engine.accounts import MAX_ACCOUNTS
from offchain.engine.events import AccountOpened, Deposited, Event
from offchain.engine.messages import Deposit
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

DEPOSIT_LIMIT = 1 << 60
"""Units of one asset that may ever come in: 10^12 USD, so that no balance can leave 63 bits.

Refusing would stop the inbox, so the limit lies far above the supply of any token that is listed.
"""


def decide(
    state: State, command: Deposit, _seq: int, _time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept exactly the entry after the cursor: the inbox is consumed in order, without gaps."""
    if command.index != state.inbox_cursor + 1:
        return Rejected(
            Reason.INBOX_GAP, (("index", command.index), ("cursor", state.inbox_cursor))
        )
    refused = _refuse_amount(state, command)
    if refused:
        return refused
    account = state.accounts.find(command.owner, command.subaccount)
    if account is not None:
        return (Deposited(command.index, account, command.asset, command.amount),)
    if state.accounts.count >= MAX_ACCOUNTS:
        return Rejected(Reason.TOO_MANY_ACCOUNTS, (("limit", MAX_ACCOUNTS),))
    account = AccountId(state.accounts.count)
    return (
        AccountOpened(account, command.owner, command.subaccount),
        Deposited(command.index, account, command.asset, command.amount),
    )


def _refuse_amount(state: State, command: Deposit) -> Rejected | None:
    if not 0 <= command.asset < len(state.flows.deposited):
        return Rejected(Reason.BAD_ASSET, (("asset", command.asset),))
    if command.amount <= 0:
        return Rejected(Reason.BAD_AMOUNT, (("amount", command.amount),))
    if state.flows.deposited[command.asset] + command.amount >= DEPOSIT_LIMIT:
        return Rejected(Reason.CASH_LIMIT, (("limit", DEPOSIT_LIMIT),))
    return None
