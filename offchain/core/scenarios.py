"""The 36 scenarios of one underlying: where price and volatility go, and how much is covered."""

from dataclasses import dataclass
from enum import IntEnum

from offchain.core.parameters import ScanParameters
from offchain.core.units import ONE_E6, SCENARIOS, RatioE6, floor_div

GRID_STEPS = 4
GRID_SCENARIOS = (2 * GRID_STEPS + 1) * 3
FIRST_TAIL = GRID_SCENARIOS
FIRST_SKEW = SCENARIOS - 2
UNCHANGED = GRID_STEPS * 3 + 1
"""The scenario in which nothing moves; its loss is zero for every instrument."""


class VolatilityShock(IntEnum):
    """Which volatility of an option a scenario uses; the place in its row of volatilities."""

    DOWN = 0
    SAME = 1
    UP = 2
    FIRST_SKEW = 3
    SECOND_SKEW = 4


@dataclass(frozen=True, slots=True)
class Scenario:
    """One stress of one underlying.

    Attributes
    ----------
    move_e6 : int
        Relative change of every price of the underlying, above -1. [millionths]
    shock : VolatilityShock
        The volatility that options are priced with.
    weight_e6 : RatioE6
        Share of the loss that is covered, in (0, 1]. [millionths]
    """

    move_e6: int
    shock: VolatilityShock
    weight_e6: RatioE6


def scenario_grid(scan: ScanParameters) -> tuple[Scenario, ...]:
    """Return the 36 scenarios in the order of the risk columns.

    Scenario ``(k + 4) * 3 + v`` moves the price by floor(k * range / 4) for k = -4..4, with
    volatility down, same, up for v = 0, 1, 2. Scenarios 27..33 are the tails, 34 and 35 the skews.
    """
    full = RatioE6(ONE_E6)
    grid = [
        Scenario(floor_div(k * scan.price_range_e6, GRID_STEPS), shock, full)
        for k in range(-GRID_STEPS, GRID_STEPS + 1)
        for shock in (VolatilityShock.DOWN, VolatilityShock.SAME, VolatilityShock.UP)
    ]
    tails = [Scenario(tail.move_e6, VolatilityShock.UP, tail.weight_e6) for tail in scan.tails]
    skews = [
        Scenario(0, VolatilityShock.FIRST_SKEW, full),
        Scenario(0, VolatilityShock.SECOND_SKEW, full),
    ]
    scenarios = (*grid, *tails, *skews)
    assert len(scenarios) == SCENARIOS
    return scenarios
