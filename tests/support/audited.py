"""A venue with a past worth auditing: trades, a crash, a deficit, a withdrawal that was paid.

And all that the inbox may be asked for, and a batch that was rolled back and committed again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.core.units import DAY_NS, SECOND_NS
from offchain.engine.messages import FundingTick
from offchain.ledger.totals import Totals
from tests.support.devnet import BACKSTOP, KEEPER, SEQUENCER, WINDOW_S, Devnet, devnet, signer

ALICE, BOB, CAROL, DAVE = signer("alice"), signer("bob"), signer("carol"), signer("dave")
ERIN, BOT = signer("erin"), signer("bob's machine")
BTC_PERP = 0
ALL = 2**128 - 1
BATCHES = 3
WITHDRAWN_USD = 1_000


@contextmanager
def story(folder: Path) -> Iterator[Devnet]:
    """Start a chain, live through the past, and stop everything whatever happens."""
    with devnet(folder) as venue:
        tell(venue)
        yield venue


def tell(venue: Devnet) -> None:
    """Live through three batches, all final at the end.

    Alice is liquidated in part, as the price falls by steps; Carol is liquidated in full after a
    gap that leaves her with a debt, which the insurance fund pays; Bob withdraws and is paid; Dave
    is left with a position that the next crash would end. Erin has her position closed and her
    money out by force; a machine trades with a key of Bob's until he revokes it.
    """
    _open(venue)
    venue.batcher.step(force=True)
    for usd in (115_000, 112_000, 110_000, 109_000):
        venue.price(usd)
    venue.trade(CAROL, BOB, BTC_PERP, 1_000, 109_000)
    venue.price(84_000)
    venue.trade(DAVE, BOB, BTC_PERP, 500, 84_000)
    venue.batcher.step(force=True)
    roll_back(venue)
    venue.do(FundingTick())
    venue.withdraw(BOB, WITHDRAWN_USD)
    _force(venue)
    venue.batcher.step(force=True)
    venue.keeper.step()
    venue.wait(WINDOW_S + 1)
    assert venue.batcher.step().finalised[-1] == BATCHES
    claim = venue.batcher.claim(1)
    assert claim is not None
    venue.chain.claim(KEEPER, claim.header, claim.output, claim.index, claim.proof)
    assert _totals(venue).drawn_e6 > 0


def roll_back(venue: Devnet) -> None:
    """Let the sequencer take its last batch back, and commit it again."""
    signed = venue.batcher.batch(venue.batcher.last_batch)
    assert signed is not None
    venue.chain.send(SEQUENCER, "Settlement", "rollback", signed.batch.header.values())
    assert venue.batcher.step().committed == (signed.batch.header.batch_no,)


def _force(venue: Devnet) -> None:
    """Use every kind of entry that an owner can put into the inbox."""
    venue.force(BOB, "grantKey", BOT.address, (venue.now + 2 * DAY_NS) // SECOND_NS)
    venue.order(BOB, BTC_PERP, -10, 85_000, signed_by=BOT)
    venue.deposit(ERIN, 20_000)
    venue.trade(ERIN, BOB, BTC_PERP, 300, 84_000)
    venue.force(ERIN, "forceClose", 0, BTC_PERP, 0)
    venue.force(ERIN, "forceWithdraw", 0, 0, ALL)
    venue.force(BOB, "forceCancelAll", 0)
    venue.force(BOB, "revokeKey", BOT.address)


def _open(venue: Devnet) -> None:
    venue.deposit(BACKSTOP, 5_000_000)
    venue.deposit(ALICE, 50_000, 10_000_000)
    venue.deposit(BOB, 5_000_000, 5_000_000, 300_000_000)
    venue.deposit(CAROL, 20_000)
    venue.deposit(DAVE, 20_000)
    venue.price(120_000)
    venue.trade(ALICE, BOB, BTC_PERP, 2_400, 120_000)
    venue.order(BOB, BTC_PERP, -10, 130_000)


def _totals(venue: Devnet) -> Totals:
    signed = venue.batcher.batch(BATCHES)
    assert signed is not None
    return signed.batch.totals
