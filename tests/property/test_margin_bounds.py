"""Bounds of MM hold the exact MM, whatever the account."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import COLUMNS, Charge, addons_reference
from offchain.core.cross import cross_risk_reference
from offchain.core.curves import Line
from offchain.core.margin_bounds import (
    GROSS_LIMIT_E6,
    GrossRangeError,
    gross_rates,
    maintenance_bounds,
    maintenance_bounds_reference,
    top_rates,
)
from offchain.core.scan import scan_risk_reference, scan_sums_reference
from offchain.core.units import ONE_E6, ROWS, SCENARIOS, ceil_div

FACTOR_E6 = 800_000
CURVES: tuple[tuple[Line, ...], ...] = (((0, 0), (100_000, 10**15)), ((50_000, 0),))
FLOORS: tuple[tuple[Line, ...], ...] = (((1_000_000, 0), (3_000_000, 10**15)), ((2_000_000, 0),))
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
    rates = gross_rates(charges, top_rates(CURVES, FLOORS, [0, 0])).tolist()
    gross = sum(abs(n) * rates[i] for i, n in positions)
    plain = scan_risk_reference(sums)[0]
    least, most = maintenance_bounds_reference(plain, gross, breakdown, FACTOR_E6)
    assert least <= exact <= most


@given(st.integers(0, 2**60), st.integers(0, 2**62), RATIO, RATIO)
def test_kernel_equals_its_reference(scan: int, gross: int, breakdown: int, factor: int) -> None:
    least, most = np.zeros(1, np.int64), np.zeros(1, np.int64)
    maintenance_bounds(np.array([scan]), np.array([gross]), breakdown, factor, least, most)
    expected = maintenance_bounds_reference(scan, gross, breakdown, factor)
    assert (int(least[0]), int(most[0])) == expected


def test_charge_that_leaves_the_range_is_refused() -> None:
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    charges[300, Charge.SHORT] = GROSS_LIMIT_E6 - 1
    none = np.zeros((2, 3), np.int64)
    assert int(gross_rates(charges, none)[300]) == GROSS_LIMIT_E6 - 1
    charges[300, Charge.ROLL] = -1
    with pytest.raises(GrossRangeError, match="300"):
        gross_rates(charges, none)


def test_last_rates_of_the_curves_are_the_steepest() -> None:
    rates = top_rates(CURVES, FLOORS, [7, 8])
    assert rates.tolist() == [[100_000, 3_000_000, 7], [50_000, 2_000_000, 8]]
