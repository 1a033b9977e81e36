"""Matching in place: the rule of `offchain.engine.matching`, on tables.

A maker is closed instead of filled when it belongs to the same owner, when it could no longer
reduce, or when its fill would take its account below what INV-7 allows (E-5).
"""

from numba import njit

from offchain.core.units import LOTS_BITS
from offchain.engine.events import Closing
from offchain.engine.hot.layout import (
    BALANCE,
    BOOK,
    BOOK_ASK,
    BOOK_BASE,
    BOOK_BID,
    BOOK_FUNDING,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_TICK,
    BOOK_VALUE,
    CASH,
    EVENT_A,
    EVENT_ACCOUNT,
    EVENT_B,
    EVENT_C,
    EVENT_COMMAND,
    EVENT_ID,
    EVENT_INSTRUMENT,
    EVENTS,
    KIND,
    ORDER_ACCOUNT,
    ORDER_FLAGS,
    ORDER_ID,
    ORDER_LOTS,
    ORDER_TICK,
    OWNER,
    RECORD,
    REDUCE_ONLY,
    SLOT_COST,
    SLOT_LOTS,
    WINDOW,
    Int64Array,
    Outcome,
    Tables,
)
from offchain.engine.hot.levels import unlink
from offchain.engine.hot.pool import give_back
from offchain.engine.hot.positions import (
    NO_SLOT,
    add_order,
    fill_totals,
    find_slot,
    less_resting,
    pay,
    release_slot,
    row_of,
    swap_totals,
    taker_fee,
    trade,
)
from offchain.engine.hot.risk_change import may_take
from offchain.engine.matching import MATCH_LIMIT

LOTS_LIMIT = 1 << LOTS_BITS
FUND = 0
"""The insurance fund, which is paid the fees."""

# Enumerations are plain numbers in a kernel.
FILLED, CLOSED = int(Outcome.FILLED), int(Outcome.CLOSED)
NOT_CLOSING = -1
SELF_TRADE, MARGIN, REDUCED = int(Closing.SELF_TRADE), int(Closing.MARGIN), int(Closing.REDUCED)


@njit(cache=True, nogil=True, forceinline=True)
def emit(
    t: Tables,
    events: Int64Array,
    kind: int,
    command: int,
    order_id: int,
    account: int,
    instrument: int,
    a: int,
    b: int,
    c: int,
) -> None:
    """Append an event; the batch loop has seen to it that there is room."""
    at = t.scalars[EVENTS] * RECORD
    t.scalars[EVENTS] += 1
    events[at + KIND] = kind
    events[at + EVENT_COMMAND] = command
    events[at + EVENT_ID] = order_id
    events[at + EVENT_ACCOUNT] = account
    events[at + EVENT_INSTRUMENT] = instrument
    events[at + EVENT_A] = a
    events[at + EVENT_B] = b
    events[at + EVENT_C] = c


@njit(cache=True, nogil=True, forceinline=True)
def drop(t: Tables, place: int, book: int) -> None:
    """Take an order with all that it still offers out of the book, the totals and the slot."""
    order = place * RECORD
    account, lots = t.orders[order + ORDER_ACCOUNT], t.orders[order + ORDER_LOTS]
    instrument = t.books[book * BOOK + BOOK_INSTRUMENT]
    slippage = order_price(t, place, book) - t.books[book * BOOK + BOOK_VALUE]
    swap_totals(t, account, instrument, lots, lots * slippage, 0, 0)
    forget(t, place, find_slot(t, account, instrument))


@njit(cache=True, nogil=True, forceinline=True)
def forget(t: Tables, place: int, slot: int) -> None:
    """Take an order out of the book and of its slot; the totals know already."""
    order = place * RECORD
    account, lots = t.orders[order + ORDER_ACCOUNT], t.orders[order + ORDER_LOTS]
    unlink(t, place)
    give_back(t, place)
    add_order(t, account, slot, lots, -1)
    release_slot(t, account, slot)


@njit(cache=True, nogil=True, forceinline=True)
def order_price(t: Tables, place: int, book: int) -> int:
    """Return the value of one lot at the limit of an order. [USD e-6]"""
    tick = t.orders[place * RECORD + ORDER_TICK] + t.books[book * BOOK + BOOK_BASE]
    return int(tick * t.books[book * BOOK + BOOK_STEP])


@njit(cache=True, nogil=True, forceinline=True)
def _fill_maker(
    t: Tables, place: int, slot: int, instrument: int, lots: int, lot_price: int, slippage: int
) -> None:
    """Book a fill on the maker's side; `lots` are its own, signed."""
    order = place * RECORD
    account = t.orders[order + ORDER_ACCOUNT]
    fill_totals(t, account, instrument, lots, lots * slippage)
    t.rows[row_of(t, account) + BALANCE] -= lots * slippage
    trade(t, account, slot, lots, lots * lot_price)
    less_resting(t, slot, lots)
    t.orders[order + ORDER_LOTS] -= lots


@njit(cache=True, nogil=True, forceinline=True)
def available(t: Tables, place: int, held: int) -> int:
    """Return the lots that a maker can give; zero when it may only reduce and cannot."""
    lots = t.orders[place * RECORD + ORDER_LOTS]
    if t.orders[place * RECORD + ORDER_FLAGS] & REDUCE_ONLY:
        return min(int(abs(lots)), abs(held)) if held * lots < 0 else 0
    return int(abs(lots))


