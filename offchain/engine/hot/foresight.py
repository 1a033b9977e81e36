"""What an order will trade, and what its account is asked for afterwards, before it happens.

`foresee` walks the other side of the book as `matching.match` does, and writes nothing that lasts:
what a maker has given meanwhile is kept beside its row and taken away again. All makers of a match
trade one instrument in one direction, so two words say it.
"""

from numba import njit

from offchain.engine.hot.checks import ACCEPTED
from offchain.engine.hot.layout import (
    BALANCE,
    BITS,
    BOOK,
    BOOK_BASE,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_VALUE,
    FIGURE_A,
    FIGURE_B,
    FORESEEN,
    ORDER_ACCOUNT,
    ORDER_LOTS,
    ORDER_NEXT,
    OWN,
    OWNER,
    RECORD,
    REDUCE_ONLY,
    ROW,
    ROW_COPY,
    SLOT_COPY,
    SLOT_LOTS,
    SLOT_SHIFT,
    TAKEN,
    TAKEN_EXTRA,
    TIF_MASK,
    TOUCHED,
    WINDOW,
    Tables,
)
from offchain.engine.hot.levels import next_above, next_below
from offchain.engine.hot.matching import NOT_CLOSING, available, best_of, closing_of, order_price
from offchain.engine.hot.positions import (
    fill_totals,
    find_slot,
    less_resting,
    row_of,
    swap_totals,
    taker_fee,
)
from offchain.engine.hot.requirement import exact_base, initial
from offchain.engine.hot.risk_change import may_take
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.messages import TimeInForce
from offchain.engine.reasons import Reason

INSUFFICIENT_MARGIN = int(Reason.INSUFFICIENT_MARGIN)
IOC = int(TimeInForce.IMMEDIATE_OR_CANCEL)


@njit(cache=True, nogil=True)
def _next(t: Tables, book: int, place: int, level: int, lots: int, tick: int) -> tuple[int, int]:
    """Return the order behind this one and its tick, within the limit; 0 when there is none."""
    place = t.orders[place * RECORD + ORDER_NEXT]
    if place:
        return place, level
    level = (
        next_above(t.bits, book * BITS, level)
        if lots > 0
        else next_below(t.bits, book * BITS, level)
    )
    is_beyond = level > tick if lots > 0 else level < tick  # `WINDOW` and -1 are beyond all
    return (0, level) if is_beyond else (t.levels[(book * WINDOW + level) * 2], level)


@njit(cache=True, nogil=True)
def foresee(
    t: Tables, book: int, account: int, lots: int, tick: int
) -> tuple[int, int, int, bool, int]:
    """Return what `matching.match` will, without doing it.

    Returns
    -------
    left, slippage, fees, is_cut
        As in `match`.
    own : int
        How many orders of the account itself will be closed; their places are in the scratch.
    """
    b = book * BOOK
    instrument, value = t.books[b + BOOK_INSTRUMENT], t.books[b + BOOK_VALUE]
    owner = t.rows[row_of(t, account) + OWNER]
    left, slippage_sum, fees, touched, own = lots, 0, 0, 0, 0
    is_cut = False
    level = best_of(t, book, lots, tick)
    place = t.levels[(book * WINDOW + level) * 2] if level >= 0 else 0
    while left != 0 and place != 0:
        if touched == MATCH_LIMIT:
            is_cut = True
            break
        maker = t.orders[place * RECORD + ORDER_ACCOUNT]
        row, slot = row_of(t, maker), find_slot(t, maker, instrument)
        t.scratch[TOUCHED + touched] = row
        touched += 1
        taken, taken_extra = t.rows[row + TAKEN], t.rows[row + TAKEN_EXTRA]
        size = min(available(t, place, t.slots[slot + SLOT_LOTS] + taken), abs(left))
        amount = size if t.orders[place * RECORD + ORDER_LOTS] > 0 else -size
        lot_price = order_price(t, place, book)
        slippage = lot_price - value
        closing = closing_of(
            t, maker, slot, owner, instrument, taken, taken_extra, amount, slippage
        )
        if closing == NOT_CLOSING:
            t.rows[row + TAKEN] += amount
            t.rows[row + TAKEN_EXTRA] += amount * slippage
            left += amount
            slippage_sum -= amount * slippage
            fees += taker_fee(t, size, lot_price)
        elif maker == account:
            t.scratch[OWN + own] = place
            own += 1
        place, level = _next(t, book, place, level, lots, tick)
    for k in range(touched):
        row = t.scratch[TOUCHED + k]
        t.rows[row + TAKEN] = t.rows[row + TAKEN_EXTRA] = 0
    return left, slippage_sum, fees, is_cut, own


@njit(cache=True, nogil=True)
def _initial_after(
    t: Tables,
    slot: int,
    book: int,
    account: int,
    filled: int,
    dropped: int,
    limit_slippage: int,
    own: int,
) -> int:
    """Return IM once some lots are filled, others dropped, and own orders closed. [USD e-6]"""
    instrument, value = t.books[book * BOOK + BOOK_INSTRUMENT], t.books[book * BOOK + BOOK_VALUE]
    row = row_of(t, account) + (instrument >> SLOT_SHIFT) * ROW
    for word in range(ROW):
        t.scratch[ROW_COPY + word] = t.rows[row + word]
    for word in range(RECORD):
        t.scratch[SLOT_COPY + word] = t.slots[slot + word]
    for k in range(own):
        place = t.scratch[OWN + k]
        lots = t.orders[place * RECORD + ORDER_LOTS]
        extra = lots * (order_price(t, place, book) - value)
        swap_totals(t, account, instrument, lots, extra, 0, 0)
        less_resting(t, slot, lots)
    swap_totals(t, account, instrument, dropped, dropped * limit_slippage, 0, 0)
    less_resting(t, slot, dropped)
    fill_totals(t, account, instrument, filled, filled * limit_slippage)
    less_resting(t, slot, filled)
    t.slots[slot + SLOT_LOTS] += filled
    required = initial(t, exact_base(t, account, True))
    for word in range(ROW):
        t.rows[row + word] = t.scratch[ROW_COPY + word]
    for word in range(RECORD):
        t.slots[slot + word] = t.scratch[SLOT_COPY + word]
    return required


@njit(cache=True, nogil=True)
def refuse_outcome(
    t: Tables, slot: int, book: int, account: int, lots: int, tick: int, flags: int
) -> int:
    """Refuse an order whose fills would leave IM uncovered, unless it only reduces, and does.

    The order is in the totals and in the slot, as one that rests.
    """
    t.scalars[FORESEEN] += 1
    left, slippage, fees, is_cut, own = foresee(t, book, account, lots, tick)
    filled = lots - left
    if filled == 0:
        return ACCEPTED
    b = book * BOOK
    limit_slippage = (tick + t.books[b + BOOK_BASE]) * t.books[b + BOOK_STEP]
    limit_slippage -= t.books[b + BOOK_VALUE]
    dropped = left if is_cut or flags & TIF_MASK == IOC else 0
    required = _initial_after(t, slot, book, account, filled, dropped, limit_slippage, own)
    balance = t.rows[row_of(t, account) + BALANCE] - slippage - fees
    if balance >= required:
        return ACCEPTED
    instrument, cost = t.books[b + BOOK_INSTRUMENT], slippage + fees
    if flags & REDUCE_ONLY and may_take(t, account, slot, instrument, 0, 0, filled, cost):
        return ACCEPTED
    t.scalars[FIGURE_A], t.scalars[FIGURE_B] = balance, required
    return INSUFFICIENT_MARGIN
