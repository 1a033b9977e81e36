"""The expected shortfall of gains, of nothing, and of a loss of one millionth of a dollar."""

import numpy as np
import pytest

from offchain.core.shortfall import (
    keep_largest,
    kth_largest,
    shortfall_of_losses,
    shortfall_of_losses_reference,
    tail_of,
)
from offchain.core.units import RatioE6

TAIL = tail_of(64, RatioE6(975_000))  # 1.6 moves: the worst whole, and six tenths of the next


def shortfall(losses: list[int], room: int = 8) -> int:
    kept = np.zeros(room, np.int64)
    found = shortfall_of_losses(np.array(losses, np.int64), TAIL.scenarios, TAIL.p, TAIL.q, kept)
    assert found == shortfall_of_losses_reference(losses, 975_000)
    return int(found)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (list(range(-64, 0)), 0),  # all different: the largest are kept
        ([-1] * 64, 0),  # all alike: none is
        ([0] * 64, 0),
        (list(range(-63, 1)), 0),
        ([0] * 63 + [1], 1),  # 1 / 1.6, rounded up
        ([-10] * 62 + [-2, 3], 2),  # (3 - 0.6 x 2) / 1.6 = 1.125
        ([-10] * 62 + [-5, 3], 0),  # (3 - 0.6 x 5) / 1.6
        ([-10] * 62 + [-6, 3], 0),
        ([7] * 64, 7),
    ],
)
def test_a_shortfall_is_never_negative_and_rounds_up(losses: list[int], expected: int) -> None:
    for room in (3, 8, 65):
        assert shortfall(losses, room) == expected
        assert shortfall(losses[::-1], room) == expected


def test_the_largest_are_kept_with_bounds_that_hold_the_last_that_counts() -> None:
    losses = np.array([5, -3, 9, 9, 0, 7, 2, -8], np.int64)
    for k, kth in ((1, 9), (2, 9), (3, 7), (4, 5), (5, 2)):
        kept = np.zeros(6, np.int64)
        count, low, high = keep_largest(losses, k, kept)
        largest = kept[:count]
        assert k <= count < 6
        assert sorted(largest.tolist(), reverse=True)[:k] == sorted(losses.tolist())[::-1][:k]
        assert low <= kth <= high
        assert kth_largest(largest, k, low, high) == kth
        assert kth_largest(losses, k, -8, 9) == kth


def test_nothing_is_kept_of_losses_that_are_all_alike() -> None:
    assert keep_largest(np.full(8, 4, np.int64), 2, np.zeros(4, np.int64)) == (0, 4, 4)
