"""Closed form and search agree, and a price is the first failing tick."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.curves import curve_lines
from offchain.core.model_parameters import Tier
from offchain.core.units import ONE_E6, ONE_E8, RatioE6, UsdE6
from offchain.pricing.liquidation_price import (
    LinearAccount,
    PriceReason,
    linear_liquidation_price,
    search_liquidation_prices,
)

TICK, DIVISOR = 10_000_000, 100_000
HIGHEST = 400_000 * ONE_E8


@st.composite
def curves(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Draw a tier curve of ascending bounds and rates."""
    count = draw(st.integers(1, 5))
    bounds = sorted(
        draw(st.sets(st.integers(1, 50_000_000), min_size=count - 1, max_size=count - 1))
    )
    rates = sorted(draw(st.sets(st.integers(0, 400_000), min_size=count, max_size=count)))
    lowers = [0, *bounds]
    tiers = (Tier(UsdE6(b * ONE_E6), RatioE6(r)) for b, r in zip(lowers, rates, strict=True))
    return curve_lines(tuple(tiers))


LOTS = st.integers(-(1 << 23), 1 << 23).filter(bool)
ENTRIES = st.integers(ONE_E8, 200_000 * ONE_E8)
SHARES = st.integers(-200_000, 1_500_000)
TICKS = st.integers(1_000, 2_000_000)


@given(LOTS, ENTRIES, SHARES, TICKS, curves())
def test_closed_form_is_the_first_failing_tick_and_what_the_search_finds(
    lots: int, entry: int, share: int, ticks: int, lines: tuple[tuple[int, int], ...]
) -> None:
    other = abs(lots) * (entry // DIVISOR) * share // ONE_E6
    account = LinearAccount(lots, entry, other, lines, DIVISOR, TICK)
    current = ticks * TICK
    closed = linear_liquidation_price(account, current, HIGHEST)
    searched = search_liquidation_prices(account.excess_e6, current, TICK, (TICK, HIGHEST))
    assert closed == searched
    for price, step in ((closed.lower_e8, TICK), (closed.upper_e8, -TICK)):
        if price is not None:
            assert account.excess_e6(price) < 0 <= account.excess_e6(price + step)
    if closed.lower_reason == PriceReason.NEVER_WITHIN_RANGE == closed.upper_reason:
        assert min(account.excess_e6(p) for p in (TICK, current, HIGHEST)) >= 0


@given(st.lists(st.integers(1, 4_000), min_size=1, max_size=6, unique=True), st.integers(1, 4_000))
def test_found_price_fails_and_its_neighbour_towards_the_price_does_not(
    crossings: list[int], ticks: int
) -> None:
    """An excess that changes sign at any ticks: whatever is found is the edge of a failure."""

    def excess(price: int) -> int:
        passed = sum(price // TICK >= tick for tick in crossings)
        now = sum(ticks >= tick for tick in crossings)
        return -1 if (passed - now) % 2 else 1

    found = search_liquidation_prices(excess, ticks * TICK, TICK, (TICK, 4_000 * TICK), cells=4)
    for price, step in ((found.lower_e8, TICK), (found.upper_e8, -TICK)):
        if price is not None:
            assert excess(price) < 0 <= excess(price + step)
