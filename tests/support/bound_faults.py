"""Faults of bounds: funding, penalties, and what accounts cannot afford."""

from offchain.core.units import ONE_E6
from offchain.engine.messages import FundingTick, Liquidate
from offchain.ledger.effects import CashFlow, Effect, cash_word, output_word, split_words
from tests.support.adoption import adopt, dearer
from tests.support.draft import Draft
from tests.support.faults import decided_by, fall, fill, lie
from tests.support.signed_venue import verified
from tests.support.street import ALICE, BOB, BTC_PERP, CAROL, DAVE, Street


@decided_by(12)
def a_penalty_of_a_liquidation_that_is_too_large(street: Street) -> None:
    command = fall(street)
    honest = street.honest(command)
    draft = Draft.of(street.venue)
    draft.instructions.append(honest.open.captures[-1].instruction)
    words = b""
    for word in split_words(honest.open.words[-1]):
        account = int.from_bytes(word[1:5])
        is_penalty = (word[0], word[6]) == (Effect.CASH, CashFlow.PENALTY)
        more = 10_000 * ONE_E6 * (1 if account == 0 else -1)
        delta = int.from_bytes(word[7:15], signed=True) + more
        words += cash_word(account, CashFlow.PENALTY, delta) if is_penalty else word
    assert words != honest.open.words[-1], "there is a penalty"
    draft.add(command, words)
    street.venue.commit(*draft.close())


@decided_by(12)
def funding_that_nobody_ticked(street: Street) -> None:
    """Long lots lose five dollars each to short ones; a liquidation shows the values."""
    venue = street.venue
    for usd in (115_000, 110_000):
        venue.price(usd)
    venue.journal.state.market.funding_e6[BTC_PERP] += 5 * ONE_E6
    venue.price(109_000)
    venue.must(Liquidate(venue.account(ALICE)))
    verified(venue, venue.commit_honestly())


@decided_by(12)
def collateral_that_counts_for_next_to_nothing(street: Street) -> None:
    """Carol is liquidated for it, which shows the column."""
    venue = street.venue
    venue.price(121_000)
    venue.trade(CAROL, BOB, BTC_PERP, 2_400, 121_000)
    market = venue.journal.state.market
    market.curves = tuple(
        tuple((upto, price // 1_000) for upto, price in curve) for curve in market.curves
    )
    venue.must(FundingTick())
    venue.must(Liquidate(venue.account(CAROL)))
    verified(venue, venue.commit_honestly())


@decided_by(12)
def a_set_that_no_contract_knows(street: Street) -> None:
    lie(street, adopt(dearer(street.venue.rules)), b"")


@decided_by(12)
def a_withdrawal_that_leaves_a_position_without_margin(street: Street) -> None:
    amount = 49_000 * ONE_E6
    command = street.venue.withdrawal(ALICE, 0, amount)
    number = street.venue.journal.open.last_step.outputs + 1
    lie(street, command, output_word(street.number(ALICE), 0, amount, number))


@decided_by(12)
def an_order_that_its_owner_cannot_afford(street: Street) -> None:
    venue = street.venue
    venue.must(venue.order(BOB, BTC_PERP, -3_000, 120_500))
    order = venue.journal.state.last_seq
    command = venue.order(DAVE, BTC_PERP, 3_000, 121_000)
    dave, bob = street.number(DAVE), street.number(BOB)
    lie(street, command, fill(street, dave, bob, 3_000, 120_500, order))


@decided_by(12)
def a_maker_who_is_ruined_by_an_order_of_before(street: Street) -> None:
    venue = street.venue
    venue.must(venue.order(DAVE, BTC_PERP, 300, 119_000))
    order = venue.journal.state.last_seq
    for usd in range(115_000, 75_000, -5_000):
        venue.price(usd)
    command = venue.order(BOB, BTC_PERP, -300, 110_000)
    bob, dave = street.number(BOB), street.number(DAVE)
    lie(street, command, fill(street, bob, dave, -300, 119_000, order))
