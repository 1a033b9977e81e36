"""Static arbitrage: known good and known bad smiles."""

import math

import pytest

from offchain.core.units import DAY_NS, ONE_E8, YEAR_NS
from offchain.pricing.arbitrage import FaultKind, log_strikes, surface_faults
from offchain.pricing.fixed_point import LOG_BITS
from offchain.pricing.surface import Surface

UNIT = 1 << LOG_BITS
VOGT = Surface(13_200_872, 13_310_000, 30_600_000, 35_860_000, 41_530_000)
"""Axel Vogt's smile (Gatheral and Jacquier 2014, section 3.1), a = -0.0410 as v0 for one year."""
SOUND = Surface(50_000_000, 4_000_000, -30_000_000, 5_000_000, 20_000_000)


def kinds(*smiles: tuple[Surface, int]) -> set[FaultKind]:
    return {fault.kind for fault in surface_faults(smiles)}


@pytest.mark.parametrize("days", [1, 7, 30, 365, 730])
@pytest.mark.parametrize("volatility", [5_000_000, 50_000_000, 3 * ONE_E8])
def test_flat_smile_is_sound(volatility: int, days: int) -> None:
    assert surface_faults([(Surface(volatility), days * DAY_NS)]) == ()


def test_ordinary_smiles_of_growing_variance_are_sound() -> None:
    assert surface_faults([(SOUND, YEAR_NS // 4), (SOUND, YEAR_NS // 2), (SOUND, YEAR_NS)]) == ()


def density_factor(k: float) -> float:
    """Return g(k) of Vogt's smile, whose sign is that of the density (same paper, eq. 2.1)."""
    a, b, m, rho, sigma = -0.0410, 0.1331, 0.3586, 0.3060, 0.4153
    root = math.hypot(k - m, sigma)
    w = a + b * (rho * (k - m) + root)
    first = b * (rho + (k - m) / root)
    second = b * sigma**2 / root**3
    return (1 - k * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 1 / 4) + second / 2


def test_vogt_has_a_negative_density_exactly_where_its_derivatives_say_so() -> None:
    faults = surface_faults([(VOGT, YEAR_NS)])
    assert {f.place for f in faults} == {0}
    named = {f.log_strike for f in faults if f.kind == FaultKind.BUTTERFLY}
    negative = {k for k in log_strikes(VOGT, YEAR_NS, 64) if density_factor(k / UNIT) < 0}
    assert len(named) > 10
    assert named <= negative
    assert len(negative - named) <= 4  # at the edges, where the density is nearly zero


def test_far_wing_that_grows_with_the_strike_is_named() -> None:
    assert FaultKind.VERTICAL in kinds((VOGT, YEAR_NS))


def test_later_expiry_of_less_variance_crosses() -> None:
    calm = Surface(20_000_000)
    assert kinds((SOUND, YEAR_NS), (calm, YEAR_NS + DAY_NS)) == {FaultKind.CALENDAR}
    places = {f.place for f in surface_faults([(SOUND, YEAR_NS), (calm, YEAR_NS + DAY_NS)])}
    assert places == {0}


def test_equal_variance_at_both_expiries_does_not_cross() -> None:
    """The later volatility is floored; what the floor takes is no fault."""
    early = Surface(60_000_000)
    late = Surface(42_426_406)  # 60 % / sqrt(2), floored
    assert surface_faults([(early, YEAR_NS // 2), (late, YEAR_NS)]) == ()
    below = Surface(42_426_405)
    assert kinds((early, YEAR_NS // 2), (below, YEAR_NS)) == {FaultKind.CALENDAR}


def test_strikes_step_by_an_eighth_of_a_deviation_and_stop_at_eight() -> None:
    grid = log_strikes(Surface(40_000_000), YEAR_NS, 64)
    assert len(grid) == 129
    assert abs(grid[65] - UNIT // 20) <= 1
    wide = log_strikes(Surface(10 * ONE_E8), YEAR_NS, 64)
    assert max(wide) <= 8 * UNIT


@pytest.mark.parametrize("times", [(0,), (2, 2), (3, 2)])
def test_times_that_do_not_ascend_are_refused(times: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        surface_faults([(SOUND, time) for time in times])


def test_kinds_keep_their_numbers() -> None:
    assert [(kind.name, int(kind)) for kind in FaultKind] == [
        ("BUTTERFLY", 0),
        ("VERTICAL", 1),
        ("CALENDAR", 2),
    ]
