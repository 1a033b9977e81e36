"""What volatile collateral is worth to a margin account.

Equity counts the whole value. The margin balance counts a share of it that falls with the asset's
volatility (the haircut) and with the size of the holding (concentration brackets): of the part in
a bracket, min(1 - haircut, weight). Everything rounds down. Amount times price needs more than 63
bits, so these are Python integers and not a kernel.

The haircut follows the larger of two moving variances, with memories of a day and a week:

    target = clamp(floor, multiplier x sqrt(variance x horizon), cap)

It rises to the target at once and falls by at most `ratchet` a day, so that calm days do not invite
the debt that the next storm calls in (EMIR RTS 153/2013, article 28, asks for such a bound).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt

from offchain.core.model_parameters import CollateralParameters
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    PriceE8,
    RatioE6,
    TimestampNs,
    UsdE6,
    ceil_div,
    floor_div,
    mul_div_floor,
)

UNITS_E10 = 10**10
"""A price [USD e-8] times an amount [units e-8], divided by this, is USD e-6."""
FAST_NS = DAY_NS
SLOW_NS = 7 * DAY_NS
_RETURN_ONE = 10**9
MAX_VARIANCE = 10**20
"""Of a day, 100 times its square: far above any cap, so that the state stays small. [e-18]"""

CreditStep = tuple[int, int]
"""(up to this amount [token e-8], credit for a unit in this bracket [USD e-8])."""
CreditCurve = tuple[CreditStep, ...]


@dataclass(frozen=True, slots=True)
class HaircutState:
    """The memory of one asset's haircut.

    Attributes
    ----------
    price_e8, time_ns : PriceE8, TimestampNs
        The last price seen, and when; zero before the first.
    fast_e18, slow_e18 : int
        Moving variances of a day's return, with memories of one and seven days. [e-18]
    haircut_e6 : RatioE6
        In force, rounded up.
    decayed_ns : TimestampNs
        Up to when the fall of the haircut was counted.
    """

    price_e8: PriceE8
    time_ns: TimestampNs
    fast_e18: int
    slow_e18: int
    haircut_e6: RatioE6
    decayed_ns: TimestampNs


def first_haircut(of: CollateralParameters) -> HaircutState:
    """Return the state before the first price: nothing is known, so the haircut is the cap."""
    zero = TimestampNs(0)
    return HaircutState(PriceE8(0), zero, 0, 0, of.haircut_cap_e6, zero)


def next_haircut(
    state: HaircutState, price_e8: int, time_ns: int, of: CollateralParameters
) -> HaircutState:
    """Return the state after a price; `price_e8` is positive, `time_ns` does not decrease.

    The first price sets the haircut to its floor. A return over dt counts as return^2 / dt; both
    averages move toward it by dt / memory, at most all the way. So a return adds return^2 / memory
    whether it was seen within a second or an hour; only the averages are bounded.
    """
    if state.price_e8 == 0:
        time = TimestampNs(time_ns)
        return HaircutState(PriceE8(price_e8), time, 0, 0, of.haircut_floor_e6, time)
    elapsed = time_ns - state.time_ns
    if elapsed <= 0:
        return state
    change = floor_div((price_e8 - state.price_e8) * _RETURN_ONE, state.price_e8)
    daily = change * change * DAY_NS // elapsed
    fast = _moved(state.fast_e18, daily, elapsed, FAST_NS)
    slow = _moved(state.slow_e18, daily, elapsed, SLOW_NS)
    target = target_haircut(max(fast, slow), of)
    haircut, decayed = _ratcheted(state, target, time_ns, of)
    return HaircutState(
        PriceE8(price_e8), TimestampNs(time_ns), fast, slow, haircut, TimestampNs(decayed)
    )


def _moved(average: int, value: int, elapsed_ns: int, memory_ns: int) -> int:
    moved = average + floor_div((value - average) * min(elapsed_ns, memory_ns), memory_ns)
    return min(moved, MAX_VARIANCE)


def target_haircut(variance_e18: int, of: CollateralParameters) -> RatioE6:
    """Return the haircut that a day's variance asks for, rounded up, within floor and cap. [e-6]"""
    over_horizon = variance_e18 * of.horizon_ns // DAY_NS
    deviation_e9 = isqrt(over_horizon) + 1
    wanted = ceil_div(of.multiplier_e6 * deviation_e9, _RETURN_ONE)
    return RatioE6(min(max(wanted, of.haircut_floor_e6), of.haircut_cap_e6))


def rehaircut(state: HaircutState, of: CollateralParameters) -> HaircutState:
    """Return the state under other terms: the memory stays, the haircut lies within them.

    It rises to what they ask for at once, as after a price, and falls no faster than before, but
    never lies above their cap.
    """
    if state.price_e8 == 0:
        return first_haircut(of)
    target = target_haircut(max(state.fast_e18, state.slow_e18), of)
    haircut = RatioE6(max(target, min(state.haircut_e6, of.haircut_cap_e6)))
    return replace(state, haircut_e6=haircut)


def _ratcheted(
    state: HaircutState, target_e6: int, time_ns: int, of: CollateralParameters
) -> tuple[RatioE6, int]:
    """Return the haircut and the time up to which its fall is counted.

    A fall smaller than one millionth waits: its time is not counted as used.
    """
    if target_e6 >= state.haircut_e6:
        return RatioE6(target_e6), time_ns
    fall = of.ratchet_e6 * (time_ns - state.decayed_ns) // DAY_NS
    if fall == 0:
        return state.haircut_e6, state.decayed_ns
    return RatioE6(max(target_e6, state.haircut_e6 - fall)), time_ns


def credit_curve(price_e8: int, haircut_e6: RatioE6, of: CollateralParameters) -> CreditCurve:
    """Return what a unit counts for in each bracket: price x min(1 - haircut, weight)."""
    return tuple(
        (b.upto_e8, mul_div_floor(price_e8, min(ONE_E6 - haircut_e6, b.weight_e6), ONE_E6))
        for b in of.brackets
    )


def collateral_value(amount_e8: int, price_e8: int) -> UsdE6:
    """Return the value of an amount, floor(amount x price / 10^10). [USD e-6]"""
    return UsdE6(mul_div_floor(amount_e8, price_e8, UNITS_E10))


def collateral_credit(amount_e8: int, curve: CreditCurve) -> UsdE6:
    """Return what a holding adds to the margin balance, rounded down once. [USD e-6]"""
    total, below = 0, 0
    for upto, price in curve:
        total += max(0, min(amount_e8, upto) - below) * price
        below = upto
    return UsdE6(floor_div(total, UNITS_E10))


def least_amount(needed_e6: int, held_e8: int, curve: CreditCurve) -> int | None:
    """Return the smallest part of a holding whose credit reaches `needed`; None when none does.

    Credit never falls with the amount, so a binary search finds it.
    """
    if needed_e6 <= 0:
        return 0
    if collateral_credit(held_e8, curve) < needed_e6:
        return None
    low, high = 0, held_e8  # credit(low) < needed <= credit(high)
    while high - low > 1:
        middle = (low + high) // 2
        if collateral_credit(middle, curve) >= needed_e6:
            high = middle
        else:
            low = middle
    return high


def total_credit(amounts_e8: Sequence[int], curves: Sequence[CreditCurve]) -> UsdE6:
    """Return the credit of all assets of an account. [USD e-6]"""
    return UsdE6(
        sum(
            collateral_credit(int(amount), curve)
            for amount, curve in zip(amounts_e8, curves, strict=True)
            if amount
        )
    )
