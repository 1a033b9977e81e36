"""Certificates, joint scan risk and tails on figures by hand, at and beside every edge."""

import numpy as np
import pytest

from offchain.core.addons import GROUPS, TERMS, Addons, Charge, Term
from offchain.core.certificate import (
    MAX_REQUIREMENT_E6,
    ROUNDING_E6,
    UNDECIDED,
    drift_reference,
    exposure_units,
    requirement_weight_e6,
    set_slacks,
    slack_reference,
    spend,
    underlying_drifts,
)
from offchain.core.cross import cross_risk, cross_risk_reference, witness_risk
from offchain.core.shortfall import MAX_HISTORY, MAX_TAIL, ShortfallError, Tail, tail_of
from offchain.core.units import MAX_UNDERLYINGS, ONE_E6, ROWS, SCENARIOS, RatioE6, UsdE6

THRESHOLDS = (1_500_000, 1_000_000, 600_000)


def slack(balance: int, least: int, most: int | None = None) -> int:
    """Return the slack by the definition, which must be that of the kernel."""
    most = least if most is None else most
    slacks = np.zeros(3, np.int64)
    set_slacks(
        np.array([1], np.int64),
        np.array([balance], np.int64),
        np.array([least], np.int64),
        np.array([most], np.int64),
        np.array(THRESHOLDS, np.int64),
        slacks,
    )
    found = slack_reference(balance, least, most, THRESHOLDS)
    assert slacks.tolist() == [0, found, 0]
    return found


@pytest.mark.parametrize(
    ("balance", "due", "distance"),
    [
        (2_000_000, 1_000_000, 500_000),  # above every threshold: to the highest
        (1_499_999, 1_000_000, 1),  # under it, and 499,999 above the next
        (1_100_000, 1_000_000, 100_000),
        (700_000, 1_000_000, 100_000),
        (100_000, 1_000_000, 100_000),  # under all: to zero
        (-5_000, 1_000_000, 5_000),
        (900_000, 0, 900_000),
    ],
)
def test_a_slack_is_the_distance_to_the_nearest_threshold_less_the_roundings(
    balance: int, due: int, distance: int
) -> None:
    assert ROUNDING_E6 == 64
    assert slack(balance, due) == max(UNDECIDED, distance - 64)


def test_a_slack_within_the_roundings_is_undecided() -> None:
    assert slack(1_500_064, 1_000_000) == 0
    assert slack(1_500_065, 1_000_000) == 1
    assert slack(1_500_063, 1_000_000) == UNDECIDED == -1
    assert slack(1_500_000, 1_000_000) == UNDECIDED


def test_bounds_that_leave_a_side_open_are_undecided() -> None:
    assert slack(2_000_000, 1_000_000, 1_200_000) == 200_000 - 64
    assert slack(2_000_000, 1_000_000, 1_400_000) == UNDECIDED
    assert slack(590_000, 1_000_000, 5_000_000) == 10_000 - 64


def test_a_requirement_beyond_the_limit_is_always_computed() -> None:
    assert MAX_REQUIREMENT_E6 == 1 << 60
    assert slack(0, 10, MAX_REQUIREMENT_E6) == UNDECIDED
    assert slack(-(1 << 61), MAX_REQUIREMENT_E6 - 1) == (1 << 61) - 64


def drift(
    old: dict[Charge, int] | None = None,
    new: dict[Charge, int] | None = None,
    values: tuple[int, int] = (0, 0),
    losses: tuple[int, int] = (0, 0),
) -> int:
    rows = tuple([(of or {}).get(column, 0) for column in Charge] for of in (old, new))
    wide = tuple([0] * 5 + [loss] + [0] * 30 for loss in losses)
    rates = (100_000, 2_000_000, 50_000)  # of delta, unwinding and notional
    return drift_reference(
        values,
        wide,  # type: ignore[arg-type]
        rows,  # type: ignore[arg-type]
        rates,
        1_500_000,
    )


def test_a_drift_counts_the_value_and_one_and_a_half_times_the_requirement() -> None:
    assert requirement_weight_e6(THRESHOLDS, ONE_E6) == 1_500_000
    assert requirement_weight_e6((1_500_000, 2_000_001), 800_000) == 1_600_001  # rounded up
    assert drift() == 0
    assert drift(losses=(100, 40)) == 90
    assert drift(losses=(-100, 40)) == 210
    assert drift({Charge.ROLL: -10}, {Charge.ROLL: 10}) == 30
    assert drift({Charge.LONG: 10, Charge.SHORT: 5}, {Charge.LONG: 20, Charge.SHORT: 45}) == 60
    assert drift({Charge.DELTA: 100}, {Charge.DELTA: -100}) == 30  # a tenth of 200
    assert drift({Charge.UNWIND: 10}, {Charge.UNWIND: 20}) == 30  # twice 10
    assert drift(values=(1_000, 900)) == 108  # 100, and 1.5 x 5 rounded up


