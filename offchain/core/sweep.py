"""The sweep of all accounts after a price report, and the same for a list of them.

It gives, for each account, the exact margin balance and the exact scan risk underlying by
underlying, and `gross`: lots times an upper bound of everything that add-ons may ask for one lot.
An account whose balance covers a requirement made of scan and gross needs no closer look; only
the others have their add-ons computed.

Bounds, by the limits in `units`: a position is below 2**24 lots and a loss below 2**31, 32 of them
below 2**60 for one underlying and for all together; lot values (net of funding) and gross rates
below 2**33 in size make sums below 2**62; net cash and credit are below 2**61 each.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.lanes import position_bounds, prefetch, worst_loss_reference
from offchain.core.units import MAX_UNDERLYINGS, SCENARIOS, SLOT_BITS

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
AHEAD = 12
"""Accounts between the one that is margined and the one whose rows are asked for."""
Bounds = tuple[int, int, int]
"""(margin balance, scan risk, gross) of one account. [USD e-6]"""


def account_bounds_reference(
    ids: Sequence[int],
    lots: Sequence[int],
    balance_e6: int,
    lot_values: Sequence[int],
    gross_rates: Sequence[int],
    losses_e6: Sequence[Sequence[int]],
) -> Bounds:
    """Return the three sums of one account in unbounded integers; defines every kernel here.

    `balance_e6` is cash less the cost of the positions, plus credit for collateral.
    """
    held = list(zip(ids, lots, strict=True))
    scan = 0
    for underlying in range(MAX_UNDERLYINGS):
        mine = [(i, n) for i, n in held if i >> SLOT_BITS == underlying]
        scan += worst_loss_reference([i for i, _ in mine], [n for _, n in mine], losses_e6)
    balance = balance_e6 + sum(n * lot_values[i] for i, n in held)
    return balance, scan, sum(abs(n) * gross_rates[i] for i, n in held)


@njit(cache=True, nogil=True)
def plain_scan(ids: Int32Array, lots: Int32Array, count: int, losses_e6: Int32Array) -> int:
    """Return the scan risk of one account by plain loops, positions in any order. [USD e-6]"""
    total = 0
    for u in range(MAX_UNDERLYINGS):
        worst = 0
        for s in range(SCENARIOS):
            loss = 0
            for j in range(count):
                if ids[j] >> SLOT_BITS == u:
                    loss += np.int64(lots[j]) * losses_e6[ids[j], s]
            worst = max(worst, loss)
        total += worst
    return int(total)


@njit(cache=True, nogil=True)
def sweep_bounds_reference(
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    net_cash: Int64Array,
    credit: Int64Array,
    lot_values: Int64Array,
    gross_rates: Int64Array,
    losses_e6: Int32Array,
    balance_out: Int64Array,
    scan_out: Int64Array,
    gross_out: Int64Array,
) -> None:
    """Margin all accounts with plain loops on unpacked losses; the readable twin."""
    for a in range(counts.shape[0]):
        balance, gross = net_cash[a] + credit[a], 0
        for j in range(counts[a]):
            amount = np.int64(lots[a, j])
            balance += amount * lot_values[ids[a, j]]
            gross += abs(amount) * gross_rates[ids[a, j]]
        balance_out[a], gross_out[a] = balance, gross
        scan_out[a] = plain_scan(ids[a], lots[a], counts[a], losses_e6)


@njit(cache=True, nogil=True, inline="always")
def _bounds(
    a: int,
    ids: Int32Array,
    lots: Int32Array,
    count: int,
    lot_values: Int64Array,
    gross_rates: Int64Array,
    packed: Int32Array,
) -> Bounds:
    """Return (value, scan risk, gross) of the positions of account `a`."""
    start = np.int64(a) * ids.shape[1]
    stop = start + count
    value = scan = gross = 0
    for u in range(MAX_UNDERLYINGS):
        split = stop
        if u < MAX_UNDERLYINGS - 1:
            split = start
            for j in range(start - stop + count, count):
                split += np.int64(ids[a, j] < np.int32((u + 1) << SLOT_BITS))
        worst, worth, most = position_bounds(
            ids, lots, packed, lot_values, gross_rates, start, split
        )
        value, scan, gross, start = value + worth, scan + worst, gross + most, split
    return value, scan, gross


@njit(cache=True, nogil=True)
def sweep_bounds(
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    net_cash: Int64Array,
    credit: Int64Array,
    lot_values: Int64Array,
    gross_rates: Int64Array,
    packed: Int32Array,
    balance_out: Int64Array,
    scan_out: Int64Array,
    gross_out: Int64Array,
) -> None:
    """Margin every account: its balance, its scan risk and a bound of its add-ons.

    Parameters
    ----------
    ids, lots : int32[A, P]
        Instrument and lots of each position, ascending by underlying (as in the account leaf);
        C-contiguous.
    counts : int32[A]
        Positions of each account; what lies beyond is not read.
    net_cash, credit : int64[A]
        Cash less the cost of all positions, and collateral after haircuts. [USD e-6]
    lot_values, gross_rates : int64[ROWS]
        Value of one long lot net of funding, and an upper bound of the add-ons of one lot, long
        or short. [USD e-6]
    packed : int32[ROWS * 40]
        `lanes.packed_losses` of the losses of one long lot. [USD e-6]
    balance_out, scan_out, gross_out : int64[A]
        Written: net cash + credit + sum(lots * value); sum over underlyings of the worst loss,
        never negative; sum(|lots| * rate). [USD e-6]

    Notes
    -----
    Exact; equals `sweep_bounds_reference` bit for bit. Ids must lie in [0, ROWS): no bounds are
    checked. Slices of accounts may be swept in threads: no state is shared.
    """
    width = ids.shape[1]
    for a in range(counts.shape[0]):
        prefetch(ids, (a + AHEAD) * width)
        prefetch(lots, (a + AHEAD) * width)
        value, scan, gross = _bounds(a, ids, lots, counts[a], lot_values, gross_rates, packed)
        balance_out[a] = net_cash[a] + credit[a] + value
        scan_out[a] = scan
        gross_out[a] = gross


@njit(cache=True, nogil=True)
def sweep_chosen(
    chosen: Int64Array,
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    net_cash: Int64Array,
    credit: Int64Array,
    lot_values: Int64Array,
    gross_rates: Int64Array,
    packed: Int32Array,
    balance_out: Int64Array,
    scan_out: Int64Array,
    gross_out: Int64Array,
) -> None:
    """Do what `sweep_bounds` does for the accounts in `chosen`, whose results come in its order."""
    width, last = ids.shape[1], chosen.shape[0] - 1
    for place in range(chosen.shape[0]):
        a = chosen[place]
        later = chosen[min(place + AHEAD, last)]
        prefetch(ids, later * width)
        prefetch(lots, later * width)
        prefetch(net_cash, later)
        prefetch(credit, later)
        prefetch(counts, later)
        value, scan, gross = _bounds(a, ids, lots, counts[a], lot_values, gross_rates, packed)
        balance_out[place] = net_cash[a] + credit[a] + value
        scan_out[place] = scan
        gross_out[place] = gross
