"""What is asked of an order before its margin is: its form, its terms and its limits.

Each returns `ACCEPTED` or the number of a reason, and writes nothing.
"""

from numba import njit

from offchain.core.units import LOSS_BITS, MAX_ORDERS, ROWS
from offchain.engine.hot.layout import (
    ACCOUNTS,
    BOOK,
    BOOK_ASK,
    BOOK_BASE,
    BOOK_BID,
    BOOK_INSTRUMENT,
    BOOK_STEP,
    BOOK_TICK,
    COMMAND_ACCOUNT,
    COMMAND_FLAGS,
    COMMAND_ID,
    COMMAND_INSTRUMENT,
    COMMAND_LOTS,
    KIND,
    ORDER_ACCOUNT,
    ORDER_LOTS,
    ORDERS,
    RECORD,
    REDUCE_ONLY,
    SLOT_BUYS,
    SLOT_LOTS,
    SLOT_SELLS,
    TIF_MASK,
    WINDOW,
    Action,
    HotReason,
    Int64Array,
    Tables,
)
from offchain.engine.hot.matching import LOTS_LIMIT
from offchain.engine.hot.pool import has_room
from offchain.engine.hot.positions import NO_SLOT, find_slot, row_of
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
BAD_COMMAND = int(HotReason.BAD_COMMAND)
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
