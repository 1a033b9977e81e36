"""Where every number of the batched exchange core lives: kinds, codes, words and limits.

Every table is one flat int64 array of equal records (levels: int32, losses: int32). A record is a
multiple of 64 bytes, so that what a command touches is a known, small number of cache lines.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offchain.core.units import MAX_ORDERS, MAX_POSITIONS, SCENARIOS
from offchain.engine.matching import MATCH_LIMIT

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]


class Action(IntEnum):
    """What a command does; word `KIND` of a command."""

    PLACE = 1
    CANCEL = 2
    AMEND = 3


class Outcome(IntEnum):
    """What happened; word `KIND` of an event."""

    FILLED = 1
    RESTED = 2
    CLOSED = 3
    REFUSED = 4
    AMENDED = 5  # the order left its place and comes in again at the new price and size
    SHRUNK = 6  # the order kept its place with fewer lots


class HotReason(IntEnum):
    """Refusals that only the batched core knows; the others are `offchain.engine.reasons`."""

    BAD_COMMAND = 19001
    BAD_ORDER_ID = 19002
    ORDER_EXISTS = 19003
    PRICE_WINDOW = 19004
    BOOK_FULL = 19005


RECORD = 8
"""Words of a command, an event, an order and a position slot: 64 bytes, a cache line."""
KIND = 0

# A command: kind, order id, account, instrument, limit price [e-8], signed lots, flags, unused.
COMMAND_ID, COMMAND_ACCOUNT, COMMAND_INSTRUMENT, COMMAND_PRICE, COMMAND_LOTS, COMMAND_FLAGS = range(
    1, 7
)
TIF_MASK = 3
REDUCE_ONLY = 4
"""Flag beside the time in force (0 GTC, 1 IOC, 2 post-only)."""

# An event: kind, place of its command in the batch, order id, account, instrument, then
#   FILLED   price [e-8], the taker's signed lots, fee [USD e-6]; id and account are the maker's
#   RESTED   price [e-8], signed lots, 1 when reduce-only
#   AMENDED  price [e-8], signed lots, 1 when reduce-only
#   SHRUNK   price [e-8], signed lots that stay, 1 when reduce-only
#   CLOSED   `offchain.engine.events.Closing`
#   REFUSED  reason, and for margin the balance and the requirement [USD e-6]
EVENT_COMMAND, EVENT_ID, EVENT_ACCOUNT, EVENT_INSTRUMENT, EVENT_A, EVENT_B, EVENT_C = range(1, 8)
MOST_EVENTS = 2 * MATCH_LIMIT + 2
"""Events of one command at most: two for each maker, the amendment and the rest."""

# An account row, one for each underlying: total sums, four words, position sums, four words.
ROW = 80
TOTALS = 0
"""Position sums plus order sums: what initial margin looks at. [USD e-6]"""
BALANCE, OWNER, ORDERS, CASH = range(SCENARIOS, SCENARIOS + 4)
"""Margin balance, owner number, resting orders, cash; in the row of underlying 0 only."""
SUMS = 40
"""Position sums: what maintenance margin looks at. [USD e-6]"""
CREDIT = SUMS + SCENARIOS
"""Collateral after haircuts, constant between two `rerow`. [USD e-6]"""
assert CREDIT < ROW

# A position slot; slots of an account are dense, key 0 ends them.
SLOT_KEY, SLOT_LOTS, SLOT_COST, SLOT_BUYS, SLOT_SELLS, SLOT_ORDERS = range(6)

# An order; place 0 of the pool is never used, so that 0 means none.
ORDER_ID, ORDER_TICK, ORDER_LOTS, ORDER_ACCOUNT, ORDER_BOOK, ORDER_FLAGS, ORDER_NEXT, ORDER_PREV = (
    range(8)
)

# A book. Ticks count from `BASE`; without orders the best bid is -1 and the best ask is `WINDOW`.
BOOK = 16
(
    BOOK_INSTRUMENT,
    BOOK_TICK,  # [e-8]
    BOOK_STEP,  # value of one lot for one tick [USD e-6]
    BOOK_BASE,  # [ticks]
    BOOK_BID,
    BOOK_ASK,
    BOOK_VALUE,  # value of one lot at the mark, before funding [USD e-6]
    BOOK_FUNDING,  # cumulative funding of one lot [USD e-6]
) = range(8)
WINDOW_BITS = 18
WINDOW = 1 << WINDOW_BITS
"""Prices that a book can hold orders at; another price is refused until the book is recentred."""
WORDS_0, WORDS_1 = WINDOW >> 6, WINDOW >> 12
BITS = WORDS_0 + WORDS_1 + 64
"""Words of the three layers of a book's bitmap, the last of which is one word (padded)."""

# The scalars.
FREE, FRESH, CAPACITY, EVENTS, LIVE, MM_FACTOR, TAKER_FEE, ACCOUNTS = range(8)
SLOTS_OF, UNDERLYINGS, INDEX_SHIFT = range(8, 11)
FIGURE_A, FIGURE_B = 11, 12
"""Figures behind the next refusal; zero where it has none."""
SCALARS = 16


class Tables(NamedTuple):
    """Everything the kernels read and write."""

    rows: Int64Array  # [accounts x underlyings x ROW]
    slots: Int64Array  # [accounts x slots x RECORD]
    orders: Int64Array  # [(1 + capacity) x RECORD]
    ids: Int64Array  # [2 x 2**bits]: order id, place; open addressing
    levels: Int32Array  # [books x WINDOW x 2]: first and last order of a price
    bits: Int64Array  # [books x BITS]: which prices have orders
    books: Int64Array  # [books x BOOK]
    book_of: Int64Array  # [ROWS]: 1 + book of an instrument, 0 for none
    losses: Int32Array  # [ROWS x 36] loss of one long lot [USD e-6]
    scalars: Int64Array  # [SCALARS]


class Limits(NamedTuple):
    """Sizes of the tables, fixed when an exchange is built."""

    accounts: int
    orders: int
    books: int
    positions: int = MAX_POSITIONS
    underlyings: int = 1


assert MAX_ORDERS < 1 << 16
