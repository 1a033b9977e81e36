"""How much of an account is liquidated, and at which limit prices.

Which lots a partial step closes is the matter of `core.sizing`; a share of every position is what
it closes when that alone helps.
"""

from collections.abc import Callable, Sequence

from offchain.core.margin import partial_lots
from offchain.core.parameters import LiquidationParameters
from offchain.core.units import ONE_E6, Lots, PriceE8, ceil_div, mul_div_floor

SHARES = 64
"""A share of every position is k/64."""


def share_legs(positions: Sequence[tuple[int, int]], share: int) -> tuple[tuple[int, Lots], ...]:
    """Return (instrument, signed change) closing `share`/64 of each (instrument, lots)."""
    legs = []
    for instrument, lots in positions:
        closed = partial_lots(lots, share, SHARES)
        legs.append((instrument, Lots(-closed if lots > 0 else closed)))
    return tuple(legs)


def smallest_share(restores: Callable[[int], bool], parameters: LiquidationParameters) -> int:
    """Return the smallest share k of 64 that restores the target, at most the partial cap.

    When no share up to the cap restores it, the cap itself is returned: the next step follows.
    """
    cap = parameters.partial_cap_e6 * SHARES // ONE_E6
    for share in range(1, cap):
        if restores(share):
            return share
    return cap


def limit_price(
    mark_e8: int, index_e8: int, tick_e8: int, *, buys: bool, parameters: LiquidationParameters
) -> PriceE8:
    """Return the worst price at which a liquidation leg may trade, on the tick. [USD e-8]

    The mark, less (for a sale) or plus (for a purchase) a share of the mark and a share of the
    index: options far from the money have marks too small for a share of them to be a band.
    A sale rounds down to the tick, a purchase up; never below one tick.
    """
    band = mul_div_floor(mark_e8, parameters.band_mark_e6, ONE_E6)
    band += mul_div_floor(index_e8, parameters.band_index_e6, ONE_E6)
    if buys:
        return PriceE8(ceil_div(mark_e8 + band, tick_e8) * tick_e8)
    return PriceE8(max(tick_e8, (mark_e8 - band) // tick_e8 * tick_e8))
