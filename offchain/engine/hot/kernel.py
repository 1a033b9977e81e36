"""The batch loop and its three commands.

A command is refused as a whole or done as a whole; `reference.ReferenceExchange` defines what each
does. Nothing is allocated. A batch stops before a command for which the event array might not have
room, so that nothing is lost: the caller sends the rest again.
"""

from numba import njit

from offchain.core.units import SCENARIOS
from offchain.engine.events import Closing
from offchain.engine.hot.checks import (
    ACCEPTED,
    reducing_lots,
    refuse_account,
    refuse_form,
    refuse_limits,
    refuse_terms,
)
from offchain.engine.hot.layout import (
    ACCOUNTS,
    BOOK,
    BOOK_BASE,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_TICK,
    BOOK_VALUE,
    COMMAND_ACCOUNT,
    COMMAND_FLAGS,
    COMMAND_ID,
    COMMAND_INSTRUMENT,
    COMMAND_LOTS,
    COMMAND_PRICE,
    EVENTS,
    FIGURE_A,
    FIGURE_B,
    KIND,
    MOST_EVENTS,
    ORDER_ACCOUNT,
    ORDER_BOOK,
    ORDER_FLAGS,
    ORDER_LOTS,
    ORDER_NEXT,
    ORDER_PREV,
    ORDER_TICK,
    RECORD,
    REDUCE_ONLY,
    ROW,
    SLOT_SHIFT,
    SLOTS_OF,
    TIF_MASK,
    UNDERLYINGS,
    WORST,
    Action,
    HotReason,
    Int64Array,
    Outcome,
    Tables,
)
from offchain.engine.hot.levels import link, unlink
from offchain.engine.hot.margin import refuse_margin
from offchain.engine.hot.matching import (
    best_of,
    drop,
    emit,
    match,
    order_price,
    settle_taker,
)
from offchain.engine.hot.pool import find, give_back, home, take
from offchain.engine.hot.positions import (
    add_order,
    find_slot,
    less_resting,
    release_slot,
    row_of,
    swap_totals,
)
from offchain.engine.hot.vectors import borrowed, prefetch
from offchain.engine.messages import TimeInForce
from offchain.engine.reasons import Reason

# Enumerations are plain numbers in a kernel.
PLACE, CANCEL, AMEND = int(Action.PLACE), int(Action.CANCEL), int(Action.AMEND)
RESTED, CLOSED, REFUSED = int(Outcome.RESTED), int(Outcome.CLOSED), int(Outcome.REFUSED)
AMENDED, SHRUNK = int(Outcome.AMENDED), int(Outcome.SHRUNK)
CANCELLED, UNFILLED = int(Closing.CANCELLED), int(Closing.UNFILLED)
UNKNOWN_ORDER, BAD_COMMAND = int(Reason.UNKNOWN_ORDER), int(HotReason.BAD_COMMAND)
NOTHING_TO_REDUCE = int(Reason.NOTHING_TO_REDUCE)
IOC = int(TimeInForce.IMMEDIATE_OR_CANCEL)
FAR, MIDDLE, NEAR = 24, 14, 7
"""Commands ahead of which account row, order and neighbours are asked for from memory."""
SLOTS_AHEAD = 4
"""Slots of an account that are asked for; what has more brings the rest by itself."""


@njit(cache=True, nogil=True, forceinline=True)
def _refuse(t: Tables, commands: Int64Array, command: int, events: Int64Array, reason: int) -> None:
    """Say that a command was refused, with its own words and the figures behind the reason."""
    at = command * RECORD
    order_id, account = commands[at + COMMAND_ID], commands[at + COMMAND_ACCOUNT]
    instrument = commands[at + COMMAND_INSTRUMENT]
    a, b = t.scalars[FIGURE_A], t.scalars[FIGURE_B]
    t.scalars[FIGURE_A] = t.scalars[FIGURE_B] = 0
    emit(t, events, REFUSED, command, order_id, account, instrument, reason, a, b)


@njit(cache=True, nogil=True, forceinline=True)
def _shrink(
    t: Tables, events: Int64Array, command: int, place: int, book: int, lots: int, price_e8: int
) -> None:
    """Take lots off a resting order, which keeps its place: risk cannot rise."""
    order = place * RECORD
    account, old = t.orders[order + ORDER_ACCOUNT], t.orders[order + ORDER_LOTS]
    instrument = t.books[book * BOOK + BOOK_INSTRUMENT]
    gone = old - lots
    extra = gone * (order_price(t, place, book) - t.books[book * BOOK + BOOK_VALUE])
    swap_totals(t, account, instrument, gone, extra, 0, 0)
    if gone:
        less_resting(t, find_slot(t, account, instrument), gone)
    t.orders[order + ORDER_LOTS] = lots
    flag = 1 if t.orders[order + ORDER_FLAGS] & REDUCE_ONLY else 0
    order_id = t.orders[order]
    emit(t, events, SHRUNK, command, order_id, account, instrument, price_e8, lots, flag)


