"""Which part of a candle file is replayed: the worst of it."""

from collections.abc import Sequence

from offchain.core.units import ONE_E8
from offchain.services.price_path import Candle, CandlePath, Follower

BEFORE, AFTER = 18, 15
"""Bars kept before and after the widest one."""
STEPS = 6
"""Prices in each bar."""
ETHER_START_E8 = 4_150 * ONE_E8
ETHER = Follower(start_e8=ETHER_START_E8, beta=1.25, noise=0.001, seed=20_251_010)
"""ETH follows BTC by this stated model; a series under a permissive licence was not found."""


def worst_window(candles: Sequence[Candle]) -> Sequence[Candle]:
    """Return the bars around the one with the widest range relative to its open."""
    widths = [(c.high_e8 - c.low_e8) * ONE_E8 // c.open_e8 for c in candles]
    widest = widths.index(max(widths))
    return candles[max(0, widest - BEFORE) : widest + AFTER]


def path_through(candles: Sequence[Candle], step_ns: int) -> CandlePath:
    """Return the price path that the demo replays."""
    return CandlePath(worst_window(candles), step_ns, STEPS, ETHER)
