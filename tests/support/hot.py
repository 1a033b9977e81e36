"""Random lives of the batched exchange core, lived by the kernel and by its twin."""

from dataclasses import dataclass, field
from random import Random

import numpy as np

from offchain.core.units import ROWS, SCENARIOS
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import REDUCE_ONLY, Action, Int64Array, Limits
from offchain.engine.hot.reference import ReferenceExchange
from offchain.engine.hot.reference_margin import ReferenceAccount

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

    def __post_init__(self) -> None:
        fee, factor = self.taker_fee_e6, self.mm_factor_e6
        self.hot = HotExchange(self.limits, fee, factor)
        self.slow = ReferenceExchange(self.limits, fee, factor)
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
        self.hot.reprice(losses, values, funding)
        self.slow.reprice(losses.tolist(), values.tolist(), funding.tolist())

    def move(self) -> int:
        """Draw a price move: mostly small, sometimes one that ruins somebody. [ticks]"""
        return self.random.randrange(-60, 61) * self.random.choice([1, 1, 500])

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
        for i in self.instruments:
            expected = [
                (o.order_id, o.account, i, o.price_e8, o.lots, o.is_reducing)
                for sign in (1, -1)
                for o in self.slow.side(i, sign)
            ]
            assert self.hot.orders(i) == expected
        assert self.hot.audit()
