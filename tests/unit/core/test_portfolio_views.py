"""Which view of the scan decides an account: a common scenario, or the worst of each underlying."""

import numpy as np
import pytest

from offchain.core.addons import COLUMNS
from offchain.core.curves import MAX_TIERS
from offchain.core.portfolio import (
    FIGURES,
    IS_CORRELATED,
    SCAN,
    SCAN_WITH_ORDERS,
    WORST,
    portfolio_margin,
)
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, ROWS, SCENARIOS

BTC, ETH = 0, 256
NO_CAP = 10**9


def figures(
    breakdown: int,
    orders: list[tuple[int, int, int]] | None = None,
    cap: int = NO_CAP,
    offset: int = 500_000,
) -> list[int]:
    """Return the figures of one lot each: 100 less 60 in scenario 5, 40 less 90 in scenario 9."""
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    losses[BTC, [5, 9]], losses[ETH, [5, 9]] = (100, -90), (-60, 40)
    out = np.empty(FIGURES, np.int64)
    portfolio_margin(
        np.array([[BTC, 1, 0, 0], [ETH, 1, 0, 0]], np.int64),
        np.array(orders or [], np.int64).reshape(-1, 3),
        losses,
        np.zeros((ROWS, COLUMNS), np.int64),
        np.zeros((3, MAX_UNDERLYINGS, MAX_TIERS, 3), np.int64),
        np.array([offset, cap, breakdown, 0, 0], np.int64),
        out,
    )
    found: list[int] = out.tolist()
    return found


@pytest.mark.parametrize(
    ("breakdown", "risk", "is_correlated", "worst"),
    [
        (1, 70, 1, [5, 5]),
        (499_999, 70, 0, [5, 9]),  # 69.99986 rounds up to the same
        (492_857, 70, 1, [5, 5]),  # 68.99998 rounds up to less
        (500_001, 71, 0, [5, 9]),
        (ONE_E6, 140, 0, [5, 9]),
    ],
)
def test_the_larger_view_decides_and_the_broken_one_where_they_are_equal(
    breakdown: int, risk: int, is_correlated: int, worst: list[int]
) -> None:
    found = figures(breakdown)
    assert (found[SCAN], found[IS_CORRELATED], found[WORST:]) == (risk, is_correlated, worst)
    assert found[SCAN_WITH_ORDERS] == risk


def test_orders_change_the_risk_with_orders_and_neither_the_scan_nor_its_scenarios() -> None:
    found = figures(1, [(ETH, 2, 10), (BTC, -1, 0)])
    # In scenario 9: 40 and 2 x 50 of ether, 90 of bitcoin bought back against its gain of 90.
    assert found[SCAN_WITH_ORDERS] == 140
    assert (found[SCAN], found[IS_CORRELATED], found[WORST:]) == (70, 1, [5, 5])
    assert figures(1, [(BTC, 3, -100)])[SCAN_WITH_ORDERS] == 70  # a fill that can only gain


def test_a_credit_for_gains_ends_at_its_cap() -> None:
    assert figures(1, cap=7)[SCAN] == 93
    assert figures(1, cap=0)[SCAN] == figures(1, offset=0)[SCAN] == 100
