"""Risk across underlyings: an offset helps, within its bounds, and never below the breakdown."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.cross import cross_risk, cross_risk_reference
from offchain.core.scan import scan_risk_reference
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, SCENARIOS, ceil_div
from offchain.ledger.liquidation import portfolio_scan
from offchain.ledger.terms import Terms

LIMIT = 2**61
Sums = NDArray[np.int64]
RATIO = st.one_of(st.sampled_from([0, 1, ONE_E6 - 1, ONE_E6]), st.integers(0, ONE_E6))
CAP = st.one_of(st.just(0), st.just(2**62), st.integers(0, 2**40))
CAP_USD = st.one_of(st.just(0), st.just(2**32 - 1), st.integers(0, 2**20))
SEEDS = st.integers(0, 2**32)
NO_CAP = 2**62


def sums_of(seed: int, bits: int = 40) -> Sums:
    """Return scenario sums, underlyings often moving against each other, some at the limit."""
    rng = np.random.default_rng(seed)
    shape = (MAX_UNDERLYINGS, SCENARIOS)
    sums = rng.integers(-(2**bits), 2**bits, shape)
    if rng.random() < 0.5:
        sums[1] = -sums[0] + rng.integers(-(2**20), 2**20, SCENARIOS)
    if rng.random() < 0.3:
        sums = rng.choice([-LIMIT, 0, LIMIT], shape)
    return sums


def risk(sums: Sums, offset_e6: int, cap_e6: int, breakdown_e6: int) -> int:
    return cross_risk(sums, offset_e6, cap_e6, breakdown_e6)[0]


@given(SEEDS, RATIO, CAP, RATIO)
def test_kernel_equals_its_reference(seed: int, offset: int, cap: int, breakdown: int) -> None:
    sums = sums_of(seed)
    found, scenarios = cross_risk(sums, offset, cap, breakdown)
    assert (found, scenarios.tolist()) == cross_risk_reference(
        sums.tolist(), offset, cap, breakdown
    )


@given(SEEDS, RATIO, CAP)
def test_breakdown_of_one_is_the_plain_sum(seed: int, offset: int, cap: int) -> None:
    sums = sums_of(seed)
    assert (
        cross_risk_reference(sums.tolist(), offset, cap, ONE_E6)[0]
        == scan_risk_reference(sums.tolist())[0]
    )
    assert cross_risk(sums, 0, cap, ONE_E6)[0] == scan_risk_reference(sums.tolist())[0]


@given(SEEDS, RATIO, CAP, RATIO)
def test_risk_lies_between_the_breakdown_and_the_plain_sum(
    seed: int, offset: int, cap: int, breakdown: int
) -> None:
    sums = sums_of(seed)
    found = risk(sums, offset, cap, breakdown)
    assert 0 <= found <= scan_risk_reference(sums.tolist())[0]
    for row in sums.tolist():
        assert found >= ceil_div(breakdown * max(0, *row), ONE_E6)


@given(SEEDS, RATIO, RATIO, CAP, RATIO)
def test_more_offset_never_asks_for_more(
    seed: int, one: int, other: int, cap: int, breakdown: int
) -> None:
    sums = sums_of(seed)
    low, high = min(one, other), max(one, other)
    assert risk(sums, high, cap, breakdown) <= risk(sums, low, cap, breakdown)


@given(SEEDS, RATIO, CAP, RATIO, st.integers(0, SCENARIOS - 1), st.integers(0, 2**30))
def test_more_loss_never_lowers_the_risk(
    seed: int, offset: int, cap: int, breakdown: int, scenario: int, more: int
) -> None:
    sums = sums_of(seed)
    worse = sums.copy()
    worse[0, scenario] += more
    assert risk(worse, offset, cap, breakdown) >= risk(sums, offset, cap, breakdown)


@given(SEEDS, RATIO, RATIO, st.integers(1, 1000))
def test_risk_grows_in_proportion_but_for_rounding(
    seed: int, offset: int, breakdown: int, factor: int
) -> None:
    sums = sums_of(seed, 30)
    sums = np.clip(sums, -(2**30), 2**30)
    small = risk(sums, offset, NO_CAP, breakdown)
    assert 0 <= factor * small - risk(factor * sums, offset, NO_CAP, breakdown) <= factor


@given(SEEDS, SEEDS, RATIO, CAP, RATIO)
def test_merging_adds_no_more_than_rounding_and_the_cap_that_is_lost(
    one: int, other: int, offset: int, cap: int, breakdown: int
) -> None:
    a, b = sums_of(one) // 2, sums_of(other) // 2
    parts = risk(a, offset, cap, breakdown) + risk(b, offset, cap, breakdown)
    assert risk(a + b, offset, NO_CAP, breakdown) <= 1 + risk(a, offset, NO_CAP, breakdown) + risk(
        b, offset, NO_CAP, breakdown
    )
    assert risk(a + b, offset, cap, breakdown) <= parts + cap + 1


def terms(offset_e6: int, cap_usd: int, breakdown_e6: int) -> Terms:
    return Terms(800_000, 1, 1, 1, offset_e6, breakdown_e6, 0, cap_usd)


@given(SEEDS, RATIO, CAP_USD, RATIO, st.integers(0, SCENARIOS - 1), st.integers(0, SCENARIOS - 1))
def test_opened_scenarios_never_prove_more_than_the_risk(
    seed: int, offset: int, cap: int, breakdown: int, first: int, second: int
) -> None:
    sums = sums_of(seed)
    opened = [int(sums[0, first]), int(sums[1, second])]
    proven = portfolio_scan(opened, terms(offset, cap, breakdown), is_common=first == second)
    assert proven <= risk(sums, offset, cap * ONE_E6, breakdown)


@given(SEEDS, RATIO, CAP_USD, RATIO)
def test_worst_scenarios_prove_the_whole_risk(
    seed: int, offset: int, cap: int, breakdown: int
) -> None:
    sums = sums_of(seed)
    found, scenarios = cross_risk(sums, offset, cap * ONE_E6, breakdown)
    places = scenarios.tolist()
    opened = [int(sums[u, s]) for u, s in enumerate(places)]
    same = len(set(places)) == 1
    assert portfolio_scan(opened, terms(offset, cap, breakdown), is_common=same) == found


def test_gain_in_one_underlying_pays_for_half_a_loss_in_the_other() -> None:
    sums = np.zeros((MAX_UNDERLYINGS, SCENARIOS), np.int64)
    sums[0, 4], sums[1, 4] = 1_000, -600
    assert risk(sums, 500_000, NO_CAP, 0) == 700
    assert risk(sums, 500_000, 100, 0) == 900
    assert risk(sums, 500_000, NO_CAP, 800_000) == 800
    assert cross_risk(sums, 500_000, NO_CAP, 0)[1].tolist() == [4, 4]
    assert cross_risk(sums, 500_000, NO_CAP, 800_000)[1].tolist() == [4, 0]
