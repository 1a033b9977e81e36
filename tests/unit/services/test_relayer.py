"""Reports reach the hub in order, and none that a liquidation cites is ever missing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import STILL, is_accepted
from offchain.core.units import SECOND_NS, AccountId, TimestampNs
from offchain.engine.messages import FundingTick, Liquidate, Observation, PriceReport
from offchain.ledger.wire import Record
from offchain.services import relayer as module
from offchain.services.errors import RelayQueueFull, TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.relayer import Relayer, RelayPolicy
from tests.support.desk import key
from tests.support.hub_model import BAND_E6, Hub, hash_of
from tests.support.venue import RULES

STEP_NS = 60 * SECOND_NS
SPARSE = RelayPolicy(every=False, heartbeat_ns=30 * STEP_NS, move_e6=200_000)


def report_of(record: Record) -> PriceReport:
    assert isinstance(record.command, PriceReport)
    return record.command


class Engine:
    """The log as the relayer sees it, with the engine's own verdict on each report."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.last: tuple[int, ...] | None = None
        self.pending: tuple[int, ...] | None = None
        self.in_force = 0
        self.cited: set[int] = set()
        self.round = 0

    def report(self, price: int) -> Record:
        self.round += 1
        values = (price,)
        if is_accepted(values, self.last, self.pending, BAND_E6):
            self.last, self.pending, self.in_force = values, None, self.round
        else:
            self.pending = values
        seen = tuple(Observation(i, values, (STILL,) * len(values), bytes(65)) for i in range(5))
        at = TimestampNs(self.round * STEP_NS)
        return self._add(PriceReport(self.round, at, seen))

    def liquidate(self) -> Record:
        self.cited.add(self.in_force)
        return self._add(Liquidate(AccountId(2)))

    def tick(self) -> Record:
        return self._add(FundingTick())

    def _add(self, command: PriceReport | Liquidate | FundingTick) -> Record:
        seq = len(self.records) + 1
        record = Record(seq, TimestampNs(self.round * STEP_NS), 1, command)
        self.records.append(record)
        return record


def relayer(hub: Hub, policy: RelayPolicy | None = None) -> Relayer:
    rules = replace(RULES.oracle, grace_reports=hub.grace.reports, grace_ns=hub.grace.length_ns)
    return Relayer(hub, key(1), rules, policy)


def test_every_report_is_submitted_once_in_order() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    for price in (100, 101, 120, 121, 119):
        relay.on_record(engine.report(price), ())
    assert len(relay.flush()) == 5
    assert relay.flush() == []
    assert hub.submitted == [1, 2, 3, 4, 5]
    assert hub.accepted == [1, 2, 4, 5], "the third jumped; the fourth confirmed it"


def test_a_restarted_relayer_submits_only_what_the_hub_lacks() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    for price in (100, 101, 102):
        relay.on_record(engine.report(price), ())
    relay.flush()
    engine.report(103)
    again = relayer(hub)
    again.resume(engine.records)
    assert again.waiting == 1
    again.flush()
    assert hub.submitted == [1, 2, 3, 4]


def test_what_another_relayer_brought_is_passed_over() -> None:
    hub, engine = Hub(), Engine()
    first, second = relayer(hub), relayer(hub)
    for price in (100, 101):
        record = engine.report(price)
        first.on_record(record, ())
        second.on_record(record, ())
    assert len(first.flush()) == 2
    assert second.flush() == []
    assert second.waiting == 0


def test_a_report_ahead_of_the_chains_clock_waits() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    hub.latest_ns = STEP_NS
    relay.on_record(engine.report(100), ())
    relay.on_record(engine.report(101), ())
    assert len(relay.flush()) == 1
    hub.latest_ns = 2 * STEP_NS
    assert len(relay.flush()) == 1


def test_a_first_report_that_is_too_old_is_lost_and_said_so() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    relay.on_record(engine.report(100), ())
    relay.on_record(engine.report(101), ())
    hub.oldest_ns = 2 * STEP_NS
    assert len(relay.flush()) == 2
    assert list(relay.lost) == [1]
    assert hub.accepted == [2]


