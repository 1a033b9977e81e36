"""What a requirement never does: grow when risk is closed, shrink when money leaves, wrap.

Portfolios are put together at the prices of a venue; nobody has to own them.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.margin import AccountMargin, Mode
from offchain.core.units import ONE_E6, RatioE6
from offchain.engine.risk import margin_of
from offchain.engine.state import State
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    RULES,
    Venue,
    feed_values,
    option,
    scan_only,
)

LINEAR = (BTC_PERP, BTC_WEEK, ETH_PERP, option("ETH-MONTH"))
IDS = (
    *LINEAR,
    option("BTC-WEEK-110000-C"),
    option("BTC-WEEK-120000-P"),
    option("BTC-MONTH-130000-C"),
    option("BTC-MONTH-100000-P"),
    option("ETH-WEEK-4400-C"),
    option("ETH-MONTH-4000-P"),
)
LOTS = st.one_of(st.integers(-40, 40), st.integers(-60_000, 60_000)).filter(bool)
Book = dict[int, int]
BOOKS = st.dictionaries(st.sampled_from(IDS), LOTS, min_size=1, max_size=6)
LINEAR_BOOKS = st.dictionaries(st.sampled_from(LINEAR), LOTS, min_size=1)
MODES = st.sampled_from([Mode.ISOLATED, Mode.CROSS])


def venue_of(venue: Venue) -> State:
    """Return a state with uneven prices, a smile, calm volatility and doubt."""
    venue.deposit(10, 1)
    shape = {"slope": 104_000_000, "tilt": 175_000_000, "stable": 98_500_000}
    venue.must(venue.report(*feed_values(118_734.5, 4_321.09, 33, **shape)))
    venue.fund_tick(1)
    return venue.state


WHOLE = venue_of(Venue())
BARE = venue_of(
    Venue(
        replace(
            scan_only(),
            taker_fee_e6=RatioE6(0),
            correlation=replace(RULES.correlation, offset_cap_usd=(1 << 32) - 1),
        )
    )
)


def margin(
    book: Book,
    mode: Mode = Mode.PORTFOLIO,
    *,
    state: State = WHOLE,
    cash: int = 0,
    coins: tuple[int, ...] = (),
    orders: tuple[tuple[int, int, int], ...] = (),
) -> AccountMargin:
    """Return the margin of a book whose positions cost what they are worth."""
    net = state.market.net_lot_values()
    held = [(i, n, n * int(net[i])) for i, n in sorted(book.items())]
    return margin_of(state, mode, held, cash, coins, orders)


def required(of: AccountMargin) -> tuple[int, int]:
    return of.maintenance_e6, of.initial_e6


def never_above(less: AccountMargin, more: AccountMargin, slack: int = 0) -> None:
    for a, b in zip(required(less), required(more), strict=True):
        assert a <= b + slack


@given(BOOKS, st.integers(2, 5), st.data())
def test_closing_the_same_share_of_everything_never_raises_a_requirement(
    book: Book, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole - 1))
    full = {i: n * whole for i, n in book.items()}
    left = {i: n * part for i, n in book.items() if part}
    never_above(margin(left), margin(full))


@given(st.sampled_from(IDS), LOTS, st.data())
def test_closing_any_part_of_a_position_that_stands_alone_never_raises_a_requirement(
    instrument: int, lots: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(min(lots, 0), max(lots, 0)))
    left = {instrument: kept} if kept else {}
    never_above(margin(left), margin({instrument: lots}))


@given(LINEAR_BOOKS, MODES, st.data())
def test_closing_any_part_of_any_position_never_raises_a_linear_requirement(
    book: Book, mode: Mode, data: st.DataObject
) -> None:
    instrument = data.draw(st.sampled_from(sorted(book)))
    lots = book[instrument]
    kept = data.draw(st.integers(min(lots, 0), max(lots, 0)))
    never_above(margin({**book, instrument: kept}, mode), margin(book, mode))


@given(BOOKS, st.sampled_from(IDS), LOTS)
def test_a_position_and_its_exact_offset_leave_no_trace(
    book: Book, instrument: int, lots: int
) -> None:
    net = int(WHOLE.market.net_lot_values()[instrument])
    held = {i: (n, n * int(WHOLE.market.net_lot_values()[i])) for i, n in book.items()}
    before = margin(book)
    old = held.get(instrument, (0, 0))
    merged = {**held, instrument: (old[0] + lots - lots, old[1] + lots * net - lots * net)}
    rows = [(i, *merged[i]) for i in sorted(merged)]
    after = margin_of(WHOLE, Mode.PORTFOLIO, rows, 0, ())
    assert after == before


@given(BOOKS)
def test_a_book_and_its_mirror_require_nothing_together(book: Book) -> None:
    merged = {i: n - n for i, n in book.items()}
    assert required(margin(merged)) == (0, 0)


@given(BOOKS, BOOKS)
def test_netting_never_adds_risk(first: Book, second: Book) -> None:
    """Two accounts in one need no more than apart, without tiers, which are meant to add."""
    merged = {i: first.get(i, 0) + second.get(i, 0) for i in {*first, *second}}
    apart = [margin(book, state=BARE) for book in (first, second)]
    together = margin(merged, state=BARE)
    assert together.scan_e6 <= sum(m.scan_e6 for m in apart) + 2  # one rounding each
    assert together.maintenance_e6 <= sum(m.maintenance_e6 for m in apart) + 2


@given(BOOKS, st.integers(0, 10**12), st.lists(st.integers(0, 10**13), min_size=4, max_size=4))
def test_more_collateral_never_hurts(book: Book, cash: int, coins: list[int]) -> None:
    less = (min(coins[0], coins[1]), min(coins[2], coins[3]))
    more = (max(coins[0], coins[1]), max(coins[2], coins[3]))
    poor, rich = (margin(book, cash=cash, coins=held) for held in (less, more))
    assert required(poor) == required(rich)
    assert poor.margin_balance_e6 <= rich.margin_balance_e6
    assert poor.equity_e6 <= rich.equity_e6
    assert rich.margin_balance_e6 <= rich.equity_e6
    assert margin(book, cash=cash + 1, coins=less).margin_balance_e6 == poor.margin_balance_e6 + 1


ORDERS = st.lists(
    st.tuples(st.sampled_from(IDS), LOTS, st.integers(-300, 300)), min_size=1, max_size=6
)


def at_limits(orders: list[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Return orders at so many ticks from the mark."""
    marks = WHOLE.market.prices.marks_e8
    found = []
    for i, lots, ticks in orders:
        tick = int(WHOLE.underlying(i).tick_e8)
        found.append((i, lots, max(tick, int(marks[i]) + ticks * tick)))
    return tuple(found)