def test_what_changes_its_expiry_counts_both_rolls_whole() -> None:
    moved = {Charge.ROLL: 10, Charge.GROUP: 1}, {Charge.ROLL: 12, Charge.GROUP: 2}
    assert drift(*moved) == 33
    stayed = {Charge.ROLL: 10, Charge.GROUP: 1}, {Charge.ROLL: 12, Charge.GROUP: 1}
    assert drift(*stayed) == 3


def test_only_the_largest_of_sum_floor_and_notional_counts() -> None:
    both = {Charge.LONG: 0, Charge.UNWIND: 0}, {Charge.LONG: 20, Charge.UNWIND: 10}
    assert drift(*both) == 30
    assert drift(*both, losses=(0, 1)) == 32


def test_a_unit_is_one_more_than_the_steps_in_the_largest_loss() -> None:
    losses = np.zeros((4, SCENARIOS), np.int32)
    losses[1, 7], losses[2, 8], losses[3, 35] = (1 << 20) - 1, -(1 << 20), 2**31 - 1
    units = np.zeros(4, np.int64)
    exposure_units(losses, units)
    assert units.tolist() == [1, 1, 2, 2_048]


def test_the_drift_of_an_underlying_is_its_largest_per_unit_rounded_up() -> None:
    drifts, units = np.zeros(ROWS, np.int64), np.ones(ROWS, np.int64)
    drifts[[0, 255, 256, 511]] = 7, 20, 3, 9
    units[[255, 511]] = 3, 2
    out = np.full(MAX_UNDERLYINGS, 99, np.int64)
    underlying_drifts(drifts, units, out)
    assert out.tolist() == [7, 5]


def spent(
    slacks: list[int], exposures: list[list[int]], drifts: list[int], others: list[int]
) -> tuple[list[int], list[int]]:
    left = np.array(slacks, np.int64)
    flagged = np.zeros(len(slacks), np.int64)
    count = spend(
        left,
        np.array(exposures, np.int64),
        np.array(drifts, np.int64),
        np.array(others, np.int64),
        flagged,
    )
    return left.tolist(), flagged[:count].tolist()


def test_a_tick_uses_up_slack_by_exposure_and_flags_what_has_none_left() -> None:
    left, flagged = spent(
        [100, 100, 100, 100, UNDECIDED],
        [[10, 0], [0, 5], [9, 5], [0, 0], [0, 0]],
        [10, 20],
        [0, 0, 0, 99, 0],
    )
    assert left == [0, 0, UNDECIDED, 1, UNDECIDED]
    assert flagged == [0, 1, 2]  # what nothing moved stays, whatever its slack


def test_a_move_of_one_millionth_flags_whoever_has_nothing_left() -> None:
    none = [[0, 0]] * 3
    assert spent([0, UNDECIDED, 1], none, [1, 1], [1, 1, 1])[1] == [0, 1, 2]
    assert spent([0, UNDECIDED, 2], none, [1, 1], [0, 0, 1])[1] == []


@pytest.mark.parametrize("place", [0, 1])
def test_a_drift_beyond_the_limit_flags_everyone_who_is_exposed(place: int) -> None:
    drifts = [1, 1]
    drifts[place] = 1 << 20
    quiet, none = spent([1 << 40] * 3, [[1, 1], [0, 0], [0, 0]], drifts, [0, 0, 5])
    assert none == []
    assert quiet == [(1 << 40) - (1 << 20) - 1, 1 << 40, (1 << 40) - 5]
    drifts[place] += 1
    left, flagged = spent([1 << 40] * 4, [[1, 0], [0, 1], [0, 0], [0, 0]], drifts, [0, 0, 0, 5])
    assert flagged == [0, 1, 3]
    assert left == [UNDECIDED, UNDECIDED, 1 << 40, UNDECIDED]


def sums(**at: tuple[int, int]) -> list[list[int]]:
    """Return scenario sums of both underlyings, zero but for a few scenarios."""
    rows = [[0] * SCENARIOS for _ in range(MAX_UNDERLYINGS)]
    for name, losses in at.items():
        for row, loss in zip(rows, losses, strict=True):
            row[int(name[1:])] = loss
    return rows


