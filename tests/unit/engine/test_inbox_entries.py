"""Every entry of the inbox is consumed, and answered with DONE or with its own reason."""

from dataclasses import replace

import pytest

from offchain.core.units import ONE_E6, SECOND_NS, AccountId
from offchain.engine.commands.deposit import DEPOSIT_LIMIT, OUTPUT_LIMIT
from offchain.engine.events import (
    NO_ACCOUNT,
    AccountOpened,
    Closing,
    Deposited,
    DepositReturned,
    Event,
    ForcedDone,
    ForcedNoop,
    NoopReason,
    OrderClosed,
    Withdrawn,
)
from offchain.engine.messages import Deposit, EntryKind
from offchain.engine.reasons import Reason
from tests.support.venue import BTC_PERP, ENTRY_TIME_S, Venue

ALL = (1 << 128) - 1
OWNER = (10).to_bytes(20)
STRANGER = (99).to_bytes(20)
USD = ONE_E6


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    v.deposit(10, 50_000, btc=1)
    v.deposit(11, 5_000_000)
    v.price(120_000)
    return v


def reason(events: tuple[Event, ...]) -> NoopReason:
    (answer,) = events
    assert isinstance(answer, ForcedNoop)
    return answer.reason


def output(events: tuple[Event, ...]) -> Withdrawn:
    done, out = events
    assert isinstance(done, ForcedDone)
    assert isinstance(out, Withdrawn)
    return out


def deposit(venue: Venue, owner: bytes, asset: int, amount: int) -> tuple[Event, ...]:
    index = venue.state.inbox_cursor + 1
    return venue.must(Deposit(index, ENTRY_TIME_S, owner, 0, asset, amount))


# Withdrawals


def test_a_forced_withdrawal_puts_out_what_was_asked_for(venue: Venue) -> None:
    out = output(venue.force(EntryKind.WITHDRAWAL, 2, place=0, amount=7 * USD))
    assert (out.account, out.owner, out.asset, out.amount) == (2, OWNER, 0, 7 * USD)
    assert int(venue.state.accounts.cash[2]) == 49_993 * USD


@pytest.mark.parametrize(("asset", "held"), [(0, 50_000 * USD), (1, 10**8)])
def test_a_forced_withdrawal_of_everything_takes_what_there_is(
    venue: Venue, asset: int, held: int
) -> None:
    assert output(venue.force(EntryKind.WITHDRAWAL, 2, asset, ALL)).amount == held
    assert reason(venue.force(EntryKind.WITHDRAWAL, 2, asset, ALL)) is NoopReason.NOTHING_FREE


