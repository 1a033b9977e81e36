"""Faults of a set that lists more assets: the word, and what it does to leaves and book."""

from dataclasses import replace

from offchain.engine.messages import Adopt
from offchain.ledger.effects import assets_word, collateral_word
from offchain.ledger.leaf import AccountLeaf
from offchain.ledger.trace import book_hash
from tests.support.adoption import adopt, tighter, with_asset
from tests.support.draft import Draft
from tests.support.faults import decided_by, lie
from tests.support.governed import execute, governor_of, new_token, propose_asset
from tests.support.signed_venue import SignedVenue
from tests.support.street import BOB, Street

NEW = 3
WORD = assets_word(NEW)


def governed(venue: SignedVenue) -> Adopt:
    """Let governance list an asset more; return what follows it."""
    proposer, longer = governor_of(venue.anvil), with_asset(venue.rules)
    token = new_token(venue.anvil, longer.collateral[-1].symbol)
    proposal = propose_asset(venue.chain, proposer, token, longer)
    venue.wait(int(venue.chain.call("PlimsollTimelock", "getMinDelay")) + 1)
    execute(venue.chain, proposer, proposal)
    return adopt(longer)


def drafted(street: Street, command: Adopt) -> Draft:
    """Return a batch without records that a set begins; all else follows as it should."""
    draft = Draft.of(street.venue)
    draft.honest = street.honest(command)
    draft.epochs = []
    return draft


def adopting(
    street: Street, command: Adopt, words: bytes, applied: bytes | None = None, **says: bytes
) -> None:
    """Commit a batch of one record that adopts a set with these effects."""
    draft = drafted(street, command)
    epoch = draft.honest.epoch
    assert epoch is not None
    draft.add(command, words, applied=applied, epoch_hash=draft.begin(epoch), **says)
    street.venue.commit(*draft.close())


@decided_by(7)
def more_assets_without_the_word(street: Street) -> None:
    adopting(street, governed(street.venue), b"")


@decided_by(7)
def a_word_of_more_assets_than_the_set_lists(street: Street) -> None:
    adopting(street, governed(street.venue), assets_word(NEW + 1))


@decided_by(11)
def longer_leaves_and_book_without_the_word(street: Street) -> None:
    adopting(street, governed(street.venue), b"", applied=WORD)


@decided_by(7)
def a_word_for_a_set_that_lists_no_more(street: Street) -> None:
    venue = street.venue
    laid = tighter(venue.rules)
    venue.chain.send(
        governor_of(venue.anvil),
        "RiskParameters",
        "tighten",
        tuple(getattr(laid, name) for name in laid.__slots__),
    )
    adopting(street, Adopt(laid, venue.rules), WORD)


@decided_by(7)
def a_book_that_is_not_longer(street: Street) -> None:
    before = book_hash(street.venue.journal.book)
    adopting(street, governed(street.venue), WORD, book_hash=before)


@decided_by(12)
def two_words_of_assets(street: Street) -> None:
    adopting(street, governed(street.venue), WORD + assets_word(NEW + 1))


@decided_by(12)
def a_word_of_assets_in_another_command(street: Street) -> None:
    venue = street.venue
    lie(street, venue.cancel(BOB, street.resting), WORD)


@decided_by(3)
def a_leaf_that_is_longer_by_something(street: Street) -> None:
    gift = collateral_word(street.number(BOB), NEW, 10**8, is_deposit=False)
    adopting(street, governed(street.venue), WORD, applied=WORD + gift)


@decided_by(3)
def a_leaf_that_is_not_longer(street: Street) -> None:
    command, bob = governed(street.venue), street.number(BOB)
    draft = drafted(street, command)
    draft.ledger.apply(WORD)
    leaves: list[AccountLeaf] = draft.leaves()
    leaves[bob] = replace(leaves[bob], collateral_e8=leaves[bob].collateral_e8[:-1])
    adopting(street, command, WORD, account_root=draft.account_root(leaves))
