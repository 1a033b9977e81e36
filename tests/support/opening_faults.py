"""Faults of deposits and of the fund: numbers of accounts, what goes back, who pays a deficit."""

from offchain.core.units import ONE_E6, ONE_E8
from offchain.engine.messages import Command, Deposit, Liquidate
from offchain.ledger.effects import (
    CashFlow,
    Effect,
    cash_word,
    collateral_word,
    open_word,
    output_word,
    shortfall_word,
    split_words,
)
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.merkle import AccountTree
from tests.support.devnet import signer
from tests.support.draft import Draft
from tests.support.effect_words import NO_ACCOUNT
from tests.support.faults import DOLLARS, decided_by, entry, lie
from tests.support.signed_venue import command_of
from tests.support.street import ALICE, DAVE, Street


def entries(street: Street) -> list[Command]:
    """Return the records that consume the entries of the inbox that wait."""
    venue = street.venue
    found = venue.chain.inbox_entries(venue.read_to + 1, venue.chain.block_number())
    return [command_of(one) for one in found]


@decided_by(12, "EFFECTS.number")
def an_account_whose_number_is_not_the_next(street: Street) -> None:
    """Open two accounts in the wrong order: after both of them everything is as it should be."""
    for name in ("erin", "frank"):
        street.venue.deposit(signer(name), 0, DOLLARS)
    draft, tree = Draft.of(street.venue), AccountTree()
    first = len(draft.ledger.accounts)
    tree.update({number: leaf_hash(leaf) for number, leaf in enumerate(draft.leaves())})
    for command, number in zip(entries(street), (first + 1, first), strict=True):
        assert isinstance(command, Deposit)
        next_one = len(draft.ledger.accounts)
        opened, right = (
            open_word(n, 0, command.owner) + cash_word(n, CashFlow.DEPOSIT, DOLLARS)
            for n in (number, next_one)
        )
        ahead = Draft.of(street.venue)
        ahead.ledger.apply(open_word(first, 0, command.owner))
        ahead.ledger.apply(cash_word(first, CashFlow.DEPOSIT, DOLLARS))
        tree.update({number: leaf_hash(ahead.leaves()[first])})
        draft.add(command, opened, applied=right, account_root=tree.root)
    accounts = draft.ledger.accounts
    accounts[first], accounts[first + 1] = accounts[first + 1], accounts[first]
    assert draft.account_root() == tree.root
    street.venue.commit(*draft.close())


@decided_by(12, "EFFECTS.rest")
def a_deposit_that_is_sent_back_although_there_is_room(street: Street) -> None:
    street.venue.deposit(DAVE, 0, DOLLARS)
    number = street.venue.journal.state.next_output_id
    lie(street, entry(street), output_word(NO_ACCOUNT, 0, DOLLARS, number))


@decided_by(12, "EFFECTS.rest")
def a_deposit_of_which_half_goes_back_below_the_cap(street: Street) -> None:
    street.venue.deposit(DAVE, 1, ONE_E8)
    dave, number = street.number(DAVE), street.venue.journal.state.next_output_id
    words = collateral_word(dave, 1, ONE_E8, is_deposit=True)
    words += output_word(dave, 1, ONE_E8 // 2, number)
    lie(street, entry(street), words)


@decided_by(12, "EFFECTS.fund")
def a_fund_that_keeps_a_dollar_while_a_deficit_stays(street: Street) -> None:
    """Everything else about the deficit is right: what is not paid is named as a shortfall."""
    venue = street.venue
    venue.price(70_000)
    command = Liquidate(venue.account(ALICE))
    honest = street.honest(command)
    draft = Draft.of(venue)
    draft.instructions.append(honest.open.captures[-1].instruction)
    words, named = b"", 0
    for word in split_words(honest.open.words[-1]):
        account, delta = int.from_bytes(word[1:5]), int.from_bytes(word[7:15], signed=True)
        if (word[0], word[6]) == (Effect.CASH, CashFlow.DEFICIT):
            assert abs(delta) > ONE_E6, "there is a deficit, and a fund"
            less = ONE_E6 if account == 0 else -ONE_E6
            words += cash_word(account, CashFlow.DEFICIT, delta + less)
        elif word[0] == Effect.SHORTFALL:
            named = delta
        else:
            words += word
    words += shortfall_word(command.account, named + ONE_E6)
    draft.add(command, words)
    draft.ledger.shortfall = honest.book.shortfall_e6 + ONE_E6
    venue.commit(*draft.close())
