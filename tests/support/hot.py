"""Random lives of the batched exchange core, lived by the kernel and by its twin."""

from dataclasses import dataclass, field
from random import Random

import numpy as np

from offchain.core.addons import COLUMNS, Charge
from offchain.core.curves import Line, curve_lines, curve_table
from offchain.core.presets import tiers
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, ROWS, SCENARIOS
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import REDUCE_ONLY, Action, HotRules, Int64Array, Limits
from offchain.engine.hot.reference import ReferenceExchange
from offchain.engine.hot.reference_margin import ReferenceAccount, ReferenceRules
from offchain.engine.hot.requirement import base_at_most, exact_base

PERP, WEEK, ETHER = 0, 3, 257
TICK = {PERP: 10_000_000, WEEK: 10_000_000, ETHER: 1_000_000}
DIVISOR = {PERP: 100_000, WEEK: 100_000, ETHER: 10_000}
BASE = {PERP: 1_100_000, WEEK: 1_100_000, ETHER: 300_000}
MIDDLE = {PERP: 1_200_000, WEEK: 1_201_000, ETHER: 430_000}
"""The mark of each instrument in ticks."""
Command = tuple[int, int, int, int, int, int, int, int]


def seeded(seed: int) -> Random:
    """Return a reproducible source of test data."""
    return Random(seed)  # noqa: S311 - test data, no secrets


def table(commands: list[Command]) -> Int64Array:
    return np.array(commands, np.int64).reshape(-1, 8)


FREE_CURVE: tuple[Line, ...] = ((0, 0),)
"""Charges nothing."""
SCAN_ONLY = (0, 0, ONE_E6, 0, 0)
"""Offset, its cap, breakdown, calm covers: underlyings are added up, nothing nets."""


def model(
    fee_e6: int,
    factor_e6: int,
    delta: tuple[Line, ...] = FREE_CURVE,
    unwind: tuple[Line, ...] = FREE_CURVE,
    terms: tuple[int, ...] = SCAN_ONLY,
) -> tuple[HotRules, ReferenceRules]:
    """Return the rules of both exchanges; the curves are those of every underlying."""
    both = [delta] * MAX_UNDERLYINGS, [unwind] * MAX_UNDERLYINGS
    curves = np.stack([curve_table(kind) for kind in both])
    return (
        HotRules(fee_e6, factor_e6, curves, np.array(terms, np.int64)),
        ReferenceRules(fee_e6, factor_e6, *both, terms),
    )


def drawn_model(random: Random, fee_e6: int, factor_e6: int) -> tuple[HotRules, ReferenceRules]:
    """Return rules whose tiers begin low enough for small accounts to meet them."""
    if random.random() < 0.2:
        return model(fee_e6, factor_e6)
    free, first, second = random.choice([0, 200, 5_000]), 1_000, 20_000
    delta = ((0, random.choice([0, 1_000])), (first + free, 10_000), (second + free, 90_000))
    unwind = ((0, 1_000_000), (random.choice([1, 50, 700]), 4_000_000), (2_000, 12_000_000))
    terms = (
        random.choice([0, 500_000, ONE_E6]),
        random.choice([0, 300, 10**7]) * ONE_E6,
        random.choice([1, 850_000, ONE_E6]),
        random.choice([0, 333_333, ONE_E6]),
        random.choice([0, 500_000]),
    )
    curves = (curve_lines(tiers(*delta)), curve_lines(tiers(*unwind)))
    return model(fee_e6, factor_e6, *curves, terms)


