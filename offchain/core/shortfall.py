"""Expected shortfall of a portfolio over historical scenarios, in exact integers.

Of n equally likely losses, the worst share ``1 - confidence`` is a tail of t = n (1 - c) scenarios.
With k = ceil(t), the k - 1 largest losses count whole and the k-th with the part that is left:

    ES = max(0, ceil((L_1 + .. + L_(k-1) + (t - (k-1)) L_k) / t))

For 97.5 % and 1,024 scenarios t = 25.6: the 25 worst and six tenths of the 26th. This is the
expected shortfall of Acerbi and Tasche (2002) of the empirical distribution; it is coherent, and
rounding up leaves it so: merging two portfolios never adds risk.

It is computed around L_k, since the weights add up to t:

    ES = L_k + ceil(sum of (L_i - L_k) / t) over the larger ones

Bounds, by the limits in `units`: losses of a portfolio are below 2**60 in size, differences below
2**61. They are added in two parts of at most 31 bits, at most 2**10 of them: below 2**41. With
1 / t = p / q in lowest terms, p <= 1e6 < 2**20 and q < 2**31, no product passes 2**62.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.lanes import PAIR, block_sums
from offchain.core.units import ONE_E6, RatioE6, ceil_div

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

MAX_HISTORY = 4_096
MAX_TAIL = 1_024
"""Scenarios of the tail, at most; keeps the sums of their parts inside int64."""
PART_BITS = 30
_PART = (1 << PART_BITS) - 1


class ShortfallError(ValueError):
    """A number of scenarios or a confidence for which no tail is defined here."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of a confidence: how many scenarios, and one over their weight.

    Attributes
    ----------
    scenarios : int
        k, the largest losses that count, the last of them in part.
    p, q : int
        1 / t in lowest terms, where t = n (1 - confidence).
    """

    scenarios: int
    p: int
    q: int


def tail_of(history: int, confidence_e6: RatioE6) -> Tail:
    """Return the tail of `history` scenarios.

    Raises
    ------
    ShortfallError
        The history is not a multiple of 32 up to 4,096, the confidence not within (0, 1), or the
        tail is empty, less than one scenario or longer than 1,024.
    """
    if history % PAIR or not 0 < history <= MAX_HISTORY:
        raise ShortfallError(f"{history} scenarios: not a multiple of {PAIR} up to {MAX_HISTORY}")
    if not 0 < confidence_e6 < ONE_E6:
        raise ShortfallError(f"a confidence of {confidence_e6} millionths")
    weight_e6 = history * (ONE_E6 - confidence_e6)
    scenarios = ceil_div(weight_e6, ONE_E6)
    if weight_e6 < ONE_E6 or scenarios > MAX_TAIL:
        raise ShortfallError(f"a tail of {weight_e6} millionths of a scenario")
    common = gcd(weight_e6, ONE_E6)
    return Tail(scenarios, ONE_E6 // common, weight_e6 // common)


def shortfall_of_losses_reference(losses_e6: Sequence[int], confidence_e6: int) -> int:
    """Return the expected shortfall of portfolio losses as defined; no trick. [USD e-6]"""
    weight_e6 = len(losses_e6) * (ONE_E6 - confidence_e6)
    whole = (weight_e6 - 1) // ONE_E6
    worst = sorted(losses_e6, reverse=True)
    total = ONE_E6 * sum(worst[:whole]) + (weight_e6 - whole * ONE_E6) * worst[whole]
    return max(0, ceil_div(total, weight_e6))


def shortfall_reference(
    ids: Sequence[int],
    lots: Sequence[int],
    losses_e6: Sequence[Sequence[int]],
    confidence_e6: int,
) -> int:
    """Return the expected shortfall of a portfolio; defines `shortfall`. [USD e-6]"""
    held = list(zip(ids, lots, strict=True))
    sums = [sum(n * losses_e6[i][s] for i, n in held) for s in range(len(losses_e6[0]))]
    return shortfall_of_losses_reference(sums, confidence_e6)


@njit(cache=True, nogil=True)
def _count_from(losses_e6: Int64Array, threshold: int) -> int:
    count = 0
    for s in range(losses_e6.shape[0]):
        count += int(losses_e6[s] >= threshold)
    return count


@njit(cache=True, nogil=True)
def kth_largest(losses_e6: Int64Array, k: int, low: int, high: int) -> int:
    """Return the k-th largest of losses that all lie within ``low..high``.

    Bisection on the value: each step counts the losses from a threshold up, which a processor does
    for many at once. At most 62 steps, by the size of a loss.
    """
    # Always: at least k losses are >= low, fewer than k are > high.
    while low < high:
        middle = low + ((high - low + 1) >> 1)
        if _count_from(losses_e6, middle) >= k:
            low = middle
        else:
            high = middle - 1
    return low


@njit(cache=True, nogil=True)
def keep_largest(losses_e6: Int64Array, k: int, kept: Int64Array) -> tuple[int, int, int]:
    """Write a few of the largest losses, at least k; return (how many, lowest, highest bound).

    Bisection as in `kth_largest`, but it stops as soon as what it counts fits into `kept`, and the
    rest of the search has few losses to count. If equal losses never let that happen, nothing is
    kept, and the bounds are the k-th largest itself.
    """
    least, high = losses_e6[0], losses_e6[0]
    for s in range(losses_e6.shape[0]):
        least, high = min(least, losses_e6[s]), max(high, losses_e6[s])
    low = least
    while low < high:
        middle = low + ((high - low + 1) >> 1)
        count = _count_from(losses_e6, middle)
        if count < k:
            high = middle - 1
            continue
        low = middle
        if count < kept.shape[0]:
            place = 0
            for s in range(losses_e6.shape[0]):
                kept[place] = losses_e6[s]
                place += int(losses_e6[s] >= middle)
            return count, low, high
    return 0, low, low


@njit(cache=True, nogil=True)
def _around(losses_e6: Int64Array, kth: int, p: int, q: int) -> int:
    """Return ceil(p / q x sum of what the losses above the k-th exceed it by)."""
    high, low = 0, 0
    for s in range(losses_e6.shape[0]):
        above = max(0, losses_e6[s] - kth)
        high += above >> PART_BITS
        low += above & _PART
    whole, rest = high * p // q, high * p % q
    part = (rest << PART_BITS) + low * p
    return (whole << PART_BITS) - (-part // q)


@njit(cache=True, nogil=True)
def shortfall_of_losses(
    losses_e6: Int64Array, scenarios: int, p: int, q: int, kept: Int64Array
) -> int:
    """Return the expected shortfall of portfolio losses, from the parts of a `Tail`. [USD e-6]

    `kept` is int64, longer than `scenarios`, and overwritten.
    """
    count, low, high = keep_largest(losses_e6, scenarios, kept)
    if count:
        largest = kept[:count]
        kth = kth_largest(largest, scenarios, low, high)
        return max(0, kth + _around(largest, kth, p, q))
    return max(0, low + _around(losses_e6, low, p, q))


@njit(cache=True, nogil=True)
def shortfall(
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    losses_e6: Int32Array,
    scenarios: int,
    p: int,
    q: int,
    scratch: Int64Array,
    out: Int64Array,
) -> None:
    """Write the expected shortfall of every account.

    Parameters
    ----------
    ids, lots : int32[A, P]
        Instrument and lots of each position, in any order; C-contiguous.
    counts : int32[A]
        Positions of each account; what lies beyond is not read.
    losses_e6 : int32[ROWS, n]
        Loss of one long lot in each historical scenario; n a multiple of 32. [USD e-6]
    scenarios, p, q : int
        Of `tail_of(n, confidence)`.
    scratch : int64[n + room]
        Overwritten; room for about 4 tails is best, and more than one is needed.
    out : int64[A]
        Written; never negative. [USD e-6]

    Notes
    -----
    Exact; equals `shortfall_reference`. No bounds are checked.
    """
    width, history = ids.shape[1], losses_e6.shape[1]
    for a in range(counts.shape[0]):
        start = a * width
        for column in range(0, history, PAIR):
            block_sums(ids, lots, losses_e6, scratch, start, start + counts[a], history, column)
        out[a] = shortfall_of_losses(scratch[:history], scenarios, p, q, scratch[history:])
