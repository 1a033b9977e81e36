"""The answer to an entry: done, with what follows from it, or nothing and why."""

from collections.abc import Sequence

from offchain.core.units import AccountId
from offchain.engine.events import NO_ACCOUNT, Event, ForcedDone, ForcedNoop, NoopReason
from offchain.engine.messages import Forced

Answer = tuple[Event, ...]


def done(command: Forced, events: Sequence[Event] = (), account: AccountId = NO_ACCOUNT) -> Answer:
    """Return the answer to an entry that was carried out, before all that was done."""
    return (ForcedDone(command.index, command.kind, account), *events)


def noop(command: Forced, reason: NoopReason, account: AccountId = NO_ACCOUNT) -> Answer:
    """Return the answer to an entry that is consumed and changes nothing."""
    return (ForcedNoop(command.index, command.kind, account, reason),)
