"""One order, durable before anybody hears of it, liquidations first, and a start that checks.

Replay and snapshots lead to the same root (S-3, S-7, INV-13).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from offchain.core.oracle import NO_STANDING
from offchain.core.units import AccountId
from offchain.engine.events import Event, Filled, LiquidationOrdered, PriceAccepted
from offchain.engine.machine import below_trigger
from offchain.engine.messages import Command, Liquidate, PlaceOrder, PriceReport
from offchain.engine.reasons import Reason, Rejected
from offchain.ledger.wire import Record, decode_records
from offchain.services import sequencer as sequencer_module
from offchain.services.errors import (
    BatchOverdue,
    CommandUnencodable,
    LogFailed,
    SequencerHalted,
    StartRefused,
)
from offchain.services.ports import Snapshot
from offchain.services.recovery import recover
from offchain.services.sequencer import Receipt, Sequencer
from tests.support.desk import Desk, MemoryStore
from tests.support.venue import BTC_PERP, ETH_PERP, START_NS, feed_values

ENGINE = bytes(31) + b"\x01"


def crowd(longs: int, liquidations_per_tick: int = 256) -> Desk:
    """Return a desk where accounts 3.. are long BTC with little margin, against account 2."""
    desk = Desk(liquidations_per_tick=liquidations_per_tick)
    desk.fund(insurance_usd=50_000, backstop_usd=20_000_000)
    maker = desk.deposit(10, 50_000_000)
    traders = [desk.deposit(11 + n, 31_000) for n in range(longs)]
    desk.price(120_000)
    for trader in traders:
        desk.trade(trader, maker, BTC_PERP, 1_500, 120_000)
    return desk


def records(desk: Desk) -> list[Record]:
    return list(decode_records(b"".join(desk.store.log)))


def commands(desk: Desk, after: int) -> list[Command]:
    return [r.command for r in records(desk) if r.seq > after]


def test_an_accepted_command_gets_the_next_place_and_is_in_the_log() -> None:
    desk = Desk()
    before = desk.store.last_seq
    receipt = desk.sequencer.submit(desk.report(*feed_values(120_000)))
    assert isinstance(receipt, Receipt)
    assert receipt.seq == desk.store.last_seq == before + 1
    assert receipt.tip == desk.store.tip == desk.sequencer.journal.tip
    assert records(desk)[-1].time_ns == receipt.time_ns == desk.now


def test_a_refused_command_leaves_no_trace() -> None:
    desk = crowd(1)
    root, tip = desk.sequencer.journal.state_root(), desk.store.tip
    assert desk.refuses(desk.order(3, BTC_PERP, 10**6, 120_000)) == Reason.INSUFFICIENT_MARGIN
    assert (desk.sequencer.journal.state_root(), desk.store.tip) == (root, tip)


def test_a_call_with_several_commands_syncs_once_and_answers_each() -> None:
    desk = crowd(1)
    syncs = desk.store.syncs
    good = desk.order(2, BTC_PERP, -5, 130_000)
    bad = desk.order(3, BTC_PERP, 10**6, 120_000)
    answers = desk.sequencer.submit_batch([good, bad, desk.order(2, BTC_PERP, -5, 131_000)])
    assert [type(a) for a in answers] == [Receipt, Rejected, Receipt]
    assert desk.store.syncs == syncs + 1


def test_too_many_commands_in_one_call_are_refused_whole() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="at most 1024"):
        desk.sequencer.submit_batch([Liquidate(AccountId(2))] * 1025)
    assert not desk.sequencer.is_halted


def test_recorded_time_never_goes_back() -> None:
    desk = Desk()
    desk.price(120_000)
    desk.now -= 10**12
    receipt = desk.sequencer.submit(desk.order(1, BTC_PERP, 1, 100))
    assert isinstance(receipt, Rejected)  # account 1 has no money, but time was not the reason
    assert receipt.reason == Reason.INSUFFICIENT_MARGIN
    desk.deposit(12, 10)
    assert records(desk)[-1].time_ns == records(desk)[-2].time_ns


def test_listeners_hear_every_record_in_order_after_its_sync() -> None:
    desk = Desk()
    heard: list[tuple[int, int]] = []
    desk.sequencer.subscribe(lambda record, _: heard.append((record.seq, desk.store.last_seq)))
    desk.deposit(10, 1_000, 1)
    desk.price(120_000)
    assert [seq for seq, _ in heard] == [2, 3, 4]
    assert all(durable >= seq for seq, durable in heard)


def test_a_listener_that_fails_is_dropped_and_named() -> None:
    desk = Desk()

    def broken(record: Record, events: tuple[Event, ...]) -> None:
        raise RuntimeError("no more")

    heard: list[int] = []
    desk.sequencer.subscribe(broken)
    desk.sequencer.subscribe(lambda record, _: heard.append(record.seq))
    desk.deposit(10, 1_000)
    desk.deposit(10, 1_000)
    assert heard == [2, 3]
    assert len(desk.sequencer.failed_listeners) == 1
    assert "no more" in desk.sequencer.failed_listeners[0]


def test_after_a_failed_append_nothing_is_accepted_answered_or_published() -> None:
    desk = crowd(1)
    heard: list[int] = []
    desk.sequencer.subscribe(lambda record, _: heard.append(record.seq))
    desk.store.is_broken = True
    with pytest.raises(LogFailed):
        desk.price(121_000)
    desk.store.is_broken = False
    assert desk.sequencer.is_halted
    assert heard == []
    with pytest.raises(SequencerHalted):
        desk.sequencer.submit(Liquidate(AccountId(2)))
    with pytest.raises(SequencerHalted):
        _ = desk.sequencer.state


def test_a_restart_after_a_failed_append_stands_where_the_log_ends() -> None:
    desk = crowd(1)
    root = desk.sequencer.journal.state_root()
    desk.store.is_broken = True
    with pytest.raises(LogFailed):
        desk.price(121_000)
    desk.store.is_broken = False
    again = Desk(store=desk.store, now=desk.now)
    assert again.sequencer.journal.state_root() == root


def test_a_price_is_followed_at_once_by_the_liquidations_it_causes() -> None:
    desk = crowd(4)
    last = desk.store.last_seq
    answers = desk.sequencer.submit_batch(
        [desk.report(*feed_values(114_100)), desk.order(2, ETH_PERP, -1, 5_000)]
    )
    assert all(isinstance(a, Receipt) for a in answers)
    kinds = [type(c) for c in commands(desk, last)]
    assert kinds == [PriceReport, *[Liquidate] * 4, PlaceOrder]


def test_in_the_grace_after_an_outage_the_lane_looks_at_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = crowd(4)
    desk.sequencer.journal.state.market.standing = NO_STANDING
    desk.sequencer.backlog = 4

    def looked(_state: object) -> list[int]:
        raise LookupError("somebody looked")

    monkeypatch.setattr("offchain.services.sequencer.below_trigger", looked)
    with desk.sequencer.lock:
        desk.sequencer._liquidate()
    assert desk.sequencer.backlog == 0


def test_an_account_takes_one_step_for_each_price() -> None:
    desk = crowd(2)
    desk.price(114_100)
    steps = [e for e in commands(desk, 0) if isinstance(e, Liquidate)]
    assert sorted(s.account for s in steps) == [3, 4]


def test_what_exceeds_the_limit_waits_and_goes_before_the_next_command() -> None:
    desk = crowd(5, liquidations_per_tick=2)
    last = desk.store.last_seq
    desk.price(114_100)
    assert desk.sequencer.backlog == 3
    desk.must(desk.order(2, ETH_PERP, -1, 5_000))
    assert desk.sequencer.backlog == 1
    desk.must(desk.order(2, ETH_PERP, -1, 5_000))
    assert desk.sequencer.backlog == 0
    kinds = [type(c) for c in commands(desk, last)]
    trade = [PlaceOrder]
    assert kinds == [PriceReport, *[Liquidate] * 4, *trade, Liquidate, *trade]
    assert below_trigger(desk.state) == []


def test_the_worst_account_goes_first() -> None:
    desk = crowd(2)
    desk.trade(4, 2, ETH_PERP, 20, 4_300)
    desk.price(114_100)
    steps = [e for e in commands(desk, 0) if isinstance(e, Liquidate)]
    assert [s.account for s in steps] == [4, 3]


def test_a_whole_crash_replays_to_the_same_root() -> None:
    desk = crowd(3)
    for usd in (116_000, 112_000, 108_000, 104_000):
        desk.price(usd)
    assert desk.conserved()
    again = recover(desk.store)
    assert again.tip == desk.store.tip
    assert again.state_root() == desk.sequencer.journal.state_root()


def test_too_large_an_open_batch_pushes_back_until_it_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = crowd(1)
    monkeypatch.setattr(sequencer_module, "MAX_OPEN_RECORDS", 4)
    with pytest.raises(BatchOverdue):
        desk.price(120_100)
    desk.sequencer.journal.cut(ENGINE)
    desk.price(120_100)


class Shelf:
    """Snapshots in memory."""

    def __init__(self, *kept: Snapshot) -> None:
        self.kept = list(kept)

    def save(self, snapshot: Snapshot) -> None:
        self.kept.insert(0, snapshot)

    def newest_first(self) -> Iterator[Snapshot]:
        return iter(self.kept)


def test_a_snapshot_saves_the_replay_and_leads_to_the_same_root() -> None:
    desk, shelf = crowd(3), Shelf()
    desk.price(114_100)
    saved = desk.sequencer.save_snapshot(shelf)
    desk.price(110_000)
    assert saved.seq < desk.store.last_seq

    class Short(MemoryStore):
        def frames(self, after: int = 0) -> Iterator[bytes]:
            assert after == saved.seq
            return super().frames(after)

    store = Short()
    store.log, store.tips = desk.store.log, desk.store.tips
    assert recover(store, shelf).state_root() == desk.sequencer.journal.state_root()


def test_a_snapshot_beyond_the_end_of_the_log_is_passed_over() -> None:
    desk, shelf = crowd(1), Shelf()
    desk.sequencer.save_snapshot(shelf)
    store = MemoryStore()
    store.append(desk.store.log[:-2])
    assert recover(store, shelf).state.last_seq == store.last_seq


def test_a_damaged_snapshot_is_refused() -> None:
    desk, shelf = crowd(1), Shelf()
    saved = desk.sequencer.save_snapshot(shelf)
    data = bytearray(saved.data)
    data[len(data) // 2] ^= 1
    with pytest.raises(StartRefused, match=f"snapshot {saved.seq}"):
        recover(desk.store, Shelf(Snapshot(saved.seq, saved.root, bytes(data))))


def test_a_snapshot_with_another_root_or_place_is_refused() -> None:
    desk, shelf = crowd(1), Shelf()
    saved = desk.sequencer.save_snapshot(shelf)
    for wrong in (
        Snapshot(saved.seq, bytes(32), saved.data),
        Snapshot(saved.seq - 1, saved.root, saved.data),
    ):
        with pytest.raises(StartRefused, match="another state root"):
            recover(desk.store, Shelf(wrong))


def test_a_snapshot_of_another_log_is_refused() -> None:
    shelf = Shelf()
    saved = crowd(1).sequencer.save_snapshot(shelf)
    other = Desk(now=START_NS + 1)
    for _ in range(saved.seq):
        other.deposit(10, 5)
    with pytest.raises(StartRefused, match="another log"):
        recover(other.store, shelf)


def test_a_log_with_a_record_that_the_engine_refuses_does_not_start() -> None:
    desk = crowd(1)
    store = MemoryStore()
    store.append([desk.store.log[0]])
    refused = bytearray(desk.store.log[-1])
    refused[:8] = (2).to_bytes(8)
    store.append([bytes(refused)])
    with pytest.raises(StartRefused, match="record 2 is refused"):
        recover(store)


def test_a_journal_that_does_not_stand_at_the_end_of_the_log_is_refused() -> None:
    desk = crowd(1)
    with pytest.raises(StartRefused, match="does not stand"):
        Sequencer(recover(MemoryStore()), desk.store, desk)


def test_an_older_epoch_is_fenced_off_and_a_newer_one_is_recorded() -> None:
    desk = Desk(epoch=3)
    with pytest.raises(StartRefused, match="fenced off by 3"):
        Desk(store=desk.store, epoch=2)
    newer = Desk(store=desk.store, epoch=4, now=desk.now)
    newer.deposit(10, 1)
    assert [r.epoch for r in records(newer)] == [3, 4]


def test_known_cuts_put_the_batches_back_where_they_were() -> None:
    desk = crowd(2)
    first = desk.sequencer.journal.cut(ENGINE)
    cuts = {desk.store.last_seq: first.header}
    desk.price(114_100)
    again = recover(desk.store, cuts=cuts)
    assert again.prev_batch_hash == first.hash
    assert again.cut(ENGINE).hash == desk.sequencer.journal.cut(ENGINE).hash


def test_events_of_a_crash_reach_the_listeners() -> None:
    desk = crowd(1)
    heard: list[Event] = []
    desk.sequencer.subscribe(lambda _, events: heard.extend(events))
    desk.must(desk.order(2, BTC_PERP, 3_000, 114_000))
    desk.price(114_100)
    for kind in (PriceAccepted, LiquidationOrdered, Filled):
        assert any(isinstance(e, kind) for e in heard), kind


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signature", bytes(64)),
        ("signature", b""),
        ("nonce", -1),
        ("nonce", 1 << 64),
        ("expires_at_ns", 1 << 64),
        ("account", -1),
        ("instrument", 1 << 16),
        ("lots", 1 << 31),
        ("limit_price_e8", 1 << 64),
        ("time_in_force", 3),
        ("reduce_only", 2),
    ],
)
def test_a_value_without_an_encoding_is_refused_before_anything_changes(
    field: str, value: Any
) -> None:
    desk = crowd(1)
    good = desk.order(2, BTC_PERP, 1, 100_000)
    wrong = replace(good, **{field: value})
    root, tip = desk.sequencer.journal.state_root(), desk.store.tip
    for call in ([wrong], [good, wrong]):
        with pytest.raises(CommandUnencodable, match=field):
            desk.sequencer.submit_batch(call)
    assert not desk.sequencer.is_halted
    assert (desk.sequencer.journal.state_root(), desk.store.tip) == (root, tip)
    assert isinstance(desk.sequencer.submit(good), Receipt)
