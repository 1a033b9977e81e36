"""Faults of effects: what a command does not justify, or nobody signed."""

from dataclasses import replace

from offchain.core.units import ONE_E6, ONE_E8, InstrumentId
from offchain.engine.messages import Liquidate, PlaceOrder, SettleExpiry, TimeInForce
from offchain.ledger.effects import (
    CashFlow,
    Effect,
    cash_word,
    collateral_word,
    output_word,
    settle_word,
    split_words,
    trade_word,
)
from tests.support.devnet import BACKSTOP, signer
from tests.support.draft import Draft
from tests.support.faults import DOLLARS, decided_by, entry, fill, lie
from tests.support.street import ALICE, BOB, BTC_PERP, BTC_WEEK, CAROL, DAVE, USD, Street
from tests.support.venue import WEEK_NS


def bought(street: Street, lots: int, usd: int, order: int, limit: int = 125_000) -> None:
    """Commit that Carol bought perpetuals from Bob."""
    command = street.venue.order(CAROL, BTC_PERP, 50, limit, TimeInForce.IMMEDIATE_OR_CANCEL)
    carol, bob = street.number(CAROL), street.number(BOB)
    lie(street, command, fill(street, carol, bob, lots, usd, order))


@decided_by(12)
def a_trade_at_another_price_than_the_orders(street: Street) -> None:
    bought(street, 50, 119_000, street.resting)


@decided_by(12)
def a_trade_beyond_the_takers_limit(street: Street) -> None:
    bought(street, 50, 121_000, street.resting, limit=120_500)


@decided_by(12)
def a_trade_of_more_than_was_ordered(street: Street) -> None:
    bought(street, 60, 121_000, street.resting)


@decided_by(12)
def a_trade_with_an_order_that_was_cancelled(street: Street) -> None:
    bought(street, 50, 121_500, street.cancelled)


@decided_by(12)
def a_trade_without_its_fee(street: Street) -> None:
    command = street.venue.order(CAROL, BTC_PERP, 50, 125_000)
    carol, bob = street.number(CAROL), street.number(BOB)
    lie(street, command, fill(street, carol, bob, 50, 121_000, street.resting, fee=False))


@decided_by(12)
def a_withdrawal_that_somebody_else_signed(street: Street) -> None:
    venue = street.venue
    right = venue.withdrawal(DAVE, 0, DOLLARS)
    venue.must(venue.signed(signer("mallory"), right))
    venue.commit_honestly()


@decided_by(12)
def a_withdrawal_that_is_done_twice(street: Street) -> None:
    bob, number = street.number(BOB), street.venue.journal.state.next_output_id
    lie(street, street.withdrawal, output_word(bob, 0, DOLLARS, number))


@decided_by(12)
def a_withdrawal_that_pays_more(street: Street) -> None:
    number = street.venue.journal.state.next_output_id
    command = street.venue.withdrawal(DAVE, 0, DOLLARS)
    lie(street, command, output_word(street.number(DAVE), 0, 2 * DOLLARS, number))


@decided_by(12)
def a_withdrawal_of_more_than_there_is(street: Street) -> None:
    number = street.venue.journal.state.next_output_id
    command = street.venue.withdrawal(DAVE, 0, 20 * DOLLARS)
    lie(street, command, output_word(street.number(DAVE), 0, 20 * DOLLARS, number))


@decided_by(12)
def a_deposit_credited_to_somebody_else(street: Street) -> None:
    street.venue.deposit(DAVE, 0, DOLLARS)
    lie(street, entry(street), cash_word(street.number(BOB), CashFlow.DEPOSIT, DOLLARS))


@decided_by(12)
def a_conversion_at_another_price(street: Street) -> None:
    carol, amount = street.number(CAROL), ONE_E8 // 100
    command = street.venue.conversion(CAROL, 1, amount)
    words = collateral_word(carol, 1, -amount, is_deposit=False)
    words += collateral_word(1, 1, amount, is_deposit=False)
    words += cash_word(carol, CashFlow.SALE, 500 * ONE_E6)
    words += cash_word(1, CashFlow.SALE, -500 * ONE_E6)
    lie(street, command, words)


@decided_by(12)
def an_instrument_that_is_settled_before_it_expires(street: Street) -> None:
    value = int(street.venue.journal.state.market.net_lot_values()[BTC_WEEK])
    lie(street, SettleExpiry(InstrumentId(BTC_WEEK)), settle_word(BTC_WEEK, value))


