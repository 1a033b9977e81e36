"""Expected shortfall is what its definition says, exactly, and it is coherent."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.core.shortfall import (
    ShortfallError,
    Tail,
    kth_largest,
    shortfall,
    shortfall_of_losses,
    shortfall_of_losses_reference,
    shortfall_reference,
    tail_of,
)
from offchain.core.units import MAX_POSITIONS, ROWS, RatioE6

HISTORY = 1_024
CONFIDENCE = RatioE6(975_000)
TAIL = tail_of(HISTORY, CONFIDENCE)
LOTS_LIMIT = 2**24 - 1
LOSS_LIMIT = 2**31 - 1
SEEDS = st.integers(0, 2**32)
SETTINGS = st.sampled_from(
    [(1_024, 975_000), (32, 900_000), (64, 984_375), (96, 500_000), (4_096, 999_000)]
)


def some_losses(seed: int, history: int = HISTORY) -> list[int]:
    """Return losses of different shapes: spread, with many equal ones, all equal, at the limits."""
    rng = np.random.default_rng(seed)
    shape = seed % 5
    if shape == 0:
        losses = rng.integers(-(2**60), 2**60, history)
    elif shape == 1:
        losses = rng.integers(-3, 4, history)
    elif shape == 2:
        losses = np.full(history, rng.integers(-(2**60), 2**60))
    elif shape == 3:
        losses = rng.choice([1 - 2**60, 0, 2**60 - 1], history)
    else:
        losses = rng.integers(0, 2**40, history) << rng.integers(0, 19, history)
    return [int(loss) for loss in losses]


def fast(losses: list[int], tail: Tail = TAIL, room: int = 128) -> int:
    kept = np.zeros(max(room, tail.scenarios + 1), np.int64)
    array = np.array(losses, np.int64)
    return shortfall_of_losses(array, tail.scenarios, tail.p, tail.q, kept)


@given(SEEDS, SETTINGS)
def test_kernel_equals_its_reference(seed: int, settings: tuple[int, int]) -> None:
    history, confidence = settings
    losses = some_losses(seed, history)
    tail = tail_of(history, RatioE6(confidence))
    assert fast(losses, tail) == shortfall_of_losses_reference(losses, confidence)


@given(SEEDS, st.integers(1, HISTORY))
def test_kth_largest_is_that_of_the_sorted_losses(seed: int, k: int) -> None:
    losses = some_losses(seed)
    array = np.array(losses, np.int64)
    expected = sorted(losses, reverse=True)[k - 1]
    assert kth_largest(array, k, min(losses), max(losses)) == expected


@given(SEEDS)
def test_shortfall_is_the_mean_of_the_worst_two_and_a_half_percent(seed: int) -> None:
    losses = some_losses(seed)
    worst = sorted(losses, reverse=True)
    mean = (sum(worst[:25]) + Fraction(6, 10) * worst[25]) / Fraction(256, 10)
    assert 0 <= fast(losses) - max(Fraction(0), mean) < 1


def test_twenty_five_worst_and_six_tenths_of_the_next_count() -> None:
    assert Tail(26, 5, 128) == TAIL
    assert fast([256] * 25 + [0] * (HISTORY - 25)) == 250
    assert fast([256] * 26 + [0] * (HISTORY - 26)) == 256
    assert fast([0] * 25 + [128] + [0] * (HISTORY - 26)) == 5  # the largest counts whole
    assert fast([-7] * HISTORY) == 0


def random_book(rng: np.random.Generator, accounts: int) -> tuple[NDArray[np.int32], ...]:
    shape = (accounts, MAX_POSITIONS)
    return (
        rng.integers(0, ROWS, shape).astype(np.int32),
        rng.integers(-LOTS_LIMIT, LOTS_LIMIT + 1, shape).astype(np.int32),
        rng.integers(0, MAX_POSITIONS + 1, accounts).astype(np.int32),
    )


@pytest.mark.parametrize("history", [32, 96, 1_024])
def test_sweep_of_accounts_equals_unbounded_integers(history: int) -> None:
    rng = np.random.default_rng(history)
    ids, lots, counts = random_book(rng, 5)
    losses = rng.integers(-LOSS_LIMIT, LOSS_LIMIT + 1, (ROWS, history)).astype(np.int32)
    tail = tail_of(history, RatioE6(950_000))
    out = np.full(5, -1, np.int64)
    scratch = np.zeros(history + 4 * tail.scenarios + 1, np.int64)
    shortfall(ids, lots, counts, losses, tail.scenarios, tail.p, tail.q, scratch, out)
    for a in range(5):
        held = slice(0, counts[a])
        expected = shortfall_reference(
            ids[a, held].tolist(), lots[a, held].tolist(), losses.tolist(), 950_000
        )
        assert int(out[a]) == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_wraps_at_the_limits(sign: int) -> None:
    ids = np.zeros((1, MAX_POSITIONS), np.int32)
    lots = np.full((1, MAX_POSITIONS), LOTS_LIMIT, np.int32)
    losses = np.full((ROWS, HISTORY), -LOSS_LIMIT, np.int32)
    losses[0, 1000:] = LOSS_LIMIT
    out, scratch = np.zeros(1, np.int64), np.zeros(HISTORY + 128, np.int64)
    counts = np.array([MAX_POSITIONS], np.int32)
    shortfall(ids, sign * lots, counts, losses, TAIL.scenarios, TAIL.p, TAIL.q, scratch, out)
    sums = [sign * MAX_POSITIONS * LOTS_LIMIT * int(loss) for loss in losses[0]]
    assert int(out[0]) == shortfall_of_losses_reference(sums, CONFIDENCE)
    assert int(out[0]) > 2**59


@given(SEEDS, SEEDS)
def test_merging_two_portfolios_never_adds_risk(one: int, other: int) -> None:
    a, b = some_losses(one), some_losses(other)
    a, b = [x // 2 for x in a], [x // 2 for x in b]
    merged = [x + y for x, y in zip(a, b, strict=True)]
    assert fast(merged) <= fast(a) + fast(b)


@given(SEEDS, st.integers(0, HISTORY - 1), st.integers(0, 2**59))
def test_more_loss_never_lowers_the_shortfall(seed: int, scenario: int, more: int) -> None:
    losses = [x // 4 for x in some_losses(seed)]
    worse = list(losses)
    worse[scenario] += more
    assert fast(worse) >= fast(losses)


@given(SEEDS)
def test_order_of_the_scenarios_does_not_matter(seed: int) -> None:
    losses = some_losses(seed)
    mixed = np.random.default_rng(seed).permutation(np.array(losses, np.int64)).tolist()
    assert fast(mixed) == fast(losses)


@given(SEEDS, st.integers(27, 1_100))
def test_room_for_the_largest_changes_no_result(seed: int, room: int) -> None:
    losses = some_losses(seed)
    assert fast(losses, room=room) == shortfall_of_losses_reference(losses, CONFIDENCE)


@pytest.mark.parametrize(
    ("history", "confidence"),
    [(0, 975_000), (1_000, 975_000), (8_192, 975_000), (32, 0), (32, 10**6), (32, 975_000)],
)
def test_tail_that_is_not_defined_is_refused(history: int, confidence: int) -> None:
    with pytest.raises(ShortfallError):
        tail_of(history, RatioE6(confidence))


def test_tail_that_is_too_long_is_refused() -> None:
    with pytest.raises(ShortfallError):
        tail_of(4_096, RatioE6(500_000))
