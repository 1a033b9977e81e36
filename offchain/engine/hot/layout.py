"""Where every number of the batched exchange core lives: kinds, codes, words and limits.

Every table is one flat int64 array of equal records (levels: int32, losses: int32). A record is a
multiple of 64 bytes, so that what a command touches is a known, small number of cache lines.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, GROUPS
from offchain.core.curves import MAX_TIERS
from offchain.core.units import MAX_ORDERS, MAX_POSITIONS, MAX_UNDERLYINGS, SCENARIOS, SLOTS
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

SLOT_SHIFT = 8
"""An instrument id is underlying << 8 | slot."""

# An account row, one for each underlying: total sums, four words, position sums, four words.
ROW = 80
TOTALS = 0
"""Position sums plus order sums: what initial margin looks at. [USD e-6]"""
BALANCE, OWNER, ORDERS, WORST = range(SCENARIOS, SCENARIOS + 4)
"""Margin balance, owner number and resting orders, in the row of underlying 0 only; and, in every
row, the largest of its totals, at least zero: so that the other underlyings cost one line each.
"""
SUMS = 40
"""Position sums: what maintenance margin looks at. [USD e-6]"""
CREDIT = SUMS + SCENARIOS
"""Collateral after haircuts, constant between two `rerow`. [USD e-6]"""
CASH, TAKEN, TAKEN_EXTRA = CREDIT + 1, CREDIT + 2, CREDIT + 3
"""Lots that a maker gives in a match that is only foreseen, and lots x (price - mark); else zero.

Of one instrument, in the row of underlying 0. [lots, USD e-6]
"""
assert TAKEN_EXTRA < ROW
assert 1 << SLOT_SHIFT == SLOTS

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

# What one lot of an instrument is charged: the columns of `addons.Charge`, then three sums of them
# that bound what does not net (see `rates`). [USD e-6]
RATE = 16
(
    RATE_DELTA,
    RATE_ROLL,
    RATE_LONG,
    RATE_SHORT,
    RATE_UNWIND,
    RATE_EXTRA,
    RATE_CALM,
    RATE_DOUBT,
    RATE_GROUP,
    RATE_EITHER,  # size of roll, and doubt
    RATE_SOLD,  # IM only, of a lot that may be short: extra, and covered calm
    RATE_BOUGHT,  # IM only, of a lot that may be long: covered calm where vega is negative
) = range(COLUMNS + 3)

# A tier curve of one underlying: up to which amount its first line counts, then its lines, each
# as in `core.curves.curve_table`. The delta curves of all underlyings, then the unwinding curves.
CURVE = 8 + 3 * MAX_TIERS
CURVE_UPTO, CURVE_LINES = 0, 8
UNWIND_CURVES = MAX_UNDERLYINGS * CURVE

# Room for one requirement: gross or net delta (low, high) and raw unwinding cost of each
# underlying; roll (low, high) and calm (low) of each expiry; what an outcome overwrites; whom it
# touches.
GROSS = 0
NET = 3
NETS = 8
ROW_COPY = NETS + MAX_UNDERLYINGS * GROUPS * NET
SLOT_COPY = ROW_COPY + ROW
TOUCHED = SLOT_COPY + RECORD
OWN = TOUCHED + MATCH_LIMIT
SCRATCH = OWN + MAX_ORDERS
assert NET * MAX_UNDERLYINGS <= NETS

# The scalars.
FREE, FRESH, CAPACITY, EVENTS, LIVE, MM_FACTOR, TAKER_FEE, ACCOUNTS = range(8)
SLOTS_OF, UNDERLYINGS, INDEX_SHIFT = range(8, 11)
FIGURE_A, FIGURE_B = 11, 12
"""Figures behind the next refusal; zero where it has none."""
OFFSET, OFFSET_CAP, BREAKDOWN, IM_FACTOR = range(13, 17)
"""Terms of the scan across underlyings, and one plus the peg."""
IS_BOUND_FIRST, GROUPS_USED = 17, 18
"""Whether bounds may decide, and how many expiries an underlying has at most."""
ORDERS_SEEN, ORDERS_EXACT, MAKERS_SEEN, MAKERS_EXACT, FORESEEN = range(19, 24)
"""Counts of checks: of orders, of makers, and those of each that no bound decided; of outcomes."""
COVERS = 24
"""Share of short vega that is covered in calm, of each underlying. [e-6]"""
SCALARS = 32
assert COVERS + MAX_UNDERLYINGS <= SCALARS


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
    rates: Int64Array  # [ROWS x RATE]
    curves: Int64Array  # [2 x MAX_UNDERLYINGS x CURVE]
    scratch: Int64Array  # [SCRATCH]
    scalars: Int64Array  # [SCALARS]


class Limits(NamedTuple):
    """Sizes of the tables, fixed when an exchange is built."""

    accounts: int
    orders: int
    books: int
    positions: int = MAX_POSITIONS
    underlyings: int = 1


class HotRules(NamedTuple):
    """What the core needs of a parameter set; `bridge.hot_rules` makes it.

    `curves` and `terms` are those of `engine.tables.RuleTables`: tier curves of each underlying
    (delta, unwinding; a third kind is not looked at), and offset, its cap, breakdown, calm covers.
    """

    taker_fee_e6: int
    mm_factor_e6: int
    curves: Int64Array
    terms: Int64Array


class Checks(NamedTuple):
    """How many margin checks there were, and how many of them no bound could decide."""

    orders: int
    orders_exact: int
    makers: int
    makers_exact: int
    foreseen: int  # orders whose fills had to be looked at before they happened


assert MAX_ORDERS < 1 << 16
