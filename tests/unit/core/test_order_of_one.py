"""The smallest loss of a resting order counts."""

import numpy as np

from offchain.core.presum import add_order
from offchain.core.units import MAX_UNDERLYINGS, ROWS, SCENARIOS


def test_an_order_that_loses_one_millionth_adds_it() -> None:
    sums = np.zeros((1, MAX_UNDERLYINGS, SCENARIOS), np.int64)
    worst = np.zeros((1, MAX_UNDERLYINGS), np.int64)
    losses = np.zeros((ROWS, SCENARIOS), np.int32)
    losses[3, 7] = 1
    add_order(sums, worst, 0, 3, 1, 0, 1, losses)
    assert sums[0, 0].tolist() == [int(s == 7) for s in range(SCENARIOS)]
    assert worst[0].tolist() == [1] + [0] * (MAX_UNDERLYINGS - 1)