@pytest.mark.parametrize(
    ("offset", "cap", "breakdown", "risk", "scenarios"),
    [
        (500_000, 10**9, 1, 70, [5, 5]),  # 100 - half of 60
        (500_000, 29, 1, 71, [5, 5]),
        (500_000, 30, 1, 70, [5, 5]),
        (0, 10**9, 1, 100, [5, 5]),
        (500_000, 10**9, 500_001, 71, [5, 9]),  # half of 100 + 40, rounded up
        (500_000, 10**9, 500_000, 70, [5, 9]),  # equal: the broken view is named
        (500_000, 10**9, ONE_E6, 140, [5, 9]),
    ],
)
def test_gains_offset_losses_of_a_common_scenario_up_to_a_cap_and_a_floor(
    offset: int, cap: int, breakdown: int, risk: int, scenarios: list[int]
) -> None:
    losses = sums(s5=(100, -60), s9=(-90, 40))
    assert cross_risk_reference(losses, offset, cap, breakdown) == (risk, scenarios)
    total, places = cross_risk(np.array(losses, np.int64), offset, cap, breakdown)
    assert (total, places.tolist()) == (risk, scenarios)


def test_a_portfolio_that_cannot_lose_has_no_risk() -> None:
    gains = [[-5] * SCENARIOS, [-7] * SCENARIOS]
    assert cross_risk_reference(gains, 0, 0, ONE_E6) == (0, [0, 0])
    total, places = cross_risk(np.array(gains, np.int64), 0, 0, ONE_E6)
    assert (total, places.tolist()) == (0, [0, 0])


def test_a_witness_of_one_scenario_proves_the_correlated_view_too() -> None:
    for is_same, proven in ((True, 70), (False, 50)):
        assert witness_risk([100, -60], is_same, 500_000, 10**9, 500_000) == proven
    assert witness_risk([101, 0], False, 0, 0, 500_000) == 51  # rounded up
    assert witness_risk([-1, -1], True, 0, 0, ONE_E6) == 0
    assert witness_risk([100, -60], True, 500_000, 10, 500_000) == 90


@pytest.mark.parametrize(
    ("history", "confidence", "tail"),
    [
        (1_024, 975_000, Tail(26, 5, 128)),  # 25.6 moves
        (32, 968_750, Tail(1, 1, 1)),
        (MAX_HISTORY, 750_000, Tail(MAX_TAIL, 1, 1_024)),
        (64, 500_000, Tail(32, 1, 32)),
    ],
)
def test_a_tail_has_the_worst_share_of_a_history(history: int, confidence: int, tail: Tail) -> None:
    assert (MAX_HISTORY, MAX_TAIL) == (4_096, 1_024)
    assert tail_of(history, RatioE6(confidence)) == tail


@pytest.mark.parametrize(
    ("history", "confidence", "message"),
    [
        (0, 975_000, "0 scenarios: not a multiple of 32 up to 4096"),
        (-32, 975_000, "-32 scenarios"),
        (33, 975_000, "33 scenarios"),
        (4_128, 975_000, "4128 scenarios"),
        (64, 0, "a confidence of 0"),
        (64, ONE_E6, "a confidence of 1000000"),
        (32, 968_751, "a tail of 999968 millionths"),  # less than one scenario
        (4_096, 749_999, "a tail of 1024004096 millionths"),  # more than 1,024
    ],
)
def test_a_tail_that_is_not_defined_is_refused(history: int, confidence: int, message: str) -> None:
    with pytest.raises(ShortfallError, match=message):
        tail_of(history, RatioE6(confidence))


def test_sums_of_add_ons_take_their_own_terms_and_leave_out_the_floors() -> None:
    each = Addons(*(UsdE6(1 << term) for term in Term))
    assert TERMS == len(Term) == 11
    assert each.maintenance_e6 == sum(1 << t for t in (Term.ROLL, Term.HOLDING, Term.DELTA))
    of_initial = (Term.IM_ROLL, Term.IM_HOLDING, Term.IM_DELTA)
    assert each.initial_e6 == sum(
        1 << t for t in (*of_initial, Term.IM_NAKED, Term.IM_CALM, Term.IM_DOUBT)
    )
    assert (each.unwind_e6, each.im_unwind_e6) == (1 << Term.UNWIND, 1 << Term.IM_UNWIND)


def test_columns_of_charges_keep_their_places() -> None:
    assert GROUPS == 32  # the perpetual and 31 expiries
    assert [(c.name, int(c)) for c in Charge] == [
        (name, place)
        for place, name in enumerate(
            (
                "DELTA",
                "ROLL",
                "LONG",
                "SHORT",
                "UNWIND",
                "SHORT_EXTRA",
                "CALM",
                "DOUBT",
                "GROUP",
            )
        )
    ]
