"""An adopted set in the ledger: its frame, its hash, its place in a batch, and what follows."""

from dataclasses import astuple

import pytest

from offchain.core.terms import with_terms
from offchain.engine.reasons import Rejected
from offchain.ledger.document import document
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.errors import SequenceError, WireError
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.listing import listing_root
from offchain.ledger.merkle import list_root
from offchain.ledger.terms import curves_hash, params_hash, terms_hash
from offchain.ledger.trace import NO_EFFECTS
from offchain.ledger.trace_data import posted_records
from offchain.ledger.wire import PREFIX_BYTES, Record, decode_records, encode_record
from tests.support.adoption import adopt, dearer, tighter, with_strike
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, in_trouble
from tests.support.venue import RULES


@pytest.fixture
def venue() -> JournalVenue:
    made = in_trouble()
    made.journal.cut(ENGINE_HASH)
    return made


def test_a_frame_is_terms_and_document() -> None:
    command = adopt(RULES, tighter(RULES))
    frame = encode_record(Record(5, 6, 7, command))
    laid = b"".join(term.to_bytes(4) for term in astuple(tighter(RULES)))
    assert frame[20] == 13
    assert frame[PREFIX_BYTES:] == laid + document(RULES)
    assert list(decode_records(frame)) == [Record(5, 6, 7, command)]


def test_a_frame_with_another_document_than_a_canonical_one_is_refused() -> None:
    frame = bytearray(encode_record(Record(5, 6, 7, adopt(RULES))))
    frame[-1:] = b" "
    with pytest.raises(WireError):
        list(decode_records(bytes(frame)))


def test_the_hash_has_the_terms_in_force_and_the_document_as_it_was_given() -> None:
    laid = with_terms(RULES, tighter(RULES))
    expected = keccak256(
        terms_hash(tighter(RULES))
        + curves_hash(RULES)
        + listing_root(RULES)
        + keccak256(document(RULES))
    )
    assert params_hash(laid, RULES) == expected != params_hash(laid)
    assert params_hash(RULES, RULES) == params_hash(RULES)


def test_it_is_the_first_record_of_a_batch_or_none() -> None:
    venue = in_trouble()
    before = venue.journal.tip
    with pytest.raises(SequenceError, match="first record"):
        venue.do(adopt(dearer(RULES)))
    assert (venue.journal.tip, venue.state.rules) == (before, RULES)


def test_a_batch_that_begins_with_it_is_of_the_new_set_alone(venue: JournalVenue) -> None:
    journal = venue.journal
    before, root, book = journal.epoch, journal.account_root(), journal.book
    assert before is not None
    rules = with_strike(dearer(RULES))
    venue.must(adopt(rules, tighter(rules)))
    (step,) = journal.open.steps
    assert (step.effects_hash, step.account_root) == (NO_EFFECTS, root)
    assert journal.book == book
    assert journal.epoch is not None
    assert step.epoch_hash == epoch_hash(journal.epoch)
    assert journal.epoch.report_hash == before.report_hash
    assert journal.epoch.number == before.number + 1
    assert journal.epoch.charge_root != before.charge_root
    batch = journal.cut(ENGINE_HASH)
    assert batch.epochs == (journal.epoch,)
    header = batch.header
    assert header.epoch_root == list_root([epoch_hash(journal.epoch)])
    assert header.params_hash == params_hash(with_terms(rules, tighter(rules)), rules)
    assert batch.terms == tighter(rules)
    assert len(journal.open.epochs) == 1


def test_liquidations_under_the_new_terms_hold_under_its_header(venue: JournalVenue) -> None:
    venue.must(adopt(RULES, tighter(RULES)))
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    assert not isinstance(venue.liquidate(2), Rejected)
    batch = venue.journal.cut(ENGINE_HASH)
    (witness,) = batch.witnesses
    assert batch.terms == tighter(RULES)
    witness.check(batch.header, batch.terms, batch.curves_hash)


def test_a_replay_of_the_posted_data_gives_the_same_headers() -> None:
    venue = in_trouble()
    batches = [venue.journal.cut(ENGINE_HASH)]
    venue.must(adopt(with_strike(RULES), tighter(RULES)))
    venue.price(119_000)
    batches.append(venue.journal.cut(ENGINE_HASH))
    venue.must(adopt(with_strike(RULES)))
    batches.append(venue.journal.cut(ENGINE_HASH))
    journal = Journal(strict=True)
    for batch in batches:
        for record in posted_records(batch.header, batch.data):
            assert not isinstance(journal.apply(record), Rejected)
        assert journal.cut(ENGINE_HASH) == batch


def test_a_restored_journal_has_the_terms_above_its_document(venue: JournalVenue) -> None:
    venue.must(adopt(with_strike(RULES), tighter(RULES)))
    data = venue.journal.snapshot()
    restored = Journal.restore(data)
    assert restored.state.rules == with_terms(with_strike(RULES), tighter(RULES))
    assert restored.state.documented == with_strike(RULES)
    assert restored.params_hash == venue.journal.params_hash
    assert restored.snapshot() == data