@njit(cache=True, nogil=True, forceinline=True)
def _position(t: Tables, account: int, instrument: int) -> tuple[int, int]:
    """Return lots and cost of a position; zeros when there is none."""
    slot = find_slot(t, account, instrument)
    if slot == NO_SLOT:
        return 0, 0
    return t.slots[slot + SLOT_LOTS], t.slots[slot + SLOT_COST]  # a free slot holds zeros


@njit(cache=True, nogil=True, forceinline=True)
def best_of(t: Tables, book: int, lots: int, tick: int) -> int:
    """Return the best tick of the other side when an order at `tick` reaches it; -1 if not."""
    if lots > 0:
        ask = t.books[book * BOOK + BOOK_ASK]  # `WINDOW` without asks, above every tick
        return int(ask) if ask <= tick else -1
    bid = t.books[book * BOOK + BOOK_BID]  # -1 without bids, below every tick
    return int(bid) if bid >= tick else -1


@njit(cache=True, nogil=True, forceinline=True)
def closing_of(
    t: Tables,
    maker: int,
    slot: int,
    owner: int,
    instrument: int,
    taken: int,
    taken_extra: int,
    lots: int,
    slippage: int,
) -> int:
    """Tell why a maker cannot give these lots (its own, signed), or `NOT_CLOSING`.

    `taken` and `taken_extra` are what it has given in a match that is only foreseen.
    """
    if t.rows[row_of(t, maker) + OWNER] == owner:
        return SELF_TRADE
    if lots == 0:
        return REDUCED
    # Order entry sees to the limit of lots; a position that was loaded may have moved beyond.
    if abs(t.slots[slot + SLOT_LOTS] + taken + lots) >= LOTS_LIMIT:
        return MARGIN
    extra = lots * slippage
    if may_take(t, maker, slot, instrument, taken, taken_extra, lots, extra):
        return NOT_CLOSING
    return MARGIN


@njit(cache=True, nogil=True)
def match(
    t: Tables,
    events: Int64Array,
    command: int,
    book: int,
    account: int,
    lots: int,
    tick: int,
) -> tuple[int, int, int, int, int, bool]:
    """Match an order with the other side of its book.

    Returns
    -------
    left : int
        Lots that did not trade, signed as the order.
    cost, closed, slippage : int
        Of the taker: cost of its position afterwards, cost that turned into cash where the
        position passed through zero, and sum of lots x (price - mark). [USD e-6]
    fees : int
        Each trade's fee, rounded up, summed. [USD e-6]
    is_cut : bool
        Whether `MATCH_LIMIT` stopped it.
    """
    b = book * BOOK
    instrument, value = t.books[b + BOOK_INSTRUMENT], t.books[b + BOOK_VALUE]
    funding, owner = t.books[b + BOOK_FUNDING], t.rows[row_of(t, account) + OWNER]
    left, closed, slippage_sum, fees, touched = lots, 0, 0, 0, 0
    own_lots, cost = _position(t, account, instrument)
    while left != 0:
        best = best_of(t, book, lots, tick)
        if best < 0:
            break
        if touched == MATCH_LIMIT:
            return left, cost, closed, slippage_sum, fees, True
        touched += 1
        place = t.levels[(book * WINDOW + best) * 2]
        order = place * RECORD
        maker, order_id = t.orders[order + ORDER_ACCOUNT], t.orders[order + ORDER_ID]
        slot = find_slot(t, maker, instrument)
        held = t.slots[slot + SLOT_LOTS]
        size = min(available(t, place, held), abs(left))
        amount = size if t.orders[order + ORDER_LOTS] > 0 else -size  # the maker's, signed
        lot_price = order_price(t, place, book)
        slippage = lot_price - value
        closing = closing_of(t, maker, slot, owner, instrument, 0, 0, amount, slippage)
        if closing == NOT_CLOSING:
            _fill_maker(t, place, slot, instrument, amount, lot_price - funding, slippage)
            fee = taker_fee(t, size, lot_price)
            left += amount
            own_lots -= amount
            cost -= amount * (lot_price - funding)
            if own_lots == 0:
                closed, cost = closed + cost, 0
            slippage_sum -= amount * slippage
            fees += fee
            price = (best + t.books[b + BOOK_BASE]) * t.books[b + BOOK_TICK]
            emit(t, events, FILLED, command, order_id, maker, instrument, price, -amount, fee)
            if t.orders[order + ORDER_LOTS] == 0:
                forget(t, place, slot)
                continue
            if left == 0:
                break
            closing = REDUCED  # it may reduce no further
        drop(t, place, book)
        emit(t, events, CLOSED, command, order_id, maker, instrument, closing, 0, 0)
    return left, cost, closed, slippage_sum, fees, False


@njit(cache=True, nogil=True, forceinline=True)
def settle_taker(
    t: Tables,
    account: int,
    instrument: int,
    filled: int,
    limit_slippage: int,
    cost: int,
    closed: int,
    slippage_sum: int,
    fees: int,
) -> None:
    """Book what an incoming order traded; the totals hold it as an order at its limit."""
    row = row_of(t, account)
    fill_totals(t, account, instrument, filled, filled * limit_slippage)
    t.rows[row + BALANCE] -= slippage_sum
    slot = find_slot(t, account, instrument)
    t.slots[slot] = instrument + 1
    t.slots[slot + SLOT_LOTS] += filled
    t.slots[slot + SLOT_COST] = cost
    t.rows[row + CASH] -= closed
    release_slot(t, account, slot)
    pay(t, account, -fees)
    pay(t, FUND, fees)
