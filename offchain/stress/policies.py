"""Liquidation policies to compare with: what is done below maintenance, and who pays the rest.

Each is a caricature of a family of venues, on the same accounts and the same book: which rule is
compared is said in each docstring. None is another venue's code. Everybody charges the same fee.
"""

from dataclasses import dataclass, field
from typing import Protocol

from offchain.core.breaker import BreakerTerms
from offchain.core.units import ONE_E6, SECOND_NS, ceil_div
from offchain.stress.lab import Lab
from offchain.stress.winners import Choice, deleverage_rest

MAINTENANCE_E6 = ONE_E6
COOL_NS = 30 * SECOND_NS
FIFTH = 5
LARGE_E6 = 100_000 * ONE_E6
"""Positions worth more are closed in steps (Hyperliquid's docs)."""


class LiquidationPolicy(Protocol):
    """A policy acts once after each move of the prices."""

    name: str
    title: str
    breaker: BreakerTerms | None
    """When adding risk is halted; None never halts it."""

    def act(self, lab: Lab) -> None:
        """Do what the policy does now."""
        ...


def sell_at_any_price(lab: Lab, account: int, place: int, lots: int) -> None:
    """Send lots to the book without a limit, and charge the fee."""
    left = lab.sell(account, place, lots, None)
    lab.charge(account, lab.fee_e6(place, abs(lots - left)))


@dataclass(slots=True)
class Binary:
    """Everything of an account at once, at any price; the fund pays, the rest is socialised."""

    name: str = "binary"
    title: str = "whole account at once, losses shared"
    breaker: BreakerTerms | None = None

    def act(self, lab: Lab) -> None:
        """Close everything of whoever is below maintenance."""
        for account in lab.due(MAINTENANCE_E6):
            lab.begin(account, MAINTENANCE_E6)
            for place, lots in lab.book.positions(account):
                sell_at_any_price(lab, account, place, -lots)
            lab.settle_debt(account)
            lab.tally.closed_whole.add(account)
        lab.see_marks()


@dataclass(slots=True)
class TwentyPercent:
    """A fifth of a large account every 30 s, small ones whole; a backstop below 2/3 of MM.

    Hyperliquid's documented steps, without its deleveraging: what the backstop does not take is
    sold at any price, and what the fund does not pay is socialised.
    """

    name: str = "twenty_percent"
    title: str = "20 % steps and a backstop, losses shared"
    breaker: BreakerTerms | None = None
    _again_ns: dict[int, int] = field(default_factory=dict)

    def act(self, lab: Lab) -> None:
        """Close a fifth of whoever is below maintenance and has cooled down."""
        lab.unwind_backstop()
        for account in lab.due(MAINTENANCE_E6):
            balance, required = lab.book.margin(account, lab.marks)
            is_late = balance * 3 < required * 2
            if not is_late and self._again_ns.get(account, 0) > lab.time_ns:
                continue
            lab.begin(account, MAINTENANCE_E6)
            held = lab.book.positions(account)
            is_large = sum(lab.value_e6(i, lots) for i, lots in held) > LARGE_E6
            if is_late or not is_large:
                self._close(lab, account, is_late=is_late)
                continue
            self._again_ns[account] = lab.time_ns + COOL_NS
            for place, lots in held:
                sell_at_any_price(lab, account, place, -_part(lots))
        lab.see_marks()

    def _close(self, lab: Lab, account: int, *, is_late: bool) -> None:
        for place, lots in lab.book.positions(account):
            left = lab.to_backstop(account, place, -lots) if is_late else -lots
            sell_at_any_price(lab, account, place, left)
        lab.settle_debt(account)
        lab.tally.closed_whole.add(account)


def _part(lots: int) -> int:
    part = ceil_div(abs(lots), FIFTH)
    return part if lots > 0 else -part


@dataclass(slots=True)
class Deleveraging:
    """Everything at once down to the bankruptcy price, then the fund, then deleveraging.

    `choose` is what differs. The fund pays for going beyond the bankruptcy price on the book as far
    as it reaches; then winners close the rest at the bankruptcy price.
    """

    name: str
    title: str
    choose: Choice
    breaker: BreakerTerms | None = None

    def act(self, lab: Lab) -> None:
        """Close whoever is below maintenance."""
        for account in lab.due(MAINTENANCE_E6):
            lab.begin(account, MAINTENANCE_E6)
            fee = sell_to_bankruptcy(lab, account)
            lab.insure(account, lab.fund_e6)
            deleverage_rest(lab, account, self.choose)
            lab.charge(account, fee)
            lab.settle_debt(account)
            lab.tally.closed_whole.add(account)
        lab.see_marks()


def sell_to_bankruptcy(lab: Lab, account: int) -> int:
    """Sell what the book takes no worse than at the bankruptcy prices; return the fee on it."""
    fee = 0
    for place, price in lab.bankruptcy_prices(account).items():
        lots = -int(lab.book.lots[account, place])
        left = lab.sell(account, place, lots, price)
        fee += lab.fee_e6(place, abs(lots - left))
    return fee