@decided_by(12)
def a_forced_close_beyond_the_band(street: Street) -> None:
    venue = street.venue
    venue.must(venue.order(BACKSTOP, BTC_PERP, 100, 60_000))
    order = venue.journal.state.last_seq
    venue.force(ALICE, "forceClose", 0, BTC_PERP, 100)
    alice, backstop = street.number(ALICE), street.number(BACKSTOP)
    lie(street, entry(street), fill(street, alice, backstop, -100, 60_000, order))


@decided_by(12)
def a_reduction_that_adds(street: Street) -> None:
    command = street.venue.order(ALICE, BTC_PERP, 50, 125_000, reduce_only=True)
    alice, bob = street.number(ALICE), street.number(BOB)
    lie(street, command, fill(street, alice, bob, 50, 121_000, street.resting))


@decided_by(12)
def an_order_that_is_filled_twice_over(street: Street) -> None:
    venue = street.venue
    venue.must(venue.order(CAROL, BTC_PERP, 60, 125_000, TimeInForce.IMMEDIATE_OR_CANCEL))
    bought(street, 50, 121_000, street.resting)


@decided_by(12)
def an_order_that_a_forced_cancel_took_away(street: Street) -> None:
    street.venue.force(BOB, "forceCancelAll", 0)
    street.venue.sync()
    bought(street, 50, 121_000, street.resting)


@decided_by(12)
def an_order_in_what_was_settled(street: Street) -> None:
    venue = street.venue
    venue.now = WEEK_NS
    venue.chain.set_time(venue.now)
    venue.must(venue.report(USD))
    venue.must(SettleExpiry(InstrumentId(BTC_WEEK)))
    lie(street, venue.order(CAROL, BTC_WEEK, 1, 100_000), b"")


@decided_by(12)
def a_settlement_at_another_price(street: Street) -> None:
    venue = street.venue
    venue.now = WEEK_NS
    venue.chain.set_time(venue.now)
    venue.must(venue.report(USD))
    command, draft = SettleExpiry(InstrumentId(BTC_WEEK)), Draft.of(venue)
    epoch = street.epoch(command)
    draft.add(command, settle_word(BTC_WEEK, 7 * ONE_E6), epoch_hash=draft.begin(epoch))
    venue.commit(*draft.close())


def handed_over(street: Street, value: int, penalty: int) -> None:
    """Commit that the backstop took 100 lots from Alice, who forced it."""
    street.venue.force(ALICE, "forceClose", 0, BTC_PERP, 100)
    alice = street.number(ALICE)
    words = trade_word(1, BTC_PERP, 100, 100 * value)
    words += trade_word(alice, BTC_PERP, -100, -100 * value)
    words += cash_word(alice, CashFlow.PENALTY, -penalty)
    words += cash_word(0, CashFlow.PENALTY, penalty)
    lie(street, entry(street), words)


@decided_by(12)
def a_transfer_that_is_not_at_the_mark(street: Street) -> None:
    value = int(street.venue.journal.state.market.net_lot_values()[BTC_PERP])
    handed_over(street, value - ONE_E6, ONE_E6)


@decided_by(12)
def a_penalty_that_is_too_large(street: Street) -> None:
    value = int(street.venue.journal.state.market.net_lot_values()[BTC_PERP])
    handed_over(street, value, 5_000 * ONE_E6)


@decided_by(12)
def a_trade_in_what_is_not_listed(street: Street) -> None:
    venue, unlisted = street.venue, 200
    honest = venue.order(CAROL, BTC_PERP, 50, 125_000)
    assert isinstance(honest, PlaceOrder)
    command = venue.signed(CAROL, replace(honest, instrument=InstrumentId(unlisted)))
    carol, bob = street.number(CAROL), street.number(BOB)
    words = trade_word(carol, unlisted, 50, ONE_E6)
    words += trade_word(bob, unlisted, -50, -ONE_E6, street.resting)
    lie(street, command, words)


@decided_by(12)
def a_deficit_that_pays_too_much(street: Street) -> None:
    venue = street.venue
    venue.price(70_000)
    command = Liquidate(venue.account(ALICE))
    honest = street.honest(command)
    draft = Draft.of(venue)
    draft.instructions.append(honest.open.captures[-1].instruction)
    words = b""
    for word in split_words(honest.open.words[-1]):
        account = int.from_bytes(word[1:5])
        is_deficit = (word[0], word[6]) == (Effect.CASH, CashFlow.DEFICIT)
        more = (ONE_E6 if account else -ONE_E6) if is_deficit else 0
        delta = int.from_bytes(word[7:15], signed=True) + more
        words += cash_word(account, CashFlow.DEFICIT, delta) if is_deficit else word
    assert words != honest.open.words[-1], "there is a deficit"
    draft.add(command, words)
    venue.commit(*draft.close())
