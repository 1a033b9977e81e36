"""What is asked of an order before it enters: its form, its limits, and all 36 scenarios.

Each returns `ACCEPTED` or the number of a reason. Only `refuse_margin` writes: it puts the order in
the totals, where an accepted one belongs, and takes a refused one out again.
"""

from numba import njit

from offchain.core.units import LOSS_BITS, MAX_ORDERS, ROWS, SCENARIOS
from offchain.engine.hot.layout import (
    ACCOUNTS,
    BALANCE,
    BOOK,
    BOOK_ASK,
    BOOK_BASE,
    BOOK_BID,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_TICK,
    BOOK_VALUE,
    COMMAND_ACCOUNT,
    COMMAND_FLAGS,
    COMMAND_ID,
    COMMAND_INSTRUMENT,
    COMMAND_LOTS,
    FIGURE_A,
    FIGURE_B,
    KIND,
    ORDER_ACCOUNT,
    ORDER_LOTS,
    ORDERS,
    RECORD,
    REDUCE_ONLY,
    ROW,
    SLOT_BUYS,
    SLOT_LOTS,
    SLOT_SELLS,
    SUMS,
    TIF_MASK,
    TOTALS,
    WINDOW,
    Action,
    HotReason,
    Int64Array,
    Tables,
)
from offchain.engine.hot.matching import (
    LOTS_LIMIT,
    SLOT_SHIFT,
    order_price,
)
from offchain.engine.hot.pool import has_room
from offchain.engine.hot.positions import (
    NO_SLOT,
    find_slot,
    is_valid_change,
    maintenance,
    others,
    row_of,
    taker_fee,
)
from offchain.engine.hot.vectors import swap_order, worst_after
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.messages import TimeInForce
from offchain.engine.reasons import Reason

# Enumerations are plain numbers in a kernel.
ACCEPTED = 0
AMEND = int(Action.AMEND)
IOC, POST_ONLY = int(TimeInForce.IMMEDIATE_OR_CANCEL), int(TimeInForce.POST_ONLY)
UNKNOWN_ACCOUNT, RESERVED_ACCOUNT = int(Reason.UNKNOWN_ACCOUNT), int(Reason.RESERVED_ACCOUNT)
UNKNOWN_INSTRUMENT, UNKNOWN_ORDER = int(Reason.UNKNOWN_INSTRUMENT), int(Reason.UNKNOWN_ORDER)
BAD_PRICE, BAD_SIZE = int(Reason.BAD_PRICE), int(Reason.BAD_SIZE)
WOULD_CROSS, POSITION_LIMIT = int(Reason.WOULD_CROSS), int(Reason.POSITION_LIMIT)
TOO_MANY_ORDERS, TOO_MANY_POSITIONS = int(Reason.TOO_MANY_ORDERS), int(Reason.TOO_MANY_POSITIONS)
INSUFFICIENT_MARGIN, BAD_COMMAND = int(Reason.INSUFFICIENT_MARGIN), int(HotReason.BAD_COMMAND)
BAD_ORDER_ID, ORDER_EXISTS = int(HotReason.BAD_ORDER_ID), int(HotReason.ORDER_EXISTS)
BOOK_FULL, PRICE_WINDOW = int(HotReason.BOOK_FULL), int(HotReason.PRICE_WINDOW)


@njit(cache=True, nogil=True, forceinline=True)
def refuse_account(t: Tables, account: int) -> int:
    """Refuse an account that does not exist, and the insurance fund."""
    if account < 0 or account >= t.scalars[ACCOUNTS]:
        return UNKNOWN_ACCOUNT
    return RESERVED_ACCOUNT if account == 0 else ACCEPTED


@njit(cache=True, nogil=True, forceinline=True)
def refuse_terms(t: Tables, book: int, lots: int, price_e8: int, tick: int) -> int:
    """Refuse a bad size or price; `tick` is the price in whole ticks."""
    if lots == 0 or lots <= -LOTS_LIMIT or lots >= LOTS_LIMIT:
        return BAD_SIZE
    b = book * BOOK
    if price_e8 <= 0 or tick * t.books[b + BOOK_TICK] != price_e8:
        return BAD_PRICE
    # tick x step <= price < 2**63
    if tick * t.books[b + BOOK_STEP] >> LOSS_BITS:
        return BAD_PRICE
    base = t.books[b + BOOK_BASE]
    return ACCEPTED if base <= tick < base + WINDOW else PRICE_WINDOW


