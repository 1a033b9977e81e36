"""Outages: of the oracle, where nobody is liquidated at once; of the relayer, which mends it."""

from pathlib import Path

from offchain.core.units import SECOND_NS, TimestampNs
from offchain.engine.messages import Liquidate
from offchain.engine.reasons import Reason, Rejected
from tests.support.devnet import BACKSTOP, Devnet, devnet, signer

ALICE, BOB = signer("alice"), signer("bob")
BTC_PERP = 0
GRACE = (3, TimestampNs(90 * SECOND_NS))


def open_books(venue: Devnet) -> None:
    """Let Alice be long 2.4 BTC on 50,000 USD, with the oracle up for long."""
    venue.deposit(BACKSTOP, 5_000_000)
    venue.deposit(ALICE, 50_000)
    venue.deposit(BOB, 5_000_000)
    for _ in range(3):
        venue.price(120_000)
    venue.trade(ALICE, BOB, BTC_PERP, 2_400, 120_000)
    venue.batcher.step(force=True)


def report(venue: Devnet, usd: int, seconds: int) -> None:
    venue.wait(seconds)
    venue.do(venue.report(usd))


def liquidations(venue: Devnet) -> int:
    return venue.sequencer.state.flows.liquidations


def verify_all(venue: Devnet) -> None:
    """Relay, commit, and demand that every liquidation of the batch is verified on chain."""
    venue.relayer.flush()
    (number,) = venue.batcher.step(force=True).committed
    count = venue.chain.committed_header(number).liquidation_count
    assert count == liquidations(venue) > 0
    venue.keeper.step()
    assert venue.chain.verified_count(number) == count
    assert not venue.keeper.given_up


def test_a_crash_in_an_outage_of_the_oracle_liquidates_after_the_grace(tmp_path: Path) -> None:
    with devnet(tmp_path, grace=GRACE) as venue:
        open_books(venue)
        alice = venue.account(ALICE)
        report(venue, 98_000, 3_600)  # an hour of silence, and a price that none confirms yet
        venue.relayer.flush()
        for seconds in (30, 30):
            report(venue, 98_000, seconds)
            answer = venue.sequencer.submit(Liquidate(alice))
            assert isinstance(answer, Rejected)
            assert answer.reason is Reason.AFTER_OUTAGE
        assert liquidations(venue) == 0
        assert venue.sequencer.backlog == 0
        report(venue, 98_000, 30)  # the third that is accepted, 90 s after the first
        assert liquidations(venue) > 0
        verify_all(venue)


def test_an_outage_of_the_relayer_costs_no_batch(tmp_path: Path) -> None:
    with devnet(tmp_path, grace=GRACE) as venue:
        open_books(venue)
        for _ in range(16):
            report(venue, 120_000, 500)  # more than two hours that the hub knows nothing of
        for usd in (115_000, 110_000, 105_000, 100_000, 96_000):
            report(venue, usd, 60)
        assert liquidations(venue) > 0
        verify_all(venue)
