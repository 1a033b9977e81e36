"""The read model shows what happened, and a rebuilt one shows exactly the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.adapters import projector as projector_module
from offchain.adapters.projector import Projector
from offchain.adapters.read_model import ReadModel, ReadModelBehind
from offchain.core.margin import Mode
from offchain.core.units import AccountId, TimestampNs
from offchain.engine.events import Event
from offchain.engine.messages import CancelOrder, TimeInForce
from offchain.ledger.wire import Record, decode_records
from tests.support.desk import Desk
from tests.support.venue import BTC_PERP, ETH_PERP, FAR_FUTURE, NO_SIGNATURE

Entry = tuple[Record, tuple[Event, ...]]


class Crash:
    """A short life: orders, fills, a cancel, funding, a crash with liquidations, a withdrawal."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.desk = Desk()
        self.desk.sequencer.subscribe(lambda record, events: self.entries.append((record, events)))
        desk = self.desk
        desk.fund(insurance_usd=5_000, backstop_usd=20_000_000)
        desk.deposit(10, 50_000_000)
        desk.deposit(11, 31_000)
        desk.deposit(12, 30_000, 1)
        desk.price(120_000)
        desk.trade(3, 2, BTC_PERP, 1_500, 120_000)
        desk.must(desk.order(4, BTC_PERP, 10, 119_000))
        self.cancelled = desk.state.last_seq
        desk.must(
            CancelOrder(AccountId(4), self.cancelled, 10**6, TimestampNs(FAR_FUTURE), NO_SIGNATURE)
        )
        desk.must(desk.order(2, ETH_PERP, -30, 4_300))
        self.partly = desk.state.last_seq
        desk.must(desk.order(4, ETH_PERP, 10, 4_300))
        ioc = TimeInForce.IMMEDIATE_OR_CANCEL
        desk.must(desk.order(4, ETH_PERP, 50, 4_300, tif=ioc))
        self.ioc = desk.state.last_seq
        desk.must(desk.convert(4, 1, 0.25))
        desk.must(desk.set_mode(4, Mode.CROSS))
        desk.fund_tick(step_s=60)
        for usd in (114_500, 90_000):
            desk.price(usd)
        desk.must(desk.withdraw(2, usd=1_000))

    def records(self) -> list[Record]:
        return list(decode_records(b"".join(self.desk.store.log)))


@pytest.fixture(scope="module")
def crash() -> Crash:
    return Crash()


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ReadModel]:
    found = ReadModel(f"sqlite:///{tmp_path / 'read.db'}")
    yield found
    found.close()


def rebuilt(crash: Crash) -> ReadModel:
    model = ReadModel()
    model.rebuild(crash.records())
    return model


def test_orders_show_what_became_of_them(crash: Crash, model: ReadModel) -> None:
    model.rebuild(crash.records())
    mine = {row["order_id"]: row for row in model.orders(4, 100)}
    cancelled, ioc = mine[crash.cancelled], mine[crash.ioc]
    assert (cancelled["status"], cancelled["closing"]) == ("closed", "cancelled")
    assert cancelled["lots_left"] == 10
    assert (ioc["status"], ioc["closing"], ioc["lots_left"]) == ("closed", "unfilled", 30)
    (maker,) = [row for row in model.orders(2, 100) if row["order_id"] == crash.partly]
    assert (maker["status"], maker["lots_left"]) == ("filled", 0)


def test_fills_liquidations_and_moves_of_the_fund_agree_with_the_engine(
    crash: Crash, model: ReadModel
) -> None:
    model.rebuild(crash.records())
    state = crash.desk.state
    steps = model.liquidations(100)
    assert len(steps) == state.flows.liquidations > 0
    assert {s["account"] for s in steps} == {3}
    assert all(s["legs"][0]["instrument"] == BTC_PERP for s in steps)
    assert sum(s["covered_e6"] for s in steps) == state.flows.drawn_e6 > 0
    assert sum(s["shortfall_e6"] for s in steps) == state.flows.shortfall_e6
    moves = model.insurance_moves(500)
    assert {m["kind"] for m in moves} >= {"deposit", "fee", "draw"}
    assert sum(m["amount_e6"] for m in moves) == state.accounts.cash[0]
    assert sum(f["lots"] for f in model.fills(100, account=4)) == 30
    assert [c["level"] for c in model.margin_calls(100)]
    assert [w["amount"] for w in model.withdrawals(10, account=2)] == [1_000 * 10**6]


def test_conversions_and_changes_of_mode_are_shown(crash: Crash, model: ReadModel) -> None:
    model.rebuild(crash.records())
    (sale,) = model.collateral_sales(10, account=4)
    assert (sale["asset"], sale["amount"], sale["buyer"]) == (1, 25_000_000, 1)
    assert sale["cash_e6"] == 120_000 * 250_000 * 95 // 100
    assert sale["is_liquidation"] is False
    (change,) = model.mode_changes(10, account=4)
    assert change["mode"] == "cross"
    assert model.mode_changes(10, account=3) == []


def test_a_rebuild_gives_the_same_content_as_following(crash: Crash, model: ReadModel) -> None:
    model.rebuild(crash.records()[:1])
    for entry in crash.entries:
        model.project(*entry)
    followed = model.content_hash()
    assert model.last_seq() == crash.desk.store.last_seq
    model.rebuild(crash.records())
    assert model.content_hash() == followed
    memory = rebuilt(crash)
    assert memory.content_hash() == followed
    memory.close()


