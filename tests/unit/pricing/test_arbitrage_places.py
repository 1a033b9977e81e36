"""Where arbitrage is named: at which strikes of which smile, and from which time on."""

import pytest

from offchain.core.units import DAY_NS, ONE_E8, YEAR_NS
from offchain.pricing.arbitrage import STEPS, FaultKind, SurfaceFault, log_strikes, surface_faults
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.surface import Surface

VOGT = Surface(13_200_872, 13_310_000, 30_600_000, 35_860_000, 41_530_000)
"""Axel Vogt's smile (Gatheral and Jacquier 2014, section 3.1), a = -0.0410 as v0 for one year."""
SOUND = Surface(50_000_000, 4_000_000, -30_000_000, 5_000_000, 20_000_000)
TILTED = Surface(52_000_000, 2_000_000, 30_000_000, 5_000_000, 20_000_000)


def places(faults: tuple[SurfaceFault, ...], kind: FaultKind, grid: list[int]) -> list[int]:
    """Return the steps from the money at which a kind of fault is named."""
    middle = len(grid) // 2
    return [grid.index(f.log_strike) - middle for f in faults if f.kind == kind]


def test_faults_of_vogt_stand_at_the_strikes_of_its_upper_wing() -> None:
    faults, grid = surface_faults([(VOGT, YEAR_NS)]), log_strikes(VOGT, YEAR_NS, STEPS)
    # The density is negative from k = 0.64 on; calls gain from k = 0.51 to 0.96.
    assert places(faults, FaultKind.BUTTERFLY, grid) == list(range(39, 64))
    assert places(faults, FaultKind.VERTICAL, grid) == list(range(31, 59))
    assert places(faults, FaultKind.CALENDAR, grid) == []


def test_smiles_cross_only_where_the_earlier_has_more_variance() -> None:
    flat = (Surface(50_000_000), YEAR_NS // 2)
    faults = surface_faults([flat, (SOUND, YEAR_NS), (TILTED, YEAR_NS + DAY_NS)])
    grid = log_strikes(SOUND, YEAR_NS, STEPS)
    assert {(f.kind, f.place) for f in faults} == {(FaultKind.CALENDAR, 1)}
    found = places(faults, FaultKind.CALENDAR, grid)
    assert found == list(range(-64, found[-1] + 1))  # the low strikes, which are dearer early
    assert found[-1] < 0


def test_a_nanosecond_is_left_and_nothing_is_not() -> None:
    assert surface_faults([(SOUND, 1)]) == ()
    assert surface_faults([]) == ()
    for times in ((0,), (-1,), (0, 1), (1, 1)):
        with pytest.raises(ValueError, match="positive and ascend"):
            surface_faults([(SOUND, time) for time in times])


def test_strikes_are_at_least_one_step_apart_and_at_most_eight_from_the_money() -> None:
    assert log_strikes(Surface(1), 1, 3) == [-3, -2, -1, 0, 1, 2, 3]
    wide = log_strikes(Surface(10 * ONE_E8), 2 * YEAR_NS, STEPS)
    assert len(wide) == 9  # 14.1 deviations an eighth apart: four steps to either side of eight
    assert wide[-1] - wide[-2] == wide[5] == -wide[3]
    assert abs(wide[5] - 1_767_766_952 * (1 << LOG_BITS) // 10**9) < 1 << 30
