"""What the batched core promises beyond its twin: batches, limits, loading, and small stories."""

import numpy as np
import pytest

from offchain.core.addons import COLUMNS, Charge
from offchain.core.units import MAX_ORDERS, ONE_E6, ROWS, SCENARIOS
from offchain.engine.events import Closing
from offchain.engine.hot.exchange import HotExchange, HotLimitError
from offchain.engine.hot.layout import (
    MOST_EVENTS,
    REDUCE_ONLY,
    WINDOW,
    Action,
    HotReason,
    HotRules,
    Limits,
    Outcome,
)
from offchain.engine.matching import MATCH_LIMIT
from offchain.engine.reasons import Reason
from tests.support.hot import (
    BASE,
    DIVISOR,
    MIDDLE,
    PERP,
    TICK,
    Command,
    Life,
    model,
    seeded,
    table,
)

GTC, IOC, POST_ONLY = 0, 1, 2
ALICE, BOB, CAROL = 1, 3, 5  # accounts of different owners; 1 and 2 share one


def life(orders: int = 24, cash_usd: int = 10**6) -> Life:
    limits = Limits(accounts=8, orders=orders, books=1)
    return Life(seeded(0), limits, instruments=(PERP,), cash_usd=(cash_usd,), is_charged=False)


def at(ticks: int) -> int:
    return (MIDDLE[PERP] + ticks) * TICK[PERP]


def place(order_id: int, account: int, lots: int, ticks: int, flags: int = GTC) -> Command:
    return (Action.PLACE, order_id, account, PERP, at(ticks), lots, flags, 0)


def amend(order_id: int, account: int, lots: int, ticks: int, flags: int = GTC) -> Command:
    return (Action.AMEND, order_id, account, PERP, at(ticks), lots, flags, 0)


