"""Time the batched exchange core on exchange-core's command mix, with the whole margin check.

9 % good-till-cancelled, 3 % immediate-or-cancel, 6 % cancel, 82 % move (an amendment to another
price, which loses its place), on 22 instruments of two underlyings; about 6 % of commands trade.
Every order that may add risk is checked before it enters: all 36 scenarios across underlyings,
add-ons, unwinding floor, with all resting orders at their worst. Every fill updates the sums of
both sides and asks whether the maker may take it; fees, costs, self-trade prevention and the event
array are on. Signatures, nonces, log and network are not. The accounts are those of `match_venue`;
how many checks a bound decides is reported, and the rate when no bound may.

The stream is drawn beforehand against a first exchange, so that cancels and moves name orders that
rest; the same stream is then timed again and again on the same tables, in batches, by CPU time of
one core. References in the same run: the twin in plain Python, which defines the core, and a
textbook book of heaps and queues without any margin. Usage: bench_match.py, or `measure()`.
"""

import json
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import (
    ACCOUNTS,
    EVENT_ACCOUNT,
    EVENT_B,
    EVENT_ID,
    EVENT_INSTRUMENT,
    IS_BOUND_FIRST,
    KIND,
    Action,
    Checks,
    Int64Array,
    Limits,
    Outcome,
)
from offchain.engine.hot.reference import ReferenceExchange
from offchain.engine.hot.reference_margin import ReferenceAccount, ReferenceOrder
from offchain.engine.messages import TimeInForce
from scripts.match_venue import SEED, build, market
from scripts.textbook_book import TextbookBook

Entry = dict[str, Any]

ROUNDS = 5
BATCH = 4_096
SMALL_BATCHES, SMALL_COMMANDS = (1, 16, 256), 40_000
DRAWN_TOGETHER = 64
"""Commands that are drawn without knowing what the others of them do."""
PERPETUALS, PERPETUAL_SHARE = (0, 256), 0.6
MOST_LOTS, MOST_IOC_LOTS = 40, 4
AGGRESSIVE_NEW, AGGRESSIVE_MOVE = 0.05, 0.016
"""Share of new orders and of moves that are priced to trade while the book has its first size."""
REFERENCE_COMMANDS = 200
SIZES = {
    "accounts_1k": (1_000, 1_000, 400_000),
    "accounts_100k": (100_000, 100_000, 1_000_000),
}
"""Accounts, resting orders at the beginning, commands."""


