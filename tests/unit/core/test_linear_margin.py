"""Tiered linear margin: published tiers, open interest, concentration, and its kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.addons import COLUMNS, Charge
from offchain.core.curves import curve_table
from offchain.core.linear_margin import (
    InstrumentMargin,
    instrument_margin,
    interest_rate,
    linear_maintenance,
    linear_maintenance_reference,
    maintenance_lines,
)
from offchain.core.model_parameters import MarginClass
from offchain.core.presets import ALTERNATIVE, MAJOR
from offchain.core.units import ONE_E6, ROWS

USD = ONE_E6
LOT = 120 * USD  # 0.001 BTC


def margin(lots: int, buys: int = 0, sells: int = 0, interest: int = 10**9) -> InstrumentMargin:
    """Return the margin of a major at 120 USD a lot, in a book far larger than the position."""
    return instrument_margin((0, lots, buys, sells), LOT, interest, MAJOR)


@pytest.mark.parametrize(
    ("notional_usd", "due_usd"),
    [(1_200_000, 6_000), (6_000_000, 35_000), (24_000_000, 275_000), (120_000_000, 3_175_000)],
)
def test_maintenance_is_marginal_by_tier(notional_usd: int, due_usd: int) -> None:
    # 0.5 %, 1 % above 5 M, 2.5 % above 20 M, 5 % above 100 M.
    lots = notional_usd // 120
    for side in (1, -1):
        assert margin(side * lots).maintenance_e6 == due_usd * USD


def test_initial_is_a_multiple_of_maintenance_at_the_highest_leverage() -> None:
    found = margin(1_000, interest=1)
    assert found.notional_e6 == 120_000 * USD
    assert found.initial_e6 == 1_200 * USD  # 1 % of 120,000: 100x
    alternative = instrument_margin((0, 1_000, 0, 0), LOT, 1, ALTERNATIVE)
    assert alternative.initial_e6 == 6_000 * USD  # 5 %: 20x


def test_the_rate_rises_to_one_between_the_bounds_of_the_open_interest() -> None:
    billion = 10**9 * USD
    assert interest_rate(0, MAJOR) == interest_rate(billion, MAJOR) == 10_000
    assert interest_rate(3 * billion, MAJOR) == 505_000  # half-way from 1 % to 100 %
    assert interest_rate(5 * billion, MAJOR) == interest_rate(50 * billion, MAJOR) == ONE_E6
    assert interest_rate(billion + 1, MAJOR) == 10_001  # rounded up


def test_orders_count_at_their_worst_and_as_open_interest() -> None:
    plain = margin(1_000, interest=1)
    assert margin(1_000, buys=500, interest=1).notional_e6 == plain.notional_e6 * 3 // 2
    assert margin(1_000, sells=1_500, interest=1).notional_e6 == plain.notional_e6
    assert margin(1_000, sells=3_000, interest=1).notional_e6 == plain.notional_e6 * 2
    assert margin(1_000, buys=500, interest=1).maintenance_e6 == plain.maintenance_e6
    edge = 10**9 // 120  # lots in a billion
    alone = margin(1, interest=edge)
    joined = margin(1, buys=10**6, sells=1, interest=edge)
    rate = joined.interest_initial_e6 * ONE_E6 // joined.notional_e6
    assert alone.interest_initial_e6 * ONE_E6 // alone.notional_e6 == 10_000
    assert rate >= 10_000 + 990_000 * 120 * 10**6 // (4 * 10**9)


def test_a_large_share_of_the_open_interest_pays_a_surcharge() -> None:
    lots = 6_000_000 // 120
    assert margin(lots, interest=10 * lots).concentration_e6 == 0  # 10 % is free
    at_half = margin(lots, interest=2 * lots).concentration_e6
    assert at_half == 1_000_000 * USD * 2 // 10  # above 5 million: slope 0.5 x (50 % - 10 %)
    small = 4_000_000 // 120
    assert margin(small, interest=small).concentration_e6 == 0  # below the free size
    alone = margin(lots, interest=0)
    assert alone.concentration_e6 == 1_000_000 * USD * 45 // 100  # an order makes its own book


def test_the_surcharge_begins_without_a_step() -> None:
    free = 5_000_000 // 120
    for lots in range(free - 1, free + 4):
        found = margin(lots, interest=lots).concentration_e6
        assert found == max(0, (lots * 120 - 5_000_000) * USD * 45 // 100)


@given(
    st.integers(-(2**24) + 1, 2**24 - 1),
    st.integers(0, 2**24 - 1),
    st.integers(0, 2**24 - 1),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**40),
    st.sampled_from([MAJOR, ALTERNATIVE]),
)
def test_initial_lies_between_maintenance_and_notional(
    lots: int, buys: int, sells: int, lot: int, interest: int, of: MarginClass
) -> None:
    found = instrument_margin((0, lots, buys, sells), lot, interest, of)
    assert found.maintenance_e6 <= found.initial_e6 <= found.notional_e6
    less = instrument_margin((0, lots * 9 // 10, buys, sells), lot, interest, of)
    if lots > 0 and sells == 0:
        assert less.maintenance_e6 <= found.maintenance_e6
        assert less.initial_e6 <= found.initial_e6


LINES = (maintenance_lines(MAJOR), maintenance_lines(ALTERNATIVE))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 5, 255, 256, 300]),
            st.one_of(st.integers(-(2**24) + 1, 2**24 - 1), st.integers(-5, 5)),
        ),
        max_size=6,
        unique_by=lambda held: held[0],
    ),
    st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=6, max_size=6),
)
def test_the_kernel_equals_its_reference(
    positions: list[tuple[int, int]], deltas: list[int]
) -> None:
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    charges[[0, 1, 5, 255, 256, 300], Charge.DELTA] = deltas
    ids, lots = np.zeros(32, np.int32), np.zeros(32, np.int32)
    for place, (i, n) in enumerate(positions):
        ids[place], lots[place] = i, n
    found = linear_maintenance(ids, lots, len(positions), charges, curve_table(LINES))
    assert found == linear_maintenance_reference(positions, charges.tolist(), LINES)


def test_nothing_wraps_with_32_positions_at_the_limit() -> None:
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    charges[:, Charge.DELTA] = 2**31 - 1
    ids = np.arange(32, dtype=np.int32)
    lots = np.full(32, 2**24 - 1, np.int32)
    found = linear_maintenance(ids, lots, 32, charges, curve_table(LINES))
    pairs = list(zip(ids.tolist(), lots.tolist(), strict=True))
    assert found == linear_maintenance_reference(pairs, charges.tolist(), LINES)
    assert 0 < found < 2**62
