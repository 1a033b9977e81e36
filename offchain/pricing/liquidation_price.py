"""Liquidation prices: where the excess of an account (margin balance - MM) first is negative.

A linear account has a closed form (reference: margin model, section 2.10):

    P = (s q E - C - D) / (q (s - m))

for one position of side s and size q entered at E, with C the cash and all else that does not move
with the price, and m and D rate and deduction of the tier. Tiers are a convex curve, whose value is
the largest of their lines (`offchain.core.curves`): the account fails where it fails on any line,
so the first failure on the way down (a short: up) lies on the line of its own tier.

An account with options has none, one or two prices, below and above; they are searched on ticks.

Every price is a tick at which the excess is negative, while one tick nearer it is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from offchain.core.units import ONE_E6, PriceE8, ceil_div, floor_div

CELLS = 64
"""Coarse steps of a search to each side."""


class PriceReason(IntEnum):
    """Why there is a liquidation price, or none."""

    FOUND = 0
    NEVER_WITHIN_RANGE = 1  # no failure at the prices that were looked at
    ALREADY_BELOW = 2  # the account fails now
    NO_POSITIONS = 3  # nothing moves with the price


@dataclass(frozen=True, slots=True)
class LiquidationPrices:
    """The nearest failing tick below and above the price, each with its reason. [USD e-8]."""

    lower_e8: PriceE8 | None
    lower_reason: PriceReason
    upper_e8: PriceE8 | None
    upper_reason: PriceReason


def _without(reason: PriceReason) -> LiquidationPrices:
    return LiquidationPrices(None, reason, None, reason)


def _one_side(price_e8: int | None, *, below: bool) -> LiquidationPrices:
    never = PriceReason.NEVER_WITHIN_RANGE
    if price_e8 is None:
        return _without(never)
    if below:
        return LiquidationPrices(PriceE8(price_e8), PriceReason.FOUND, None, never)
    return LiquidationPrices(None, never, PriceE8(price_e8), PriceReason.FOUND)


@dataclass(frozen=True, slots=True)
class LinearAccount:
    """One position whose price moves, and what stands still while it does.

    Attributes
    ----------
    lots : int
        Position, long positive.
    entry_e8 : int
        Price from which its profit is counted. [USD e-8]
    other_e6 : int
        Cash, other profit and collateral, less the MM of all else; may be negative. [USD e-6]
    lines : sequence of (int, int)
        Tier curve of MM: rate [e-6] below one and deduction [USD e-12] of each line, as
        `offchain.core.curves.curve_lines` returns.
    lot_divisor, tick_e8 : int
        Of the underlying.
    """

    lots: int
    entry_e8: int
    other_e6: int
    lines: Sequence[tuple[int, int]]
    lot_divisor: int
    tick_e8: int

    def __post_init__(self) -> None:
        """Refuse what has no closed form."""
        if any(not 0 <= rate < ONE_E6 for rate, _ in self.lines):
            raise ValueError("rates lie in [0, 1)")
        if self.tick_e8 % self.lot_divisor:
            raise ValueError("the tick is a multiple of the lot divisor")

    def excess_e6(self, price_e8: int) -> int:
        """Return margin balance less MM at a price on the tick. [USD e-6]."""
        profit = floor_div(self.lots * (price_e8 - self.entry_e8), self.lot_divisor)
        notional = abs(self.lots) * floor_div(price_e8, self.lot_divisor)
        charges = [ceil_div(rate * notional - deducted, ONE_E6) for rate, deducted in self.lines]
        return self.other_e6 + profit - max(0, *charges)


def linear_liquidation_price(
    account: LinearAccount, current_e8: int, highest_e8: int
) -> LiquidationPrices:
    """Return the liquidation price of one linear position by its closed form.

    Parameters
    ----------
    account : LinearAccount
        Tick-sized prices make every lot value and so every excess exact; entry may lie between.
    current_e8, highest_e8 : int
        The price now, and the last one considered, both on the tick. The first is one tick.
        [USD e-8]

    Notes
    -----
    Every line (m, D) gives the failing prices of a long as P < bound and of a short as P > bound,
    where bound = (s q E - C - D) / (q (s - m)) in lot values; the line that charges nothing is one
    of them. The nearest of all is the price, and lies in its own tier. Rounded against the account.
    """
    if account.lots == 0:
        return _without(PriceReason.NO_POSITIONS)
    if account.excess_e6(current_e8) < 0:
        return _without(PriceReason.ALREADY_BELOW)
    is_long = account.lots > 0
    bounds = [_failing_tick(account, rate, deducted) for rate, deducted in (*account.lines, (0, 0))]
    price = max(bounds) if is_long else min(bounds)
    inside = account.tick_e8 <= price <= highest_e8
    return _one_side(price if inside else None, below=is_long)


def _failing_tick(account: LinearAccount, rate_e6: int, deducted: int) -> int:
    """Return the nearest tick that fails on one line of the curve: the highest for a long.

    At lot value p the account fails where 1e6 (K + lots p) < rate |lots| p - deducted, with
    K = other - ceil(lots x entry / lot_divisor); both sides are integers.
    """
    fixed = account.other_e6 - ceil_div(account.lots * account.entry_e8, account.lot_divisor)
    slope = account.lots * ONE_E6 - rate_e6 * abs(account.lots)
    bound = -deducted - ONE_E6 * fixed  # fails where slope x p < bound
    if account.lots > 0:
        last = ceil_div(bound, slope) - 1
        return floor_div(last * account.lot_divisor, account.tick_e8) * account.tick_e8
    first = floor_div(-bound, -slope) + 1
    return ceil_div(first * account.lot_divisor, account.tick_e8) * account.tick_e8


def search_liquidation_prices(
    excess_e6: Callable[[int], int],
    current_e8: int,
    tick_e8: int,
    bounds_e8: tuple[int, int],
    *,
    has_positions: bool = True,
    cells: int = CELLS,
) -> LiquidationPrices:
    """Return the nearest failing ticks below and above the price, by a bracketed search.

    Parameters
    ----------
    excess_e6 : callable
        Margin balance less MM at a price on the tick [USD e-8]; need not be monotone. [USD e-6]
    current_e8, bounds_e8 : int, (int, int)
        Price now, and the lowest and highest considered, on the tick and at least one tick.
        [USD e-8]
    has_positions : bool
        Whether anything moves with the price; if not, nothing is searched.
    cells : int
        Coarse steps to each side.

    Notes
    -----
    Each side is first scanned outwards, step j ending at (j / cells)^2 of the way to the bound, and
    the first step that ends in failure is bisected to the tick. The result is a failing tick whose
    neighbour towards the price does not fail. An interval of failures that begins and ends
    inside one step is not seen: near the price a step is 1 / cells^2 of the way, at the bound
    2 / cells. At most cells + log2(bound / tick) + 1 evaluations a side.
    """
    lowest, highest = bounds_e8
    if not has_positions:
        return _without(PriceReason.NO_POSITIONS)
    if any(price % tick_e8 for price in (current_e8, lowest, highest)):
        raise ValueError("prices lie on the tick")
    if not tick_e8 <= lowest <= current_e8 <= highest:
        raise ValueError("the bounds hold the price")
    if excess_e6(current_e8) < 0:
        return _without(PriceReason.ALREADY_BELOW)
    lower = _first_failure(excess_e6, current_e8, lowest, tick_e8, cells)
    upper = _first_failure(excess_e6, current_e8, highest, tick_e8, cells)
    return LiquidationPrices(*_found(lower), *_found(upper))


def _found(price_e8: int | None) -> tuple[PriceE8 | None, PriceReason]:
    if price_e8 is None:
        return None, PriceReason.NEVER_WITHIN_RANGE
    return PriceE8(price_e8), PriceReason.FOUND


def _first_failure(
    excess_e6: Callable[[int], int], current_e8: int, end_e8: int, tick_e8: int, cells: int
) -> int | None:
    """Return the failing tick that the scan towards `end_e8` meets first, or none."""
    away = abs(end_e8 - current_e8) // tick_e8
    sign = tick_e8 if end_e8 > current_e8 else -tick_e8
    sound = 0
    for j in range(1, cells + 1):
        probe = ceil_div(away * j * j, cells * cells)
        if probe == sound:
            continue
        if excess_e6(current_e8 + sign * probe) < 0:
            return current_e8 + sign * _bisect(excess_e6, current_e8, sign, sound, probe)
        sound = probe
    return None


def _bisect(
    excess_e6: Callable[[int], int], current_e8: int, sign: int, sound: int, failing: int
) -> int:
    """Return a failing step whose neighbour is sound, between a sound and a failing step."""
    while failing - sound > 1:
        middle = (sound + failing) // 2
        if excess_e6(current_e8 + sign * middle) < 0:
            failing = middle
        else:
            sound = middle
    return failing