@dataclass
class Stream:
    """Draws commands against an exchange that does them at once."""

    exchange: HotExchange
    accounts: int
    depth: int
    target: int
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a mix
    # account, instrument, lots, place
    live: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    next_id: int = 0

    def __post_init__(self) -> None:
        """Look the marks up once."""
        of = market()
        self.marks = {i: (of.mark(i), of.tick_e8(i)) for i in of.instruments}

    def price(self, instrument: int, lots: int, *, is_aggressive: bool) -> int:
        """Return a limit on the order's own side, or a little beyond the mark.

        An order is at most a third of the mark away: options are worth few ticks.
        """
        mark, tick_e8 = self.marks[instrument]
        depth = min(self.depth, mark // 24)
        away = min(int(self.rng.expovariate(1) * depth) + 1, mark // 3)
        away = -self.rng.randint(0, depth // 8) if is_aggressive else away
        return (mark - away if lots > 0 else mark + away) * tick_e8

    def instrument(self) -> int:
        """Draw what a new order is for: mostly a perpetual."""
        is_perpetual = self.rng.random() < PERPETUAL_SHARE
        return self.rng.choice(PERPETUALS if is_perpetual else tuple(self.marks))

    def is_eager(self, share: float) -> bool:
        """Draw whether an order is priced to trade: the more, the fuller the book."""
        return self.rng.random() < share * min(4, (len(self.order) / self.target) ** 4)

    def place(self, tif: TimeInForce) -> list[int]:
        """Return a new order."""
        self.next_id += 1
        is_ioc = tif == TimeInForce.IMMEDIATE_OR_CANCEL
        size = self.rng.randint(1, MOST_IOC_LOTS if is_ioc else MOST_LOTS)
        lots = self.rng.choice((-1, 1)) * size
        is_aggressive = is_ioc or self.is_eager(AGGRESSIVE_NEW)
        instrument = self.instrument()
        price = self.price(instrument, lots, is_aggressive=is_aggressive)
        account = self.rng.randint(1, self.accounts)
        return [Action.PLACE, self.next_id, account, instrument, price, lots, tif, 0]

    def on_order(self, action: Action, used: set[int]) -> list[int]:
        """Return a cancel or a move of an order that rests, another one each time."""
        order_id = self.rng.choice(self.order)
        while order_id in used and len(used) < len(self.order):
            order_id = self.rng.choice(self.order)
        used.add(order_id)
        account, instrument, lots, _ = self.live[order_id]
        price = self.price(instrument, lots, is_aggressive=self.is_eager(AGGRESSIVE_MOVE))
        return [action, order_id, account, instrument, price, lots, 0, 0]

    def next(self, used: set[int]) -> list[int]:
        """Return the next command of the mix."""
        draw = self.rng.random()
        if draw < 0.09 or not self.order:
            return self.place(TimeInForce.GOOD_TILL_CANCELLED)
        if draw < 0.12:
            return self.place(TimeInForce.IMMEDIATE_OR_CANCEL)
        return self.on_order(Action.CANCEL if draw < 0.18 else Action.AMEND, used)

    def learn(self, events: Int64Array) -> None:
        """Keep the list of orders that rest."""
        for event in events.tolist():
            kind, order_id = event[KIND], event[EVENT_ID]
            if kind == Outcome.RESTED:
                self.add(order_id, event[EVENT_ACCOUNT], event[EVENT_INSTRUMENT], event[EVENT_B])
            elif kind in (Outcome.CLOSED, Outcome.AMENDED):
                self.remove(order_id)
            elif kind == Outcome.FILLED:
                account, instrument, lots, _ = self.live[order_id]
                self.remove(order_id)
                if lots + event[EVENT_B]:
                    self.add(order_id, account, instrument, lots + event[EVENT_B])

    def add(self, order_id: int, account: int, instrument: int, lots: int) -> None:
        """Remember an order."""
        self.live[order_id] = account, instrument, lots, len(self.order)
        self.order.append(order_id)

    def remove(self, order_id: int) -> None:
        """Forget an order, if it is known; the last one takes its place."""
        if order_id not in self.live:
            return
        place = self.live.pop(order_id)[3]
        last = self.order.pop()
        if last != order_id:
            account, instrument, lots, _ = self.live[last]
            self.live[last] = account, instrument, lots, place
            self.order[place] = last

    def fill(self, orders: int) -> Int64Array:
        """Place resting orders and return their commands."""
        return self.draw(orders, only_place=True)

    def draw(self, count: int, *, only_place: bool = False) -> Int64Array:
        """Return commands, done on the exchange in small steps."""
        found = np.empty((count, 8), np.int64)
        for start in range(0, count, DRAWN_TOGETHER):
            stop = min(count, start + DRAWN_TOGETHER)
            used: set[int] = set()
            for k in range(start, stop):
                gtc = TimeInForce.GOOD_TILL_CANCELLED
                found[k] = self.place(gtc) if only_place else self.next(used)
            done = start
            while done < stop:
                batch = self.exchange.submit(found, done, stop)
                self.learn(batch.events)
                done = batch.done
        return found


@dataclass
class Workload:
    """What is replayed: tables with orders that rest, and the commands that are timed."""

    exchange: HotExchange
    start: list[NDArray[Any]]
    before: Int64Array
    commands: Int64Array
    facts: dict[str, float]

    def restart(self, *, is_bound_first: bool = True) -> HotExchange:
        """Return the exchange as it was before the first command."""
        tables: list[NDArray[Any]] = list(self.exchange.tables)
        for table, kept in zip(tables, self.start, strict=True):
            table[:] = kept
        self.exchange.tables.scalars[IS_BOUND_FIRST] = is_bound_first
        return self.exchange


def copied(exchange: HotExchange) -> list[NDArray[Any]]:
    """Return the tables of an exchange as they are now."""
    return [table.copy() for table in exchange.tables]


def draw(accounts: int, orders: int, count: int) -> Workload:
    """Draw a stream and count what it does."""
    exchange = build(accounts, orders)
    fresh = copied(exchange)
    stream = Stream(exchange, accounts, max(400, orders // 20), orders)
    before = stream.fill(orders)
    commands = stream.draw(count)
    work = Workload(exchange, fresh, before, commands, {})
    send(work.restart(), before)
    work.start = copied(exchange)
    seen = exchange.checks()
    kinds = commands[:, KIND]
    on_order = kinds != Action.PLACE
    missed = short = fills = trading = done = 0
    while done < count:
        batch = exchange.submit(commands, done, min(done + BATCH, count))
        outcome, at = batch.events[:, KIND], batch.events[:, 1]
        refused = batch.events[outcome == Outcome.REFUSED]
        is_short = refused[:, 6] != 0  # margin is the reason that has figures
        missed += int((on_order[refused[:, 1]] & ~is_short).sum())
        short += int(is_short.sum())
        fills += int((outcome == Outcome.FILLED).sum())
        trading += len(np.unique(at[outcome == Outcome.FILLED]))
        done = batch.done
    assert exchange.audit(), "sums kept by adding differ from sums computed anew"
    checks = Checks(*(b - a for a, b in zip(seen, exchange.checks(), strict=True)))
    work.facts = {
        "hit_rate_of_cancels_and_moves": 1 - missed / int(on_order.sum()),
        "share_that_trades": trading / count,
        "fills_per_command": fills / count,
        "share_checked": checks.orders / count,
        "share_refused_for_margin": short / count,
        "share_of_checks_decided_by_bound": 1 - checks.orders_exact / checks.orders,
        "share_of_makers_decided_by_bound": 1 - checks.makers_exact / max(1, checks.makers),
        "share_foreseen": checks.foreseen / count,
        "orders_at_end": sum(len(exchange.orders(i)) for i in market().instruments),
    }
    return work


def send(exchange: HotExchange, commands: Int64Array, batch: int = BATCH) -> None:
    """Do all commands in batches."""
    done = 0
    while done < len(commands):
        done = exchange.submit(commands, done, min(done + batch, len(commands))).done


def hot_rate(
    work: Workload, batch: int = BATCH, count: int | None = None, *, is_bound_first: bool = True
) -> tuple[float, float]:
    """Return the median rate over the rounds and its CPU seconds."""
    times = []
    commands = work.commands[:count]
    for _ in range(ROUNDS):
        exchange = work.restart(is_bound_first=is_bound_first)
        started = time.process_time()
        send(exchange, commands, batch)
        times.append(time.process_time() - started)
    spent = statistics.median(times)
    return len(commands) / spent, spent


def twin_rate(work: Workload) -> float:
    """Return the rate of the twin on the beginning of the same stream, which both do alike."""
    of, hot = market(), work.exchange
    work.restart()
    accounts = int(hot.tables.scalars[ACCOUNTS])
    limits = Limits(accounts, hot.limits.orders, hot.limits.books, underlyings=2)
    twin = ReferenceExchange(limits, of.twin_rules())
    for i in of.instruments:
        divisor = int(of.rules.listing.underlyings[i >> 8].lot_divisor)
        twin.list_instrument(i, of.tick_e8(i), divisor, of.base(i))
        for order_id, account, _, price, lots, is_reducing in hot.orders(i):
            order = ReferenceOrder(order_id, account, i, lots, price, is_reducing)
            twin.books[i].orders.append(order)
    for account in range(accounts):
        positions = {i: [lots, cost] for i, lots, cost in hot.positions(account)}
        twin.accounts.append(ReferenceAccount(account, hot.cash(account), 0, positions))
    values = of.arrays.lot_values_e6.tolist()
    twin.reprice(of.arrays.losses_e6.tolist(), values, [0] * len(values), of.charges.tolist())
    sample = work.commands[:REFERENCE_COMMANDS]
    started = time.process_time()
    events = twin.submit(sample.tolist())
    spent = time.process_time() - started
    done = [tuple(event) for event in hot.submit(sample).events.tolist()]
    assert done == events, "the core and its twin differ"
    return REFERENCE_COMMANDS / spent


def textbook_rate(work: Workload) -> float:
    """Return the rate of books of heaps and queues, without any margin, on the same stream."""
    books = {i: TextbookBook() for i in market().instruments}
    for command in work.before.tolist():
        books[command[3]].do(command)
    sample = work.commands[:100_000].tolist()
    started = time.process_time()
    for command in sample:
        books[command[3]].do(command)
    return len(sample) / (time.process_time() - started)


def measure() -> dict[str, Entry]:
    """Return commands per second of one core for each size, with what the stream did."""
    entries: dict[str, Entry] = {}
    for name, size in SIZES.items():
        work = draw(*size)
        rate, spent = hot_rate(work)
        anchor = textbook_rate(work)
        entries[f"match_check.per_s.{name}"] = {
            "value": rate,
            "unit": "commands/s of one core, CPU time",
            "reference": anchor,
            "ratio": rate / anchor,
            "cpu_s": spent,
        }
        exact, _ = hot_rate(work, is_bound_first=False)
        entries[f"match_check.per_s.{name}.no_bounds"] = {
            "value": exact,
            "unit": "commands/s of one core, every check an exact one",
        }
        for fact, value in work.facts.items():
            entries[f"match_check.{fact}.{name}"] = {"value": value, "unit": "of the stream"}
        if name == "accounts_1k":
            twin = twin_rate(work)
            entries[f"match_check.twin_ratio.{name}"] = {
                "value": rate / twin,
                "unit": "times the plain Python twin",
                "reference": twin,
            }
            for batch in SMALL_BATCHES:
                small, _ = hot_rate(work, batch, SMALL_COMMANDS)
                entries[f"match_check.per_s.{name}.batch_{batch}"] = {
                    "value": small,
                    "unit": f"commands/s of one core, {batch} a call",
                }
    return entries


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
