"""The watcher against the real contracts: every lie is reverted or refused, no truth ever is."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from offchain.adapters.blobs import blob_hash
from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.core.units import ONE_E6, SECOND_NS
from offchain.engine.messages import Liquidate
from offchain.ledger.batch import Batch
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.header import DATA_KIND_BLOBS
from offchain.ledger.merkle import list_root
from offchain.services.errors import TransactionReverted
from offchain.services.freezing import FreezeCause
from offchain.services.watch.judges.structure import rebuild
from offchain.services.watch.moment import Accusation
from offchain.services.watch.watcher import Sightings, Watcher, WatchPolicy
from tests.support.devnet import SEQUENCER, signer
from tests.support.draft import Draft
from tests.support.every_fault import EVERY
from tests.support.faults import Fault, fall
from tests.support.header_faults import REFUSED, Refusal, busy, tell
from tests.support.leaf_faults import misplaced, misshapen
from tests.support.signed_venue import BOND_E6, WATCHER, SignedVenue, signed_venue
from tests.support.street import ALICE, DAVE, USD, Street

STAKE_E6 = DEVELOPMENT.minimum_stake_e6
KINDS = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13})


@pytest.fixture(scope="module")
def made() -> Iterator[Street]:
    with signed_venue() as venue:
        yield Street(venue)


@pytest.fixture
def street(made: Street) -> Iterator[Street]:
    """Give every test the same street, and the chain its past back."""
    moment = made.venue.mark()
    yield made
    made.venue.back(moment)


def watcher(venue: SignedVenue, policy: WatchPolicy | None = None) -> Watcher:
    court = ChainCourt(venue.chain)
    return Watcher(court, replace(venue.authenticity, entries=court.entry), WATCHER, policy)


def step(street: Street, policy: WatchPolicy | None = None) -> Sightings:
    return watcher(street.venue, policy).step()


def test_there_is_a_lie_for_every_judge() -> None:
    assert {fault.kind for fault in EVERY} == KINDS
    assert len({fault.name for fault in EVERY}) == len(EVERY) >= 20


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.name)
def test_a_lie_is_shown_and_the_batch_reverted(street: Street, fault: Fault) -> None:
    chain = street.venue.chain
    fault.tell(street)
    lie = chain.head()
    seen = step(street)
    assert seen.unprovable == {}
    assert [(found.batch_no, found.kind) for found in seen.upheld] == [(lie, fault.kind)]
    assert fault.rule in (None, seen.upheld[0].rule)
    assert chain.head() == lie - 1
    assert seen.upheld[0].bounty_e6 == STAKE_E6 // 2
    assert seen.collected_e6 == STAKE_E6 // 2 + BOND_E6


@pytest.mark.parametrize("tell_leaf", [misshapen, misplaced], ids=lambda tell: tell.__name__)
def test_who_knows_a_leaf_that_is_none_shows_that_as_well(
    street: Street, tell_leaf: Callable[[Street], Accusation]
) -> None:
    """Whoever replays shows the step that made it; LEAF.form and LEAF.place need the leaf."""
    accusation, court = tell_leaf(street), street.venue.court
    header, _ = court.posted(street.venue.chain.head())
    assert court.answer(header, accusation) is True
    court.accuse(WATCHER, header, accusation)
    assert street.venue.chain.head() == header.batch_no - 1


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.name)
def test_a_lie_that_the_contract_sees_is_refused(street: Street, refusal: Refusal) -> None:
    with pytest.raises(TransactionReverted) as caught:
        refusal.tell(street)
    assert caught.value.name == refusal.error


def test_honest_batches_are_left_alone(street: Street) -> None:
    busy_batch = busy(street)
    tell(street, busy_batch)
    seen = step(street)
    assert seen.examined == [1, 2, 3]
    assert seen.upheld == []
    assert seen.unprovable == {}
    assert street.venue.chain.head() == 3


def test_an_honest_batch_in_blobs_is_left_alone(street: Street) -> None:
    batch = busy(street)
    header = replace(batch.header, da_kind=DATA_KIND_BLOBS, da_hash=blob_hash(batch.data))
    street.venue.commit(header, batch.data)
    court = ChainCourt(street.venue.chain)
    watching = watcher(street.venue)
    assert watching.step().examined == [1, 2, 3]
    before = watching.replay.archive.batch(3).before
    accusation = rebuild(before, header, batch.data, court.blob_proof)
    assert court.answer(header, accusation) is False


def test_a_dry_run_says_what_would_be_upheld_and_sends_nothing(street: Street) -> None:
    tell(street, busy(street), output_root=bytes(32))
    before = street.venue.chain.block_number()
    seen = step(street, WatchPolicy(is_dry=True))
    assert [found.kind for found in seen.upheld] == [13]
    assert street.venue.chain.block_number() == before
    assert street.venue.chain.head() == 3


def test_what_no_judge_decides_is_reported(street: Street) -> None:
    tell(street, busy(street), state_root=b"\x5a" * 32)
    seen = step(street)
    assert seen.upheld == []
    assert seen.unprovable == {3: "the header has another state_root"}


def test_an_epoch_that_nobody_knows_is_reported(street: Street) -> None:
    """Nobody can use it either: whoever verifies a liquidation has to open it."""
    venue, hidden = street.venue, b"\x5a" * 32
    draft = Draft.of(venue)
    draft.add(venue.report(USD + 100), b"", epoch_hash=hidden)
    known = [epoch_hash(epoch) for epoch in draft.epochs]
    venue.commit(*draft.close(epoch_root=list_root([*known, hidden])))
    seen = step(street)
    assert seen.upheld == []
    assert "epoch_hash" in seen.unprovable[3]


def test_the_watcher_follows_a_revert_and_takes_in_what_comes_instead(street: Street) -> None:
    venue = street.venue
    watching = watcher(venue)
    image = venue.journal.snapshot()
    batch = busy(street)
    tell(street, batch)
    assert watching.step().examined == [1, 2, 3]
    venue.chain.send(SEQUENCER, "Settlement", "rollback", batch.header.values())
    venue.journal = type(venue.journal).restore(image)
    venue.must(venue.withdrawal(DAVE, 0, 7 * ONE_E6))
    other = venue.commit_honestly()
    seen = watching.step()
    assert seen.examined == [3]
    assert venue.chain.batch_hash_of(3) == other.hash != batch.hash


def test_liquidations_that_nobody_verifies_are_reverted(street: Street) -> None:
    venue = street.venue
    venue.must(fall(street))
    batch = venue.commit_honestly()
    watching = watcher(venue)
    assert watching.step().overdue == []
    venue.now += DEVELOPMENT.verify_window_s * SECOND_NS
    venue.wait(1)
    assert watching.step().overdue == [batch.header.batch_no]
    assert venue.chain.head() == 2


def test_a_venue_that_censors_is_frozen_by_who_may(street: Street) -> None:
    venue = street.venue
    venue.force(ALICE, "forceCancelAll", 0)
    venue.wait(DEVELOPMENT.forced_deadline_s + 1)
    assert step(street).freezable == (FreezeCause.CENSORED,)
    assert step(street, WatchPolicy(may_freeze=True)).frozen is FreezeCause.CENSORED
    assert venue.chain.call("Settlement", "isFrozen")


def test_a_batch_that_is_not_made_good_freezes(street: Street) -> None:
    venue = street.venue
    tell(street, busy(street), output_root=bytes(32))
    assert len(step(street).upheld) == 1
    venue.wait(DEVELOPMENT.repair_s + 1)
    assert FreezeCause.UNREPAIRED in step(street, WatchPolicy(is_dry=True)).freezable


def test_a_second_watcher_gets_its_bond_back(street: Street) -> None:
    """Both opened, one revealed: the batch is gone, and so is the reason to keep a bond."""
    venue = street.venue
    tell(street, busy(street), output_root=bytes(32))
    court, rival = ChainCourt(venue.chain), signer("rival")
    venue.chain.give_gas(rival.address, 10**20)
    venue.chain.mint(rival, 0, rival.address, BOND_E6)
    late = watcher(venue, WatchPolicy(is_dry=True))
    header, data = court.posted(3)
    for number in (1, 2):
        assert late.replay.examine(*court.posted(number)) is None
    difference = late.replay.examine(header, data)
    assert difference is not None
    accusations = difference.accusations(court.disclosures(header))
    accusation = next(a for a in accusations if court.is_faulty(header, a))
    venue.chain.approve(rival, 0, BOND_E6, "Court")
    court.open(rival, header, accusation)
    assert len(step(street).upheld) == 1
    with pytest.raises(TransactionReverted):
        court.reveal(rival, header, accusation)
    assert court.bonds_of(rival.address) == BOND_E6


def test_a_liquidation_whose_instruction_is_hidden_is_not_verified_by_anybody(
    street: Street,
) -> None:
    venue = street.venue
    command = fall(street)
    assert isinstance(command, Liquidate)
    venue.must(command)
    batch: Batch = venue.cut()
    venue.commit(replace(batch.header, liquidation_root=b"\x5a" * 32), batch.data)
    seen = step(street)
    assert seen.upheld == []
    assert list(seen.unprovable) == [3]
    venue.now += DEVELOPMENT.verify_window_s * SECOND_NS
    venue.wait(1)
    assert step(street).overdue == [3]
