"""Requirements of accounts from their lines: scan risk across underlyings and add-ons together.

`portfolio_margin` gives every term for one account, with its resting orders, in one call.
`maintenance_of` gives MM alone for many accounts, in any mode. Both are put together from kernels
that have twins of their own (`scan`, `cross`, `addons`, `linear_margin`).

Bounds: without orders the scan risk is below 2**60, roll below 2**60, holding below 2**61 and two
delta curves below 2**59 (rates of at most 10 % on at most 2**57): their sum is below 2**62. Two
unwinding curves are below 2**62.1 (`curves`). With orders every term is below 2**63 alone, but not
their sum, which is taken in Python.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.addons import (
    GROUPS,
    TERMS,
    AccountLine,
    Addons,
    addon_terms,
    addons_reference,
)
from offchain.core.cross import cross_risk_reference, fill_cross_risk, share_ceil
from offchain.core.curves import Line
from offchain.core.linear_margin import linear_maintenance, linear_maintenance_reference
from offchain.core.scan import (
    order_sums,
    order_sums_reference,
    scan_sums,
    scan_sums_reference,
)
from offchain.core.units import (
    MAX_POSITIONS,
    MAX_UNDERLYINGS,
    ONE_E6,
    SCENARIOS,
    ceil_div,
)

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
OrderLine = tuple[int, int, int]
"""(instrument, signed lots, limit less mark of one lot [USD e-6])."""


class Curve(IntEnum):
    """Places in the array of tier curves."""

    DELTA = 0
    UNWIND = 1
    LINEAR = 2


CROSS_TERMS = 3
"""Offset, its cap and breakdown; the calm covers follow them."""
SCAN, SCAN_WITH_ORDERS, IS_CORRELATED = TERMS, TERMS + 1, TERMS + 2
WORST = TERMS + 3
FIGURES = WORST + MAX_UNDERLYINGS
"""Places of the result of `portfolio_margin`: the add-ons, then these."""
PORTFOLIO = 2
_DELTA_CURVE, _UNWIND_CURVE, _LINEAR_CURVE = (int(curve) for curve in Curve)
_ROLL, _HOLDING, _DELTA, _UNWIND = range(4)


def portfolio_reference(
    lines: Sequence[AccountLine],
    orders: Sequence[OrderLine],
    losses_e6: Sequence[Sequence[int]],
    charges: Sequence[Sequence[int]],
    delta_curves: Sequence[Sequence[Line]],
    unwind_curves: Sequence[Sequence[Line]],
    terms: Sequence[int],
) -> tuple[Addons, int, int, list[int]]:
    """Return (add-ons, scan risk, scan risk with orders, worst scenarios); defines the kernel."""
    sums = scan_sums_reference([x[0] for x in lines], [x[1] for x in lines], losses_e6)
    ids, lots, slips = ([order[k] for order in orders] for k in range(3))
    more = order_sums_reference(ids, lots, slips, losses_e6)
    both = [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(sums, more, strict=True)]
    cross = terms[:CROSS_TERMS]
    addons = addons_reference(lines, charges, delta_curves, unwind_curves, terms[CROSS_TERMS:])
    risk, worst = cross_risk_reference(sums, *cross)
    return addons, risk, cross_risk_reference(both, *cross)[0], worst


@njit(cache=True, nogil=True)
def portfolio_margin(
    lines: Int64Array,
    orders: Int64Array,
    losses_e6: Int32Array,
    charges: Int64Array,
    curves: Int64Array,
    terms: Int64Array,
    figures: Int64Array,
) -> None:
    """Write everything that the requirement of one portfolio account is made of.

    Parameters
    ----------
    lines : int64[n, 4]
        Instrument, position, lots that orders may buy, and may sell.
    orders : int64[m, 3]
        Instrument, signed lots, and limit less mark of one lot [USD e-6] of each order.
    losses_e6 : int32[ROWS, 36]
        Loss of one long lot in each scenario. [USD e-6]
    charges : int64[ROWS, COLUMNS]
        Charges per lot. [USD e-6]
    curves : int64[len(Curve), MAX_UNDERLYINGS, MAX_TIERS, 3]
        From `curve_table`.
    terms : int64[CROSS_TERMS + MAX_UNDERLYINGS]
        Offset, its cap, breakdown, calm covers.
    figures : int64[FIGURES]
        Overwritten: the add-ons in the order of `Term`, scan risk, scan risk with orders, whether
        the correlated view decides the first, and the scenario of each underlying. [USD e-6]

    Notes
    -----
    Exact; equals `portfolio_reference`.
    """
    sums = np.empty((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    netted = np.empty((MAX_UNDERLYINGS, GROUPS, 5), np.int64)
    scenarios = np.empty(MAX_UNDERLYINGS, np.int64)
    addon_terms(
        lines,
        charges,
        curves[_DELTA_CURVE],
        curves[_UNWIND_CURVE],
        terms[CROSS_TERMS:],
        netted,
        figures[:TERMS],
    )
    scan_sums(lines[:, 0], lines[:, 1], losses_e6, sums)
    offset, cap, breakdown = terms[0], terms[1], terms[2]
    risk = fill_cross_risk(sums, offset, cap, breakdown, scenarios)
    figures[SCAN] = figures[SCAN_WITH_ORDERS] = risk
    figures[WORST:FIGURES] = scenarios
    figures[IS_CORRELATED] = np.int64(risk > share_ceil(_losses_at(sums, scenarios), breakdown))
    if orders.shape[0]:
        order_sums(orders[:, 0], orders[:, 1], orders[:, 2], losses_e6, sums)
        figures[SCAN_WITH_ORDERS] = fill_cross_risk(sums, offset, cap, breakdown, scenarios)


@njit(cache=True, nogil=True)
def _losses_at(sums: Int64Array, scenarios: Int64Array) -> int:
    """Return the losses in the scenarios that decide.

    Where the breakdown decides, its share of them is the risk; a common scenario decides only when
    the risk is above that of the worst of each, and so above that of these.
    """
    total = np.int64(0)
    for u in range(sums.shape[0]):
        total += max(np.int64(0), sums[u, scenarios[u]])
    return int(total)


def maintenance_reference(
    mode: int,
    positions: Sequence[tuple[int, int]],
    losses_e6: Sequence[Sequence[int]],
    charges: Sequence[Sequence[int]],
    curves: Sequence[Sequence[Sequence[Line]]],
    terms: Sequence[int],
    mm_factor_e6: int,
) -> int:
    """Return MM of one account; defines `maintenance_of`. [USD e-6]

    ceil(factor x max(scan + add-ons, unwinding floor)), or the linear curves.
    """
    if mode != PORTFOLIO:
        return linear_maintenance_reference(positions, charges, curves[Curve.LINEAR])
    lines = [(i, lots, 0, 0) for i, lots in positions]
    addons, risk, _, _ = portfolio_reference(
        lines, (), losses_e6, charges, curves[Curve.DELTA], curves[Curve.UNWIND], terms
    )
    due = max(risk + addons.maintenance_e6, addons.unwind_e6)
    return ceil_div(due * mm_factor_e6, ONE_E6)


@njit(cache=True, nogil=True)
def maintenance_of(
    chosen: Int64Array,
    modes: Int8Array,
    ids: Int32Array,
    lots: Int32Array,
    counts: Int32Array,
    losses_e6: Int32Array,
    charges: Int64Array,
    curves: Int64Array,
    terms: Int64Array,
    mm_factor_e6: int,
    out: Int64Array,
) -> None:
    """Write MM of some accounts.

    Parameters
    ----------
    chosen : int64[k]
        Which accounts.
    modes, ids, lots, counts : [A], [A, P], [A, P], [A]
        Mode of each account; its positions.
    mm_factor_e6 : RatioE6
        Of portfolio accounts, at most one.
    out : int64[k]
        Written, in the order of `chosen`; never negative. [USD e-6]

    The other parameters are those of `portfolio_margin`.
    """
    lines = np.zeros((MAX_POSITIONS, 4), np.int64)
    none = np.empty((0, 3), np.int64)
    figures = np.empty(FIGURES, np.int64)
    for place in range(chosen.shape[0]):
        a = chosen[place]
        count = counts[a]
        if count == 0:
            out[place] = 0
            continue
        if modes[a] != PORTFOLIO:
            out[place] = linear_maintenance(ids[a], lots[a], count, charges, curves[_LINEAR_CURVE])
            continue
        for j in range(count):
            lines[j, 0], lines[j, 1] = ids[a, j], lots[a, j]
        portfolio_margin(lines[:count], none, losses_e6, charges, curves, terms, figures)
        due = figures[SCAN] + figures[_ROLL] + figures[_HOLDING] + figures[_DELTA]
        out[place] = share_ceil(max(due, figures[_UNWIND]), mm_factor_e6)
