"""The margin of an order: however it may fill, and as it will fill (E-4, E-5).

The machine asks twice: before the match, with the order among those that may fill, and after it, of
what has come of it. Here nothing is taken back once it is done, so the outcome is foreseen
(`foresight`) before anything happens; and both questions are answered at once where a bound does.
"""

from numba import njit

from offchain.engine.hot.checks import ACCEPTED
from offchain.engine.hot.foresight import refuse_outcome
from offchain.engine.hot.layout import (
    BALANCE,
    BOOK,
    BOOK_BASE,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_VALUE,
    FIGURE_A,
    FIGURE_B,
    IM_FACTOR,
    IS_BOUND_FIRST,
    ORDER_LOTS,
    ORDERS_EXACT,
    ORDERS_SEEN,
    RECORD,
    REDUCE_ONLY,
    SLOT_KEY,
    SLOT_SHIFT,
    Tables,
)
from offchain.engine.hot.matching import best_of, order_price
from offchain.engine.hot.positions import (
    find_slot,
    more_resting,
    other_totals,
    row_of,
    share_ceil,
    swap_totals,
    taker_fee,
)
from offchain.engine.hot.requirement import LIMIT, base_at_most, exact_base, initial
from offchain.engine.hot.risk_change import may_take
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.reasons import Reason

INSUFFICIENT_MARGIN = int(Reason.INSUFFICIENT_MARGIN)


@njit(cache=True, nogil=True, forceinline=True)
def _is_covered(t: Tables, account: int, scan_e6: int, spare_e6: int) -> bool:
    """Tell whether a bound of IM is covered: then nothing else need be looked at."""
    base = base_at_most(t, account, scan_e6, True)
    return base < LIMIT and spare_e6 >= share_ceil(base, t.scalars[IM_FACTOR])


@njit(cache=True, nogil=True)
def _refuse_exactly(
    t: Tables,
    slot: int,
    book: int,
    account: int,
    lots: int,
    tick: int,
    extra: int,
    fee: int,
    flags: int,
) -> int:
    """Compare the balance with IM itself, before the match and, where it trades, after it."""
    t.scalars[ORDERS_EXACT] += 1
    required = initial(t, exact_base(t, account, True))
    balance = t.rows[row_of(t, account) + BALANCE] - fee
    if balance < required:
        instrument = t.books[book * BOOK + BOOK_INSTRUMENT]
        is_reducing = flags & REDUCE_ONLY
        if not is_reducing or not may_take(t, account, slot, instrument, 0, 0, lots, extra + fee):
            t.scalars[FIGURE_A], t.scalars[FIGURE_B] = balance, required
            return INSUFFICIENT_MARGIN
    if best_of(t, book, lots, tick) < 0:
        return ACCEPTED
    return refuse_outcome(t, slot, book, account, lots, tick, flags)


@njit(cache=True, nogil=True, forceinline=True)
def refuse_margin(
    t: Tables, place: int, book: int, account: int, lots: int, whole: int, flags: int
) -> int:
    """Put an order into the totals and compare IM with the balance; refused, it is taken out again.

    `place` is the order that it replaces, or 0; `whole` the limit in ticks.

    The bound of IM covers the outcome too. Filled lots f at prices not worse than the limit cost
    at most f x (limit - mark), and add f x loss to a scenario where the order stands with
    max(0, lots x (loss + limit - mark)): so at most lots x (mark - limit) more, where that is
    positive. Every other term falls as orders turn into positions or leave. A seller's fee grows
    with its price by no more than the price does.
    """
    b = book * BOOK
    instrument, value = t.books[b + BOOK_INSTRUMENT], t.books[b + BOOK_VALUE]
    old = old_extra = 0
    if place:
        old = t.orders[place * RECORD + ORDER_LOTS]
        old_extra = old * (order_price(t, place, book) - value)
    lot_price = whole * t.books[b + BOOK_STEP]
    tick = whole - t.books[b + BOOK_BASE]
    extra = lots * (lot_price - value)
    row = row_of(t, account)
    scan = swap_totals(t, account, instrument, old, old_extra, lots, extra)
    scan += other_totals(t, account, instrument >> SLOT_SHIFT)
    slot = find_slot(t, account, instrument)
    key = t.slots[slot + SLOT_KEY]
    t.slots[slot + SLOT_KEY] = instrument + 1
    more_resting(t, slot, lots, lots - old)  # both on the same side
    fee = taker_fee(t, lots, lot_price) + min(abs(lots), MATCH_LIMIT) - 1  # each fill rounds up
    spare = t.rows[row + BALANCE] - fee
    if best_of(t, book, lots, tick) >= 0:
        spare -= max(0, extra)
        scan += max(0, -extra)
    t.scalars[ORDERS_SEEN] += 1
    reason = ACCEPTED
    if not t.scalars[IS_BOUND_FIRST] or not _is_covered(t, account, scan, spare):
        reason = _refuse_exactly(t, slot, book, account, lots, tick, extra, fee, flags)
    more_resting(t, slot, lots, old - lots)
    t.slots[slot + SLOT_KEY] = key
    if reason != ACCEPTED:
        swap_totals(t, account, instrument, lots, extra, old, old_extra)
    return reason
