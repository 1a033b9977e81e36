"""Deposit: credit the next inbox entry, opening the account when it is the owner's first."""

from offchain.core.units import AccountId
from offchain.engine.accounts import INSURANCE, MAX_ACCOUNTS
from offchain.engine.events import AccountOpened, Deposited, Event, Withdrawn
from offchain.engine.messages import Deposit
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

DEPOSIT_LIMIT = 1 << 60
"""Units of one asset that the venue may hold: 10^12 USD, so that no balance can leave 63 bits.

Refusing would stop the inbox, so the limit lies far above the supply of any token that is listed,
and what has left again does not count: going in and out many times must not reach it.
"""


def decide(
    state: State, command: Deposit, _seq: int, _time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept exactly the entry after the cursor: the inbox is consumed in order, without gaps.

    What would take the venue's holding of an asset beyond its cap is credited and put out again at
    once: nothing is lost, and the inbox never stops (SOL-2).
    """
    if command.index != state.inbox_cursor + 1:
        return Rejected(
            Reason.INBOX_GAP, (("index", command.index), ("cursor", state.inbox_cursor))
        )
    refused = _refuse_amount(state, command)
    if refused:
        return refused
    events: list[Event] = []
    account = state.accounts.find(command.owner, command.subaccount)
    if account is None:
        if state.accounts.count >= MAX_ACCOUNTS:
            return Rejected(Reason.TOO_MANY_ACCOUNTS, (("limit", MAX_ACCOUNTS),))
        account = AccountId(state.accounts.count)
        events.append(AccountOpened(account, command.owner, command.subaccount))
    events.append(Deposited(command.index, account, command.asset, command.amount))
    excess = _excess(state, command, account)
    if excess:
        output = state.next_output_id
        events.append(Withdrawn(output, account, command.owner, command.asset, excess))
    return tuple(events)


def _refuse_amount(state: State, command: Deposit) -> Rejected | None:
    if not 0 <= command.asset <= len(state.rules.collateral):
        return Rejected(Reason.BAD_ASSET, (("asset", command.asset),))
    if command.amount <= 0:
        return Rejected(Reason.BAD_AMOUNT, (("amount", command.amount),))
    if _held(state, command.asset) + command.amount >= DEPOSIT_LIMIT:
        return Rejected(Reason.CASH_LIMIT, (("limit", DEPOSIT_LIMIT),))
    return None


def _excess(state: State, command: Deposit, account: AccountId) -> int:
    """Return the part of a deposit above the cap of its asset; cash has none.

    For the insurance fund it is all: the fund signs nothing, so collateral would never leave it.
    """
    asset = command.asset
    if asset == 0:
        return 0
    if account == INSURANCE:
        return command.amount
    above = _held(state, asset) + command.amount - state.rules.collateral[asset - 1].cap_e8
    return max(0, min(command.amount, above))


def _held(state: State, asset: int) -> int:
    """Return what the venue holds of an asset: what came in less what went out."""
    return state.flows.deposited[asset] - state.flows.withdrawn[asset]
