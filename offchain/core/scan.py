"""Scan risk: the worst loss of a portfolio over the scenario grid, underlying by underlying.

Each kernel has a slow twin in unbounded integers, ``*_reference``, that defines it.

Every sum fits int64, by the limits in `units`:

* a position: lots < 2**24, loss of a lot < 2**31, 32 positions: below 2**60;
* resting orders: lots < 2**24, |loss + slippage| < 2**32, 64 orders: below 2**62;
  `order_sums` on top of `scan_sums`: below 2**60 + 2**62 < 2**63;
* value: |lot value| < 2**31, so positions are below 2**60; cash and credit are below 2**57 each
  and the cost of a position below 2**57, 32 of them below 2**62: the balance is below 2**63.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.units import MAX_UNDERLYINGS, SCENARIOS, SLOT_BITS

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
Integers = Int32Array | Int64Array


def scan_sums_reference(
    ids: Sequence[int], lots: Sequence[int], losses_e6: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Return the 36 sums of each underlying in unbounded integers; defines `scan_sums`."""
    sums = [[0] * SCENARIOS for _ in range(MAX_UNDERLYINGS)]
    for i, n in zip(ids, lots, strict=True):
        for s in range(SCENARIOS):
            sums[i >> SLOT_BITS][s] += n * losses_e6[i][s]
    return sums


@njit(cache=True, nogil=True)
def scan_sums(ids: Integers, lots: Integers, losses_e6: Int32Array, out: Int64Array) -> None:
    """Write the scenario sums of one portfolio.

    Parameters
    ----------
    ids : int32[n] or int64[n]
        Instruments, in any order, each in [0, ROWS).
    lots : int32[n] or int64[n]
        Position in each, long positive. [lots]
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    out : int64[MAX_UNDERLYINGS, 36]
        Overwritten with the loss of the portfolio. [USD e-6]

    Notes
    -----
    Exact; see the bounds at the top of this module.
    """
    out[:, :] = 0
    for i in range(ids.shape[0]):
        row = ids[i]
        underlying = row >> SLOT_BITS
        amount = np.int64(lots[i])
        for s in range(SCENARIOS):
            out[underlying, s] += amount * losses_e6[row, s]


def order_sums_reference(
    ids: Sequence[int],
    lots: Sequence[int],
    slippage_e6: Sequence[int],
    losses_e6: Sequence[Sequence[int]],
) -> list[list[int]]:
    """Return what `order_sums` adds, in unbounded integers; this defines it."""
    sums = [[0] * SCENARIOS for _ in range(MAX_UNDERLYINGS)]
    for i, n, slip in zip(ids, lots, slippage_e6, strict=True):
        for s in range(SCENARIOS):
            sums[i >> SLOT_BITS][s] += max(0, n * (losses_e6[i][s] + slip))
    return sums


@njit(cache=True, nogil=True)
def order_sums(
    ids: Integers,
    lots: Integers,
    slippage_e6: Int64Array,
    losses_e6: Int32Array,
    out: Int64Array,
) -> None:
    """Add to each scenario the worst that resting orders can do to it.

    An order adds max(0, lots * (loss + slippage)) to each scenario of its underlying: the worst
    case over every subset of fills, because each order either fills or does not.

    Parameters
    ----------
    ids, lots : int32[n] or int64[n]
        Instrument of each order, and what it would buy (positive) or sell (negative). [lots]
    slippage_e6 : int64[n]
        Limit price less mark, of one lot, below 2**31 in size. [USD e-6]
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    out : int64[MAX_UNDERLYINGS, 36]
        Added to, not cleared. [USD e-6]
    """
    for i in range(ids.shape[0]):
        row = ids[i]
        underlying = row >> SLOT_BITS
        amount = np.int64(lots[i])
        slip = slippage_e6[i]
        for s in range(SCENARIOS):
            loss = amount * (losses_e6[row, s] + slip)
            out[underlying, s] += max(np.int64(0), loss)


def scan_risk_reference(sums: Sequence[Sequence[int]]) -> tuple[int, list[int]]:
    """Return the plain scan risk, each underlying at its worst, and the scenarios that cause it.

    The scenario is the lowest of equals, 0 where nothing loses. `cross` says what offsets make of
    it.
    """
    worst = [max(0, *row) for row in sums]
    scenarios = [
        list(row).index(loss) if loss > 0 else 0 for row, loss in zip(sums, worst, strict=True)
    ]
    return sum(worst), scenarios
