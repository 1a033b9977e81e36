"""Bounds of MM hold the exact MM, whatever the account."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import COLUMNS, Charge, addons_reference
from offchain.core.cross import cross_risk_reference
from offchain.core.curves import Line, curve_lines
from offchain.core.margin_bounds import (
    UNBOUNDED_E6,
    addon_rates,
    gross_rates,
    maintenance_bounds,
    maintenance_bounds_reference,
    small_gross,
    top_rates,
)
from offchain.core.presets import tiers
from offchain.core.scan import scan_risk_reference, scan_sums_reference
from offchain.core.units import ONE_E6, ROWS, SCENARIOS, ceil_div
from tests.support.venue import RULES

FACTOR_E6 = 800_000
USUAL = RULES.addons[0]
ADDONS = (
    replace(
        USUAL,
        delta_tiers=tiers((0, 10_000), (1_000_000, 100_000)),
        unwind_tiers=tiers((0, 1_000_000), (1_000, 3_000_000)),
    ),
    replace(USUAL, delta_tiers=tiers((0, 50_000)), unwind_tiers=tiers((0, 2_000_000))),
)
CURVES: tuple[tuple[Line, ...], ...] = tuple(curve_lines(a.delta_tiers) for a in ADDONS)
FLOORS: tuple[tuple[Line, ...], ...] = tuple(curve_lines(a.unwind_tiers) for a in ADDONS)
LISTED = [0, 1, 2, 3, 256, 257, 511]
POSITIONS = st.lists(
    st.tuples(st.sampled_from(LISTED), st.integers(-10_000, 10_000)),
    max_size=6,
    unique_by=lambda held: held[0],
)
RATIO = st.integers(0, ONE_E6)


@given(POSITIONS, st.integers(0, 2**32), RATIO, st.integers(0, 2**40), RATIO)
def test_exact_maintenance_lies_within_the_bounds(
    positions: list[tuple[int, int]], seed: int, offset: int, cap: int, breakdown: int
) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.integers(-(2**24), 2**24, (ROWS, SCENARIOS)).tolist()
    charges = rng.integers(0, 2 ** int(rng.integers(4, 26)), (ROWS, COLUMNS))
    charges[:, Charge.DELTA] -= 2**4
    charges[:, Charge.ROLL] -= 2**3
    charges[:, Charge.GROUP] = rng.integers(0, 3, ROWS)
    ids, lots = [i for i, _ in positions], [n for _, n in positions]
    sums = scan_sums_reference(ids, lots, losses)
    risk = cross_risk_reference(sums, offset, cap, breakdown)[0]
    lines = [(i, n, 0, 0) for i, n in positions]
    addons = addons_reference(lines, charges.tolist(), CURVES, FLOORS, [0, 0])
    due = max(risk + addons.maintenance_e6, addons.unwind_e6)
    exact = ceil_div(FACTOR_E6 * due, ONE_E6)
    rates = gross_rates(charges, addon_rates(ADDONS)).tolist()
    gross = sum(abs(n) * rates[i] for i, n in positions)
    plain = scan_risk_reference(sums)[0]
    small = small_gross(ADDONS)
    assert small == 10_000 * ONE_E6  # 1 % of the first tier
    least, most = maintenance_bounds_reference(plain, gross, small, breakdown, FACTOR_E6)
    assert least <= exact <= most
    assert (most == UNBOUNDED_E6) == (gross > small)


@given(st.integers(0, 2**60), st.integers(0, 2**61), st.integers(0, 2**62), RATIO, RATIO)
def test_kernel_equals_its_reference(
    scan: int, gross: int, small: int, breakdown: int, factor: int
) -> None:
    least, most = np.zeros(1, np.int64), np.zeros(1, np.int64)
    maintenance_bounds(np.array([scan]), np.array([gross]), small, breakdown, factor, least, most)
    expected = maintenance_bounds_reference(scan, gross, small, breakdown, factor)
    assert (int(least[0]), int(most[0])) == expected


def test_last_rates_of_the_curves_are_the_steepest() -> None:
    rates = top_rates(CURVES, FLOORS, [7, 8])
    assert rates.tolist() == [[100_000, 3_000_000, 7], [50_000, 2_000_000, 8]]
