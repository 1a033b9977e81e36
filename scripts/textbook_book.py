"""A textbook order book, what `bench_match` compares with: heaps and queues, without any margin."""

import heapq
from collections import deque

from offchain.engine.hot.layout import Action


class TextbookBook:
    """Price-time priority by two heaps of prices and a queue for each, in one book; no margin.

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