def test_projecting_a_record_again_changes_nothing(crash: Crash) -> None:
    model = rebuilt(crash)
    before = model.content_hash()
    model.project_all(crash.entries)
    assert model.content_hash() == before
    model.close()


def test_a_gap_is_refused_and_changes_nothing(crash: Crash, model: ReadModel) -> None:
    model.rebuild(crash.records()[:5])
    before = model.content_hash()
    with pytest.raises(ReadModelBehind, match="6 is next"):
        model.project_all(crash.entries[6:8])
    assert model.content_hash() == before


def test_an_old_backup_is_caught_up_by_following(crash: Crash) -> None:
    model = ReadModel()
    model.rebuild(crash.records()[:7])
    model.project_all(crash.entries)
    full = rebuilt(crash)
    assert model.content_hash() == full.content_hash()
    for one in (model, full):
        one.close()


def test_another_log_has_another_content(crash: Crash) -> None:
    model, other = rebuilt(crash), ReadModel()
    other.rebuild(crash.records()[:-1])
    assert model.content_hash() != other.content_hash()
    for one in (model, other):
        one.close()


@pytest.mark.parametrize("cut", [slice(1, None), slice(0, 8, 2)])
def test_a_rebuild_from_records_with_a_hole_is_refused(crash: Crash, cut: slice) -> None:
    model = ReadModel()
    with pytest.raises(ReadModelBehind, match="is next"):
        model.rebuild(crash.records()[cut])
    model.close()


def test_pages_join_without_a_gap_or_a_repeat(crash: Crash) -> None:
    model = rebuilt(crash)
    whole = [m["id"] for m in model.insurance_moves(500)]
    pages, before = [], None
    while rows := model.insurance_moves(2, before):
        pages += [m["id"] for m in rows]
        before = rows[-1]["id"]
    assert pages == whole
    assert len(whole) > 2
    for limit in (0, 1_001):
        with pytest.raises(ValueError, match="at most 1000"):
            model.fills(limit)
    model.close()


def test_batches_are_reported_replaced_and_outlive_a_rebuild(crash: Crash) -> None:
    model = ReadModel()
    for status in ("committed", "final"):
        model.report_batch(1, "0xaa", "0xbb", status, {"batch_no": "1"})
    model.report_batch(2, "0xcc", "0xdd", "committed", {"batch_no": "2"})
    model.rebuild(crash.records())
    assert [b["batch_no"] for b in model.batches(10)] == [2, 1]
    batch = model.batch(1)
    assert batch is not None
    assert (batch["status"], batch["header"]) == ("final", {"batch_no": "1"})
    assert model.batch(3) is None
    model.close()


def test_a_projector_follows_the_sequencer(crash: Crash) -> None:
    model = ReadModel()
    model.rebuild(crash.records()[:1])
    projector = Projector(model)
    projector.start()
    for entry in crash.entries:
        projector.listen(*entry)
    projector.drain()
    assert (projector.problem, model.last_seq()) == (None, crash.desk.store.last_seq)
    projector.stop()
    model.close()


def has_problem(projector: Projector) -> bool:
    return projector.problem is not None


def test_a_full_queue_never_blocks_and_a_rebuild_catches_up(crash: Crash) -> None:
    model = ReadModel()
    projector = Projector(model, capacity=3)
    for entry in crash.entries:
        projector.listen(*entry)
    assert "queue was full" in str(projector.problem)
    projector.start()
    projector.rebuild(crash.records())
    assert model.last_seq() == crash.desk.store.last_seq
    projector.listen(*crash.entries[0])
    projector.drain()
    assert not has_problem(projector)
    projector.stop()
    full = rebuilt(crash)
    assert model.content_hash() == full.content_hash()
    for one in (model, full):
        one.close()


def test_a_database_that_fails_stops_the_projection_and_nothing_else(
    crash: Crash, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ReadModel()
    model.rebuild(crash.records()[:1])
    monkeypatch.setattr(projector_module, "BLOCK", 1)
    projector = Projector(model)
    projector.start()
    projector.listen(*crash.entries[5])
    projector.drain()
    assert projector.problem is not None
    assert "ReadModelBehind" in projector.problem
    projector.stop()
    model.close()


def test_an_unforeseen_fault_stops_the_projection_and_not_its_thread(
    crash: Crash, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ReadModel()
    projector = Projector(model, capacity=2)
    projector.start()
    with monkeypatch.context() as broken:
        broken.setattr(model, "project_all", lambda _block: 1 // 0)
        projector.listen(*crash.entries[0])
        projector.drain()
    assert "ZeroDivisionError" in str(projector.problem)
    for entry in crash.entries[1:4]:
        projector.listen(*entry)
        projector.drain()
    projector.stop()
    model.close()


def test_a_start_catches_up_with_the_log(crash: Crash) -> None:
    model, full = ReadModel(), rebuilt(crash)
    last = crash.desk.store.last_seq
    model.rebuild(crash.records()[:10])
    assert model.catch_up(crash.desk.store) == model.last_seq() == last
    assert model.catch_up(crash.desk.store) == last
    assert model.content_hash() == full.content_hash()
    for one in (model, full):
        one.close()


def test_a_start_rebuilds_what_was_projected_from_another_log(crash: Crash) -> None:
    other = Desk()
    other.deposit(99, 1_000)
    model, full = ReadModel(), rebuilt(crash)
    model.catch_up(other.store)
    assert model.catch_up(crash.desk.store) == crash.desk.store.last_seq
    assert model.content_hash() == full.content_hash()
    for one in (model, full):
        one.close()
