"""Each liquidation policy on books small enough to work out by hand."""

from dataclasses import replace

import pytest

from offchain.core.breaker import BreakerTerms
from offchain.core.insurance_caps import InsuranceCaps
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, RatioE6, TimestampNs, UsdE6
from offchain.stress.auction_room import TERMS, AuctionRoom
from offchain.stress.book import BACKSTOP, FIRST_TRADER, SOCIALISED, Book
from offchain.stress.crowd import Crowd, Dips, Plan, plans
from offchain.stress.lab import Lab
from offchain.stress.policies import Binary, Deleveraging, TwentyPercent
from offchain.stress.replay import POLICIES, make_policy
from offchain.stress.waterfall import BREAKER, Waterfall
from offchain.stress.winners import (
    Bankrupt,
    by_profit,
    from_a_random_start,
    from_the_front,
    keeping_maintenance,
)
from tests.support.stress import DEEP_USD, EMPTY_USD, START, make_book, make_lab, usd

LONG = FIRST_TRADER
LATER_NS = 600 * SECOND_NS


def lots_of(book: Book, account: int = LONG) -> int:
    return int(book.lots[account, 0])


def pro_rata() -> Deleveraging:
    return Deleveraging("pro_rata", "", by_profit)


def later(lab: Lab, bitcoin_usd: int, time_ns: int = LATER_NS) -> Lab:
    lab.tick((bitcoin_usd * ONE_E8, START[1]), time_ns)
    return lab


def no_auction() -> Waterfall:
    """Return a waterfall without a bidder."""
    return Waterfall(room=AuctionRoom(wants=()))


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_touches_an_account_at_its_maintenance(name: str) -> None:
    book = make_book([(1_000, 550)], fund_usd=100, backstop_usd=100_000)
    lab = make_lab(book, 49_700, DEEP_USD)  # 250 of 248.5
    make_policy(name).act(lab)
    assert lots_of(book) == 1_000
    assert lab.tally.steps == 0


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_acts_on_an_account_below(name: str) -> None:
    book = make_book([(1_000, 540)], fund_usd=100, backstop_usd=100_000)
    lab = make_lab(book, 49_700, DEEP_USD)  # 240 of 248.5
    make_policy(name).act(lab)
    assert lots_of(book) < 1_000
    assert lab.tally.wrongful == 0
    book.check()


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="no policy 'mercy'"):
        make_policy("mercy")


def test_binary_closes_everything_and_socialises_what_the_fund_lacks() -> None:
    book = make_book([(1_000, 100)], fund_usd=50)
    lab = make_lab(book, 49_700, DEEP_USD)
    Binary().act(lab)
    assert lots_of(book) == 0
    assert usd(-int(book.cash_e6[SOCIALISED])) == pytest.approx(150, abs=0.2)
    assert lab.tally.insured_e6 == 50 * ONE_E6


def test_a_fee_is_never_more_than_what_is_left() -> None:
    book = make_book([(1_000, 500)])
    lab = make_lab(book, 49_700, DEEP_USD)
    Binary().act(lab)
    assert book.cash_e6[LONG] == 0  # 200 are left, half a per cent is 248.5
    assert usd(lab.tally.fees_e6) == pytest.approx(200, abs=0.2)


def test_a_large_account_is_closed_by_fifths_half_a_minute_apart() -> None:
    book = make_book([(10_000, 5_100)])
    lab, policy = make_lab(book, 49_700, DEEP_USD), TwentyPercent()  # 2,100 of 2,485
    policy.act(lab)
    assert lots_of(book) == 8_000
    policy.act(later(lab, 49_690, 1 + 29 * SECOND_NS))
    assert lots_of(book) == 8_000
    policy.act(later(lab, 49_690, 1 + 30 * SECOND_NS))
    assert lots_of(book) == 6_400


def test_a_small_account_is_closed_whole() -> None:
    book = make_book([(1_000, 500)])
    lab = make_lab(book, 49_700, DEEP_USD)
    TwentyPercent().act(lab)
    assert lots_of(book) == 0


def test_below_two_thirds_the_backstop_takes_over_without_waiting() -> None:
    book = make_book([(10_000, 4_600)], backstop_usd=1_000_000)
    lab = make_lab(book, 49_700, DEEP_USD)  # 1,600 of 2,485
    TwentyPercent().act(lab)
    assert (lots_of(book), lots_of(book, BACKSTOP)) == (0, 10_000)


