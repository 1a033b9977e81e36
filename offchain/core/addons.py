"""Add-ons of portfolio margin: what an account owes beyond its scan risk (RISK_MODEL, section 5).

Each instrument has a row of charges per lot, made from prices by `offchain.pricing.charges`. An
account is a list of lines: an instrument, its position, and what its resting orders may buy and
sell of it. For MM orders count for nothing; for IM every term takes the subset of orders that is
worst for that term alone, so IM covers whatever fills.

Bounds: 32 positions and 64 orders, each below 2**24 lots, are below 2**30.6 lots together; charges
are below 2**32: every sum is below 2**62.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.curves import Line, curve_reference, curve_value
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SLOT_BITS, UsdE6, ceil_div

Int64Array = NDArray[np.int64]

GROUPS = 32
"""Expiries of an underlying, the perpetual first."""


class Charge(IntEnum):
    """Columns of a row of charges, each per lot. [USD e-6]"""

    DELTA = 0  # signed cash delta of one long lot
    ROLL = 1  # signed share of it that may be lost between expiries
    LONG = 2  # provision for holding and closing one long lot
    SHORT = 3  # the same for one short lot, naked-option charge included
    UNWIND = 4  # raw cost of unwinding one lot
    SHORT_EXTRA = 5  # IM only: naked-option charge on top
    CALM = 6  # IM only: gain of one long lot when volatility returns from calm
    DOUBT = 7  # IM only: what low confidence in the price adds, of either side
    GROUP = 8  # place of the expiry; 0 for a perpetual


COLUMNS = len(Charge)


class Term(IntEnum):
    """Places of the result of `addon_terms`. [USD e-6]"""

    ROLL = 0
    HOLDING = 1
    DELTA = 2
    UNWIND = 3  # the floor, not a summand
    IM_ROLL = 4
    IM_HOLDING = 5
    IM_DELTA = 6
    IM_UNWIND = 7
    IM_NAKED = 8
    IM_CALM = 9
    IM_DOUBT = 10


TERMS = len(Term)


@dataclass(frozen=True, slots=True)
class Addons:
    """The add-ons of one account, term by term. [USD e-6]

    The first four belong to MM; those with `im_` take their place, or come on top, in IM.
    """

    roll_e6: UsdE6
    holding_e6: UsdE6
    delta_e6: UsdE6
    unwind_e6: UsdE6
    im_roll_e6: UsdE6
    im_holding_e6: UsdE6
    im_delta_e6: UsdE6
    im_unwind_e6: UsdE6
    im_naked_e6: UsdE6
    im_calm_e6: UsdE6
    im_doubt_e6: UsdE6

    @property
    def maintenance_e6(self) -> UsdE6:
        """What is added to the scan risk for MM."""
        return UsdE6(self.roll_e6 + self.holding_e6 + self.delta_e6)

    @property
    def initial_e6(self) -> UsdE6:
        """What is added to the scan risk for IM."""
        base = self.im_roll_e6 + self.im_holding_e6 + self.im_delta_e6
        return UsdE6(base + self.im_naked_e6 + self.im_calm_e6 + self.im_doubt_e6)


NO_ADDONS = Addons(*[UsdE6(0)] * TERMS)
AccountLine = tuple[int, int, int, int]
"""(instrument, position, lots that orders may buy, lots that orders may sell)."""


def addons_reference(
    lines: Sequence[AccountLine],
    charges: Sequence[Sequence[int]],
    delta_curves: Sequence[Sequence[Line]],
    unwind_curves: Sequence[Sequence[Line]],
    calm_covers_e6: Sequence[int],
) -> Addons:
    """Return the add-ons of an account in unbounded integers; defines `addon_terms`."""
    terms = [0] * TERMS
    for underlying in range(MAX_UNDERLYINGS):
        held = [line for line in lines if line[0] >> SLOT_BITS == underlying]
        if not held:
            continue
        _add_netted(terms, held, charges, calm_covers_e6[underlying])
        _add_gross(terms, held, charges)
        for term, worst in ((Term.DELTA, False), (Term.IM_DELTA, True)):
            net = _worst_net(held, charges, Charge.DELTA, with_orders=worst)
            terms[term] += curve_reference(net, delta_curves[underlying])
        for term, worst in ((Term.UNWIND, False), (Term.IM_UNWIND, True)):
            raw = sum(_most_lots(line, worst) * charges[line[0]][Charge.UNWIND] for line in held)
            terms[term] += curve_reference(raw, unwind_curves[underlying])
    return Addons(*(UsdE6(term) for term in terms))


def _range(
    lines: Sequence[AccountLine], charges: Sequence[Sequence[int]], column: Charge
) -> tuple[int, int, int]:
    """Return the net of positions, and the lowest and highest net that orders can make of it."""
    net = low = high = 0
    for instrument, lots, buys, sells in lines:
        charge = charges[instrument][column]
        net += lots * charge
        for added in (buys * charge, -sells * charge):
            low += min(0, added)
            high += max(0, added)
    return net, net + low, net + high


def _worst_net(
    lines: Sequence[AccountLine],
    charges: Sequence[Sequence[int]],
    column: Charge,
    *,
    with_orders: bool,
) -> int:
    net, low, high = _range(lines, charges, column)
    return max(abs(low), abs(high)) if with_orders else abs(net)


def _most_lots(line: AccountLine, with_orders: bool) -> int:
    _, lots, buys, sells = line
    return max(abs(lots + buys), abs(lots - sells)) if with_orders else abs(lots)


def _add_netted(
    terms: list[int],
    lines: Sequence[AccountLine],
    charges: Sequence[Sequence[int]],
    calm_cover_e6: int,
) -> None:
    """Add what nets within an expiry: roll, and short vega in a calm market."""
    for group in range(GROUPS):
        held = [line for line in lines if charges[line[0]][Charge.GROUP] == group]
        terms[Term.ROLL] += _worst_net(held, charges, Charge.ROLL, with_orders=False)
        terms[Term.IM_ROLL] += _worst_net(held, charges, Charge.ROLL, with_orders=True)
        short = max(0, -_range(held, charges, Charge.CALM)[1])
        terms[Term.IM_CALM] += ceil_div(short * calm_cover_e6, ONE_E6)


def _add_gross(
    terms: list[int], lines: Sequence[AccountLine], charges: Sequence[Sequence[int]]
) -> None:
    """Add what each instrument owes alone."""
    for line in lines:
        instrument, lots, buys, sells = line
        row = charges[instrument]
        ends = (lots + buys, lots - sells)
        terms[Term.HOLDING] += _holding(lots, row)
        terms[Term.IM_HOLDING] += max(_holding(end, row) for end in ends)
        terms[Term.IM_NAKED] += max(0, sells - lots) * row[Charge.SHORT_EXTRA]
        terms[Term.IM_DOUBT] += max(abs(end) for end in ends) * row[Charge.DOUBT]


def _holding(lots: int, row: Sequence[int]) -> int:
    return lots * row[Charge.LONG] if lots > 0 else -lots * row[Charge.SHORT]


_DELTA, _ROLL, _LONG, _SHORT, _UNWIND, _SHORT_EXTRA, _CALM, _DOUBT, _GROUP = range(COLUMNS)


@njit(cache=True, nogil=True)
def _owed(lots: np.int64, long: np.int64, short: np.int64) -> np.int64:
    return lots * long if lots > 0 else -lots * short


@njit(cache=True, nogil=True)
def addon_terms(
    lines: Int64Array,
    charges: Int64Array,
    delta_curves: Int64Array,
    unwind_curves: Int64Array,
    calm_covers_e6: Int64Array,
    netted: Int64Array,
    out: Int64Array,
) -> None:
    """Write the add-ons of one account, term by term.

    Parameters
    ----------
    lines : int64[n, 4]
        Instrument, position, lots that orders may buy, and may sell; in any order.
    charges : int64[ROWS, COLUMNS]
        Charges per lot. [USD e-6]
    delta_curves, unwind_curves : int64[MAX_UNDERLYINGS, MAX_TIERS, 3]
        From `curve_table`.
    calm_covers_e6 : int64[MAX_UNDERLYINGS]
        Share of the way to the calm volatility. [e-6]
    netted : int64[MAX_UNDERLYINGS, GROUPS, 5]
        Workspace, cleared here: net roll, its lowest and highest additions, net calm, its lowest.
    out : int64[TERMS]
        Overwritten, in the order of `Term`. [USD e-6]

    Notes
    -----
    Exact; equals `addons_reference`, see the bounds at the top of this module.
    """
    out[:] = 0
    netted[:, :, :] = 0
    for underlying in range(MAX_UNDERLYINGS):
        delta = low = high = raw = raw_worst = last = np.int64(0)
        is_held = False
        for i in range(lines.shape[0]):
            row = lines[i, 0]
            if row >> SLOT_BITS != underlying:
                continue
            is_held = True
            lots, buys, sells = lines[i, 1], lines[i, 2], lines[i, 3]
            top, bottom = lots + buys, lots - sells
            most = max(abs(top), abs(bottom))
            long, short = charges[row, _LONG], charges[row, _SHORT]
            out[1] += _owed(lots, long, short)
            out[5] += max(_owed(top, long, short), _owed(bottom, long, short))
            out[8] += max(np.int64(0), -bottom) * charges[row, _SHORT_EXTRA]
            out[10] += most * charges[row, _DOUBT]
            raw += abs(lots) * charges[row, _UNWIND]
            raw_worst += most * charges[row, _UNWIND]
            charge = charges[row, _DELTA]
            delta += lots * charge
            low += min(np.int64(0), buys * charge) + min(np.int64(0), -sells * charge)
            high += max(np.int64(0), buys * charge) + max(np.int64(0), -sells * charge)
            last = max(last, charges[row, _GROUP])
            nets = netted[underlying, charges[row, _GROUP]]
            charge = charges[row, _ROLL]
            nets[0] += lots * charge
            nets[1] += min(np.int64(0), buys * charge) + min(np.int64(0), -sells * charge)
            nets[2] += max(np.int64(0), buys * charge) + max(np.int64(0), -sells * charge)
            charge = charges[row, _CALM]
            nets[3] += lots * charge
            nets[4] += min(np.int64(0), buys * charge) + min(np.int64(0), -sells * charge)
        if not is_held:
            continue
        out[2] += curve_value(int(abs(delta)), delta_curves[underlying])
        worst = max(abs(delta + low), abs(delta + high))
        out[6] += curve_value(int(worst), delta_curves[underlying])
        out[3] += curve_value(int(raw), unwind_curves[underlying])
        out[7] += curve_value(int(raw_worst), unwind_curves[underlying])
        for group in range(last + 1):
            nets = netted[underlying, group]
            out[0] += abs(nets[0])
            out[4] += max(abs(nets[0] + nets[1]), abs(nets[0] + nets[2]))
            short_calm = max(np.int64(0), -(nets[3] + nets[4]))
            out[9] += _covered(short_calm, calm_covers_e6[underlying])


@njit(cache=True, nogil=True)
def _covered(amount: np.int64, share_e6: np.int64) -> np.int64:
    """Return ceil(amount x share / 1e6) without leaving int64, for a share of at most one."""
    whole, rest = amount // ONE_E6, amount % ONE_E6
    return whole * share_e6 - (-rest * share_e6) // ONE_E6
