"""Sums that fills and orders keep up to date equal sums made anew, after any history."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.presum import (
    add_order,
    add_position,
    rebuild,
    risk_after,
    risk_after_reference,
    risks_after,
    sums_reference,
)
from offchain.core.units import MAX_ORDERS, MAX_POSITIONS, MAX_UNDERLYINGS, ROWS, SCENARIOS

LOTS_LIMIT = 2**24 - 1
LOSS_LIMIT = 2**31 - 1
ACCOUNTS = 4
LISTED = [0, 1, 2, 255, 256, 257, 511]
LOTS = st.integers(-20_000, 20_000)
SLIP = st.integers(-LOSS_LIMIT, LOSS_LIMIT)
STEP = st.tuples(st.integers(0, ACCOUNTS - 1), st.sampled_from(LISTED), LOTS, SLIP, st.booleans())
SEEDS = st.integers(0, 2**32)


def losses_of(seed: int) -> NDArray[np.int32]:
    rng = np.random.default_rng(seed)
    losses = rng.integers(-LOSS_LIMIT, LOSS_LIMIT + 1, (ROWS, SCENARIOS))
    edges = rng.choice([-LOSS_LIMIT, 0, LOSS_LIMIT], (ROWS, SCENARIOS))
    return np.where(rng.random((ROWS, SCENARIOS)) < 1 / 3, edges, losses).astype(np.int32)


class Venue:
    """Positions and orders in plain Python, beside the kept sums."""

    def __init__(self, seed: int) -> None:
        self.losses = losses_of(seed)
        self.sums = np.zeros((ACCOUNTS, MAX_UNDERLYINGS, SCENARIOS), np.int64)
        self.worst = np.zeros((ACCOUNTS, MAX_UNDERLYINGS), np.int64)
        self.positions: list[list[tuple[int, int]]] = [[] for _ in range(ACCOUNTS)]
        self.orders: list[list[tuple[int, int, int]]] = [[] for _ in range(ACCOUNTS)]

    def fill(self, account: int, row: int, lots: int) -> None:
        self.positions[account].append((row, lots))
        add_position(self.sums, self.worst, account, row, lots, self.losses)

    def place(self, account: int, order: tuple[int, int, int]) -> None:
        self.orders[account].append(order)
        add_order(self.sums, self.worst, account, *order, 1, self.losses)

    def cancel(self, account: int) -> None:
        order = self.orders[account].pop(0)
        add_order(self.sums, self.worst, account, *order, -1, self.losses)

    def expected(self, account: int) -> list[list[int]]:
        losses = self.losses.tolist()
        return sums_reference(self.positions[account], self.orders[account], losses)

    def check(self) -> None:
        for account in range(ACCOUNTS):
            expected = self.expected(account)
            assert self.sums[account].tolist() == expected
            assert self.worst[account].tolist() == [max(0, *row) for row in expected]


def played(seed: int, steps: list[tuple[int, int, int, int, bool]]) -> Venue:
    venue = Venue(seed)
    for account, row, lots, slip, is_order in steps:
        if is_order:
            venue.place(account, (row, lots, slip))
        elif lots % 3 == 0 and venue.orders[account]:
            venue.cancel(account)
        else:
            venue.fill(account, row, lots)
    return venue


@given(SEEDS, st.lists(STEP, max_size=40))
def test_kept_sums_equal_sums_made_anew(
    seed: int, steps: list[tuple[int, int, int, int, bool]]
) -> None:
    venue = played(seed, steps)
    venue.check()
    kept = venue.sums.copy(), venue.worst.copy()
    for account in range(ACCOUNTS):
        orders = venue.orders[account]
        rebuild(
            account,
            np.array([i for i, _ in venue.positions[account]], np.int32),
            np.array([n for _, n in venue.positions[account]], np.int32),
            np.array([o[0] for o in orders], np.int32),
            np.array([o[1] for o in orders], np.int32),
            np.array([o[2] for o in orders], np.int64),
            venue.losses,
            venue.sums,
            venue.worst,
        )
    assert np.array_equal(venue.sums, kept[0])
    assert np.array_equal(venue.worst, kept[1])


@given(SEEDS, st.lists(STEP, max_size=20), st.lists(STEP, min_size=1, max_size=20))
def test_checks_equal_their_reference_and_change_nothing(
    seed: int,
    steps: list[tuple[int, int, int, int, bool]],
    checks: list[tuple[int, int, int, int, bool]],
) -> None:
    venue = played(seed, steps)
    out = np.full(len(checks), -1, np.int64)
    columns = list(zip(*checks, strict=True))
    risks_after(
        np.array(columns[0], np.int64),
        np.array(columns[1], np.int32),
        np.array(columns[2], np.int32),
        np.array(columns[3], np.int64),
        venue.sums,
        venue.worst,
        venue.losses,
        out,
    )
    losses = venue.losses.tolist()
    for (account, row, lots, slip, _), found in zip(checks, out.tolist(), strict=True):
        expected = risk_after_reference(venue.expected(account), row, lots, slip, losses)
        assert found == expected
        assert found == risk_after(venue.sums, venue.worst, account, row, lots, slip, venue.losses)
    venue.check()


@given(SEEDS, st.lists(STEP, max_size=20), STEP)
def test_order_that_rests_has_the_risk_that_was_checked(
    seed: int, steps: list[tuple[int, int, int, int, bool]], step: tuple[int, int, int, int, bool]
) -> None:
    venue = played(seed, steps)
    account, row, lots, slip, _ = step
    before = risk_after(venue.sums, venue.worst, account, row, lots, slip, venue.losses)
    venue.place(account, (row, lots, slip))
    assert int(venue.worst[account].sum()) == before


def test_empty_batch_of_checks_is_no_work() -> None:
    venue = Venue(1)
    none64, none32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
    risks_after(none64, none32, none32, none64, venue.sums, venue.worst, venue.losses, none64)


def test_nothing_wraps_at_the_limits() -> None:
    venue = Venue(1)
    venue.losses[:] = LOSS_LIMIT
    for _ in range(MAX_POSITIONS):
        venue.fill(0, 5, LOTS_LIMIT)
    for _ in range(MAX_ORDERS - 1):
        venue.place(0, (5, LOTS_LIMIT, LOSS_LIMIT))
    venue.check()
    found = risk_after(venue.sums, venue.worst, 0, 5, LOTS_LIMIT, LOSS_LIMIT, venue.losses)
    assert found == LOTS_LIMIT * LOSS_LIMIT * (MAX_POSITIONS + 2 * MAX_ORDERS)
    assert found < 2**63
