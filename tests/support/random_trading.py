"""Random trading through a journal, with cuts and restarts: actions, and who carries them out."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from offchain.core.margin import Mode
from offchain.core.parameters import RiskParameters
from offchain.core.units import SECOND_NS
from offchain.engine.machine import below_trigger
from offchain.engine.messages import CancelOrder, Deposit, EntryKind, FundingTick, SettleExpiry
from offchain.ledger.batch import Batch
from offchain.ledger.journal import Journal
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ENTRY_TIME_S,
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
    st.tuples(st.just("force_withdrawal"), TRADER, st.sampled_from([0, 1, 2])),
    st.tuples(st.just("force_cancel"), TRADER),
    st.tuples(st.just("force_close"), TRADER, st.sampled_from(INSTRUMENTS), st.integers(0, 900)),
    st.tuples(st.just("key"), TRADER, st.booleans()),
    st.tuples(st.just("misfit"), st.sampled_from([(0, 2**60), (9, 5), (1, 2**64)])),
    st.tuples(st.just("funding")),
    st.tuples(st.just("liquidate")),
    st.tuples(st.just("expire")),
    st.tuples(st.just("cut")),
    st.tuples(st.just("restart")),
)


class Trading:
    """A venue that cuts batches, and is restarted from its snapshot, where it is told to."""

    def __init__(self, rules: RiskParameters = RULES) -> None:
        self.venue = JournalVenue(rules)
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

    def misfit(self, entry: tuple[int, int]) -> None:
        """Deposit what finds no room, what is not listed and what no output could carry."""
        asset, amount = entry
        index = self.venue.state.inbox_cursor + 1
        self.venue.must(Deposit(index, ENTRY_TIME_S, (10).to_bytes(20), 0, asset, amount))

    def force_withdrawal(self, account: int, asset: int) -> None:
        self.venue.force(EntryKind.WITHDRAWAL, account, asset, 2**128 - 1)

    def force_cancel(self, account: int) -> None:
        self.venue.force(EntryKind.CANCEL_ALL, account)

    def force_close(self, account: int, instrument: int, lots: int) -> None:
        self.venue.force(EntryKind.CLOSE, account, instrument, lots)

    def key(self, account: int, is_grant: bool) -> None:
        owner, key = self.venue.state.accounts.owner[account], b"\x77" * 20
        kind = EntryKind.GRANT if is_grant else EntryKind.REVOKE
        expires_s = self.venue.now // SECOND_NS + 60 if is_grant else 0
        self.venue.must(self.venue.entry(kind, owner, 0, expires_s, key))

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

    def run(self, actions: Sequence[tuple[Any, ...]]) -> "Trading":
        """Carry out actions and cut the last batch."""
        for name, *values in actions:
            getattr(self, name)(*values)
        self.cut()
        return self
