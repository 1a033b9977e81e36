"""Deleveraging: exact shares, an order that no permutation changes, never a lot too many."""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.deleverage import (
    AMOUNT_BITS,
    Candidate,
    Policy,
    Share,
    lights,
    proportional,
    rank,
    shares,
)
from offchain.core.units import AccountId, Lots, UsdE6

AMOUNTS = st.one_of(st.integers(0, 20), st.integers(0, 2**AMOUNT_BITS - 1))
PROFITS = st.one_of(st.integers(-20, 20), st.integers(1 - 2**AMOUNT_BITS, 2**AMOUNT_BITS - 1))
LOTS = st.one_of(st.integers(0, 12), st.integers(0, 2**24 - 1))
POLICIES = st.sampled_from(Policy)


def candidate(account: int, lots: int, profit: int, *rest: int) -> Candidate:
    notional, entry, balance = (UsdE6(amount) for amount in rest)
    return Candidate(AccountId(account), Lots(lots), UsdE6(profit), notional, entry, balance)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    rows = draw(st.lists(st.tuples(LOTS, PROFITS, AMOUNTS, AMOUNTS, AMOUNTS), max_size=12))
    accounts = draw(st.permutations(range(2, 2 + len(rows))))
    return [candidate(account, *row) for account, row in zip(accounts, rows, strict=True)]


def score(of: Candidate) -> Fraction:
    entry, balance, notional = (max(1, x) for x in (of.entry_e6, of.balance_e6, of.notional_e6))
    if of.profit_e6 > 0:
        return Fraction(of.profit_e6, entry) * Fraction(notional, balance)
    return Fraction(of.profit_e6, entry) * Fraction(balance, notional)


def level_shares(total: int, rows: list[tuple[int, int, int]]) -> dict[int, Fraction]:
    """Return each exact part of a total: full rows are taken out, round after round."""
    parts: dict[int, Fraction] = {}
    left, rest = Fraction(total), [row for row in rows if row[1]]
    if left >= sum(capacity for _, capacity, _ in rest):
        return {account: Fraction(capacity) for account, capacity, _ in rest}
    while rest:
        weights = sum(weight for _, _, weight in rest)
        full = [row for row in rest if Fraction(left * row[2], weights) >= row[1]]
        if not full:
            return parts | {a: Fraction(left * weight, weights) for a, _, weight in rest}
        for account, capacity, _ in full:
            parts[account] = Fraction(capacity)
            left -= capacity
        rest = [row for row in rest if row not in full]
    return parts


@given(candidates())
def test_the_queue_is_ordered_by_exact_scores(queue: list[Candidate]) -> None:
    ranked = rank(queue)
    keys = [(-score(c), -c.notional_e6, c.account) for c in ranked]
    assert keys == sorted(keys)
    assert sorted(c.account for c in ranked) == sorted(c.account for c in queue)


def test_scores_one_part_in_2_to_the_187_apart_are_told_apart() -> None:
    big = 2**AMOUNT_BITS - 1
    one = candidate(2, 1, big - 1, big - 1, big, big - 2)
    other = candidate(3, 1, big - 2, big - 2, big - 1, big - 3)
    assert 0 < score(other) - score(one) < Fraction(1, 2**187)
    assert [c.account for c in rank([one, other])] == [3, 2]


def test_equal_scores_are_ordered_by_notional_then_by_account() -> None:
    queue = [candidate(2, 1, 1, 5, 5, 1), candidate(4, 1, 1, 7, 7, 1), candidate(3, 1, 1, 7, 7, 1)]
    assert [c.account for c in rank(queue)] == [3, 4, 2]


@given(st.integers(0, 2**26), candidates(), POLICIES, st.randoms(use_true_random=False))
def test_the_deficit_is_closed_to_the_lot_and_order_does_not_matter(
    deficit: int, queue: list[Candidate], policy: Policy, source: random.Random
) -> None:
    parts = shares(deficit, queue, policy)
    capacity = {c.account: c.lots for c in queue}
    assert sum(part.lots for part in parts) == min(deficit, sum(capacity.values()))
    assert all(0 < part.lots <= capacity[part.account] for part in parts)
    source.shuffle(queue)
    assert shares(deficit, queue, policy) == parts


@given(st.integers(0, 2**26), candidates())
def test_the_queue_fills_from_its_front(deficit: int, queue: list[Candidate]) -> None:
    taken = {part.account: part.lots for part in shares(deficit, queue, Policy.QUEUE)}
    holders = [c for c in rank(queue) if c.lots]
    parts = [taken.get(c.account, 0) for c in holders]
    partly = [n for n, c in enumerate(holders) if parts[n] < c.lots]
    if partly:
        assert not any(parts[partly[0] + 1 :])


ROWS = st.lists(st.tuples(LOTS, st.one_of(st.integers(1, 9), st.integers(1, 2**63 - 1))))


@settings(max_examples=300)
@given(st.integers(0, 2**26), ROWS)
def test_each_share_is_the_exact_one_to_the_lot(total: int, drawn: list[tuple[int, int]]) -> None:
    rows = [(account, *row) for account, row in enumerate(drawn)]
    parts, exact = proportional(total, rows), level_shares(total, rows)
    assert parts.keys() == exact.keys()
    assert all(abs(parts[a] - exact[a]) < 1 for a in parts)
    assert all(parts[a] == exact[a] for a in parts if exact[a].denominator == 1)


def test_what_rounding_leaves_goes_to_the_largest_remainders_then_to_the_lower_account() -> None:
    assert proportional(4, [(9, 9, 1), (8, 9, 1), (7, 9, 1)]) == {7: 2, 8: 1, 9: 1}
    assert proportional(3, [(7, 9, 3), (8, 9, 3), (9, 9, 4)]) == {7: 1, 8: 1, 9: 1}
    assert proportional(5, [(7, 9, 1), (8, 9, 2), (9, 9, 4)]) == {7: 1, 8: 1, 9: 3}


def test_losers_close_only_what_winners_cannot() -> None:
    winner, loser = candidate(2, 5, 100, 1, 1, 1), candidate(3, 90, -100, 1, 1, 1)
    assert shares(5, [winner, loser], Policy.PRO_RATA) == [Share(AccountId(2), Lots(5))]
    assert shares(8, [winner, loser], Policy.PRO_RATA) == [
        Share(AccountId(2), Lots(5)),
        Share(AccountId(3), Lots(3)),
    ]


@pytest.mark.parametrize(
    ("place", "count", "on"), [(0, 1, 5), (0, 5, 5), (4, 5, 1), (19, 100, 5), (20, 100, 4)]
)
def test_rank_lights_are_fifths_of_the_queue(place: int, count: int, on: int) -> None:
    assert lights(place, count) == on


@pytest.mark.parametrize("place", [-1, 3])
def test_a_place_outside_the_queue_has_no_lights(place: int) -> None:
    with pytest.raises(ValueError, match="place"):
        lights(place, 3)


def test_bad_candidates_are_refused() -> None:
    good = candidate(2, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="twice"):
        rank([good, good])
    with pytest.raises(ValueError, match="capacity is negative"):
        shares(1, [candidate(3, -1, 1, 1, 1, 1)], Policy.QUEUE)
    with pytest.raises(ValueError, match="63 bits"):
        rank([candidate(3, 1, 2**63, 1, 1, 1)])
    with pytest.raises(ValueError, match="deficit"):
        shares(-1, [good], Policy.PRO_RATA)
