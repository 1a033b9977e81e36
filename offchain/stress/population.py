"""The accounts of a venue before a crash, drawn from stated distributions with a seed.

Traders first, each with a size, a leverage and a side; makers then take the other side of the sum,
so that positions cancel out exactly. Whoever would begin below 120 % of maintenance gets the cash
that is missing: nobody is in trouble before the price moves.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.core.units import ONE_E6, ceil_div
from offchain.stress.book import (
    BACKSTOP,
    CONTRACTS,
    FIRST_TRADER,
    INSURANCE,
    Book,
    Int64Array,
    Marks,
)


@dataclass(frozen=True, slots=True)
class Population:
    """From what accounts are drawn.

    Attributes
    ----------
    accounts, makers : int
        Traders, and makers after them.
    equity_median_usd, equity_sigma, equity_least_usd, equity_most_usd : float
        Log-normal size of an account.
    leverages : sequence of (leverage, weight)
        Notional over equity at entry.
    long_share, hedged_share, ether_share : float
        Of the traders: who is long; who holds half as much of the other contract on the other side;
        whose contract is ETH.
    entry_spread : float
        Standard deviation of entry prices around the first index.
    insurance_share, backstop_share : float
        Cash of fund and backstop, of the open interest.
    maker_leverage, maker_cash_share : float
        Notional over equity of what a maker holds at first; his further cash, of the open interest.
    """

    accounts: int = 5_000
    makers: int = 40
    equity_median_usd: float = 2_000.0
    equity_sigma: float = 1.9
    equity_least_usd: float = 50.0
    equity_most_usd: float = 5_000_000.0
    leverages: tuple[tuple[float, float], ...] = (
        (2.0, 0.20),
        (3.0, 0.17),
        (5.0, 0.23),
        (10.0, 0.20),
        (20.0, 0.12),
        (40.0, 0.08),
    )
    long_share: float = 0.65
    hedged_share: float = 0.15
    ether_share: float = 0.4
    entry_spread: float = 0.01
    insurance_share: float = 0.002
    backstop_share: float = 0.01
    maker_leverage: float = 2.0
    maker_cash_share: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what no venue could be drawn from."""
        if not 1 <= self.accounts <= 1_000_000 or not 1 <= self.makers <= 10_000:
            raise ValueError("a population has 1 to 1,000,000 traders and 1 to 10,000 makers")
        shares = (self.long_share, self.hedged_share, self.ether_share)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("a share lies between 0 and 1")
        if self.equity_least_usd <= 0 or self.equity_most_usd < self.equity_least_usd:
            raise ValueError("sizes of accounts are positive")


def draw(of: Population, marks: Marks, seed: int) -> Book:
    """Return the book of a venue at these prices; the same seed gives the same book."""
    source = random.Random(f"population/{seed}")  # noqa: S311 - a model, not a secret
    count = FIRST_TRADER + of.accounts + of.makers
    lots, cost = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
    cash = np.zeros(count, np.int64)
    for account in range(FIRST_TRADER, FIRST_TRADER + of.accounts):
        equity_usd, leverage = _size(of, source)
        cash[account] = int(equity_usd * ONE_E6)
        for place, held in _positions(of, source, equity_usd * leverage, marks):
            entry = CONTRACTS[place].on_tick(marks[place] * (1 + _spread(of, source)))
            lots[account, place] = held
            cost[account, place] = CONTRACTS[place].value_e6(held, entry)
    _take_the_other_side(of, source, lots, cost, cash, marks)
    _give_what_is_missing(lots, cost, cash, marks)
    interest = _interest_e6(lots, marks)
    cash[INSURANCE] = int(interest * of.insurance_share)
    cash[BACKSTOP] = int(interest * of.backstop_share)
    return Book(lots, cost, cash)


def maker_numbers(of: Population) -> range:
    """Return the accounts of the makers."""
    first = FIRST_TRADER + of.accounts
    return range(first, first + of.makers)


def _size(of: Population, source: random.Random) -> tuple[float, float]:
    """Return the equity [USD] and the leverage of a trader."""
    drawn = source.lognormvariate(math.log(of.equity_median_usd), of.equity_sigma)
    equity = min(max(drawn, of.equity_least_usd), of.equity_most_usd)
    choices: Sequence[float] = [leverage for leverage, _ in of.leverages]
    (leverage,) = source.choices(choices, [weight for _, weight in of.leverages])
    return equity, leverage


def _positions(
    of: Population, source: random.Random, notional_usd: float, marks: Marks
) -> list[tuple[int, int]]:
    place = int(source.random() < of.ether_share)
    sign = 1 if source.random() < of.long_share else -1
    is_hedged = source.random() < of.hedged_share
    size = int(notional_usd * ONE_E6)
    held = [(place, sign * max(1, CONTRACTS[place].lots_of(size, marks[place])))]
    if is_hedged:
        other = CONTRACTS[1 - place].lots_of(size // 2, marks[1 - place])
        if other:
            held.append((1 - place, -sign * other))
    return held


def _spread(of: Population, source: random.Random) -> float:
    return min(max(source.gauss(0, of.entry_spread), -0.05), 0.05)


def _take_the_other_side(
    of: Population,
    source: random.Random,
    lots: Int64Array,
    cost: Int64Array,
    cash: Int64Array,
    marks: Marks,
) -> None:
    """Give each maker a Pareto share of what is left over, and the cash that goes with it."""
    makers = maker_numbers(of)
    weights = [source.paretovariate(1.2) for _ in makers]
    total = sum(weights)
    for place, contract in enumerate(CONTRACTS):
        rest = -int(lots[:, place].sum())
        parts = [int(rest * weight / total) for weight in weights]
        parts[0] += rest - sum(parts)
        for account, part in zip(makers, parts, strict=True):
            lots[account, place] = part
            cost[account, place] = contract.value_e6(part, marks[place])
    further = int(_interest_e6(lots, marks) * of.maker_cash_share)
    for account in makers:
        gross = sum(abs(int(c)) for c in cost[account])
        cash[account] = int(gross / of.maker_leverage) + further


def _interest_e6(lots: Int64Array, marks: Marks) -> int:
    longs = (int(np.clip(column, 0, None).sum()) for column in lots.T)
    return sum(c.value_e6(n, m) for c, n, m in zip(CONTRACTS, longs, marks, strict=True))


def _give_what_is_missing(
    lots: Int64Array,
    cost: Int64Array,
    cash: Int64Array,
    marks: Marks,
) -> None:
    balance, required = Book(lots, cost, cash).margins(marks)
    for account in np.flatnonzero(balance * 10 < required * 12).tolist():
        cash[account] += ceil_div(int(required[account]) * 12, 10) - int(balance[account])
