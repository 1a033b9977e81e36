"""How many lots a partial liquidation closes: the smallest step that restores the target.

Legs are taken one after another, first the one that releases most maintenance margin for each
dollar that closing it costs, each up to its cap. Then as much is given back as the target allows,
so that of no leg a lot less would do. A leg whose closing releases nothing is a hedge of the others
and stays. When no single leg releases anything, the same share of everything is closed, which keeps
every hedge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from offchain.core.bisection import smallest
from offchain.core.liquidation import share_legs, smallest_share
from offchain.core.margin import is_below, partial_lots
from offchain.core.parameters import LiquidationParameters
from offchain.core.units import ONE_E6, Lots

Closings = Mapping[int, int]
"""Lots closed of each instrument, magnitudes."""
Margin = tuple[int, int]
"""Margin balance and maintenance margin. [USD e-6]"""

GIVE_BACKS = 8
"""Passes over the legs; two are enough in all but contrived books."""
_RATIO_SHIFT = 128
"""Releases and costs have less than 64 bits: see `core.deleverage`."""


@dataclass(frozen=True, slots=True)
class Account:
    """What sizing asks about an account.

    Attributes
    ----------
    positions : sequence of (instrument, lots)
        Ascending, lots not zero.
    margin_after : callable
        Margin balance and MM after closing so many lots of each instrument at its mark.
    cost_of : callable
        What it costs to close lots of an instrument: the liquidation fee, not negative. [USD e-6]
    """

    positions: Sequence[tuple[int, int]]
    margin_after: Callable[[Closings], Margin]
    cost_of: Callable[[int, int], int]


def smallest_step(account: Account, terms: LiquidationParameters) -> tuple[tuple[int, Lots], ...]:
    """Return (instrument, signed change), ascending: the smallest step that restores the target.

    When the caps do not let it be restored, what releases something is closed up to its cap: the
    next step follows. The ratio never falls, since closings are at the mark and nothing that
    raises MM is closed.

    Notes
    -----
    Some 4 n + 24 margins for n positions in all but contrived books, and never more than
    n (n + 1) / 2 + n + 64 + 216 n: lots have 24 bits.
    """
    closed = _by_leg(account, terms)
    if not closed:
        return share_legs(account.positions, smallest_share(_share(account, terms), terms))
    signs = {instrument: lots > 0 for instrument, lots in account.positions}
    return tuple((i, Lots(-closed[i] if signs[i] else closed[i])) for i in sorted(closed))


def is_restored(margin: Margin, terms: LiquidationParameters) -> bool:
    """Tell whether an account is back at the target ratio."""
    return not is_below(*margin, terms.target_e6)


def _by_leg(account: Account, terms: LiquidationParameters) -> dict[int, int]:
    """Close leg after leg; a leg is looked at again only when it would be the next (lazily)."""
    caps = {i: partial_lots(lots, terms.partial_cap_e6, ONE_E6) for i, lots in account.positions}
    closed: dict[int, int] = {}
    _, before = account.margin_after(closed)
    queue: list[tuple[int, int, int]] = []  # (-efficiency, instrument, how many were closed then)
    for instrument, cap in caps.items():
        _look(account, closed, before, instrument, cap, queue)
    while queue:
        _, instrument, age = heappop(queue)
        if age != len(closed):
            _look(account, closed, before, instrument, caps[instrument], queue)
            continue
        closed[instrument] = caps[instrument]
        after = account.margin_after(closed)
        if is_restored(after, terms):
            _give_back(account, closed, terms)
            return closed
        before = after[1]
    return closed


def _look(
    account: Account,
    closed: dict[int, int],
    before_e6: int,
    instrument: int,
    cap: int,
    queue: list[tuple[int, int, int]],
) -> None:
    """Put a leg in the queue by what it releases for its cost, if it releases anything."""
    _, after = account.margin_after(closed | {instrument: cap})
    if after < before_e6:
        cost = max(1, account.cost_of(instrument, cap))
        efficiency = ((before_e6 - after) << _RATIO_SHIFT) // cost
        heappush(queue, (-efficiency, instrument, len(closed)))


def _give_back(account: Account, closed: dict[int, int], terms: LiquidationParameters) -> None:
    """Reduce each leg, the last one first, to where a lot less would miss the target.

    Less of one leg may make another one dispensable, so it goes on until nothing changes.
    """
    for _ in range(GIVE_BACKS):
        before = dict(closed)
        for instrument in reversed(tuple(closed)):
            fewest = _fewest(account, closed, instrument, terms)
            if fewest:
                closed[instrument] = fewest
            else:
                del closed[instrument]
        if closed == before:
            return


def _fewest(
    account: Account, closed: dict[int, int], instrument: int, terms: LiquidationParameters
) -> int:
    """Return lots of one leg that restore the target with the others, and one less does not."""

    def restores(lots: int) -> bool:
        return is_restored(account.margin_after(closed | {instrument: lots}), terms)

    enough = closed[instrument] - 1
    if not restores(enough):
        return enough + 1
    if restores(0):
        return 0
    return smallest(0, enough, restores)


def _share(account: Account, terms: LiquidationParameters) -> Callable[[int], bool]:
    def restores(share: int) -> bool:
        closed = {i: abs(lots) for i, lots in share_legs(account.positions, share)}
        return is_restored(account.margin_after(closed), terms)

    return restores