@pytest.mark.parametrize("choose", [by_profit, from_the_front, from_a_random_start])
def test_deleveraging_closes_to_the_lot_at_the_bankruptcy_price(choose: object) -> None:
    book = make_book([(1_000, 100), (-600, 100_000), (-700, 100_000)])
    lab = make_lab(book, 49_700, EMPTY_USD)
    Deleveraging("x", "", choose).act(lab)  # type: ignore[arg-type]
    assert lots_of(book) == 0
    assert book.cash_e6[LONG] == 0  # closed at 49,900, where the debt of 200 is gone
    assert lab.tally.deleveraged_e6 == 200 * ONE_E6
    assert lab.tally.overshoot_lots == 0
    assert book.cash_e6[SOCIALISED] == 0


def test_pro_rata_takes_by_profit_and_the_queue_from_its_front() -> None:
    traders = [(1_000, 100), (-600, 50_000), (-1_800, 100_000)]
    shared, queued = make_book(traders, makers=1), make_book(traders, makers=1)
    pro_rata().act(make_lab(shared, 49_700, EMPTY_USD, makers=1))
    assert (lots_of(shared, LONG + 1), lots_of(shared, LONG + 2)) == (-350, -1_050)
    Deleveraging("x", "", from_the_front).act(make_lab(queued, 49_700, EMPTY_USD, makers=1))
    # leverage 29,820 / 50,180 before 89,460 / 100,540: the second stands in front
    assert (lots_of(queued, LONG + 1), lots_of(queued, LONG + 2)) == (-600, -800)


def test_a_random_start_asks_whoever_comes_and_repeats_with_its_seed() -> None:
    traders = [(1_000, 100), *[(-300, 100_000)] * 10]
    found = []
    for _ in range(2):
        book = make_book(traders)
        Deleveraging("x", "", from_a_random_start).act(make_lab(book, 49_700, EMPTY_USD))
        found.append(book.lots[:, 0].tolist())
    assert found[0] == found[1]
    assert sorted(found[0][LONG + 1 : LONG + 11]).count(-300) <= 7


def test_deleveraging_costs_winners_nothing_while_the_fund_lasts() -> None:
    book = make_book([(1_000, 100), (-1_300, 100_000)], fund_usd=1_000)
    lab = make_lab(book, 49_700, EMPTY_USD)
    pro_rata().act(lab)
    assert lab.tally.insured_e6 == 200 * ONE_E6
    assert lab.tally.deleveraged_e6 == 0
    assert lots_of(book) == 0


def test_the_waterfall_takes_the_smallest_step_that_restores_the_target() -> None:
    book = make_book([(1_000, 540)])
    lab = make_lab(book, 49_700, DEEP_USD)  # 240 of 248.5
    Waterfall().act(lab)
    # the least n with 240 >= 1.15 x 0.005 x 49.7 x (1,000 - n): 840 lots may stay, not 841
    closed = 1_000 - lots_of(book)
    fewest = next(n for n in range(1_000) if 1.15 * 0.005 * 49.7 * (1_000 - n) <= 240)
    assert closed == fewest
    assert lab.tally.closed_whole == set()


def test_a_partial_step_never_lowers_the_ratio() -> None:
    book = make_book([(1_000, 460)])
    lab = make_lab(book, 49_700, 50_000.0)  # 160 of 248.5, on a book that gives way
    before = book.margin(LONG, lab.marks)
    Waterfall().act(lab)
    now = book.margin(LONG, (49_700 * ONE_E8, START[1]))
    assert now[0] * before[1] >= before[0] * now[1]


def test_below_the_full_trigger_the_waterfall_closes_everything() -> None:
    book = make_book([(1_000, 440)])
    lab = make_lab(book, 49_700, DEEP_USD)  # 140 of 248.5
    Waterfall().act(lab)
    assert lots_of(book) == 0
    assert lab.tally.closed_whole == {LONG}


def test_what_the_book_does_not_take_goes_to_the_backstop() -> None:
    book = make_book([(1_000, 440)], backstop_usd=100_000)
    lab = make_lab(book, 49_700, EMPTY_USD)
    Waterfall().act(lab)
    assert (lots_of(book), lots_of(book, BACKSTOP)) == (0, 1_000)