def kinds(events: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Return (kind, order id) of each event."""
    return [(event[0], event[2]) for event in events]


def refusal(venue: Life, command: Command) -> int:
    (event,) = venue.live([command])
    assert event[0] == Outcome.REFUSED
    return event[5]


def test_price_goes_before_time_and_fills_are_at_the_makers_price() -> None:
    venue = life()
    venue.live([place(1, ALICE, -3, 5), place(2, BOB, -3, 5), place(3, BOB, -3, 4)])
    events = venue.live([place(4, CAROL, 7, 9)])
    assert kinds(events) == [(Outcome.FILLED, 3), (Outcome.FILLED, 1), (Outcome.FILLED, 2)]
    assert [event[5] for event in events] == [at(4), at(5), at(5)]
    assert [event[6] for event in events] == [3, 3, 1]


def test_an_order_that_shrinks_keeps_its_place_and_one_that_grows_loses_it() -> None:
    venue = life()
    venue.live([place(1, ALICE, -5, 5), place(2, BOB, -5, 5)])
    assert kinds(venue.live([amend(1, ALICE, -2, 5)])) == [(Outcome.SHRUNK, 1)]
    assert [o[0] for o in venue.hot.orders(PERP)] == [1, 2]
    events = venue.live([amend(1, ALICE, -3, 5)])
    assert kinds(events) == [(Outcome.AMENDED, 1), (Outcome.RESTED, 1)]
    assert [o[0] for o in venue.hot.orders(PERP)] == [2, 1]


def test_an_amendment_may_trade_and_may_not_change_sides() -> None:
    venue = life()
    venue.live([place(1, ALICE, 5, -5), place(2, BOB, -5, 5)])
    assert refusal(venue, amend(1, ALICE, -5, -5)) == Reason.BAD_SIZE
    assert refusal(venue, amend(1, ALICE, 5, 5, POST_ONLY)) == Reason.WOULD_CROSS
    assert refusal(venue, amend(1, ALICE, 5, 5, IOC)) == HotReason.BAD_COMMAND
    events = venue.live([amend(1, ALICE, 8, 5)])
    assert kinds(events) == [(Outcome.AMENDED, 1), (Outcome.FILLED, 2), (Outcome.RESTED, 1)]
    assert venue.hot.orders(PERP) == [(1, ALICE, PERP, at(5), 3, False)]


def test_an_amendment_that_margin_refuses_leaves_the_old_order() -> None:
    venue = life(cash_usd=2_000)
    venue.live([place(1, ALICE, 5, -5)])
    before = venue.hot.orders(PERP)
    assert refusal(venue, amend(1, ALICE, 5_000_000, -4)) == Reason.INSUFFICIENT_MARGIN
    assert venue.hot.orders(PERP) == before


def test_orders_of_one_owner_never_meet() -> None:
    venue = life()
    events = venue.live([place(1, 1, 5, 0), place(2, 2, -5, 0)])
    assert events[1][5] == Closing.SELF_TRADE
    assert kinds(events)[1:] == [(Outcome.CLOSED, 1), (Outcome.RESTED, 2)]


def test_a_reducing_order_gives_what_the_position_has_and_leaves() -> None:
    venue = life()
    venue.live([place(1, ALICE, 5, 0), place(2, BOB, -5, 0)])
    venue.live([place(3, ALICE, -5, 3, REDUCE_ONLY), place(4, ALICE, -2, 1, IOC)])
    venue.live([place(5, BOB, 2, 1), place(6, ALICE, -2, 1)])  # the position falls to three
    events = venue.live([place(7, CAROL, 9, 3)])
    assert (events[0][0], events[0][6]) == (Outcome.FILLED, 3)
    assert (events[1][0], events[1][5]) == (Outcome.CLOSED, Closing.REDUCED)
    assert refusal(venue, place(8, ALICE, 1, 0, REDUCE_ONLY)) == Reason.NOTHING_TO_REDUCE


def test_a_maker_whose_money_a_price_move_has_taken_is_closed_not_filled() -> None:
    venue = life(cash_usd=3_000)
    venue.live([place(1, ALICE, 110, 0), place(2, BOB, 5, -1)])
    venue.deposit(CAROL, 10**12)
    venue.tick(-90_000)
    events = venue.live([place(3, CAROL, -120, -90_000)])
    assert (events[0][0], events[0][2], events[0][5]) == (Outcome.CLOSED, 1, Closing.MARGIN)
    assert (events[1][0], events[1][2], events[1][6]) == (Outcome.FILLED, 2, -5)


def floored(balance_usd: int) -> Life:
    """Return a venue where half of a position's value is the least requirement of all.

    Carol has the balance, and Alice offers 100 lots at 3 USD a lot above the mark.
    """
    venue = life(cash_usd=balance_usd)
    fast, slow = model(300, 800_000, unwind=((ONE_E6, 0),))
    venue.given = fast, slow
    venue.__post_init__()
    venue.deposit(ALICE, 10**12)
    charges = np.zeros((ROWS, COLUMNS), np.int64)
    charges[PERP, Charge.UNWIND] = 60_000_000
    venue.slow.charges = charges.tolist()
    venue.adopt(venue.hot)
    venue.live([place(1, ALICE, -60, 30_000), place(2, ALICE, -40, 30_000)])
    return venue


def test_an_order_that_pays_beyond_the_mark_is_refused_as_a_whole() -> None:
    venue = floored(6_100)  # the floor asks for 6,000, and the fills cost 300 more than the mark
    before = venue.hot.orders(PERP), venue.hot.balance(CAROL)
    (event,) = venue.live([place(3, CAROL, 100, 30_000)])
    assert (event[0], event[5]) == (Outcome.REFUSED, Reason.INSUFFICIENT_MARGIN)
    assert event[6] < event[7] == 6_000 * ONE_E6
    assert (venue.hot.orders(PERP), venue.hot.balance(CAROL)) == before
    assert kinds(venue.live([place(4, CAROL, 100, 29_000)])) == [(Outcome.RESTED, 4)]
    moved = venue.live([amend(4, CAROL, 100, 30_000)])
    assert [event[0] for event in moved] == [Outcome.REFUSED]
    assert venue.hot.checks().foreseen == 2
    richer = floored(6_400)
    fills = richer.live([place(3, CAROL, 100, 30_000)])
    assert kinds(fills) == [(Outcome.FILLED, 1), (Outcome.FILLED, 2)]


def test_own_orders_that_a_match_will_close_no_longer_count() -> None:
    venue = floored(6_400)
    venue.live([place(3, CAROL, -20, 29_000)])  # before Alice's, and of the same owner as the buyer
    events = venue.live([place(4, CAROL, 95, 30_000)])
    assert kinds(events)[0] == (Outcome.CLOSED, 3)
    assert venue.hot.positions(CAROL)[0][1] == 95


def hold(venue: Life, account: int, lots: int, equity_usd: int) -> None:
    """Load a position at the mark and set the account's equity, as a liquidation might leave it."""
    value = int(venue.slow.values[PERP]) - int(venue.slow.funding[PERP])
    owned = venue.slow.accounts[account]
    change = equity_usd * 10**6 - owned.credit - owned.cash
    owned.cash += change
    owned.positions = {PERP: [lots, lots * value]}
    venue.hot.add_cash(account, change)
    venue.hot.set_position(account, PERP, lots, lots * value)
    venue.adopt(venue.hot)
    venue.compare()


def test_a_maker_below_its_requirement_may_not_grow_it_even_at_a_profit() -> None:
    venue = life()
    venue.live([place(1, ALICE, -50, 110_000)])
    hold(venue, ALICE, -100, 1_000)
    (closed, rested) = venue.live([place(2, CAROL, 50, 110_000)])
    assert (closed[0], closed[2], closed[5]) == (Outcome.CLOSED, 1, Closing.MARGIN)
    assert rested[0] == Outcome.RESTED


def test_a_maker_never_holds_more_lots_than_the_limit() -> None:
    venue = life()
    venue.live([place(1, BOB, 10, 0)])
    hold(venue, BOB, (1 << 24) - 5, 10**10)
    (closed, _) = venue.live([place(2, CAROL, -10, 0)])
    assert (closed[0], closed[2], closed[5]) == (Outcome.CLOSED, 1, Closing.MARGIN)


def test_at_most_so_many_makers_are_touched_and_the_rest_is_dropped() -> None:
    venue = life(orders=400)
    makers = [place(1 + n, (ALICE, BOB, 6, 7)[n // 60 % 4], -1, 1) for n in range(240)]
    venue.live(makers + [place(241 + n, 4, -1, 2) for n in range(30)])
    events = venue.live([place(999, CAROL, 300, 5)])
    filled = [event for event in events if event[0] == Outcome.FILLED]
    assert len(filled) <= MATCH_LIMIT
    assert len(events) == MATCH_LIMIT + 1
    assert (events[-1][0], events[-1][5]) == (Outcome.CLOSED, Closing.UNFILLED)


def test_a_full_event_array_stops_the_batch_between_two_commands() -> None:
    venue, other = life(orders=4_096), life(orders=4_096)
    other.hot = HotExchange(other.limits, other.rules, event_capacity=MOST_EVENTS + 3)
    other.hot.list_instrument(PERP, TICK[PERP], DIVISOR[PERP], BASE[PERP])
    other.hot.open_accounts([0, *(1 + n // 2 for n in range(7))])
    for account in range(1, 8):
        owned = venue.slow.accounts[account]
        other.hot.add_cash(account, owned.cash, owned.credit)
    venue.adopt(other.hot)
    commands = table(venue.batch(300))
    expected = venue.hot.submit(commands).events.tolist()
    events, done, stops = list[list[int]](), 0, 0
    while done < len(commands):
        batch = other.hot.submit(commands, done)
        assert batch.done > done
        assert len(batch.events) <= MOST_EVENTS + 3
        events += batch.events.tolist()
        done, stops = batch.done, stops + 1
    assert stops > 10
    assert events == expected
    assert other.hot.orders(PERP) == venue.hot.orders(PERP)
    assert [other.hot.cash(a) for a in range(8)] == [venue.hot.cash(a) for a in range(8)]


def test_a_full_pool_refuses_what_would_rest_and_nothing_else() -> None:
    venue = life(orders=3)
    venue.live([place(n, ALICE, 1, -n) for n in (1, 2, 3)])
    assert refusal(venue, place(4, BOB, 1, -4)) == HotReason.BOOK_FULL
    assert kinds(venue.live([place(5, BOB, -1, -1, IOC)])) == [(Outcome.FILLED, 1)]
    assert kinds(venue.live([place(6, BOB, 1, -4)])) == [(Outcome.RESTED, 6)]


def test_an_account_has_no_more_than_its_orders() -> None:
    venue = life(orders=100)
    venue.live([place(n, ALICE, 1, -n) for n in range(1, MAX_ORDERS + 1)])
    assert refusal(venue, place(99, ALICE, 1, -1)) == Reason.TOO_MANY_ORDERS
    assert kinds(venue.live([amend(1, ALICE, 2, -9)]))[1] == (Outcome.RESTED, 1)


def test_a_price_outside_the_window_is_refused_until_the_book_moves() -> None:
    venue = life()
    venue.live([place(1, ALICE, 2, -10), place(2, BOB, 3, -10), place(3, BOB, -3, 10)])
    beyond = BASE[PERP] + WINDOW - MIDDLE[PERP]
    assert refusal(venue, place(4, BOB, -1, beyond)) == HotReason.PRICE_WINDOW
    before = venue.hot.orders(PERP)
    for side in (venue.hot, venue.slow):
        side.recentre(PERP, BASE[PERP] + 1_000)
    assert venue.hot.orders(PERP) == before
    assert kinds(venue.live([place(5, BOB, -1, beyond)])) == [(Outcome.RESTED, 5)]
    with pytest.raises(HotLimitError, match="window"):
        venue.hot.recentre(PERP, MIDDLE[PERP])
    venue.live([place(6, CAROL, -4, -10)])


def test_commands_without_meaning_are_refused_with_a_reason() -> None:
    venue = life()
    venue.live([place(1, ALICE, 1, 0)])
    cases = [
        ((9, 2, ALICE, PERP, at(0), 1, 0, 0), HotReason.BAD_COMMAND),
        (place(2, ALICE, 1, 0, 8), HotReason.BAD_COMMAND),
        (place(2, ALICE, 1, 0, 3), HotReason.BAD_COMMAND),
        (place(0, ALICE, 1, 0), HotReason.BAD_ORDER_ID),
        (place(1, ALICE, 1, 0), HotReason.ORDER_EXISTS),
        (place(2, 0, 1, 0), Reason.RESERVED_ACCOUNT),
        (place(2, 8, 1, 0), Reason.UNKNOWN_ACCOUNT),
        ((Action.PLACE, 2, ALICE, 77, at(0), 1, 0, 0), Reason.UNKNOWN_INSTRUMENT),
        ((Action.PLACE, 2, ALICE, ROWS, at(0), 1, 0, 0), Reason.UNKNOWN_INSTRUMENT),
        ((Action.PLACE, 2, ALICE, PERP, at(0) + 1, 1, 0, 0), Reason.BAD_PRICE),
        ((Action.PLACE, 2, ALICE, PERP, 2**62, 1, 0, 0), Reason.BAD_PRICE),
        (place(2, ALICE, -(2**63), 0), Reason.BAD_SIZE),
        ((Action.CANCEL, 1, BOB, PERP, 0, 0, 0, 0), Reason.UNKNOWN_ORDER),
        (amend(1, BOB, 1, 0), Reason.UNKNOWN_ORDER),
        (amend(5, ALICE, 1, 0), Reason.UNKNOWN_ORDER),
    ]
    for command, reason in cases:
        assert refusal(venue, command) == reason, command


def test_a_loaded_exchange_is_the_one_that_was_saved() -> None:
    venue = life(orders=200)
    venue.live(venue.batch(200))
    copy = life(orders=200)
    copy.hot = HotExchange(copy.limits, copy.rules)
    copy.hot.list_instrument(PERP, TICK[PERP], DIVISOR[PERP], BASE[PERP])
    copy.hot.open_accounts([0, *(1 + n // 2 for n in range(7))])
    for account, owned in enumerate(venue.slow.accounts):
        copy.hot.add_cash(account, owned.cash, owned.credit)
        for instrument, (lots, cost) in owned.positions.items():
            copy.hot.set_position(account, instrument, lots, cost)
    for order_id, account, instrument, price, lots, is_reducing in venue.hot.orders(PERP):
        copy.hot.restore_order(order_id, account, instrument, price, lots, is_reducing=is_reducing)
    with pytest.raises(HotLimitError, match="without prices"):
        copy.hot.submit(table([]))
    venue.adopt(copy.hot)
    copy.slow = venue.slow
    copy.compare()
    copy.next_id = venue.next_id
    copy.live(copy.batch(100))


def test_what_does_not_fit_the_tables_is_an_error_that_names_the_limit() -> None:
    def limits(**changes: int) -> Limits:
        return Limits(**{"accounts": 2, "orders": 2, "books": 1, **changes})

    def rules(**changes: object) -> HotRules:
        return model(0, 0)[0]._replace(**changes)  # type: ignore[arg-type] # one word at a time

    for name in ("accounts", "orders", "books", "positions", "underlyings"):
        with pytest.raises(HotLimitError, match=name):
            HotExchange(limits(**{name: 0}), rules())
    with pytest.raises(HotLimitError, match="rates"):
        HotExchange(limits(), rules(taker_fee_e6=10**6 + 1))
    for place, wrong in ((0, 10**6 + 1), (1, -1), (1, 2**52), (2, -1), (3, 10**6 + 1)):
        terms = rules().terms.copy()
        terms[place] = wrong
        with pytest.raises(HotLimitError, match="terms"):
            HotExchange(limits(), rules(terms=terms))
    with pytest.raises(HotLimitError, match="event capacity"):
        HotExchange(limits(), rules(), event_capacity=MOST_EVENTS - 1)
    hot = HotExchange(limits(), rules())
    hot.list_instrument(PERP, 10, 10, 0)
    with pytest.raises(HotLimitError, match="books"):
        hot.list_instrument(1, 10, 10, 0)
    hot.open_accounts([0, 1])
    with pytest.raises(HotLimitError, match="accounts"):
        hot.open_accounts([2])
    with pytest.raises(HotLimitError, match="cash"):
        hot.add_cash(1, 2**56)
    with pytest.raises(HotLimitError, match="instrument"):
        hot.set_position(1, 5, 1, 0)
    losses, empty = np.zeros((ROWS, SCENARIOS), np.int32), np.zeros(ROWS, np.int64)
    free = np.zeros((ROWS, COLUMNS), np.int64)
    with pytest.raises(HotLimitError, match="lot value"):
        hot.reprice(losses, empty + 2**31, empty, free)
    with pytest.raises(HotLimitError, match="peg"):
        hot.reprice(losses, empty, empty, free, 20 * 10**6 + 1)
    edges = {
        Charge.DELTA: (-(2**31), 2**31),
        Charge.ROLL: (-(2**31), 2**31),
        Charge.CALM: (-(2**31), 2**31),
        Charge.LONG: (-1, 2**32),
        Charge.DOUBT: (-1, 2**32),
        Charge.GROUP: (-1, 32),
    }
    for column, values in edges.items():
        for value in values:
            charges = free.copy()
            charges[PERP, column] = value
            with pytest.raises(HotLimitError, match="charges"):
                hot.reprice(losses, empty, empty, charges)
    hot.reprice(losses, empty, empty, free)
    for shape in (np.zeros((1, 7), np.int64), np.zeros((1, 8), np.int32)):
        with pytest.raises(HotLimitError, match="command"):
            hot.submit(shape)  # type: ignore[arg-type] # that is the test
