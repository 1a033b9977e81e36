"""A watcher demands totals, epochs and columns that nobody posted, and shows those that hold."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from offchain.ledger.batch import Batch
from offchain.ledger.closing import Anchor
from offchain.ledger.columns import Columns
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.totals import totals_hash
from offchain.services.contents import (
    IS_EPOCH,
    IS_TOTALS,
    ContentPlace,
    OpenContent,
    content_of,
    place_of,
)
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.content_inquiry import ContentInquiry
from offchain.services.watch.disclosures import Disclosures
from offchain.services.watch.watcher import Sightings, WatchPolicy
from tests.support.desk import key
from tests.support.hidden import (
    Liar,
    MemoryContents,
    Posted,
    epoch_over,
    flipped,
    root_shown,
    with_charges,
    with_collateral,
    with_epoch,
    with_funding_of,
    with_fundings,
    with_losses,
    with_totals,
    with_values,
)
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.lying_tree import BOND_E6, REVEAL_S
from tests.support.watched import WATCHER, MemoryChain, watch

OPERATOR, STRANGER = key(71), key(72)
NOBODY = b"\x13" * 32
EPOCH_IN_WORDS = f"the epoch 0x{NOBODY.hex()}"


@dataclass(frozen=True)
class World:
    """Two honest batches, the columns at the end of the second, and after its first report."""

    batches: tuple[Batch, Batch]
    columns: Columns
    between: Columns


@pytest.fixture(scope="module")
def world() -> World:
    venue = JournalVenue(journal=Journal())
    made = []
    for usd in (120_000, 121_000):
        venue.deposit(100 + usd, 1_000)
        venue.price(usd)
        between = venue.journal.columns
        venue.price(usd + 100)
        venue.deposit(200 + usd, 1_000)
        made.append(venue.journal.cut(ENGINE_HASH, Anchor(1, ZERO32)))
    assert venue.journal.columns is not None
    assert between is not None
    return World((made[0], made[1]), venue.journal.columns, between)


class Court(MemoryContents):
    """Takes a batch off the chain when nobody answered."""

    def __init__(self, chain: MemoryChain) -> None:
        super().__init__(*[header for header, _ in chain.batches])
        self.chain = chain

    def settle_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader
    ) -> TransactionReceipt:
        receipt = super().settle_content(signer, demand, header)
        del self.chain.batches[demand.batch_no - 1 :]
        return receipt


class Scene:
    """Two batches, the second as a liar has it, a court, a judge of one rule, and a watcher."""

    def __init__(
        self,
        world: World,
        posted: Posted | None = None,
        rule: str = "",
        policy: WatchPolicy | None = None,
    ) -> None:
        honest = [(batch.header, batch.data) for batch in world.batches]
        self.header, data = posted or honest[1]
        self.chain = MemoryChain([honest[0], (self.header, data)], lambda said: said.rule == rule)
        self.court = Court(self.chain)
        self.watcher = watch(self.chain, policy, [ContentInquiry(self.court, WATCHER)])

    def step(self) -> Sightings:
        shown = self.court.shown_contents(batch_hash(self.header))
        self.chain.shown = Disclosures(contents=tuple(shown))
        return self.watcher.step()

    def answer(self, liar: Liar) -> None:
        for demand in self.court.open_contents():
            content = content_of(liar, demand.place)
            assert content is not None
            self.court.answer_content(OPERATOR, demand, self.header, content)

    def search(self, liar: Liar) -> tuple[list[str], Sightings]:
        """Step and answer; return what was demanded, and what was seen at last."""
        demanded, seen = [], self.step()
        while seen.demanded:
            demanded.append(seen.demanded[2])
            self.answer(liar)
            seen = self.step()
        return demanded, seen


def assert_it_falls(scene: Scene, what: str) -> None:
    """Assert that this is demanded, waited for, and settled when the time is over."""
    assert scene.step().demanded == {2: what}
    for _ in range(2):
        seen = scene.step()
        assert (seen.demanded, seen.awaited) == ({}, {2: scene.court.time_s + REVEAL_S})
    scene.court.time_s += REVEAL_S
    assert scene.step().awaited == {2: scene.court.time_s}
    scene.court.time_s += 1
    assert scene.step().unanswered == [2]
    assert scene.court.reverted == [2]
    assert scene.court.bonds == {WATCHER.address: BOND_E6}
    assert scene.court.calls == ["demand", "settle"]


def test_totals_that_nobody_knows_fall(world: World) -> None:
    assert_it_falls(Scene(world, with_totals(world.batches[1], NOBODY)), "the totals")


def test_an_epoch_that_nobody_knows_falls(world: World) -> None:
    assert_it_falls(Scene(world, with_epoch(world.batches[1], NOBODY)), EPOCH_IN_WORDS)


@pytest.mark.parametrize(
    ("root", "what"),
    [("price_root", "column 255 of underlying 0"), ("risk_root", "column 0 of underlying 0")],
)
def test_a_root_that_nobody_can_open_falls(world: World, root: str, what: str) -> None:
    batch = world.batches[1]
    changed = {"price_root": batch.epochs[-1].price_root, "risk_root": batch.epochs[-1].risk_root}
    changed[root] = NOBODY
    wrong = replace(
        batch.epochs[-1], price_root=changed["price_root"], risk_root=changed["risk_root"]
    )
    assert_it_falls(Scene(world, with_epoch(batch, epoch_hash(wrong), wrong)), what)


def test_a_charge_root_is_demanded_when_the_epoch_was_shown(world: World) -> None:
    batch = world.batches[1]
    wrong = replace(batch.epochs[-1], charge_root=NOBODY)
    scene = Scene(world, with_epoch(batch, epoch_hash(wrong), wrong))
    assert scene.step().demanded == {2: f"the epoch 0x{epoch_hash(wrong).hex()}"}
    scene.answer(Liar(batch.totals, (wrong,)))
    assert scene.step().demanded == {2: "column 253 of underlying 255"}


def test_totals_that_are_shown_go_to_the_judge(world: World) -> None:
    batch = world.batches[1]
    wrong = replace(batch.totals, insurance_e6=batch.totals.insurance_e6 + 7)
    scene = Scene(world, with_totals(batch, totals_hash(wrong)), "TOTALS.fund")
    demanded, seen = scene.search(Liar(wrong))
    assert demanded == ["the totals"]
    assert [upheld.rule for upheld in seen.upheld] == ["TOTALS.fund"]


def test_totals_that_the_judges_deny_are_not_demanded_twice(world: World) -> None:
    batch = world.batches[1]
    wrong = replace(batch.totals, below_maintenance=77)
    demanded, seen = Scene(world, with_totals(batch, totals_hash(wrong))).search(Liar(wrong))
    assert demanded == ["the totals"]
    assert "1 demands did not decide it" in seen.unprovable[2]


Lie = Callable[[Columns], Columns]
LIES: dict[str, tuple[Lie, str, str]] = {
    "values": (
        lambda c: with_values(c, 0, flipped(c.values[0])),
        "255 of underlying 0",
        "CELL.255",
    ),
    "funding": (
        lambda c: with_fundings(c, 0, flipped(c.fundings[0])),
        "252 of underlying 0",
        "CELL.255",
    ),
    "funding and values": (
        lambda c: with_funding_of(c, 0, 0, 7),
        "255 of underlying 0",
        "EFFECTS.funding",
    ),
    "collateral": (
        lambda c: with_collateral(c, flipped(c.collateral)),
        "253 of underlying 255",
        "EFFECTS.collateral",
    ),
    "losses": (
        lambda c: with_losses(c, 1, 9, flipped(c.losses[1][9])),
        "9 of underlying 1",
        "CELL.9",
    ),
    "charges": (
        lambda c: with_charges(c, 0, flipped(c.charges[0])),
        "254 of underlying 0",
        "CELL.254",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_column_is_reached_by_its_answers_and_goes_to_the_judge(
    world: World, lie: str
) -> None:
    make, last, rule = LIES[lie]
    made_up = make(world.columns)
    batch = world.batches[1]
    wrong = epoch_over(batch.epochs[-1], made_up)
    posted = with_epoch(batch, epoch_hash(wrong), wrong)
    scene = Scene(world, posted, rule)
    demanded, seen = scene.search(Liar(batch.totals, (wrong,), made_up))
    assert demanded[-1] == f"column {last}"
    assert len(demanded) <= 8
    assert [upheld.rule for upheld in seen.upheld] == [rule]
    assert scene.court.bonds[OPERATOR.address] == len(demanded) * BOND_E6


def test_a_lie_that_no_judge_decides_ends_when_every_column_that_differs_was_shown(
    world: World,
) -> None:
    made_up = with_values(world.columns, 0, flipped(world.columns.values[0]))
    made_up = with_losses(made_up, 1, 35, flipped(made_up.losses[1][35]))
    batch = world.batches[1]
    wrong = epoch_over(batch.epochs[-1], made_up)
    scene = Scene(world, with_epoch(batch, epoch_hash(wrong), wrong))
    demanded, seen = scene.search(Liar(batch.totals, (wrong,), made_up))
    assert {"column 255 of underlying 0", "column 35 of underlying 1"} <= set(demanded)
    assert len(demanded) == len(set(demanded)) <= 16
    assert "demands did not decide it" in seen.unprovable[2]


@pytest.mark.parametrize("place", [1, -1])
def test_a_column_of_any_epoch_of_the_batch_goes_to_the_judge(world: World, place: int) -> None:
    batch, honest = world.batches[1], world.between if place == 1 else world.columns
    assert len(batch.epochs) >= 3
    made_up = with_charges(honest, 1, flipped(honest.charges[1]))
    wrong = epoch_over(batch.epochs[place], made_up)
    scene = Scene(world, with_epoch(batch, epoch_hash(wrong), wrong, place), "CELL.254")
    demanded, seen = scene.search(Liar(batch.totals, (wrong,), made_up))
    assert [upheld.rule for upheld in seen.upheld] == ["CELL.254"]
    assert demanded[0] == f"the epoch 0x{epoch_hash(wrong).hex()}"
    assert demanded[-1].startswith("column 254")


def test_a_dry_run_says_what_it_would_demand_and_sends_nothing(world: World) -> None:
    scene = Scene(world, with_epoch(world.batches[1], NOBODY), policy=WatchPolicy(is_dry=True))
    for _ in range(2):
        assert scene.step().demanded == {2: EPOCH_IN_WORDS}
    assert scene.court.calls == []
    scene.court.expect(ContentPlace(IS_EPOCH, 0, 0, NOBODY), STRANGER, scene.header)
    assert scene.step().awaited == {2: scene.court.time_s + REVEAL_S}


def test_who_is_overtaken_waits_and_a_window_that_is_over_is_told(world: World) -> None:
    scene = Scene(world, with_totals(world.batches[1], NOBODY))
    scene.court.refuse_next = "DemandExists"
    assert scene.step().awaited == {2: scene.court.time_s}
    scene.court.refuse_next = "WindowOver"
    assert "WindowOver" in scene.step().unprovable[2]


def test_what_another_stranger_demanded_is_waited_for_and_settled(world: World) -> None:
    scene = Scene(world, with_totals(world.batches[1], NOBODY))
    scene.court.expect(ContentPlace(IS_TOTALS, 0, 0, NOBODY), STRANGER, scene.header)
    assert scene.step().awaited == {2: scene.court.time_s + REVEAL_S}
    scene.court.time_s += REVEAL_S + 1
    assert scene.step().unanswered == [2]
    assert scene.court.bonds == {STRANGER.address: BOND_E6}


def test_a_batch_that_is_wrong_elsewhere_is_none_of_its_business(world: World) -> None:
    header = replace(world.batches[1].header, checkpoint_root=NOBODY)
    scene = Scene(world, (header, world.batches[1].data))
    assert scene.step().unprovable
    assert scene.court.calls == []


def test_contents_of_batches_that_hold_are_shown(world: World) -> None:
    scene, batch = Scene(world), world.batches[1]
    first, last = batch.epochs[1], batch.epochs[-1]
    places = [
        ContentPlace(IS_TOTALS, 0, 0, batch.header.totals_hash),
        ContentPlace(IS_EPOCH, 0, 0, epoch_hash(first)),
        place_of(first, world.between, 1, 255),
        place_of(last, world.columns, 0, 35),
        place_of(last, world.columns, 255, 253),
    ]
    for place in places:
        scene.court.expect(place, STRANGER, scene.header)
    gone = replace(scene.header, totals_hash=NOBODY)
    scene.court.expect(ContentPlace(IS_TOTALS, 0, 0, NOBODY), STRANGER, gone)
    seen = scene.step()
    assert seen.defended == {2: [str(place) for place in places]}
    shown = scene.court.shown_contents(batch_hash(scene.header))
    assert [content.place for content in shown] == places
    assert all(root_shown(content) == content.place.expected for content in shown)
    assert scene.court.bonds == {WATCHER.address: len(places) * BOND_E6}


def test_what_cannot_be_shown_in_time_is_passed_over(world: World) -> None:
    scene = Scene(world)
    place = ContentPlace(IS_TOTALS, 0, 0, world.batches[1].header.totals_hash)
    scene.court.expect(place, STRANGER, scene.header)
    scene.court.time_s += REVEAL_S + 1
    assert scene.step().defended == {}
    assert scene.court.calls == []
