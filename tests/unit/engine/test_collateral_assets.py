"""Many collateral assets: caps (SOL-2), credit, conversion (SOL-3), withdrawal and sale."""

from dataclasses import replace

import pytest

from offchain.core.model_parameters import Bracket
from offchain.core.units import ONE_E6, ONE_E8, RatioE6
from offchain.engine.commands.deposit import DEPOSIT_LIMIT
from offchain.engine.events import (
    CollateralSold,
    DeficitCovered,
    Deposited,
    ForcedNoop,
    NoopReason,
    Withdrawn,
)
from offchain.engine.messages import Deposit
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.withdrawal import withdrawable
from tests.support.venue import BTC_PERP, ENTRY_TIME_S, RULES, Venue, feed_values

USD = ONE_E6
WBTC, WETH = RULES.collateral


def small_brackets() -> Venue:
    """Return a venue where the second coin counts for half, and a third for nothing."""
    steps = (Bracket(ONE_E8, RatioE6(ONE_E6)), Bracket(2 * ONE_E8, RatioE6(500_000)))
    rules = replace(RULES, collateral=(replace(WBTC, brackets=steps), WETH))
    venue = Venue(rules)
    venue.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    return venue


@pytest.fixture
def venue() -> Venue:
    v = Venue()
    v.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    v.deposit(10, 50_000, btc=1, eth=10)
    v.deposit(11, 5_000_000)
    v.price(120_000, 4_000)
    return v


def test_every_asset_counts_in_full_in_equity_and_less_its_haircut_in_the_balance(
    venue: Venue,
) -> None:
    margin = account_margin(venue.state, 2)
    assert margin.equity_e6 == (50_000 + 120_000 + 40_000) * USD
    assert margin.margin_balance_e6 == (50_000 + 114_000 + 36_000) * USD  # 5 % and 10 % off


def test_a_holding_counts_by_brackets_and_that_of_the_backstop_does_not() -> None:
    venue = small_brackets()
    trader = venue.deposit(10, btc=3)
    backstop = venue.deposit(int(RULES.backstop_owner, 16), btc=3)
    venue.price(100_000)
    assert account_margin(venue.state, trader).margin_balance_e6 == (95_000 + 50_000) * USD
    assert account_margin(venue.state, backstop).margin_balance_e6 == 5_285_000 * USD


def test_what_the_cap_keeps_out_goes_back_to_its_owner_at_once() -> None:
    cap = 5 * ONE_E8
    venue = Venue(replace(RULES, collateral=(replace(WBTC, cap_e8=cap), WETH)))
    venue.deposit(10, btc=3)
    assert not any(isinstance(e, Withdrawn) for e in venue.events)
    trader = venue.deposit(11, btc=4)
    deposited, bounced = venue.events[-2:]
    assert isinstance(deposited, Deposited)
    assert isinstance(bounced, Withdrawn)
    assert (deposited.amount, bounced.amount) == (4 * ONE_E8, 2 * ONE_E8)
    assert bounced.owner == venue.state.accounts.owner[trader]
    assert venue.state.accounts.collateral[trader].tolist() == [2 * ONE_E8, 0]
    venue.deposit(12, btc=1)  # full: all of it goes back, and the inbox moves on
    assert venue.state.accounts.collateral[4].tolist() == [0, 0]
    assert venue.state.inbox_cursor == 3
    assert venue.state.next_output_id == 3
    venue.deposit(12, eth=1)  # a cap is of one asset
    assert venue.state.accounts.collateral[4].tolist() == [0, ONE_E8]
    assert venue.conserved()


def test_the_insurance_fund_takes_cash_alone_since_it_could_never_sell_anything_else() -> None:
    venue = Venue()
    venue.deposit(int(RULES.insurance_owner, 16), 100, btc=1)
    back = venue.events[-1]
    assert isinstance(back, Withdrawn)
    assert (back.asset, back.amount) == (1, ONE_E8)
    assert venue.state.accounts.collateral[0].tolist() == [0, 0]
    assert int(venue.state.accounts.cash[0]) == 100 * USD
    assert venue.conserved()


