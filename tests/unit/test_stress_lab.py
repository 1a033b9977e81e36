"""The bench of the stress lab: conservation, books, the fund, the backstop, what is counted."""

from fractions import Fraction

import numpy as np
import pytest

from offchain.core.deleverage import Share
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, AccountId, Lots
from offchain.stress.book import (
    BACKSTOP,
    CONTRACTS,
    FIRST_TRADER,
    INSURANCE,
    SOCIALISED,
    ConservationError,
)
from offchain.stress.errors import StressChoiceError, StressDataError
from offchain.stress.impact import Depth, Market
from offchain.stress.lab import largest
from offchain.stress.policies import MAINTENANCE_E6
from offchain.stress.population import Population, draw, maker_numbers
from offchain.stress.second_look import is_wrongful, maintenance_e6
from tests.support.stress import DEEP_USD, EMPTY_USD, START, make_book, make_lab, usd

SMALL = Population(accounts=200, makers=5)


def market(depth_usd: float = 1_000_000.0, **terms: float) -> Market:
    return Market(CONTRACTS[0], Depth(**terms), depth_usd, START[0])  # type: ignore[arg-type]


def test_positions_of_a_drawn_population_sum_to_zero_and_the_seed_decides_all_of_it() -> None:
    book = draw(SMALL, START, 1)
    assert book.lots.sum(axis=0).tolist() == [0, 0]
    assert (draw(SMALL, START, 1).cash_e6 == book.cash_e6).all()
    assert (draw(SMALL, START, 2).cash_e6 != book.cash_e6).any()


def test_nobody_of_a_drawn_population_begins_near_maintenance() -> None:
    book = draw(SMALL, START, 3)
    balance, required = book.margins(START)
    traders = slice(FIRST_TRADER, maker_numbers(SMALL)[0])
    assert (balance[traders] * 10 >= required[traders] * 12).all()


def test_a_population_follows_its_stated_shares() -> None:
    book = draw(Population(accounts=4_000, long_share=0.65, hedged_share=0.15), START, 1)
    traders = book.lots[FIRST_TRADER : FIRST_TRADER + 4_000]
    held = (traders != 0).sum(axis=1)
    assert 0.12 < (held == 2).mean() < 0.18
    single = traders[held == 1].sum(axis=1)
    assert 0.62 < (single > 0).mean() < 0.68


@pytest.mark.parametrize(
    "wrong",
    [
        {"accounts": 0},
        {"makers": 0},
        {"long_share": 1.5},
        {"equity_least_usd": 0.0},
        {"equity_most_usd": 1.0},
    ],
)
def test_a_population_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"population|share|positive"):
        Population(**wrong)  # type: ignore[arg-type]


def test_a_coin_that_appears_is_noticed() -> None:
    book = make_book([(1_000, 500)])
    book.cash_e6[FIRST_TRADER] += 1
    with pytest.raises(ConservationError, match="1 USD e-6 appeared"):
        book.check()


def test_a_lot_that_appears_is_noticed() -> None:
    book = make_book([(1_000, 500)])
    book.lots[FIRST_TRADER, 1] += 1
    with pytest.raises(ConservationError, match="positions sum"):
        book.check()


def test_what_the_kernel_could_not_add_up_is_refused() -> None:
    with pytest.raises(StressChoiceError, match="31 bits of lots"):
        make_book([(1 << 31, 0)])
    with pytest.raises(StressDataError, match="31 bits"):
        make_book([(1, 0)]).margins(((1 << 31) * CONTRACTS[0].lot_divisor, START[1]))


def test_margins_are_computed_anew_after_a_change() -> None:
    book = make_book([(1_000, 500)])
    before = int(book.margins(START)[0][FIRST_TRADER])
    book.pay(FIRST_TRADER, INSURANCE, 7)
    assert int(book.margins(START)[0][FIRST_TRADER]) == before - 7


def test_selling_the_depth_moves_the_price_by_one_per_cent() -> None:
    found = market()
    filled, price = found.take(-20_000)  # 20,000 lots of 50 USD are the depth
    assert filled == -20_000
    assert found.premium == pytest.approx(-0.01)
    assert price / START[0] - 1 == pytest.approx(-0.01 * 2 / 3, abs=1e-5)


def test_pressure_is_gone_by_half_after_a_half_life() -> None:
    found = market(half_life_s=60.0)
    found.take(-20_000)
    found.tick(START[0], 60 * SECOND_NS, 60 * SECOND_NS)
    assert found.bids.usd == pytest.approx(500_000)


