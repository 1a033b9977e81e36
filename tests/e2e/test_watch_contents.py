"""``plimsoll watch`` on real contracts, about totals, epochs and columns that nobody posted."""

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from offchain.adapters.chain import BatchStatus
from offchain.adapters.chain_contents import ChainContents
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.watch_command import WatchChoices, run_watch
from offchain.core.units import ONE_E6
from offchain.engine.messages import FundingTick
from offchain.ledger.batch import Batch
from offchain.ledger.columns import Columns
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import keccak256
from offchain.ledger.totals import totals_hash
from offchain.services.contents import (
    IS_EPOCH,
    IS_TOTALS,
    TREES,
    ContentPlace,
    content_of,
    place_of,
    tree_of,
)
from offchain.services.watch.content_inquiry import COLUMN_OPENING
from offchain.services.watch.moment import listing_of
from offchain.services.watch.shapes import STEP_OPENING, encode
from tests.support.devnet import SEQUENCER
from tests.support.hidden import (
    Liar,
    Posted,
    epoch_over,
    flipped,
    with_charges,
    with_collateral,
    with_epoch,
    with_funding_of,
    with_fundings,
    with_losses,
    with_totals,
    with_values,
)
from tests.support.signed_venue import BOND_E6, WATCHER, SignedVenue, signed_venue
from tests.support.street import BOB, DAVE, Street

REVEAL_S = DEVELOPMENT.reveal_window_s
BOUNTY_E6 = DEVELOPMENT.minimum_stake_e6 // 2
STEPS = 12
NOBODY = keccak256(b"nobody knows what this is the hash of")
Told = dict[str, object]


@pytest.fixture(scope="module")
def street() -> Iterator[SignedVenue]:
    """Return a venue two batches old."""
    with signed_venue() as made:
        Street(made)
        yield made


@pytest.fixture
def venue(street: SignedVenue) -> Iterator[SignedVenue]:
    """Give every test the same venue, and the chain its past back."""
    moment = street.mark()
    yield street
    street.back(moment)


@pytest.fixture
def choices(street: SignedVenue, tmp_path: Path) -> WatchChoices:
    """Return what the command line says: a node, one address, a key."""
    path = tmp_path / "key"
    path.write_text("0x" + keccak256(b"watcher").hex())
    settlement = bytes.fromhex(street.deployment.addresses["Settlement"][2:])
    return WatchChoices(street.anvil.url, settlement, path, steps=STEPS)


def next_batch(venue: SignedVenue) -> tuple[Batch, Columns]:
    """Return an honest batch with a new price and records around it, and its last columns."""
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    venue.price(121_000)
    columns = venue.journal.columns
    assert columns is not None
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    return venue.cut(), columns


def commit(venue: SignedVenue, posted: Posted) -> BatchHeader:
    header, data = posted
    venue.commit(header, data)
    return header


def assert_nobody_answers(
    venue: SignedVenue, choices: WatchChoices, header: BatchHeader, what: str
) -> None:
    """Assert that the watcher demands this, waits, and has the batch reverted."""
    told: list[Told] = []
    number = str(header.batch_no)
    assert not run_watch(replace(choices, steps=1, is_dry=True), told.append)
    assert told[-1]["demanded"] == {number: what}
    assert venue.chain.status_of(header.batch_no) == BatchStatus.COMMITTED
    assert not run_watch(replace(choices, steps=3), told.append)
    assert [list(seen) for seen in told[1:]] == [["examined", "demanded"], ["awaited"]]
    assert told[1]["demanded"] == {number: what}
    venue.wait(REVEAL_S + 5)
    assert run_watch(replace(choices, steps=1), told.append)
    assert told[-1]["unanswered"] == [header.batch_no]
    assert told[-1]["collected_e6"] == BOND_E6 + BOUNTY_E6
    assert venue.chain.status_of(header.batch_no) == BatchStatus.REVERTED


