"""A set with more assets in the ledger: one word, longer leaves and book, and what follows."""

from dataclasses import replace

import pytest

from offchain.core.units import MAX_POSITIONS
from offchain.engine.accounts import Accounts
from offchain.engine.messages import Deposit
from offchain.engine.reasons import Rejected
from offchain.ledger.account_tree import LeafTree, root_reference
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.effects import WORD_BYTES, assets_word, split_words
from offchain.ledger.errors import EncodingError
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.keccak_lanes import HASH_LANES
from offchain.ledger.leaf import leaf_of
from offchain.ledger.trace import NO_EFFECTS, book_hash
from offchain.ledger.trace_data import posted_records
from offchain.services.watch.reapply import leaves_of, reapply, rebooked
from offchain.services.watch.words import read_words
from tests.support.adoption import adopt, tighter, with_asset
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, in_trouble
from tests.support.venue import ENTRY_TIME_S, RULES

LONGER = with_asset(RULES)
NEW = 3


@pytest.fixture
def venue() -> JournalVenue:
    made = in_trouble()
    made.deposit(10, btc=0.1)
    made.journal.cut(ENGINE_HASH)
    return made


def pay_in(venue: JournalVenue, name: int, asset: int, amount: int) -> None:
    index = venue.state.inbox_cursor + 1
    venue.must(Deposit(index, ENTRY_TIME_S, name.to_bytes(20), 0, asset, amount))


def test_the_word_is_its_kind_no_account_and_the_number() -> None:
    word = assets_word(NEW)
    assert word == bytes([11, 0, 0, 0, 0, 0, NEW]) + bytes(25)
    assert len(word) == WORD_BYTES
    with pytest.raises(EncodingError):
        split_words(word + b"\0")


def test_every_leaf_and_the_book_are_longer_by_zeros(venue: JournalVenue) -> None:
    journal = venue.journal
    before, book = leaves_of(journal), journal.book
    venue.must(adopt(LONGER))
    (step,), (words,) = journal.open.steps, journal.open.words
    assert words == assets_word(NEW)
    assert step.effects_hash == keccak256(words)
    for account, leaf in before.items():
        longer = replace(leaf, collateral_e8=(*leaf.collateral_e8, 0))
        assert leaf_of(venue.state.accounts, account) == longer
    assert journal.book == replace(
        book, deposited=(*book.deposited, 0), withdrawn=(*book.withdrawn, 0)
    )
    assert step.book_hash == book_hash(journal.book)
    assert step.account_root == root_reference(venue.state.accounts)


def test_a_set_that_lists_no_more_has_no_word(venue: JournalVenue) -> None:
    venue.must(adopt(LONGER))
    venue.journal.cut(ENGINE_HASH)
    venue.must(adopt(LONGER, tighter(LONGER)))
    (step,) = venue.journal.open.steps
    assert step.effects_hash == NO_EFFECTS


def test_the_words_alone_give_accounts_tree_and_book(venue: JournalVenue) -> None:
    journal = venue.journal
    before, words = leaves_of(journal), read_words(assets_word(NEW))
    book = rebooked(journal, words)
    again = reapply(before, words, NEW)
    venue.must(adopt(LONGER))
    assert again is not None
    assert again.touched == tuple(sorted(before))
    assert again.root == journal.account_root()
    assert book == journal.book


@pytest.mark.parametrize("count", [0, 1, 2, 9, 65_535])
def test_a_number_that_is_not_more_or_too_many_cannot_be_applied(
    venue: JournalVenue, count: int
) -> None:
    words = read_words(assets_word(count))
    assert reapply(leaves_of(venue.journal), words, count) is None
    assert len(rebooked(venue.journal, words).deposited) <= 9


def test_a_liquidation_after_it_holds_under_the_header(venue: JournalVenue) -> None:
    venue.must(adopt(LONGER))
    pay_in(venue, 10, NEW, 10**6)
    for usd in (115_000, 110_000, 107_000):
        venue.price(usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    batch = venue.journal.cut(ENGINE_HASH)
    (witness,) = batch.witnesses
    assert witness.leaf.collateral_e8[-1] == 10**6
    witness.check(batch.header, batch.terms, batch.curves_hash)
    assert len(batch.totals.collateral_e8) == NEW


def test_a_checkpoint_after_it_has_a_sum_for_it(venue: JournalVenue) -> None:
    venue.must(adopt(LONGER))
    pay_in(venue, 10, NEW, 77)
    pay_in(venue, 12, NEW, 8)
    checkpoint = Checkpoint(venue.state)
    assert checkpoint.root.sums.collateral_e8[-1] == 85
    assert checkpoint.leaf(2).collateral_e8[-1] == 77


def test_replay_and_snapshots_give_the_same(venue: JournalVenue) -> None:
    journal = venue.journal
    start = journal.snapshot()
    venue.must(adopt(LONGER))
    middle = journal.snapshot()
    assert Journal.restore(middle).snapshot() == middle
    for name in range(20, 90):
        pay_in(venue, name, NEW, name)
    venue.price(119_000)
    batch = journal.cut(ENGINE_HASH)
    end = journal.snapshot()
    for image in (start, middle):
        again = Journal.restore(image, strict=True)
        for record in posted_records(batch.header, batch.data):
            if record.seq > again.state.last_seq:
                assert not isinstance(again.apply(record), Rejected)
        assert again.account_root() == root_reference(again.state.accounts)
        assert again.cut(ENGINE_HASH) == batch
        assert again.snapshot() == end


def test_the_longest_leaf_has_room_after_it() -> None:
    accounts, tree = Accounts(1), LeafTree()
    for place in range(3):
        accounts.open(bytes([place]) * 20, 0)
    for instrument in range(MAX_POSITIONS):
        accounts.trade(2, instrument, 7, 11)
    tree.update(accounts, range(3))
    before = tree._room.size
    accounts.extend(8)
    tree.update(accounts, range(3))
    assert tree.root == root_reference(accounts)
    assert tree._room.size - before == 7 * HASH_LANES
