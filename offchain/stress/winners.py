"""Who closes a bankrupt position: the ways of choosing winners that policies differ in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offchain.core.curves import curve_reference
from offchain.core.deleverage import Candidate, Policy, Share, shares
from offchain.core.units import AccountId, Lots, UsdE6
from offchain.stress.book import CONTRACTS, LINES, Int64Array
from offchain.stress.lab import Lab, largest

ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Bankrupt:
    """What must be closed: lots (a magnitude) of a contract, at a price, on one side.

    `sign` is -1 for a long that must be sold.
    """

    place: int
    lots: int
    sign: int
    price_e8: int


Choice = Callable[[Lab, Bankrupt], list[Share]]
"""From what must be closed to who closes what."""


def deleverage_rest(lab: Lab, account: int, choose: Choice) -> None:
    """Close what is left of an account against others at its bankruptcy prices."""
    for place, price in lab.bankruptcy_prices(account).items():
        lots = -int(lab.book.lots[account, place])
        bankrupt = Bankrupt(place, abs(lots), 1 if lots > 0 else -1, price)
        lab.deleverage(account, place, lots, price, choose(lab, bankrupt))


def holders(lab: Lab, of: Bankrupt) -> Int64Array:
    """Return who holds the other side, ascending."""
    return np.flatnonzero(lab.book.lots[:, of.place] * of.sign > 0)


def candidates(lab: Lab, of: Bankrupt, *, everybody: bool = False) -> list[Candidate]:
    """Return who is asked: those who win at the closing price, and all holders if too few.

    Both policies of `core.deleverage` take from losers only what winners cannot close, so leaving
    the losers out where winners suffice changes nothing. Capacity is the whole position.
    """
    found = holders(lab, of)
    column, costs = lab.book.lots[:, of.place], lab.book.cost_e6[:, of.place]
    contract = CONTRACTS[of.place]
    profit = column[found] * (of.price_e8 // contract.lot_divisor) - costs[found]
    winning = profit > 0
    if not everybody and int(np.abs(column[found[winning]]).sum()) >= of.lots:
        found, profit = found[winning], profit[winning]
    balance, _ = lab.book.margins(lab.marks)
    value = lab.marks[of.place] // contract.lot_divisor
    rows = zip(
        found.tolist(),
        np.abs(column[found]).tolist(),
        profit.tolist(),
        np.abs(costs[found]).tolist(),
        balance[found].tolist(),
        strict=True,
    )
    return [
        Candidate(
            AccountId(account), Lots(lots), UsdE6(won), UsdE6(lots * value), UsdE6(cost), UsdE6(own)
        )
        for account, lots, won, cost, own in rows
    ]


def from_the_front(lab: Lab, of: Bankrupt) -> list[Share]:
    """Close from the front of the ranked queue, the last one partly (Hyperliquid's docs)."""
    return shares(of.lots, candidates(lab, of), Policy.QUEUE)


def from_a_random_start(lab: Lab, of: Bankrupt) -> list[Share]:
    """Go through the accounts from a random one on, whatever they won (dYdX v4's loop)."""
    found = holders(lab, of).tolist()
    if not found:
        return []
    first = lab.source.randrange(len(found))
    chosen, left = [], of.lots
    for account in (*found[first:], *found[:first]):
        if not left:
            break
        taken = min(left, abs(int(lab.book.lots[account, of.place])))
        chosen.append(Share(AccountId(account), Lots(taken)))
        left -= taken
    return chosen


def by_profit(lab: Lab, of: Bankrupt) -> list[Share]:
    """Share it out by open profit, to the lot."""
    return shares(of.lots, candidates(lab, of), Policy.PRO_RATA)


def keeping_maintenance(lab: Lab, of: Bankrupt) -> list[Share]:
    """Share it out by open profit, nobody below his own maintenance (A-4).

    Whoever would fall below it is given as much as he can carry, and the rest is shared out again;
    when the winners cannot carry it, among everybody.
    """
    rows = {int(c.account): c for c in candidates(lab, of)}
    chosen: list[Share] = []
    for _ in range(ROUNDS):
        if sum(row.lots for row in rows.values()) < of.lots:
            rows = {int(c.account): c for c in candidates(lab, of, everybody=True)} | rows
        chosen = shares(of.lots, list(rows.values()), Policy.PRO_RATA)
        weak = [part for part in chosen if not carries(lab, of, part.account, part.lots)]
        if not weak:
            return chosen
        for part in weak:
            most = _most(lab, of, part.account, part.lots)
            rows[part.account] = replace(rows[part.account], lots=Lots(most))
    return [part for part in chosen if carries(lab, of, part.account, part.lots)]


def carries(lab: Lab, of: Bankrupt, account: int, lots: int) -> bool:
    """Tell whether an account is still at its maintenance after closing lots."""
    balance, _ = lab.book.margin(account, lab.marks)
    divisor = CONTRACTS[of.place].lot_divisor
    lost = lots * of.sign * ((lab.marks[of.place] - of.price_e8) // divisor)
    held = [(i, abs(n) - (lots if i == of.place else 0)) for i, n in lab.book.positions(account)]
    return balance - lost >= maintenance_of(lab, held)


def _most(lab: Lab, of: Bankrupt, account: int, lots: int) -> int:
    """Return lots that an account can close, of which one more it could not."""
    return largest(lots, lambda count: carries(lab, of, account, count))


def maintenance_of(lab: Lab, held: Sequence[tuple[int, int]]) -> int:
    """Return the MM of (contract, lots) at the marks. [USD e-6]"""
    return sum(
        curve_reference(CONTRACTS[i].value_e6(abs(lots), lab.marks[i]), LINES) for i, lots in held
    )
