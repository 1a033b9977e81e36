"""Spot prices for the oracles: candles walked through, or a seeded random walk.

Prices of replayed candles are exact integers. The follower (ETH from BTC) and the random walk are
models in floating point with stated seeds; they are outside every commitment, because a price
becomes binding only as an integer in a signed report.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.core.units import ONE_E8, SECOND_NS
from offchain.services.ports import Spot

MIN_STEPS = 3
"""Steps in a bar: one at least for each of its two extremes and its close."""


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar: open time [ns] and prices [USD e-8], low <= open, close <= high."""

    time_ns: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int


@dataclass(frozen=True, slots=True)
class Follower:
    """A second price that follows the first: return = beta x first return + noise.

    `noise` is the standard deviation of the independent part of the return over one bar; it is
    spread evenly over the steps of the bar. With beta 1.25 and 0.001 the path resembles ETH
    against BTC in five-minute bars; it is a model, not data.
    """

    start_e8: int
    beta: float
    noise: float
    seed: int


def turning_points(candle: Candle) -> tuple[int, int, int, int]:
    """Return open, first extreme, second extreme and close [USD e-8].

    A rising bar is walked open, low, high, close and a falling one open, high, low, close: the
    shorter of the two paths, and the usual convention of back-tests on bars. For a crash it means
    that the low comes late in the bar, after the rebound that trapped buyers.
    """
    if candle.close_e8 >= candle.open_e8:
        return candle.open_e8, candle.low_e8, candle.high_e8, candle.close_e8
    return candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8


def walk_bar(candle: Candle, steps: int) -> Iterator[int]:
    """Yield `steps` prices after the open, straight between turning points, each of them hit."""
    points = turning_points(candle)
    marks = (0, steps // 3, 2 * steps // 3, steps)
    for leg in range(3):
        start, end = points[leg], points[leg + 1]
        length = marks[leg + 1] - marks[leg]
        for k in range(1, length + 1):
            yield start + (end - start) * k // length


class CandlePath:
    """A `PriceFeed` that walks through candles, for one underlying or two.

    Parameters
    ----------
    candles : sequence of Candle
        Bars of the first underlying, a constant step apart.
    step_ns : int
        Length of a bar. [ns]
    steps : int
        Prices taken from each bar, at least 3.
    second : sequence of Candle or Follower, optional
        The second underlying: bars of the same times, or a model that follows the first.
    """

    def __init__(
        self,
        candles: Sequence[Candle],
        step_ns: int,
        steps: int = 6,
        second: Sequence[Candle] | Follower | None = None,
    ) -> None:
        if steps < MIN_STEPS:
            raise ValueError(f"at least {MIN_STEPS} steps a bar, so that both extremes are hit")
        if not candles:
            raise ValueError("no candles")
        if (
            second is not None
            and not isinstance(second, Follower)
            and [c.time_ns for c in second] != [c.time_ns for c in candles]
        ):
            raise ValueError("the two series of candles have different times")
        self.candles, self.step_ns, self.steps, self.second = candles, step_ns, steps, second

    def __len__(self) -> int:
        return 1 + len(self.candles) * self.steps

    def __iter__(self) -> Iterator[Spot]:
        """Yield the open of the first bar, then `steps` prices for each bar."""
        firsts = self._series(self.candles)
        if self.second is None:
            for time_ns, price in firsts:
                yield Spot(time_ns, (price,))
        elif isinstance(self.second, Follower):
            yield from _follow(firsts, self.second, self.steps)
        else:
            for (time_ns, price), (_, other) in zip(firsts, self._series(self.second), strict=True):
                yield Spot(time_ns, (price, other))

    def _series(self, candles: Sequence[Candle]) -> Iterator[tuple[int, int]]:
        yield candles[0].time_ns, candles[0].open_e8
        for candle in candles:
            for k, price in enumerate(walk_bar(candle, self.steps), start=1):
                yield candle.time_ns + self.step_ns * k // self.steps, price


def _follow(firsts: Iterator[tuple[int, int]], follower: Follower, steps: int) -> Iterator[Spot]:
    source = random.Random(follower.seed)  # noqa: S311 - a price model, not a secret
    noise = follower.noise / math.sqrt(steps)
    price, last = float(follower.start_e8), 0
    for time_ns, first in firsts:
        if last:
            move = follower.beta * (first / last - 1) + source.gauss(0.0, noise)
            price *= 1 + max(move, -0.9)
        last = first
        yield Spot(time_ns, (first, max(round(price), 1)))


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """A `PriceFeed` of geometric random walks with one seed, bounded in length.

    `volatility` is annualised, for each underlying; the moves are independent, without drift.
    """

    start_ns: int
    prices_e8: tuple[int, ...]
    volatility: tuple[float, ...]
    seed: int
    step_ns: int = SECOND_NS
    length: int = 1_000_000

    def __iter__(self) -> Iterator[Spot]:
        """Yield `length` spots, the first of them at the start."""
        source = random.Random(self.seed)  # noqa: S311 - a price model, not a secret
        root_time = math.sqrt(self.step_ns / (365 * 86_400 * SECOND_NS))
        prices = [float(p) for p in self.prices_e8]
        for k in range(self.length):
            yield Spot(self.start_ns + k * self.step_ns, tuple(max(round(p), 1) for p in prices))
            prices = [
                min(p * math.exp(source.gauss(0.0, v * root_time)), 100_000 * 1e3 * ONE_E8)
                for p, v in zip(prices, self.volatility, strict=True)
            ]
