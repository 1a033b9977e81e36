"""An account whose certificate holds is on the side of every threshold where it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.addons import COLUMNS, GROUPS, Charge, addons_reference
from offchain.core.certificate import (
    MAX_DRIFT,
    MAX_OTHER_E6,
    MAX_REQUIREMENT_E6,
    MAX_THRESHOLD_E6,
    ROUNDING_E6,
    UNDECIDED,
    drift_reference,
    exposure_units,
    instrument_drifts,
    requirement_weight_e6,
    set_exposures,
    set_slacks,
    slack_reference,
    spend,
    underlying_drifts,
)
from offchain.core.cross import cross_risk_reference
from offchain.core.curves import Line
from offchain.core.scan import scan_sums_reference
from offchain.core.units import MAX_POSITIONS, MAX_UNDERLYINGS, ONE_E6, ROWS, SCENARIOS, ceil_div

Int64Array = NDArray[np.int64]
ACCOUNTS = 8
HELD = 5
LISTED = np.array([*range(6), *range(256, 262)])
FACTOR_E6 = 800_000
THRESHOLDS_E6 = (1_000_000, 1_050_000, 1_200_000)
CURVES: tuple[tuple[Line, ...], ...] = (((0, 0), (100_000, 10**15)), ((50_000, 0),))
FLOORS: tuple[tuple[Line, ...], ...] = (((1_000_000, 0), (3_000_000, 10**15)), ((2_000_000, 0),))
TOP_RATES_E6 = ((100_000, 3_000_000, 0), (50_000, 2_000_000, 0))
CORRELATION = (500_000, 3 * 10**9, 600_000)  # offset, cap, breakdown
WEIGHT_E6 = requirement_weight_e6(THRESHOLDS_E6, FACTOR_E6)


@dataclass
class Market:
    """The rows of a report."""

    values: Int64Array
    losses: NDArray[np.int32]
    charges: Int64Array

    @cached_property
    def plain(self) -> tuple[list[list[int]], list[list[int]]]:
        """Return losses and charges in plain Python, for the references."""
        return self.losses.tolist(), self.charges.tolist()

    def moved(self, rng: np.random.Generator, size: int) -> "Market":
        """Return a market in which every number has moved a little, whatever the cause."""

        def jitter(shape: tuple[int, ...]) -> Int64Array:
            return rng.integers(-size, size + 1, shape)

        values = self.values + jitter(self.values.shape)
        losses = np.clip(self.losses + jitter(self.losses.shape), 1 - 2**31, 2**31 - 1)
        charges = self.charges + jitter(self.charges.shape) // 8
        for column in (Charge.LONG, Charge.SHORT, Charge.UNWIND):
            charges[:, column] = np.maximum(0, charges[:, column])
        charges[:, Charge.GROUP] = self.charges[:, Charge.GROUP]
        if (
            size > 4 and rng.random() < 0.2
        ):  # an expiry leaves the list, and those behind it move up
            charges[:, Charge.GROUP] = np.maximum(0, charges[:, Charge.GROUP] - 1)
        return Market(values, losses.astype(np.int32), charges)


def first_market(rng: np.random.Generator) -> Market:
    charges = rng.integers(0, 2**18, (ROWS, COLUMNS))
    charges[:, Charge.GROUP] = rng.integers(0, 4, ROWS)
    return Market(
        rng.integers(0, 2**26, ROWS),
        rng.integers(-(2**24), 2**24, (ROWS, SCENARIOS)).astype(np.int32),
        charges,
    )


def sides_of(balance: int, maintenance: int) -> list[bool]:
    return [balance < 0, *(balance * ONE_E6 < t * maintenance for t in THRESHOLDS_E6)]


@dataclass
class Book:
    """Random accounts with their certificates, refreshed as an engine would."""

    rng: np.random.Generator
    market: Market
    ids: NDArray[np.int32] = field(init=False)
    lots: NDArray[np.int32] = field(init=False)
    counts: NDArray[np.int32] = field(init=False)
    cash: Int64Array = field(init=False)
    slacks: Int64Array = field(init=False)
    exposures: Int64Array = field(init=False)
    units: Int64Array = field(init=False)
    known: dict[int, list[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (ACCOUNTS, MAX_POSITIONS)
        self.ids, self.lots = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        for a in range(ACCOUNTS):
            held = np.sort(self.rng.choice(LISTED, HELD, replace=False))
            self.ids[a, :HELD] = held
        self.lots[:, :HELD] = self.rng.integers(-300, 300, (ACCOUNTS, HELD))
        self.counts = np.full(ACCOUNTS, HELD, np.int32)
        self.cash = np.zeros(ACCOUNTS, np.int64)
        self.slacks = np.zeros(ACCOUNTS, np.int64)
        self.exposures = np.zeros((ACCOUNTS, MAX_UNDERLYINGS), np.int64)
        self.units = np.ones(ROWS, np.int64)
        exposure_units(self.market.losses, self.units)
        for a in range(ACCOUNTS):  # balances near, on and far from the thresholds
            balance, maintenance = self.margin(a)
            target = maintenance * int(self.rng.integers(900_000, 1_400_000)) // ONE_E6
            self.cash[a] = target - balance
        self.refresh(range(ACCOUNTS))

    def margin(self, account: int) -> tuple[int, int]:
        """Return (balance, MM) by the references, in unbounded integers."""
        market = self.market
        ids = self.ids[account, : self.counts[account]].tolist()
        lots = self.lots[account, : self.counts[account]].tolist()
        losses, charges = market.plain
        sums = scan_sums_reference(ids, lots, losses)
        risk = cross_risk_reference(sums, *CORRELATION)[0]
        lines = [(i, n, 0, 0) for i, n in zip(ids, lots, strict=True)]
        addons = addons_reference(lines, charges, CURVES, FLOORS, [0, 0])
        due = max(risk + addons.maintenance_e6, addons.unwind_e6)
        balance = int(self.cash[account]) + sum(
            n * int(market.values[i]) for i, n in zip(ids, lots, strict=True)
        )
        return balance, ceil_div(FACTOR_E6 * due, ONE_E6)

    def sides(self, account: int) -> list[bool]:
        """Return whether the balance is negative, and under each threshold."""
        return sides_of(*self.margin(account))

    def refresh(self, chosen: Sequence[int]) -> None:
        """Compute the margin of accounts and give them new certificates."""
        places = np.array(chosen, np.int64)
        margins = [self.margin(a) for a in chosen]
        self.known |= {a: sides_of(*margin) for a, margin in zip(chosen, margins, strict=True)}
        balances = np.array([balance for balance, _ in margins], np.int64)
        due = np.array([maintenance for _, maintenance in margins], np.int64)
        set_exposures(places, self.ids, self.lots, self.counts, self.units, self.exposures)
        limits = np.array(THRESHOLDS_E6, np.int64)
        set_slacks(places, balances, due, due, limits, self.slacks)

    def tick(self, size: int, others: Int64Array) -> list[int]:
        """Move the market; return the flagged accounts."""
        old, self.market = self.market, self.market.moved(self.rng, size)
        new = self.market
        drifts, most = np.zeros(ROWS, np.int64), np.zeros(MAX_UNDERLYINGS, np.int64)
        instrument_drifts(
            old.values,
            new.values,
            old.losses,
            new.losses,
            old.charges,
            new.charges,
            np.array(TOP_RATES_E6, np.int64),
            WEIGHT_E6,
            drifts,
        )
        underlying_drifts(drifts, self.units, most)
        self.cash += self.rng.integers(-1, 2, ACCOUNTS) * others  # collateral that changes value
        flagged = np.zeros(ACCOUNTS, np.int64)
        count = spend(self.slacks, self.exposures, most, others, flagged)
        return [int(account) for account in flagged[:count]]

    def trade(self) -> None:
        account = int(self.rng.integers(0, ACCOUNTS))
        place = int(self.rng.integers(0, HELD))
        self.lots[account, place] += self.rng.integers(-50, 50)
        self.refresh([account])


@given(st.integers(0, 2**32), st.lists(st.integers(0, 14), min_size=1, max_size=6))
def test_unflagged_account_is_where_it_was(seed: int, sizes: list[int]) -> None:
    book = Book(np.random.default_rng(seed), first_market(np.random.default_rng(seed + 1)))
    for bits in sizes:
        others = book.rng.integers(0, 2**bits, ACCOUNTS) * (book.rng.random(ACCOUNTS) < 0.3)
        flagged = book.tick(2**bits, others.astype(np.int64))
        for a in range(ACCOUNTS):
            if a not in flagged:
                assert book.sides(a) == book.known[a]
        book.refresh(flagged)
        book.trade()


def test_small_ticks_leave_most_accounts_alone_and_a_crash_flags_them_all() -> None:
    book = Book(np.random.default_rng(5), first_market(np.random.default_rng(6)))
    nothing = np.zeros(ACCOUNTS, np.int64)
    assert len(book.tick(2, nothing)) < ACCOUNTS / 2
    assert book.tick(2**22, nothing) == list(range(ACCOUNTS))


def test_market_that_stands_still_flags_nobody() -> None:
    book = Book(np.random.default_rng(7), first_market(np.random.default_rng(8)))
    book.slacks[:] = UNDECIDED
    assert book.tick(0, np.zeros(ACCOUNTS, np.int64)) == []


def test_slack_is_used_up_over_several_ticks() -> None:
    slacks, exposures = np.array([100], np.int64), np.array([[3, 0]], np.int64)
    drifts, others = np.array([10, 7], np.int64), np.array([5], np.int64)
    flagged = np.zeros(1, np.int64)
    counts = [spend(slacks, exposures, drifts, others, flagged) for _ in range(3)]
    assert counts == [0, 0, 1]
    assert slacks.tolist() == [UNDECIDED]


@pytest.mark.parametrize("drift", [MAX_DRIFT, MAX_DRIFT + 1])
def test_nothing_wraps_at_the_limits(drift: int) -> None:
    most = MAX_POSITIONS * (2**24 - 1) * 2**12
    slacks = np.array([2**62, 2**62, 0, 2**62], np.int64)
    exposures = np.array([[0, 0], [most // 2, most // 2], [1, 0], [0, 0]], np.int64)
    others = np.array([0, MAX_OTHER_E6, 0, 0], np.int64)
    flagged = np.zeros(4, np.int64)
    count = spend(slacks, exposures, np.array([drift, drift], np.int64), others, flagged)
    assert flagged[:count].tolist() == [1, 2] if drift > MAX_DRIFT else [2]
    used = most // 2 * 2 * drift + MAX_OTHER_E6
    assert used < 2**63
    assert int(slacks[1]) in {UNDECIDED, 2**62 - used}
    assert int(slacks[0]) == 2**62


BALANCE = st.integers(-(2**62), 2**62)
DUE = st.integers(0, MAX_REQUIREMENT_E6 + 1)


@given(BALANCE, DUE, DUE, st.lists(st.integers(1, MAX_THRESHOLD_E6), min_size=1, max_size=3))
def test_slack_equals_its_reference(
    balance: int, one: int, other: int, thresholds: list[int]
) -> None:
    least, most = min(one, other), max(one, other)
    slacks = np.zeros(1, np.int64)
    set_slacks(
        np.zeros(1, np.int64),
        np.array([balance]),
        np.array([least]),
        np.array([most]),
        np.array(thresholds, np.int64),
        slacks,
    )
    assert int(slacks[0]) == slack_reference(balance, least, most, thresholds)


@given(st.integers(-50, 50), st.integers(0, 10**9), st.sampled_from(THRESHOLDS_E6))
def test_slack_next_to_a_threshold_equals_its_reference(
    distance: int, due: int, threshold: int
) -> None:
    balance = due * threshold // ONE_E6 + distance * 10
    slacks = np.zeros(1, np.int64)
    ones = (np.array([balance]), np.array([due]), np.array([due]))
    set_slacks(np.zeros(1, np.int64), *ones, np.array([threshold], np.int64), slacks)
    expected = slack_reference(balance, due, due, [threshold])
    assert int(slacks[0]) == expected
    assert expected <= max(UNDECIDED, abs(distance) * 10 - ROUNDING_E6 + 1)


def test_bounds_of_maintenance_that_leave_a_side_open_give_no_certificate() -> None:
    assert slack_reference(100, 50, 120, [ONE_E6]) == UNDECIDED
    assert slack_reference(10**6, 50, 120, [ONE_E6]) == 10**6 - 120 - ROUNDING_E6


@given(st.integers(0, 2**32), st.booleans())
def test_drift_equals_its_reference(seed: int, at_limits: bool) -> None:
    rng = np.random.default_rng(seed)
    if at_limits:
        values = rng.choice([-(2**33) + 1, 2**33 - 1], (2, ROWS))
        losses = rng.choice([1 - 2**31, 2**31 - 1], (2, ROWS, SCENARIOS)).astype(np.int32)
        charges = rng.choice([0, 2**32 - 1], (2, ROWS, COLUMNS))
        rates = np.full((MAX_UNDERLYINGS, 3), 2**24 - 1)
    else:
        values = rng.integers(-(2**33) + 1, 2**33, (2, ROWS))
        losses = rng.integers(1 - 2**31, 2**31, (2, ROWS, SCENARIOS)).astype(np.int32)
        charges = rng.integers(0, 2**32, (2, ROWS, COLUMNS))
        rates = rng.integers(0, 2**24, (MAX_UNDERLYINGS, 3))
    charges[:, :, Charge.GROUP] = rng.integers(0, GROUPS, (2, ROWS))
    drifts = np.zeros(ROWS, np.int64)
    instrument_drifts(
        values[0],
        values[1],
        losses[0],
        losses[1],
        charges[0],
        charges[1],
        rates,
        3 * ONE_E6,
        drifts,
    )
    for row in (0, 1, 255, 256, ROWS - 1):
        value, loss, charge = (
            (both[0, row].tolist(), both[1, row].tolist()) for both in (values, losses, charges)
        )
        expected = drift_reference(value, loss, charge, rates[row >> 8].tolist(), 3 * ONE_E6)
        assert int(drifts[row]) == expected


@given(st.integers(0, 2**32))
def test_drift_of_an_underlying_covers_every_instrument_by_its_unit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drifts, units = rng.integers(0, 2**34, ROWS), rng.integers(1, 2**12, ROWS)
    most = np.full(MAX_UNDERLYINGS, -1, np.int64)
    underlying_drifts(drifts, units, most)
    for u in range(MAX_UNDERLYINGS):
        pairs = zip(drifts.tolist(), units.tolist(), strict=True)
        mine = [ceil_div(d, unit) for row, (d, unit) in enumerate(pairs) if row >> 8 == u]
        assert int(most[u]) == max(mine)


def test_units_are_positive_and_keep_exposures_in_range() -> None:
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    losses[1, 3], losses[2, 35] = 2**31 - 1, -(2**21)
    units = np.zeros(ROWS, np.int64)
    exposure_units(losses, units)
    assert units[:4].tolist() == [1, 2**11, 3, 1]
    assert int(units.max()) <= 2**12


def test_exposure_is_the_sum_of_lots_by_their_units() -> None:
    ids, lots = np.array([[0, 1, 256, 9]], np.int32), np.array([[-2, 3, 5, 7]], np.int32)
    exposures = np.full((1, MAX_UNDERLYINGS), -1, np.int64)
    units = np.arange(ROWS) % 256 + 10
    set_exposures(np.zeros(1, np.int64), ids, lots, np.array([3], np.int32), units, exposures)
    assert exposures.tolist() == [[2 * 10 + 3 * 11, 5 * 10]]
