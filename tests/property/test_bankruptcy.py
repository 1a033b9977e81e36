"""Neutral prices: a step at them costs its room and no more, and leaves the ratio where it was."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.bankruptcy import MarkedLeg, cost_e6, limit_prices, neutral_prices, room_e6

DIVISOR, TICK = 100_000, 1_000_000
MONEY = st.integers(-(2**50), 2**50)


@st.composite
def legs(draw: st.DrawFn) -> list[MarkedLeg]:
    drawn = draw(
        st.lists(
            st.tuples(st.integers(-(2**20), 2**20).filter(bool), st.integers(0, 2**40)),
            min_size=1,
            max_size=6,
        )
    )
    return [MarkedLeg(lots, mark // TICK * TICK, DIVISOR, TICK) for lots, mark in drawn]


def dearest_tick_e6(found: list[MarkedLeg]) -> int:
    """Return what one tick of every leg is worth."""
    return sum(abs(leg.lots) * (leg.tick_e8 // leg.lot_divisor) for leg in found)


@given(legs(), MONEY)
def test_a_step_at_its_neutral_prices_costs_its_room_to_the_tick(
    found: list[MarkedLeg], room: int
) -> None:
    prices = neutral_prices(found, room)
    assert all(price >= TICK and price % TICK == 0 for price in prices)
    cost = cost_e6(found, prices)
    if all(price > TICK for price in prices):
        assert cost <= room
        assert cost >= room - dearest_tick_e6(found) - len(found)
    else:
        assert cost <= max(room, 0) + dearest_tick_e6(found)


@given(legs(), st.integers(0, 2**50), st.integers(1, 2**50), st.integers(0, 2**50))
def test_a_partial_step_at_its_neutral_prices_does_not_lower_the_ratio(  # INV-7
    found: list[MarkedLeg], balance: int, before: int, after: int
) -> None:
    after = min(after, before)
    room = room_e6(balance, before, after)
    assert 0 <= room <= balance
    prices = neutral_prices(found, room)
    if min(prices) > TICK:
        left = balance - cost_e6(found, prices)
        assert left * before >= balance * after


@given(legs(), MONEY, st.integers(1, 2**50))
def test_a_full_step_at_its_bankruptcy_prices_leaves_nothing_and_owes_nothing(
    found: list[MarkedLeg], balance: int, before: int
) -> None:
    room = room_e6(balance, before, 0)
    assert room == balance
    prices = neutral_prices(found, room)
    if min(prices) > TICK:
        left = balance - cost_e6(found, prices)
        assert 0 <= left <= dearest_tick_e6(found) + len(found)


@given(legs(), st.integers(0, 2**50), st.data())
def test_a_step_within_its_limits_never_costs_more_than_its_room(
    found: list[MarkedLeg], room: int, data: st.DataObject
) -> None:
    bands = [TICK * data.draw(st.integers(1, 2**20)) for _ in found]
    limits = limit_prices(found, room, bands)
    for leg, limit, band, neutral in zip(
        found, limits, bands, neutral_prices(found, room), strict=True
    ):
        if leg.lots < 0:
            assert limit == max(band, neutral)
        else:
            assert limit in (0, min(band, neutral))
            assert limit or cost_e6([leg], [TICK]) > 0
    traded = [
        (leg, limit, data.draw(st.integers(0, abs(leg.lots))))
        for leg, limit in zip(found, limits, strict=True)
        if limit
    ]
    paid = [
        cost_e6([replace(leg, lots=lots if leg.lots > 0 else -lots)], [limit])
        for leg, limit, lots in traded
    ]
    assert sum(paid) <= room


def test_a_purchase_without_room_for_a_tick_is_not_made() -> None:
    worthless = MarkedLeg(1_000, 0, DIVISOR, TICK)
    tick = 1_000 * TICK // DIVISOR
    assert limit_prices([worthless], tick, [5 * TICK]) == (TICK,)
    assert limit_prices([worthless], tick - 1, [5 * TICK]) == (0,)


def test_a_step_that_releases_nothing_has_no_room() -> None:
    assert room_e6(1_000, 500, 500) == 0
    assert room_e6(1_000, 500, 600) == 0
    assert room_e6(-1_000, 500, 500) == -1_000


def test_the_prices_of_a_long_and_a_short_stand_on_both_sides_of_the_mark() -> None:
    long = MarkedLeg(-1_000, 60_000 * 10**8, DIVISOR, TICK)  # 1 BTC at 60,000
    short = MarkedLeg(1_000, 60_000 * 10**8, DIVISOR, TICK)
    six_thousand = 6_000 * 10**6
    assert neutral_prices([long], six_thousand) == (54_000 * 10**8,)
    assert neutral_prices([short], six_thousand) == (66_000 * 10**8,)
    assert neutral_prices([long], -six_thousand) == (66_000 * 10**8,)
    assert neutral_prices([long, short], six_thousand) == (57_000 * 10**8, 63_000 * 10**8)
