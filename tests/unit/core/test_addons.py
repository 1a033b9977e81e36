"""Add-ons: the kernel is its reference, orders count at their worst, and nothing wraps."""

from dataclasses import astuple
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import (
    COLUMNS,
    GROUPS,
    TERMS,
    AccountLine,
    Addons,
    Charge,
    addon_terms,
    addons_reference,
)
from offchain.core.curves import Line, curve_lines, curve_table
from offchain.core.model_parameters import Tier
from offchain.core.presets import tiers
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, ROWS, RatioE6, UsdE6

IDS = (0, 1, 2, 3, 4, 256, 257, 258)
DELTA_CURVES = (
    curve_lines(tiers((0, 0), (1, 10_000), (50, 100_000))),
    curve_lines(tiers((0, 0), (7, 25_000))),
)
UNWIND_CURVES = (
    curve_lines(tiers((0, 1_000_000), (1, 2_000_000), (9, 12_000_000))),
    curve_lines(tiers((0, 500_000))),
)
COVERS = (500_000, 1_000_000)
Rows = dict[int, list[int]]


def numba_addons(
    lines: list[AccountLine],
    rows: Rows,
    delta: tuple[tuple[Line, ...], ...] = DELTA_CURVES,
    unwind: tuple[tuple[Line, ...], ...] = UNWIND_CURVES,
    covers: tuple[int, ...] = COVERS,
) -> Addons:
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    for i, row in rows.items():
        charges[i] = row
    out = np.empty(TERMS, np.int64)
    addon_terms(
        np.array(lines, np.int64).reshape(len(lines), 4),
        charges,
        curve_table(delta),
        curve_table(unwind),
        np.array(covers, np.int64),
        np.empty((MAX_UNDERLYINGS, GROUPS, 5), np.int64),
        out,
    )
    return Addons(*(UsdE6(term) for term in out.tolist()))


def reference(lines: list[AccountLine], rows: Rows) -> Addons:
    table = [rows.get(i, [0] * COLUMNS) for i in range(ROWS)]
    return addons_reference(lines, table, DELTA_CURVES, UNWIND_CURVES, COVERS)


@st.composite
def charge_rows(draw: st.DrawFn) -> Rows:
    signed, positive = st.integers(-(2**31) + 1, 2**31 - 1), st.integers(0, 2**32 - 1)
    small = st.integers(0, 50)
    rows = {}
    for i in IDS:
        amount = draw(st.sampled_from([positive, small]))
        row = [draw(amount) for _ in range(COLUMNS)]
        for column in (Charge.DELTA, Charge.ROLL, Charge.CALM):
            row[column] = draw(st.one_of(signed, st.integers(-50, 50)))
        row[Charge.GROUP] = draw(st.integers(0, GROUPS - 1)) if i % 2 else 3
        rows[i] = row
    return rows


LOTS = st.one_of(st.integers(-(2**24) + 1, 2**24 - 1), st.integers(-9, 9))
ORDERED = st.one_of(st.just(0), st.integers(0, 2**24 - 1), st.integers(0, 9))
LINES = st.lists(st.tuples(LOTS, ORDERED, ORDERED), max_size=len(IDS)).map(
    lambda found: [(i, *line) for i, line in zip(IDS, found, strict=False)]
)


@given(LINES, charge_rows())
def test_the_kernel_equals_its_reference(lines: list[AccountLine], rows: Rows) -> None:
    assert numba_addons(lines, rows) == reference(lines, rows)
    assert numba_addons(lines[::-1], rows) == reference(lines, rows)  # order does not matter


@given(LINES, charge_rows())
def test_initial_is_never_below_maintenance(lines: list[AccountLine], rows: Rows) -> None:
    found = reference(lines, rows)
    assert found.initial_e6 >= found.maintenance_e6
    assert found.im_unwind_e6 >= found.unwind_e6


@given(
    st.lists(
        st.tuples(st.sampled_from(IDS), st.integers(-9, 9).filter(bool)), min_size=1, max_size=5
    ),
    st.dictionaries(st.sampled_from(IDS), st.integers(-9, 9), max_size=4),
    charge_rows(),
)
def test_initial_covers_whichever_orders_fill(
    orders: list[tuple[int, int]], held: dict[int, int], rows: Rows
) -> None:
    def lines(fills: tuple[tuple[int, int], ...], *, resting: bool) -> list[AccountLine]:
        found = {i: [held.get(i, 0), 0, 0] for i in {*held, *(i for i, _ in orders)}}
        for i, n in orders if resting else fills:
            if resting:
                found[i][1 if n > 0 else 2] += abs(n)
            else:
                found[i][0] += n
        return [(i, *line) for i, line in sorted(found.items())]  # type: ignore[misc]

    before = reference(lines((), resting=True), rows)
    for size in range(len(orders) + 1):
        for fills in combinations(orders, size):
            after = reference(lines(fills, resting=False), rows)
            assert after.initial_e6 <= before.initial_e6
            assert after.im_unwind_e6 <= before.im_unwind_e6


