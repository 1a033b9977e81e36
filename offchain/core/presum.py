"""Scenario sums kept up to date by every fill and order, and the check before a trade.

Each account keeps, for each underlying, its 36 scenario losses with the worst case of its resting
orders, ``sums[account, underlying, s]``, and the worst of them, ``worst[account, underlying]``. A
fill adds lots times a row of losses; an order adds max(0, lots x (loss + slippage)), because it
either fills or does not. A check reads one account's 36 sums and prices all scenarios exactly.

The sums belong to one risk report: after the next one `rebuild` makes them anew.

Bounds, by the limits in `units`: positions are below 2**60 and resting orders below 2**62, so every
sum is below 2**63; an order under check is below 2**56 and replaces room that a resting order may
take, so the caller counts it against `MAX_ORDERS` first.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.lanes import prefetch
from offchain.core.scan import order_sums, order_sums_reference, scan_sums, scan_sums_reference
from offchain.core.units import MAX_UNDERLYINGS, SCENARIOS, SLOT_BITS

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
AHEAD = 8
"""Checks between the one that is made and the one whose account is asked for."""
LINE_WORDS = 8
"""int64 of a cache line."""


def sums_reference(
    positions: Sequence[tuple[int, int]],
    orders: Sequence[tuple[int, int, int]],
    losses_e6: Sequence[Sequence[int]],
) -> list[list[int]]:
    """Return the sums of (instrument, lots) and (instrument, lots, slippage), recomputed."""
    held = scan_sums_reference([i for i, _ in positions], [n for _, n in positions], losses_e6)
    ids, lots, slips = ([order[k] for order in orders] for k in range(3))
    more = order_sums_reference(ids, lots, slips, losses_e6)
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(held, more, strict=True)]


@njit(cache=True, nogil=True, inline="always")
def _worst(sums: Int64Array, account: int, underlying: int) -> int:
    worst = 0
    for s in range(SCENARIOS):
        worst = max(worst, sums[account, underlying, s])
    return worst


@njit(cache=True, nogil=True)
def add_position(
    sums: Int64Array,
    worst: Int64Array,
    account: int,
    row: int,
    lots: int,
    losses_e6: Int32Array,
) -> None:
    """Add a change of position to the sums of an account.

    Parameters
    ----------
    sums : int64[A, MAX_UNDERLYINGS, 36]
        Changed in place. [USD e-6]
    worst : int64[A, MAX_UNDERLYINGS]
        Changed in place: max(0, largest sum). [USD e-6]
    account, row, lots : int
        Who, which instrument in [0, ROWS), and how many lots, long positive.
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    """
    underlying = row >> SLOT_BITS
    amount = np.int64(np.int32(lots))
    for s in range(SCENARIOS):
        sums[account, underlying, s] += amount * np.int64(losses_e6[row, s])
    worst[account, underlying] = _worst(sums, account, underlying)


@njit(cache=True, nogil=True)
def add_order(
    sums: Int64Array,
    worst: Int64Array,
    account: int,
    row: int,
    lots: int,
    slippage_e6: int,
    sign: int,
    losses_e6: Int32Array,
) -> None:
    """Add (sign 1) or take away (sign -1) the worst case of a resting order.

    Slippage is the limit price less the mark, of one lot. [USD e-6] The rest as `add_position`. An
    order that fills in part is taken away whole and added again with what is left.
    """
    underlying = row >> SLOT_BITS
    amount = np.int64(np.int32(lots))
    slip = amount * slippage_e6
    for s in range(SCENARIOS):
        loss = amount * np.int64(losses_e6[row, s]) + slip
        if loss > 0:
            sums[account, underlying, s] += sign * loss
    worst[account, underlying] = _worst(sums, account, underlying)


def risk_after_reference(
    sums: Sequence[Sequence[int]],
    row: int,
    lots: int,
    slippage_e6: int,
    losses_e6: Sequence[Sequence[int]],
) -> int:
    """Return the scan risk with one more order, in unbounded integers; defines `risk_after`."""
    after = [list(each) for each in sums]
    for s in range(SCENARIOS):
        after[row >> SLOT_BITS][s] += max(0, lots * (losses_e6[row][s] + slippage_e6))
    return sum(max(0, *each) for each in after)


@njit(cache=True, nogil=True)
def risk_after(
    sums: Int64Array,
    worst: Int64Array,
    account: int,
    row: int,
    lots: int,
    slippage_e6: int,
    losses_e6: Int32Array,
) -> int:
    """Return the scan risk that an account would have with one more order. [USD e-6]

    All 36 scenarios, exactly; nothing is changed. Parameters as in `add_order`. The risk is the
    plain sum over underlyings, which is never below the correlated one.
    """
    underlying = row >> SLOT_BITS
    amount = np.int64(np.int32(lots))
    slip = amount * slippage_e6
    total = 0
    for u in range(MAX_UNDERLYINGS):
        if u != underlying:
            total += worst[account, u]
    largest = 0
    for s in range(SCENARIOS):
        loss = amount * np.int64(losses_e6[row, s]) + slip
        after = sums[account, underlying, s] + max(0, loss)
        largest = max(largest, after)
    return total + largest


@njit(cache=True, nogil=True)
def prefetch_account(sums: Int64Array, worst: Int64Array, account: int, underlying: int) -> None:
    """Ask for the cache lines that a check of one underlying of an account reads."""
    place = (account * MAX_UNDERLYINGS + underlying) * SCENARIOS
    for line in range(0, SCENARIOS + LINE_WORDS - 1, LINE_WORDS):
        prefetch(sums, place + min(line, SCENARIOS - 1))
    prefetch(worst, account * MAX_UNDERLYINGS)


@njit(cache=True, nogil=True)
def risks_after(
    accounts: Int64Array,
    rows: Int32Array,
    lots: Int32Array,
    slippages_e6: Int64Array,
    sums: Int64Array,
    worst: Int64Array,
    losses_e6: Int32Array,
    out: Int64Array,
) -> None:
    """Write `risk_after` of each order of a batch, each by itself.

    Parameters
    ----------
    accounts, rows, lots, slippages_e6 : [n]
        The orders.
    sums, worst, losses_e6
        As in `add_order`.
    out : int64[n]
        Written. [USD e-6]
    """
    last = accounts.shape[0] - 1
    for k in range(min(AHEAD, accounts.shape[0])):
        prefetch_account(sums, worst, accounts[k], rows[k] >> SLOT_BITS)
    for k in range(accounts.shape[0]):
        later = min(k + AHEAD, last)
        prefetch_account(sums, worst, accounts[later], rows[later] >> SLOT_BITS)
        out[k] = risk_after(sums, worst, accounts[k], rows[k], lots[k], slippages_e6[k], losses_e6)


@njit(cache=True, nogil=True)
def rebuild(
    account: int,
    ids: Int32Array,
    lots: Int32Array,
    order_ids: Int32Array,
    order_lots: Int32Array,
    slippages_e6: Int64Array,
    losses_e6: Int32Array,
    sums: Int64Array,
    worst: Int64Array,
) -> None:
    """Make the sums of one account anew from its positions and resting orders.

    `ids` and `lots` are its positions, the next three its orders; the rest as in `add_order`.
    """
    scan_sums(ids, lots, losses_e6, sums[account])
    order_sums(order_ids, order_lots, slippages_e6, losses_e6, sums[account])
    for u in range(MAX_UNDERLYINGS):
        worst[account, u] = _worst(sums, account, u)
