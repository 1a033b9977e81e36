"""Grant and revocation of trading keys. They concern an owner, with or without an account."""

from offchain.engine.commands.forced.answer import Answer, done
from offchain.engine.events import KeyGranted, KeyRevoked
from offchain.engine.messages import Forced

LAST_SECOND = (1 << 64) - 1
"""A grant that would end later ends here."""


def grant(command: Forced) -> Answer:
    """Let a key sign orders and cancels of the owner; a second grant replaces the first."""
    expires_s = min(command.amount, LAST_SECOND)
    return done(command, [KeyGranted(command.owner, command.key, expires_s)])


def revoke(command: Forced) -> Answer:
    """Take a key from the owner, or all of them; one that was never granted does not matter."""
    return done(command, [KeyRevoked(command.owner, command.key)])