def test_with_a_position_only_what_margin_leaves_free_goes_out(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    more = venue.withdraw(2, usd=50_000)
    assert venue.refuses(more) is Reason.NOT_WITHDRAWABLE
    taken = output(venue.force(EntryKind.WITHDRAWAL, 2, 0, ALL)).amount
    assert 0 < taken < 50_000 * USD
    assert venue.refuses(replace(more, amount=1)) is Reason.NOT_WITHDRAWABLE


def test_stale_or_held_prices_bar_a_withdrawal_only_where_something_is_at_risk(
    venue: Venue,
) -> None:
    venue.must(venue.order(3, BTC_PERP, -1, 130_000))
    venue.must(venue.report(*[v * 2 for v in venue.state.market.medians]))
    assert venue.state.market.pending is not None
    assert reason(venue.force(EntryKind.WITHDRAWAL, 3, 0, 1)) is NoopReason.PRICES_IN_DOUBT
    assert output(venue.force(EntryKind.WITHDRAWAL, 2, 0, 1)).amount == 1
    venue.now += 10**6 * SECOND_NS
    assert reason(venue.force(EntryKind.WITHDRAWAL, 3, 0, 1)) is NoopReason.PRICES_IN_DOUBT
    assert output(venue.force(EntryKind.WITHDRAWAL, 2, 0, 1)).amount == 1
    venue.force(EntryKind.CANCEL_ALL, 3)
    assert output(venue.force(EntryKind.WITHDRAWAL, 3, 0, 1)).amount == 1


def test_a_withdrawal_of_nothing_or_of_debt_comes_to_nothing(venue: Venue) -> None:
    assert reason(venue.force(EntryKind.WITHDRAWAL, 2, 0, 0)) is NoopReason.NOTHING_FREE
    assert reason(venue.force(EntryKind.WITHDRAWAL, 3, 2, ALL)) is NoopReason.NOTHING_FREE
    venue.grant(2, -400_000 * USD)
    assert reason(venue.force(EntryKind.WITHDRAWAL, 2, 1, ALL)) is NoopReason.NOTHING_FREE


def test_of_the_insurance_fund_nothing_is_ever_free(venue: Venue) -> None:
    assert int(venue.state.accounts.cash[0]) > 0
    assert reason(venue.force(EntryKind.WITHDRAWAL, 0, 0, ALL)) is NoopReason.NOTHING_FREE


# Cancel-all


def test_cancel_all_closes_every_order_of_the_account_and_no_other(venue: Venue) -> None:
    for usd in (100_000, 110_000):
        venue.must(venue.order(2, BTC_PERP, 1, usd))
    venue.must(venue.order(3, BTC_PERP, -1, 130_000))
    venue.now += 10**6 * SECOND_NS  # no price is needed
    done, *closed = venue.force(EntryKind.CANCEL_ALL, 2)
    assert done == ForcedDone(venue.state.inbox_cursor, EntryKind.CANCEL_ALL, AccountId(2))
    assert [e.closing for e in closed if isinstance(e, OrderClosed)] == [Closing.CANCELLED] * 2
    assert venue.state.orders_of(2) == []
    assert len(venue.state.orders_of(3)) == 1
    assert len(venue.force(EntryKind.CANCEL_ALL, 2)) == 1  # nothing left is done as well


# What no entry can name


@pytest.mark.parametrize("kind", [EntryKind.WITHDRAWAL, EntryKind.CANCEL_ALL, EntryKind.CLOSE])
def test_an_owner_without_an_account_forces_nothing(venue: Venue, kind: EntryKind) -> None:
    events = venue.must(venue.entry(kind, STRANGER))
    assert events == (
        ForcedNoop(venue.state.inbox_cursor, kind, NO_ACCOUNT, NoopReason.UNKNOWN_ACCOUNT),
    )
    other = replace(venue.entry(kind, OWNER), subaccount=1)
    assert reason(venue.must(other)) is NoopReason.UNKNOWN_ACCOUNT


@pytest.mark.parametrize("place", [3, 255, 2**16 - 1])
@pytest.mark.parametrize("kind", [EntryKind.WITHDRAWAL, EntryKind.CLOSE])
def test_what_is_not_listed_comes_to_nothing(venue: Venue, kind: EntryKind, place: int) -> None:
    unlisted = place if kind is EntryKind.WITHDRAWAL else place + 2**16
    assert reason(venue.force(kind, 2, unlisted)) is NoopReason.NOT_LISTED


def test_entries_are_consumed_in_order_without_gaps(venue: Venue) -> None:
    right = venue.entry(EntryKind.CANCEL_ALL, OWNER)
    for step in (-1, 1):
        assert venue.refuses(replace(right, index=right.index + step)) is Reason.INBOX_GAP
    venue.must(right)
    assert venue.refuses(right) is Reason.INBOX_GAP


def test_a_deposit_is_no_forced_operation(venue: Venue) -> None:
    assert venue.refuses(venue.entry(EntryKind.DEPOSIT, OWNER)) is Reason.BAD_ENTRY


# Deposits that find no room


def test_a_deposit_beyond_the_range_of_money_goes_out_whole() -> None:
    venue = Venue()
    deposit(venue, OWNER, 0, DEPOSIT_LIMIT - 2)
    assert deposit(venue, OWNER, 0, 2) == (DepositReturned(2, OWNER, 0, 2, 1),)
    assert deposit(venue, STRANGER, 0, 2) == (DepositReturned(3, STRANGER, 0, 2, 2),)
    assert venue.state.flows.deposited[0] == DEPOSIT_LIMIT + 2
    assert venue.state.flows.withdrawn[0] == 4
    assert venue.conserved()
    assert isinstance(deposit(venue, OWNER, 0, 1)[0], Deposited)  # one more unit fits
    assert venue.state.next_output_id == 3


def test_a_full_venue_opens_no_account_but_still_credits_the_old(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offchain.engine.commands.deposit.MAX_ACCOUNTS", venue.state.accounts.count)
    (back,) = deposit(venue, STRANGER, 1, 5)
    assert isinstance(back, DepositReturned)
    assert (back.owner, back.asset, back.amount) == (STRANGER, 1, 5)
    assert venue.conserved()
    assert isinstance(deposit(venue, OWNER, 0, 5)[0], Deposited)


def test_a_deposit_that_cannot_be_counted_comes_to_nothing(venue: Venue) -> None:
    assert reason(deposit(venue, OWNER, 3, 5)) is NoopReason.NOT_LISTED
    assert reason(deposit(venue, OWNER, 0, OUTPUT_LIMIT)) is NoopReason.NO_ROOM
    (back,) = deposit(venue, OWNER, 0, OUTPUT_LIMIT - 1)
    assert isinstance(back, DepositReturned)
    assert venue.conserved()


def test_a_deposit_of_nothing_opens_the_account(venue: Venue) -> None:
    opened, credited = deposit(venue, STRANGER, 0, 0)
    assert isinstance(opened, AccountOpened)
    assert isinstance(credited, Deposited)
    index = venue.state.inbox_cursor + 1
    below = Deposit(index, ENTRY_TIME_S, STRANGER, 0, 0, -1)  # no log can hold it
    assert venue.refuses(below) is Reason.BAD_AMOUNT
