"""Which part of a candle file is replayed: the worst of it."""

from collections.abc import Sequence

from offchain.core.units import ONE_E8
from offchain.services.ports import PriceFeed
from offchain.services.price_path import Candle, CandlePath, Follower

BEFORE, AFTER = 18, 15
"""Bars kept before and after the widest one."""
STEPS = 6
"""Prices in each bar."""
BTC_PER_ETH = 29
"""ETH begins at the opening price over this, and follows BTC by a stated model; a series under a
permissive licence was not found."""
LEAST_START_E8 = 100 * ONE_E8
"""And not below this, so that strikes in whole dollars lie around it."""


def worst_window(candles: Sequence[Candle]) -> Sequence[Candle]:
    """Return the bars around the one with the widest range relative to its open."""
    widths = [(c.high_e8 - c.low_e8) * ONE_E8 // c.open_e8 for c in candles]
    widest = widths.index(max(widths))
    return candles[max(0, widest - BEFORE) : widest + AFTER]


def path_through(candles: Sequence[Candle], step_ns: int) -> PriceFeed:
    """Return the price path that the demo replays."""
    window = worst_window(candles)
    start_e8 = max(window[0].open_e8 // BTC_PER_ETH, LEAST_START_E8)
    ether = Follower(start_e8=start_e8, beta=1.25, noise=0.001, seed=20_251_010)
    return CandlePath(window, step_ns, STEPS, ether)
