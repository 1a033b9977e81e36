"""Forced: consume the next inbox entry that is no deposit.

Nothing but a gap refuses it: whatever the owner asks for is done, or comes to nothing for a reason
that anybody can check. So a queue of nonsense never keeps the entry behind it waiting.
"""

from collections.abc import Callable

from offchain.core.units import AccountId
from offchain.engine.commands.forced import cancel_all, close, keys, withdrawal
from offchain.engine.commands.forced.answer import Answer, noop
from offchain.engine.commands.intents import refuse_gap
from offchain.engine.events import NoopReason
from offchain.engine.messages import EntryKind, Forced
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State

_OF_ACCOUNT: dict[EntryKind, Callable[[State, Forced, AccountId, int], Answer]] = {
    EntryKind.WITHDRAWAL: withdrawal.answer,
    EntryKind.CANCEL_ALL: cancel_all.answer,
    EntryKind.CLOSE: close.answer,
}
_OF_OWNER: dict[EntryKind, Callable[[Forced], Answer]] = {
    EntryKind.GRANT: keys.grant,
    EntryKind.REVOKE: keys.revoke,
}


def decide(state: State, command: Forced, _seq: int, time_ns: int) -> Answer | Rejected:
    """Answer exactly the entry after the cursor.

    The reasons are asked for in a fixed order: what the entry alone shows (7), the account (1),
    what it holds (4), the prices (3), and the rest (2, 6).
    """
    refused = refuse_gap(state, command.index)
    if refused:
        return refused
    if command.kind in _OF_OWNER:
        return _OF_OWNER[command.kind](command)
    if command.kind not in _OF_ACCOUNT:  # a deposit has a command of its own
        return Rejected(Reason.BAD_ENTRY, (("kind", command.kind),))
    if not _is_listed(state, command):
        return noop(command, NoopReason.NOT_LISTED)
    account = state.accounts.find(command.owner, command.subaccount)
    if account is None:
        return noop(command, NoopReason.UNKNOWN_ACCOUNT)
    return _OF_ACCOUNT[command.kind](state, command, account, time_ns)


def _is_listed(state: State, command: Forced) -> bool:
    if command.kind is EntryKind.WITHDRAWAL:
        return 0 <= command.place <= state.accounts.assets  # by which the judges go
    return command.kind is EntryKind.CANCEL_ALL or command.place in state.instruments
