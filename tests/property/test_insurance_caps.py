"""The hourly caps of the insurance fund, against a list of every payment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.insurance_caps import (
    MINUTE_NS,
    MINUTES,
    InsuranceCaps,
    Spending,
    payable_e6,
)
from offchain.core.units import RatioE6, TimestampNs, UsdE6

HOUR_NS = MINUTES * MINUTE_NS
CAPS = InsuranceCaps(UsdE6(1_000), RatioE6(250_000))


@given(
    st.lists(st.tuples(st.integers(0, 2 * HOUR_NS), st.integers(0, 3_000)), max_size=60),
    st.integers(0, 100_000),
)
def test_an_hour_never_pays_more_than_the_caps(asked: list[tuple[int, int]], fund: int) -> None:
    now, spending = 0, Spending()
    paid: list[tuple[int, int]] = []
    for step, wanted in asked:
        now += step
        before = spending.within_hour(TimestampNs(now))
        allowed = payable_e6(fund, spending, TimestampNs(now), CAPS)
        assert 0 <= allowed <= fund
        amount = min(wanted, allowed)
        fund -= amount
        spending = spending.and_paid(amount, TimestampNs(now))
        paid.append((now, amount))
        recent = sum(a for t, a in paid if now - t < HOUR_NS)
        assert recent <= spending.within_hour(TimestampNs(now)) == before + amount <= 1_000
        assert 4 * (before + amount) <= fund + before + amount or amount == 0
        assert len(spending.minutes) <= MINUTES + 1


def test_a_payment_is_forgotten_when_its_minute_is_an_hour_old() -> None:
    spent = Spending().and_paid(1_000, TimestampNs(0))
    assert payable_e6(10_000, spent, TimestampNs(HOUR_NS), CAPS) == 0
    assert payable_e6(10_000, spent, TimestampNs(HOUR_NS + MINUTE_NS), CAPS) == 1_000


def test_the_share_counts_what_the_hour_has_taken() -> None:
    spent = Spending().and_paid(200, TimestampNs(0))
    assert payable_e6(800, spent, TimestampNs(0), CAPS) == 50
    assert payable_e6(0, Spending(), TimestampNs(0), CAPS) == 0
    assert payable_e6(-5, Spending(), TimestampNs(0), CAPS) == 0


def test_caps_and_payments_out_of_range_are_refused() -> None:
    for hourly, share in ((-1, 0), (0, -1), (0, 1_000_001)):
        with pytest.raises(ValueError, match="cap"):
            InsuranceCaps(UsdE6(hourly), RatioE6(share))
    with pytest.raises(ValueError, match="payment"):
        Spending().and_paid(-1, TimestampNs(0))
