"""The 36 scenarios stand where the risk columns expect them."""

from typing import Any

from offchain.core.scenarios import (
    FIRST_SKEW,
    FIRST_TAIL,
    UNCHANGED,
    Scenario,
    VolatilityShock,
    scenario_grid,
)
from offchain.core.units import SCENARIOS, RatioE6


def test_grid_steps_through_quarters_of_the_range_and_three_volatilities(book: Any) -> None:
    grid = scenario_grid(book.parameters.scan[0])
    assert len(grid) == SCENARIOS
    for k in range(-4, 5):
        for shock in (VolatilityShock.DOWN, VolatilityShock.SAME, VolatilityShock.UP):
            assert grid[(k + 4) * 3 + shock] == Scenario(40_000 * k, shock, RatioE6(1_000_000))


def test_nothing_moves_in_the_unchanged_scenario(book: Any) -> None:
    unchanged = scenario_grid(book.parameters.scan[0])[UNCHANGED]
    assert unchanged == Scenario(0, VolatilityShock.SAME, RatioE6(1_000_000))


def test_tails_take_volatility_up_and_their_own_weight(book: Any) -> None:
    scan = book.parameters.scan[1]
    tails = scenario_grid(scan)[FIRST_TAIL:FIRST_SKEW]
    assert [(t.move_e6, t.weight_e6) for t in tails] == [
        (t.move_e6, t.weight_e6) for t in scan.tails
    ]
    assert {t.shock for t in tails} == {VolatilityShock.UP}


def test_skews_come_last_and_move_no_price(book: Any) -> None:
    skews = scenario_grid(book.parameters.scan[0])[FIRST_SKEW:]
    assert [s.shock for s in skews] == [VolatilityShock.FIRST_SKEW, VolatilityShock.SECOND_SKEW]
    assert [s.move_e6 for s in skews] == [0, 0]
