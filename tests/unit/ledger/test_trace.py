"""The trace in a journal: the steps before everything, and what a closed batch carries."""

from dataclasses import fields, replace

import pytest

from offchain.core.units import ONE_E6, RatioE6
from offchain.engine.events import NO_ACCOUNT
from offchain.engine.messages import Deposit, EntryKind, PriceReport
from offchain.ledger.closing import Anchor
from offchain.ledger.effects import output_word
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.errors import EncodingError, SequenceError
from offchain.ledger.header import DATA_KIND_BLOBS, DATA_KIND_CALLDATA, SCHEMA
from offchain.ledger.inbox import InboxEntry, entry_hash
from offchain.ledger.journal import MAX_OPEN_RECORDS
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.listing import listing_root
from offchain.ledger.merkle import EMPTY_SUBTREES, verify_account
from offchain.ledger.trace import (
    GENESIS_BOOK,
    GENESIS_STEP,
    NO_EFFECTS,
    Book,
    Step,
    book_hash,
    book_of,
    step_hash,
)
from offchain.ledger.typed_data import Receipt
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, in_trouble
from tests.support.venue import ENTRY_TIME_S, RULES


def test_before_the_first_record_there_are_no_accounts_and_no_assets() -> None:
    assert GENESIS_STEP.account_root == EMPTY_SUBTREES[-1]
    assert GENESIS_STEP.book_hash == book_hash(Book((), (), 0, 0, 0, 0, 0))
    batch = JournalVenue().journal.cut(ENGINE_HASH)
    assert (batch.previous, batch.previous_book) == (GENESIS_STEP, GENESIS_BOOK)
    (first,) = batch.steps
    assert first.book_hash == book_hash(Book((0, 0, 0), (0, 0, 0), 0, 0, 0, 2, 0))
    assert first.epoch_hash == ZERO32


@pytest.mark.parametrize("name", [f.name for f in fields(Step)])
def test_a_step_hash_covers(name: str) -> None:
    value = getattr(GENESIS_STEP, name)
    other = 1 if isinstance(value, int) else b"\x01" * 32
    changed = replace(GENESIS_STEP, **{name: other})  # type: ignore[arg-type] # of its own type
    assert step_hash(changed) != step_hash(GENESIS_STEP)


@pytest.mark.parametrize("name", [f.name for f in fields(Book)])
def test_a_book_hash_covers(name: str) -> None:
    other = 1 if isinstance(getattr(GENESIS_BOOK, name), int) else (0,)
    changed = replace(GENESIS_BOOK, **{name: other})  # type: ignore[arg-type] # of its own type
    assert book_hash(changed) != book_hash(GENESIS_BOOK)


def test_numbers_that_do_not_fit_a_step_or_a_book_are_refused() -> None:
    with pytest.raises(EncodingError):
        step_hash(replace(GENESIS_STEP, data_end=2**32))
    with pytest.raises(EncodingError, match="32 bytes"):
        step_hash(replace(GENESIS_STEP, tip=bytes(31)))
    with pytest.raises(EncodingError):
        book_hash(replace(GENESIS_BOOK, withdrawn=(2**128,)))


def test_a_record_that_moves_nothing_keeps_roots_and_has_no_effects() -> None:
    venue = in_trouble()
    before = venue.journal.open.last_step
    venue.must(venue.order(3, 0, -1, 150_000))
    after = venue.journal.open.last_step
    assert after.effects_hash == NO_EFFECTS == keccak256(b"")
    kept = ("account_root", "epoch_hash", "book_hash", "inbox_cursor", "outputs")
    assert [getattr(after, k) for k in kept] == [getattr(before, k) for k in kept]
    assert after.tip == venue.journal.tip


def test_a_step_names_the_epoch_in_force_after_its_record() -> None:
    venue = in_trouble()
    venue.price(119_000)
    venue.must(venue.order(3, 0, -1, 150_000))
    batch = venue.journal.cut(ENGINE_HASH)
    first, second = (epoch_hash(epoch) for epoch in batch.epochs)
    named = [step.epoch_hash for step in batch.steps]
    reports = [i for i, (_, _, c) in enumerate(venue.log) if isinstance(c, PriceReport)]
    assert named[: reports[0]] == [ZERO32] * reports[0]
    assert named[reports[0] : reports[1]] == [first] * (reports[1] - reports[0])
    assert named[reports[1] :] == [second] * (len(named) - reports[1])
    venue.fund_tick(300)
    (step,) = venue.journal.open.steps
    assert venue.journal.epoch is not None
    assert second != step.epoch_hash == epoch_hash(venue.journal.epoch)


