"""Candles are walked through every turning point; the models repeat by their seeds."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.units import ONE_E8, SECOND_NS
from offchain.services.price_path import Candle, CandlePath, Follower, RandomWalk, walk_bar

STEP = 300 * SECOND_NS
RISING = Candle(0, 100, 130, 90, 120)
FALLING = Candle(STEP, 120, 125, 60, 70)


def test_a_rising_bar_goes_to_its_low_first_and_a_falling_one_to_its_high() -> None:
    assert list(walk_bar(RISING, 3)) == [90, 130, 120]
    assert list(walk_bar(FALLING, 3)) == [125, 60, 70]


@given(
    st.tuples(*[st.integers(1, 10**13)] * 4),
    st.integers(3, 40),
)
def test_every_bar_reaches_its_extremes_and_ends_at_its_close(
    prices: tuple[int, int, int, int], steps: int
) -> None:
    low, opened, close, high = sorted(prices)
    for candle in (Candle(0, opened, high, low, close), Candle(0, close, high, low, opened)):
        walked = list(walk_bar(candle, steps))
        assert len(walked) == steps
        assert (min(walked), max(walked), walked[-1]) == (low, high, candle.close_e8)


def test_a_path_begins_at_the_first_open_and_its_times_ascend() -> None:
    spots = list(CandlePath([RISING, FALLING], STEP, steps=3))
    assert [s.prices_e8 for s in spots] == [(100,), (90,), (130,), (120,), (125,), (60,), (70,)]
    assert [s.time_ns for s in spots] == [k * 100 * SECOND_NS for k in range(7)]


def test_two_series_are_walked_together() -> None:
    spots = list(CandlePath([RISING], STEP, 3, second=[Candle(0, 10, 13, 9, 12)]))
    assert [s.prices_e8 for s in spots] == [(100, 10), (90, 9), (130, 13), (120, 12)]


def test_series_of_different_times_are_refused() -> None:
    with pytest.raises(ValueError, match="different times"):
        CandlePath([RISING], STEP, 3, second=[FALLING])


@pytest.mark.parametrize(("candles", "steps"), [([], 3), ([RISING], 2)])
def test_a_path_without_candles_or_with_too_few_steps_is_refused(
    candles: list[Candle], steps: int
) -> None:
    with pytest.raises(ValueError, match=r"candles|steps"):
        CandlePath(candles, STEP, steps)


def test_a_follower_without_noise_moves_beta_times_as_much() -> None:
    bar = Candle(0, 100 * ONE_E8, 110 * ONE_E8, 100 * ONE_E8, 110 * ONE_E8)
    spots = list(CandlePath([bar], STEP, 3, Follower(10 * ONE_E8, 1.5, 0.0, seed=1)))
    assert spots[-1].prices_e8 == (110 * ONE_E8, 1_150_000_000)


def test_models_repeat_by_their_seed_and_differ_by_another() -> None:
    def follow(seed: int) -> list[object]:
        return list(CandlePath([RISING, FALLING], STEP, 6, Follower(10**9, 1.2, 0.001, seed)))

    def walk(seed: int) -> list[object]:
        return list(RandomWalk(0, (10**13, 10**11), (0.6, 0.8), seed, length=50))

    for model in (follow, walk):
        assert model(7) == model(7)
        assert model(7) != model(8)


def test_a_random_walk_moves_about_as_its_volatility_says() -> None:
    hours = 24 * 365
    walk = RandomWalk(0, (10**13,), (0.5,), seed=3, step_ns=3600 * SECOND_NS, length=hours)
    prices = [s.prices_e8[0] for s in walk]
    squares = sum((b / a - 1) ** 2 for a, b in itertools.pairwise(prices))
    assert 0.45 < squares**0.5 < 0.55
