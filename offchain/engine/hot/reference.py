"""The slow readable twin of the batched core: unbounded integers, lists, everything from scratch.

It keeps no sums: each check adds up all positions and orders again, and a command that is refused
is simply not done. `kernel.run` must give the same events and leave the same accounts.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from offchain.core.margin import is_valid_risk_change
from offchain.core.units import LOSS_BITS, LOTS_BITS, MAX_ORDERS
from offchain.engine.events import Closing
from offchain.engine.hot.layout import (
    REDUCE_ONLY,
    TIF_MASK,
    WINDOW,
    Action,
    HotReason,
    Outcome,
)
from offchain.engine.hot.reference_margin import ReferenceMargin, ReferenceOrder, Terms
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.messages import TimeInForce
from offchain.engine.reasons import Reason

LOTS_LIMIT = 1 << LOTS_BITS
FUND = 0
Event = tuple[int, ...]


class RefusedError(Exception):
    """A command is refused, with a reason and up to two figures."""

    def __init__(self, reason: int, first: int = 0, second: int = 0) -> None:
        super().__init__(reason)
        self.words = (int(reason), first, second)


@dataclass
class ReferenceExchange(ReferenceMargin):
    """The batched core, one command at a time."""

    events: list[Event] = field(default_factory=list)
    command: int = 0

    def submit(self, commands: Iterable[Sequence[int]]) -> list[Event]:
        """Do every command and return the events."""
        self.events = []
        for self.command, words in enumerate(commands):
            kind, order_id, account, instrument, price, lots, flags = words[:7]
            try:
                self.check_account(account)
                if kind == Action.CANCEL:
                    self.cancel(order_id, account)
                elif kind == Action.AMEND:
                    self.amend(order_id, account, price, lots, flags)
                elif kind == Action.PLACE:
                    self.place(order_id, account, instrument, price, lots, flags)
                else:
                    raise RefusedError(HotReason.BAD_COMMAND)
            except RefusedError as refused:
                self.emit(Outcome.REFUSED, order_id, account, instrument, *refused.words)
        return self.events

    def emit(self, kind: Outcome, order_id: int, account: int, instrument: int, *more: int) -> None:
        """Append an event, padded with zeros to eight words."""
        words = (int(kind), self.command, order_id, account, instrument, *(int(x) for x in more))
        self.events.append(words + (0,) * (8 - len(words)))

    # Commands.

    def check_account(self, account: int) -> None:
        """Refuse unknown accounts and the insurance fund."""
        if not 0 <= account < len(self.accounts):
            raise RefusedError(Reason.UNKNOWN_ACCOUNT)
        if account == FUND:
            raise RefusedError(Reason.RESERVED_ACCOUNT)

    def own_order(self, order_id: int, account: int) -> ReferenceOrder:
        """Return a resting order of the account."""
        order = self.order(order_id)
        if order is None or order.account != account:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        return order

    def cancel(self, order_id: int, account: int) -> None:
        """Take an order out of the book."""
        order = self.own_order(order_id, account)
        self.close(order, Closing.CANCELLED)

    def close(self, order: ReferenceOrder, closing: Closing) -> None:
        """Take an order out of the book and say why."""
        self.books[order.instrument].orders.remove(order)
        self.emit(Outcome.CLOSED, order.order_id, order.account, order.instrument, closing)

    @staticmethod
    def is_form_bad(flags: int, *, is_amend: bool = True) -> bool:
        """Tell whether flags are unknown, or an amendment would not rest."""
        tif = flags & TIF_MASK
        is_late = is_amend and tif == TimeInForce.IMMEDIATE_OR_CANCEL
        return bool(flags & ~(TIF_MASK | REDUCE_ONLY)) or tif > TimeInForce.POST_ONLY or is_late

    def place(
        self, order_id: int, account: int, instrument: int, price: int, lots: int, flags: int
    ) -> None:
        """Check, match and rest a new order."""
        if self.is_form_bad(flags, is_amend=False):
            raise RefusedError(HotReason.BAD_COMMAND)
        if order_id <= 0:
            raise RefusedError(HotReason.BAD_ORDER_ID)
        if self.order(order_id):
            raise RefusedError(HotReason.ORDER_EXISTS)
        if instrument not in self.books:
            raise RefusedError(Reason.UNKNOWN_INSTRUMENT)
        self.check_terms(instrument, price, lots)
        order = ReferenceOrder(
            order_id, account, instrument, lots, price, bool(flags & REDUCE_ONLY)
        )
        self.admit(order, flags & TIF_MASK, None)
        self.attempt(order, flags & TIF_MASK, None)

    def amend(self, order_id: int, account: int, price: int, lots: int, flags: int) -> None:
        """Shrink an order where it is, or put it in again as a cancel and a new order would."""
        if self.is_form_bad(flags):
            raise RefusedError(HotReason.BAD_COMMAND)
        old = self.own_order(order_id, account)
        instrument = old.instrument
        if lots * old.lots < 0:
            raise RefusedError(Reason.BAD_SIZE)
        self.check_terms(instrument, price, lots)
        if price == old.price_e8 and abs(lots) <= abs(old.lots):
            old.lots = lots
            words = (price, lots, old.is_reducing)
            self.emit(Outcome.SHRUNK, order_id, account, instrument, *words)
            return
        order = ReferenceOrder(order_id, account, instrument, lots, price, old.is_reducing)
        self.admit(order, flags & TIF_MASK, old)
        self.attempt(order, flags & TIF_MASK, old)

    def check_terms(self, instrument: int, price_e8: int, lots: int) -> None:
        """Refuse a bad size or price."""
        book = self.books[instrument]
        if lots == 0 or abs(lots) >= LOTS_LIMIT:
            raise RefusedError(Reason.BAD_SIZE)
        if price_e8 <= 0 or price_e8 % book.tick_e8 or price_e8 // book.lot_divisor >> LOSS_BITS:
            raise RefusedError(Reason.BAD_PRICE)
        if not book.base_tick <= price_e8 // book.tick_e8 < book.base_tick + WINDOW:
            raise RefusedError(HotReason.PRICE_WINDOW)

    def admit(self, order: ReferenceOrder, tif: int, old: ReferenceOrder | None) -> None:
        """Hold a reducing order to its position; refuse what limits and margin do not allow."""
        account, instrument = order.account, order.instrument
        position = self.accounts[account].lots(instrument)
        if order.is_reducing:
            size = min(abs(order.lots), abs(position)) if position * order.lots < 0 else 0
            order.lots = size if order.lots > 0 else -size
        if order.lots == 0:
            raise RefusedError(Reason.NOTHING_TO_REDUCE)
        own = [o for o in self.orders_of(account) if o is not old]
        self.check_limits(order, tif, own, is_new=old is None)
        self.check_margin(order, [(o.instrument, o.lots, o.price_e8) for o in own])

    def check_limits(
        self, order: ReferenceOrder, tif: int, own: list[ReferenceOrder], *, is_new: bool
    ) -> None:
        """Refuse what an account or the book may not hold."""
        held, instrument, lots = self.accounts[order.account], order.instrument, order.lots
        if is_new and len(own) >= MAX_ORDERS:
            raise RefusedError(Reason.TOO_MANY_ORDERS)
        if len({*held.positions, *(o.instrument for o in own), instrument}) > self.limits.positions:
            raise RefusedError(Reason.TOO_MANY_POSITIONS)
        same = sum(o.lots for o in own if o.instrument == instrument and o.lots * lots > 0)
        if abs(held.lots(instrument) + same + lots) >= LOTS_LIMIT:
            raise RefusedError(Reason.POSITION_LIMIT)
        if tif == TimeInForce.POST_ONLY and self.crossing(order):
            raise RefusedError(Reason.WOULD_CROSS)
        live = sum(len(book.orders) for book in self.books.values())
        is_full = live >= self.limits.orders
        if is_new and tif != TimeInForce.IMMEDIATE_OR_CANCEL and is_full:
            raise RefusedError(HotReason.BOOK_FULL)

    def check_margin(self, order: ReferenceOrder, own: list[Terms]) -> None:
        """Refuse unless initial margin is met however the orders fill, or risk is reduced."""
        account, instrument, lots, price = (
            order.account,
            order.instrument,
            order.lots,
            order.price_e8,
        )
        most = self.fee(instrument, lots, price) + min(abs(lots), MATCH_LIMIT) - 1
        balance = self.balance(account) - most
        required = self.margins(account, [*own, (instrument, lots, price)])[1]
        if balance >= required:
            return
        if order.is_reducing and self.is_valid_trade(account, instrument, lots, price, most):
            return
        raise RefusedError(Reason.INSUFFICIENT_MARGIN, balance, required)

    def crossing(self, order: ReferenceOrder) -> list[ReferenceOrder]:
        """Return the orders that an incoming one could trade with, in priority."""
        return [
            maker
            for maker in self.side(order.instrument, -order.lots)
            if (order.price_e8 - maker.price_e8) * order.lots >= 0
        ]

    def attempt(self, order: ReferenceOrder, tif: int, old: ReferenceOrder | None) -> None:
        """Match and rest; take everything back when the outcome leaves IM uncovered (E-4, E-5)."""
        account, instrument = order.account, order.instrument
        kept = copy.deepcopy((self.books, self.accounts))
        count = len(self.events)
        before = self.balance(account), self.margins(account, ())[0]
        held = self.accounts[account].lots(instrument)
        if old is not None:
            words = (order.price_e8, order.lots, order.is_reducing)
            self.emit(Outcome.AMENDED, order.order_id, account, instrument, *words)
            self.books[instrument].orders.remove(old)
        self.execute(order, tif)
        if self.accounts[account].lots(instrument) == held:  # makers are on one side: no trade
            return
        balance, required = self.balance(account), self.margins(account, self.terms(account))[1]
        if balance >= required:
            return
        after = balance, self.margins(account, ())[0]
        if order.is_reducing and is_valid_risk_change(*before, *after):
            return
        self.books, self.accounts = kept
        del self.events[count:]
        raise RefusedError(Reason.INSUFFICIENT_MARGIN, balance, required)

    def execute(self, order: ReferenceOrder, tif: int) -> None:
        """Match, and rest what is left."""
        is_cut = False
        for touched, maker in enumerate(self.crossing(order)):
            if order.lots == 0:
                break
            if touched == MATCH_LIMIT:
                is_cut = True
                break
            self.meet(order, maker)
        if order.lots == 0:
            return
        account, instrument = order.account, order.instrument
        if is_cut or tif == TimeInForce.IMMEDIATE_OR_CANCEL:
            self.emit(Outcome.CLOSED, order.order_id, account, instrument, Closing.UNFILLED)
            return
        self.books[instrument].orders.append(order)
        words = (order.price_e8, order.lots, order.is_reducing)
        self.emit(Outcome.RESTED, order.order_id, account, instrument, *words)

    def meet(self, order: ReferenceOrder, maker: ReferenceOrder) -> None:
        """Trade with one maker, or close it."""
        instrument, price = maker.instrument, maker.price_e8
        giver, taker = self.accounts[maker.account], self.accounts[order.account]
        if giver.owner == taker.owner:
            self.close(maker, Closing.SELF_TRADE)
            return
        position = giver.lots(instrument)
        size = min(abs(maker.lots), abs(order.lots))
        if maker.is_reducing:
            size = min(size, abs(position) if position * maker.lots < 0 else 0)
        if size == 0:
            self.close(maker, Closing.REDUCED)
            return
        lots = size if maker.lots > 0 else -size
        is_within = abs(position + lots) < LOTS_LIMIT
        if not is_within or not self.is_valid_trade(maker.account, instrument, lots, price):
            self.close(maker, Closing.MARGIN)
            return
        fee = self.fee(instrument, size, price)
        giver.trade(instrument, lots, self.cost(instrument, lots, price))
        taker.trade(instrument, -lots, self.cost(instrument, -lots, price))
        taker.cash -= fee
        self.accounts[FUND].cash += fee
        self.emit(Outcome.FILLED, maker.order_id, maker.account, instrument, price, -lots, fee)
        maker.lots -= lots
        order.lots += lots
        if maker.lots == 0:
            self.books[instrument].orders.remove(maker)
        elif order.lots:
            self.close(maker, Closing.REDUCED)
