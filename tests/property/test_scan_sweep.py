"""The vector sweep, its plain twin and unbounded integers agree on every bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.lanes import worst_loss_reference
from offchain.core.scan import sweep, sweep_reference
from offchain.core.units import MAX_POSITIONS, MAX_UNDERLYINGS, ROWS, SCENARIOS, SLOT_BITS

LOTS_LIMIT = 2**24 - 1
LOSS_LIMIT = 2**31 - 1
ACCOUNTS = 40
Arrays = tuple[NDArray[np.generic], ...]


def random_book(seed: int, *, is_sorted: bool, at_limits: bool = False) -> Arrays:
    """Return the ten inputs of a sweep over accounts of 0 to 32 positions."""
    rng = np.random.default_rng(seed)
    shape = (ACCOUNTS, MAX_POSITIONS)
    ids = rng.integers(0, ROWS, shape)
    if is_sorted:
        ids.sort(axis=1)
    lots = rng.integers(-LOTS_LIMIT, LOTS_LIMIT + 1, shape)
    losses = rng.integers(-LOSS_LIMIT, LOSS_LIMIT + 1, (ROWS, SCENARIOS))
    if at_limits:
        lots = rng.choice([-LOTS_LIMIT, LOTS_LIMIT], shape)
        losses = rng.choice([-LOSS_LIMIT, LOSS_LIMIT], (ROWS, SCENARIOS))
    return (
        ids.astype(np.int32),
        lots.astype(np.int32),
        rng.integers(-(2**56), 2**56, shape),
        rng.integers(0, MAX_POSITIONS + 1, ACCOUNTS).astype(np.int32),
        rng.integers(-(2**56), 2**56, ACCOUNTS),
        rng.integers(0, 2**56, ACCOUNTS),
        rng.integers(-LOSS_LIMIT, LOSS_LIMIT, ROWS),
        losses.astype(np.int32),
    )


def run(kernel: object, book: Arrays) -> tuple[list[int], list[int]]:
    assert callable(kernel)
    scan = np.full(ACCOUNTS, -1, np.int64)
    balance = np.full(ACCOUNTS, -1, np.int64)
    kernel(*book, scan, balance)
    return scan.tolist(), balance.tolist()


def by_unbounded_integers(book: Arrays) -> tuple[list[int], list[int]]:
    ids, lots, costs, counts, cash, credit, values, losses = (array.tolist() for array in book)
    scans, balances = [], []
    for a in range(ACCOUNTS):
        held = list(zip(ids[a], lots[a], costs[a], strict=True))[: counts[a]]
        scan = 0
        for u in range(MAX_UNDERLYINGS):
            mine = [(i, n) for i, n, _ in held if i >> SLOT_BITS == u]
            scan += worst_loss_reference([i for i, _ in mine], [n for _, n in mine], losses)
        scans.append(scan)
        balances.append(cash[a] + credit[a] + sum(n * values[i] - cost for i, n, cost in held))
    return scans, balances


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_vector_sweep_equals_its_plain_twin(seed: int, is_sorted: bool, at_limits: bool) -> None:
    book = random_book(seed, is_sorted=is_sorted, at_limits=at_limits)
    assert run(sweep, book) == run(sweep_reference, book)


@pytest.mark.parametrize("is_sorted", [True, False])
@pytest.mark.parametrize("at_limits", [True, False])
def test_both_equal_unbounded_integers(is_sorted: bool, at_limits: bool) -> None:
    book = random_book(2_026, is_sorted=is_sorted, at_limits=at_limits)
    expected = by_unbounded_integers(book)
    assert run(sweep, book) == expected
    assert run(sweep_reference, book) == expected


def test_account_without_positions_has_its_cash_and_no_risk() -> None:
    book = list(random_book(1, is_sorted=True))
    book[3] = np.zeros(ACCOUNTS, np.int32)
    scan, balance = run(sweep, tuple(book))
    assert scan == [0] * ACCOUNTS
    assert balance == (book[4] + book[5]).tolist()  # type: ignore[operator] # both are int64


def test_positions_beyond_the_count_are_not_read() -> None:
    book = random_book(3, is_sorted=True)
    before = run(sweep, book)
    for a, count in enumerate(book[3].tolist()):
        book[1][a, count:] = LOTS_LIMIT
        book[2][a, count:] = 1
    assert run(sweep, book) == before