@given(BOOKS, ORDERS)
def test_one_more_order_never_lowers_initial_margin(
    book: Book, orders: list[tuple[int, int, int]]
) -> None:
    resting = at_limits(orders)
    before, after = margin(book, orders=resting[:-1]), margin(book, orders=resting)
    assert before.initial_e6 <= after.initial_e6
    assert before.maintenance_e6 == after.maintenance_e6 <= after.initial_e6


@given(LINEAR_BOOKS, ORDERS, MODES)
def test_one_more_order_never_lowers_linear_initial_margin(
    book: Book, orders: list[tuple[int, int, int]], mode: Mode
) -> None:
    resting = at_limits([o for o in orders if o[0] in LINEAR])
    before, after = margin(book, mode, orders=resting[:-1]), margin(book, mode, orders=resting)
    assert before.initial_e6 <= after.initial_e6
    assert before.maintenance_e6 == after.maintenance_e6 <= after.initial_e6


@given(
    st.dictionaries(
        st.sampled_from([i.id for i in RULES.listing.instruments]),
        st.sampled_from([1 - 2**24, 2**24 - 1]),
        min_size=20,
        max_size=32,
    ),
    st.sampled_from(list(Mode)),
)
def test_the_largest_books_are_margined_without_wrapping(book: Book, mode: Mode) -> None:
    held = {i: n for i, n in book.items() if mode is Mode.PORTFOLIO or i in LINEAR}
    found = margin(held, mode)
    prices = WHOLE.market.prices
    gross = sum(abs(n) * int(prices.lot_values_e6[i]) for i, n in held.items())
    assert 0 <= found.maintenance_e6 <= found.initial_e6
    if mode is Mode.PORTFOLIO:
        sums = [
            sum(n * int(prices.losses_e6[i][s]) for i, n in held.items() if i >> 8 == u)
            for u in (0, 1)
            for s in range(36)
        ]
        worst = [max(0, *sums[:36]), max(0, *sums[36:])]
        assert found.scan_e6 >= -(-sum(worst) * RULES.correlation.breakdown_e6 // ONE_E6)
        assert found.scan_e6 <= sum(worst)
    else:
        assert found.maintenance_e6 <= gross
