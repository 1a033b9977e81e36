"""E-15: of a collateral that a set adds everybody has nothing, and then it is like any other."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.core.parameters import ParameterError
from offchain.core.units import ONE_E8
from offchain.engine.accounts import BACKSTOP
from offchain.engine.events import (
    CollateralSold,
    ForcedDone,
    ForcedNoop,
    MarginLevelChanged,
    NoopReason,
    Withdrawn,
)
from offchain.engine.messages import Deposit, EntryKind, Withdraw
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.sweeps import maintenance_margins
from offchain.engine.withdrawal import withdrawable
from tests.support.adoption import adopt, dearer, with_asset
from tests.support.venue import BTC_PERP, ENTRY_TIME_S, RULES, Venue

NEW, COIN = 3, ONE_E8
LONGER = with_asset(RULES)
ALICE, BOB = 10, 11


@pytest.fixture
def venue() -> Venue:
    """Return a venue in which account 2 is long and holds collateral, before the set is longer."""
    made = Venue()
    made.fund(insurance_usd=20_000, backstop_usd=5_000_000)
    made.deposit(ALICE, 60_000, btc=0.1, eth=1)
    made.deposit(BOB, 5_000_000)
    made.price(120_000)
    made.trade(2, 3, BTC_PERP, 1_000, 120_000)
    return made


def entry(venue: Venue, name: int, asset: int, amount: int) -> Deposit:
    owner = name.to_bytes(20, "big")
    return Deposit(venue.state.inbox_cursor + 1, ENTRY_TIME_S, owner, 0, asset, amount)


def taken(venue: Venue, account: int, asset: int, amount: int) -> Withdraw:
    return replace(venue.withdraw(account, btc=1), asset=asset, amount=amount)


def test_everybody_has_nothing_of_it_and_all_else_stays(venue: Venue) -> None:
    accounts, flows = venue.state.accounts, venue.state.flows
    before = accounts.collateral.copy()
    book = list(flows.deposited), list(flows.withdrawn)
    margin = account_margin(venue.state, 2)
    venue.must(adopt(LONGER))
    assert accounts.assets == NEW
    assert np.array_equal(accounts.collateral[:, : NEW - 1], before)
    assert not accounts.collateral[:, NEW - 1].any()
    assert (flows.deposited, flows.withdrawn) == ([*book[0], 0], [*book[1], 0])
    assert accounts.dirty >= set(range(accounts.count))
    assert account_margin(venue.state, 2) == margin
    balances, due = maintenance_margins(venue.state)
    assert (balances[2], due[2]) == (margin.margin_balance_e6, margin.maintenance_e6)


def test_it_counts_with_its_highest_haircut_until_the_next_report(venue: Venue) -> None:
    venue.must(adopt(LONGER))
    new = LONGER.collateral[-1]
    assert venue.state.market.haircuts[-1].haircut_e6 == new.haircut_cap_e6
    assert len(venue.state.market.curves) == NEW
    venue.price(120_000)
    assert venue.state.market.haircuts[-1].haircut_e6 == new.haircut_floor_e6


def test_it_is_deposited_traded_against_and_withdrawn(venue: Venue) -> None:
    venue.must(adopt(LONGER))
    venue.must(entry(venue, ALICE, NEW, COIN))
    venue.price(120_000)
    assert venue.state.accounts.collateral[2, NEW - 1] == COIN
    venue.trade(2, 3, BTC_PERP, 5_000, 120_000)
    free = withdrawable(venue.state, 2, NEW)
    assert 0 < free < COIN
    assert venue.refuses(taken(venue, 2, NEW, free + 1)) is Reason.NOT_WITHDRAWABLE
    venue.must(taken(venue, 2, NEW, free))
    assert venue.state.flows.withdrawn[NEW] == free
    assert venue.refuses(taken(venue, 2, NEW + 1, 1)) is Reason.BAD_ASSET


def test_it_is_sold_in_a_liquidation_and_by_conversion(venue: Venue) -> None:
    venue.must(adopt(LONGER))
    venue.must(entry(venue, ALICE, NEW, COIN))
    venue.price(120_000)
    venue.must(venue.convert(2, NEW, 0.25))
    assert venue.state.accounts.collateral[BACKSTOP, NEW - 1] == COIN // 4
    venue.must(taken(venue, 2, 0, withdrawable(venue.state, 2, 0)))
    venue.trade(2, 3, BTC_PERP, 1_600, 120_000)
    for usd in (112_000, 104_000, 97_000, 91_000, 85_000, 80_000, 75_000, 70_000):
        venue.price(usd)
        if not isinstance(venue.liquidate(2), Rejected) and not venue.state.accounts.counts[2]:
            break
    sold = [e for e in venue.events if isinstance(e, CollateralSold)]
    assert NEW in {e.asset for e in sold if e.seller == 2}
    assert venue.state.accounts.counts[2] == 0


def test_before_it_is_listed_a_deposit_comes_to_nothing_and_after_it_is_credited(
    venue: Venue,
) -> None:
    (noop,) = venue.must(entry(venue, ALICE, NEW, COIN))
    assert isinstance(noop, ForcedNoop)
    assert noop.reason is NoopReason.NOT_LISTED
    venue.must(adopt(LONGER))
    venue.must(entry(venue, ALICE, NEW, COIN))
    assert venue.state.flows.deposited[NEW] == COIN


def test_above_its_cap_a_deposit_goes_out_again(venue: Venue) -> None:
    capped = replace(LONGER.collateral[-1], cap_e8=COIN)
    venue.must(adopt(replace(LONGER, collateral=(*RULES.collateral, capped))))
    events = venue.must(entry(venue, ALICE, NEW, 3 * COIN))
    (out,) = (e for e in events if isinstance(e, Withdrawn))
    assert (out.asset, out.amount) == (NEW, 2 * COIN)


def test_it_is_withdrawn_by_force(venue: Venue) -> None:
    account = venue.deposit(12, 1)
    (noop,) = venue.force(EntryKind.WITHDRAWAL, account, NEW, 5)
    assert isinstance(noop, ForcedNoop)
    assert noop.reason is NoopReason.NOT_LISTED
    venue.must(adopt(LONGER))
    (noop,) = venue.force(EntryKind.WITHDRAWAL, account, NEW, 5)
    assert isinstance(noop, ForcedNoop)
    assert noop.reason is NoopReason.NOTHING_FREE
    venue.must(entry(venue, 12, NEW, COIN))
    done = venue.force(EntryKind.WITHDRAWAL, account, NEW, 2**128 - 1)
    assert any(isinstance(e, ForcedDone) for e in done)
    assert venue.state.flows.withdrawn[NEW] == COIN


def test_before_the_first_report_it_is_held_like_any_other() -> None:
    venue = Venue()
    venue.must(adopt(LONGER))
    venue.must(entry(venue, ALICE, NEW, COIN))
    venue.must(taken(venue, 2, NEW, COIN))
    venue.price(120_000)
    assert len(venue.state.market.curves) == NEW


def test_before_genesis_has_a_depositor_the_reserved_accounts_are_longer_too() -> None:
    venue = Venue()
    assert venue.state.accounts.count == 2
    venue.must(adopt(LONGER))
    assert venue.state.accounts.assets == NEW
    assert venue.state.flows.deposited == [0] * (NEW + 1)


def test_accounts_opened_later_have_it(venue: Venue) -> None:
    venue.must(adopt(LONGER))
    for name in range(100, 200):
        venue.must(entry(venue, name, NEW, name))
    account = venue.state.accounts.find((199).to_bytes(20, "big"), 0)
    assert account is not None
    assert venue.state.accounts.collateral[account].tolist() == [0, 0, 199]


def test_assets_are_added_one_set_after_another_up_to_eight(venue: Venue) -> None:
    rules = LONGER
    venue.must(adopt(rules))
    rules = with_asset(rules, underlying=1, count=5)
    venue.must(adopt(rules))
    assert venue.state.accounts.assets == 8
    assert venue.refuses(adopt(LONGER)) is Reason.COLLATERAL_CHANGED
    venue.must(entry(venue, ALICE, 8, COIN))
    with pytest.raises(ParameterError):
        with_asset(rules)


def test_a_first_asset_takes_the_place_that_was_always_there() -> None:
    bare = replace(RULES, collateral=())
    venue = Venue(rules=bare)
    venue.deposit(ALICE, 1_000)
    venue.price(120_000)
    assert venue.state.accounts.assets == 1
    venue.must(adopt(replace(RULES, version=RULES.version + 1, collateral=RULES.collateral[:1])))
    assert venue.state.accounts.assets == 1
    venue.must(entry(venue, ALICE, 1, COIN))
    venue.must(adopt(dearer(dearer(RULES))))
    assert venue.state.accounts.assets == NEW - 1


def test_before_any_asset_is_listed_nothing_of_the_first_is_free() -> None:
    venue = Venue(rules=replace(RULES, collateral=()))
    venue.deposit(ALICE, 60_000)
    venue.deposit(BOB, 60_000)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 10, 120_000)
    for account in (2, 3):
        (noop,) = venue.force(EntryKind.WITHDRAWAL, account, 1, 5)
        assert isinstance(noop, ForcedNoop)
        assert noop.reason is NoopReason.NOTHING_FREE
    (noop,) = venue.force(EntryKind.WITHDRAWAL, 2, 2, 5)
    assert isinstance(noop, ForcedNoop)
    assert noop.reason is NoopReason.NOT_LISTED


def test_a_refused_set_leaves_accounts_as_they_are(venue: Venue) -> None:
    before = venue.state.accounts.collateral
    bad = replace(LONGER, backstop_owner="0x" + "f2" * 20)
    assert venue.refuses(adopt(bad)) is Reason.OWNERS_CHANGED
    assert venue.state.accounts.collateral is before


def test_call_levels_are_counted_with_the_longer_set(venue: Venue) -> None:
    venue.trade(2, 3, BTC_PERP, 1_000, 120_000)
    for usd in (112_000, 104_000, 99_000):
        venue.price(usd)
    assert venue.state.accounts.level[2] > 0
    liquidation = replace(LONGER.liquidation, call_levels_e6=())
    events = venue.must(adopt(replace(LONGER, liquidation=liquidation)))
    assert any(isinstance(e, MarginLevelChanged) for e in events)
    assert venue.state.accounts.level[2] == 0
