"""Deposits reach the engine once and in order, and what does not hash is refused."""

from dataclasses import replace

import pytest

from offchain.ledger.inbox import KIND_DEPOSIT, entry_hash, prefix_hash
from offchain.services.errors import ChainUnreachable, InboxMismatch
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.ports import InboxEntry
from tests.support.desk import Desk

FIRST_BLOCK = 100


class Inbox:
    """An inbox in memory, one entry in each block, hashed by the rule of the contract."""

    def __init__(self) -> None:
        self.entries: list[InboxEntry] = []
        self.prefixes = [bytes(32)]
        self.empty_blocks = 0

    def add(self, owner: int, amount: int, asset: int = 0) -> None:
        index, raw = len(self.entries) + 1, owner.to_bytes(20)
        hashed = entry_hash(KIND_DEPOSIT, index, raw, 0, asset, amount)
        self.prefixes.append(prefix_hash(self.prefixes[-1], hashed))
        block = FIRST_BLOCK + index - 1
        self.entries.append(InboxEntry(index, raw, 0, asset, amount, self.prefixes[-1], block))

    def block_number(self) -> int:
        return self.entries[-1].block + self.empty_blocks

    def inbox_count(self) -> int:
        return len(self.entries)

    def inbox_prefix(self, count: int) -> bytes:
        return self.prefixes[count]

    def deposits(self, first_block: int, last_block: int) -> list[InboxEntry]:
        return [e for e in self.entries if first_block <= e.block <= last_block]


def watched(entries: int = 0) -> tuple[Desk, Inbox, InboxWatcher]:
    desk, inbox = Desk(), Inbox()
    for number in range(entries):
        inbox.add(owner=50 + number, amount=1_000_000 + number)
    return desk, inbox, InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK)


def test_deposits_become_commands_in_order() -> None:
    desk, inbox, watcher = watched(entries=5)
    assert watcher.poll() == 5
    assert desk.state.inbox_cursor == 5
    assert desk.sequencer.journal.inbox_prefix == inbox.prefixes[5] == watcher.prefix
    account = desk.state.accounts.find((54).to_bytes(20), 0)
    assert account is not None
    assert int(desk.state.accounts.cash[account]) == 1_000_004


def test_polling_twice_takes_nothing_twice() -> None:
    _, inbox, watcher = watched(entries=2)
    assert [watcher.poll(), watcher.poll()] == [2, 0]
    inbox.add(owner=60, amount=7)
    assert watcher.poll() == 1


def test_entries_wait_for_their_confirmations() -> None:
    desk, inbox, _ = watched(entries=4)
    watcher = InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK, confirmations=3)
    assert watcher.poll() == 1
    inbox.empty_blocks = 2
    assert watcher.poll() == 2
    inbox.empty_blocks = 3
    assert watcher.poll() == 1


def test_after_a_restart_the_past_is_checked_and_not_repeated() -> None:
    desk, inbox, watcher = watched(entries=3)
    watcher.poll()
    again = InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK)
    assert again.poll() == 0
    assert (again.read, again.prefix) == (3, inbox.prefixes[3])


def test_more_entries_than_fit_one_call_are_taken_in_several() -> None:
    desk, _, watcher = watched(entries=600)
    assert watcher.poll() == 600
    assert desk.state.inbox_cursor == 600


def test_a_missing_entry_is_found() -> None:
    desk, inbox, watcher = watched(entries=3)
    del inbox.entries[1]
    with pytest.raises(InboxMismatch, match="entry 3 does not follow 1"):
        watcher.poll()
    assert desk.state.inbox_cursor == 0, "nothing of a page that does not hold is taken"


def test_an_altered_amount_is_found() -> None:
    desk, inbox, watcher = watched(entries=3)
    inbox.entries[2] = replace(inbox.entries[2], amount=9_999_999)
    with pytest.raises(InboxMismatch, match="entry 3: prefix"):
        watcher.poll()
    assert desk.state.inbox_cursor == 0


def test_events_that_the_contract_does_not_confirm_are_refused() -> None:
    desk, inbox, watcher = watched(entries=3)
    inbox.prefixes[3] = bytes(32)
    with pytest.raises(InboxMismatch, match="the inbox says"):
        watcher.poll()
    assert desk.state.inbox_cursor == 0


def test_an_engine_that_consumed_something_else_is_found() -> None:
    desk, _, watcher = watched(entries=2)
    desk.deposit(77, usd=5)
    with pytest.raises(InboxMismatch, match="entry 1: the engine consumed another one"):
        watcher.poll()


def test_an_entry_that_the_engine_refuses_stops_the_queue() -> None:
    _, inbox, watcher = watched(entries=1)
    inbox.add(owner=60, amount=7, asset=9)
    with pytest.raises(InboxMismatch, match="entry 2 is refused by the engine: BAD_ASSET"):
        watcher.poll()


def test_a_fault_on_the_way_repeats_nothing_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, inbox, watcher = watched(entries=600)
    answers = iter([True, False])

    def prefix(count: int) -> bytes:
        if not next(answers, True):
            raise ChainUnreachable("no answer")
        return inbox.prefixes[count]

    monkeypatch.setattr(inbox, "inbox_prefix", prefix)
    with pytest.raises(ChainUnreachable):
        watcher.poll()
    assert desk.state.inbox_cursor == watcher.read == 256
    assert watcher.poll() == 344
    assert desk.state.inbox_cursor == 600
