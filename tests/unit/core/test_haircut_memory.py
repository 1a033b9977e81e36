"""What a haircut remembers: its units, its bounds, and since when a fall is counted."""

from offchain.core.collateral import (
    FAST_NS,
    MAX_VARIANCE,
    SLOW_NS,
    UNITS_E10,
    HaircutState,
    next_haircut,
)
from offchain.core.presets import COLLATERAL
from offchain.core.units import DAY_NS, ONE_E8, PriceE8, RatioE6, TimestampNs

WBTC = COLLATERAL[0]
PRICE = PriceE8(100_000 * ONE_E8)


def state(haircut: int, decayed_ns: int, variance: int = 0) -> HaircutState:
    return HaircutState(
        PRICE, TimestampNs(DAY_NS), variance, variance, RatioE6(haircut), TimestampNs(decayed_ns)
    )


def test_memories_are_a_day_and_a_week_and_a_unit_has_eight_decimals() -> None:
    assert (FAST_NS, SLOW_NS) == (DAY_NS, 7 * DAY_NS)
    assert UNITS_E10 == 10**10
    assert MAX_VARIANCE == 10**20  # a return of ten times the price in a day


def test_the_largest_move_fills_the_memory_and_no_more() -> None:
    after = next_haircut(state(50_000, DAY_NS), 2**46 - 1, DAY_NS + 1, WBTC)
    assert after.fast_e18 <= MAX_VARIANCE
    assert after.slow_e18 <= MAX_VARIANCE
    assert after.haircut_e6 == WBTC.haircut_cap_e6
    doubled = next_haircut(state(50_000, DAY_NS), 100 * PRICE, 2 * DAY_NS, WBTC)
    assert doubled.fast_e18 == MAX_VARIANCE


def test_a_haircut_at_its_target_has_nothing_to_fall_and_saves_no_time_for_later() -> None:
    floor = WBTC.haircut_floor_e6
    after = next_haircut(state(floor, DAY_NS - 5), PRICE, DAY_NS + 1, WBTC)
    assert (after.haircut_e6, after.decayed_ns) == (floor, DAY_NS + 1)


def test_a_fall_of_less_than_a_millionth_waits_and_its_time_is_kept() -> None:
    millionth = -(-DAY_NS // WBTC.ratchet_e6)
    above = WBTC.haircut_floor_e6 + 10
    short = next_haircut(state(above, DAY_NS), PRICE, DAY_NS + millionth - 1, WBTC)
    assert (short.haircut_e6, short.decayed_ns) == (above, DAY_NS)
    enough = next_haircut(short, PRICE, DAY_NS + millionth, WBTC)
    assert (enough.haircut_e6, enough.decayed_ns) == (above - 1, DAY_NS + millionth)
