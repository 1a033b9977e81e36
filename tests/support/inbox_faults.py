"""Faults about entries of the inbox: skipped, altered, or answered wrongly."""

from dataclasses import replace

from offchain.core.units import SECOND_NS
from offchain.engine.messages import Deposit
from offchain.ledger.effects import CashFlow, cash_word, noop_word, trade_word
from tests.support.effect_words import NO_ACCOUNT
from tests.support.faults import DOLLARS, decided_by, entry, lie
from tests.support.signed_venue import command_of
from tests.support.street import ALICE, BOB, BTC_PERP, DAVE, Street

UNKNOWN, NOTHING_FREE, NOTHING_TO_CLOSE, NOT_LISTED = 1, 2, 4, 7
ALL = 2**128 - 1


@decided_by(4)
def a_deposit_of_twice_the_amount(street: Street) -> None:
    street.venue.deposit(DAVE, 0, DOLLARS)
    true = entry(street)
    assert isinstance(true, Deposit)
    false = replace(true, amount=2 * DOLLARS)
    lie(street, false, street.words(false))


@decided_by(4)
def an_entry_that_is_skipped(street: Street) -> None:
    venue = street.venue
    venue.deposit(DAVE, 0, DOLLARS)
    venue.deposit(BOB, 0, DOLLARS)
    entries = venue.chain.inbox_entries(venue.read_to + 1, venue.chain.block_number())
    second = command_of(entries[1])
    number = street.number(BOB)
    lie(street, second, cash_word(number, CashFlow.DEPOSIT, DOLLARS))


@decided_by(4)
def a_forced_withdrawal_of_a_quiet_account_that_gets_nothing(street: Street) -> None:
    street.venue.force(DAVE, "forceWithdraw", 0, 0, ALL)
    lie(street, entry(street), noop_word(street.number(DAVE), NOTHING_FREE))


@decided_by(4)
def a_forced_operation_of_an_owner_who_is_not_known(street: Street) -> None:
    street.venue.force(ALICE, "forceClose", 0, BTC_PERP, 0)
    lie(street, entry(street), noop_word(NO_ACCOUNT, UNKNOWN))


@decided_by(4)
def a_key_that_is_not_granted(street: Street) -> None:
    expires = street.venue.now // SECOND_NS + 86_400
    street.venue.force(DAVE, "grantKey", "0x" + "77" * 20, expires)
    lie(street, entry(street), noop_word(street.number(DAVE), NOTHING_FREE))


@decided_by(4)
def a_close_of_somebody_elses_position(street: Street) -> None:
    street.venue.force(ALICE, "forceClose", 0, BTC_PERP, 100)
    value = int(street.venue.journal.state.market.net_lot_values()[BTC_PERP])
    words = trade_word(1, BTC_PERP, -100, -100 * value)
    words += trade_word(street.number(BOB), BTC_PERP, 100, 100 * value)
    lie(street, entry(street), words)


@decided_by(4)
def a_close_of_what_is_said_not_to_be_listed(street: Street) -> None:
    street.venue.force(ALICE, "forceClose", 0, BTC_PERP, 100)
    lie(street, entry(street), noop_word(NO_ACCOUNT, NOT_LISTED))


@decided_by(4)
def a_close_for_want_of_a_position_that_is_there(street: Street) -> None:
    street.venue.force(ALICE, "forceClose", 0, BTC_PERP, 100)
    lie(street, entry(street), noop_word(street.number(ALICE), NOTHING_TO_CLOSE))