@njit(cache=True, nogil=True, forceinline=True)
def _execute(
    t: Tables,
    events: Int64Array,
    command: int,
    place: int,
    order_id: int,
    account: int,
    book: int,
    lots: int,
    tick: int,
    price_e8: int,
    flags: int,
) -> None:
    """Match an accepted order and rest what is left; `place` is 0 for a new one."""
    b = book * BOOK
    instrument = t.books[b + BOOK_INSTRUMENT]
    slippage = (tick + t.books[b + BOOK_BASE]) * t.books[b + BOOK_STEP] - t.books[b + BOOK_VALUE]
    left, is_cut = lots, False
    if best_of(t, book, lots, tick) >= 0:
        left, cost, closed, slippage_sum, fees, is_cut = match(
            t, events, command, book, account, lots, tick
        )
        filled = lots - left
        if filled:
            settle_taker(t, account, instrument, filled, slippage, cost, closed, slippage_sum, fees)
    if left and not is_cut and flags & TIF_MASK != IOC:
        slot = find_slot(t, account, instrument)
        t.slots[slot] = instrument + 1
        if place == 0:
            place = take(t, order_id)
        order = place * RECORD
        t.orders[order + ORDER_TICK] = tick
        t.orders[order + ORDER_LOTS] = left
        t.orders[order + ORDER_ACCOUNT] = account
        t.orders[order + ORDER_BOOK] = book
        t.orders[order + ORDER_FLAGS] = flags
        link(t, place)
        add_order(t, account, slot, left, 1)
        flag = 1 if flags & REDUCE_ONLY else 0
        emit(t, events, RESTED, command, order_id, account, instrument, price_e8, left, flag)
        return
    if place:
        give_back(t, place)
    if left:
        swap_totals(t, account, instrument, left, left * slippage, 0, 0)
        emit(t, events, CLOSED, command, order_id, account, instrument, UNFILLED, 0, 0)


@njit(cache=True, nogil=True, forceinline=True)
def _leave(t: Tables, place: int, account: int, instrument: int) -> None:
    """Take an order that is amended out of its queue; its record and its id stay."""
    slot = find_slot(t, account, instrument)
    unlink(t, place)
    add_order(t, account, slot, t.orders[place * RECORD + ORDER_LOTS], -1)
    release_slot(t, account, slot)


@njit(cache=True, nogil=True, forceinline=True)
def _admit(
    t: Tables, commands: Int64Array, command: int, events: Int64Array, place: int, book: int
) -> int:
    """Check an order whose form is right, and do it; `place` is the order that is amended, or 0."""
    at, b, order = command * RECORD, book * BOOK, place * RECORD
    order_id, account = commands[at + COMMAND_ID], commands[at + COMMAND_ACCOUNT]
    lots, price_e8 = commands[at + COMMAND_LOTS], commands[at + COMMAND_PRICE]
    flags = commands[at + COMMAND_FLAGS]
    tif, instrument = flags & TIF_MASK, t.books[b + BOOK_INSTRUMENT]
    whole = price_e8 // t.books[b + BOOK_TICK]
    tick = whole - t.books[b + BOOK_BASE]
    reason = refuse_terms(t, book, lots, price_e8, whole)
    if reason != ACCEPTED:
        return reason
    old = 0
    if place:
        old = t.orders[order + ORDER_LOTS]
        flags = tif | (t.orders[order + ORDER_FLAGS] & REDUCE_ONLY)
        if t.orders[order + ORDER_TICK] == tick and abs(lots) <= abs(old):
            _shrink(t, events, command, place, book, lots, price_e8)
            return ACCEPTED
    if flags & REDUCE_ONLY:
        lots = reducing_lots(t, account, instrument, lots)
        if lots == 0:
            return NOTHING_TO_REDUCE
    reason = refuse_limits(t, account, book, lots, old, tick, tif)
    if reason == ACCEPTED:
        reason = refuse_margin(t, place, book, account, lots, whole, flags)
    if reason != ACCEPTED:
        return reason
    if place:
        flag = 1 if flags & REDUCE_ONLY else 0
        emit(t, events, AMENDED, command, order_id, account, instrument, price_e8, lots, flag)
        _leave(t, place, account, instrument)
    _execute(t, events, command, place, order_id, account, book, lots, tick, price_e8, flags)
    return ACCEPTED


