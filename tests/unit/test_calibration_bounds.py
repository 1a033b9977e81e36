"""How far a number moves from one parameter set to the next."""

import pytest

from offchain.calibration.bounds import bounded

UP, DOWN = 250_000, 100_000


@pytest.mark.parametrize(
    ("previous", "target", "grid", "value", "held"),
    [
        (160_000, 165_000, 2_500, 165_000, "none"),
        (160_000, 300_000, 2_500, 200_000, "up"),
        (160_000, 100_000, 2_500, 145_000, "down"),  # 144,000 rounded up to the grid
        (180_000, 230_000, 2_500, 225_000, "up"),
        (160_000, 160_000, 2_500, 160_000, "none"),
        (161_000, 300_000, 2_500, 200_000, "up"),  # 201,250 rounded down to the grid
        (161_000, 100_000, 2_500, 145_000, "down"),
    ],
)
def test_a_number_moves_to_grid_values_inside_its_interval(
    previous: int, target: int, grid: int, value: int, held: str
) -> None:
    found = bounded(previous, target, UP, DOWN, grid)
    assert (found.value, found.held) == (value, held)


@pytest.mark.parametrize("previous", [0, 10_000, 30_000, 80_000])
def test_a_small_number_still_moves_by_one_step_of_the_grid(previous: int) -> None:
    rising = bounded(previous, 900_000, UP, DOWN, 10_000)
    assert (rising.value, rising.held) == (max(previous + 10_000, previous * 5 // 4), "up")
    falling = bounded(previous, 0, UP, DOWN, 10_000)
    assert falling.value == max(previous - 10_000, 0)


def test_a_number_off_the_grid_reaches_the_next_value_on_either_side() -> None:
    assert bounded(13_333, 900_000, UP, DOWN, 10_000).value == 20_000
    assert bounded(13_333, 0, UP, DOWN, 10_000).value == 10_000


def test_a_target_inside_the_interval_is_taken_as_it_is() -> None:
    for target in range(90_000, 125_001, 2_500):
        found = bounded(100_000, target, UP, DOWN, 2_500)
        assert (found.value, found.held) == (target, "none")