def test_reports_that_are_too_old_are_brought_late_one_by_one() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    relay.on_record(engine.report(100), ())
    relay.flush()
    records = [engine.report(price) for price in (104, 108, 150, 151)]
    for record in records:
        relay.on_record(record, ())
    hub.oldest_ns = 100 * STEP_NS
    relay.flush()
    assert hub.late == [2, 3, 4, 5], "the jump of the fourth is what confirms the fifth"
    assert not relay.lost
    assert hub.accepted == [1]
    wanted = [report_of(r) for r in (records[0], records[1], records[3])]
    assert all(hub.known[hash_of(c, c.observations[0].values)] for c in wanted)


def test_a_report_that_a_stranger_overtook_is_brought_late() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    relay.on_record(engine.report(1000), ())
    relay.flush()
    record = engine.report(1010)
    ours = report_of(record)
    five = Observation(0, (1011,), (STILL,), bytes(65))
    hub.submit_report(key(2), PriceReport(2, ours.observed_at_ns, (five,) * 5))
    relay.on_record(record, ())
    relay.flush()
    assert hub.late == [2]
    assert hub.is_report_accepted(hash_of(ours, (1010,)))
    assert not relay.lost


def test_another_refusal_is_raised_and_the_report_stays() -> None:
    class Closed(Hub):
        def submit_report(self, _signer: Signer, _report: PriceReport) -> TransactionReceipt:
            raise TransactionReverted("OracleHub.submit", "UnknownSigner", {})

    relay = relayer(Closed())
    relay.on_record(Engine().report(100), ())
    with pytest.raises(TransactionReverted, match="UnknownSigner"):
        relay.flush()
    assert relay.waiting == 1


def test_the_oldest_reports_make_room_while_the_chain_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    hub, engine = Hub(), Engine()
    relay = relayer(hub)
    for _ in range(6):
        relay.on_record(engine.report(100), ())
    assert (relay.waiting, list(relay.lost)) == (3, [1, 2, 3])
    relay.flush()
    assert hub.submitted == [4, 5, 6]
    relay.on_record(engine.report(100), ())
    relay.flush()
    assert hub.submitted == [4, 5, 6, 7]


def test_a_path_of_chosen_reports_that_does_not_fit_the_queue_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    relay, engine = relayer(Hub(), SPARSE), Engine()
    for price in (100, 130, 130, 170, 170, 220, 220):  # each jump waits for its confirmation
        relay.on_record(engine.report(price), ())
    assert relay.waiting == 3
    with pytest.raises(RelayQueueFull):
        relay.flush()


def test_a_calm_market_sends_a_heartbeat_only() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub, SPARSE)
    for _ in range(61):
        relay.on_record(engine.report(100), ())
    relay.flush()
    assert hub.submitted == [1, 31, 61]


def test_a_big_move_is_sent_with_what_leads_there() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub, SPARSE)
    for price in range(1_000, 1_201, 20):
        relay.on_record(engine.report(price), ())
    relay.flush()
    assert hub.submitted == hub.accepted == [1, 3, 5, 7, 9, 11], "every other step is in band"


def test_a_cited_report_is_sent_even_when_nothing_else_calls_for_it() -> None:
    hub, engine = Hub(), Engine()
    relay = relayer(hub, SPARSE)
    for record in (engine.report(100), engine.report(101), engine.tick(), engine.liquidate()):
        relay.on_record(record, ())
    relay.flush()
    assert hub.accepted == [1, 2]


MOVES = st.lists(st.tuples(st.integers(-120_000, 120_000), st.booleans()), min_size=1, max_size=80)


@given(MOVES, st.integers(0, 80), st.integers(50_000, 400_000))
def test_every_cited_report_is_accepted_by_the_hub(
    moves: list[tuple[int, bool]], restart: int, move_e6: int
) -> None:
    policy = RelayPolicy(every=False, heartbeat_ns=10 * STEP_NS, move_e6=move_e6)
    hub, engine, price = Hub(), Engine(), 1_000_000_000
    relay = relayer(hub, policy)
    for place, (move_e6_, is_cited) in enumerate(moves):
        if place == restart:
            relay.flush()
            relay = relayer(hub, policy)
            relay.resume(engine.records)
        price += price * move_e6_ // 1_000_000
        relay.on_record(engine.report(price), ())
        if is_cited:
            relay.on_record(engine.liquidate(), ())
    relay.flush()
    assert hub.submitted == sorted(set(hub.submitted))
    assert engine.cited <= set(hub.accepted)
