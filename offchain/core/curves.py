"""Tier curves: a marginal rate on each part of an amount, as the largest of a few straight lines.

With rates r_0 < r_1 < .. above bounds 0 = l_0 < l_1 < .., the marginal sum is convex and equals

    max_j (r_j x - d_j),   d_0 = 0,   d_j = d_(j-1) + l_j (r_j - r_(j-1))

which is Hyperliquid's and Binance's form with deductions, and needs no look-up. It is rounded up.
Mirrored by `contracts/libraries/Curves.sol`.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.model_parameters import Tier
from offchain.core.units import ONE_E6, ceil_div

Int64Array = NDArray[np.int64]

MAX_TIERS = 8
MAX_RATE_E6 = (1 << 24) - 1
"""With amounts of at most 2**57 a charge is below 2**62: 2**24 x (2**57 / 10**6) < 2**62."""
CURVE_LIMIT = 1 << 57
"""Amounts above this (144 billion USD) are charged as this."""

Line = tuple[int, int]
"""(rate [e-6], deduction [USD e-12])."""


def curve_lines(tiers: Sequence[Tier]) -> tuple[Line, ...]:
    """Return the straight lines of a curve: rate [e-6] and deduction [USD e-12] of each."""
    lines: list[Line] = []
    for tier in tiers:
        before = lines[-1] if lines else (tier.rate_e6, 0)
        step = tier.lower_e6 * (tier.rate_e6 - before[0])
        lines.append((int(tier.rate_e6), before[1] + step))
    return tuple(lines)


def curve_reference(amount_e6: int, lines: Sequence[Line]) -> int:
    """Return the charge on an amount, rounded up, never negative. [USD e-6]"""
    amount = min(amount_e6, CURVE_LIMIT)
    return max([0] + [ceil_div(rate * amount - deducted, ONE_E6) for rate, deducted in lines])


def curve_table(curves: Sequence[Sequence[Line]]) -> Int64Array:
    """Return int64[n, MAX_TIERS, 3] for `curve_value`: rate, deduction in whole e-6, and its rest.

    Unused rows are zero, which is the line that charges nothing.
    """
    table = np.zeros((len(curves), MAX_TIERS, 3), np.int64)
    for place, lines in enumerate(curves):
        for row, (rate, deducted) in enumerate(lines):
            table[place, row] = (rate, deducted // ONE_E6, deducted % ONE_E6)
    return table


@njit(cache=True, nogil=True)
def curve_value(amount_e6: int, table: Int64Array) -> int:
    """Return `curve_reference` of a non-negative amount; `table` is int64[MAX_TIERS, 3].

    rate x amount is taken in two parts, each below 2**62, so that nothing wraps. Lines of a curve
    rise up to the one that decides and fall after it, so the first that falls is the last to see.
    """
    amount = min(amount_e6, CURVE_LIMIT)
    whole, rest = amount // ONE_E6, amount % ONE_E6
    charge = np.int64(0)
    for row in range(table.shape[0]):
        rate, deducted, part = table[row, 0], table[row, 1], table[row, 2]
        line = rate * whole - deducted - (part - rate * rest) // ONE_E6
        if line < charge:
            break
        charge = line
    return int(charge)
