"""A street of four traders on real contracts, two batches old: what lies are told about."""

from offchain.core.units import ONE_E6, ONE_E8
from offchain.engine.messages import Command
from offchain.engine.reasons import Rejected
from offchain.ledger.epoch import Epoch
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record
from tests.support.devnet import BACKSTOP, signer
from tests.support.signed_venue import EPOCH, SignedVenue

ALICE, BOB, CAROL, DAVE = (signer(name) for name in ("alice", "bob", "carol", "dave"))
BTC_PERP, BTC_WEEK = 0, 1
USD = 120_000


class Street:
    """The venue with what tests of lies point at.

    Attributes
    ----------
    resting : int
        Bob's order to sell 100 lots at 121,000 USD.
    cancelled : int
        Another one, which he took back.
    """

    def __init__(self, venue: SignedVenue) -> None:
        self.venue = venue
        venue.deposit(BACKSTOP, 0, 5_000_000 * ONE_E6)
        venue.deposit(ALICE, 0, 50_000 * ONE_E6)
        venue.deposit(BOB, 0, 5_000_000 * ONE_E6)
        venue.deposit(CAROL, 0, 20_000 * ONE_E6)
        venue.deposit(CAROL, 1, ONE_E8)
        venue.sync()
        venue.commit_honestly()
        venue.deposit(DAVE, 0, 10_000 * ONE_E6)
        venue.sync()
        venue.price(USD)
        venue.trade(ALICE, BOB, BTC_PERP, 2_400, USD)
        self.resting, self.cancelled = venue.journal.state.last_seq + 1, 0
        venue.must(venue.order(BOB, BTC_PERP, -100, 121_000))
        self.cancelled = venue.journal.state.last_seq + 1
        venue.must(venue.order(BOB, BTC_PERP, -100, 121_500))
        venue.must(venue.cancel(BOB, self.cancelled))
        self.withdrawal = venue.withdrawal(BOB, 0, 1_000 * ONE_E6)
        venue.must(self.withdrawal)
        venue.commit_honestly()
        venue.wait(1)

    def honest(self, command: Command) -> Journal:
        """Return the journal after a command that the machine takes."""
        venue = self.venue
        journal = Journal.restore(venue.journal.snapshot())
        seq = journal.state.last_seq + 1
        outcome = journal.apply(Record(seq, venue.now, EPOCH, command))
        assert not isinstance(outcome, Rejected), outcome
        return journal

    def words(self, command: Command) -> bytes:
        """Return the honest effects of a command."""
        return self.honest(command).open.words[-1]

    def epoch(self, command: Command) -> Epoch:
        """Return the honest epoch after a command."""
        epoch = self.honest(command).epoch
        assert epoch is not None
        return epoch

    def number(self, key: object) -> int:
        """Return the account of a trader."""
        return int(self.venue.account(key))  # type: ignore[arg-type]
