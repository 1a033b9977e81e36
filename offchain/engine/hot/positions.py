"""What an account holds: position slots, cash, and the change that a trade makes to them.

A slot is one instrument of an account: lots, cost, and what its resting orders would buy and sell.
It exists while there is a position or an order; the slots of an account are dense, so a search
ends at the first free one. Figures stay in int64 by the bounds of `offchain.core.scan`.
"""

from numba import njit

from offchain.core.units import ONE_E6, SCENARIOS
from offchain.engine.hot.layout import (
    BALANCE,
    CASH,
    ORDERS,
    RECORD,
    ROW,
    SLOT_BUYS,
    SLOT_COST,
    SLOT_KEY,
    SLOT_LOTS,
    SLOT_ORDERS,
    SLOT_SELLS,
    SLOT_SHIFT,
    SLOTS_OF,
    SUMS,
    TAKER_FEE,
    TOTALS,
    UNDERLYINGS,
    WORST,
    Tables,
)
from offchain.engine.hot.vectors import fill_order, swap_order, worst

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
def more_resting(t: Tables, slot: int, side: int, lots: int) -> None:
    """Add lots to what rests on a side (its sign); negative ones take them away."""
    if side > 0:
        t.slots[slot + SLOT_BUYS] += lots
    else:
        t.slots[slot + SLOT_SELLS] -= lots


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
def swap_totals(
    t: Tables, account: int, instrument: int, old: int, old_extra: int, new: int, new_extra: int
) -> int:
    """Replace an order by another in the totals; return the largest of them, at least zero.

    `old_extra` and `new_extra` are lots x (limit - mark). [lots, USD e-6]
    """
    row = row_of(t, account) + (instrument >> SLOT_SHIFT) * ROW
    largest = swap_order(
        t.rows, row + TOTALS, t.losses, instrument * SCENARIOS, old, old_extra, new, new_extra
    )
    t.rows[row + WORST] = largest
    return largest


@njit(cache=True, nogil=True, forceinline=True)
def fill_totals(t: Tables, account: int, instrument: int, lots: int, extra: int) -> None:
    """Turn lots of an order that the totals hold into a position. [lots, USD e-6]"""
    row, cells = row_of(t, account) + (instrument >> SLOT_SHIFT) * ROW, instrument * SCENARIOS
    fill_order(t.rows, row + TOTALS, row + SUMS, t.losses, cells, lots, extra)
    t.rows[row + WORST] = worst(t.rows, row + TOTALS)


@njit(cache=True, nogil=True, forceinline=True)
def other_totals(t: Tables, account: int, underlying: int) -> int:
    """Return the worst totals of the other underlyings, summed. [USD e-6]"""
    row, found = row_of(t, account), 0
    for other in range(t.scalars[UNDERLYINGS]):
        if other != underlying:
            found += t.rows[row + other * ROW + WORST]
    return found


@njit(cache=True, nogil=True, forceinline=True)
def other_sums(t: Tables, account: int, underlying: int) -> int:
    """Return the worst position sums of the other underlyings, summed. [USD e-6]"""
    row, found = row_of(t, account), 0
    for other in range(t.scalars[UNDERLYINGS]):
        if other != underlying:
            found += worst(t.rows, row + other * ROW + SUMS)
    return found


@njit(cache=True, nogil=True, forceinline=True)
def share_ceil(amount: int, rate_e6: int) -> int:
    """Return ceil(amount x rate / 1e6), which is below 2**63, of an amount that is not negative.

    The product may need 82 bits: whole millions are multiplied apart, which rounds nothing.
    """
    whole = amount // ONE_E6
    return whole * rate_e6 + ((amount - whole * ONE_E6) * rate_e6 + ONE_E6 - 1) // ONE_E6


@njit(cache=True, nogil=True, forceinline=True)
def taker_fee(t: Tables, lots: int, lot_price_e6: int) -> int:
    """Return the fee on |lots| at a price of one lot, rounded up. [USD e-6]"""
    return share_ceil(abs(lots) * lot_price_e6, t.scalars[TAKER_FEE])
