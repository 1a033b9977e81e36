"""Whether and when anyone may freeze the venue, as the settlement contract itself answers it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from offchain.ledger.inbox import InboxEntry


class FreezeCause(IntEnum):
    """Why a venue freezes, as the contract numbers it."""

    CENSORED = 0
    STALLED = 1
    UNSERVED = 2
    UNREPAIRED = 3


@dataclass(frozen=True, slots=True)
class FreezeChance:
    """One way to freeze that applies as things are.

    Attributes
    ----------
    possible_at_s : int
        From when on, unless the venue makes good what is late before. [s since 1970]
    is_open : bool
        Whether the contract would take it now.
    entry : InboxEntry or None
        What waits in the inbox, if that is the reason.
    """

    cause: FreezeCause
    possible_at_s: int
    is_open: bool
    entry: InboxEntry | None = None


@dataclass(frozen=True, slots=True)
class FreezeOutlook:
    """What the contract says of a freeze.

    Attributes
    ----------
    frozen_at_s : int
        When the venue ended, 0 when it did not. [s since 1970]
    chances : tuple of FreezeChance
        Soonest first; none when nothing waits.
    """

    frozen_at_s: int
    chances: tuple[FreezeChance, ...] = ()

    @property
    def is_frozen(self) -> bool:
        """Whether the venue ended."""
        return self.frozen_at_s != 0

    @property
    def open_now(self) -> FreezeChance | None:
        """A way to freeze now, or None."""
        return next((chance for chance in self.chances if chance.is_open), None)

    def to_json(self) -> dict[str, object]:
        """Return the outlook for scripts."""
        return {
            "frozen_at": self.frozen_at_s,
            "chances": [
                {
                    "cause": chance.cause.name,
                    "possible_at": chance.possible_at_s,
                    "is_open": chance.is_open,
                }
                for chance in self.chances
            ],
        }

    def sentence(self) -> str:
        """Return the outlook in words."""
        if self.is_frozen:
            return f"frozen at {self.frozen_at_s}"
        chance = self.open_now or next(iter(self.chances), None)
        if chance is None:
            return (
                "not frozen, and nothing waits that could be late: force a withdrawal; if it is "
                "not served in time, anyone may freeze"
            )
        if chance.is_open:
            return (
                f"not frozen; a freeze is possible now ({chance.cause.name}): with --freeze it is "
                "done first; it ends the venue for everybody"
            )
        at = f"{chance.possible_at_s} ({chance.cause.name}), {utc(chance.possible_at_s)}"
        return f"not frozen; a freeze is possible at {at}"


def utc(time_s: int) -> str:
    """Return a time as people read it."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
