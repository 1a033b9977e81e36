"""The small venue of the engine's tests, with a journal under it."""

from dataclasses import dataclass, field

from offchain.engine.machine import Decision
from offchain.engine.messages import Command
from offchain.engine.reasons import Rejected
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record
from tests.support.venue import BTC_PERP, Venue

ENGINE_HASH = b"\xe0" * 32


@dataclass
class JournalVenue(Venue):
    """A venue whose every command passes through a strict journal (SOL-1 after each record)."""

    journal: Journal = field(default_factory=lambda: Journal(strict=True))
    fence: int = 1

    def __post_init__(self) -> None:
        self.state = self.journal.state
        super().__post_init__()

    def do(self, command: Command) -> Decision:
        seq = self.state.last_seq + 1
        decision = self.journal.apply(Record(seq, self.now, self.fence, command))
        if not isinstance(decision, Rejected):
            self.log.append((seq, self.now, command))
            self.events.extend(decision)
        return decision


def in_trouble() -> JournalVenue:
    """Return a venue in which account 2 holds too many perpetuals for its cash."""
    venue = JournalVenue()
    venue.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    venue.deposit(10, 50_000)
    venue.deposit(11, 5_000_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 2_400, 120_000)
    return venue


def crashed() -> JournalVenue:
    """Return a venue in which account 2 was liquidated, in part and then in full."""
    venue = in_trouble()
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    for usd in (105_000, 100_000, 96_000):
        venue.price(usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    return venue
