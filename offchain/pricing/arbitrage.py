"""Static arbitrage in a set of smiles: negative densities and crossing expiries, in integers.

For whoever makes surfaces, the oracle and the calibration: a price never depends on these checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from offchain.core.units import PRICE_BITS, floor_div
from offchain.pricing.black76 import price_reference, total_volatility
from offchain.pricing.fixed_point import LOG_BITS, exp, ln, square_root
from offchain.pricing.surface import (
    MAX_LOG_STRIKE,
    Surface,
    money_variance,
    surface_volatility_reference,
)

FORWARD_E8 = 1 << 38
"""Smiles are examined at this forward: moneyness alone decides."""
STEPS = 64
STEPS_PER_DEVIATION = 8
PRICE_ERROR_E8 = 4
"""A price below 2**46 is wrong by less: 1 for the floor and 2e-14 (F + K)."""


class FaultKind(IntEnum):
    """What is wrong with a smile."""

    BUTTERFLY = 0  # the density is negative: a call is not convex in the strike
    VERTICAL = 1  # a call gains from a higher strike, or loses more than the strike rises
    CALENDAR = 2  # total variance falls from one expiry to the next


@dataclass(frozen=True, slots=True)
class SurfaceFault:
    """One fault, at a log-strike k = ln(K/F) [2**-56] of the smile at a place."""

    kind: FaultKind
    place: int
    log_strike: int


def surface_faults(
    smiles: Sequence[tuple[Surface, int]], steps: int = STEPS
) -> tuple[SurfaceFault, ...]:
    """Return the static-arbitrage faults of some smiles of one underlying.

    Parameters
    ----------
    smiles : sequence of (Surface, int)
        Each with its time to expiry [ns], which must be positive and ascend.
    steps : int
        Strikes to each side of the money, each an eighth of sigma sqrt(T) at the money apart, while
        |k| <= 8 and the strike lies within the price limit.

    Returns
    -------
    tuple of SurfaceFault
        In order of place; CALENDAR names the earlier smile.

    Notes
    -----
    Only what exceeds the error of the prices is reported, and only at these strikes: an empty
    answer is evidence, not proof. Volatilities are those that price options, with floor and cap.
    """
    times = [remaining for _, remaining in smiles]
    if any(t <= 0 for t in times) or times != sorted(set(times)):
        raise ValueError("times to expiry are positive and ascend")
    faults: list[SurfaceFault] = []
    for place, (surface, remaining) in enumerate(smiles):
        grid = log_strikes(surface, remaining, steps)
        faults += _strike_faults(place, surface, remaining, grid)
        if place + 1 < len(smiles):
            faults += _calendar_faults(place, smiles[place], smiles[place + 1], grid)
    return tuple(faults)


def log_strikes(surface: Surface, remaining_ns: int, steps: int) -> list[int]:
    """Return the strikes at which a smile is examined, ascending. [2**-56]."""
    deviation = square_root(money_variance(surface.v0_e8, remaining_ns), 1 << LOG_BITS, LOG_BITS)
    step = max(floor_div(deviation, STEPS_PER_DEVIATION), 1)
    far = min(steps * step, MAX_LOG_STRIKE)
    count = min(steps, far // step)
    return [j * step for j in range(-count, count + 1)]


def _strike_faults(
    place: int, surface: Surface, remaining_ns: int, grid: Sequence[int]
) -> list[SurfaceFault]:
    """Compare neighbouring calls: 0 <= -dC <= dK, and -dC / dK falls as the strike rises."""
    points = [
        (k, strike, _call(surface, remaining_ns, strike))
        for k in grid
        if 0 < (strike := FORWARD_E8 * exp(k) >> LOG_BITS) < 1 << PRICE_BITS
    ]
    faults = []
    error = 2 * PRICE_ERROR_E8
    for (_, low, dear), (k, strike, call) in pairwise(points):
        if not -error <= dear - call <= strike - low + error:
            faults.append(SurfaceFault(FaultKind.VERTICAL, place, k))
    for (_, low, dear), (k, strike, call), (_, high, cheap) in zip(
        points, points[1:], points[2:], strict=False
    ):
        left, right = strike - low, high - strike
        if (dear - call + error) * right < (call - cheap - error) * left:
            faults.append(SurfaceFault(FaultKind.BUTTERFLY, place, k))
    return faults


def _call(surface: Surface, remaining_ns: int, strike_e8: int) -> int:
    moneyness = ln(FORWARD_E8) - ln(strike_e8)
    volatility = surface_volatility_reference(surface, remaining_ns, moneyness)
    total = total_volatility(volatility, remaining_ns)
    return price_reference(FORWARD_E8, strike_e8, moneyness, total, is_call=True)


def _calendar_faults(
    place: int, early: tuple[Surface, int], late: tuple[Surface, int], grid: Sequence[int]
) -> list[SurfaceFault]:
    """Compare sigma^2 T at equal k; the later volatility was floored, so it counts one more."""
    faults = []
    for k in grid:
        first, second = (surface_volatility_reference(*smile, -k) for smile in (early, late))
        if first * first * early[1] > (second + 1) * (second + 1) * late[1]:
            faults.append(SurfaceFault(FaultKind.CALENDAR, place, k))
    return faults
