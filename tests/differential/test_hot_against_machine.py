"""The batched core does what the machine does, on what both know.

Portfolio accounts with two underlyings and collateral, the starting parameter set with its charges,
offsets and peg, orders that do not expire. An amendment that loses its place is compared with a
cancel and a new order, done or refused as one.
"""

import copy
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from offchain.core.instruments import FeedKind
from offchain.core.units import ONE_E6, Lots, PriceE8
from offchain.engine import machine
from offchain.engine.events import Closing, Event, Filled, NonceUsed, OrderClosed, OrderRested
from offchain.engine.hot.bridge import adopt_market, load_state, machine_outcomes, place_words
from offchain.engine.hot.layout import Action, Limits
from offchain.engine.messages import Deposit, Observation, PlaceOrder, TimeInForce
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from tests.support.adoption import adopt, with_asset
from tests.support.hot import Command, seeded, table
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ENTRY_TIME_S,
    ETH_PERP,
    FAR_FUTURE,
    RULES,
    Venue,
    feed_values,
    option,
)

LINEAR = (BTC_PERP, BTC_WEEK, ETH_PERP)
OPTIONS = ("BTC-WEEK-110000-C", "BTC-MONTH-110000-P", "ETH-WEEK-4400-C", "ETH-MONTH-4000-P")
TRADED = [BTC_PERP, *LINEAR, ETH_PERP, *(option(symbol) for symbol in OPTIONS)]
CASH_USD = (300, 3_000, 20_000)
MAKERS = 2
"""The first accounts are rich, so that the book is never empty for long."""
Refusal = tuple[Reason, tuple[tuple[str, int], ...]]
"""A reason, with its figures where both sides have the same."""
Outcome = list[Event] | Refusal


def refusal(rejected: Rejected) -> Refusal:
    """Return what both sides say of a refusal."""
    is_told = rejected.reason == Reason.INSUFFICIENT_MARGIN
    return rejected.reason, tuple(rejected.numbers) if is_told else ()


def translated(event: Event, ids: dict[int, int]) -> Event:
    """Return an event with the core's order ids: an amended order keeps its first one."""
    if isinstance(event, Filled):
        return replace(event, maker_order_id=ids.get(event.maker_order_id, event.maker_order_id))
    assert isinstance(event, OrderRested | OrderClosed)
    return replace(event, order_id=ids.get(event.order_id, event.order_id))


