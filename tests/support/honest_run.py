"""Random lives of an honest venue: everything that may happen, with real signatures and entries."""

from collections.abc import Callable
from random import Random

from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, AccountId
from offchain.engine.machine import below_trigger
from offchain.engine.messages import FundingTick, Liquidate, SettleExpiry, TimeInForce
from offchain.ledger.batch import Batch
from offchain.services.signing import KeySigner
from tests.support.devnet import BACKSTOP, ENGINE_HASH, signer
from tests.support.signed_venue import SignedVenue, verified
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, WEEK_NS, option

ALL = 2**128 - 1
TRADERS = tuple(signer(f"trader {place}") for place in range(5))
MAKER = signer("maker")
INSTRUMENTS = (
    BTC_PERP,
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    option("BTC-WEEK-110000-C"),
    option("BTC-MONTH-120000-P"),
    option("ETH-WEEK-4400-C"),
)


class HonestRun:
    """Batches of an honest sequencer, by a seed."""

    def __init__(self, venue: SignedVenue, seed: int) -> None:
        self.venue, self.random, self.usd = venue, Random(seed), 120_000  # noqa: S311 - a test
        self.keys = 0
        self.orders: list[tuple[KeySigner, int]] = []
        for key in (BACKSTOP, MAKER):
            venue.deposit(key, 0, 5_000_000 * ONE_E6)
        for key in TRADERS:
            venue.deposit(key, 0, 60_000 * ONE_E6)
            venue.deposit(key, 1, ONE_E8 // 4)
        venue.sync()
        venue.price(self.usd)
        words: dict[Callable[[], None], int] = {
            self.trade: 8,
            self.order: 4,
            self.cancel: 2,
            self.step: 4,
            self.jump: 1,
            self.fund: 2,
            self.pay: 3,
            self.mode: 1,
            self.convert: 1,
            self.deposit: 1,
            self.force: 3,
            self.replace_key: 1,
        }
        self.words = [word for word, weight in words.items() for _ in range(weight)]

    def batch(self, records: int = 12, *, is_committed: bool = True) -> Batch:
        """Let things happen, and close the batch."""
        for _ in range(records):
            self.random.choice(self.words)()
        if is_committed:
            batch = self.venue.commit_honestly()
            verified(self.venue, batch)
            return batch
        if not self.venue.journal.open_records:
            self.step()
        return self.venue.journal.cut(ENGINE_HASH)

    def someone(self) -> KeySigner:
        """Return one of the traders."""
        return self.random.choice(TRADERS)

    def usd_near(self, instrument: int, spread_e3: int) -> float:
        """Return a price near the mark. [USD]"""
        mark = int(self.venue.journal.state.market.prices.marks_e8[instrument]) / ONE_E8
        return max(mark, 1.0) * (1_000 + self.random.randint(-spread_e3, spread_e3)) / 1_000

    def trade(self) -> None:
        """Let a trader meet the maker."""
        key, instrument = self.someone(), self.random.choice(INSTRUMENTS)
        lots = self.random.choice([-900, -100, 5, 200, 1_500])
        usd, venue = self.usd_near(instrument, 3), self.venue
        self.place(MAKER, instrument, -lots, usd)
        is_closing = self.random.random() < 0.2
        venue.do(venue.order(key, instrument, lots, usd, reduce_only=is_closing))

    def order(self) -> None:
        """Place an order that may rest, in any time in force."""
        instrument, tif = self.random.choice(INSTRUMENTS), self.random.choice(list(TimeInForce))
        lots = self.random.choice([-300, -40, 25, 500])
        self.place(self.someone(), instrument, lots, self.usd_near(instrument, 20), tif)

    def place(
        self,
        key: KeySigner,
        instrument: int,
        lots: int,
        usd: float,
        tif: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
    ) -> None:
        """Place an order, and remember it."""
        venue = self.venue
        if venue.do(venue.order(key, instrument, lots, usd, tif)):
            self.orders.append((key, venue.journal.state.last_seq))

    def cancel(self) -> None:
        """Take an order back, which may be gone."""
        if self.orders:
            key, number = self.orders.pop(self.random.randrange(len(self.orders)))
            self.venue.do(self.venue.cancel(key, number))

    def step(self) -> None:
        """Move the price within the band."""
        self.move(self.random.randint(-20, 20))

    def jump(self) -> None:
        """Move the price beyond the band, and mostly confirm it."""
        self.move(self.random.choice([-140, -90, 80, 150]))
        if self.random.random() < 0.8:
            self.move(0)

    def move(self, step_e3: int) -> None:
        """Report a price, and liquidate whom it leaves short."""
        venue = self.venue
        self.usd = max(40_000, min(300_000, self.usd * (1_000 + step_e3) // 1_000))
        venue.now += 60 * SECOND_NS
        venue.do(venue.report(self.usd, self.usd // 28))
        for account in below_trigger(venue.journal.state):
            venue.do(Liquidate(AccountId(account)))

    def fund(self) -> None:
        """Accrue funding."""
        self.venue.now += 60 * SECOND_NS
        self.venue.do(FundingTick())

    def pay(self) -> None:
        """Withdraw something."""
        asset = self.random.choice([0, 0, 1])
        amount = self.random.choice([1, 10**6, 10**9])
        self.venue.do(self.venue.withdrawal(self.someone(), asset, amount))

    def mode(self) -> None:
        """Ask for another mode, which positions often forbid."""
        self.venue.do(self.venue.mode(self.someone(), self.random.randrange(3)))

    def convert(self) -> None:
        """Sell some collateral."""
        self.venue.do(self.venue.conversion(self.someone(), 1, self.random.choice([10**4, 10**6])))

    def deposit(self) -> None:
        """Pay in, sometimes for the first time."""
        newcomer = signer(f"newcomer {self.random.randrange(10)}")
        key = self.random.choice([self.someone(), newcomer])
        if self.random.random() < 0.3:
            self.venue.deposit(key, 1, ONE_E8 // 10)
        else:
            self.venue.deposit(key, 0, 1_000 * ONE_E6)
        self.venue.sync()

    def force(self) -> None:
        """Push one of the operations that nobody can refuse."""
        key = self.someone()
        asks: list[tuple[str, tuple[object, ...]]] = [
            ("forceWithdraw", (0, self.random.choice([0, 1]), self.random.choice([10**8, ALL]))),
            ("forceCancelAll", (0,)),
            ("forceClose", (0, self.random.choice(INSTRUMENTS), self.random.choice([0, 50]))),
            ("forceWithdraw", (7, 0, 10**6)),
        ]
        name, arguments = self.random.choice(asks)
        self.venue.force(key, name, *arguments)
        self.venue.sync()

    def replace_key(self) -> None:
        """Grant or revoke a trading key, and trade with it."""
        self.keys += 1
        key, trading = self.someone(), signer(f"trading key {self.keys}")
        venue = self.venue
        if self.random.random() < 0.7:
            expires = venue.now // SECOND_NS + 10**6
            venue.force(key, "grantKey", "0x" + trading.address.hex(), expires)
            venue.sync()
            order = venue.order(key, BTC_PERP, 5, self.usd_near(BTC_PERP, 1))
            venue.do(venue.signed(trading, order))
        else:
            venue.force(key, "revokeKey", "0x" + bytes(20).hex())
            venue.sync()

    def expire(self) -> None:
        """Let the week end, and settle what has expired."""
        venue = self.venue
        venue.now = max(venue.now, WEEK_NS)
        venue.chain.set_time(venue.now)
        self.move(0)
        for instrument in venue.rules.listing.instruments:
            venue.do(SettleExpiry(instrument.id))
