"""Accounts and books of the slow twin, and its margin from scratch; see `reference`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.core.curves import Line
from offchain.core.margin import (
    fee_e6,
    initial_margin,
    is_valid_risk_change,
    maintenance_margin,
    trade_cost_e6,
)
from offchain.core.portfolio import portfolio_reference
from offchain.core.scan import order_sums_reference, scan_sums_reference
from offchain.core.units import RatioE6
from offchain.engine.hot.layout import Limits

BEYOND = (1 << 63) - 1
LIMIT = 1 << 58
"""A requirement of IM from here on is `BEYOND` every balance. [USD e-6]"""

Terms = tuple[int, int, int]
"""(instrument, signed lots, limit price e8) of an order that may fill."""


@dataclass(slots=True)
class ReferenceBook:
    """What a listing says about one instrument, and its orders in order of arrival."""

    tick_e8: int
    lot_divisor: int
    base_tick: int
    orders: list["ReferenceOrder"] = field(default_factory=list)


@dataclass(slots=True)
class ReferenceOrder:
    """A resting order."""

    order_id: int
    account: int
    instrument: int
    lots: int
    price_e8: int
    is_reducing: bool


@dataclass(slots=True)
class ReferenceAccount:
    """Cash, credit and positions of an account: instrument to [lots, cost]."""

    owner: int
    cash: int = 0
    credit: int = 0
    positions: dict[int, list[int]] = field(default_factory=dict)

    def trade(self, instrument: int, lots: int, cost_e6: int) -> None:
        """Add to a position; a closed one turns its cost into cash."""
        held = self.positions.setdefault(instrument, [0, 0])
        held[0] += lots
        held[1] += cost_e6
        if held[0] == 0:
            self.cash -= held[1]
            del self.positions[instrument]

    def lots(self, instrument: int) -> int:
        """Return the position in lots."""
        return self.positions.get(instrument, [0, 0])[0]


@dataclass(frozen=True)
class ReferenceRules:
    """A parameter set's part in margin: fee and factor, curves by underlying, and the cross terms.

    `terms` are offset, its cap, breakdown, and the calm cover of each underlying.
    """

    taker_fee_e6: int
    mm_factor_e6: int
    delta_curves: Sequence[Sequence[Line]]
    unwind_curves: Sequence[Sequence[Line]]
    terms: Sequence[int]


@dataclass
class ReferenceMargin:
    """Books, accounts and prices, and every margin figure added up anew."""

    limits: Limits
    rules: ReferenceRules
    books: dict[int, ReferenceBook] = field(default_factory=dict)
    accounts: list[ReferenceAccount] = field(default_factory=list)
    losses: Sequence[Sequence[int]] = ()
    values: Sequence[int] = ()
    funding: Sequence[int] = ()
    charges: Sequence[Sequence[int]] = ()
    peg_e6: int = 0

    def list_instrument(
        self, instrument: int, tick_e8: int, lot_divisor: int, base_tick: int
    ) -> None:
        """Open a book."""
        self.books[instrument] = ReferenceBook(tick_e8, lot_divisor, base_tick)

    def recentre(self, instrument: int, base_tick: int) -> None:
        """Move the window of a book."""
        self.books[instrument].base_tick = base_tick

    def reprice(
        self,
        losses: Sequence[Sequence[int]],
        values: Sequence[int],
        funding: Sequence[int],
        charges: Sequence[Sequence[int]],
        peg_e6: int = 0,
    ) -> None:
        """Adopt a price tick."""
        self.losses, self.values, self.funding = losses, values, funding
        self.charges, self.peg_e6 = charges, peg_e6

    def order(self, order_id: int) -> ReferenceOrder | None:
        """Return a resting order."""
        found = [o for book in self.books.values() for o in book.orders if o.order_id == order_id]
        return found[0] if found else None

    def orders_of(self, account: int) -> list[ReferenceOrder]:
        """Return the resting orders of an account."""
        return [o for book in self.books.values() for o in book.orders if o.account == account]

    def side(self, instrument: int, sign: int) -> list[ReferenceOrder]:
        """Return the bids (sign positive) or asks in priority: best price, then first come."""
        rests = [o for o in self.books[instrument].orders if o.lots * sign > 0]
        return sorted(rests, key=lambda o: -o.price_e8 if sign > 0 else o.price_e8)

    def lot_price(self, instrument: int, price_e8: int) -> int:
        """Return the value of one lot at a price. [USD e-6]"""
        return price_e8 // self.books[instrument].lot_divisor

    def slippage(self, instrument: int, price_e8: int) -> int:
        """Return price less mark, of one lot. [USD e-6]"""
        return self.lot_price(instrument, price_e8) - self.values[instrument]

    def balance(self, account: int) -> int:
        """Return the margin balance. [USD e-6]"""
        owned = self.accounts[account]
        open_value = sum(
            lots * (self.values[i] - self.funding[i]) - cost
            for i, (lots, cost) in owned.positions.items()
        )
        return owned.cash + owned.credit + open_value

    def sums(
        self, account: int, orders: Sequence[Terms]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Return position sums and order sums of each underlying. [USD e-6]"""
        held = self.accounts[account].positions
        lots = [n for n, _ in held.values()]
        slips = [self.slippage(i, price) for i, _, price in orders]
        return (
            scan_sums_reference(list(held), lots, self.losses),
            order_sums_reference(
                [o[0] for o in orders], [o[1] for o in orders], slips, self.losses
            ),
        )

    def lines(self, account: int, orders: Sequence[Terms]) -> list[tuple[int, int, int, int]]:
        """Return instrument, position, and what orders would buy and sell of it."""
        held = self.accounts[account].positions
        return [
            (
                i,
                held[i][0] if i in held else 0,
                sum(max(0, lots) for other, lots, _ in orders if other == i),
                sum(max(0, -lots) for other, lots, _ in orders if other == i),
            )
            for i in sorted({*held, *(order[0] for order in orders)})
        ]

    def margins(self, account: int, orders: Sequence[Terms]) -> tuple[int, int]:
        """Return MM, and IM with every term at its worst subset of the orders. [USD e-6]"""
        rules = self.rules
        addons, risk, risk_with_orders, _ = portfolio_reference(
            self.lines(account, orders),
            [(i, lots, self.slippage(i, price)) for i, lots, price in orders],
            self.losses,
            self.charges,
            rules.delta_curves,
            rules.unwind_curves,
            rules.terms,
        )
        due = maintenance_margin(
            risk, addons.maintenance_e6, RatioE6(rules.mm_factor_e6), addons.unwind_e6
        )
        base = max(risk_with_orders + addons.initial_e6, addons.im_unwind_e6)
        initial = initial_margin(base, RatioE6(self.peg_e6), due)
        return due, initial if base < LIMIT else BEYOND

    def terms(self, account: int) -> list[Terms]:
        """Return the resting orders of an account as terms."""
        return [(o.instrument, o.lots, o.price_e8) for o in self.orders_of(account)]

    def cost(self, instrument: int, lots: int, price_e8: int) -> int:
        """Return what a trade adds to the cost of a position. [USD e-6]"""
        divisor = self.books[instrument].lot_divisor
        return trade_cost_e6(lots, price_e8, divisor, self.funding[instrument])

    def fee(self, instrument: int, lots: int, price_e8: int) -> int:
        """Return the taker's fee, rounded up. [USD e-6]"""
        divisor = self.books[instrument].lot_divisor
        return fee_e6(lots, price_e8, divisor, RatioE6(self.rules.taker_fee_e6))

    def is_valid_trade(
        self, account: int, instrument: int, lots: int, price_e8: int, fee: int = 0
    ) -> bool:
        """Tell whether a trade is a change of risk that INV-7 allows, orders left out."""
        owned = self.accounts[account]
        before = self.balance(account), self.margins(account, ())[0]
        kept = owned.cash, {i: list(held) for i, held in owned.positions.items()}
        owned.trade(instrument, lots, self.cost(instrument, lots, price_e8))
        owned.cash -= fee
        after = self.balance(account), self.margins(account, ())[0]
        owned.cash, owned.positions = kept
        return is_valid_risk_change(*before, *after)
