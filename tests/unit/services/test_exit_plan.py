"""What a frozen venue owes, derived from its final batches: right, or refused by name."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from offchain.core.units import ONE_E6, ONE_E8
from offchain.engine.messages import EntryKind
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import exit_node
from offchain.ledger.inbox import InboxEntry
from offchain.ledger.sum_tree import root_from
from offchain.services.errors import CheckpointMismatch, NotInCheckpoint
from offchain.services.exit_plan import Leaver, refundable, replay_final
from offchain.services.freezing import FreezeCause, FreezeChance, FreezeOutlook
from offchain.services.replica import Posted
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, in_trouble

TRADER, OTHER, STRANGER = ((n).to_bytes(20, "big") for n in (10, 11, 12))


def told() -> tuple[JournalVenue, list[Batch]]:
    """Return a venue after three batches: deposits, a trade, withdrawals."""
    venue = in_trouble()
    batches = [venue.journal.cut(ENGINE_HASH)]
    venue.deposit(11, btc=2)
    venue.price(119_000)
    venue.must(venue.withdraw(3, usd=1_000))
    venue.must(venue.withdraw(3, btc=1))
    batches.append(venue.journal.cut(ENGINE_HASH))
    venue.price(118_000)
    venue.must(venue.withdraw(3, usd=500))
    batches.append(venue.journal.cut(ENGINE_HASH))
    return venue, batches


def posted(batches: list[Batch]) -> list[Posted]:
    return [(batch.header, batch.data) for batch in batches]


def test_every_account_of_the_replayed_books_has_a_path_to_the_root() -> None:
    venue, batches = told()
    books = replay_final(posted(batches), 3)
    assert books.count == venue.state.accounts.count == 4
    assert books.start is not None
    assert books.start.root.hash == batches[2].header.checkpoint_root
    assert books.start.totals == batches[2].totals
    for account in range(books.count):
        way = books.exit_of(account)
        root = root_from(exit_node(way.leaf), account, way.path)
        assert root.hash == books.start.root.root_hash
        assert way.assets == 0b111
    assert books.exit_of(0, assets=0b10).assets == 0b10
    assert books.prices_e8 == (118_000 * ONE_E8, 4_300 * ONE_E8)


def test_only_what_is_up_to_the_checkpoint_is_looked_at() -> None:
    def until_two(batches: list[Batch]) -> Iterator[Posted]:
        yield from posted(batches[:2])
        raise AssertionError("asked for a batch after the checkpoint")

    _, batches = told()
    books = replay_final(until_two(batches), 2)
    assert books.start is not None
    assert books.start.header == batches[1].header
    assert [claim.output.id for claim in books.claims] == [1, 2]
    for claim in books.claims:
        assert claim.header == batches[1].header
        assert claim.proof == batches[1].output_proof(claim.index)


def test_without_a_final_checkpoint_nobody_has_an_account() -> None:
    books = replay_final(iter(()), 0)
    assert (books.count, books.start, books.claims, books.prices_e8) == (0, None, (), ())
    assert books.accounts_of(Leaver(TRADER)) == ()
    with pytest.raises(NotInCheckpoint, match="account 0"):
        books.leaf(0)


@pytest.mark.parametrize("account", [-1, 4])
def test_an_account_that_the_checkpoint_does_not_have_is_named(account: int) -> None:
    books = replay_final(posted(told()[1]), 3)
    with pytest.raises(NotInCheckpoint, match=f"account {account};"):
        books.exit_of(account)


def test_a_leaver_gets_the_accounts_and_outputs_of_its_own_and_of_nobody_else() -> None:
    books = replay_final(posted(told()[1]), 3)
    assert books.accounts_of(Leaver(TRADER)) == (2,)
    assert books.accounts_of(Leaver(STRANGER)) == ()
    assert books.leaver_of(3) == Leaver(OTHER, 3, 0)
    assert [claim.output.id for claim in books.claims_of(Leaver(OTHER))] == [1, 2, 3]
    assert [claim.output.id for claim in books.claims_of(Leaver(OTHER, 3, 0))] == [1, 2, 3]
    assert books.claims_of(Leaver(OTHER, 2, 0)) == books.claims_of(Leaver(TRADER)) == ()
    assert Leaver(OTHER, 3, 1).has(OTHER, 1)
    assert not Leaver(OTHER, 3, 1).has(OTHER, 0)
    assert not Leaver(OTHER).has(TRADER, 0)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("checkpoint_root", "batch 3: the checkpoint root is 0x77"),
        ("totals_hash", "batch 3: the totals is 0x77"),
        ("output_root", "batch 3: the output root is 0x77"),
    ],
)
def test_a_header_that_does_not_follow_from_its_records_is_refused(field: str, words: str) -> None:
    *earlier, last = posted(told()[1])
    fault: dict[str, Any] = {field: b"\x77" * 32}
    lie = replace(last[0], **fault)
    with pytest.raises(CheckpointMismatch, match=words):
        replay_final([*earlier, (lie, last[1])], 3)


def test_records_that_do_not_decode_or_follow_are_refused() -> None:
    first, second, third = posted(told()[1])
    with pytest.raises(CheckpointMismatch, match="batch 2: "):
        replay_final([first, (second[0], second[1][:20]), third], 3)
    with pytest.raises(CheckpointMismatch, match=r"batch 2: record .* does not follow"):
        replay_final([first, third, second], 3)


def test_a_record_that_the_engine_refuses_is_refused() -> None:
    venue, batches = told()
    venue.must(venue.withdraw(3, usd=1))
    cut = venue.journal.cut(ENGINE_HASH)
    right, wrong = ONE_E6.to_bytes(8), (10_000_000 * ONE_E6).to_bytes(8)
    assert cut.data.count(right) >= 1
    data = cut.data.replace(right, wrong, 1)
    with pytest.raises(CheckpointMismatch, match=r"batch 4: record [0-9]+ is refused"):
        replay_final([*posted(batches), (cut.header, data)], 4)


def test_a_missing_batch_is_named() -> None:
    with pytest.raises(CheckpointMismatch, match="batch 3 of 4 is missing"):
        replay_final(posted(told()[1][:2]), 4)


def test_deposits_that_no_final_batch_consumed_are_refunded() -> None:
    kinds = (EntryKind.DEPOSIT, EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.DEPOSIT)
    entries = [
        InboxEntry(kind, index, 0, TRADER, 0, 0, 5, bytes(20))
        for index, kind in enumerate(kinds, start=1)
    ]
    assert [way.entry.index for way in refundable(entries, 1)] == [2, 4]
    assert [way.entry.index for way in refundable(entries, 4)] == []


def test_an_outlook_says_when_a_freeze_is_possible() -> None:
    late = FreezeChance(FreezeCause.UNSERVED, 2_000, is_open=False)
    soon = FreezeChance(FreezeCause.CENSORED, 1_000, is_open=False)
    now = FreezeChance(FreezeCause.STALLED, 3_000, is_open=True)
    assert FreezeOutlook(7).sentence() == "frozen at 7"
    assert FreezeOutlook(7).is_frozen
    assert "nothing waits" in FreezeOutlook(0).sentence()
    assert "possible at 1000 (CENSORED)" in FreezeOutlook(0, (soon, late)).sentence()
    outlook = FreezeOutlook(0, (soon, late, now))
    assert "possible now (STALLED)" in outlook.sentence()
    assert outlook.open_now is now
    assert outlook.to_json()["chances"] == [
        {"cause": "CENSORED", "possible_at": 1_000, "is_open": False},
        {"cause": "UNSERVED", "possible_at": 2_000, "is_open": False},
        {"cause": "STALLED", "possible_at": 3_000, "is_open": True},
    ]


def test_headers_that_do_not_follow_one_another_are_refused() -> None:
    first, second, *_ = posted(told()[1])
    other = (replace(second[0], prev_batch_hash=bytes(32)), second[1])
    with pytest.raises(CheckpointMismatch, match="batch 2 does not follow the one before"):
        replay_final([first, other], 2)
