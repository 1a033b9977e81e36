"""Deposit: credit the next inbox entry, opening the account when it is the owner's first."""

from offchain.core.units import AccountId
from offchain.engine.accounts import INSURANCE, MAX_ACCOUNTS
from offchain.engine.commands.intents import refuse_gap
from offchain.engine.events import (
    NO_ACCOUNT,
    AccountOpened,
    Deposited,
    DepositReturned,
    Event,
    ForcedNoop,
    NoopReason,
    Withdrawn,
)
from offchain.engine.messages import Deposit, EntryKind
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

DEPOSIT_LIMIT = 1 << 60
"""Units of one asset that the venue may hold: 10^12 USD, so that no balance can leave 63 bits.

It lies far above the supply of any token that is listed, and what has left again does not count:
going in and out many times must not reach it.
"""
OUTPUT_LIMIT = 1 << 64
"""No single output reaches it. The vault takes in far less at once."""


def decide(
    state: State, command: Deposit, _seq: int, _time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept exactly the entry after the cursor: the inbox is consumed in order, without gaps.

    What would take the venue's holding of an asset beyond its cap is credited and put out again at
    once. What finds no room at all goes out whole, uncredited: nothing is lost, and no deposit
    stops the inbox (SOL-2). An asset that the set does not list cannot be counted: the entry comes
    to nothing, as does one beyond what an output can carry. The vault lets neither in.
    """
    refused = refuse_gap(state, command.index)
    if refused:
        return refused
    if command.amount < 0:
        return Rejected(Reason.BAD_AMOUNT, (("amount", command.amount),))
    account = state.accounts.find(command.owner, command.subaccount)
    reason = _noop_reason(state, command)
    if reason is not None:
        known = NO_ACCOUNT if account is None else account
        return (ForcedNoop(command.index, EntryKind.DEPOSIT, known, reason),)
    if not _has_room(state, command, account):
        output = state.next_output_id
        return (
            DepositReturned(command.index, command.owner, command.asset, command.amount, output),
        )
    return _credit(state, command, account)


def _noop_reason(state: State, command: Deposit) -> NoopReason | None:
    if not 0 <= command.asset <= len(state.rules.collateral):
        return NoopReason.NOT_LISTED
    return NoopReason.NO_ROOM if command.amount >= OUTPUT_LIMIT else None


def _has_room(state: State, command: Deposit, account: AccountId | None) -> bool:
    if account is None and state.accounts.count >= MAX_ACCOUNTS:
        return False
    return _held(state, command.asset) + command.amount < DEPOSIT_LIMIT


def _credit(state: State, command: Deposit, known: AccountId | None) -> tuple[Event, ...]:
    events: list[Event] = []
    account = AccountId(state.accounts.count) if known is None else known
    if known is None:
        events.append(AccountOpened(account, command.owner, command.subaccount))
    events.append(Deposited(command.index, account, command.asset, command.amount))
    excess = _excess(state, command, account)
    if excess:
        output = state.next_output_id
        events.append(Withdrawn(output, account, command.owner, command.asset, excess))
    return tuple(events)


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
