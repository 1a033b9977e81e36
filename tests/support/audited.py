"""A venue with a past worth auditing: trades, a crash, a deficit, a withdrawal that was paid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.engine.messages import FundingTick
from offchain.ledger.totals import Totals
from tests.support.devnet import BACKSTOP, KEEPER, WINDOW_S, Devnet, devnet, signer

ALICE, BOB, CAROL, DAVE = signer("alice"), signer("bob"), signer("carol"), signer("dave")
BTC_PERP = 0
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
    is left with a position that the next crash would end.
    """
    _open(venue)
    venue.batcher.step(force=True)
    for usd in (115_000, 112_000, 110_000, 109_000):
        venue.price(usd)
    venue.trade(CAROL, BOB, BTC_PERP, 1_000, 109_000)
    venue.price(84_000)
    venue.trade(DAVE, BOB, BTC_PERP, 500, 84_000)
    venue.batcher.step(force=True)
    venue.do(FundingTick())
    venue.withdraw(BOB, WITHDRAWN_USD)
    venue.batcher.step(force=True)
    venue.keeper.step()
    venue.wait(WINDOW_S + 1)
    assert venue.batcher.step().finalised[-1] == BATCHES
    claim = venue.batcher.claim(1)
    assert claim is not None
    venue.chain.claim(KEEPER, claim.header, claim.output, claim.index, claim.proof)
    assert _totals(venue).drawn_e6 > 0


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