@njit(cache=True, nogil=True, forceinline=True)
def _order(t: Tables, commands: Int64Array, command: int, events: Int64Array) -> int:
    """Place a new order, or amend one: the same checks, in the same order."""
    at = command * RECORD
    place = find(t, commands[at + COMMAND_ID])
    reason = refuse_form(t, commands, at, place)
    if reason != ACCEPTED:
        return reason
    book = t.orders[place * RECORD + ORDER_BOOK]
    if place == 0:
        book = t.book_of[commands[at + COMMAND_INSTRUMENT]] - 1
    return _admit(t, commands, command, events, place, book)


@njit(cache=True, nogil=True, forceinline=True)
def _cancel(t: Tables, commands: Int64Array, command: int, events: Int64Array) -> int:
    """Take an order of the account itself out of the book."""
    at = command * RECORD
    order_id, account = commands[at + COMMAND_ID], commands[at + COMMAND_ACCOUNT]
    reason = refuse_account(t, account)
    if reason != ACCEPTED:
        return reason
    place = find(t, order_id)
    if place == 0 or t.orders[place * RECORD + ORDER_ACCOUNT] != account:
        return UNKNOWN_ORDER
    book = t.orders[place * RECORD + ORDER_BOOK]
    instrument = t.books[book * BOOK + BOOK_INSTRUMENT]
    drop(t, place, book)
    emit(t, events, CLOSED, command, order_id, account, instrument, CANCELLED, 0, 0)
    return ACCEPTED


@njit(cache=True, nogil=True, forceinline=True)
def _look_ahead(t: Tables, commands: Int64Array, command: int, stop: int) -> None:
    """Ask for what commands further on will touch, so that the memory works meanwhile."""
    if command + FAR < stop:
        at = (command + FAR) * RECORD
        account = commands[at + COMMAND_ACCOUNT]
        if 0 <= account < t.scalars[ACCOUNTS]:
            row = row_of(t, account)
            for part in range(row, row + t.scalars[UNDERLYINGS] * ROW, ROW):
                prefetch(t.rows, part + WORST)
            underlying = commands[at + COMMAND_INSTRUMENT] >> SLOT_SHIFT  # only a hint
            if 0 <= underlying < t.scalars[UNDERLYINGS]:
                row += underlying * ROW
            for line in range(row, row + SCENARIOS, RECORD):
                prefetch(t.rows, line)
            first = account * t.scalars[SLOTS_OF] * RECORD
            for slot in range(first, first + SLOTS_AHEAD * RECORD, RECORD):
                prefetch(t.slots, slot)
        prefetch(t.ids, 2 * home(t, commands[at + COMMAND_ID]))
    if command + MIDDLE < stop:
        at = 2 * home(t, commands[(command + MIDDLE) * RECORD + COMMAND_ID])
        prefetch(t.orders, t.ids[at + 1] * RECORD)
    if command + NEAR < stop:
        at = 2 * home(t, commands[(command + NEAR) * RECORD + COMMAND_ID])
        order = t.ids[at + 1] * RECORD
        prefetch(t.orders, t.orders[order + ORDER_NEXT] * RECORD)
        prefetch(t.orders, t.orders[order + ORDER_PREV] * RECORD)


@njit(cache=True, nogil=True, forceinline=True)
def uncounted(t: Tables) -> Tables:
    """Return the tables as the kernels use them: see `borrowed`."""
    return Tables(
        borrowed(t.rows),
        borrowed(t.slots),
        borrowed(t.orders),
        borrowed(t.ids),
        borrowed(t.levels),
        borrowed(t.bits),
        borrowed(t.books),
        borrowed(t.book_of),
        borrowed(t.losses),
        borrowed(t.rates),
        borrowed(t.curves),
        borrowed(t.scratch),
        borrowed(t.scalars),
    )


@njit(cache=True, nogil=True)
def run(tables: Tables, commands: Int64Array, start: int, stop: int, events: Int64Array) -> int:
    """Do the commands `start..stop`.

    Parameters
    ----------
    tables : Tables
        Changed in place.
    commands, events : int64[n x RECORD], flat
        `events` is overwritten from its beginning; ``tables.scalars[EVENTS]`` of them are valid.
    start, stop : int
        Places of commands.

    Returns
    -------
    int
        The place of the first command that was not done: `stop`, or less when the next command
        might need more events than there is room for.
    """
    t = uncounted(tables)
    t.scalars[EVENTS] = 0
    room = events.shape[0] // RECORD - MOST_EVENTS
    for command in range(start, stop):
        if t.scalars[EVENTS] > room:
            return command
        _look_ahead(t, commands, command, stop)
        kind = commands[command * RECORD + KIND]
        reason = BAD_COMMAND
        if kind == CANCEL:
            reason = _cancel(t, commands, command, events)
        elif PLACE <= kind <= AMEND:
            reason = _order(t, commands, command, events)
        if reason != ACCEPTED:
            _refuse(t, commands, command, events, reason)
    return stop
