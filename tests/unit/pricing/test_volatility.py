"""Shocked and tilted volatilities by hand."""

from dataclasses import replace
from typing import Any

import mpmath
import pytest

from offchain.core.parameters import Skew
from offchain.core.units import DAY_NS, ONE_E8, RatioE6
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.volatility import (
    LAST_DAY,
    day_scales_e8,
    days_to_expiry,
    shocked_volatilities,
    skewed_volatility,
)

VOL = 60_000_000
LOG_ONE = 1 << LOG_BITS


def test_days_are_rounded_down_and_kept_in_the_table() -> None:
    assert days_to_expiry(0) == 1
    assert days_to_expiry(2 * DAY_NS - 1) == 1
    assert days_to_expiry(2 * DAY_NS) == 2
    assert days_to_expiry(10_000 * DAY_NS) == LAST_DAY


def test_day_scales_are_powers_of_thirty_days_over_days() -> None:
    scales = day_scales_e8(300_000, 130_000)
    assert len(scales) == LAST_DAY
    assert scales[30 - 1] == ONE_E8
    for day, scale in enumerate(scales, start=1):
        power = mpmath.mpf("0.3") if day < 30 else mpmath.mpf("0.13")
        assert abs(scale - (mpmath.mpf(30) / day) ** power * ONE_E8) < 1 + 1e-6, day


def test_shocks_at_thirty_days_are_the_plain_percentages(book: Any) -> None:
    assert shocked_volatilities(VOL, 30 * DAY_NS, book.parameters.scan[0]) == (
        45_000_000,
        VOL,
        90_000_000,
    )


def test_shocks_grow_as_expiry_nears(book: Any) -> None:
    scan = book.parameters.scan[0]
    rows = [shocked_volatilities(VOL, d * DAY_NS, scan) for d in (1, 5, 29, 30, 31, 365)]
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_low_volatility_is_raised_to_the_minimum_and_never_falls_below_zero(book: Any) -> None:
    scan = replace(book.parameters.scan[0], vol_down_e6=RatioE6(1_000_000))
    assert shocked_volatilities(1, DAY_NS, scan) == (0, 1, scan.min_vol_up_e8)


@pytest.mark.parametrize(
    ("absolute", "log_moneyness", "expected"),
    [
        (False, 0, VOL),
        (False, -LOG_ONE, VOL * 12 // 10),  # a high strike: up
        (False, LOG_ONE, VOL * 8 // 10),  # a low strike: down
        (False, -4 * LOG_ONE, VOL * 13 // 10),  # capped
        (False, 4 * LOG_ONE, VOL * 7 // 10),
        (True, LOG_ONE, VOL * 12 // 10),
        (True, -LOG_ONE, VOL * 12 // 10),
    ],
)
def test_skew_tilts_by_log_strike_within_its_cap(
    absolute: bool,
    log_moneyness: int,
    expected: int,
) -> None:
    skew = Skew(RatioE6(200_000), RatioE6(300_000), absolute)
    assert skewed_volatility(VOL, log_moneyness, skew) == expected
