"""Whether an account may take a trade on: MM before and after it, orders left out (INV-7, E-5)."""

from numba import njit

from offchain.core.units import SCENARIOS
from offchain.engine.hot.layout import (
    BALANCE,
    IS_BOUND_FIRST,
    MAKERS_EXACT,
    MAKERS_SEEN,
    ROW,
    SLOT_LOTS,
    SLOT_SHIFT,
    SUMS,
    Tables,
)
from offchain.engine.hot.positions import other_sums, row_of
from offchain.engine.hot.requirement import (
    LIMIT,
    base_at_most,
    exact_base,
    maintenance,
)
from offchain.engine.hot.vectors import is_product_at_least, worst_after


@njit(cache=True, nogil=True)
def _shift(t: Tables, sums: int, cells: int, slot: int, lots: int) -> None:
    """Add lots to a position and to its sums; `lots` with the other sign takes them back."""
    t.slots[slot + SLOT_LOTS] += lots
    for s in range(SCENARIOS):
        t.rows[sums + s] += lots * t.losses[cells + s]


@njit(cache=True, nogil=True)
def _maintenance_with(t: Tables, account: int, slot: int, instrument: int, lots: int) -> int:
    """Return MM with some lots more. [USD e-6]"""
    sums = row_of(t, account) + (instrument >> SLOT_SHIFT) * ROW + SUMS
    _shift(t, sums, instrument * SCENARIOS, slot, lots)
    required = maintenance(t, exact_base(t, account, False))
    _shift(t, sums, instrument * SCENARIOS, slot, -lots)
    return required


@njit(cache=True, nogil=True)
def is_valid_change(
    t: Tables,
    account: int,
    slot: int,
    instrument: int,
    taken: int,
    taken_extra: int,
    lots: int,
    extra: int,
) -> bool:
    """Tell by exact figures what `may_take` tells (`is_valid_risk_change`)."""
    before = t.rows[row_of(t, account) + BALANCE] - taken_extra
    after = before - extra
    required = _maintenance_with(t, account, slot, instrument, taken + lots)
    if after >= required:
        return True
    required_before = _maintenance_with(t, account, slot, instrument, taken)
    if required > required_before:
        return False
    if required_before == 0:
        return bool(after >= before)
    return is_product_at_least(after, required_before, before, required)


@njit(cache=True, nogil=True)
def may_take(
    t: Tables,
    account: int,
    slot: int,
    instrument: int,
    taken: int,
    taken_extra: int,
    lots: int,
    extra: int,
) -> bool:
    """Tell whether an account may take on some lots of an instrument.

    Parameters
    ----------
    slot : int
        Of the instrument, which has one.
    taken, taken_extra : int
        Lots that the tables do not have yet, and what they cost against the mark; zero but for a
        match that is only foreseen. [lots, USD e-6]
    lots, extra : int
        The trade, signed, and what it costs against the mark, fees included. [lots, USD e-6]
    """
    underlying = instrument >> SLOT_SHIFT
    row = row_of(t, account)
    t.scalars[MAKERS_SEEN] += 1
    if t.scalars[IS_BOUND_FIRST]:
        sums = row + underlying * ROW + SUMS
        scan = worst_after(t.rows, sums, t.losses, instrument * SCENARIOS, taken + lots)
        scan += other_sums(t, account, underlying)
        t.slots[slot + SLOT_LOTS] += taken + lots
        base = base_at_most(t, account, scan, False)
        t.slots[slot + SLOT_LOTS] -= taken + lots
        balance = t.rows[row + BALANCE] - taken_extra - extra
        if base < LIMIT and balance >= maintenance(t, base):
            return True
    t.scalars[MAKERS_EXACT] += 1
    return is_valid_change(t, account, slot, instrument, taken, taken_extra, lots, extra)
