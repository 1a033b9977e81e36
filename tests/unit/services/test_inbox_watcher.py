"""Entries reach the engine once and in order, and what does not hash is refused."""

from dataclasses import replace

import pytest

from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.engine.state import State
from offchain.ledger.inbox import entry_hash, prefix_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.wire import decode_records
from offchain.services.errors import ChainUnreachable, InboxMismatch, InboxReorganised
from offchain.services.inbox_watcher import InboxWatcher, is_waiting
from offchain.services.ports import InboxEntry
from offchain.services.sequencer import Sequencer
from tests.support.adoption import adopt, with_asset
from tests.support.desk import Desk, MemoryStore
from tests.support.venue import RULES

FIRST_BLOCK = 100
TIME_S = 1_700_000_000


class Inbox:
    """An inbox in memory, one entry in each block, hashed by the rule of the contract."""

    def __init__(self) -> None:
        self.entries: list[InboxEntry] = []
        self.prefixes = [bytes(32)]
        self.empty_blocks = 0
        self.branch = 0

    def add(
        self,
        owner: int,
        amount: int,
        place: int = 0,
        kind: int = EntryKind.DEPOSIT,
        key: bytes = bytes(20),
    ) -> None:
        index, raw = len(self.entries) + 1, owner.to_bytes(20)
        block = FIRST_BLOCK + index - 1
        bare = InboxEntry(kind, index, TIME_S, raw, 0, place, amount, key, b"", block)
        self.prefixes.append(prefix_hash(self.prefixes[-1], entry_hash(bare.content())))
        self.entries.append(replace(bare, prefix=self.prefixes[-1]))

    def block_number(self) -> int:
        return self.entries[-1].block + self.empty_blocks

    def block_hash(self, number: int) -> bytes:
        return keccak256(b"block %d of branch %d" % (number, self.branch))

    def inbox_count(self) -> int:
        return len(self.entries)

    def inbox_prefix(self, count: int) -> bytes:
        return self.prefixes[count]

    def inbox_entries(self, first_block: int, last_block: int) -> list[InboxEntry]:
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
    with pytest.raises(InboxReorganised):
        watcher.poll()


def test_an_engine_that_consumed_more_than_there_is_is_found() -> None:
    desk, inbox, watcher = watched(entries=2)
    assert watcher.poll() == 2
    desk.deposit(77, usd=5)
    with pytest.raises(InboxReorganised):
        watcher.poll()
    inbox.add(owner=60, amount=7)
    with pytest.raises(InboxReorganised):
        watcher.poll()


def test_a_node_that_shows_fewer_blocks_than_before_is_not_believed() -> None:
    desk, inbox, watcher = watched(entries=3)
    assert watcher.poll() == 3
    last = inbox.entries.pop()
    assert watcher.poll() == 0
    assert not watcher.is_reorganised()
    inbox.empty_blocks = 1
    assert watcher.is_reorganised()
    inbox.entries.append(last)
    inbox.empty_blocks = 0
    assert watcher.poll() == 0
    assert desk.state.inbox_cursor == 3


def test_an_entry_in_a_block_that_replaces_one_that_was_read_is_taken() -> None:
    desk, inbox, watcher = watched(entries=2)
    inbox.empty_blocks = 3
    assert watcher.poll() == 2
    inbox.add(owner=60, amount=7)
    inbox.empty_blocks = 2
    assert watcher.poll() == 0, "the block is one that was read, as far as anybody can see"
    inbox.branch = 1
    assert watcher.poll() == 1
    assert desk.state.inbox_cursor == 3


def test_events_that_differ_from_what_was_consumed_are_found() -> None:
    desk, inbox, watcher = watched(entries=2)
    assert watcher.poll() == 2
    invented = replace(inbox.entries[1], amount=3)
    prefix = prefix_hash(inbox.prefixes[1], entry_hash(invented.content()))
    inbox.entries[1] = replace(invented, prefix=prefix)
    with pytest.raises(InboxMismatch, match="entry 2: the engine consumed another one"):
        InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK).poll()


def test_entries_beyond_an_index_are_returned_and_not_submitted() -> None:
    desk, inbox, watcher = watched(entries=5)
    assert watcher.entries_after(3) == inbox.entries[3:]
    assert desk.state.inbox_cursor == 0
    assert watcher.poll() == 5
    inbox.prefixes[5] = bytes(32)
    with pytest.raises(InboxMismatch, match="the inbox says"):
        watcher.entries_after(5)


def test_every_kind_of_entry_becomes_its_command() -> None:
    desk, inbox, watcher = watched(entries=1)
    key = (70).to_bytes(20)
    inbox.add(owner=50, amount=2**128 - 1, kind=EntryKind.WITHDRAWAL)
    inbox.add(owner=50, amount=0, kind=EntryKind.CANCEL_ALL)
    inbox.add(owner=50, amount=9, place=258, kind=EntryKind.CLOSE)
    inbox.add(owner=50, amount=2**40, kind=EntryKind.GRANT, key=key)
    inbox.add(owner=50, amount=0, kind=EntryKind.REVOKE)
    assert watcher.poll() == 6
    assert desk.sequencer.journal.inbox_prefix == inbox.prefixes[6]
    owner, none = (50).to_bytes(20), bytes(20)
    commands = [r.command for r in decode_records(b"".join(desk.store.log))][1:]
    assert commands == [
        Deposit(1, TIME_S, owner, 0, 0, 1_000_000),
        Forced(2, TIME_S, owner, 0, 0, 2**128 - 1, EntryKind.WITHDRAWAL, none),
        Forced(3, TIME_S, owner, 0, 0, 0, EntryKind.CANCEL_ALL, none),
        Forced(4, TIME_S, owner, 0, 258, 9, EntryKind.CLOSE, none),
        Forced(5, TIME_S, owner, 0, 0, 2**40, EntryKind.GRANT, key),
        Forced(6, TIME_S, owner, 0, 0, 0, EntryKind.REVOKE, none),
    ]


