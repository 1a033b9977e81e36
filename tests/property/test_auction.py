"""Auctions: prices fall and payments rise along lines, exactly, and rounding is the bidder's."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.auction import (
    SHARE_ONE,
    AuctionTerms,
    insolvent_payment_e6,
    is_unsold,
    largest_share,
    paid_share_e6,
    solvent_payment_e6,
)
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6, TimestampNs, UsdE6

FAST, SLOW, LAST = 60 * SECOND_NS, 600 * SECOND_NS, 120 * SECOND_NS


def terms_of(start: int, cut: int, *rest: int) -> AuctionTerms:
    fast, slow, last, bonus, close_out = rest
    return AuctionTerms(
        RatioE6(start),
        RatioE6(cut),
        TimestampNs(fast),
        TimestampNs(slow),
        TimestampNs(last),
        RatioE6(bonus),
        UsdE6(close_out),
    )


TERMS = terms_of(980_000, 850_000, FAST, SLOW, LAST, 100_000, 1_000 * ONE_E6)
SHARES = st.integers(1, SHARE_ONE)
MONEY = st.integers(0, 2**55)
TIMES = st.integers(0, 2 * (FAST + SLOW))


def test_the_price_is_exact_at_the_ends_of_its_lines() -> None:
    assert paid_share_e6(0, TERMS) == 980_000
    assert paid_share_e6(FAST // 2, TERMS) == 915_000
    assert paid_share_e6(FAST, TERMS) == 850_000
    assert paid_share_e6(FAST + SLOW // 2, TERMS) == 425_000
    assert paid_share_e6(FAST + SLOW - 1, TERMS) == 1
    assert paid_share_e6(FAST + SLOW, TERMS) == 0
    assert not is_unsold(FAST + SLOW - 1, TERMS)
    assert is_unsold(FAST + SLOW, TERMS)


@given(MONEY, SHARES, TIMES, TIMES)
def test_a_bidder_pays_less_later_never_more_than_the_slice_and_rounding_is_his(
    balance: int, share: int, one: int, other: int
) -> None:
    early, late = sorted((one, other))
    paid = [solvent_payment_e6(balance, share, at, TERMS) for at in (early, late)]
    slice_of = Fraction(balance * share, SHARE_ONE)
    assert paid[1] <= paid[0] <= slice_of + 1
    exact = slice_of * Fraction(paid_share_e6(early, TERMS), ONE_E6)
    assert exact <= paid[0] < exact + 1


@given(MONEY, MONEY, SHARES, TIMES, TIMES)
def test_a_bidder_is_paid_more_later_at_most_debt_and_bonus(
    debt: int, maintenance: int, share: int, one: int, other: int
) -> None:
    early, late = sorted((one, other))
    paid = [insolvent_payment_e6(-debt, maintenance, share, at, TERMS) for at in (early, late)]
    most = Fraction((debt + maintenance // 10) * share, SHARE_ONE)
    assert paid[0] <= paid[1] <= most
    assert insolvent_payment_e6(-debt, maintenance, share, 0, TERMS) == 0
    assert most - 1 < insolvent_payment_e6(-debt, maintenance, share, LAST, TERMS)


@given(MONEY, SHARES, SHARES, TIMES)
def test_two_parts_cost_no_less_than_the_whole(  # E-3
    balance: int, one: int, other: int, at: int
) -> None:
    whole = min(SHARE_ONE, one + other)
    parts = (one, whole - one) if one < whole else (whole,)
    paid = sum(solvent_payment_e6(balance, part, at, TERMS) for part in parts)
    assert paid >= solvent_payment_e6(balance, whole, at, TERMS)


@given(st.integers(1, SHARE_ONE + 5))
def test_the_largest_share_is_the_smallest_that_restores(enough: int) -> None:
    asked: list[int] = []

    def restores(share: int) -> bool:
        asked.append(share)
        return share >= enough

    rich = 10_000 * ONE_E6
    assert largest_share(rich, restores, TERMS) == min(enough, SHARE_ONE)
    assert len(asked) <= 17
    assert largest_share(999 * ONE_E6, restores, TERMS) == SHARE_ONE


@pytest.mark.parametrize(
    "wrong",
    [
        (850_000, 980_000, 1, 1, 1, 0, 0),
        (1_000_001, 1, 1, 1, 1, 0, 0),
        (2, -1, 1, 1, 1, 0, 0),
        (2, 1, 0, 1, 1, 0, 0),
        (2, 1, 1, 0, 1, 0, 0),
        (2, 1, 1, 1, 0, 0, 0),
        (2, 1, 1, 1, 1, -1, 0),
        (2, 1, 1, 1, 1, 1_000_001, 0),
        (2, 1, 1, 1, 1, 0, -1),
    ],
)
def test_terms_that_make_no_auction_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"auction|bonus"):
        terms_of(*wrong)


def test_shares_times_and_debts_out_of_range_are_refused() -> None:
    for share in (0, SHARE_ONE + 1):
        with pytest.raises(ValueError, match="share"):
            solvent_payment_e6(1, share, 0, TERMS)
        with pytest.raises(ValueError, match="share"):
            insolvent_payment_e6(-1, 1, share, 0, TERMS)
    with pytest.raises(ValueError, match="begun"):
        solvent_payment_e6(1, 1, -1, TERMS)
    with pytest.raises(ValueError, match="begun"):
        insolvent_payment_e6(-1, 1, 1, -1, TERMS)
    with pytest.raises(ValueError, match="debt"):
        solvent_payment_e6(-1, 1, 0, TERMS)
