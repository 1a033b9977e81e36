"""The vector sweep, its plain twin and unbounded integers agree bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.lanes import LINE, packed_losses
from offchain.core.sweep import (
    account_bounds_reference,
    sweep_bounds,
    sweep_bounds_reference,
    sweep_chosen,
)
from offchain.core.units import MAX_POSITIONS, ROWS, SCENARIOS

LOTS_LIMIT = 2**24 - 1
LOSS_LIMIT = 2**31 - 1
RATE_LIMIT = 2**33 - 1
ACCOUNTS = 8
Book = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
Numbers = NDArray[np.int64]
Market = tuple[Numbers, Numbers, NDArray[np.int32]]


def random_book(rng: np.random.Generator, *, at_limits: bool) -> Book:
    """Return ids, lots and counts of accounts of 0 to 32 positions, in ascending order."""
    shape = (ACCOUNTS, MAX_POSITIONS)
    ids = np.sort(rng.integers(0, ROWS, shape), axis=1).astype(np.int32)
    lots = rng.integers(-LOTS_LIMIT, LOTS_LIMIT + 1, shape)
    counts = rng.integers(0, MAX_POSITIONS + 1, ACCOUNTS).astype(np.int32)
    if at_limits:
        lots = rng.choice([-LOTS_LIMIT, LOTS_LIMIT], shape)
        counts[:] = MAX_POSITIONS
    return ids, lots.astype(np.int32), counts


def random_market(rng: np.random.Generator, *, at_limits: bool) -> Market:
    """Return lot values, gross rates and losses."""
    values = rng.integers(-RATE_LIMIT, RATE_LIMIT + 1, ROWS)
    gross = rng.integers(0, RATE_LIMIT + 1, ROWS)
    losses = rng.integers(-LOSS_LIMIT, LOSS_LIMIT + 1, (ROWS, SCENARIOS))
    if at_limits:
        values = rng.choice([-RATE_LIMIT, RATE_LIMIT], ROWS)
        gross[:] = RATE_LIMIT
        losses = rng.choice([-LOSS_LIMIT, LOSS_LIMIT], (ROWS, SCENARIOS))
        losses[:, rng.integers(0, SCENARIOS)] = LOSS_LIMIT
    return values, gross, losses.astype(np.int32)


def results(seed: int, *, at_limits: bool) -> list[list[list[int]]]:
    """Return the results of both kernels and of unbounded integers."""
    rng = np.random.default_rng(seed)
    ids, lots, counts = random_book(rng, at_limits=at_limits)
    values, gross, losses = random_market(rng, at_limits=at_limits)
    cash, credit = rng.integers(-(2**60), 2**60, ACCOUNTS), rng.integers(0, 2**56, ACCOUNTS)
    book = (ids, lots, counts, cash, credit, values, gross)
    fast, slow = np.full((3, ACCOUNTS), -1), np.full((3, ACCOUNTS), -1)
    sweep_bounds(*book, packed_losses(losses), *fast)
    sweep_bounds_reference(*book, losses, *slow)
    exact = [
        account_bounds_reference(
            ids[a, : counts[a]].tolist(),
            lots[a, : counts[a]].tolist(),
            int(cash[a]) + int(credit[a]),
            values.tolist(),
            gross.tolist(),
            losses.tolist(),
        )
        for a in range(ACCOUNTS)
    ]
    return [fast.T.tolist(), slow.T.tolist(), [list(each) for each in exact]]


@given(st.integers(0, 2**32))
def test_kernels_equal_unbounded_integers(seed: int) -> None:
    fast, slow, exact = results(seed, at_limits=False)
    assert fast == exact
    assert slow == exact


@pytest.mark.parametrize("seed", range(5))
def test_nothing_wraps_at_the_limits(seed: int) -> None:
    fast, slow, exact = results(seed, at_limits=True)
    assert fast == exact
    assert slow == exact


def test_largest_sum_of_a_whole_account_is_exact() -> None:
    ids = np.zeros((1, MAX_POSITIONS), np.int32)
    lots, counts = np.full_like(ids, LOTS_LIMIT), np.array([MAX_POSITIONS], np.int32)
    for sign in (1, -1):
        for scenario in range(SCENARIOS):  # every lane, packed or widened
            losses = np.full((ROWS, SCENARIOS), -LOSS_LIMIT, np.int32)
            losses[0, scenario] = sign * LOSS_LIMIT
            none, zero = np.zeros(ROWS, np.int64), np.zeros(1, np.int64)
            book = ids, sign * lots, counts, zero, zero, none, none
            out = np.zeros((3, 1), np.int64)
            sweep_bounds(*book, packed_losses(losses), *out)
            assert out[1, 0] == MAX_POSITIONS * LOTS_LIMIT * LOSS_LIMIT


@given(st.integers(0, 2**32))
def test_chosen_accounts_are_computed_in_their_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids, lots, counts = random_book(rng, at_limits=False)
    values, gross, losses = random_market(rng, at_limits=False)
    cash = rng.integers(-(2**60), 2**60, ACCOUNTS)
    book = (ids, lots, counts, cash, np.zeros_like(cash), values, gross, packed_losses(losses))
    chosen = rng.permutation(np.flatnonzero(rng.random(ACCOUNTS) < 0.5))
    every, some = np.full((3, ACCOUNTS), -1), np.full((3, chosen.size), -1)
    sweep_bounds(*book, *every)
    sweep_chosen(chosen, *book, *some)
    assert some.tolist() == every[:, chosen].tolist()


def test_no_chosen_account_is_no_work() -> None:
    rng = np.random.default_rng(1)
    ids, lots, counts = random_book(rng, at_limits=False)
    values, gross, losses = random_market(rng, at_limits=False)
    some, cash = np.full((3, ACCOUNTS), -1), np.zeros(ACCOUNTS, np.int64)
    book = (ids, lots, counts, cash, cash, values, gross, packed_losses(losses))
    sweep_chosen(np.zeros(0, np.int64), *book, *some)
    assert (some == -1).all()


def test_packed_rows_begin_on_cache_lines() -> None:
    packed = packed_losses(np.ones((ROWS, SCENARIOS), np.int32))
    assert packed.ctypes.data % LINE == 0
    assert packed.size == ROWS * 40
