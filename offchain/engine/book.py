"""The order book of one instrument: price-time priority over integer ticks."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from offchain.core.units import AccountId, InstrumentId, TimestampNs


@dataclass(slots=True)
class Order:
    """A resting order; `lots` is what is left of it, positive for a bid."""

    order_id: int
    account: AccountId
    instrument: InstrumentId
    lots: int
    price_e8: int
    reduce_only: bool
    expires_at_ns: TimestampNs


class Side:
    """One side of a book: price levels, best first, each a queue in time order."""

    def __init__(self, *, is_bid: bool) -> None:
        self._sign = -1 if is_bid else 1
        self._keys: list[int] = []  # prices signed so that the best is the smallest
        self._levels: dict[int, deque[Order]] = {}

    def add(self, order: Order) -> None:
        """Queue an order behind the others at its price."""
        key = self._sign * order.price_e8
        level = self._levels.get(key)
        if level is None:
            insort(self._keys, key)
            level = self._levels[key] = deque()
        level.append(order)

    def remove(self, order: Order) -> None:
        """Take an order out of its queue."""
        key = self._sign * order.price_e8
        level = self._levels[key]
        level.remove(order)
        if not level:
            del self._levels[key]
            del self._keys[bisect_left(self._keys, key)]

    def best(self) -> int | None:
        """Return the best price. [USD e-8]"""
        return self._sign * self._keys[0] if self._keys else None

    def best_live(self, time_ns: int) -> int | None:
        """Return the best price of an order that has not expired. [USD e-8]"""
        live = (order.price_e8 for order in self.orders() if time_ns < order.expires_at_ns)
        return next(live, None)

    def orders(self) -> Iterator[Order]:
        """Yield every order in priority: best price first, then first come."""
        for key in self._keys:
            yield from self._levels[key]

    def depth(self, levels: int) -> list[tuple[int, int]]:
        """Return (price, signed lots) of the first levels."""
        return [
            (self._sign * key, sum(order.lots for order in self._levels[key]))
            for key in self._keys[:levels]
        ]


class Book:
    """Both sides of one instrument."""

    def __init__(self) -> None:
        self.bids = Side(is_bid=True)
        self.asks = Side(is_bid=False)

    def side_of(self, lots: int) -> Side:
        """Return the side where an order of this sign rests."""
        return self.bids if lots > 0 else self.asks

    def against(self, lots: int) -> Side:
        """Return the side that an order of this sign trades with."""
        return self.asks if lots > 0 else self.bids

    def best_bid(self) -> int | None:
        """Return the highest bid. [USD e-8]"""
        return self.bids.best()

    def best_ask(self) -> int | None:
        """Return the lowest ask. [USD e-8]"""
        return self.asks.best()

    def mid(self, time_ns: int) -> int | None:
        """Return the middle of the best live prices, rounded down; None without two sides."""
        bid, ask = self.bids.best_live(time_ns), self.asks.best_live(time_ns)
        return None if bid is None or ask is None else (bid + ask) // 2

    def orders(self) -> Iterator[Order]:
        """Yield the bids, then the asks, each in priority."""
        yield from self.bids.orders()
        yield from self.asks.orders()

    def depth(self, levels: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the first levels of bids and asks."""
        return self.bids.depth(levels), self.asks.depth(levels)