def test_the_book_of_the_journal_is_that_of_its_last_step() -> None:
    venue = in_trouble()
    venue.must(venue.withdraw(3, usd=10))
    assert venue.journal.book == book_of(venue.state)
    assert venue.journal.open.last_step.book_hash == book_hash(venue.journal.book)


def test_a_header_names_the_block_the_epoch_and_the_kind_of_data_it_is_given() -> None:
    venue = JournalVenue(fence=7)
    anchor = Anchor(99, b"\x0b" * 32)
    header = venue.journal.cut(ENGINE_HASH, anchor).header
    assert (header.schema, header.sequencer_epoch) == (SCHEMA, 7) == (2, 7)
    assert (header.l1_block_number, header.l1_block_hash) == (99, b"\x0b" * 32)
    assert header.da_kind == DATA_KIND_CALLDATA
    venue.deposit(10, 5)
    batch = venue.journal.cut(ENGINE_HASH, anchor, lambda data: keccak256(b"blobs" + data))
    assert batch.header.da_kind == DATA_KIND_BLOBS
    assert batch.header.da_hash == keccak256(b"blobs" + batch.data)
    assert batch.header.da_length == len(batch.data)


def test_entries_of_both_kinds_are_consumed_into_the_batch() -> None:
    venue = in_trouble()
    venue.journal.cut(ENGINE_HASH)
    owner = venue.state.accounts.owner[3]
    venue.deposit(11, 7)
    venue.force(EntryKind.CANCEL_ALL, 3)
    venue.must(venue.entry(EntryKind.GRANT, owner, 0, 5, b"\x77" * 20))
    batch = venue.journal.cut(ENGINE_HASH)
    first = batch.header.inbox_from + 1
    assert batch.entries == (
        InboxEntry(1, first, ENTRY_TIME_S, owner, 0, 0, 7 * ONE_E6, bytes(20)),
        InboxEntry(3, first + 1, ENTRY_TIME_S, owner, 0, 0, 0, bytes(20)),
        InboxEntry(5, first + 2, ENTRY_TIME_S, owner, 0, 0, 5, b"\x77" * 20),
    )


@pytest.mark.parametrize("name", [f.name for f in fields(InboxEntry)])
def test_an_entry_hash_covers(name: str) -> None:
    entry = InboxEntry(1, 2, 3, bytes(20), 4, 5, 6, bytes(20))
    other = 9 if isinstance(getattr(entry, name), int) else b"\x01" * 20
    changed = replace(entry, **{name: other})  # type: ignore[arg-type] # of its own type
    assert entry_hash(changed) != entry_hash(entry)


def test_a_deposit_without_room_is_an_output_of_no_account() -> None:
    venue = in_trouble()
    owner, index = (10).to_bytes(20), venue.state.inbox_cursor + 1
    venue.must(Deposit(index, ENTRY_TIME_S, owner, 0, 0, 2**60))
    batch = venue.journal.cut(ENGINE_HASH)
    (output,) = batch.outputs
    assert (output.account, output.owner, output.amount) == (NO_ACCOUNT, owner, 2**60)
    assert batch.words[-1] == output_word(NO_ACCOUNT, 0, 2**60, output.id)
    assert batch.steps[-1].account_root == batch.steps[-2].account_root


def test_a_receipt_speaks_of_the_last_record() -> None:
    venue = in_trouble()
    journal, state = venue.journal, venue.state
    assert journal.receipt() == Receipt(1, state.last_seq, journal.tip, 4, journal.inbox_prefix)


def test_a_place_without_account_has_siblings_too() -> None:
    venue = in_trouble()
    root = venue.journal.account_root()
    for place in (venue.state.accounts.count, 64, 2**20 - 1):
        assert verify_account(root, place, ZERO32, venue.journal.siblings(place))
    proof = venue.journal.account_proof(2)
    assert venue.journal.siblings(2) == proof.siblings
    assert verify_account(root, 2, leaf_hash(proof.leaf), proof.siblings)
    with pytest.raises(EncodingError):
        venue.journal.siblings(2**20)


def test_no_batch_has_more_records_than_a_contract_can_read() -> None:
    venue = in_trouble()
    batch = venue.journal.open
    batch.frames += [b""] * (MAX_OPEN_RECORDS - len(batch.frames))
    with pytest.raises(SequenceError, match="must be cut"):
        venue.fund_tick()


def test_the_listing_root_tells_sets_apart() -> None:
    quorum = replace(RULES.oracle, quorum=RULES.oracle.quorum - 1)
    fee = replace(RULES, taker_fee_e6=RatioE6(RULES.taker_fee_e6 + 1))
    roots = {listing_root(r) for r in (RULES, replace(RULES, oracle=quorum), fee)}
    assert len(roots) == 3