@dataclass
class Pair:
    """A venue, and the batched core that was loaded from it."""

    random: Random
    venue: Venue = field(default_factory=Venue)
    ids: dict[int, int] = field(default_factory=dict)  # the machine's order id -> the core's
    usd: int = 115_000
    eth: int = 4_300

    def __post_init__(self) -> None:
        self.venue.deposit(int(RULES.insurance_owner, 16), 1)
        self.venue.deposit(int(RULES.backstop_owner, 16), 1)
        coins = [0, 0.1, 0, 0, 0.02, 0.2]
        self.traders = [
            self.venue.deposit(50 + n, self.cash(n), btc=coins[n], eth=5 * coins[-n])
            for n in range(6)
        ]
        index, amount = self.venue.state.inbox_cursor + 1, self.cash(1) * ONE_E6
        self.venue.must(Deposit(index, ENTRY_TIME_S, (51).to_bytes(20), 7, 0, amount))
        self.traders.append(self.venue.state.accounts.count - 1)  # the same owner's second account
        self.price()
        for _ in range(30):  # orders and positions to load
            self.decide(self.order())
        self.load()

    def load(self) -> None:
        """Make the core anew from the state."""
        limits = Limits(
            accounts=self.state.accounts.count,
            orders=1_000,
            books=len(RULES.listing.instruments),
            underlyings=2,
        )
        self.hot = load_state(self.state, limits)
        self.compare()

    @property
    def state(self) -> State:
        return self.venue.state

    def cash(self, name: int) -> int:
        return 5_000_000 if name < MAKERS else self.random.choice(CASH_USD)

    def price(self) -> None:
        """Report a price: the cash asset often off its peg, observers sometimes of two minds."""
        self.usd += self.random.randrange(-1_000, 1_001) * self.random.choice([1, 7])
        self.eth += self.random.randrange(-40, 41) * self.random.choice([1, 7])
        self.report(self.random.choice([100_000_000, 98_900_000, 97_000_000]))

    def report(self, stable_e8: int, dispersion_e4: int | None = None) -> None:
        """Report the prices of the moment, twice where the first is outside the band."""
        if dispersion_e4 is None:
            dispersion_e4 = self.random.choice([0, 0, 150])
        vol_percent = self.random.choice([30, 45, 60])
        values = feed_values(self.usd, self.eth, vol_percent, stable=stable_e8)
        for _ in range(2):
            report = self.venue.report(*values)
            seen = tuple(self.spread(o, o.signer - 2, dispersion_e4) for o in report.observations)
            self.venue.must(replace(report, observations=seen))
            if self.state.market.pending is None:
                return

    @staticmethod
    def spread(observation: Observation, side: int, dispersion_e4: int) -> Observation:
        """Move what an observer saw of indices and forwards away from the median."""
        share = 10_000 + side * dispersion_e4
        is_moved = [f.kind in (FeedKind.INDEX, FeedKind.FORWARD) for f in RULES.listing.feeds]
        moved = zip(observation.values, is_moved, strict=True)
        return replace(
            observation, values=tuple(v * share // 10_000 if move else v for v, move in moved)
        )

    def reprice(self) -> None:
        """Move prices or funding, for both."""
        if self.random.random() < 0.5:
            self.price()
        else:
            self.report(99_500_000)
            self.venue.fund_tick(60)
        self.adopt_prices()

    def adopt_prices(self) -> None:
        """Give the core the prices and the funding of the machine."""
        adopt_market(self.hot, self.state)
        self.compare()

    def order(self, instrument: int | None = None) -> PlaceOrder:
        if instrument is None:
            instrument = self.random.choice(TRADED)
        of = self.state.underlying(instrument)
        mark = int(self.state.market.prices.marks_e8[instrument])
        near = self.random.randrange(-40, 41) if instrument in LINEAR else 0
        near = near or self.random.randrange(-8, 9)
        price = max(1, mark // of.tick_e8 + near)
        account, is_reducing = self.random.choice(self.traders), self.random.random() < 0.25
        lots = self.random.choice([-1, 1]) * self.size(account, instrument)
        held = self.state.accounts.lots_of(account, instrument)
        if is_reducing and held:
            lots = -held * self.random.randint(1, 2)
        return self.venue.order(
            account,
            instrument,
            lots,
            price * of.tick_e8 // 10**6 / 100,
            tif=self.random.choice([TimeInForce(0), TimeInForce(0), *TimeInForce]),
            reduce_only=is_reducing,
        )

    def size(self, account: int, instrument: int) -> int:
        """Draw lots: a few, or nearly all that the account may take on."""
        margin = account_margin(self.state, account)
        free = min(margin.margin_balance_e6 - margin.initial_e6, 20_000 * ONE_E6)
        lot_e6 = int(self.state.market.prices.lot_values_e6[instrument])
        return self.random.choice([1, 3, 10, max(1, 6 * free // max(1, lot_e6))])

    def decide(self, command: PlaceOrder) -> Outcome:
        """Let the machine place an order."""
        decision = machine.apply(self.state, command, self.state.last_seq + 1, self.venue.now)
        if isinstance(decision, Rejected):
            return refusal(decision)
        return [translated(e, self.ids) for e in decision if not isinstance(e, NonceUsed)]

    def place(self, command: PlaceOrder) -> tuple[Command, Outcome]:
        words = place_words(command, self.state.last_seq + 1)
        return words, self.decide(command)

    def cancel(self, order_id: int, account: int) -> Outcome:
        command = self.venue.cancel(account, order_id)
        decision = machine.apply(self.state, command, self.state.last_seq + 1, self.venue.now)
        if isinstance(decision, Rejected):
            return refusal(decision)
        return [translated(e, self.ids) for e in decision if not isinstance(e, NonceUsed)]

    def amend(self, order_id: int, account: int) -> tuple[Command, Outcome]:
        """Cancel and place anew on a copy of the machine, which is kept when nothing is refused."""
        old = self.state.order(order_id)
        assert old is not None
        kept, fresh = self.state, self.order(old.instrument)
        command = replace(
            fresh,
            account=old.account,
            lots=Lots(abs(fresh.lots) if old.lots > 0 else -abs(fresh.lots)),
            time_in_force=self.random.choice([TimeInForce(0), TimeInForce.POST_ONLY]),
            reduce_only=old.reduce_only,
        )
        if command.limit_price_e8 == old.price_e8:
            command = replace(command, limit_price_e8=PriceE8(old.price_e8 + 10_000_000))
        core_id = self.ids.get(order_id, order_id)
        flags = int(command.time_in_force)
        words = (Action.AMEND, core_id, account, 0, command.limit_price_e8, command.lots, flags, 0)
        self.venue.state = copy.deepcopy(kept)
        closed = self.cancel(order_id, account)
        self.ids[self.state.last_seq + 1] = core_id
        placed = self.decide(command)
        if isinstance(placed, tuple) or isinstance(closed, tuple):
            self.ids.pop(self.state.last_seq + 1)
            self.venue.state = kept
            assert isinstance(placed, tuple)
            return words, placed
        return words, closed + placed

    def step(self) -> tuple[Command, Outcome]:
        """Give the machine one command; return its words for the core, and what happened."""
        books = self.state.books.values()
        live = [order for book in books for order in book.orders()]
        draw = self.random.random()
        if draw < 0.6 or not live:
            return self.place(self.order())
        order = self.random.choice(live)
        order_id, account = order.order_id, int(order.account)
        if draw < 0.85:
            return self.amend(order_id, account)
        if draw < 0.88:
            account = self.random.choice(self.traders)
        words = (Action.CANCEL, self.ids.get(order_id, order_id), account, 0, 0, 0, 0, 0)
        return words, self.cancel(order_id, account)

    def live(self, count: int) -> list[Outcome]:
        """Let the machine live some commands one by one, and the core the same as a batch."""
        return self.both([self.step() for _ in range(count)])

    def both(self, steps: list[tuple[Command, Outcome]]) -> list[Outcome]:
        """Give the core what the machine has done, and compare."""
        commands = table([words for words, _ in steps])
        batch = self.hot.submit(commands)
        assert batch.done == len(steps)
        rested = batch.events[:, 2].tolist()
        found = machine_outcomes(commands, batch.events, dict.fromkeys(rested, FAR_FUTURE))
        for place, (words, expected) in enumerate(steps):
            outcome = found.get(place, [])
            reached = refusal(outcome) if isinstance(outcome, Rejected) else outcome
            assert reached == expected, words
        self.compare()
        return [expected for _, expected in steps]

    def compare(self) -> None:
        """Positions, costs, cash, balances, requirements and books are the same."""
        state = self.state
        for account in range(state.accounts.count):
            assert self.hot.positions(account) == list(state.accounts.positions(account))
            assert self.hot.cash(account) == int(state.accounts.cash[account])
            margin = account_margin(state, account)
            assert self.hot.balance(account) == margin.margin_balance_e6
            required = (margin.maintenance_e6, margin.initial_e6)
            assert self.hot.requirements(account) == required
        for instrument, book in state.books.items():
            rests = [
                (
                    self.ids.get(o.order_id, o.order_id),
                    int(o.account),
                    instrument,
                    o.price_e8,
                    o.lots,
                    o.reduce_only,
                )
                for o in book.orders()
            ]
            assert self.hot.orders(instrument) == rests


@pytest.mark.parametrize("seed", range(6))
def test_the_core_and_the_machine_do_the_same(seed: int) -> None:
    pair = Pair(seeded(seed))
    outcomes: list[Outcome] = []
    for _ in range(16):
        outcomes += pair.live(pair.random.choice([1, 10, 25]))
        if pair.random.random() < 0.6:
            pair.reprice()
    reasons = {outcome[0] for outcome in outcomes if isinstance(outcome, tuple)}
    events = [event for outcome in outcomes if isinstance(outcome, list) for event in outcome]
    assert Reason.INSUFFICIENT_MARGIN in reasons
    assert sum(isinstance(event, Filled) for event in events) > 10
    assert sum(isinstance(event, OrderRested) for event in events) > 10
    assert {event.instrument >> 8 for event in events if isinstance(event, Filled)} == {0, 1}
    checks = pair.hot.checks()
    assert 0 < checks.orders_exact < checks.orders


def test_both_close_a_maker_whose_money_a_price_move_has_taken() -> None:
    pair = Pair(seeded(7))
    pair.report(100_000_000, 0)
    rich, poor = pair.traders[0], pair.venue.deposit(90, 10_000)
    pair.load()
    lots = 10_000 * 5 // 115
    bid = pair.venue.order(poor, BTC_PERP, lots, pair.usd - 200)
    (rested,) = pair.both([pair.place(bid)])
    pair.usd -= 13_000
    pair.report(100_000_000, 0)
    pair.adopt_prices()
    seller = pair.venue.order(rich, BTC_PERP, -4 * lots, pair.usd, tif=TimeInForce(1))
    (outcome,) = pair.both([pair.place(seller)])
    assert isinstance(rested, list)
    assert isinstance(outcome, list)
    closings = [e.closing for e in outcome if isinstance(e, OrderClosed) and e.account == poor]
    assert closings == [Closing.MARGIN]


def test_both_count_a_collateral_that_a_later_set_lists() -> None:
    pair = Pair(seeded(11))
    pair.venue.must(adopt(with_asset(RULES)))
    new = len(RULES.collateral) + 1
    for name in range(50, 56):
        index, amount = pair.state.inbox_cursor + 1, name * 10**6
        pair.venue.must(Deposit(index, ENTRY_TIME_S, name.to_bytes(20), 0, new, amount))
    pair.price()
    pair.load()
    for _ in range(4):
        assert pair.live(25)
        pair.reprice()
    assert pair.state.accounts.assets == new
