"""The bench on which policies work: a book, its markets, a clock, and what was done to whom.

A policy asks who is below a trigger and acts; it changes the book by the methods of `Lab` alone, so
that all of it is counted the same way.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from offchain.core.bankruptcy import MarkedLeg, neutral_prices, room_e6
from offchain.core.bisection import smallest
from offchain.core.deleverage import Share
from offchain.core.presets import LIQUIDATION
from offchain.core.units import ONE_E6, ceil_div
from offchain.stress.book import (
    BACKSTOP,
    CONTRACTS,
    FIRST_TRADER,
    INSURANCE,
    SOCIALISED,
    Book,
    Marks,
)
from offchain.stress.impact import Market
from offchain.stress.second_look import is_wrongful
from offchain.stress.tally import Tally

FILL_E6 = 250_000 * ONE_E6
"""Of a fill, every maker takes about so much."""
BACKSTOP_LEVERAGE = 5
"""Gross notional of the backstop over its equity, at most: a bucket with a cap."""
CALM_PREMIUM = 0.002
UNWIND_PARTS = 20
"""In calm moments the backstop trades a twentieth of what it holds at each step."""


@dataclass(slots=True)
class Lab:
    """One venue under one policy."""

    book: Book
    markets: Sequence[Market]
    makers: Sequence[int]
    source: random.Random
    time_ns: int = 0
    marks: Marks = ()
    tally: Tally = field(default_factory=Tally)
    _next_maker: int = 0
    _since: dict[int, int] = field(default_factory=dict)

    def tick(self, indices_e8: Sequence[int], time_ns: int) -> None:
        """Move prices and the clock."""
        elapsed = time_ns - self.time_ns if self.time_ns else 0
        for market, index in zip(self.markets, indices_e8, strict=True):
            market.tick(index, time_ns, elapsed)
        self.time_ns = time_ns
        self.see_marks()

    def see_marks(self) -> None:
        """Take the marks as the books have them now."""
        self.marks = tuple(market.mark_e8 for market in self.markets)

    def below(self, trigger_e6: int) -> list[int]:
        """Return the traders below a margin ratio, or with a debt, the worst first."""
        balance, required = self.book.margins(self.marks)
        last = self.makers[0]
        # a superset without wrapping: the quotient is rounded down, balances stay below 2**60
        near = (balance[:last] < 0) | (balance[:last] // trigger_e6 * ONE_E6 < required[:last])
        near[:FIRST_TRADER] = False
        found = []
        for account in np.flatnonzero(near).tolist():
            own, due = int(balance[account]), int(required[account])
            if own < 0 or own * ONE_E6 < trigger_e6 * due:
                found.append((own * ONE_E6 // max(1, due), account))
        return [account for _, account in sorted(found)]

    def due(self, trigger_e6: int) -> Iterator[int]:
        """Yield the same, each if he is still below when his turn comes.

        What is done to one may mend another, as when he is deleveraged against him. Since when each
        of them waits to be acted on is remembered.
        """
        found = self.below(trigger_e6)
        self._since = {account: self._since.get(account, self.time_ns) for account in found}
        for account in found:
            own, due = self.book.margin(account, self.marks)
            if own < 0 or own * ONE_E6 < trigger_e6 * due:
                yield account

    def begin(self, account: int, trigger_e6: int) -> None:
        """Count a step on an account, how long it waited for it, and whether it was right."""
        held = [
            (lots, int(self.book.cost_e6[account, i]), self._lot_value(i))
            for i, lots in self.book.positions(account)
        ]
        self.tally.wrongful += is_wrongful(int(self.book.cash_e6[account]), held, trigger_e6)
        waited = self.time_ns - self._since.get(account, self.time_ns)
        self.tally.waited_ns = max(self.tally.waited_ns, waited)
        self._since[account] = self.time_ns
        self.tally.steps += 1
        self.tally.touched.add(account)

    def _lot_value(self, place: int) -> Fraction:
        return Fraction(self.marks[place], CONTRACTS[place].lot_divisor)

    def value_e6(self, place: int, lots: int) -> int:
        """Return the notional of lots at the mark, not negative. [USD e-6]"""
        return abs(CONTRACTS[place].value_e6(lots, self.marks[place]))

    def legs(self, changes: Sequence[tuple[int, int]]) -> list[MarkedLeg]:
        """Return legs (contract, signed change) at the marks."""
        return [
            MarkedLeg(lots, self.marks[i], CONTRACTS[i].lot_divisor, CONTRACTS[i].tick_e8)
            for i, lots in changes
        ]

    def bankruptcy_prices(self, account: int) -> dict[int, int]:
        """Return the price of each contract held at which the account ends with nothing."""
        held = self.book.positions(account)
        if not held:
            return {}
        balance, required = self.book.margin(account, self.marks)
        room = room_e6(balance, max(1, required), 0)
        prices = neutral_prices(self.legs([(i, -lots) for i, lots in held]), room)
        return {i: price for (i, _), price in zip(held, prices, strict=True)}

    def sell(self, account: int, place: int, lots: int, limit_e8: int | None) -> int:
        """Liquidate on the book, against the makers; return the lots left."""
        filled, price = self.markets[place].take(lots, limit_e8)
        if filled:
            self._with_makers(account, place, filled, price)
            self.tally.liquidated_e6 += self.value_e6(place, filled)
        return lots - filled

    def enter(self, account: int, place: int, lots: int) -> None:
        """Let a trader add risk on the book."""
        filled, price = self.markets[place].take(lots)
        if filled:
            self._with_makers(account, place, filled, price)
            self.tally.added_e6 += self.value_e6(place, filled)

    def to_backstop(self, account: int, place: int, lots: int) -> int:
        """Hand lots to the backstop at the mark while its bucket has room; return the lots left.

        All or nothing, and only from an account that still has a balance.
        """
        if not lots or self.book.margin(account, self.marks)[0] < 0:
            return lots
        own, _ = self.book.margin(BACKSTOP, self.marks)
        held = dict(self.book.positions(BACKSTOP))
        held[place] = held.get(place, 0) - lots
        if sum(self.value_e6(i, n) for i, n in held.items()) > own * BACKSTOP_LEVERAGE:
            return lots
        self.book.trade(account, BACKSTOP, place, lots, self.marks[place])
        self.tally.liquidated_e6 += self.value_e6(place, lots)
        self.tally.backstop_e6 += self.value_e6(place, lots)
        return 0

    def unwind_backstop(self) -> None:
        """Trade a part of what the backstop holds where the book is calm."""
        for place, lots in self.book.positions(BACKSTOP):
            market = self.markets[place]
            if abs(market.premium) < CALM_PREMIUM:
                part = ceil_div(abs(lots), UNWIND_PARTS)
                filled, price = market.take(-part if lots > 0 else part)
                if filled:
                    self._with_makers(BACKSTOP, place, filled, price)

    def charge(self, account: int, fee_e6: int) -> None:
        """Charge a liquidation fee, as far as there is a balance."""
        balance, _ = self.book.margin(account, self.marks)
        amount = max(0, min(fee_e6, balance))
        self.book.pay(account, INSURANCE, amount)
        self.tally.fees_e6 += amount

    def fee_e6(self, place: int, lots: int) -> int:
        """Return the liquidation fee on lots: the same rate for every policy. [USD e-6]"""
        return ceil_div(self.value_e6(place, lots) * LIQUIDATION.fee_e6, ONE_E6)

    def insure(self, account: int, most_e6: int) -> int:
        """Go beyond the bankruptcy prices on the book as far as the fund pays for it, at once.

        The account is paid what a fill costs beyond its bankruptcy price, so that the price of
        whatever is left stays what it was, and deleveraging bears none of what the fund paid. What
        the book did not take is left with its debt paid, as far as there is money (A-1).

        Returns
        -------
        int
            What the fund paid. [USD e-6]
        """
        at_first = left = max(0, min(most_e6, self.fund_e6))
        for place, held in self.book.positions(account):
            lots, price = -held, self.bankruptcy_prices(account)[place]
            count = self._affordable(place, lots, price, left)
            filled, fill_e8 = self.markets[place].take(count if lots > 0 else -count)
            if filled:
                self._with_makers(account, place, filled, fill_e8)
                self.tally.liquidated_e6 += self.value_e6(place, filled)
                left -= self._pay_debt(account, max(0, self._beyond(place, filled, price, fill_e8)))
        debt = -self.book.margin(account, self.marks)[0]
        left -= self._pay_debt(account, max(0, min(left, debt)))
        return at_first - left

    def settle_debt(self, account: int, most_e6: int | None = None) -> int:
        """With nothing held any more: the fund pays a debt, the rest is socialised; return paid."""
        debt = -int(self.book.cash_e6[account])
        if debt <= 0 or self.book.positions(account):
            return 0
        paid = self._pay_debt(account, debt if most_e6 is None else min(debt, most_e6))
        self.tally.deficit_e6 += debt - paid
        self.tally.socialised_e6 += debt - paid
        self.book.pay(SOCIALISED, account, debt - paid)
        return paid

    def auction(self, size_e6: int, maker: int, bonus_e6: int) -> None:
        """Count a slice that was sold, and let the fund pay for the debt that came with it."""
        self.tally.liquidated_e6 += size_e6
        self.tally.auctioned_e6 += size_e6
        self._pay_debt(maker, bonus_e6)

    @property
    def fund_e6(self) -> int:
        """What the insurance fund has."""
        return max(0, int(self.book.cash_e6[INSURANCE]))

    def deleverage(
        self, account: int, place: int, lots: int, price_e8: int, shares: Sequence[Share]
    ) -> int:
        """Close a bankrupt position against winners at a price; return the lots left.

        What shares close beyond the position is overshoot: the backstop takes the other side of it.
        """
        contract, sign = CONTRACTS[place], 1 if lots > 0 else -1
        left, closed = abs(lots), 0
        worse = sign * ((self.marks[place] - price_e8) // contract.lot_divisor)
        for share in shares:
            matched = min(left, share.lots)
            was_sound = self._is_sound(share.account)
            self.book.trade(account, share.account, place, sign * matched, price_e8)
            self._overshoot(share, share.lots - matched, place, sign, price_e8)
            self.tally.weakened += was_sound and not self._is_sound(share.account)
            left -= matched
            closed += share.lots
            self.tally.deleveraged_e6 += max(0, matched * worse)
            self.tally.deficit_e6 += max(0, matched * worse)
            self.tally.deleveraged_notional_e6 += self.value_e6(place, share.lots)
            self.tally.deleveraged_fills += 1
            self.tally.deleveraged_accounts.add(share.account)
        excess = closed - (abs(lots) - left)
        self.tally.overshoot_lots_max = max(self.tally.overshoot_lots_max, excess)
        return sign * left

    def _overshoot(self, share: Share, excess: int, place: int, sign: int, price_e8: int) -> None:
        if excess:
            self.book.trade(BACKSTOP, share.account, place, sign * excess, price_e8)
            self.tally.overshoot_lots += excess
            self.tally.overshoot_e6 += self.value_e6(place, excess)

    def _is_sound(self, account: int) -> bool:
        balance, required = self.book.margin(account, self.marks)
        return balance >= required

    def _pay_debt(self, account: int, amount_e6: int) -> int:
        paid = min(amount_e6, self.fund_e6)
        self.book.pay(INSURANCE, account, paid)
        self.tally.deficit_e6 += paid
        self.tally.insured_e6 += paid
        return paid

    def _beyond(self, place: int, filled: int, price_e8: int, fill_e8: int) -> int:
        """Return what a fill costs beyond a price; negative where it was better."""
        return filled * ((fill_e8 - price_e8) // CONTRACTS[place].lot_divisor)

    def _affordable(self, place: int, lots: int, price_e8: int, most_e6: int) -> int:
        """Return how many lots (a magnitude) may trade beyond a price for so much money."""
        sign = 1 if lots > 0 else -1

        def fits(count: int) -> bool:
            filled, fill_e8 = self.markets[place].quote(sign * count)
            is_whole = abs(filled) == count
            return is_whole and self._beyond(place, filled, price_e8, fill_e8) <= most_e6

        return largest(abs(lots), fits)

    def _with_makers(self, account: int, place: int, lots: int, price_e8: int) -> None:
        """Share a fill among makers, in turn, a part for each."""
        sign, left = (1 if lots > 0 else -1), abs(lots)
        count = min(len(self.makers), 1 + self.value_e6(place, lots) // FILL_E6)
        part = ceil_div(left, count)
        while left:
            maker = self.makers[self._next_maker % len(self.makers)]
            self._next_maker += 1
            taken = min(part, left)
            self.book.trade(account, maker, place, sign * taken, price_e8)
            left -= taken


def largest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest count up to `most` that fits, where what fits is an interval from zero."""
    if fits(most):
        return most
    return smallest(0, most, lambda count: not fits(count)) - 1