def row(**charges: int) -> list[int]:
    found = [0] * COLUMNS
    for name, value in charges.items():
        found[Charge[name.upper()]] = value
    return found


def test_deltas_of_one_expiry_net_and_those_of_two_do_not() -> None:
    rows = {0: row(roll=10), 1: row(roll=10, group=1), 2: row(roll=-4, group=1)}
    assert reference([(1, 2, 0, 0), (2, 5, 0, 0)], rows).roll_e6 == 0
    assert reference([(0, 2, 0, 0), (1, -2, 0, 0)], rows).roll_e6 == 40


def test_each_side_pays_its_own_provision() -> None:
    rows = {0: row(long=3, short=5, short_extra=2)}
    assert reference([(0, 4, 0, 0)], rows).holding_e6 == 12
    assert reference([(0, -4, 0, 0)], rows).holding_e6 == 20
    found = reference([(0, -4, 0, 1)], rows)
    assert (found.im_holding_e6, found.im_naked_e6) == (25, 10)
    assert reference([(0, 4, 0, 5)], rows).im_naked_e6 == 2  # sold short by one


def test_long_vega_pays_for_short_vega_of_its_expiry_only() -> None:
    rows = {1: row(calm=7, group=1), 2: row(calm=7, group=2), 3: row(calm=10, group=1)}
    assert reference([(1, 10, 0, 0), (3, -7, 0, 0)], rows).im_calm_e6 == 0
    assert reference([(2, 10, 0, 0), (3, -7, 0, 0)], rows).im_calm_e6 == 35  # half of 70
    assert reference([(3, -7, 0, 0)], rows).maintenance_e6 == 0


def test_a_large_delta_is_charged_by_its_tier_and_long_and_short_cancel() -> None:
    million = 10**6
    rows = {0: row(delta=ONE_E6), 1: row(delta=ONE_E6)}
    curves = (curve_lines(tiers((0, 0), (20 * million, 10_000))),) * 2
    charges = [rows.get(i, [0] * COLUMNS) for i in range(ROWS)]

    def delta(*lines: AccountLine) -> int:
        found = addons_reference(lines, charges, curves, UNWIND_CURVES, COVERS)
        return found.delta_e6

    assert delta((0, 21 * million, 0, 0)) == 10_000 * ONE_E6
    assert delta((0, 21 * million, 0, 0), (1, -2 * million, 0, 0)) == 0


@pytest.mark.parametrize("side", [1, -1])
def test_nothing_wraps_with_every_position_and_order_at_its_limit(side: int) -> None:
    # 32 positions and 64 orders, each of 2^24 - 1 lots, on the largest charges and curves.
    lots, top = 2**24 - 1, 2**32 - 1
    line = (side * lots, 2 * lots if side > 0 else 0, 2 * lots if side < 0 else 0)
    lines: list[AccountLine] = [(i, *line) for i in (*range(16), *range(256, 272))]
    largest = row(
        delta=2**31 - 1,
        roll=2**31 - 1,
        long=top,
        short=top,
        unwind=top,
        short_extra=top,
        calm=2**31 - 1,
        doubt=top,
        group=31,
    )
    rows = {i: list(largest) for i, *_ in lines}
    steep = tuple(Tier(UsdE6(k), RatioE6(2**24 - 8 + k)) for k in range(8))
    flat = tuple(Tier(UsdE6(k), RatioE6(100_000 - 7 + k)) for k in range(8))
    delta, unwind = (curve_lines(flat),) * 2, (curve_lines(steep),) * 2
    covers = (ONE_E6, ONE_E6)
    table = [rows.get(i, [0] * COLUMNS) for i in range(ROWS)]
    expected = addons_reference(lines, table, delta, unwind, covers)
    assert numba_addons(lines, rows, delta, unwind, covers) == expected
    assert max(astuple(expected)) < 2**63
    assert expected.im_doubt_e6 == 96 * lots * top
