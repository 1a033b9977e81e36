"""Random trading through the journal: an auditor, and a restart anywhere, give the same batches."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.core.margin import Mode
from offchain.core.units import SLOT_BITS
from offchain.engine.accounts import BACKSTOP
from offchain.engine.events import LiquidationOrdered
from offchain.engine.machine import below_trigger
from offchain.engine.messages import CancelOrder, FundingTick, SettleExpiry
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.ledger.batch import Batch
from offchain.ledger.journal import Journal
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.liquidation import witness_margin
from offchain.ledger.merkle import verify_account
from offchain.ledger.proving import best_scenarios
from offchain.ledger.terms import curves, terms
from offchain.ledger.wire import Record, decode_records
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    FAR_FUTURE,
    NO_SIGNATURE,
    RULES,
    WEEK_NS,
    feed_values,
    option,
)

INSTRUMENTS = [BTC_PERP, BTC_WEEK, ETH_PERP, option("BTC-WEEK-110000-C"), option("ETH-WEEK-4400-C")]
TRADER = st.integers(2, 5)
MAKER = 6
ACTION = st.one_of(
    st.tuples(
        st.just("order"),
        TRADER,
        st.sampled_from(INSTRUMENTS),
        st.integers(-900, 900),
        st.integers(-20, 20),
    ),
    st.tuples(
        st.just("order"), TRADER, st.just(BTC_PERP), st.sampled_from([-900, 900]), st.just(0)
    ),
    st.tuples(st.just("price"), st.integers(-50, 50)),
    st.tuples(st.just("price"), st.sampled_from([-45, -40])),
    st.tuples(st.just("jump"), st.sampled_from([-250, -150, 200])),
    st.tuples(st.just("deposit"), TRADER),
    st.tuples(st.just("withdraw"), TRADER, st.integers(1, 90_000)),
    st.tuples(st.just("cancel"), TRADER),
    st.tuples(st.just("mode"), TRADER, st.sampled_from(Mode)),
    st.tuples(st.just("convert"), TRADER, st.sampled_from([1, 2])),
    st.tuples(st.just("funding")),
    st.tuples(st.just("liquidate")),
    st.tuples(st.just("expire")),
    st.tuples(st.just("cut")),
    st.tuples(st.just("restart")),
)


class Trading:
    """A venue that cuts batches, and is restarted from its snapshot, where it is told to."""

    def __init__(self) -> None:
        self.venue = JournalVenue()
        self.venue.fund(10_000, 500_000)
        for name in range(10, 14):
            self.venue.deposit(name, 60_000, btc=0.1, eth=0.5)
        self.venue.deposit(14, 5_000_000)
        self.usd = 120_000
        self.venue.price(self.usd, self.usd // 28)
        self.batches: list[Batch] = []
        self.venue.must(self.venue.set_mode(2, Mode.ISOLATED))
        self.venue.must(self.venue.set_mode(4, Mode.CROSS))
        for account, bitcoin, ether in ((2, 1_500, 0), (3, 1_000, 2_000), (4, -1_200, -1_000)):
            for instrument, lots in ((BTC_PERP, bitcoin), (ETH_PERP, ether)):
                self.order(MAKER, instrument, -lots, 0)
                self.order(account, instrument, lots, 0)

    def order(self, account: int, instrument: int, lots: int, skew: int) -> None:
        mark = int(self.venue.state.market.prices.marks_e8[instrument]) / 10**8
        usd = max(mark, 1.0) * (1_000 + skew) / 1_000
        if lots:
            self.venue.do(self.venue.order(account, instrument, lots, usd))

    def price(self, step: int) -> None:
        self.usd = max(40_000, min(300_000, self.usd * (1_000 + step) // 1_000))
        self.venue.do(self.venue.report(*feed_values(self.usd, self.usd // 28)))
        self.liquidate()

    def jump(self, step: int) -> None:
        """Move beyond the band, and confirm it."""
        self.usd = max(40_000, min(300_000, self.usd * (1_000 + step) // 1_000))
        for _ in range(2):
            self.venue.do(self.venue.report(*feed_values(self.usd, self.usd // 28)))
        self.liquidate()

    def liquidate(self) -> None:
        for account in below_trigger(self.venue.state):
            self.venue.liquidate(account)

    def deposit(self, account: int) -> None:
        self.venue.deposit(account + 8, 1_000)

    def withdraw(self, account: int, usd: int) -> None:
        self.venue.do(self.venue.withdraw(account, usd=usd))

    def cancel(self, account: int) -> None:
        orders = self.venue.state.orders_of(account)
        self.venue.nonce += 1
        if orders:
            cancel = CancelOrder(
                orders[0].account, orders[0].order_id, self.venue.nonce, FAR_FUTURE, NO_SIGNATURE
            )
            self.venue.do(cancel)

    def mode(self, account: int, mode: Mode) -> None:
        """Ask for a mode; positions often forbid it."""
        self.venue.do(self.venue.set_mode(account, mode))

    def convert(self, account: int, asset: int) -> None:
        self.venue.do(self.venue.convert(account, asset, 0.01))

    def funding(self) -> None:
        self.venue.now += 60 * 10**9
        self.venue.do(FundingTick())

    def expire(self) -> None:
        self.venue.now = max(self.venue.now, WEEK_NS)
        self.venue.do(self.venue.report(*feed_values(self.usd, self.usd // 28)))
        for instrument in RULES.listing.instruments:
            self.venue.do(SettleExpiry(instrument.id))

    def cut(self) -> None:
        if self.venue.journal.open_records:
            self.batches.append(self.venue.journal.cut(ENGINE_HASH))

    def restart(self) -> None:
        image = self.venue.journal.snapshot()
        journal = Journal.restore(image, strict=True)
        assert journal.snapshot() == image
        self.venue.journal, self.venue.state = journal, journal.state


def replayed(batches: list[Batch]) -> Journal:
    """Return the journal of an auditor who has the posted data alone."""
    journal = Journal(strict=True)
    for batch in batches:
        for record in decode_records(batch.data):
            assert not isinstance(journal.apply(record), Rejected)
        assert journal.cut(ENGINE_HASH) == batch
    return journal


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30))
def test_an_auditor_and_a_restart_anywhere_give_the_same_batches(
    actions: list[tuple[Any, ...]],
) -> None:  # INV-13, SOL-1
    trading = Trading()
    for name, *values in actions:
        getattr(trading, name)(*values)
    trading.cut()
    journal = replayed(trading.batches)
    assert journal.state_root() == trading.venue.journal.state_root()
    assert journal.tip == trading.venue.journal.tip


def everything_opened(journal: Journal, account: int) -> tuple[int, int]:
    """Return what a witness proves that opens all columns of an account, in the best scenarios."""
    leaf, rules = journal.account_proof(account).leaf, journal.state.rules
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    columns, losses = journal.columns, journal.state.market.prices.losses_e6
    assert columns is not None
    scenarios: Sequence[int | None] = [None] * len(held)
    if leaf.mode == Mode.PORTFOLIO:
        scenarios = best_scenarios(leaf.positions, held, losses, terms(rules))
    openings = [
        columns.opening(u, s, with_charges=True) for u, s in zip(held, scenarios, strict=True)
    ]
    return witness_margin(leaf, openings, columns.collateral, curves(rules), terms(rules))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30))
def test_every_witness_and_every_account_verifies(actions: list[tuple[Any, ...]]) -> None:
    """What a witness proves is the margin that the engine acted on, or less of the requirement.

    With everything opened it is that margin to the unit, for every account but the backstop, whose
    collateral is credited without concentration.
    """
    trading = Trading()
    trading.jump(200)
    for name, *values in actions:
        getattr(trading, name)(*values)
    trading.cut()
    ordered = iter([e for e in trading.venue.events if isinstance(e, LiquidationOrdered)])
    for batch in trading.batches:  # INV-8
        assert batch.header.liquidation_count == len(batch.witnesses)
        for witness, event in zip(batch.witnesses, ordered, strict=False):
            balance, due = witness.check(batch.header, batch.terms, batch.curves_hash)
            assert balance == event.margin_balance_e6
            assert due == event.maintenance_e6 if witness.curves else due <= event.maintenance_e6
    assert next(ordered, None) is None
    journal = trading.venue.journal
    for account in set(range(journal.state.accounts.count)) - {BACKSTOP}:
        margin = account_margin(journal.state, account, orders=())
        found = everything_opened(journal, account)
        assert found == (margin.margin_balance_e6, margin.maintenance_e6)
    root = journal.account_root()
    for account in range(journal.state.accounts.count):
        proof = journal.account_proof(account)
        assert verify_account(root, account, leaf_hash(proof.leaf), proof.siblings)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=20), st.data())
def test_a_snapshot_and_the_tail_are_the_whole_replay(
    actions: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    trading = Trading()
    for name, *values in actions:
        getattr(trading, name)(*values)
    log = trading.venue.log
    place = data.draw(st.integers(0, len(log)))
    whole, head = Journal(), Journal()
    for seq, time_ns, command in log:
        whole.apply(Record(seq, time_ns, 1, command))
    for seq, time_ns, command in log[:place]:
        head.apply(Record(seq, time_ns, 1, command))
    tail = Journal.restore(head.snapshot())
    for seq, time_ns, command in log[place:]:
        tail.apply(Record(seq, time_ns, 1, command))
    assert tail.snapshot() == whole.snapshot()
    assert tail.cut(ENGINE_HASH) == whole.cut(ENGINE_HASH)
