"""What the engine liquidates by, the relayer can show the hub: whatever was down, and how long."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import STILL, Grace
from offchain.core.units import SECOND_NS, AccountId, TimestampNs
from offchain.engine.messages import Adopt, Liquidate, Observation, PriceReport
from offchain.ledger.terms import terms
from offchain.ledger.wire import Record
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.relayer import Relayer, RelayPolicy
from tests.support.desk import key
from tests.support.hub_model import Hub, hash_of
from tests.support.venue import RULES

HEARTBEAT_NS = TimestampNs(100 * SECOND_NS)
GRACE = Grace(HEARTBEAT_NS, 3, TimestampNs(150 * SECOND_NS))
ORACLE = replace(
    RULES.oracle,
    heartbeat_ns=GRACE.heartbeat_ns,
    grace_reports=GRACE.reports,
    grace_ns=GRACE.length_ns,
)
SPARSE = RelayPolicy(every=False, heartbeat_ns=60 * SECOND_NS, move_e6=20_000)
SELDOM = RelayPolicy(every=False, heartbeat_ns=3_000 * SECOND_NS, move_e6=20_000)


@dataclass
class World:
    """A log, a relayer that is up or down, the hub, and `truth`: a hub that missed nothing.

    What a hub makes of reports in sequence is the engine's rule.
    """

    policy: RelayPolicy | None = None
    grace: Grace = GRACE
    now_ns: int = 1_760_054_400 * SECOND_NS
    price: int = 1_000_000_000
    cited: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub, self.truth = Hub(self.grace), Hub(self.grace)
        self.begin()

    def begin(self) -> None:
        rules = replace(ORACLE, grace_reports=self.grace.reports, grace_ns=self.grace.length_ns)
        self.relayer = Relayer(self.hub, key(1), rules, self.policy)

    def restart(self) -> None:
        self.begin()
        self.relayer.resume(self.records)

    def report(self, gap_ns: int, move_e6: int = 0) -> bytes:
        self.now_ns += gap_ns
        self.price += self.price * move_e6 // 1_000_000
        seen = tuple(Observation(i, (self.price,), (STILL,), bytes(65)) for i in range(5))
        report = PriceReport(len(self.records) + 1, TimestampNs(self.now_ns), seen)
        self.truth.submit_report(key(1), report)
        self.take(report)
        return hash_of(report, (self.price,))

    def adopt(self, grace: Grace) -> None:
        """Have the engine adopt a set with another grace, and the timelock give it to the hub."""
        oracle = replace(ORACLE, grace_reports=grace.reports, grace_ns=grace.length_ns)
        rules = replace(RULES, oracle=oracle, version=RULES.version + 1)
        self.take(Adopt(terms(rules), rules))
        self.hub.grace = self.truth.grace = grace

    def take(self, command: PriceReport | Liquidate | Adopt) -> None:
        record = Record(len(self.records) + 1, TimestampNs(self.now_ns), 1, command)
        self.records.append(record)
        self.relayer.on_record(record, ())

    def liquidate(self) -> None:
        """Cite the report in force, if the engine would."""
        last = self.truth.last
        if last is not None and last.is_settled and self.truth.pending is None:
            self.cited += [h for h, kept in self.truth.good.items() if kept is last]
            self.take(Liquidate(AccountId(2)))

    def relay(self, late_ns: int = 0) -> None:
        self.hub.oldest_ns = self.now_ns + late_ns - HEARTBEAT_NS
        self.relayer.flush()

    def check(self) -> None:
        missing = [h for h in self.cited if not self.hub.is_report_settled(h)]
        assert not missing, f"{len(missing)} of {len(self.cited)} are in grace at the hub"


def calm(world: World, reports: int, gap_s: int = 30) -> bytes:
    found = b""
    for _ in range(reports):
        found = world.report(gap_s * SECOND_NS)
    return found


def test_a_report_after_an_outage_of_the_relayer_alone_is_shown() -> None:
    world = World()
    calm(world, 10)
    world.relay()
    hashed = calm(world, 200)  # a hundred minutes without the relayer
    world.liquidate()
    world.relay()
    assert world.cited == [hashed]
    world.check()


def test_a_restarted_relayer_shows_what_was_cited_meanwhile() -> None:
    world = World()
    calm(world, 10)
    world.relay()
    calm(world, 50)
    world.liquidate()
    calm(world, 500)
    world.restart()
    world.relay()
    world.check()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_longer_grace_that_was_adopted_is_shown_in_full(*, is_restarted: bool) -> None:
    world = World(SELDOM)  # the hub sees an outage after each
    calm(world, 10)
    world.relay()
    world.adopt(Grace(HEARTBEAT_NS, 12, TimestampNs(600 * SECOND_NS)))
    calm(world, 200)
    world.liquidate()
    if is_restarted:
        world.restart()
    world.relay()
    assert len(world.cited) == 1
    world.check()


def test_a_relayer_that_chooses_shows_that_there_was_no_outage() -> None:
    world = World(SPARSE)
    calm(world, 1)
    world.relay()
    calm(world, 400)
    world.liquidate()
    world.relay(late_ns=10**15)
    world.check()


def test_a_report_that_the_hub_took_in_sequence_is_shown_to_continue_the_log() -> None:
    world = World()
    calm(world, 10)
    world.relay()
    calm(world, 10)
    hashed = calm(world, 1)
    world.relay()  # the newest is not too old, but for the hub it ends an outage
    assert hash_of_last(world) == hashed
    world.liquidate()
    world.relay()
    world.check()


def hash_of_last(world: World) -> bytes:
    return next(h for h, kept in world.hub.good.items() if kept is world.hub.last)


def test_nothing_is_brought_again_that_the_hub_knows() -> None:
    world = World()
    for _ in range(20):
        calm(world, 1)
        world.liquidate()
        world.relay()
    assert world.cited
    assert world.hub.late == []
    world.check()


def test_a_report_of_former_signers_is_lost_and_does_not_stop_the_others() -> None:
    class Changed(Hub):
        def submit_late_report(self, *_: object) -> TransactionReceipt:
            raise TransactionReverted("OracleHub.submitLate", "UnknownSigner", {})

        def submit_report(self, _signer: Signer, report: PriceReport) -> TransactionReceipt:
            return Hub.submit_report(self, _signer, replace(report, round=report.round + 100))

    world = World()
    calm(world, 12)
    world.hub = Changed(GRACE)
    world.begin()
    world.relayer.resume(world.records)
    world.liquidate()
    world.relayer._waiting.clear()
    world.relayer.flush()
    assert list(world.relayer.lost) == [12]
    assert world.relayer.flush() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from((10**9, 20 * 10**9, 45_500_000_001, 10**11, 101 * 10**9, 10**12)),
        st.sampled_from((0, 0, 0, 10_000, -20_000, 49_000, 70_000, -90_000, 200_000)),
        st.booleans(),
        st.booleans(),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=60,
)
GRACES = st.sampled_from(((1, 0), (1, 30), (2, 0), (3, 150), (3, 60), (5, 400)))


@given(STEPS, st.sampled_from((None, SPARSE)), GRACES)
def test_whatever_the_engine_liquidates_by_the_hub_can_be_shown(
    steps: list[tuple[int, int, bool, bool, int]],
    policy: RelayPolicy | None,
    terms: tuple[int, int],
) -> None:
    """Engine settled: the relayer makes the hub settled. It has the first report of the log."""
    reports, length_s = terms
    world = World(policy, Grace(HEARTBEAT_NS, reports, TimestampNs(length_s * SECOND_NS)))
    world.report(0)
    world.relay()
    for gap_ns, move_e6, is_up, is_cited, restart in steps:
        world.report(gap_ns, move_e6)
        if is_cited:
            world.liquidate()
        if restart == 0:
            world.restart()
        if is_up:
            world.relay()
    world.relay(late_ns=10**13)
    world.check()


@given(STEPS, GRACES)
def test_a_hub_that_misses_nothing_says_what_the_engine_says(
    steps: list[tuple[int, int, bool, bool, int]], terms: tuple[int, int]
) -> None:
    reports, length_s = terms
    world = World(None, Grace(HEARTBEAT_NS, reports, TimestampNs(length_s * SECOND_NS)))
    for gap_ns, move_e6, _, is_cited, _ in steps:
        hashed = world.report(gap_ns, move_e6)
        if is_cited:
            world.liquidate()
        world.relay()
        assert world.hub.is_report_settled(hashed) == world.truth.is_report_settled(hashed)
        standing = world.relayer._trail.in_force
        if standing is not None and world.truth.last is not None:
            assert standing.standing.is_settled == world.truth.last.is_settled
    assert world.hub.late == []
