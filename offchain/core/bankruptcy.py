"""At which prices a step leaves the account no worse: the neutral and the bankruptcy price.

A step that closes legs at their marks releases maintenance margin and costs nothing. What it may
cost without lowering the margin ratio is the part of the balance that stood behind what it
releases; when everything is closed that is the whole balance. This *room* is spread over the legs
by their value at the mark, and each leg's share moves its price away from the mark. Where the
balance is negative the price is better than the mark, and whoever takes the leg at it takes over
the deficit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.units import PriceE8, ceil_div, floor_div


@dataclass(frozen=True, slots=True)
class MarkedLeg:
    """What a step closes, valued at the mark.

    Attributes
    ----------
    lots : int
        Signed change: negative for a sale. [lots]
    mark_e8 : int
        Per unit of the underlying, not negative. [USD e-8]
    lot_divisor : int
        Price units of one lot's USD e-6: ``value of a lot = price // lot_divisor``.
    tick_e8 : int
        A multiple of the divisor. [USD e-8]
    """

    lots: int
    mark_e8: int
    lot_divisor: int
    tick_e8: int

    @property
    def weight(self) -> int:
        """Its value at the mark, at least one. [USD e-6]"""
        return max(1, abs(self.lots) * (self.mark_e8 // self.lot_divisor))


def room_e6(balance_e6: int, before_e6: int, after_e6: int) -> int:
    """Return what a step may cost: the balance behind the MM that it releases, rounded down.

    Parameters
    ----------
    balance_e6 : int
        Margin balance at the marks.
    before_e6, after_e6 : int
        Maintenance margin before and after; `after_e6` is zero when everything is closed, and then
        the whole balance is the room.
    """
    if before_e6 <= after_e6:
        return min(0, balance_e6)
    return floor_div(balance_e6 * (before_e6 - after_e6), before_e6)


def neutral_prices(legs: Sequence[MarkedLeg], room: int) -> tuple[PriceE8, ...]:
    """Return the worst price of each leg that keeps the step within its room. [USD e-8]

    A sale's price is rounded up to the tick and a purchase's down, so that all legs together never
    cost more than the room. No price is below one tick: a purchase at it may cost more.
    """
    return tuple(_price(leg, share) for leg, share in zip(legs, _shares(legs, room), strict=True))


def limit_prices(
    legs: Sequence[MarkedLeg], room: int, bands_e8: Sequence[int]
) -> tuple[PriceE8, ...]:
    """Return the worst price at which each leg may trade on the book. [USD e-8]

    No worse than the neutral price, nor than the leg's own band. A purchase of which one tick costs
    more than its share of the room gets zero: nobody sells at that. So whatever legs trade within
    these prices, however much of each, they cost no more than the room; `room` is not negative.
    """
    limits = []
    for leg, share, band in zip(legs, _shares(legs, room), bands_e8, strict=True):
        price = _price(leg, share)
        if leg.lots < 0:
            limits.append(PriceE8(max(price, band)))
        else:
            limits.append(PriceE8(min(price, band) if cost_e6([leg], [price]) <= share else 0))
    return tuple(limits)


def _shares(legs: Sequence[MarkedLeg], room: int) -> list[int]:
    """Return each leg's share of the room, by its weight, rounded down. [USD e-6]"""
    total = sum(leg.weight for leg in legs)
    return [floor_div(room * leg.weight, total) for leg in legs]


def _price(leg: MarkedLeg, room: int) -> PriceE8:
    """Return the mark, moved by what the leg's room is for each lot."""
    count = abs(leg.lots)
    if leg.lots < 0:
        exact = leg.mark_e8 * count - room * leg.lot_divisor
        return PriceE8(max(1, ceil_div(exact, count * leg.tick_e8)) * leg.tick_e8)
    exact = leg.mark_e8 * count + room * leg.lot_divisor
    return PriceE8(max(1, floor_div(exact, count * leg.tick_e8)) * leg.tick_e8)


def cost_e6(legs: Sequence[MarkedLeg], prices: Sequence[int]) -> int:
    """Return what trading every leg at its price costs against the marks; negative for a gain."""
    return sum(
        leg.lots * (price - leg.mark_e8) // leg.lot_divisor
        for leg, price in zip(legs, prices, strict=True)
    )
