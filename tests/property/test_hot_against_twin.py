"""The batched core and its twin live the same lives: events, accounts, books, all 36 sums, MM, IM.

Charges, curves, offsets and the peg are drawn too, and change at every price tick.
"""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.units import LOTS_BITS
from offchain.engine.events import Closing
from offchain.engine.hot.layout import Limits, Outcome
from tests.support.hot import PERP, Life, seeded


def live(life: Life, batches: int, tick_share: float = 0.2) -> set[tuple[int, int]]:
    """Live some batches and price ticks; return (kind, reason or closing) of what happened."""
    seen = set()
    for _ in range(batches):
        for event in life.live(life.batch(life.random.choice([1, 1, 5, 20]))):
            coded = event[0] in (Outcome.CLOSED, Outcome.REFUSED)
            seen.add((event[0], event[5] if coded else 0))
        if life.random.random() < tick_share:
            life.tick(life.move())
            life.compare()
    return seen


@given(st.integers(0, 2**32))
def test_two_underlyings_with_little_money_and_little_room(seed: int) -> None:
    live(Life(seeded(seed)), 6)


@given(st.integers(0, 2**32), st.sampled_from([0, 300, 10_000]), st.integers(1, 10**6))
def test_one_underlying_with_any_rates(seed: int, fee: int, factor: int) -> None:
    limits = Limits(accounts=6, orders=40, books=1)
    live(Life(seeded(seed), limits, fee, factor, (PERP,)), 6)


@given(st.integers(0, 2**32))
def test_lots_near_their_limit(seed: int) -> None:
    limits = Limits(accounts=5, orders=40, books=1)
    life = Life(seeded(seed), limits, instruments=(PERP,), cash_usd=(10**10,))
    life.most_lots = 1 << LOTS_BITS
    live(life, 5)


@given(st.integers(0, 2**32))
def test_lots_and_charges_near_their_limits(seed: int) -> None:
    life = Life(seeded(seed), cash_usd=(10**10,), is_extreme=True)
    life.most_lots = 1 << LOTS_BITS
    life.tick(0)
    live(life, 5)


@given(st.integers(0, 2**32))
def test_the_same_happens_when_no_bound_decides(seed: int) -> None:
    life = Life(seeded(seed), is_bound_first=False)
    live(life, 5)
    checks = life.hot.checks()
    assert (checks.orders, checks.makers) == (checks.orders_exact, checks.makers_exact)


def test_long_lives_meet_every_kind_of_event_and_of_check() -> None:
    lives = [Life(seeded(seed), is_charged=seed < 4) for seed in range(8)]
    seen = set[tuple[int, int]]().union(*(live(life, 100, 0.5) for life in lives))
    counts = [sum(count) for count in zip(*(life.hot.checks() for life in lives), strict=True)]
    orders, orders_exact, makers, makers_exact, foreseen = counts
    assert 100 < orders_exact < orders - 100
    assert 0 < makers_exact < makers
    assert foreseen > 0
    assert {kind for kind, _ in seen} == {int(kind) for kind in Outcome}
    closings = {code for kind, code in seen if kind == Outcome.CLOSED}
    assert closings == {
        Closing.CANCELLED,
        Closing.SELF_TRADE,
        Closing.MARGIN,
        Closing.UNFILLED,
        Closing.REDUCED,
    }
    assert len({code for kind, code in seen if kind == Outcome.REFUSED}) >= 12