def test_a_conversion_sells_to_the_backstop_at_the_price_after_the_haircut(venue: Venue) -> None:
    before = account_margin(venue.state, 1).margin_balance_e6
    events = venue.must(venue.convert(2, 1, 0.5, 57_000))
    sold = events[-1]
    assert isinstance(sold, CollateralSold)
    assert (sold.asset, sold.amount, sold.cash_e6) == (1, ONE_E8 // 2, 57_000 * USD)
    assert (sold.seller, sold.buyer) == (2, 1)
    assert int(venue.state.accounts.cash[2]) == 107_000 * USD
    assert account_margin(venue.state, 1).margin_balance_e6 == before
    assert venue.conserved()


def test_a_conversion_below_its_minimum_is_refused_with_the_numbers(venue: Venue) -> None:
    decision = venue.do(venue.convert(2, 1, 0.5, 57_000.000001))
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.BELOW_MINIMUM
    assert dict(decision.numbers) == {
        "cash_e6": 57_000 * USD,
        "minimum_e6": 57_000 * USD + 1,
    }


@pytest.mark.parametrize(
    ("account", "asset", "coins", "reason"),
    [
        (2, 0, 1, Reason.BAD_ASSET),
        (2, 3, 1, Reason.BAD_ASSET),
        (2, 1, 0, Reason.BAD_AMOUNT),
        (2, 1, 1.00000001, Reason.BAD_AMOUNT),
        (3, 1, 1, Reason.BAD_AMOUNT),
        (1, 1, 1, Reason.RESERVED_ACCOUNT),
        (0, 1, 1, Reason.RESERVED_ACCOUNT),
        (9, 1, 1, Reason.UNKNOWN_ACCOUNT),
    ],
)
def test_a_malformed_conversion_is_refused(
    venue: Venue, account: int, asset: int, coins: float, reason: Reason
) -> None:
    assert venue.refuses(venue.convert(account, asset, coins)) is reason


def test_a_grain_that_is_worth_nothing_is_not_sold(venue: Venue) -> None:
    tiny = (1, *feed_values(120_000)[1:])
    for _ in range(2):
        venue.must(venue.report(*tiny))
    assert venue.refuses(venue.convert(2, 1, 1)) is Reason.BELOW_MINIMUM


def test_the_backstop_buys_as_long_as_its_own_margin_is_covered(venue: Venue) -> None:
    venue.trade(1, 3, BTC_PERP, 1_000, 120_000)
    venue.state.accounts.add_cash(1, -4_985_000 * USD)
    venue.state.accounts.add_cash(3, 4_985_000 * USD)
    decision = venue.do(venue.convert(2, 1, 0.1))
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.BACKSTOP_FULL
    assert dict(decision.numbers)["initial_margin_e6"] == 20_436 * USD


def test_a_conversion_needs_fresh_and_confirmed_prices(venue: Venue) -> None:
    venue.must(venue.report(*feed_values(80_000)))
    assert venue.refuses(venue.convert(2, 1, 0.1)) is Reason.STALE_PRICES
    venue.must(venue.report(*feed_values(120_000)))
    venue.now += 601 * 10**9
    assert venue.refuses(venue.convert(2, 1, 0.1)) is Reason.STALE_PRICES


def test_a_conversion_counts_once(venue: Venue) -> None:
    command = venue.convert(2, 1, 0.1)
    venue.must(command)
    assert venue.refuses(command) is Reason.NONCE_USED


def test_unwinding_a_concentration_improves_an_account_under_initial_margin() -> None:
    venue = small_brackets()
    trader, other = venue.deposit(10, btc=2), venue.deposit(11, 5_000_000)
    venue.price(100_000)
    venue.trade(trader, other, BTC_PERP, 8_000, 100_000)
    venue.price(97_500)
    before = account_margin(venue.state, trader)
    assert before.margin_balance_e6 < before.initial_e6
    venue.must(venue.convert(trader, 1, 1))
    after = account_margin(venue.state, trader)
    assert after.margin_balance_e6 > before.margin_balance_e6
    assert after.initial_e6 == before.initial_e6


def test_a_conversion_may_not_cost_an_account_under_initial_margin_even_a_millionth() -> None:
    venue = Venue()
    venue.fund(backstop_usd=5_000_000)
    trader, other = venue.deposit(10, 20_000, eth=1), venue.deposit(11, 5_000_000)
    venue.price(120_000, 4_300)
    venue.trade(trader, other, BTC_PERP, 1_000, 120_000)
    # A unit of 1e-8 is worth 38.7 millionths: it brings 38, and what is left counts 39 less.
    one = replace(venue.convert(trader, 2, 1), amount=1)
    margin = account_margin(venue.state, trader)
    venue.grant(trader, margin.initial_e6 - margin.margin_balance_e6)
    assert venue.refuses(one) is Reason.INSUFFICIENT_MARGIN
    ten = replace(venue.convert(trader, 2, 1), amount=10)
    venue.must(ten)  # 387 exactly
    venue.grant(trader, 1)
    venue.must(replace(one, nonce=10**9))


def test_collateral_above_its_brackets_leaves_freely_and_below_only_what_is_spare() -> None:
    venue = small_brackets()
    trader, other = venue.deposit(10, btc=5), venue.deposit(11, 5_000_000)
    venue.price(100_000)
    venue.trade(trader, other, BTC_PERP, 7_000, 100_000)
    most = withdrawable(venue.state, trader, 1)
    assert most >= 3 * ONE_E8
    left = account_margin(venue.state, trader)
    spare = left.margin_balance_e6 - left.initial_e6
    below = most - 3 * ONE_E8  # each counts for half of 100,000
    assert below * 50_000 // 100 <= spare < (below + 1) * 50_000 // 100 + 1
    assert (
        venue.refuses(replace(venue.withdraw(trader, btc=1), amount=most + 1))
        is Reason.NOT_WITHDRAWABLE
    )
    venue.must(replace(venue.withdraw(trader, btc=1), amount=most))
    after = account_margin(venue.state, trader)
    assert after.margin_balance_e6 >= after.initial_e6


def test_a_venue_without_collateral_takes_cash_alone() -> None:
    venue = Venue(replace(RULES, collateral=()))
    account = venue.deposit(10, 100)
    owner = venue.state.accounts.owner[account]
    other = Deposit(venue.state.inbox_cursor + 1, ENTRY_TIME_S, owner, 0, 1, 1)
    (answer,) = venue.must(other)
    assert isinstance(answer, ForcedNoop)
    assert answer.reason is NoopReason.NOT_LISTED
    assert venue.refuses(venue.withdraw(account, btc=1)) is Reason.BAD_ASSET
    venue.price(120_000)
    assert account_margin(venue.state, account).margin_balance_e6 == 100 * USD
    venue.must(venue.withdraw(account, usd=100))


def test_a_debt_sells_asset_after_asset_as_far_as_it_needs(venue: Venue) -> None:
    venue.state.accounts.add_cash(2, -180_000 * USD)
    venue.state.accounts.add_cash(3, 180_000 * USD)  # a debt of 130,000 against 150,000
    venue.state.accounts.add_cash(2, -25_000 * USD)
    venue.state.accounts.add_cash(3, 25_000 * USD)  # now of 155,000
    events = venue.liquidate(2)
    assert not isinstance(events, Rejected)
    sales = [e for e in events if isinstance(e, CollateralSold)]
    assert [(s.asset, s.amount, s.cash_e6) for s in sales] == [
        (1, ONE_E8, 114_000 * USD),
        (2, 10 * ONE_E8, 36_000 * USD),
    ]
    (covered,) = (e for e in events if isinstance(e, DeficitCovered))
    assert covered.paid_e6 == 5_000 * USD
    assert venue.conserved()


def test_a_jump_raises_the_haircut_of_its_asset_alone_and_calm_lowers_it_slowly(
    venue: Venue,
) -> None:
    venue.price(108_000, 4_000)
    first, second = (h.haircut_e6 for h in venue.state.market.haircuts)
    assert first > WBTC.haircut_floor_e6
    assert second == WETH.haircut_floor_e6
    for _ in range(24):
        venue.price(108_000, 4_000, step_s=3_600)
    later = venue.state.market.haircuts[0].haircut_e6
    assert first - WBTC.ratchet_e6 <= later < first


def test_the_backstop_buys_with_its_own_money_and_never_with_that_of_others() -> None:
    venue = Venue()
    venue.fund(backstop_usd=100_000)
    trader = venue.deposit(10, btc=10)
    saver = venue.deposit(11, 1_000_000)
    venue.price(100_000)
    decision = venue.do(venue.convert(trader, 1, 2))  # 190,000 for 100,000 in hand
    assert isinstance(decision, Rejected)
    assert decision.reason is Reason.BACKSTOP_FULL
    assert dict(decision.numbers) == {"cash_e6": 190_000 * USD, "free_cash_e6": 100_000 * USD}
    venue.must(venue.convert(trader, 1, 1))
    assert int(venue.state.accounts.cash[1]) == 5_000 * USD
    venue.must(venue.withdraw(trader, 95_000))
    cash = venue.state.accounts.cash
    assert int(cash[saver]) <= sum(cash[: venue.state.accounts.count].tolist())


def test_the_backstop_keeps_cash_for_its_unrealised_losses() -> None:
    venue = Venue()
    venue.fund(backstop_usd=100_000)
    trader, other = venue.deposit(10, btc=2), venue.deposit(11, 1_000_000)
    venue.price(100_000)
    venue.trade(1, other, BTC_PERP, 100, 100_000)
    venue.price(96_000)  # 400 and a fee of 3 below its cost
    spent = venue.do(venue.convert(trader, 1, 1.2))  # 101,780
    assert isinstance(spent, Rejected)
    assert dict(spent.numbers)["free_cash_e6"] == (100_000 - 3 - 400) * USD


def test_what_came_in_and_went_out_again_does_not_fill_the_inbox(venue: Venue) -> None:
    owner = venue.state.accounts.owner[2]
    for _ in range(5):  # all but what is held already comes back at once
        venue.must(
            Deposit(venue.state.inbox_cursor + 1, ENTRY_TIME_S, owner, 0, 1, DEPOSIT_LIMIT // 2)
        )
    assert venue.state.flows.deposited[1] > 2 * DEPOSIT_LIMIT
    assert venue.conserved()
