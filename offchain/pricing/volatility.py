"""Volatility in a scenario: up and down by days to expiry, and the two tilts of the smile."""

from functools import lru_cache

from offchain.core.parameters import ScanParameters, Skew
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, ceil_div, floor_div
from offchain.pricing.fixed_point import LOG_BITS, exp, ln

REFERENCE_DAYS = 30
LAST_DAY = 730
FACTOR_ONE = ONE_E6 * ONE_E8


def days_to_expiry(remaining_ns: int) -> int:
    """Return whole days left, rounded down (the larger shock), within [1, 730]."""
    return min(max(floor_div(remaining_ns, DAY_NS), 1), LAST_DAY)


@lru_cache(maxsize=64)
def day_scales_e8(power_short_e6: int, power_long_e6: int) -> tuple[int, ...]:
    """Return (30/d)^p for d = 1..730, floored; `[d - 1]` is day d. [e-8].

    p is the short power below 30 days and the long one from 30 days on.
    """
    return tuple(
        _day_scale_e8(day, power_short_e6 if day < REFERENCE_DAYS else power_long_e6)
        for day in range(1, LAST_DAY + 1)
    )


def _day_scale_e8(day: int, power_e6: int) -> int:
    exponent = floor_div(power_e6 * (ln(REFERENCE_DAYS) - ln(day)), ONE_E6)
    return exp(exponent) * ONE_E8 >> LOG_BITS


def shock_factors(remaining_ns: int, scan: ScanParameters) -> tuple[int, int]:
    """Return what a volatility is multiplied by to go down and up, never negative. [e-14].

    1 - vol_down x scale and 1 + vol_up x scale, with scale = (30 / days)^p.
    """
    scales = day_scales_e8(scan.vol_power_short_e6, scan.vol_power_long_e6)
    scale_e8 = scales[days_to_expiry(remaining_ns) - 1]
    return max(FACTOR_ONE - scan.vol_down_e6 * scale_e8, 0), FACTOR_ONE + scan.vol_up_e6 * scale_e8


def shocked_volatilities(
    volatility_e8: int, remaining_ns: int, scan: ScanParameters
) -> tuple[int, int, int]:
    """Return the volatility down, same and up. [e-8].

    Down is floored, up is ceiled and at least the minimum of the grid.
    """
    down, up = shock_factors(remaining_ns, scan)
    return (
        floor_div(volatility_e8 * down, FACTOR_ONE),
        volatility_e8,
        max(ceil_div(volatility_e8 * up, FACTOR_ONE), scan.min_vol_up_e8),
    )


def skewed_volatility(volatility_e8: int, log_moneyness: int, skew: Skew) -> int:
    """Return vol x (1 + clamp(slope x distance, -cap, cap)), every step floored. [e-8].

    The distance is ln(K/F), or its size for the absolute skew; `log_moneyness` is ln(F/K) with
    56 fraction bits.
    """
    distance = abs(log_moneyness) if skew.absolute else -log_moneyness
    tilt_e6 = min(max(skew.slope_e6 * distance >> LOG_BITS, -skew.cap_e6), skew.cap_e6)
    return floor_div(volatility_e8 * (ONE_E6 + tilt_e6), ONE_E6)