def assert_found(
    venue: SignedVenue, choices: WatchChoices, header: BatchHeader, liar: Liar, rule: str
) -> list[str]:
    """Be the operator, who shows all that it made up; return what was demanded until it fell."""
    operator, told = ChainContents(venue.chain), list[Told]()

    def answer(seen: Told) -> None:
        told.append(seen)
        for demand in operator.open_contents():
            content = content_of(liar, demand.place)
            assert content is not None
            operator.answer_content(SEQUENCER, demand, header, content)

    assert run_watch(choices, answer)
    (upheld,) = [u for seen in told if isinstance(u := seen.get("upheld"), list)]
    assert (upheld[0]["batch_no"], upheld[0]["rule"]) == (header.batch_no, rule)
    assert upheld[0]["bounty_e6"] == BOUNTY_E6
    assert venue.chain.status_of(header.batch_no) == BatchStatus.REVERTED
    demanded = [
        str(d[str(header.batch_no)]) for s in told if isinstance(d := s.get("demanded"), dict)
    ]
    assert venue.court.bonds_of(SEQUENCER.address) == len(demanded) * BOND_E6
    return demanded


def test_totals_that_nobody_knows_fall_by_the_watcher(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, _ = next_batch(venue)
    header = commit(venue, with_totals(batch, NOBODY))
    assert_nobody_answers(venue, choices, header, "the totals")


def test_totals_that_are_shown_and_wrong_are_decided_by_the_judge(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, _ = next_batch(venue)
    wrong = replace(batch.totals, insurance_e6=batch.totals.insurance_e6 + 77)
    header = commit(venue, with_totals(batch, totals_hash(wrong)))
    assert assert_found(venue, choices, header, Liar(wrong), "TOTALS.fund") == ["the totals"]


def test_an_epoch_that_nobody_knows_falls_by_the_watcher(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, _ = next_batch(venue)
    header = commit(venue, with_epoch(batch, NOBODY))
    assert_nobody_answers(venue, choices, header, f"the epoch 0x{NOBODY.hex()}")


def test_an_epoch_that_is_shown_and_has_another_time_is_decided_by_the_judge(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, columns = next_batch(venue)
    wrong = replace(batch.epochs[-1], time_ns=batch.epochs[-1].time_ns + 12_345)
    header = commit(venue, with_epoch(batch, epoch_hash(wrong), wrong))
    liar = Liar(batch.totals, (wrong,), columns)
    assert len(assert_found(venue, choices, header, liar, "STEP.epoch")) == 1


def test_a_price_root_that_nobody_can_open_falls_by_the_watcher(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, _ = next_batch(venue)
    wrong = replace(batch.epochs[-1], price_root=NOBODY)
    header = commit(venue, with_epoch(batch, epoch_hash(wrong), wrong))
    assert_nobody_answers(venue, choices, header, "column 255 of underlying 0")


LIES: dict[str, tuple[Callable[[Columns], Columns], str, str]] = {
    "values": (
        lambda c: with_values(c, 1, flipped(c.values[1])),
        "CELL.255",
        "column 255 of underlying 1",
    ),
    "funding alone": (
        lambda c: with_fundings(c, 0, flipped(c.fundings[0])),
        "EFFECTS.funding",
        "column 252 of underlying 0",
    ),
    "funding of another underlying, and its values": (
        lambda c: with_funding_of(c, 1, 0, ONE_E6),
        "EFFECTS.funding",
        "column 255 of underlying 1",
    ),
    "collateral beyond the haircut": (
        lambda c: with_collateral(c, flipped(c.collateral, 8)),
        "EFFECTS.collateral",
        "column 253 of underlying 255",
    ),
    "losses": (
        lambda c: with_losses(c, 1, 17, flipped(c.losses[1][17])),
        "CELL.17",
        "column 17 of underlying 1",
    ),
    "charges": (
        lambda c: with_charges(c, 0, flipped(c.charges[0], 3)),
        "CELL.254",
        "column 254 of underlying 0",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_one_wrong_column_is_found_by_its_answers_and_decided_by_the_judge(
    venue: SignedVenue, choices: WatchChoices, lie: str
) -> None:
    make, rule, last = LIES[lie]
    batch, columns = next_batch(venue)
    made_up = make(columns)
    wrong = epoch_over(batch.epochs[-1], made_up)
    header = commit(venue, with_epoch(batch, epoch_hash(wrong), wrong))
    liar = Liar(batch.totals, (wrong,), made_up)
    demanded = assert_found(venue, choices, header, liar, rule)
    assert demanded[-1] == last
    is_hidden = wrong.charge_root != batch.epochs[-1].charge_root  # the header has the other roots
    assert is_hidden == demanded[0].startswith("the epoch")
    levels = max(len(tree_of(columns, kind).levels) for kind in TREES)
    assert len(demanded) <= is_hidden + levels


TICKED: dict[str, tuple[Callable[[Columns], Columns], str]] = {
    "beyond the cap": (lambda c: with_funding_of(c, 0, 0, 100 * ONE_E6), "EFFECTS.funding"),
    "another than the values have": (
        lambda c: with_fundings(c, 0, flipped(c.fundings[0], 7)),
        "CELL.255",
    ),
}


@pytest.mark.parametrize("lie", TICKED)
def test_funding_of_a_tick_is_found_by_its_answers_and_decided_by_the_judge(
    venue: SignedVenue, choices: WatchChoices, lie: str
) -> None:
    make, rule = TICKED[lie]
    for _ in range(2):  # the first one only starts the clock
        venue.wait(30)
        venue.must(FundingTick())
    columns = venue.journal.columns
    assert columns is not None
    batch = venue.cut()
    made_up = make(columns)
    wrong = epoch_over(batch.epochs[-1], made_up)
    header = commit(venue, with_epoch(batch, epoch_hash(wrong), wrong))
    demanded = assert_found(venue, choices, header, Liar(batch.totals, (wrong,), made_up), rule)
    assert demanded


def test_a_wrong_column_of_an_epoch_that_is_not_the_last_is_decided_by_the_judge(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    venue.price(121_000)
    columns = venue.journal.columns
    assert columns is not None
    venue.price(121_050)
    batch = venue.cut()
    place = len(batch.epochs) - 2
    made_up = with_charges(columns, 0, flipped(columns.charges[0], 3))
    wrong = epoch_over(batch.epochs[place], made_up)
    header = commit(venue, with_epoch(batch, epoch_hash(wrong), wrong, place))
    liar = Liar(batch.totals, (wrong,), made_up)
    assert len(assert_found(venue, choices, header, liar, "CELL.254")) >= 2


def test_what_a_stranger_demands_of_an_honest_batch_is_shown_and_the_batch_stands(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    batch, columns = next_batch(venue)
    header = commit(venue, (batch.header, batch.data))
    venue.chain.mint(BOB, 0, BOB.address, 20 * BOND_E6)
    contents, listed, epoch = (
        ChainContents(venue.chain),
        listing_of(venue.journal),
        batch.epochs[-1],
    )
    last = len(batch.steps) - 1
    opening = (astuple(batch.steps[last]), last, batch.step_proof(last))
    ends = (listed.instruments[max(listed.instruments)], listed.assets[1])
    contents.demand_content(BOB, header, IS_TOTALS, b"")
    contents.demand_content(BOB, header, IS_EPOCH, encode(STEP_OPENING, opening))
    places = [ContentPlace(IS_TOTALS, 0, 0, header.totals_hash)]
    places.append(ContentPlace(IS_EPOCH, 0, 0, epoch_hash(epoch)))
    wanted = ((0, 255), (1, 252), (1, 35), (0, 0), (1, 254), (255, 253))
    places += [place_of(epoch, columns, *column) for column in wanted]
    places.append(replace(places[-2], place=3))
    places.append(replace(places[4], place=127))
    for place in places[2:]:
        value = (opening, astuple(epoch), place.place, *ends)
        contents.demand_content(BOB, header, place.what, encode(COLUMN_OPENING, value))
    assert [demand.place for demand in contents.open_contents()] == places
    told: list[Told] = []
    assert run_watch(replace(choices, steps=1, may_defend=False), told.append)
    assert len(contents.open_contents()) == len(places)
    assert run_watch(replace(choices, steps=1), told.append)
    assert told[-1]["defended"] == {str(header.batch_no): [str(place) for place in places]}
    assert told[-1]["collected_e6"] == len(places) * BOND_E6
    assert contents.open_contents() == []
    shown = contents.shown_contents(batch_hash(header))
    assert [content.place for content in shown] == places
    assert shown[0].totals == batch.totals
    assert shown[1].epoch == epoch
    assert shown[2].column == (columns.values[0], columns.value_tree.proof(0))
    assert venue.chain.status_of(header.batch_no) == BatchStatus.COMMITTED
    assert venue.court.bonds_of(WATCHER.address) == 0
