#!/usr/bin/env python3
"""Time the batched exchange core on exchange-core's command mix, with the 36-scenario check.

9 % good-till-cancelled, 3 % immediate-or-cancel, 6 % cancel, 82 % move (an amendment to another
price, which loses its place), one instrument; about 6 % of commands trade. Every order that may add
risk is checked in all 36 scenarios before it enters, every fill updates the scenario sums of both
sides, and fees, costs, self-trade prevention and the event array are on. Signatures, nonces, log
and network are not.

The stream is drawn beforehand against a first exchange, so that cancels and moves name orders that
rest; the same stream is then timed on fresh ones, in batches, by CPU time of one core. References
in the same run: the twin in plain Python, which defines the core, and a textbook book of heaps and
queues without any margin. Usage: bench_match.py, or `measure()`.
"""

import heapq
import json
import random
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from offchain.core.units import ONE_E6, ROWS, SCENARIOS
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import (
    EVENT_ACCOUNT,
    EVENT_B,
    EVENT_ID,
    KIND,
    Action,
    Int64Array,
    Limits,
    Outcome,
)
from offchain.engine.hot.reference import ReferenceExchange
from offchain.engine.hot.reference_margin import ReferenceAccount
from offchain.engine.messages import TimeInForce

Entry = dict[str, Any]

SEED = 36
ROUNDS = 5
BATCH = 4_096
SMALL_BATCHES, SMALL_COMMANDS = (1, 16, 256), 40_000
DRAWN_TOGETHER = 64
"""Commands that are drawn without knowing what the others of them do."""
INSTRUMENT, TICK_E8, DIVISOR = 0, 10_000_000, 100_000
MID, BASE = 1_200_000, 1_200_000 - (1 << 17)
MOST_LOTS, MOST_IOC_LOTS = 40, 4
AGGRESSIVE_NEW, AGGRESSIVE_MOVE = 0.05, 0.016
"""Share of new orders and of moves that are priced to trade while the book has its first size."""
TAKER_FEE_E6, MM_FACTOR_E6 = 300, 800_000
CASH_E6 = 1_000_000 * ONE_E6
REFERENCE_COMMANDS = 300
"""Accounts, resting orders at the beginning, commands."""
SIZES = {
    "accounts_1k": (1_000, 1_000, 400_000),
    "accounts_100k": (100_000, 100_000, 1_000_000),
}


