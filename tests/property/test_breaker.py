"""The circuit breaker against a slow twin that keeps every index, and its edges."""

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.breaker import (
    BUCKETS,
    Breaker,
    BreakerTerms,
    Level,
    level_at,
    observe,
    under_terms,
)
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, RatioE6, TimestampNs

WINDOW, COOL = 64 * SECOND_NS, 300 * SECOND_NS
TERMS = BreakerTerms(
    TimestampNs(WINDOW), RatioE6(100_000), RatioE6(150_000), RatioE6(200_000), TimestampNs(COOL)
)
PART = WINDOW // BUCKETS
Seen = list[tuple[int, int]]


def run(seen: Seen, terms: BreakerTerms = TERMS) -> Breaker:
    breaker = Breaker()
    for time_ns, index_e8 in seen:
        breaker = observe(breaker, index_e8, TimestampNs(time_ns), terms)
    return breaker


def slow_level(seen: Seen) -> int:
    """Return the level after the last index: each move of the window cools down for itself."""
    now = seen[-1][0]
    alive = []
    for place, (time_ns, index) in enumerate(seen):
        earlier = [i for t, i in seen[:place] if t // PART >= time_ns // PART - BUCKETS]
        reached = 0
        for level, move in ((1, 100_000), (2, 150_000), (3, 200_000)):
            if any(abs(index - i) * ONE_E6 >= move * i for i in earlier):
                reached = level
        alive.append(reached - max(0, now - time_ns) // COOL if reached else 0)
    return max(0, *alive)


STEPS = st.tuples(
    st.sampled_from([1, 5, 30, 64, 70, 200, 299, 300, 301, 900]), st.integers(-25, 25)
)


@given(st.lists(STEPS, min_size=1, max_size=25))
def test_the_level_is_that_of_the_slow_twin(
    steps: list[tuple[int, int]],
) -> None:
    times = accumulate(seconds * SECOND_NS for seconds, _ in steps)
    prices = accumulate(
        (change for _, change in steps),
        lambda price, change: max(ONE_E8, price * (100 + change) // 100),
        initial=60_000 * ONE_E8,
    )
    seen = list(zip(times, list(prices)[1:], strict=True))
    breaker = run(seen)
    assert breaker.level == slow_level(seen)
    later = TimestampNs(seen[-1][0] + 3 * COOL)
    assert level_at(breaker, later, TERMS) is Level.OPEN
    assert len(breaker.buckets) <= BUCKETS + 1


@pytest.mark.parametrize(
    ("index", "level"),
    [
        (110_000, Level.REDUCE_ONLY),
        (109_999, Level.OPEN),
        (90_000, Level.REDUCE_ONLY),
        (90_001, Level.OPEN),
        (115_000, Level.CANCEL),
        (85_000, Level.CANCEL),
        (85_001, Level.REDUCE_ONLY),
        (120_000, Level.PAUSE),
        (80_000, Level.PAUSE),
        (80_001, Level.CANCEL),
    ],
)
def test_a_level_is_reached_exactly_at_its_move(index: int, level: Level) -> None:
    assert run([(SECOND_NS, 100_000), (2 * SECOND_NS, index)]).level is level


def test_a_move_is_forgotten_when_its_window_is_over() -> None:
    assert run([(0, 100_000), (WINDOW, 120_000)]).level is Level.PAUSE
    assert run([(0, 100_000), (WINDOW + PART, 120_000)]).level is Level.OPEN


def test_a_level_falls_one_by_one_and_a_new_move_renews_it() -> None:
    tripped = run([(0, 100_000), (SECOND_NS, 120_000)])
    at = [SECOND_NS + n * COOL for n in range(4)]
    levels = [level_at(tripped, TimestampNs(t), TERMS) for t in at]
    assert levels == [Level.PAUSE, Level.CANCEL, Level.REDUCE_ONLY, Level.OPEN]
    assert level_at(tripped, TimestampNs(at[1] - 1), TERMS) is Level.PAUSE
    again = run([(0, 100_000), (SECOND_NS, 120_000), (30 * SECOND_NS, 80_000)])
    assert level_at(again, TimestampNs(at[1]), TERMS) is Level.PAUSE


def test_a_smaller_move_does_not_shorten_a_higher_level() -> None:
    tripped = run([(0, 100_000), (SECOND_NS, 120_000), (2 * SECOND_NS, 113_000)])
    assert tripped.level is Level.PAUSE


def test_a_window_of_zero_switches_the_breaker_off() -> None:
    off = BreakerTerms(
        TimestampNs(0), TERMS.halt_e6, TERMS.cancel_e6, TERMS.pause_e6, TERMS.cool_ns
    )
    assert run([(0, 100_000), (1, 500_000)], off) == Breaker()


@pytest.mark.parametrize(
    "terms",
    [
        (WINDOW, 0, 1, 2, COOL),
        (WINDOW, 2, 1, 3, COOL),
        (WINDOW, 1, 3, 2, COOL),
        (WINDOW, 1, 2, 10_000_000, COOL),
        (WINDOW + 1, 1, 2, 3, COOL),
        (-BUCKETS, 1, 2, 3, COOL),
        (WINDOW, 1, 2, 3, 0),
        (25 * 3_600 * SECOND_NS, 1, 2, 3, COOL),
        (WINDOW, 1, 2, 3, 25 * 3_600 * SECOND_NS),
    ],
)
def test_terms_that_contradict_one_another_are_refused(terms: tuple[int, ...]) -> None:
    window, halt, cancel, pause, cool = terms
    with pytest.raises(ValueError, match=r"moves|window|cooling"):
        BreakerTerms(
            TimestampNs(window), RatioE6(halt), RatioE6(cancel), RatioE6(pause), TimestampNs(cool)
        )


def test_an_index_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="index"):
        observe(Breaker(), 0, TimestampNs(0), TERMS)


def test_other_terms_keep_the_level_and_another_window_forgets_what_was_seen() -> None:
    tripped = run([(0, 100_000), (SECOND_NS, 120_000)])
    milder = replace(TERMS, pause_e6=RatioE6(900_000))
    assert under_terms(tripped, TERMS, milder) == tripped
    wider = replace(TERMS, window_ns=TimestampNs(2 * WINDOW))
    kept = under_terms(tripped, TERMS, wider)
    assert (kept.level, kept.until_ns, kept.buckets) == (Level.PAUSE, tripped.until_ns, ())
    off = replace(TERMS, window_ns=TimestampNs(0))
    assert under_terms(tripped, TERMS, off) == Breaker()
    assert level_at(tripped, TimestampNs(SECOND_NS), off) is Level.OPEN