def test_without_a_backstop_makers_bid_when_the_discount_contents_them() -> None:
    book = make_book([(1_000, 440)])
    lab, policy = make_lab(book, 49_700, EMPTY_USD), Waterfall()
    policy.room.wants = [(1_000, book.count - 1)]  # one maker, who wants 0.1 %
    policy.act(lab)
    assert lots_of(book) == 1_000  # 5 % of 140 are no 49.7
    policy.act(later(lab, 49_700, 1 + 70 * SECOND_NS))  # now 56 % are off
    # a share s leaves 140 (1 - 0.5625 s) of 248.5 (1 - s), which is 1.15 where s is 0.704
    assert lots_of(book) == 295
    assert lab.tally.auctioned_e6 == 705 * 49_700_000
    assert lab.tally.deficit_e6 == 0
    balance, required = book.margin(LONG, lab.marks)
    assert balance * 100 >= required * 115
    book.check()


def test_a_debt_is_auctioned_at_once_and_the_fund_pays_the_bidder() -> None:
    book = make_book([(1_000, 290)], fund_usd=1_000)  # 10 in debt
    lab, policy = make_lab(book, 49_700, EMPTY_USD), Waterfall()
    policy.room.wants = [(200, book.count - 1)]  # one maker, who wants 0.02 %
    policy.act(lab)
    assert lots_of(book) == 0
    assert usd(lab.tally.insured_e6) == pytest.approx(10 + 9.94)  # and no cent of the bonus more
    assert lab.tally.deleveraged_fills == 0


def test_an_unsold_account_goes_on_to_deleveraging() -> None:
    book = make_book([(1_000, 440)])
    lab, policy = make_lab(book, 49_700, EMPTY_USD), no_auction()
    policy.act(lab)
    assert lots_of(book) == 1_000
    policy.act(later(lab, 49_700, 1 + TERMS.fast_ns + TERMS.slow_ns))
    assert lots_of(book) == 0
    assert lab.tally.deleveraged_fills > 0


def test_the_fund_pays_no_more_than_its_hourly_cap() -> None:
    book = make_book([(1_000, 100), (1_000, 100)], fund_usd=100_000)
    caps = InsuranceCaps(UsdE6(250 * ONE_E6), RatioE6(ONE_E6))
    lab, policy = make_lab(book, 49_700, EMPTY_USD), replace(no_auction(), caps=caps)
    policy.act(lab)
    assert lab.tally.insured_e6 == 250 * ONE_E6
    assert lab.tally.deleveraged_e6 == 150 * ONE_E6


def test_nobody_falls_below_maintenance_through_deleveraging() -> None:
    # closed at 49,990 a lot costs a short 0.29 and releases 0.2485: 155 of 149.1 carry 142 lots
    thin, stout = (-600, -25), (-1_000, 100_000)
    book = make_book([(1_000, 10), thin, stout], makers=1)
    lab = make_lab(book, 49_700, EMPTY_USD, makers=1)
    no_auction().act(lab)
    assert lab.tally.weakened == 0
    assert lots_of(book) == 0
    assert (lots_of(book, LONG + 1), lots_of(book, LONG + 2)) == (142 - 600, 858 - 1_000)
    again = make_book([(1_000, 10), thin, stout], makers=1)
    other = make_lab(again, 49_700, EMPTY_USD, makers=1)
    pro_rata().act(other)
    assert other.tally.weakened == 1


def test_where_winners_cannot_carry_it_everybody_is_asked() -> None:
    # closed at 49,990 only the first short wins anything: 259 of 248.5 carry 253 lots
    book = make_book([(1_000, 10), (-1_000, -41), (-1_000, 100_000)], makers=1)
    place, loser = 0, LONG + 2
    book.cost_e6[loser, place] += 100 * ONE_E6  # entered at 49,900
    book.cash_e6[loser] += 100 * ONE_E6
    lab = make_lab(book, 49_700, EMPTY_USD, makers=1)
    no_auction().act(lab)
    assert lots_of(book) == 0
    assert (lots_of(book, LONG + 1), lots_of(book, loser)) == (-747, -253)
    assert lab.tally.weakened == 0


