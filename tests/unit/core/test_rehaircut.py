"""The haircut under other terms: its memory stays, the terms bound it."""

from dataclasses import replace

from offchain.core.collateral import HaircutState, first_haircut, rehaircut, target_haircut
from offchain.core.units import PriceE8, RatioE6, TimestampNs
from tests.support.venue import RULES

TERMS = RULES.collateral[0]
DAILY_E18 = 10**16
"""The square of ten per cent."""


def seen(haircut_e6: int, variance_e18: int = 0) -> HaircutState:
    time = TimestampNs(5)
    return HaircutState(PriceE8(7), time, variance_e18, 0, RatioE6(haircut_e6), time)


def test_before_the_first_price_it_is_the_cap_of_the_new_terms() -> None:
    other = replace(TERMS, haircut_cap_e6=RatioE6(400_000))
    assert rehaircut(first_haircut(TERMS), other) == first_haircut(other)


def test_a_higher_floor_lifts_it_at_once() -> None:
    other = replace(TERMS, haircut_floor_e6=RatioE6(150_000))
    assert rehaircut(seen(60_000), other) == seen(150_000)


def test_a_lower_cap_brings_it_down() -> None:
    other = replace(TERMS, haircut_cap_e6=RatioE6(100_000))
    assert rehaircut(seen(300_000), other) == seen(100_000)


def test_a_larger_multiplier_counts_on_what_was_remembered() -> None:
    other = replace(TERMS, multiplier_e6=RatioE6(4_000_000))
    wanted = target_haircut(DAILY_E18, other)
    assert rehaircut(seen(60_000, DAILY_E18), other) == seen(wanted, DAILY_E18)
    assert wanted > 60_000


def test_a_lower_floor_lets_it_fall_no_faster_than_before() -> None:
    other = replace(TERMS, haircut_floor_e6=RatioE6(10_000))
    assert rehaircut(seen(60_000), other) == seen(60_000)
