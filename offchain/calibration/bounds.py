"""Anti-procyclical bounds: how far a number may move from one parameter set to the next."""

from dataclasses import dataclass

from offchain.core.units import ONE_E6, ceil_div, floor_div


@dataclass(frozen=True, slots=True)
class Bounded:
    """A proposed number. `held` says which bound kept it from its target: up, down or none."""

    previous: int
    target: int
    value: int
    held: str


def bounded(previous: int, target: int, max_up_e6: int, max_down_e6: int, grid: int) -> Bounded:
    """Return the target, kept within previous x [1 - down, 1 + up].

    The limits lie on the grid inside that interval: the lower rounded up, the upper rounded down.
    Keeping the number is always allowed, and so is the next value of the grid on either side: a
    small number would otherwise never move. All integers, in the unit of the grid.
    """
    low = ceil_div(previous * (ONE_E6 - max_down_e6), ONE_E6)
    high = floor_div(previous * (ONE_E6 + max_up_e6), ONE_E6)
    low = min(ceil_div(previous, grid) * grid - grid, ceil_div(low, grid) * grid)
    high = max(floor_div(previous, grid) * grid + grid, floor_div(high, grid) * grid)
    value = min(max(target, low), high)
    held = "up" if target > high else "down" if target < low else "none"
    return Bounded(previous, target, value, held)