@dataclass
class Life:
    """One random life: both exchanges, and a source of commands that often hit something."""

    random: Random
    limits: Limits = field(
        default_factory=lambda: Limits(accounts=8, orders=24, books=3, positions=2, underlyings=2)
    )
    taker_fee_e6: int = 300
    mm_factor_e6: int = 800_000
    instruments: tuple[int, ...] = (PERP, WEEK, ETHER)
    cash_usd: tuple[int, ...] = (20, 500, 20_000)
    next_id: int = 1
    spread: int = 40
    most_lots: int = 60
    shift: int = 0
    is_charged: bool = True
    is_bound_first: bool = True
    is_extreme: bool = False
    given: tuple[HotRules, ReferenceRules] | None = None

    def __post_init__(self) -> None:
        rates = self.taker_fee_e6, self.mm_factor_e6
        drawn = drawn_model(self.random, *rates) if self.is_charged else model(*rates)
        fast, slow = self.given or drawn
        self.rules = fast
        self.hot = HotExchange(self.limits, fast, is_bound_first=self.is_bound_first)
        self.slow = ReferenceExchange(self.limits, slow)
        for i in self.instruments:
            for side in (self.hot, self.slow):
                side.list_instrument(i, TICK[i], DIVISOR[i], BASE[i])
        owners = [0, *(1 + n // 2 for n in range(self.limits.accounts - 1))]
        self.hot.open_accounts(owners)
        self.slow.accounts = [ReferenceAccount(owner) for owner in owners]
        for account in range(1, len(owners)):
            self.deposit(account, self.random.choice(self.cash_usd) * 10**6)
        self.tick(0)

    def deposit(self, account: int, amount_e6: int) -> None:
        credit = self.random.choice([0, 1_234_567])
        self.hot.add_cash(account, amount_e6, credit)
        self.slow.accounts[account].cash += amount_e6
        self.slow.accounts[account].credit += credit

    def tick(self, move: int) -> None:
        """Move every mark by some ticks, draw new losses and accrue funding."""
        losses = np.zeros((ROWS, SCENARIOS), np.int32)
        self.shift = move
        values, funding = np.zeros(ROWS, np.int64), np.zeros(ROWS, np.int64)
        for i in self.instruments:
            values[i] = (MIDDLE[i] + move) * TICK[i] // DIVISOR[i]
            funding[i] = self.random.randrange(-(10**6), 10**6)
            share = [s - 18 for s in range(SCENARIOS)]
            losses[i] = [int(values[i]) * x // 80 + self.random.randrange(1000) for x in share]
        charges, peg = self.charges(values), self.random.choice([0, 0, 12_345, 2 * ONE_E6])
        if not self.is_charged:
            charges, peg = np.zeros((ROWS, COLUMNS), np.int64), 0
        self.slow.reprice(losses.tolist(), values.tolist(), funding.tolist(), charges.tolist(), peg)
        self.adopt(self.hot)

    def adopt(self, hot: HotExchange) -> None:
        """Give an exchange the prices that the twin has."""
        slow = self.slow
        losses, charges = np.array(slow.losses, np.int32), np.array(slow.charges)
        hot.reprice(losses, np.array(slow.values), np.array(slow.funding), charges, slow.peg_e6)

    def charges(self, values: Int64Array) -> Int64Array:
        """Draw charges of every instrument: shares of a lot's value, of any sign and of none."""
        rows = np.zeros((ROWS, COLUMNS), np.int64)
        for i in self.instruments:
            lot = int(values[i])
            delta = lot * self.random.choice([4, 4, 1, -2]) // 4
            share = self.random.randrange
            rows[i, Charge.DELTA] = delta
            rows[i, Charge.ROLL] = delta * share(300) // 10_000
            rows[i, Charge.LONG], rows[i, Charge.SHORT] = lot // 3_000, share(lot // 50 + 1)
            rows[i, Charge.UNWIND] = share(lot // 500 + 1)
            rows[i, Charge.SHORT_EXTRA] = self.random.choice([0, lot // 500])
            rows[i, Charge.CALM] = self.random.choice([0, 1, -1]) * share(lot // 30 + 1)
            rows[i, Charge.DOUBT] = self.random.choice([0, 0, lot // 20])
            rows[i, Charge.GROUP] = self.random.choice([0, 1, 1, 31])
            if self.is_extreme and share(2):
                rows[i, [Charge.DELTA, Charge.ROLL]] = (1 << 31) - 1
                rows[i, [Charge.LONG, Charge.SHORT, Charge.DOUBT]] = (1 << 32) - 1
        return rows

    def move(self) -> int:
        """Draw a price move: mostly small, sometimes one that ruins somebody. [ticks]"""
        return self.random.randrange(-60, 61) * self.random.choice([1, 1, 500, 2_000])

    def price(self, instrument: int) -> int:
        ticks = MIDDLE[instrument] + self.shift
        ticks += self.random.randrange(-self.spread, self.spread + 1)
        return ticks * TICK[instrument]

    def flags(self) -> int:
        tif = self.random.choice([0, 0, 0, 1, 2])
        return tif | (REDUCE_ONLY if self.random.random() < 0.15 else 0)

    def size(self) -> int:
        return self.random.choice([-1, 1]) * self.random.randint(1, self.most_lots)

    def place(self) -> Command:
        instrument = self.random.choice(self.instruments)
        self.next_id += 1
        account = self.random.randrange(1, self.limits.accounts)
        price, lots, flags = self.price(instrument), self.size(), self.flags()
        held = self.positions()
        if flags & REDUCE_ONLY and held:
            account, instrument, lots = self.random.choice(held)
            lots = -lots * self.random.randint(1, 2)
            price = self.price(instrument)
        return (Action.PLACE, self.next_id, account, instrument, price, lots, flags, 0)

    def positions(self) -> list[tuple[int, int, int]]:
        """Return (account, instrument, lots) of everything held."""
        owned = enumerate(self.slow.accounts)
        return [(a, i, lots) for a, o in owned for i, (lots, _) in o.positions.items()]

    def on_order(self) -> Command:
        """Cancel or amend: mostly an order that rests now, sometimes one that may not."""
        live = [o for book in self.slow.books.values() for o in book.orders]
        if not live:
            return self.place()
        order = self.random.choice(live)
        order_id, account, i = order.order_id, order.account, order.instrument
        if self.random.random() < 0.25:
            return (Action.CANCEL, order_id, account, i, 0, 0, 0, 0)
        sign = 1 if order.lots > 0 else -1
        lots = self.random.choice([order.lots, sign * self.random.randint(1, self.most_lots)])
        price = self.random.choice([order.price_e8, self.price(i), self.price(i)])
        return (Action.AMEND, order_id, account, i, price, lots, self.random.choice([0, 0, 2]), 0)

    def broken(self) -> Command:
        """Return a command with one word replaced by something unlikely."""
        words = list(self.random.choice([self.place, self.on_order])())
        word = self.random.randrange(7)
        words[word] = self.random.choice(
            [-1, 0, 1, 2, 5, 9, 2**24, -(2**24), 2**24 - 1, 2**62, -(2**62), 12_345_678]
        )
        return tuple(words)  # type: ignore[return-value] # eight words, as before

    def batch(self, count: int) -> list[Command]:
        makers = [self.place, self.place, self.on_order, self.on_order, self.broken]
        weights = [4, 4, 4, 4, 1]
        return [self.random.choices(makers, weights)[0]() for _ in range(count)]

    def live(self, commands: list[Command]) -> list[tuple[int, ...]]:
        """Give a batch to both, compare everything, and return the events."""
        expected = self.slow.submit(commands)
        batch = self.hot.submit(table(commands))
        assert batch.done == len(commands)
        events = [tuple(event) for event in batch.events.tolist()]
        assert events == expected
        self.compare()
        return events

    def compare(self) -> None:
        """Every account, every book, and the sums kept by adding."""
        for a, owned in enumerate(self.slow.accounts):
            held = sorted((i, lots, cost) for i, (lots, cost) in owned.positions.items())
            assert self.hot.positions(a) == held
            assert self.hot.cash(a) == owned.cash
            assert self.hot.balance(a) == self.slow.balance(a)
            positions, orders = self.slow.sums(a, self.slow.terms(a))
            for u in range(self.limits.underlyings):
                assert self.hot.sums(a, u) == (positions[u], orders[u])
            assert self.hot.requirements(a) == self.slow.margins(a, self.slow.terms(a))
            self.compare_bounds(a, positions, orders)
        for i in self.instruments:
            expected = [
                (o.order_id, o.account, i, o.price_e8, o.lots, o.is_reducing)
                for sign in (1, -1)
                for o in self.slow.side(i, sign)
            ]
            assert self.hot.orders(i) == expected
        assert self.hot.audit()

    def compare_bounds(
        self, account: int, positions: list[list[int]], orders: list[list[int]]
    ) -> None:
        """Hold the bounds against what they bound, with and without orders: never below."""
        t = self.hot.tables
        totals = [
            [a + b for a, b in zip(x, y, strict=True)]
            for x, y in zip(positions, orders, strict=True)
        ]
        for is_initial, sums in ((False, positions), (True, totals)):
            plain = sum(max(0, *row) for row in sums)
            exact = exact_base(t, account, is_initial)
            assert base_at_most(t, account, plain, is_initial) >= exact
