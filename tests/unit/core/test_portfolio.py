"""Requirements of whole accounts: the kernels are their references, up to every limit."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import COLUMNS, TERMS, AccountLine, Addons, Charge
from offchain.core.curves import Line, curve_lines, curve_table
from offchain.core.margin import (
    initial_margin,
    initial_with_shortfall,
    maintenance_margin,
    peg_e6,
)
from offchain.core.portfolio import (
    FIGURES,
    IS_CORRELATED,
    SCAN,
    SCAN_WITH_ORDERS,
    WORST,
    OrderLine,
    maintenance_of,
    maintenance_reference,
    portfolio_margin,
    portfolio_reference,
)
from offchain.core.presets import MAJOR, PEG, tiers
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, ROWS, SCENARIOS, RatioE6, UsdE6

IDS = (0, 1, 5, 255, 256, 300)
CURVES: tuple[tuple[tuple[Line, ...], ...], ...] = (
    (curve_lines(tiers((0, 0), (1, 10_000), (40, 100_000))),) * 2,
    (curve_lines(tiers((0, 1_000_000), (2, 5_000_000))),) * 2,
    (curve_lines(MAJOR.tiers),) * 2,
)
TABLE = np.stack([curve_table(of) for of in CURVES])
Rows = dict[int, list[int]]
Account = list[tuple[int, int, int, int]]


def arrays(losses: Rows, charges: Rows) -> tuple[np.ndarray, np.ndarray]:
    wide, owed = np.zeros((ROWS, SCENARIOS), np.int32), np.zeros((ROWS, COLUMNS), np.int64)
    for i in losses:
        wide[i], owed[i] = losses[i], charges[i]
    return wide, owed


@st.composite
def markets(draw: st.DrawFn) -> tuple[Rows, Rows]:
    reach = draw(st.sampled_from([9, 10**6, 2**31 - 1]))
    cell = st.integers(-reach, reach)
    losses, charges = {}, {}
    for i in IDS:
        few = draw(st.lists(cell, min_size=4, max_size=4))
        losses[i] = [few[(s * (i + 1)) % 4] for s in range(SCENARIOS)]
        row = [abs(draw(cell)) for _ in range(COLUMNS)]
        row[Charge.DELTA], row[Charge.ROLL], row[Charge.CALM] = (draw(cell) for _ in range(3))
        row[Charge.GROUP] = draw(st.integers(0, 31))
        charges[i] = row
    return losses, charges


TERMS_OF = st.tuples(
    st.integers(0, ONE_E6),
    st.one_of(st.just(0), st.integers(0, 2**52)),
    st.integers(1, ONE_E6),
    st.integers(0, ONE_E6),
    st.integers(0, ONE_E6),
)
LOTS = st.one_of(st.integers(-9, 9), st.integers(-(2**24) + 1, 2**24 - 1))
HELD = st.dictionaries(st.sampled_from(IDS), LOTS, max_size=len(IDS))
ORDERS = st.lists(
    st.tuples(st.sampled_from(IDS), LOTS.filter(bool), st.integers(-(2**31) + 1, 2**31 - 1)),
    max_size=4,
)


def lines_of(held: dict[int, int], orders: list[OrderLine]) -> list[AccountLine]:
    found = {i: [n, 0, 0] for i, n in held.items()}
    for i, n, _ in orders:
        found.setdefault(i, [0, 0, 0])[1 if n > 0 else 2] += abs(n)
    return [(i, *line) for i, line in sorted(found.items())]  # type: ignore[misc]


@given(HELD, ORDERS, markets(), TERMS_OF)
def test_the_account_kernel_equals_its_reference(
    held: dict[int, int], orders: list[OrderLine], market: tuple[Rows, Rows], terms: tuple[int, ...]
) -> None:
    losses, charges = arrays(*market)
    lines = lines_of(held, orders)
    figures = np.empty(FIGURES, np.int64)
    portfolio_margin(
        np.array(lines, np.int64).reshape(len(lines), 4),
        np.array(orders, np.int64).reshape(len(orders), 3),
        losses,
        charges,
        TABLE,
        np.array(terms, np.int64),
        figures,
    )
    addons, risk, with_orders, worst = portfolio_reference(
        lines, orders, losses.tolist(), charges.tolist(), CURVES[0], CURVES[1], terms
    )
    found = figures.tolist()
    assert tuple(found[:TERMS]) == astuple(addons)
    assert (found[SCAN], found[SCAN_WITH_ORDERS]) == (risk, with_orders)
    assert found[WORST:] == worst
    if found[IS_CORRELATED]:
        assert len(set(worst)) == 1
    assert with_orders >= risk or not orders


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2]), HELD), min_size=1, max_size=5),
    markets(),
    TERMS_OF,
    st.integers(1, ONE_E6),
    st.randoms(use_true_random=False),
)
def test_the_sweep_kernel_equals_its_reference_for_whoever_is_chosen(
    accounts: list[tuple[int, dict[int, int]]],
    market: tuple[Rows, Rows],
    terms: tuple[int, ...],
    factor: int,
    random: object,
) -> None:
    losses, charges = arrays(*market)
    n = len(accounts)
    ids, lots = np.zeros((n, 32), np.int32), np.zeros((n, 32), np.int32)
    held = [sorted((i, q) for i, q in each.items() if q) for _, each in accounts]
    for a, rows in enumerate(held):
        for place, (i, q) in enumerate(rows):
            ids[a, place], lots[a, place] = i, q
    chosen = np.array([a for a in range(n) if a % 2 == 0], np.int64)
    out = np.empty(len(chosen), np.int64)
    maintenance_of(
        chosen,
        np.array([mode for mode, _ in accounts], np.int8),
        ids,
        lots,
        np.array([len(rows) for rows in held], np.int32),
        losses,
        charges,
        TABLE,
        np.array(terms, np.int64),
        factor,
        out,
    )
    expected = [
        maintenance_reference(
            accounts[a][0], held[a], losses.tolist(), charges.tolist(), CURVES, terms, factor
        )
        for a in chosen.tolist()
    ]
    assert out.tolist() == expected


@pytest.mark.parametrize("factor", [1, 800_000, ONE_E6])
def test_nothing_wraps_with_32_positions_at_the_largest_charges(factor: int) -> None:
    lots, top = 2**24 - 1, 2**31 - 1
    held = [(i, lots) for i in (*range(16), *range(256, 272))]
    losses = np.full((ROWS, SCENARIOS), top, np.int32)
    charges = np.full((ROWS, COLUMNS), 2**32 - 1, np.int64)
    charges[:, [Charge.DELTA, Charge.ROLL, Charge.CALM]] = top
    charges[:, Charge.UNWIND] = 107_374_183  # 5 % of the largest lot
    charges[:, Charge.GROUP] = 31
    steep = (
        (curve_lines(tiers((0, 99_999), (1, 100_000))),) * 2,
        (curve_lines(tiers((0, 2**24 - 2), (1, 2**24 - 1))),) * 2,
        (curve_lines(tiers((0, 1), (1, ONE_E6))),) * 2,
    )
    table, terms = np.stack([curve_table(of) for of in steep]), (0, 0, ONE_E6, ONE_E6, ONE_E6)
    ids, amounts = np.zeros((1, 32), np.int32), np.full((1, 32), lots, np.int32)
    ids[0] = [i for i, _ in held]
    for mode in (0, 2):
        out = np.empty(1, np.int64)
        maintenance_of(
            np.zeros(1, np.int64),
            np.array([mode], np.int8),
            ids,
            amounts,
            np.array([32], np.int32),
            losses,
            charges,
            table,
            np.array(terms, np.int64),
            factor,
            out,
        )
        due = maintenance_reference(
            mode, held, losses.tolist(), charges.tolist(), steep, terms, factor
        )
        assert out[0] == due
        assert 0 < due < 2**63


def test_no_underlying_is_left_out() -> None:
    assert len(TABLE[0]) == MAX_UNDERLYINGS


def test_maintenance_is_the_larger_of_scan_with_addons_and_the_floor() -> None:
    eighty = RatioE6(800_000)
    assert maintenance_margin(100, 11, eighty) == 89  # 88.8
    assert maintenance_margin(100, 11, eighty, floor_e6=200) == 160
    assert maintenance_margin(0, 0, eighty) == 0


def test_initial_grows_with_the_distance_from_the_peg_and_never_falls_below_maintenance() -> None:
    assert peg_e6(99_000_000, PEG) == peg_e6(101_000_000, PEG) == 0
    assert peg_e6(98_000_000, PEG) == 40_000  # four times one percent
    assert peg_e6(98_999_999, PEG) == 1  # rounded up
    assert initial_margin(1_000_000, RatioE6(40_000), 7) == 1_040_000
    assert initial_margin(1, RatioE6(1), 7) == 7
    assert initial_margin(10, RatioE6(1), 0) == 11  # rounded up


def test_the_second_model_takes_the_larger_or_its_share() -> None:
    assert initial_with_shortfall(100, 130, RatioE6(0), 90) == 130
    assert initial_with_shortfall(100, 30, RatioE6(0), 90) == 100
    assert initial_with_shortfall(100, 131, RatioE6(500_000), 90) == 116  # 115.5
    assert initial_with_shortfall(100, 0, RatioE6(500_000), 90) == 90
    assert Addons(*[UsdE6(0)] * TERMS).initial_e6 == 0