@njit(cache=True, nogil=True, forceinline=True)
def refuse_limits(
    t: Tables, account: int, book: int, lots: int, old: int, tick: int, tif: int
) -> int:
    """Refuse what an account or a book may not hold; `old` lots are taken back, 0 for a new one."""
    slot = find_slot(t, account, t.books[book * BOOK + BOOK_INSTRUMENT])
    if old == 0 and t.rows[row_of(t, account) + ORDERS] >= MAX_ORDERS:
        return TOO_MANY_ORDERS
    if slot == NO_SLOT:
        return TOO_MANY_POSITIONS
    resting = t.slots[slot + SLOT_BUYS] if lots > 0 else -t.slots[slot + SLOT_SELLS]
    if abs(t.slots[slot + SLOT_LOTS] + resting - old + lots) >= LOTS_LIMIT:
        return POSITION_LIMIT
    if tif == POST_ONLY:
        bid, ask = t.books[book * BOOK + BOOK_BID], t.books[book * BOOK + BOOK_ASK]
        if (lots > 0 and ask <= tick) or (lots < 0 and bid >= tick):
            return WOULD_CROSS
    return BOOK_FULL if old == 0 and tif != IOC and not has_room(t) else ACCEPTED


@njit(cache=True, nogil=True, forceinline=True)
def reducing_lots(t: Tables, account: int, instrument: int, lots: int) -> int:
    """Return the lots held to what the position allows; zero when they would not reduce."""
    slot = find_slot(t, account, instrument)
    if slot == NO_SLOT:
        return 0
    position = t.slots[slot + SLOT_LOTS]  # a free slot holds zero
    if position * lots >= 0:
        return 0
    size = min(abs(lots), int(abs(position)))
    return size if lots > 0 else -size


@njit(cache=True, nogil=True)
def _reduces_risk(
    t: Tables, account: int, instrument: int, lots: int, extra: int, fee: int
) -> bool:
    """Tell whether a reducing order that fills at its limit is a valid change of risk (INV-7)."""
    underlying = instrument >> SLOT_SHIFT
    row = row_of(t, account)
    sums = row + underlying * ROW + SUMS
    scan = worst_after(t.rows, sums, t.losses, instrument * SCENARIOS, lots)
    required = maintenance(t, scan + others(t, account, underlying, SUMS))
    balance = t.rows[row + BALANCE] - extra - fee
    return balance >= required or is_valid_change(t, account, underlying, balance, required)


@njit(cache=True, nogil=True, forceinline=True)
def refuse_form(t: Tables, commands: Int64Array, at: int, place: int) -> int:
    """Refuse what is wrong before prices matter; `place` is where the id rests, or 0."""
    account, flags = commands[at + COMMAND_ACCOUNT], commands[at + COMMAND_FLAGS]
    is_amend = commands[at + KIND] == AMEND
    reason = refuse_account(t, account)
    if reason != ACCEPTED:
        return reason
    tif = flags & TIF_MASK
    if flags & ~(TIF_MASK | REDUCE_ONLY) or tif > POST_ONLY or (is_amend and tif == IOC):
        return BAD_COMMAND
    if is_amend:
        order = place * RECORD
        if place == 0 or t.orders[order + ORDER_ACCOUNT] != account:
            return UNKNOWN_ORDER
        is_turned = (commands[at + COMMAND_LOTS] ^ t.orders[order + ORDER_LOTS]) < 0
        return BAD_SIZE if is_turned else ACCEPTED
    if place or commands[at + COMMAND_ID] <= 0:
        return ORDER_EXISTS if place else BAD_ORDER_ID
    instrument = commands[at + COMMAND_INSTRUMENT]
    is_known = 0 <= instrument < ROWS and t.book_of[instrument] != 0
    return ACCEPTED if is_known else UNKNOWN_INSTRUMENT


@njit(cache=True, nogil=True, forceinline=True)
def refuse_margin(
    t: Tables, place: int, book: int, account: int, lots: int, whole: int, flags: int
) -> int:
    """Put an order into the totals and look at all 36 of them; refused, it is taken out again.

    `place` is the order that it replaces, or 0; `whole` the limit in ticks.
    """
    b, order = book * BOOK, place * RECORD
    instrument, value = t.books[b + BOOK_INSTRUMENT], t.books[b + BOOK_VALUE]
    underlying = instrument >> SLOT_SHIFT
    old = old_extra = 0
    if place:
        old = t.orders[order + ORDER_LOTS]
        old_extra = old * (order_price(t, place, book) - value)
    lot_price = whole * t.books[b + BOOK_STEP]
    extra = lots * (lot_price - value)
    row = row_of(t, account)
    totals, cells = row + underlying * ROW + TOTALS, instrument * SCENARIOS
    required = swap_order(t.rows, totals, t.losses, cells, old, old_extra, lots, extra)
    required += others(t, account, underlying, TOTALS)
    fee = taker_fee(t, lots, lot_price) + min(abs(lots), MATCH_LIMIT) - 1  # each fill rounds up
    balance = t.rows[row + BALANCE] - fee
    if balance >= required:
        return ACCEPTED
    if flags & REDUCE_ONLY and _reduces_risk(t, account, instrument, lots, extra, fee):
        return ACCEPTED
    swap_order(t.rows, totals, t.losses, cells, lots, extra, old, old_extra)
    t.scalars[FIGURE_A], t.scalars[FIGURE_B] = balance, required
    return INSUFFICIENT_MARGIN
