"""Whatever the inbox holds, it is consumed: nothing stops it, and nobody is left worse by a close.

Every event is held to SOL-1 by `Venue`. Entries are drawn as the wire could carry them, not as the
contract would let them in.
"""

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.margin import is_valid_risk_change
from offchain.core.units import SECOND_NS
from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.events import (
    Deposited,
    DepositReturned,
    ForcedDone,
    ForcedNoop,
    NoopReason,
    OrderClosed,
    Withdrawn,
)
from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.services.recovery import recover
from tests.support.agreement import fingerprint
from tests.support.desk import Desk
from tests.support.venue import BTC_PERP, BTC_WEEK, ENTRY_TIME_S, ETH_PERP, RULES, Venue, option

CALL = option("BTC-WEEK-110000-C")
OWNERS = [(n).to_bytes(20) for n in (10, 11, 12, 99)] + [
    bytes.fromhex(RULES.insurance_owner[2:]),
    bytes.fromhex(RULES.backstop_owner[2:]),
]
FORCED = [kind for kind in EntryKind if kind is not EntryKind.DEPOSIT]
REASONS = {
    EntryKind.DEPOSIT: {NoopReason.NO_ROOM, NoopReason.NOT_LISTED},
    EntryKind.WITHDRAWAL: {
        NoopReason.UNKNOWN_ACCOUNT,
        NoopReason.NOTHING_FREE,
        NoopReason.PRICES_IN_DOUBT,
        NoopReason.NOT_LISTED,
    },
    EntryKind.CANCEL_ALL: {NoopReason.UNKNOWN_ACCOUNT},
    EntryKind.CLOSE: {
        NoopReason.UNKNOWN_ACCOUNT,
        NoopReason.PRICES_IN_DOUBT,
        NoopReason.NOTHING_TO_CLOSE,
        NoopReason.NOBODY_TOOK,
        NoopReason.NOT_LISTED,
    },
    EntryKind.GRANT: set(),
    EntryKind.REVOKE: set(),
}
"""What each entry may answer, from the protocol."""


def busy() -> bytes:
    """Return a venue with positions, orders, collateral and little margin, as bytes."""
    v = Venue()
    v.fund(insurance_usd=20_000, backstop_usd=60_000)
    v.deposit(10, 60_000, btc=1)
    v.deposit(11, 5_000_000)
    v.deposit(12, 400_000, eth=3)
    v.price(120_000)
    v.trade(2, 3, BTC_PERP, 2_400, 120_000)
    v.trade(4, 3, BTC_WEEK, 900, 120_000)
    v.trade(3, 4, CALL, 500, 11_000)
    v.trade(3, 2, ETH_PERP, 100, 4_300)
    for usd in (118_000, 119_900):
        v.must(v.order(3, BTC_PERP, 700, usd))
        v.must(v.order(4, BTC_PERP, 300, usd))
    v.must(v.order(4, BTC_WEEK, -200, 121_000))
    v.must(v.order(3, CALL, 100, 10_900))
    return pickle.dumps(v)


BUSY = busy()
AMOUNTS = st.one_of(
    st.sampled_from([0, 1, 10**6, 1 << 60, (1 << 64) - 1, 1 << 64, (1 << 128) - 1]),
    st.integers(0, 5_000),
    st.integers(0, (1 << 128) - 1),
)
PLACES = st.one_of(
    st.sampled_from([0, 1, 2, 3, BTC_PERP, BTC_WEEK, CALL, ETH_PERP]), st.integers(0, (1 << 16) - 1)
)
ENTRIES = st.tuples(
    st.sampled_from([EntryKind.CLOSE, EntryKind.WITHDRAWAL, *EntryKind]),
    st.one_of(
        st.sampled_from(OWNERS[:3]), st.sampled_from(OWNERS), st.binary(min_size=20, max_size=20)
    ),
    st.sampled_from([0, 0, 0, 1, 255]),
    PLACES,
    AMOUNTS,
    st.binary(min_size=20, max_size=20),
)
STEPS = st.one_of(
    ENTRIES,
    st.tuples(st.just("price"), st.sampled_from([118_000, 119_000, 122_000, 135_000])),
    st.tuples(st.just("wait"), st.sampled_from([1, 3_000, 10**6])),
    st.tuples(st.just("doubt"), st.just(0)),
)


def held(state: State, account: int) -> dict[int, int]:
    return {i: lots for i, lots, _ in state.accounts.positions(account)}


