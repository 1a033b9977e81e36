"""The smallest partial step again, slowly: fractions and dictionaries."""

from collections.abc import Callable
from fractions import Fraction

Closed = dict[int, int]


def smallest_step(
    held: dict[int, int],
    due: Callable[[Closed], int],
    is_restored: Callable[[Closed], bool],
    cost: Callable[[int, int], int],
    caps: dict[int, int],
) -> Closed | None:
    """Return lots closed of each instrument; None when no leg alone releases anything.

    The leg of the best ratio of release to cost goes next. Ratios are those of when a leg was last
    looked at, and the best of them is looked at again before it is taken.
    """
    closed: Closed = {}
    ratios = {i: (_ratio(i, closed, due, cost, caps), 0) for i in held}
    ratios = {i: seen for i, seen in ratios.items() if seen[0] > 0}
    while ratios:
        chosen = min(ratios, key=lambda i: (-ratios[i][0], i))
        if ratios[chosen][1] != len(closed):
            again = _ratio(chosen, closed, due, cost, caps)
            ratios[chosen] = (again, len(closed))
            if again <= 0:
                del ratios[chosen]
            continue
        del ratios[chosen]
        closed[chosen] = caps[chosen]
        if is_restored(closed):
            return _give_back(closed, is_restored)
    return closed or None


def _ratio(
    i: int,
    closed: Closed,
    due: Callable[[Closed], int],
    cost: Callable[[int, int], int],
    caps: dict[int, int],
) -> Fraction:
    return Fraction(due(closed) - due(closed | {i: caps[i]}), max(1, cost(i, caps[i])))


def _give_back(closed: Closed, is_restored: Callable[[Closed], bool]) -> Closed:
    for _ in range(8):
        before = dict(closed)
        for i in reversed(list(closed)):
            if not is_restored(closed | {i: closed[i] - 1}):
                continue
            if is_restored(closed | {i: 0}):
                del closed[i]
                continue
            low, high = 0, closed[i] - 1
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if is_restored(closed | {i: middle}) else (middle, high)
            closed[i] = high
        if closed == before:
            break
    return closed