def test_without_a_winner_the_others_close() -> None:
    book = make_book([(1_000, 0), (-600, 100_000), (-600, 100_000)])
    lab = make_lab(book, 49_700, EMPTY_USD)
    pro_rata().act(lab)  # at 50,000, where nobody wins
    assert lots_of(book) == 0
    assert (lots_of(book, LONG + 1), lots_of(book, LONG + 2)) == (-100, -100)


def test_a_bidder_whom_the_fund_cannot_pay_does_not_bid() -> None:
    book = make_book([(1_000, 290)], fund_usd=5)  # 10 in debt, and 9.94 are wanted on top
    lab, policy = make_lab(book, 49_700, EMPTY_USD), Waterfall()
    policy.room.wants = [(200, book.count - 1)]
    policy.act(lab)
    assert lab.tally.auctioned_e6 == 0
    assert lab.tally.deleveraged_fills > 0
    assert lab.tally.insured_e6 == 5 * ONE_E6 // 2  # half of the fund within an hour


def test_a_maker_carries_no_more_than_twice_his_balance() -> None:
    book = make_book([(1_000, 290), (-1_000, 10_000_000)], fund_usd=1_000)
    maker, other = book.count - 1, book.count - 2
    book.pay(maker, other, int(book.cash_e6[maker]) - 10_000 * ONE_E6)
    lab, policy = make_lab(book, 49_700, EMPTY_USD), Waterfall()
    policy.room.wants = [(200, maker)]
    policy.act(lab)
    assert 395 <= lots_of(book, maker) <= 402  # 20,000 USD
    assert lots_of(book) == 0


def test_permuting_the_winners_changes_no_share() -> None:
    traders = [(-300, 90_000), (-500, 70_000), (-450, 60_000)]
    found = []
    for order in ((0, 1, 2), (2, 0, 1)):
        book = make_book([(1_000, 100), *(traders[i] for i in order)])
        lab = make_lab(book, 49_700, EMPTY_USD)
        shares = keeping_maintenance(lab, Bankrupt(0, 1_000, -1, 49_900 * ONE_E8))
        by_size = {int(book.lots[s.account, 0]): s.lots for s in shares}
        found.append({size: by_size[size] for size, _ in traders})
    assert found[0] == found[1]


def test_plans_of_the_crowd_follow_the_seed_and_the_share() -> None:
    drawn = plans(Dips(share=0.5), range(1_000), 1)
    assert drawn == plans(Dips(share=0.5), range(1_000), 1)
    assert 440 < len(drawn) < 560
    assert all(30_000 <= plan.fall_e6 <= 200_000 for plan in drawn)


@pytest.mark.parametrize(("terms", "bought"), [(None, True), (BREAKER, False)])
def test_a_breaker_refuses_who_buys_the_dip(terms: BreakerTerms | None, *, bought: bool) -> None:
    book = make_book([(100, 10_000)])
    lab = make_lab(book, 50_000, DEEP_USD)
    crowd = Crowd(Dips(leverage=5.0), [Plan(40_000, LONG, 0)], terms)
    crowd.act(lab)
    crowd.act(later(lab, 47_500, 20 * SECOND_NS))  # 5 % within 20 s
    assert (lots_of(book) > 100) is bought
    assert lab.tally.refused == int(not bought)
    assert crowd.plans == []


def test_a_buyer_without_the_initial_margin_does_not_buy() -> None:
    book = make_book([(100, 10_000)])
    lab = make_lab(book, 50_000, DEEP_USD)
    Crowd(Dips(leverage=101.0), [Plan(0, LONG, 0)], None).act(lab)
    assert lots_of(book) == 100


def test_a_breaker_that_has_cooled_down_lets_them_buy_again() -> None:
    terms = replace(BREAKER, cool_ns=TimestampNs(100 * SECOND_NS))
    book = make_book([(100, 10_000)])
    lab = make_lab(book, 50_000, DEEP_USD)
    crowd = Crowd(Dips(leverage=5.0), [Plan(60_000, LONG, 0)], terms)
    crowd.act(lab)
    crowd.act(later(lab, 47_500, 20 * SECOND_NS))
    assert crowd.halted_steps == 1
    crowd.act(later(lab, 47_000, 900 * SECOND_NS))
    assert lots_of(book) > 100