def consume(venue: Venue, step: tuple[EntryKind, bytes, int, int, int, bytes]) -> None:
    kind, owner, subaccount, place, amount, key = step
    index = venue.state.inbox_cursor + 1
    command: Deposit | Forced = Forced(
        index, ENTRY_TIME_S, owner, subaccount, place, amount, kind, key
    )
    if kind is EntryKind.DEPOSIT:
        command = Deposit(index, ENTRY_TIME_S, owner, subaccount, place, amount)
    old: Venue = pickle.loads(pickle.dumps(venue))  # noqa: S301 - made here
    first, *rest = venue.must(command)
    assert venue.state.inbox_cursor == index
    if isinstance(first, ForcedNoop):
        assert rest == []
        assert first.reason in REASONS[kind]
        assert untouched(old.state) == untouched(venue.state)
    elif kind is EntryKind.DEPOSIT:
        assert any(isinstance(e, Deposited | DepositReturned) for e in (first, *rest))
    else:
        assert isinstance(first, ForcedDone)
        assert (first.index, first.kind) == (index, kind)
    nobody_is_worse(old, venue, is_close=kind is EntryKind.CLOSE)
    if isinstance(first, ForcedDone) and kind is EntryKind.CLOSE:
        reduced(old.state, venue.state, first.account, place, amount)
    if isinstance(first, ForcedDone) and kind is EntryKind.WITHDRAWAL:
        (out,) = rest
        assert isinstance(out, Withdrawn)
        assert (out.owner, out.asset) == (owner, place)
        assert 0 < out.amount <= amount
    if isinstance(first, ForcedDone) and kind is EntryKind.CANCEL_ALL:
        assert all(isinstance(e, OrderClosed) for e in rest)
        assert venue.state.order_count(first.account) == 0


def untouched(state: State) -> object:
    """Return what a NOOP leaves as it is: everything but the place in the log."""
    cursor, seq, time = state.inbox_cursor, state.last_seq, state.time_ns
    state.inbox_cursor = state.last_seq = 0
    state.time_ns = type(time)(0)
    seen = fingerprint(state)
    state.inbox_cursor, state.last_seq, state.time_ns = cursor, seq, time
    return seen


def reduced(old: State, new: State, account: int, instrument: int, most: int) -> None:
    """Check reduce-only: one position shrinks, by no more than was asked, and nothing else."""
    before, after = held(old, account), held(new, account)
    was, left = before.pop(instrument), after.pop(instrument, 0)
    assert after == before
    assert was * left >= 0
    assert 0 < abs(was) - abs(left) <= (most or abs(was))


def nobody_is_worse(old: Venue, new: Venue, *, is_close: bool) -> None:
    """Check INV-7 for everybody whose positions or money changed."""
    for account in range(1, old.state.accounts.count):
        if new.state.market.arrays is None:
            return
        before = account_margin(old.state, account, orders=())
        after = account_margin(new.state, account, orders=())
        assert is_valid_risk_change(
            before.margin_balance_e6,
            before.maintenance_e6,
            after.margin_balance_e6,
            after.maintenance_e6,
        )
        if (
            account == BACKSTOP
            and is_close
            and held(old.state, account) != held(new.state, account)
        ):
            after = account_margin(new.state, account)
            assert after.margin_balance_e6 >= after.initial_e6
    assert int(new.state.accounts.cash[INSURANCE]) >= int(old.state.accounts.cash[INSURANCE])


@settings(max_examples=20)
@given(entries=st.lists(ENTRIES, min_size=20, max_size=60))
def test_the_log_holds_whatever_the_inbox_held(
    entries: list[tuple[EntryKind, bytes, int, int, int, bytes]],
) -> None:
    desk = Desk()
    desk.deposit(10, 50_000, btc=1)
    for kind, owner, subaccount, place, amount, key in entries:
        index = desk.state.inbox_cursor + 1
        if kind is EntryKind.DEPOSIT:
            desk.must(Deposit(index, ENTRY_TIME_S, owner, subaccount, place, amount))
        else:
            fields = (index, ENTRY_TIME_S, owner, subaccount, place, amount, kind, key)
            desk.must(Forced(*fields))
    assert desk.state.inbox_cursor == 2 + len(entries)
    again, journal = recover(desk.store), desk.sequencer.journal
    assert (again.state_root(), again.inbox_prefix) == (journal.state_root(), journal.inbox_prefix)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_no_entry_stops_the_inbox(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    venue: Venue = pickle.loads(BUSY)  # noqa: S301 - made here
    for step in steps:
        match step:
            case ("price", int(usd)):
                venue.price(usd)
            case ("wait", int(seconds)):
                venue.now += seconds * SECOND_NS
            case ("doubt", _):
                venue.do(venue.report(*[v * 2 for v in venue.state.market.medians]))
            case _:
                consume(venue, step)