@pytest.mark.parametrize("kind", [0, 7, 255])
def test_an_entry_of_no_known_kind_is_named(kind: int) -> None:
    desk, inbox, watcher = watched(entries=1)
    inbox.add(owner=60, amount=7, kind=kind)
    with pytest.raises(InboxMismatch, match=f"entry 2: {kind} is no kind of entry"):
        watcher.poll()
    assert desk.state.inbox_cursor == 0


@pytest.mark.parametrize(
    "change", [{"kind": 3}, {"time_s": 1}, {"place": 1}, {"subaccount": 1}, {"key": b"\x01" * 20}]
)
def test_every_field_of_an_entry_is_hashed(change: dict[str, int]) -> None:
    desk, inbox, watcher = watched(entries=1)
    inbox.entries[0] = replace(inbox.entries[0], **change)  # type: ignore[arg-type]
    with pytest.raises(InboxMismatch, match="entry 1: prefix"):
        watcher.poll()
    assert desk.state.inbox_cursor == 0


def test_an_entry_that_the_engine_refuses_stops_the_queue() -> None:
    _, inbox, _ = watched(entries=1)
    early = Sequencer(Journal(), MemoryStore(), Desk())  # before its genesis
    with pytest.raises(InboxMismatch, match="entry 1 is refused by the engine: NOT_CONFIGURED"):
        InboxWatcher(inbox, early, FIRST_BLOCK).poll()


def test_an_asset_that_the_engine_does_not_know_stops_nothing() -> None:
    desk, inbox, watcher = watched(entries=1)
    inbox.add(owner=60, amount=7, place=9)
    inbox.add(owner=61, amount=7)
    assert watcher.poll() == 3
    assert desk.state.inbox_cursor == 3


def test_a_deposit_of_an_asset_that_is_not_listed_yet_waits_with_all_behind_it() -> None:
    desk, inbox, watcher = watched(entries=2)
    new = len(RULES.collateral) + 1
    inbox.add(owner=60, amount=7, place=new)
    inbox.add(owner=61, amount=8)
    assert [watcher.poll(), watcher.poll()] == [2, 0]
    assert desk.state.inbox_cursor == watcher.read == 2
    desk.sequencer.journal.cut(bytes(32))
    desk.must(adopt(with_asset(RULES)))
    assert watcher.poll() == 2
    assert desk.state.flows.deposited[new] == 7
    assert desk.state.inbox_cursor == 4
    again = InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK)
    assert again.poll() == 0
    assert again.read == 4


def test_what_was_consumed_does_not_wait_again() -> None:
    desk, inbox, watcher = watched(entries=1)
    entry = inbox.entries[0]
    watcher.poll()
    waiting = replace(entry, place=8)
    assert not is_waiting(desk.state, waiting)
    assert is_waiting(desk.state, replace(waiting, index=2))
    assert not is_waiting(desk.state, replace(waiting, index=2, kind=EntryKind.WITHDRAWAL))
    assert not is_waiting(desk.state, replace(waiting, index=2, place=9))
    assert not is_waiting(State(), replace(waiting, index=2))


def test_a_fault_on_the_way_repeats_nothing_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, inbox, watcher = watched(entries=600)
    answers = iter([True, True, False])

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


@pytest.mark.parametrize("confirmations", [0, 2])
def test_an_entry_that_a_node_left_out_once_is_found_again(confirmations: int) -> None:
    desk, inbox, _ = watched(entries=3)
    watcher = InboxWatcher(inbox, desk.sequencer, FIRST_BLOCK, confirmations)
    show = inbox.inbox_entries
    inbox.empty_blocks = confirmations
    inbox.inbox_entries = lambda first_block, last_block: show(first_block, last_block)[:2]  # type: ignore[method-assign]
    assert watcher.poll() == 2
    inbox.inbox_entries = show  # type: ignore[method-assign]
    taken = 0
    for _ in range(4):
        inbox.empty_blocks += 1
        taken += watcher.poll()
    assert (taken, desk.state.inbox_cursor) == (1, 3)


def test_a_gap_that_a_node_made_is_closed_as_soon_as_it_shows_the_entry() -> None:
    desk, inbox, watcher = watched(entries=3)
    show = inbox.inbox_entries
    inbox.inbox_entries = lambda first_block, last_block: show(first_block, last_block)[:2]  # type: ignore[method-assign]
    assert watcher.poll() == 2
    inbox.inbox_entries = lambda first_block, last_block: show(first_block, last_block)[3:]  # type: ignore[method-assign]
    inbox.add(owner=60, amount=7)
    with pytest.raises(InboxMismatch, match="entry 4 does not follow"):
        watcher.poll()
    inbox.inbox_entries = show  # type: ignore[method-assign]
    assert watcher.poll() == 2
    assert desk.state.inbox_cursor == 4
