"""Correlation, and the offset and breakdown that follow from it."""

import math

import numpy as np
import pytest

from offchain.calibration.correlation import correlate
from offchain.calibration.errors import HistoryTooShortError
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings


def daily(returns: list[float]) -> Series:
    prices = [100.0]
    for value in returns:
        prices.append(prices[-1] * (1.0 + value))
    return Series(
        "made.csv", np.arange(len(prices), dtype=np.int64) * DAY_S, np.array(prices), DAY_S
    )


SOURCE = np.random.default_rng(7)
COMMON = SOURCE.normal(0.0, 0.02, 600)
OWN = SOURCE.normal(0.0, 0.02, 600)


def test_what_moves_as_one_is_offset_whole() -> None:
    one = daily(COMMON.tolist())
    found = correlate(one, one, Settings())
    assert found.now == found.low == found.breakdown == 1.0
    assert (found.offset_e6, found.breakdown_e6) == (1_000_000, 10_000)


def test_what_moves_apart_is_not_offset() -> None:
    found = correlate(daily(COMMON.tolist()), daily((-COMMON).tolist()), Settings())
    assert found.breakdown == pytest.approx(-1.0)
    assert (found.offset_e6, found.breakdown_e6) == (0, 1_000_000)


def test_offset_and_breakdown_follow_from_the_correlation() -> None:
    mixed = daily((0.95 * COMMON + 0.31 * OWN).tolist())
    found = correlate(daily(COMMON.tolist()), mixed, Settings())
    assert found.breakdown <= found.low <= 1.0
    offset = 1.0 - math.sqrt(2.0 * (1.0 - min(found.now, found.low)))
    assert found.offset_e6 <= offset * 1e6 < found.offset_e6 + 10_000
    share = math.sqrt((1.0 - found.breakdown) / 2.0)
    assert found.breakdown_e6 >= share * 1e6 > found.breakdown_e6 - 10_000
    # The hedge is never margined below what its breakdown risk is.
    assert 2.0 * found.breakdown_e6 / 1e6 >= math.sqrt(2.0 * (1.0 - found.breakdown))


def test_a_breakdown_in_the_past_is_remembered() -> None:
    broken = COMMON.copy()
    broken[200:300] = OWN[200:300]
    found = correlate(daily(COMMON.tolist()), daily(broken.tolist()), Settings())
    assert found.now > 0.99
    assert found.breakdown < 0.4
    assert found.breakdown == min(value for _, value in found.rolling)


def test_the_low_correlation_is_one_that_few_windows_fall_below() -> None:
    broken = COMMON.copy()
    broken[200:300] = OWN[200:300]
    found = correlate(daily(COMMON.tolist()), daily(broken.tolist()), Settings())
    values = [value for _, value in found.rolling]
    below = sum(value < found.low for value in values) / len(values)
    not_above = sum(value <= found.low for value in values) / len(values)
    assert below <= 0.05 < not_above + 1 / len(values)
    assert found.breakdown < found.low < found.now


def test_too_few_common_days_are_refused() -> None:
    with pytest.raises(HistoryTooShortError, match="90 common days"):
        correlate(daily([0.01] * 80), daily([0.01] * 80), Settings())
