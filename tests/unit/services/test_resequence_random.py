"""Random trading on a chain that is reorganised again and again: log and inbox agree, always."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.ledger.inbox import entry_of
from offchain.ledger.wire import decode_records
from offchain.services.batch_archive import cuts
from offchain.services.errors import InboxReorganised
from offchain.services.receipts import promise_of
from offchain.services.recovery import recover
from tests.support.desk import key
from tests.support.forking import ForkedVenue, ForkedView

NAMES = range(10, 16)
STEPS = 40


class Life:
    """A seeded sequence of everything that may happen."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a test's own choice
        self.venue = ForkedVenue(folder)
        self.usd = 110_000.0
        self.moved = 0
        self.promises: dict[tuple[int, int, int, bytes], bytes] = {}
        self.branches: list[ForkedView] = []
        for name in NAMES[:3]:
            self.venue.deposit(name, 500_000)
        self.venue.chain.mine(3)
        self.venue.price(self.usd)

    def step(self) -> None:
        deeds: list[Callable[[], None]] = [self.pay, self.trade, self.stop, self.leave, self.force]
        deeds += [self.trade, self.trade, self.move, self.batch, self.reorganise, self.come_back]
        self.dice.choice(deeds)()
        self.follow()
        self.check()

    def pay(self) -> None:
        self.venue.chain.push(key(self.name()).address, self.dice.randint(1, 50_000) * 10**6)

    def force(self) -> None:
        kind = self.dice.choice((EntryKind.WITHDRAWAL, EntryKind.CANCEL_ALL, EntryKind.REVOKE))
        amount = self.dice.randint(1, 10**9) if kind == EntryKind.WITHDRAWAL else 0
        self.venue.chain.push(key(self.name()).address, amount, kind)

    def trade(self) -> None:
        name, lots = self.trader(), self.dice.choice((-3, -2, -1, 1, 2, 3))
        self.venue.order(name, lots, int(self.usd) + self.dice.randint(-50, 50))

    def stop(self) -> None:
        name = self.trader()
        resting = self.venue.sequencer.state.orders_of(self.venue.account(name) or 0)
        if resting:
            self.venue.cancel(name, self.dice.choice(resting).order_id)

    def leave(self) -> None:
        self.venue.withdraw(self.trader(), self.dice.randint(1, 1_000))

    def move(self) -> None:
        self.usd *= self.dice.uniform(0.99, 1.01)
        self.venue.price(round(self.usd, 1))

    def batch(self) -> None:
        self.venue.batcher.step(force=self.dice.random() < 0.5)

    def reorganise(self) -> None:
        chain = self.venue.chain
        if chain.deepest < 1:
            return
        self.branches.append(chain.view())
        lost = chain.reorganise(self.dice.randint(1, min(12, chain.deepest)))
        chain.time_s += 12
        self.dice.shuffle(lost)
        chain.push_again(lost[: self.dice.randint(0, len(lost))])

    def come_back(self) -> None:
        """Let a branch that was left be the chain again, with more blocks on it than the other."""
        if self.branches:
            height = self.venue.chain.block_no
            self.venue.chain.come_back(self.branches.pop())
            self.venue.chain.mine(max(1, height - self.venue.chain.block_no))

    def follow(self) -> None:
        try:
            self.venue.watcher.poll()
        except InboxReorganised:
            before = self.venue.log.last_seq
            done = self.venue.resequence()
            assert done is not None
            assert done.kept < before
            self.moved += 1
            self.venue.watcher.poll()

    def check(self) -> None:
        venue = self.venue
        state, chain = venue.sequencer.state, venue.chain
        assert state.inbox_cursor == chain.inbox_count()
        assert venue.sequencer.journal.inbox_prefix == chain.prefixes[-1]
        assert state.flows.deposited[0] == sum(
            e.amount for e in chain.entries if e.kind == EntryKind.DEPOSIT
        )
        for receipt in venue.receipts:
            if receipt.signature is not None:
                said = promise_of(receipt)
                place = (said.epoch, said.seq, said.inbox_cursor, said.inbox_prefix_hash)
                assert self.promises.setdefault(place, said.tip) == said.tip
        venue.receipts.clear()

    def end(self) -> None:
        """Restart, make everything final, and replay."""
        venue = self.venue
        assert venue.restart() is None
        self.check()
        for _ in range(6):
            venue.settle()
        assert venue.chain.finalised() == venue.chain.head() == venue.batcher.last_batch
        journal = recover(venue.log, None, cuts(venue.files.batches))
        assert journal.state_root() == venue.sequencer.journal.state_root()
        entries = [
            entry_of(r.command)
            for f in venue.log.frames()
            for r in decode_records(f)
            if isinstance(r.command, Deposit | Forced)
        ]
        assert entries == [entry.content() for entry in venue.chain.entries]
        venue.log.close()

    def name(self) -> int:
        return self.dice.choice(NAMES)

    def trader(self) -> int:
        return self.dice.choice([n for n in NAMES if self.venue.account(n) is not None])


def live(folder: Path, seed: int) -> int:
    life = Life(folder, seed)
    for _ in range(STEPS):
        life.step()
    life.end()
    return life.moved


def test_log_and_inbox_agree_through_random_reorganisations(tmp_path: Path) -> None:
    moved = [live(tmp_path / str(seed), seed) for seed in range(3)]
    assert sum(moved) >= 3, "the log was ordered again seldom"


@pytest.mark.deep
def test_log_and_inbox_agree_through_many_random_reorganisations(tmp_path: Path) -> None:
    for seed in range(1_000, 1_200):
        live(tmp_path / str(seed), seed)


def test_without_silence_two_promises_about_one_record_would_meet(tmp_path: Path) -> None:
    venue = ForkedVenue(tmp_path)
    venue.deposit(10, 500_000)
    venue.chain.mine(3)
    venue.price(110_000)
    venue.deposit(11, 500)
    there = venue.order(11, -1, 110_000)
    before = venue.chain.view()
    venue.chain.reorganise(1)
    assert venue.resequence() is not None
    venue.desk.now += 10**9
    venue.chain.come_back(before)
    assert venue.watcher.poll() == 1
    again = venue.order(11, -1, 110_000)
    assert there
    assert again
    one, other = promise_of(there), promise_of(again)
    assert (one.seq, one.inbox_prefix_hash) == (other.seq, other.inbox_prefix_hash)
    assert one.tip != other.tip
    assert there.seq <= venue.signer.silent_until
    assert [receipt.signature is not None for receipt in venue.receipts] == [True, False]
    later = venue.order(11, -1, 110_001)
    assert later
    assert venue.signer.signed(later).signature is not None
    venue.log.close()
