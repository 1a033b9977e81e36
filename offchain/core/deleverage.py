"""Deleveraging: which winners close a bankrupt position, and how many lots each.

Two policies, of which a parameter selects one. *Pro rata* (the default) takes from everybody in
proportion to open profit, so that a large book loses no more of its profit than a small one. The
*queue* takes from the front: highest score first, each as far as its capacity goes. In both what is
closed is the deficit to the lot, and permuting the candidates changes nothing (A-2, A-3).

A candidate's capacity is what it can close without falling below its maintenance margin, so hedges
are considered by whoever computes it (A-4); every closing is at the bankruptcy price (A-5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from offchain.core.units import AccountId, Lots, UsdE6

MAX_CANDIDATES = 1 << 20
AMOUNT_BITS = 63
_SCORE_SHIFT = 4 * AMOUNT_BITS
_LEVEL_SHIFT = 2 * AMOUNT_BITS
"""Two different ratios of numbers below 2**b lie 2**-2b apart at least, so that they still differ
when both are multiplied by 2**2b and rounded down: whole numbers order them exactly."""
LIGHTS = 5
"""Rank lights: one for each fifth of the queue that an account is ahead of."""


class Policy(IntEnum):
    """How a deficit is shared out."""

    PRO_RATA = 0
    QUEUE = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One holder of the other side.

    Attributes
    ----------
    lots : Lots
        Capacity: the most that may be closed, a magnitude. [lots]
    profit_e6 : UsdE6
        Open profit of the position at the closing price; negative for a loss. [USD e-6]
    notional_e6, entry_e6 : UsdE6
        Size of the position at the mark and at its entry. [USD e-6]
    balance_e6 : UsdE6
        Margin balance of the account. [USD e-6]
    """

    account: AccountId
    lots: Lots
    profit_e6: UsdE6
    notional_e6: UsdE6
    entry_e6: UsdE6
    balance_e6: UsdE6

    def score(self) -> tuple[int, int]:
        """Return the score as numerator and positive denominator; higher is closed first.

        Profit ratio times effective leverage: ``profit / entry x notional / balance``. Of a loss,
        the ratio over the leverage: ``loss / entry x balance / notional``, so that a loser with
        much leverage stands before one with little. What is not positive counts as one.
        """
        entry, balance = max(1, self.entry_e6), max(1, self.balance_e6)
        notional = max(1, self.notional_e6)
        if self.profit_e6 > 0:
            return self.profit_e6 * notional, entry * balance
        return self.profit_e6 * balance, entry * notional

    def key(self) -> tuple[int, int, int]:
        """Return what orders the queue, ascending."""
        numerator, denominator = self.score()
        return -((numerator << _SCORE_SHIFT) // denominator), -self.notional_e6, self.account


@dataclass(frozen=True, slots=True)
class Share:
    """What one account closes. [lots, a magnitude]"""

    account: AccountId
    lots: Lots


def rank(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the queue: by score, then by notional, both descending, then by account.

    Scores are compared exactly; a contract does it by cross-multiplication, where every product
    stays below 2**252.

    Raises
    ------
    ValueError
        There are too many candidates, one twice, or an amount of more than 63 bits.
    """
    _check(candidates)
    return sorted(candidates, key=Candidate.key)


def lights(place: int, count: int) -> int:
    """Return how many rank lights are on at a place of the queue: 5 at its front, 1 at its end.

    Parameters
    ----------
    place : int
        From 0.
    count : int
        Length of the queue, more than `place`.
    """
    if not 0 <= place < count:
        raise ValueError(f"place {place} of {count}")
    return LIGHTS - place * LIGHTS // count


def shares(deficit_lots: int, candidates: Sequence[Candidate], policy: Policy) -> list[Share]:
    """Return who closes how much, ascending by account; nobody closes nothing.

    The sum is the deficit, or all capacities where they are less: nobody is overshot.

    Raises
    ------
    ValueError
        The deficit or a capacity is negative, there are too many candidates, one twice, or an
        amount of more than 63 bits.
    """
    if deficit_lots < 0:
        raise ValueError(f"a deficit of {deficit_lots} lots")
    _check(candidates)
    parts = _queue(deficit_lots, candidates) if policy else _pro_rata(deficit_lots, candidates)
    return [Share(AccountId(a), Lots(lots)) for a, lots in sorted(parts.items()) if lots]


def _check(candidates: Sequence[Candidate]) -> None:
    if len(candidates) > MAX_CANDIDATES:
        raise ValueError(f"{len(candidates)} candidates, at most {MAX_CANDIDATES}")
    if len({c.account for c in candidates}) != len(candidates):
        raise ValueError("an account stands in the queue twice")
    if any(c.lots < 0 for c in candidates):
        raise ValueError("a capacity is negative")
    for c in candidates:
        amounts = (c.lots, c.profit_e6, c.notional_e6, c.entry_e6, c.balance_e6)
        if any(abs(amount) >> AMOUNT_BITS for amount in amounts):
            raise ValueError(f"an amount of account {c.account} has more than {AMOUNT_BITS} bits")


def _queue(deficit: int, candidates: Sequence[Candidate]) -> dict[int, int]:
    parts: dict[int, int] = {}
    for candidate in sorted(candidates, key=Candidate.key):
        taken = min(deficit, candidate.lots)
        parts[candidate.account] = taken
        deficit -= taken
        if not deficit:
            break
    return parts


def _pro_rata(deficit: int, candidates: Sequence[Candidate]) -> dict[int, int]:
    """Share by profit among the winners; what they cannot close, by size among the others."""
    winners = [(c.account, c.lots, int(c.profit_e6)) for c in candidates if c.profit_e6 > 0]
    others = [(c.account, c.lots, int(c.lots)) for c in candidates if c.profit_e6 <= 0]
    parts = proportional(deficit, winners)
    return parts | proportional(deficit - sum(parts.values()), others)


def proportional(total: int, rows: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Share a total out by weight, nobody beyond its capacity, by the largest remainder.

    Parameters
    ----------
    total : int
        Not negative. [lots]
    rows : sequence of (account, capacity, weight)
        Each account once, below 2**63; weights positive where the capacity is. [lots]

    Returns
    -------
    dict of account to lots
        Everybody has ``min(capacity, weight x level)`` of one exact level, to the lot; what
        rounding down leaves goes one lot each to the largest remainders, ties to the lower account.
        The sum is `total`, or all capacities where they are less.
    """
    open_rows = [row for row in rows if row[1] > 0]
    if total >= sum(capacity for _, capacity, _ in open_rows):
        return {account: capacity for account, capacity, _ in open_rows}
    parts, total, weights, rest = _fill(total, open_rows)
    if not rest:
        return parts
    remainders = []
    left = total
    for account, _, weight in rest:
        lots, remainder = divmod(total * weight, weights)
        parts[account] = lots
        left -= lots
        remainders.append((-remainder, account))
    for _, account in sorted(remainders)[:left]:
        parts[account] += 1
    return parts


def _fill(
    total: int, rows: Sequence[tuple[int, int, int]]
) -> tuple[dict[int, int], int, int, list[tuple[int, int, int]]]:
    """Fill those whose capacity lies at or below the level; return what is left for the rest.

    In the order of ``capacity / weight`` the level is found in one pass: a row is full when its
    capacity is at most its part of what is left, and then every row before it is.
    """
    ordered = sorted(rows, key=_level)
    weights = sum(weight for _, _, weight in ordered)
    parts: dict[int, int] = {}
    for place, (account, capacity, weight) in enumerate(ordered):
        if capacity * weights > total * weight:
            return parts, total, weights, ordered[place:]
        parts[account] = capacity
        total -= capacity
        weights -= weight
    return parts, total, weights, []


def _level(row: tuple[int, int, int]) -> tuple[int, int]:
    """Return the level at which a row is full, and what decides between equals."""
    account, capacity, weight = row
    return (capacity << _LEVEL_SHIFT) // weight, account
