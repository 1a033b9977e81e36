"""The exchange core as an object: it owns the tables, checks what enters, and runs batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.core.addons import Charge
from offchain.core.portfolio import CROSS_TERMS
from offchain.core.units import (
    CASH_BITS,
    LOSS_BITS,
    LOTS_BITS,
    MAX_POSITIONS,
    MAX_UNDERLYINGS,
    ONE_E6,
    ROWS,
    SCENARIOS,
    SLOT_BITS,
)
from offchain.engine.accounts import MAX_ACCOUNTS
from offchain.engine.hot import layout as w
from offchain.engine.hot.kernel import run
from offchain.engine.hot.layout import (
    Checks,
    HotRules,
    Int32Array,
    Int64Array,
    Limits,
    Tables,
)
from offchain.engine.hot.levels import link
from offchain.engine.hot.pool import find, has_room, take
from offchain.engine.hot.positions import NO_SLOT, add_order, find_slot
from offchain.engine.hot.rates import (
    MAX_PEG_E6,
    are_terms_in_range,
    flat_curves,
    is_in_range,
    rate_table,
)
from offchain.engine.hot.requirement import exact_base, initial, maintenance
from offchain.engine.hot.rerow import rerow

MAX_HOT_ORDERS = 1 << 26
MAX_BOOKS = ROWS
LINE = 64
"""Bytes of a cache line."""
RestingOrder = tuple[int, int, int, int, int, bool]
"""(order id, account, instrument, price e8, signed lots, whether it may only reduce)"""


class HotLimitError(ValueError):
    """Something does not fit the tables; the message names the limit."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What `HotExchange.submit` did: the first command not done, and the events so far.

    `events` is a view of a buffer that the next batch overwrites: int64[n, 8], see `layout`.
    """

    done: int
    events: Int64Array


def _need(rule: str, *, holds: bool) -> None:
    if not holds:
        raise HotLimitError(rule)


def _aligned(words: int) -> Int64Array:
    """Return zeros that begin on a cache line, so that a record is one line."""
    raw = np.zeros(words + LINE // 8, np.int64)
    skip = -raw.ctypes.data % LINE // 8
    return raw[skip : skip + words]


def _tables(limits: Limits) -> Tables:
    index_bits = (2 * limits.orders).bit_length()
    scalars = _aligned(w.SCALARS)
    scalars[w.CAPACITY] = limits.orders
    scalars[w.SLOTS_OF], scalars[w.UNDERLYINGS] = limits.positions, limits.underlyings
    scalars[w.INDEX_SHIFT] = 64 - index_bits
    return Tables(
        rows=_aligned(limits.accounts * limits.underlyings * w.ROW),
        slots=_aligned(limits.accounts * limits.positions * w.RECORD),
        orders=_aligned((1 + limits.orders) * w.RECORD),
        ids=_aligned(2 << index_bits),
        levels=np.zeros(limits.books * w.WINDOW * 2, np.int32),
        bits=_aligned(limits.books * w.BITS),
        books=_aligned(limits.books * w.BOOK),
        book_of=_aligned(ROWS),
        losses=_aligned(ROWS * SCENARIOS // 2).view(np.int32),
        rates=_aligned(ROWS * w.RATE),
        curves=_aligned(2 * MAX_UNDERLYINGS * w.CURVE),
        scratch=_aligned(w.SCRATCH),
        scalars=scalars,
    )


class HotExchange:
    """Books and accounts in preallocated tables.

    Parameters
    ----------
    limits : Limits
        Sizes; nothing grows later. What does not fit is refused with a reason.
    rules : HotRules
        Taker's fee and MM factor in [0, 1e6]; tier curves and terms of `engine.tables`.
    event_capacity : int
        Events of one batch, at least `layout.MOST_EVENTS`.
    is_bound_first : bool
        Whether bounds may decide what they can; without, every check is an exact one. The results
        are the same.

    Raises
    ------
    HotLimitError
        Where a figure is outside its range; the message names the limit.

    Notes
    -----
    Every account is margined as a portfolio account of the machine: scan risk across underlyings,
    add-ons, unwinding floor, peg. Requirements of IM at or above `requirement.LIMIT` are refused
    whatever the balance. Account 0 is the insurance fund, which is paid the fees.
    """

    def __init__(
        self,
        limits: Limits,
        rules: HotRules,
        event_capacity: int = 1 << 14,
        *,
        is_bound_first: bool = True,
    ) -> None:
        _need("accounts", holds=1 <= limits.accounts <= MAX_ACCOUNTS)
        _need("orders", holds=1 <= limits.orders <= MAX_HOT_ORDERS)
        _need("books", holds=1 <= limits.books <= MAX_BOOKS)
        _need("positions", holds=1 <= limits.positions <= MAX_POSITIONS)
        _need("underlyings", holds=1 <= limits.underlyings <= MAX_UNDERLYINGS)
        rates = (rules.taker_fee_e6, rules.mm_factor_e6)
        _need("rates", holds=min(rates) >= 0 and max(rates) <= ONE_E6)
        _need("terms", holds=are_terms_in_range(rules.terms))
        _need("event capacity", holds=event_capacity >= w.MOST_EVENTS)
        self.limits = limits
        self.tables = _tables(limits)
        scalars = self.tables.scalars
        scalars[w.TAKER_FEE], scalars[w.MM_FACTOR] = rates
        scalars[w.OFFSET : w.BREAKDOWN + 1] = rules.terms[:CROSS_TERMS]
        scalars[w.COVERS : w.COVERS + MAX_UNDERLYINGS] = rules.terms[CROSS_TERMS:]
        scalars[w.IM_FACTOR] = ONE_E6
        self.tables.curves[:] = flat_curves(rules.curves)
        self._is_bound_first = is_bound_first
        self._events = _aligned(event_capacity * w.RECORD)
        self._books = 0
        self._is_stale = False

    def list_instrument(
        self, instrument: int, tick_e8: int, lot_divisor: int, base_tick: int
    ) -> None:
        """Open the book of an instrument for prices from ``base_tick * tick_e8`` on."""
        t = self.tables
        _need("books", holds=self._books < self.limits.books)
        _need("instrument", holds=0 <= instrument < self.limits.underlyings << SLOT_BITS)
        _need("listed once", holds=t.book_of[instrument] == 0)
        _need("tick", holds=tick_e8 > 0 and lot_divisor > 0 and tick_e8 % lot_divisor == 0)
        _need("base", holds=0 <= base_tick < 1 << LOSS_BITS)
        b = self._books * w.BOOK
        t.books[b + w.BOOK_INSTRUMENT] = instrument
        t.books[b + w.BOOK_TICK], t.books[b + w.BOOK_STEP] = tick_e8, tick_e8 // lot_divisor
        t.books[b + w.BOOK_BASE] = base_tick
        t.books[b + w.BOOK_BID], t.books[b + w.BOOK_ASK] = -1, w.WINDOW
        self._books += 1
        t.book_of[instrument] = self._books

    def open_accounts(self, owners: Sequence[int] | Int64Array) -> int:
        """Open an account for each owner number; return the first of them."""
        t = self.tables
        first = int(t.scalars[w.ACCOUNTS])
        _need("accounts", holds=first + len(owners) <= self.limits.accounts)
        rows = t.rows.reshape(-1, self.limits.underlyings * w.ROW)
        rows[first : first + len(owners), w.OWNER] = owners
        t.scalars[w.ACCOUNTS] = first + len(owners)
        return first

    def _row(self, account: int) -> int:
        _need("account", holds=0 <= account < self.tables.scalars[w.ACCOUNTS])
        return account * self.limits.underlyings * w.ROW

    def add_cash(self, account: int, amount_e6: int, credit_e6: int = 0) -> None:
        """Add cash, and value of collateral after haircuts. [USD e-6]"""
        rows, row = self.tables.rows, self._row(account)
        for word, amount in ((w.CASH, amount_e6), (w.CREDIT, credit_e6)):
            total = int(rows[row + word]) + amount
            _need("cash", holds=abs(total) < 1 << CASH_BITS)
            rows[row + word] = total
        rows[row + w.BALANCE] += amount_e6 + credit_e6

    def set_position(self, account: int, instrument: int, lots: int, cost_e6: int) -> None:
        """Load a position; `reprice` must follow before the next batch."""
        t = self.tables
        self._row(account)
        _need("instrument", holds=0 <= instrument < ROWS and t.book_of[instrument] != 0)
        _need("lots", holds=0 < abs(lots) < 1 << LOTS_BITS)
        _need("cost", holds=abs(cost_e6) < 1 << (CASH_BITS + 1))
        slots = t.slots.reshape(-1, self.limits.positions, w.RECORD)[account]
        places = np.flatnonzero((slots[:, w.SLOT_KEY] == instrument + 1) | (slots[:, 0] == 0))
        _need("positions", holds=len(places) > 0)
        slots[places[0], : w.SLOT_COST + 1] = instrument + 1, lots, cost_e6
        self._is_stale = True

    def restore_order(
        self,
        order_id: int,
        account: int,
        instrument: int,
        price_e8: int,
        lots: int,
        *,
        is_reducing: bool,
    ) -> None:
        """Load a resting order, behind those at its price; `reprice` must follow.

        It was checked when it came in, so margin is not looked at; it must not cross the book.
        """
        t = self.tables
        self._row(account)
        _need("instrument", holds=0 <= instrument < ROWS and t.book_of[instrument] != 0)
        _need("orders", holds=bool(has_room(t)))
        _need("order id", holds=0 < order_id < 1 << 63 and find(t, order_id) == 0)
        _need("lots", holds=0 < abs(lots) < 1 << LOTS_BITS)
        book = int(t.book_of[instrument]) - 1
        bid, ask, tick_e8, base = (
            int(t.books[book * w.BOOK + word])
            for word in (w.BOOK_BID, w.BOOK_ASK, w.BOOK_TICK, w.BOOK_BASE)
        )
        tick = price_e8 // tick_e8 - base
        _need("price", holds=price_e8 % tick_e8 == 0 and 0 <= tick < w.WINDOW)
        _need("uncrossed", holds=tick < ask if lots > 0 else tick > bid)
        slot = int(find_slot(t, account, instrument))
        _need("positions", holds=slot != NO_SLOT)
        t.slots[slot] = instrument + 1
        place = int(take(t, order_id))
        words = tick, lots, account, book, w.REDUCE_ONLY if is_reducing else 0
        t.orders[place * w.RECORD + w.ORDER_TICK : place * w.RECORD + w.ORDER_NEXT] = words
        link(t, place)
        add_order(t, account, slot, lots, 1)
        self._is_stale = True

    def set_credit(self, account: int, credit_e6: int) -> None:
        """Replace the value of collateral after haircuts. [USD e-6]"""
        credit = int(self.tables.rows[self._row(account) + w.CREDIT])
        self.add_cash(account, 0, credit_e6 - credit)

    def reprice(
        self,
        losses_e6: Int32Array,
        lot_values_e6: Int64Array,
        funding_e6: Int64Array,
        charges_e6: Int64Array,
        peg_e6: int = 0,
    ) -> None:
        """Adopt a price tick and recompute every sum and balance, exactly.

        Parameters
        ----------
        losses_e6 : int32[ROWS, 36]
            Loss of one long lot in each scenario. [USD e-6]
        lot_values_e6, funding_e6 : int64[ROWS]
            Value of one long lot at the mark, and its cumulative funding. [USD e-6]
        charges_e6 : int64[ROWS, COLUMNS]
            Charges per lot, from `pricing.charge_table`. [USD e-6]
        peg_e6 : int
            By how much IM grows while the cash asset is off its peg, in [0, `MAX_PEG`].
        """
        t = self.tables
        listed = t.books.reshape(-1, w.BOOK)[: self._books]
        instruments = listed[:, w.BOOK_INSTRUMENT]
        values = lot_values_e6[instruments]
        _need("lot value", holds=bool((np.abs(values) < 1 << LOSS_BITS).all()))
        _need("charges", holds=is_in_range(charges_e6))
        _need("peg", holds=0 <= peg_e6 <= MAX_PEG_E6)
        t.losses[:] = losses_e6.reshape(-1)
        listed[:, w.BOOK_VALUE] = values
        listed[:, w.BOOK_FUNDING] = funding_e6[instruments]
        covers = t.scalars[w.COVERS : w.COVERS + MAX_UNDERLYINGS]
        rates, has_bounds = rate_table(charges_e6, covers)
        t.rates[:] = rates.reshape(-1)
        t.scalars[w.GROUPS_USED] = 1 + int(charges_e6[:, Charge.GROUP].max())
        t.scalars[w.IS_BOUND_FIRST] = self._is_bound_first and has_bounds
        t.scalars[w.IM_FACTOR] = ONE_E6 + peg_e6
        rerow(t)
        self._is_stale = False

    def submit(self, commands: Int64Array, start: int = 0, stop: int | None = None) -> Batch:
        """Do the commands ``start..stop`` (int64[n, 8], see `layout`) in order.

        `Batch.done` is less than `stop` when the event array might not hold the next command's
        events: take the events and submit again from there.
        """
        _need("positions without prices", holds=not self._is_stale)
        _need("commands", holds=commands.flags.c_contiguous and commands.dtype == np.int64)
        _need("command", holds=commands.ndim == 2 and commands.shape[1] == w.RECORD)
        end = len(commands) if stop is None else stop
        _need("range", holds=0 <= start <= end <= len(commands))
        done = run(self.tables, commands.reshape(-1), start, end, self._events)
        count = int(self.tables.scalars[w.EVENTS])
        return Batch(int(done), self._events.reshape(-1, w.RECORD)[:count])

    def recentre(self, instrument: int, base_tick: int) -> None:
        """Move the window of a book; refused when a resting order would fall outside."""
        t = self.tables
        _need("instrument", holds=0 <= instrument < ROWS and t.book_of[instrument] != 0)
        _need("base", holds=0 <= base_tick < 1 << LOSS_BITS)
        book = int(t.book_of[instrument]) - 1
        b = book * w.BOOK
        queue = self._places(book)
        move = int(t.books[b + w.BOOK_BASE]) - base_tick
        ticks = [int(t.orders[place * w.RECORD + w.ORDER_TICK]) + move for place in queue]
        _need("window", holds=all(0 <= tick < w.WINDOW for tick in ticks))
        t.levels[book * w.WINDOW * 2 : (book + 1) * w.WINDOW * 2] = 0
        t.bits[book * w.BITS : (book + 1) * w.BITS] = 0
        t.books[b + w.BOOK_BASE] = base_tick
        t.books[b + w.BOOK_BID], t.books[b + w.BOOK_ASK] = -1, w.WINDOW
        for place, tick in zip(queue, ticks, strict=True):
            t.orders[place * w.RECORD + w.ORDER_TICK] = tick
            link(t, place)

    def _places(self, book: int) -> list[int]:
        """Return the orders of a book: bids, then asks, each in priority."""
        t = self.tables
        levels = t.levels.reshape(-1, w.WINDOW, 2)[book, :, 0]
        ask = int(t.books[book * w.BOOK + w.BOOK_ASK])
        ticks = np.flatnonzero(levels).tolist()
        found = []
        for tick in [x for x in reversed(ticks) if x < ask] + [x for x in ticks if x >= ask]:
            place = int(levels[tick])
            while place:
                found.append(place)
                place = int(t.orders[place * w.RECORD + w.ORDER_NEXT])
        return found

    def orders(self, instrument: int) -> list[RestingOrder]:
        """Return the resting orders of a book: bids, then asks, each in priority."""
        t = self.tables
        book = int(t.book_of[instrument]) - 1
        tick_e8, base = (int(t.books[book * w.BOOK + k]) for k in (w.BOOK_TICK, w.BOOK_BASE))
        found = []
        for place in self._places(book):
            order_id, tick, lots, account, _, flags = t.orders.reshape(-1, w.RECORD)[
                place, :6
            ].tolist()
            price, is_reducing = (base + tick) * tick_e8, bool(flags & w.REDUCE_ONLY)
            found.append((order_id, account, instrument, price, lots, is_reducing))
        return found

    def positions(self, account: int) -> list[tuple[int, int, int]]:
        """Return (instrument, lots, cost) of every position, ascending by instrument."""
        self._row(account)
        slots = self.tables.slots.reshape(-1, self.limits.positions, w.RECORD)[account].tolist()
        return sorted((s[0] - 1, s[1], s[2]) for s in slots if s[0] and s[1])

    def cash(self, account: int) -> int:
        """Return the cash of an account. [USD e-6]"""
        return int(self.tables.rows[self._row(account) + w.CASH])

    def balance(self, account: int) -> int:
        """Return the margin balance of an account. [USD e-6]"""
        return int(self.tables.rows[self._row(account) + w.BALANCE])

    def sums(self, account: int, underlying: int = 0) -> tuple[list[int], list[int]]:
        """Return the 36 position sums, and what resting orders add to them. [USD e-6]"""
        at = self._row(account) + underlying * w.ROW
        rows = self.tables.rows
        positions = rows[at + w.SUMS : at + w.SUMS + SCENARIOS]
        totals = rows[at + w.TOTALS : at + w.TOTALS + SCENARIOS]
        return positions.tolist(), (totals - positions).tolist()

    def requirements(self, account: int) -> tuple[int, int]:
        """Return MM, and IM with resting orders, of an account. [USD e-6]"""
        self._row(account)
        t = self.tables
        due = maintenance(t, exact_base(t, account, is_initial=False))
        return int(due), int(initial(t, exact_base(t, account, is_initial=True)))

    def checks(self) -> Checks:
        """Return how many margin checks there were since the exchange was built."""
        return Checks(*self.tables.scalars[w.ORDERS_SEEN : w.FORESEEN + 1].tolist())

    def audit(self) -> bool:
        """Tell whether the sums and balances kept by adding equal those computed anew."""
        kept = self.tables.rows.copy()
        rerow(self.tables)
        return bool(np.array_equal(kept, self.tables.rows))
