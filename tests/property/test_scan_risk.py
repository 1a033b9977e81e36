"""Scan risk is what its reference says, and it rewards netting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.scan import (
    order_sums,
    order_sums_reference,
    scan_risk_reference,
    scan_sums,
    scan_sums_reference,
)
from offchain.core.units import (
    LOSS_BITS,
    LOTS_BITS,
    MAX_ORDERS,
    MAX_POSITIONS,
    MAX_UNDERLYINGS,
    ROWS,
    SCENARIOS,
)

LOSS_LIMIT = 2**LOSS_BITS - 1
LOTS_LIMIT = 2**LOTS_BITS - 1
LOTS = st.integers(-LOTS_LIMIT, LOTS_LIMIT)
PORTFOLIO = st.lists(st.tuples(st.integers(0, ROWS - 1), LOTS), max_size=MAX_POSITIONS)
SLIPPAGE = st.integers(-LOSS_LIMIT, LOSS_LIMIT)
ORDERS = st.lists(st.tuples(st.integers(0, ROWS - 1), LOTS, SLIPPAGE), max_size=MAX_ORDERS)
SEEDS = st.integers(0, 2**32)

Portfolio = list[tuple[int, int]]


def losses_of(seed: int) -> NDArray[np.int32]:
    """Return risk arrays of which a third of the cells stand at the limits."""
    rng = np.random.default_rng(seed)
    losses = rng.integers(-LOSS_LIMIT, LOSS_LIMIT + 1, (ROWS, SCENARIOS))
    edges = rng.choice([-LOSS_LIMIT, 0, LOSS_LIMIT], (ROWS, SCENARIOS))
    return np.where(rng.random((ROWS, SCENARIOS)) < 1 / 3, edges, losses).astype(np.int32)


def sums_of(portfolio: Portfolio, losses: NDArray[np.int32]) -> NDArray[np.int64]:
    ids = np.array([i for i, _ in portfolio], np.int32)
    lots = np.array([n for _, n in portfolio], np.int32)
    out = np.full((MAX_UNDERLYINGS, SCENARIOS), -1, np.int64)
    scan_sums(ids, lots, losses, out)
    return out


def risk_of(portfolio: Portfolio, losses: NDArray[np.int32]) -> int:
    return scan_risk_reference(sums_of(portfolio, losses).tolist())[0]


@given(PORTFOLIO, SEEDS)
def test_sums_equal_their_reference(portfolio: Portfolio, seed: int) -> None:
    losses = losses_of(seed)
    ids, lots = [i for i, _ in portfolio], [n for _, n in portfolio]
    assert sums_of(portfolio, losses).tolist() == scan_sums_reference(ids, lots, losses.tolist())


@given(ORDERS, PORTFOLIO, SEEDS)
def test_order_sums_equal_their_reference_on_top_of_a_portfolio(
    orders: list[tuple[int, int, int]], portfolio: Portfolio, seed: int
) -> None:
    losses = losses_of(seed)
    out = sums_of(portfolio, losses)
    before = out.tolist()
    ids, lots, slippage = ([o[k] for o in orders] for k in range(3))
    order_sums(
        np.array(ids, np.int32),
        np.array(lots, np.int32),
        np.array(slippage, np.int64),
        losses,
        out,
    )
    added = order_sums_reference(ids, lots, slippage, losses.tolist())
    assert out.tolist() == [
        [a + b for a, b in zip(row, more, strict=True)]
        for row, more in zip(before, added, strict=True)
    ]


def test_portfolio_without_loss_names_scenario_zero() -> None:
    sums = [[-5] * SCENARIOS] * MAX_UNDERLYINGS
    assert scan_risk_reference(sums) == (0, [0] * MAX_UNDERLYINGS)


def test_first_of_equal_losses_is_the_worst_scenario() -> None:
    sums = np.zeros((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    sums[0, [7, 9]] = 3
    assert scan_risk_reference(sums.tolist())[1] == [7, 0]


@given(PORTFOLIO, PORTFOLIO, SEEDS)
def test_merging_two_portfolios_never_adds_risk(a: Portfolio, b: Portfolio, seed: int) -> None:
    losses = losses_of(seed)
    merged = sums_of(a, losses) + sums_of(b, losses)
    assert scan_risk_reference(merged.tolist())[0] <= risk_of(a, losses) + risk_of(b, losses)


@given(PORTFOLIO, SEEDS, st.integers(1, 8))
def test_risk_grows_in_proportion_to_the_portfolio(
    portfolio: Portfolio, seed: int, factor: int
) -> None:
    losses = losses_of(seed)
    small = [(i, n // 8) for i, n in portfolio]
    scaled = [(i, n * factor) for i, n in small]
    assert risk_of(scaled, losses) == factor * risk_of(small, losses)


@given(ORDERS, SEEDS, st.lists(st.booleans(), min_size=MAX_ORDERS, max_size=MAX_ORDERS))
def test_no_subset_of_fills_is_worse_than_the_order_sums(
    orders: list[tuple[int, int, int]], seed: int, fills: list[bool]
) -> None:
    losses = losses_of(seed).tolist()
    ids, lots, slippage = ([o[k] for o in orders] for k in range(3))
    bound = order_sums_reference(ids, lots, slippage, losses)
    for s in (0, 17, SCENARIOS - 1):
        for u in range(MAX_UNDERLYINGS):
            loss = sum(
                n * (losses[i][s] + slip)
                for (i, n, slip), filled in zip(orders, fills, strict=False)
                if filled and i >> 8 == u
            )
            assert loss <= bound[u][s]


def test_largest_sums_do_not_wrap() -> None:
    count = MAX_POSITIONS
    losses = np.full((ROWS, SCENARIOS), LOSS_LIMIT, np.int32)
    out = np.zeros((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    ids = np.zeros(count, np.int32)
    scan_sums(ids, np.full(count, LOTS_LIMIT, np.int32), losses, out)
    ids = np.zeros(MAX_ORDERS, np.int32)
    lots = np.full(MAX_ORDERS, LOTS_LIMIT, np.int32)
    order_sums(ids, lots, np.full(MAX_ORDERS, LOSS_LIMIT, np.int64), losses, out)
    expected = LOTS_LIMIT * LOSS_LIMIT * (count + 2 * MAX_ORDERS)
    assert out[0].tolist() == [expected] * SCENARIOS
    assert expected < 2**63
