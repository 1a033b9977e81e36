"""Scan risk across underlyings: a part of the gains offsets losses, but never beyond a limit.

Two views of the same scenario sums, of which the larger decides:

    correlated = max over s of  sum_u max(0, loss_u(s)) - min(cap, floor(offset x gains(s)))
    breakdown  = ceil(breakdown x sum_u L_u),      L_u = max(0, max over s of loss_u(s))
    R = max(0, correlated, breakdown)

where gains(s) = sum_u max(0, -loss_u(s)). In the first, all underlyings meet the same scenario and
a gain in one pays for a loss in another, as in Deribit's portfolio margin, up to a cap. In the
second their correlation has broken down: each meets its own worst and nothing is credited. A
breakdown of one is the plain sum, and no offset at all.

Without a cap, merging two accounts never adds risk, except for roundings. A cap is an amount for
each account: merged, two accounts have one cap instead of two, and so at most one cap more risk.

Bounds: an account has 32 positions and 64 orders in all, so even the sum over underlyings of the
absolute sums is below 2**60 + 2**62 < 2**63. Shares are taken of the millions and of the rest
apart, so no product passes the amount itself.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import ONE_E6, ceil_div

Int64Array = NDArray[np.int64]


def cross_risk_reference(
    sums: Sequence[Sequence[int]], offset_e6: int, cap_e6: int, breakdown_e6: int
) -> tuple[int, list[int]]:
    """Return the risk and the scenarios that cause it, in unbounded integers."""
    worst = [max(0, *row) for row in sums]
    correlated = [
        sum(max(0, x) for x in column)
        - min(cap_e6, offset_e6 * sum(max(0, -x) for x in column) // ONE_E6)
        for column in zip(*sums, strict=True)
    ]
    broken = ceil_div(breakdown_e6 * sum(worst), ONE_E6)
    if max(correlated) > broken:
        return max(correlated), [correlated.index(max(correlated))] * len(sums)
    places = [list(row).index(most) if most else 0 for row, most in zip(sums, worst, strict=True)]
    return broken, places


@njit(cache=True, nogil=True)
def share_floor(amount: int, ratio_e6: int) -> int:
    """Return floor(amount x ratio) for 0 <= amount < 2**63 and a ratio of at most one."""
    return amount // ONE_E6 * ratio_e6 + amount % ONE_E6 * ratio_e6 // ONE_E6


@njit(cache=True, nogil=True)
def share_ceil(amount: int, ratio_e6: int) -> int:
    """Return ceil(amount x ratio) for 0 <= amount < 2**63 and a ratio of at most one."""
    return amount // ONE_E6 * ratio_e6 - (-(amount % ONE_E6) * ratio_e6 // ONE_E6)


@njit(cache=True, nogil=True)
def fill_cross_risk(
    sums: Int64Array, offset_e6: int, cap_e6: int, breakdown_e6: int, scenarios: Int64Array
) -> int:
    """Return the risk of `cross_risk`; write the scenarios into an array that is given."""
    most, place = -1, 0
    for s in range(sums.shape[1]):
        losses, gains = 0, 0
        for u in range(sums.shape[0]):
            losses += max(0, sums[u, s])
            gains += max(0, -sums[u, s])
        correlated = losses - min(cap_e6, share_floor(gains, offset_e6))
        if correlated > most:
            most, place = correlated, s
    total = 0
    for u in range(sums.shape[0]):
        worst = 0
        scenarios[u] = 0
        for s in range(sums.shape[1]):
            if sums[u, s] > worst:
                worst, scenarios[u] = sums[u, s], s
        total += worst
    broken = share_ceil(total, breakdown_e6)
    if most > broken:
        scenarios[:] = place
        return most
    return broken


@njit(cache=True, nogil=True)
def cross_risk(
    sums: Int64Array, offset_e6: int, cap_e6: int, breakdown_e6: int
) -> tuple[int, Int64Array]:
    """Return the scan risk across underlyings and the scenarios that cause it.

    Parameters
    ----------
    sums : int64[MAX_UNDERLYINGS, 36]
        Loss of the portfolio in each scenario, gains negative. [USD e-6]
    offset_e6, breakdown_e6 : RatioE6
        Share of gains that is credited, and share of the plain sum that is always asked for;
        each in [0, 1e6].
    cap_e6 : int
        Gains credited at most; not negative. [USD e-6]

    Returns
    -------
    risk : int
        Never negative, never above the plain sum. [USD e-6]
    scenarios : int64[MAX_UNDERLYINGS]
        One scenario for all where the correlated view decides, else the worst of each; the lowest
        of equals, 0 where nothing loses.
    """
    scenarios = np.zeros(sums.shape[0], np.int64)
    risk = fill_cross_risk(sums, offset_e6, cap_e6, breakdown_e6, scenarios)
    return int(risk), scenarios


def witness_risk(
    losses_e6: Sequence[int],
    is_same_scenario: bool,
    offset_e6: int,
    cap_e6: int,
    breakdown_e6: int,
) -> int:
    """Return what one opened scenario of each underlying proves: a lower bound of the risk.

    Parameters
    ----------
    losses_e6 : sequence of int
        The loss of each underlying in the scenario that is opened for it. [USD e-6]
    is_same_scenario : bool
        Whether it is one scenario for all, so that the correlated view applies too.
    """
    losses = sum(max(0, loss) for loss in losses_e6)
    risk = ceil_div(breakdown_e6 * losses, ONE_E6)
    if is_same_scenario:
        gains = sum(max(0, -loss) for loss in losses_e6)
        risk = max(risk, losses - min(cap_e6, offset_e6 * gains // ONE_E6))
    return risk
