"""What an account holds: position slots, cash, and the change that a trade makes to them.

A slot is one instrument of an account: lots, cost, and what its resting orders would buy and sell.
It exists while there is a position or an order; the slots of an account are dense, so a search
ends at the first free one. Figures stay in int64 by the bounds of `offchain.core.scan`.
"""

from numba import njit

from offchain.core.units import ONE_E6
from offchain.engine.hot.layout import (
    BALANCE,
    CASH,
    MM_FACTOR,
    ORDERS,
    RECORD,
    ROW,
    SLOT_BUYS,
    SLOT_COST,
    SLOT_KEY,
    SLOT_LOTS,
    SLOT_ORDERS,
    SLOT_SELLS,
    SLOTS_OF,
    SUMS,
    TAKER_FEE,
    UNDERLYINGS,
    Tables,
)
from offchain.engine.hot.vectors import is_product_at_least, worst

NO_SLOT = -1


@njit(cache=True, nogil=True, forceinline=True)
def row_of(t: Tables, account: int) -> int:
    """Return the first word of an account."""
    return int(account * t.scalars[UNDERLYINGS] * ROW)


@njit(cache=True, nogil=True, forceinline=True)
def find_slot(t: Tables, account: int, instrument: int) -> int:
    """Return the first word of a slot: of the instrument, of the first free one, or `NO_SLOT`."""
    first = account * t.scalars[SLOTS_OF] * RECORD
    for at in range(first, first + t.scalars[SLOTS_OF] * RECORD, RECORD):
        key = t.slots[at + SLOT_KEY]
        if key == instrument + 1 or key == 0:
            return at
    return NO_SLOT


@njit(cache=True, nogil=True, forceinline=True)
def release_slot(t: Tables, account: int, slot: int) -> None:
    """Give up a slot without position and orders; the last slot takes its place."""
    if t.slots[slot + SLOT_LOTS] != 0 or t.slots[slot + SLOT_ORDERS] != 0:
        return
    stop = (account + 1) * t.scalars[SLOTS_OF] * RECORD
    last = slot
    while last + RECORD < stop and t.slots[last + RECORD + SLOT_KEY] != 0:
        last += RECORD
    for word in range(SLOT_ORDERS + 1):
        t.slots[slot + word] = t.slots[last + word]
        t.slots[last + word] = 0


@njit(cache=True, nogil=True, forceinline=True)
def add_order(t: Tables, account: int, slot: int, lots: int, count: int) -> None:
    """Add lots (negative count: take them away) to what rests in an instrument."""
    if lots > 0:
        t.slots[slot + SLOT_BUYS] += lots * count
    else:
        t.slots[slot + SLOT_SELLS] -= lots * count
    t.slots[slot + SLOT_ORDERS] += count
    t.rows[row_of(t, account) + ORDERS] += count


@njit(cache=True, nogil=True, forceinline=True)
def less_resting(t: Tables, slot: int, lots: int) -> None:
    """Take lots off what rests, the number of orders unchanged."""
    if lots > 0:
        t.slots[slot + SLOT_BUYS] -= lots
    else:
        t.slots[slot + SLOT_SELLS] += lots


@njit(cache=True, nogil=True, forceinline=True)
def trade(t: Tables, account: int, slot: int, lots: int, cost_e6: int) -> None:
    """Add lots and cost to a position; a closed one turns its cost into cash."""
    t.slots[slot + SLOT_LOTS] += lots
    t.slots[slot + SLOT_COST] += cost_e6
    if t.slots[slot + SLOT_LOTS] == 0:
        t.rows[row_of(t, account) + CASH] -= t.slots[slot + SLOT_COST]
        t.slots[slot + SLOT_COST] = 0


@njit(cache=True, nogil=True, forceinline=True)
def pay(t: Tables, account: int, amount_e6: int) -> None:
    """Add (or, negative, take) cash."""
    t.rows[row_of(t, account) + CASH] += amount_e6
    t.rows[row_of(t, account) + BALANCE] += amount_e6


@njit(cache=True, nogil=True, forceinline=True)
def others(t: Tables, account: int, underlying: int, part: int) -> int:
    """Return the worst losses of the other underlyings, summed; `part` is TOTALS or SUMS."""
    found = 0
    if t.scalars[UNDERLYINGS] > 1:
        for other in range(t.scalars[UNDERLYINGS]):
            if other != underlying:
                found += worst(t.rows, row_of(t, account) + other * ROW + part)
    return found


@njit(cache=True, nogil=True, forceinline=True)
def share_ceil(amount: int, rate_e6: int) -> int:
    """Return ceil(amount x rate / 1e6) of an amount below 2**62 and a rate of at most 1e6.

    The product may need 82 bits: whole millions are multiplied apart, which rounds nothing.
    """
    whole = amount // ONE_E6
    return whole * rate_e6 + ((amount - whole * ONE_E6) * rate_e6 + ONE_E6 - 1) // ONE_E6


@njit(cache=True, nogil=True, forceinline=True)
def taker_fee(t: Tables, lots: int, lot_price_e6: int) -> int:
    """Return the fee on |lots| at a price of one lot, rounded up. [USD e-6]"""
    return share_ceil(abs(lots) * lot_price_e6, t.scalars[TAKER_FEE])


@njit(cache=True, nogil=True, forceinline=True)
def maintenance(t: Tables, scan_e6: int) -> int:
    """Return ceil(factor x scan). [USD e-6]"""
    return share_ceil(scan_e6, t.scalars[MM_FACTOR])


@njit(cache=True, nogil=True)
def is_valid_change(
    t: Tables, account: int, underlying: int, balance_after: int, required_after: int
) -> bool:
    """Tell whether an account may become this (`is_valid_risk_change`, where IM is not met)."""
    row = row_of(t, account)
    scan = worst(t.rows, row + underlying * ROW + SUMS) + others(t, account, underlying, SUMS)
    before, required_before = t.rows[row + BALANCE], maintenance(t, scan)
    if required_after > required_before:
        return False
    if required_before == 0:
        return bool(balance_after >= before)
    return is_product_at_least(balance_after, required_before, before, required_after)
