"""What a watcher makes of effect words: the accounts, the tree and the book of the engine."""

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.ledger.effects import (
    CashFlow,
    cash_word,
    collateral_word,
    mode_word,
    open_word,
    output_word,
    settle_word,
    trade_word,
)
from offchain.ledger.journal import Journal
from offchain.ledger.leaf import AccountLeaf, leaf_hash, leaf_of
from offchain.ledger.merkle import root_from
from offchain.ledger.wire import decode_record
from offchain.services.watch.reapply import leaves_of, reapply, rebooked, touched_by
from offchain.services.watch.words import read_words, takers
from tests.support.effect_words import SlowLedger
from tests.support.random_trading import ACTION, Trading

OWNER = b"\x07" * 20
LEAF = AccountLeaf(OWNER, 0, 2, 1_000, (50, 60), ())


@given(st.lists(ACTION, max_size=12))
@settings(max_examples=15)
def test_words_give_the_accounts_and_the_book_of_the_engine(actions: list[tuple[object]]) -> None:
    trading = Trading().run(actions)
    journal = Journal()
    for batch in trading.batches:
        for words, step, frame in zip(batch.words, batch.steps, _frames(batch.log), strict=True):
            before, read = leaves_of(journal), read_words(words)
            was_first = journal.state.parameters is None
            book = None if was_first else rebooked(journal, read)
            root = journal.account_root()
            journal.apply(decode_record(frame)[0])
            if was_first:
                continue
            again = reapply(before, read, len(journal.book.deposited) - 1)
            assert again is not None
            assert again.root == step.account_root
            assert book == journal.book
            for number, leaves, _ in again.openings:
                assert bool(leaves) == (number in before)
            assert set(again.touched) == touched_by(before, read)
            assert (root == again.root) == (before == again.leaves)
        journal.cut(batch.header.engine_hash)


def _frames(log: bytes) -> list[bytes]:
    frames, place = [], 0
    while place < len(log):
        end = place + 25 + int.from_bytes(log[place + 21 : place + 25])
        frames.append(log[place:end])
        place = end
    return frames


def test_the_openings_lead_from_one_root_to_the_next() -> None:
    before = {0: LEAF, 1: LEAF, 2: LEAF}
    words = cash_word(0, CashFlow.SALE, 5) + cash_word(2, CashFlow.SALE, -5)
    again = reapply(before, read_words(words), 2)
    assert again is not None
    (zero, _, proof), (two, _, other) = again.openings
    assert (zero, two) == (0, 2)
    from_tree = again.account(2)[2]
    assert other == from_tree
    assert root_from(leaf_hash(again.leaves[2]), 2, other) == again.root
    assert root_from(leaf_hash(LEAF), 0, proof) != again.root


def test_what_cannot_be_applied_gives_nothing() -> None:
    impossible = (
        open_word(0, 0, OWNER),
        cash_word(9, CashFlow.SALE, 1),
        collateral_word(0, 1, -51, is_deposit=False),
        collateral_word(0, 0, 1, is_deposit=False),
        collateral_word(0, 3, 1, is_deposit=False),
        output_word(0, 9, 1, 1),
        cash_word(0, CashFlow.SALE, 2**63 - 1),
        b"".join(trade_word(0, instrument, 1, 0) for instrument in range(33)),
    )
    for words in impossible:
        assert reapply({0: LEAF}, read_words(words), 2) is None, words.hex()


def test_words_do_what_the_slow_reader_says() -> None:
    words = b"".join(
        [
            open_word(1, 3, b"\x08" * 20),
            collateral_word(1, 2, 40, is_deposit=True),
            trade_word(0, 5, 3, 30),
            trade_word(1, 5, -3, -30, 7),
            mode_word(0, 1),
            output_word(1, 2, 15, 1),
            settle_word(5, 12),
        ]
    )
    ledger = SlowLedger(2)
    ledger.apply(open_word(0, 0, OWNER) + cash_word(0, CashFlow.DEPOSIT, 1_000))
    before = {0: ledger.accounts[0].leaf(2)}
    ledger.apply(words)
    again = reapply(before, read_words(words), 2)
    assert again is not None
    assert again.leaves == {n: account.leaf(2) for n, account in enumerate(ledger.accounts)}
    assert again.touched == (0, 1)


def test_takers_are_the_words_before_those_of_makers() -> None:
    words = trade_word(2, 0, 1, 1) + trade_word(3, 0, -1, -1, 9)
    words += trade_word(1, 0, 2, 2) + trade_word(4, 0, -2, -2)
    assert takers(read_words(words)) == [0]
    assert [w.order for w in read_words(words)] == [0, 9, 0, 0]
    assert read_words(words[:-1])[-1].account == 1


def test_a_leaf_that_nobody_has_is_opened_as_absent() -> None:
    again = reapply({0: LEAF}, (), 2)
    assert again is not None
    assert again.account(1)[1] == ()
    assert len(again.account(0)[1]) == 1


def test_leaves_are_those_of_the_engine() -> None:
    journal = Trading().venue.journal
    found = leaves_of(journal)
    accounts = journal.state.accounts
    assert found == {n: leaf_of(accounts, n) for n in range(accounts.count)}
