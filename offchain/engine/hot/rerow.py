"""A price tick: recompute every sum and balance from positions and orders, exactly.

Between two ticks the sums are kept by adding; this is the same sum from the beginning, so it also
serves as the check that nothing drifted (`HotExchange.audit`).
"""

from numba import njit

from offchain.core.units import SCENARIOS
from offchain.engine.hot.layout import (
    ACCOUNTS,
    BALANCE,
    BOOK,
    BOOK_FUNDING,
    BOOK_INSTRUMENT,
    BOOK_VALUE,
    CASH,
    CREDIT,
    FRESH,
    ORDER_ACCOUNT,
    ORDER_BOOK,
    ORDER_ID,
    ORDER_LOTS,
    RECORD,
    ROW,
    SLOT_COST,
    SLOT_KEY,
    SLOT_LOTS,
    SLOT_SHIFT,
    SLOTS_OF,
    SUMS,
    TOTALS,
    UNDERLYINGS,
    WORST,
    Tables,
)
from offchain.engine.hot.matching import order_price
from offchain.engine.hot.positions import row_of, swap_totals
from offchain.engine.hot.vectors import worst


@njit(cache=True, nogil=True)
def _rerow_account(t: Tables, account: int) -> None:
    """Recompute the position sums and the balance of one account; totals without orders."""
    row = row_of(t, account)
    for underlying in range(t.scalars[UNDERLYINGS]):
        for s in range(SCENARIOS):
            t.rows[row + underlying * ROW + TOTALS + s] = 0
            t.rows[row + underlying * ROW + SUMS + s] = 0
    balance = t.rows[row + CASH] + t.rows[row + CREDIT]
    first = account * t.scalars[SLOTS_OF] * RECORD
    for slot in range(first, first + t.scalars[SLOTS_OF] * RECORD, RECORD):
        if t.slots[slot + SLOT_KEY] == 0:
            break
        instrument, lots = t.slots[slot + SLOT_KEY] - 1, t.slots[slot + SLOT_LOTS]
        b = (t.book_of[instrument] - 1) * BOOK
        balance += lots * (t.books[b + BOOK_VALUE] - t.books[b + BOOK_FUNDING])
        balance -= t.slots[slot + SLOT_COST]
        for s in range(SCENARIOS):
            change = lots * t.losses[instrument * SCENARIOS + s]
            t.rows[row + (instrument >> SLOT_SHIFT) * ROW + TOTALS + s] += change
            t.rows[row + (instrument >> SLOT_SHIFT) * ROW + SUMS + s] += change
    t.rows[row + BALANCE] = balance
    for at in range(row, row + t.scalars[UNDERLYINGS] * ROW, ROW):
        t.rows[at + WORST] = worst(t.rows, at + TOTALS)


@njit(cache=True, nogil=True)
def rerow(t: Tables) -> None:
    """Recompute all accounts under the losses, values and funding that the tables now hold."""
    for account in range(t.scalars[ACCOUNTS]):
        _rerow_account(t, account)
    for place in range(1, t.scalars[FRESH] + 1):
        order = place * RECORD
        if t.orders[order + ORDER_ID] == 0:
            continue
        book, lots = t.orders[order + ORDER_BOOK], t.orders[order + ORDER_LOTS]
        instrument = t.books[book * BOOK + BOOK_INSTRUMENT]
        extra = lots * (order_price(t, place, book) - t.books[book * BOOK + BOOK_VALUE])
        swap_totals(t, t.orders[order + ORDER_ACCOUNT], instrument, 0, 0, lots, extra)
