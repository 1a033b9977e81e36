"""Price levels of a book: a queue of orders for each tick, and a bitmap that finds the next one.

A book is never crossed, so both sides share one array of levels: what lies below the best ask is
a bid. The bitmap has three layers of 64-bit words (2**18 ticks): a set bit says that the tick, or
the word below it, is not empty. So every step is a handful of instructions, wherever it happens.

`ReferenceExchange` in `reference` keeps sorted lists instead, and defines what comes first.
"""

from numba import njit

from offchain.engine.hot.layout import (
    BITS,
    BOOK,
    BOOK_ASK,
    BOOK_BID,
    ORDER_BOOK,
    ORDER_LOTS,
    ORDER_NEXT,
    ORDER_PREV,
    ORDER_TICK,
    RECORD,
    WINDOW,
    WORDS_0,
    WORDS_1,
    Int64Array,
    Tables,
)
from offchain.engine.hot.vectors import highest_bit, lowest_bit


@njit(cache=True, nogil=True, forceinline=True)
def _mark(bits: Int64Array, base: int, tick: int) -> None:
    """Set the bit of a tick in every layer."""
    bits[base + (tick >> 6)] |= 1 << (tick & 63)
    bits[base + WORDS_0 + (tick >> 12)] |= 1 << (tick >> 6 & 63)
    bits[base + WORDS_0 + WORDS_1] |= 1 << (tick >> 12)


@njit(cache=True, nogil=True, forceinline=True)
def _clear(bits: Int64Array, base: int, tick: int) -> None:
    """Clear the bit of a tick, and above it those of words that became empty."""
    bits[base + (tick >> 6)] &= ~(1 << (tick & 63))
    if bits[base + (tick >> 6)] == 0:
        bits[base + WORDS_0 + (tick >> 12)] &= ~(1 << (tick >> 6 & 63))
        if bits[base + WORDS_0 + (tick >> 12)] == 0:
            bits[base + WORDS_0 + WORDS_1] &= ~(1 << (tick >> 12))


@njit(cache=True, nogil=True, forceinline=True)
def next_above(bits: Int64Array, base: int, tick: int) -> int:
    """Return the next tick above that has orders; `WINDOW` when there is none."""
    word = tick >> 6
    found = bits[base + word] & ~((2 << (tick & 63)) - 1)
    if found == 0:
        group = word >> 6
        found = bits[base + WORDS_0 + group] & ~((2 << (word & 63)) - 1)
        if found == 0:
            found = bits[base + WORDS_0 + WORDS_1] & ~((2 << group) - 1)
            if found == 0:
                return WINDOW
            group = lowest_bit(found)
            found = bits[base + WORDS_0 + group]
        word = group << 6 | lowest_bit(found)
        found = bits[base + word]
    return word << 6 | lowest_bit(found)


@njit(cache=True, nogil=True, forceinline=True)
def next_below(bits: Int64Array, base: int, tick: int) -> int:
    """Return the next tick below that has orders; -1 when there is none."""
    word = tick >> 6
    found = bits[base + word] & ((1 << (tick & 63)) - 1)
    if found == 0:
        group = word >> 6
        found = bits[base + WORDS_0 + group] & ((1 << (word & 63)) - 1)
        if found == 0:
            found = bits[base + WORDS_0 + WORDS_1] & ((1 << group) - 1)
            if found == 0:
                return -1
            group = highest_bit(found)
            found = bits[base + WORDS_0 + group]
        word = group << 6 | highest_bit(found)
        found = bits[base + word]
    return word << 6 | highest_bit(found)


@njit(cache=True, nogil=True, forceinline=True)
def link(t: Tables, place: int) -> None:
    """Queue an order, whose tick, lots and book are set, behind the others at its price."""
    order = place * RECORD
    book, tick = t.orders[order + ORDER_BOOK], t.orders[order + ORDER_TICK]
    level = (book * WINDOW + tick) * 2
    last = t.levels[level + 1]
    t.orders[order + ORDER_NEXT] = 0
    t.orders[order + ORDER_PREV] = last
    t.levels[level + 1] = place
    if last:
        t.orders[last * RECORD + ORDER_NEXT] = place
        return
    t.levels[level] = place
    _mark(t.bits, book * BITS, tick)
    if t.orders[order + ORDER_LOTS] > 0:
        t.books[book * BOOK + BOOK_BID] = max(t.books[book * BOOK + BOOK_BID], tick)
    else:
        t.books[book * BOOK + BOOK_ASK] = min(t.books[book * BOOK + BOOK_ASK], tick)


@njit(cache=True, nogil=True, forceinline=True)
def unlink(t: Tables, place: int) -> None:
    """Take an order out of its queue; the record itself stays."""
    order = place * RECORD
    book, tick = t.orders[order + ORDER_BOOK], t.orders[order + ORDER_TICK]
    level = (book * WINDOW + tick) * 2
    after, before = t.orders[order + ORDER_NEXT], t.orders[order + ORDER_PREV]
    if before:
        t.orders[before * RECORD + ORDER_NEXT] = after
    else:
        t.levels[level] = after
    if after:
        t.orders[after * RECORD + ORDER_PREV] = before
    else:
        t.levels[level + 1] = before
    if before or after:
        return
    _clear(t.bits, book * BITS, tick)
    if tick == t.books[book * BOOK + BOOK_BID]:
        t.books[book * BOOK + BOOK_BID] = next_below(t.bits, book * BITS, tick)
    elif tick == t.books[book * BOOK + BOOK_ASK]:
        t.books[book * BOOK + BOOK_ASK] = next_above(t.bits, book * BITS, tick)
