"""The margin of one account in one call from Python: value, scan, and scan with its orders.

The call itself costs more than the sums, so it takes the venue's arrays whole, few of them, and
writes into one that is given. `scan_sums`, `order_sums` and `scan_risk_reference` define it.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.scan import (
    order_sums_reference,
    scan_risk_reference,
    scan_sums_reference,
)
from offchain.core.units import MAX_UNDERLYINGS, SCENARIOS, SLOT_BITS

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

VALUE, SCAN, ORDERS, GROSS = range(4)
"""Places in the last row that `account_check` writes."""


def account_check_reference(
    positions: Sequence[tuple[int, int]],
    orders: Sequence[tuple[int, int, int]],
    rates: Sequence[Sequence[int]],
    losses_e6: Sequence[Sequence[int]],
) -> list[int]:
    """Return the four results in unbounded integers; defines `account_check`."""
    ids, lots = [i for i, _ in positions], [n for _, n in positions]
    sums = scan_sums_reference(ids, lots, losses_e6)
    rows, amounts, slips = ([order[k] for order in orders] for k in range(3))
    more = order_sums_reference(rows, amounts, slips, losses_e6)
    both = [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(sums, more, strict=True)]
    return [
        sum(n * rates[0][i] for i, n in positions),
        scan_risk_reference(sums)[0],
        scan_risk_reference(both)[0],
        sum(abs(n) * rates[1][i] for i, n in positions),
    ]


@njit(cache=True, nogil=True)
def _plain_risk(sums: Int64Array) -> int:
    total = 0
    for u in range(MAX_UNDERLYINGS):
        worst = 0
        for s in range(SCENARIOS):
            worst = max(worst, sums[u, s])
        total += worst
    return total


@njit(cache=True, nogil=True)
def account_check(
    account: int,
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    orders: Int64Array,
    rates: Int64Array,
    losses_e6: Int32Array,
    work: Int64Array,
) -> None:
    """Write value, scan risk, scan risk with orders, and gross of one account.

    Parameters
    ----------
    account : int
        Row of `ids`, `lots` (int32[A, P]) and `counts` (int32[A]).
    orders : int64[m, 3]
        Instrument, signed lots and slippage (limit less mark of a lot) of each resting order.
    rates : int64[2, ROWS]
        Lot values net of funding, and gross rates of the add-ons. [USD e-6]
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    work : int64[MAX_UNDERLYINGS + 1, 36]
        Overwritten with the sums of positions and orders, and in the last row with the results in
        the places `VALUE`, `SCAN`, `ORDERS`, `GROSS`. [USD e-6]
    """
    sums, out = work[:MAX_UNDERLYINGS], work[MAX_UNDERLYINGS]
    sums[:, :] = 0
    value, gross = 0, 0
    for j in range(counts[account]):
        row = np.uint32(ids[account, j])
        narrow = lots[account, j]
        amount = np.int64(narrow)
        value += amount * rates[0, row]
        gross += abs(amount) * rates[1, row]
        underlying = row >> np.uint32(SLOT_BITS)
        for s in range(SCENARIOS):
            sums[underlying, s] += np.int64(narrow) * np.int64(losses_e6[row, s])
    out[VALUE], out[GROSS] = value, gross
    out[SCAN] = out[ORDERS] = _plain_risk(sums)
    for k in range(orders.shape[0]):
        row = np.uint32(orders[k, 0])
        narrow = np.int32(orders[k, 1])
        slip = orders[k, 1] * orders[k, 2]
        underlying = row >> np.uint32(SLOT_BITS)
        for s in range(SCENARIOS):
            loss = np.int64(narrow) * np.int64(losses_e6[row, s]) + slip
            sums[underlying, s] += max(0, loss)
    if orders.shape[0]:
        out[ORDERS] = _plain_risk(sums)