def test_no_lot_trades_beyond_a_limit() -> None:
    found = market()
    limit = START[0] * 995 // 1000
    filled, price = found.take(-1_000_000, limit)
    assert -1_000_000 < filled < 0
    assert price >= limit
    assert found.mark_e8 >= limit - CONTRACTS[0].tick_e8
    assert found.take(-1_000, limit)[0] >= -1


def test_a_fast_market_has_less_depth() -> None:
    quiet, fast = market(), market(fast_move=0.02, stressed_share=0.25)
    fast.tick(START[0], SECOND_NS, 0)
    fast.tick(START[0] * 97 // 100, 2 * SECOND_NS, SECOND_NS)
    quiet.take(-1_000)
    fast.take(-1_000)
    assert fast.premium == pytest.approx(quiet.premium * (0.97 / 0.25) ** 0.5, rel=1e-6)


def test_only_who_is_below_is_found_the_worst_first() -> None:
    book = make_book([(1_000, 500), (1_000, 400), (1_000, 10_000), (1_000, 100)])
    lab = make_lab(book, 49_700, DEEP_USD)
    # balances 200, 100, 9,700 and -200 against 248.5
    assert lab.below(MAINTENANCE_E6) == [FIRST_TRADER + 3, FIRST_TRADER + 1, FIRST_TRADER]


def test_an_action_on_a_healthy_account_is_counted_as_wrongful() -> None:
    lab = make_lab(make_book([(1_000, 10_000)]), 49_700, DEEP_USD)
    lab.begin(FIRST_TRADER, MAINTENANCE_E6)
    assert lab.tally.wrongful == 1


def test_an_action_on_an_account_below_is_not_wrongful() -> None:
    lab = make_lab(make_book([(1_000, 500)]), 49_700, DEEP_USD)
    lab.begin(FIRST_TRADER, MAINTENANCE_E6)
    assert lab.tally.wrongful == 0


def test_the_second_look_adds_brackets_up() -> None:
    # 5 M at 0.5 %, 15 M at 1 %, 1 M at 2.5 %
    assert maintenance_e6(Fraction(21_000_000 * ONE_E6)) == 200_000 * ONE_E6
    assert is_wrongful(0, [], MAINTENANCE_E6)
    assert not is_wrongful(-1, [], MAINTENANCE_E6)


def test_a_wait_lasts_from_the_first_moment_below_to_the_action() -> None:
    lab = make_lab(make_book([(1_000, 500)]), 49_700, DEEP_USD)
    assert list(lab.due(MAINTENANCE_E6)) == [FIRST_TRADER]
    lab.tick((49_700 * ONE_E8, START[1]), 1 + 40 * SECOND_NS)
    assert list(lab.due(MAINTENANCE_E6)) == [FIRST_TRADER]
    lab.begin(FIRST_TRADER, MAINTENANCE_E6)
    assert lab.tally.waited_ns == 40 * SECOND_NS


def test_who_is_mended_before_his_turn_is_left_alone() -> None:
    book = make_book([(1_000, 400), (1_000, 500)])
    lab = make_lab(book, 49_700, DEEP_USD)
    turns = lab.due(MAINTENANCE_E6)
    assert next(turns) == FIRST_TRADER
    book.pay(INSURANCE, FIRST_TRADER + 1, 100 * ONE_E6)
    assert list(turns) == []


def test_the_bankruptcy_price_leaves_nothing() -> None:
    lab = make_lab(make_book([(1_000, 500)]), 49_700, DEEP_USD)
    assert lab.bankruptcy_prices(FIRST_TRADER) == {0: 49_500 * ONE_E8}


def test_the_fund_pays_for_what_the_book_takes_beyond_the_bankruptcy_price() -> None:
    book = make_book([(1_000, 100)], fund_usd=1_000)
    lab = make_lab(book, 49_700, DEEP_USD)  # 200 in debt, and the book takes all of it
    paid = lab.insure(FIRST_TRADER, lab.fund_e6)
    assert not book.positions(FIRST_TRADER)
    assert usd(paid) == pytest.approx(200, abs=0.2)  # a tick of 0.1 USD for one BTC
    assert book.cash_e6[FIRST_TRADER] == 0
    assert lab.tally.insured_e6 == lab.tally.deficit_e6 == paid
    book.check()


def test_the_fund_buys_as_many_lots_as_it_can_pay_for() -> None:
    book = make_book([(1_000, 100)], fund_usd=50)  # a quarter of the debt of 200
    lab = make_lab(book, 49_700, DEEP_USD)
    lab.insure(FIRST_TRADER, lab.fund_e6)
    assert 745 <= abs(book.lots[FIRST_TRADER, 0]) <= 755
    assert usd(lab.fund_e6) < 1


def test_without_a_book_the_fund_pays_the_debt_and_the_position_stays() -> None:
    book = make_book([(1_000, 100)], fund_usd=1_000)
    lab = make_lab(book, 49_700, EMPTY_USD)
    assert lab.insure(FIRST_TRADER, lab.fund_e6) == 200 * ONE_E6
    assert book.lots[FIRST_TRADER, 0] == 1_000
    assert lab.bankruptcy_prices(FIRST_TRADER) == {0: 49_700 * ONE_E8}  # nobody loses by taking it


def test_a_fund_pays_no_more_than_it_is_allowed() -> None:
    book = make_book([(1_000, 100)], fund_usd=1_000)
    lab = make_lab(book, 49_700, EMPTY_USD)
    assert lab.insure(FIRST_TRADER, 30 * ONE_E6) == 30 * ONE_E6
    assert lab.fund_e6 == 970 * ONE_E6


def test_what_the_fund_does_not_pay_is_socialised() -> None:
    book = make_book([(0, 0)], fund_usd=30)
    lab = make_lab(book, 50_000, DEEP_USD)
    book.pay(FIRST_TRADER, BACKSTOP, 100 * ONE_E6)
    lab.settle_debt(FIRST_TRADER)
    assert book.cash_e6[FIRST_TRADER] == 0
    assert book.cash_e6[SOCIALISED] == -70 * ONE_E6
    assert (lab.tally.insured_e6, lab.tally.socialised_e6) == (30 * ONE_E6, 70 * ONE_E6)


def test_the_backstop_takes_only_what_its_bucket_holds() -> None:
    book = make_book([(1_000, 500)], backstop_usd=10_000)
    lab = make_lab(book, 49_700, EMPTY_USD)
    assert lab.to_backstop(FIRST_TRADER, 0, -1_000) == 0  # 49,700 USD, five times 10,000
    assert book.lots[BACKSTOP, 0] == 1_000
    smaller = make_lab(make_book([(1_000, 500)], backstop_usd=9_900), 49_700, EMPTY_USD)
    assert smaller.to_backstop(FIRST_TRADER, 0, -1_000) == -1_000


def test_the_backstop_takes_nothing_from_a_debtor() -> None:
    lab = make_lab(make_book([(1_000, 100)], backstop_usd=1_000_000), 49_700, EMPTY_USD)
    assert lab.to_backstop(FIRST_TRADER, 0, -1_000) == -1_000


def test_the_backstop_trades_what_it_holds_where_the_book_is_calm() -> None:
    book = make_book([(1_000, 500)], backstop_usd=10_000)
    lab = make_lab(book, 49_700, DEEP_USD)
    lab.to_backstop(FIRST_TRADER, 0, -1_000)
    lab.unwind_backstop()
    assert book.lots[BACKSTOP, 0] == 950
    book.check()


def test_overshoot_is_counted_and_conserved() -> None:
    book = make_book([(1_000, 100), (-1_500, 100_000)])
    lab = make_lab(book, 49_700, EMPTY_USD)
    whole = [Share(AccountId(FIRST_TRADER + 1), Lots(1_500))]
    left = lab.deleverage(FIRST_TRADER, 0, -1_000, 49_900 * ONE_E8, whole)
    assert left == 0
    assert (lab.tally.overshoot_lots, lab.tally.overshoot_lots_max) == (500, 500)
    assert lab.tally.deleveraged_e6 == lab.tally.deficit_e6 == 200 * ONE_E6
    book.check()


def test_a_winner_put_below_maintenance_is_counted() -> None:
    book = make_book([(1_000, 100), (-1_500, 100)])  # the short has 550 of 372.75 at 49,700
    lab = make_lab(book, 49_700, EMPTY_USD)
    lab.deleverage(
        FIRST_TRADER, 0, -1_000, 50_200 * ONE_E8, [Share(AccountId(FIRST_TRADER + 1), Lots(1_000))]
    )
    assert lab.tally.weakened == 1


def test_a_fill_is_shared_among_makers_and_conserved() -> None:
    book = make_book([(100_000, 1_000_000)], makers=4)
    lab = make_lab(book, 49_700, DEEP_USD, makers=4)
    assert lab.sell(FIRST_TRADER, 0, -100_000, None) == 0
    assert np.abs(book.lots[-4:, 0]).max() <= 1
    book.check()


@pytest.mark.parametrize(("most", "limit"), [(0, 0), (1, 0), (1, 1), (10, 7), (10, 10), (10, 0)])
def test_largest_finds_the_end_of_what_fits(most: int, limit: int) -> None:
    assert largest(most, lambda count: count <= limit) == min(most, limit)