def losses() -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return a risk array: the perpetual loses and gains up to a sixth, in 36 steps."""
    value = MID * TICK_E8 // DIVISOR
    cells = np.zeros((ROWS, SCENARIOS), np.int32)
    cells[INSTRUMENT] = [value * (s - 18) // 108 + 7 * s for s in range(SCENARIOS)]
    return cells


def lot_values() -> Int64Array:
    """Return the value of one lot of every instrument at the mark. [USD e-6]"""
    values = np.zeros(ROWS, np.int64)
    values[INSTRUMENT] = MID * TICK_E8 // DIVISOR
    return values


def build(accounts: int, orders: int) -> HotExchange:
    """Return an exchange with funded accounts and an empty book."""
    limits = Limits(accounts=accounts + 1, orders=4 * orders, books=1)
    exchange = HotExchange(limits, TAKER_FEE_E6, MM_FACTOR_E6)
    exchange.list_instrument(INSTRUMENT, TICK_E8, DIVISOR, BASE)
    exchange.open_accounts(np.arange(accounts + 1))
    for account in range(1, accounts + 1):
        exchange.add_cash(account, CASH_E6)
    exchange.reprice(losses(), lot_values(), np.zeros(ROWS, np.int64))
    return exchange


@dataclass
class Stream:
    """Draws commands against an exchange that does them at once."""

    exchange: HotExchange
    accounts: int
    depth: int
    target: int
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a mix
    live: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # account, lots, place
    order: list[int] = field(default_factory=list)
    next_id: int = 0

    def price(self, lots: int, *, is_aggressive: bool) -> int:
        """Return a limit on the order's own side, or a little beyond the middle."""
        away = int(self.rng.expovariate(1) * self.depth) + 1
        away = -self.rng.randint(0, self.depth // 8) if is_aggressive else away
        return (MID - away if lots > 0 else MID + away) * TICK_E8

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
        price = self.price(lots, is_aggressive=is_aggressive)
        account = self.rng.randint(1, self.accounts)
        return [Action.PLACE, self.next_id, account, INSTRUMENT, price, lots, tif, 0]

    def on_order(self, action: Action, used: set[int]) -> list[int]:
        """Return a cancel or a move of an order that rests, another one each time."""
        order_id = self.rng.choice(self.order)
        while order_id in used and len(used) < len(self.order):
            order_id = self.rng.choice(self.order)
        used.add(order_id)
        account, lots, _ = self.live[order_id]
        price = self.price(lots, is_aggressive=self.is_eager(AGGRESSIVE_MOVE))
        return [action, order_id, account, INSTRUMENT, price, lots, 0, 0]

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
                self.add(order_id, event[EVENT_ACCOUNT], event[EVENT_B])
            elif kind in (Outcome.CLOSED, Outcome.AMENDED):
                self.remove(order_id)
            elif kind == Outcome.FILLED:
                account, lots, _ = self.live[order_id]
                self.remove(order_id)
                if lots + event[EVENT_B]:
                    self.add(order_id, account, lots + event[EVENT_B])

    def add(self, order_id: int, account: int, lots: int) -> None:
        """Remember an order."""
        self.live[order_id] = account, lots, len(self.order)
        self.order.append(order_id)

    def remove(self, order_id: int) -> None:
        """Forget an order, if it is known; the last one takes its place."""
        if order_id not in self.live:
            return
        place = self.live.pop(order_id)[2]
        last = self.order.pop()
        if last != order_id:
            account, lots, _ = self.live[last]
            self.live[last] = account, lots, place
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
    """What is replayed: orders that rest before the clock runs, and the commands that are timed."""

    accounts: int
    orders: int
    before: Int64Array
    commands: Int64Array
    facts: dict[str, float]


def draw(accounts: int, orders: int, count: int) -> Workload:
    """Draw a stream and count what it does."""
    exchange = build(accounts, orders)
    stream = Stream(exchange, accounts, max(400, orders // 20), orders)
    before = stream.fill(orders)
    commands = stream.draw(count)
    fresh = replay_setup(accounts, orders, before)
    kinds = commands[:, KIND]
    on_order = kinds != Action.PLACE
    refused = fills = trading = checked = done = 0
    while done < count:
        batch = fresh.submit(commands, done, min(done + BATCH, count))
        outcome, at = batch.events[:, KIND], batch.events[:, 1]
        missed = batch.events[outcome == Outcome.REFUSED]
        refused += int(on_order[missed[:, 1]].sum())
        fills += int((outcome == Outcome.FILLED).sum())
        trading += len(np.unique(at[outcome == Outcome.FILLED]))
        checked += int((outcome == Outcome.AMENDED).sum())
        done = batch.done
    assert fresh.audit(), "sums kept by adding differ from sums computed anew"
    facts = {
        "hit_rate_of_cancels_and_moves": 1 - refused / int(on_order.sum()),
        "share_that_trades": trading / count,
        "fills_per_command": fills / count,
        "share_checked": (checked + int((kinds == Action.PLACE).sum())) / count,
        "orders_at_end": len(fresh.orders(INSTRUMENT)),
    }
    return Workload(accounts, orders, before, commands, facts)


def replay_setup(accounts: int, orders: int, before: Int64Array) -> HotExchange:
    """Return a fresh exchange with the resting orders in it."""
    exchange = build(accounts, orders)
    send(exchange, before)
    return exchange


def send(exchange: HotExchange, commands: Int64Array, batch: int = BATCH) -> None:
    """Do all commands in batches."""
    done = 0
    while done < len(commands):
        done = exchange.submit(commands, done, min(done + batch, len(commands))).done


def hot_rate(work: Workload, batch: int = BATCH, count: int | None = None) -> tuple[float, float]:
    """Return the median rate over the rounds and its CPU seconds."""
    times = []
    for _ in range(ROUNDS):
        exchange = replay_setup(work.accounts, work.orders, work.before)
        commands = work.commands[:count]
        started = time.process_time()
        send(exchange, commands, batch)
        times.append(time.process_time() - started)
    spent = statistics.median(times)
    return len(commands) / spent, spent


def twin_rate(work: Workload) -> float:
    """Return the rate of the twin on the beginning of the same stream."""
    limits = Limits(accounts=work.accounts + 1, orders=4 * work.orders, books=1)
    twin = ReferenceExchange(limits, TAKER_FEE_E6, MM_FACTOR_E6)
    twin.list_instrument(INSTRUMENT, TICK_E8, DIVISOR, BASE)
    twin.accounts = [ReferenceAccount(a, CASH_E6 if a else 0) for a in range(work.accounts + 1)]
    twin.reprice(losses().tolist(), lot_values().tolist(), [0] * ROWS)
    twin.submit(work.before[:1_000].tolist())
    sample = work.commands[:REFERENCE_COMMANDS].tolist()
    started = time.process_time()
    twin.submit(sample)
    return REFERENCE_COMMANDS / (time.process_time() - started)


class TextbookBook:
    """Price-time priority by two heaps of prices and a queue for each; no accounts, no margin.

    An order that is cancelled or moved stays in its queue until its turn, without lots.
    """

    def __init__(self) -> None:
        self.sides: tuple[dict[int, deque[int]], ...] = ({}, {})
        self.heaps: tuple[list[int], ...] = ([], [])
        self.lots: dict[int, int] = {}  # of each entry that is still in force
        self.entry: dict[int, int] = {}  # of each order, the last one
        self.entries = 0
        self.fills = 0

    def place(self, order_id: int, lots: int, price: int, *, may_rest: bool) -> None:
        """Match and rest."""
        sign = 1 if lots > 0 else -1
        own, other = (0, 1) if lots > 0 else (1, 0)
        heap, queues, left = self.heaps[other], self.sides[other], abs(lots)
        while left and heap and heap[0] <= sign * price:
            queue = queues[abs(heap[0])]
            while left and queue:
                left -= self.meet(queue, left)
            if not queue:
                del queues[abs(heapq.heappop(heap))]
        if left and may_rest:
            if price not in self.sides[own]:
                self.sides[own][price] = deque()
                heapq.heappush(self.heaps[own], -sign * price)
            self.entries += 1
            self.sides[own][price].append(self.entries)
            self.lots[self.entries], self.entry[order_id] = left, self.entries

    def meet(self, queue: deque[int], left: int) -> int:
        """Trade with the first of a queue; return the lots, 0 when it is no longer in force."""
        maker = queue[0]
        available = self.lots.get(maker, 0)
        if available > left:
            self.lots[maker] -= left
            self.fills += 1
            return left
        queue.popleft()
        self.fills += self.lots.pop(maker, 0) > 0
        return available

    def do(self, command: list[int]) -> None:
        """Do one command; a move is a cancel and a new order."""
        kind, order_id, _, _, price, lots, tif, _ = command
        if kind == Action.PLACE:
            self.place(order_id, lots, price, may_rest=tif == 0)
        elif self.lots.pop(self.entry.pop(order_id, 0), 0) and kind == Action.AMEND:
            self.place(order_id, lots, price, may_rest=True)


def textbook_rate(work: Workload) -> float:
    """Return the rate of a book of heaps and queues, without any margin, on the same stream."""
    book = TextbookBook()
    for command in work.before.tolist():
        book.do(command)
    sample = work.commands[:100_000].tolist()
    started = time.process_time()
    for command in sample:
        book.do(command)
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
