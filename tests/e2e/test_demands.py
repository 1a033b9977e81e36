"""What stands below a checkpoint root is shown when anybody asks, or the batch does not stand."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from offchain.adapters.anvil import Anvil, AnvilOptions
from offchain.adapters.chain import BatchStatus, Chain
from offchain.adapters.chain_contents import ChainContents
from offchain.adapters.chain_demands import ChainDemands
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.devnet import GAS_MONEY_WEI, launch, save_deployment
from offchain.core.units import ONE_E6, SECOND_NS
from offchain.engine.reasons import Rejected
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.trace_data import posted_records
from offchain.services.contents import IS_EPOCH, IS_TOTALS, place_of
from offchain.services.demands import Finding, Inquiry, ShownWalk
from offchain.services.replica import cut_as_posted
from offchain.services.signing import KeySigner
from offchain.services.watch.content_inquiry import COLUMN_OPENING
from offchain.services.watch.judges.books import packed_sums
from offchain.services.watch.judges.structure import ruled
from offchain.services.watch.moment import Witness, listing_of
from offchain.services.watch.shapes import OWED, STEP_OPENING, encode
from tests.support.devnet import SEQUENCER
from tests.support.lying_tree import honest, richer, with_leaf
from tests.support.mortal import START_NS, TERMS, WINDOW_S, Inhabited, Life, pay_in
from tests.support.signed_venue import BOND_E6, WATCHER, SignedVenue, signed_venue
from tests.support.street import DAVE, Street

REVEAL_S = DEVELOPMENT.reveal_window_s
BOUNTY_E6 = DEVELOPMENT.minimum_stake_e6 // 2
TOTALS_KIND, OWED_RULE = 7, 5


def replayed(chain: Chain) -> Journal:
    """Return what a stranger knows: the journal after every batch that is on chain."""
    journal = Journal()
    for batch in chain.committed_batches():
        for record in posted_records(batch.header, batch.data):
            assert not isinstance(journal.apply(record), Rejected)
        cut_as_posted(journal, batch.header.engine_hash, batch.header)
    return journal


def checkpoint_of(journal: Journal) -> Checkpoint:
    """Return the honest checkpoint of the last batch."""
    assert journal.checkpoint is not None
    return journal.checkpoint


@pytest.fixture
def venue() -> Iterator[SignedVenue]:
    """Return a venue whose sequencer does what the test wants."""
    with signed_venue() as made:
        Street(made)
        yield made


def commit_with(venue: SignedVenue, root: bytes) -> BatchHeader:
    """Commit a batch whose checkpoint root is this."""
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    batch = venue.cut()
    header = replace(batch.header, checkpoint_root=root)
    venue.commit(header, batch.data)
    return header


def assert_reverted(venue: SignedVenue, header: BatchHeader) -> None:
    """Assert that the batch is gone, and that the stranger has its bond and a bounty."""
    assert venue.chain.status_of(header.batch_no) == BatchStatus.REVERTED
    assert venue.court.bonds_of(WATCHER.address) == BOND_E6
    assert venue.court.reward_of(WATCHER.address) == BOUNTY_E6


def test_an_invented_checkpoint_root_is_reverted_by_a_stranger(venue: SignedVenue) -> None:
    header = commit_with(venue, keccak256(b"whatever I like"))
    own = checkpoint_of(replayed(venue.chain))
    inquiry = Inquiry(ChainDemands(venue.chain), WATCHER)
    assert inquiry.step(header, own).asked == 0
    assert inquiry.step(header, own).until_s is not None
    venue.wait(REVEAL_S + 5)
    assert inquiry.step(header, own) == Finding(reverted=True)
    assert_reverted(venue, header)
    assert ChainDemands(venue.chain).open_demands() == []


def test_one_invented_leaf_is_found_by_its_answers_and_shown_to_the_judge(
    venue: SignedVenue,
) -> None:
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    batch = venue.cut()
    own, dave = checkpoint_of(venue.journal), venue.account(DAVE)
    tree = with_leaf(own, richer(own.leaf(dave), ONE_E6))
    header = replace(batch.header, checkpoint_root=tree.root)
    venue.commit(header, batch.data)

    stranger = replayed(venue.chain)
    watched, lying = ChainDemands(venue.chain), ChainDemands(venue.chain)
    inquiry = Inquiry(watched, WATCHER)
    finding = inquiry.step(header, checkpoint_of(stranger))
    answers = 0
    while finding.asked is not None:
        for demand in lying.open_demands():
            lying.answer(SEQUENCER, demand, header, tree.shown(demand.account))
            answers += 1
        finding = inquiry.step(header, checkpoint_of(stranger))
    walk = finding.walk
    assert isinstance(walk, ShownWalk)
    assert (walk.account, answers <= 20) == (dave, True)
    assert venue.chain.status_of(header.batch_no) == BatchStatus.COMMITTED

    witness, last = Witness(stranger), len(batch.steps) - 1
    value = (
        (walk.root.root_hash, packed_sums(walk.root), dave, walk.down_to(dave)),
        (astuple(batch.steps[last]), last, batch.step_proof(last)),
        witness.account(dave),
        witness.epoch,
        (),
        witness.report,
        (),
    )
    accusation = ruled(TOTALS_KIND, OWED_RULE, "TOTALS.owed", OWED, value)
    venue.court.accuse(WATCHER, header, accusation)
    assert_reverted(venue, header)
    assert venue.court.bonds_of(SEQUENCER.address) == answers * BOND_E6


def test_what_is_shown_is_read_back_from_the_chain(venue: SignedVenue) -> None:
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    header = venue.commit_honestly().header
    own, demands = checkpoint_of(venue.journal), ChainDemands(venue.chain)
    accounts = [1, own.count, 2**20 - 1]
    for account in accounts:
        demands.demand(WATCHER, header, account)
    assert [d.account for d in demands.open_demands()] == accounts
    shown = [honest(own).shown(account) for account in accounts]
    for demand, path in zip(demands.open_demands(), shown, strict=True):
        demands.answer(SEQUENCER, demand, header, path)
    assert demands.shown_paths(batch_hash(header)) == shown
    assert demands.shown_paths(header.prev_batch_hash) == []
    assert demands.open_demands() == []
    assert demands.claim_bonds(SEQUENCER) == len(accounts) * BOND_E6
    assert demands.claim_bonds(SEQUENCER) == 0


@pytest.fixture
def inhabited(tmp_path: Path) -> Iterator[Life]:
    """Return a life on a devnet into which everybody has paid in."""
    with Anvil(AnvilOptions(timestamp_s=START_NS // SECOND_NS, accounts=1)) as anvil:
        devnet = launch(anvil.url, anvil.keys[0], START_NS, TERMS)
        save_deployment(devnet, tmp_path / "deployment.json")
        pay_in(devnet)
        devnet.chain.give_gas(WATCHER.address, GAS_MONEY_WEI)
        admin = KeySigner(bytes.fromhex(devnet.admin_key[2:]))
        devnet.chain.mint(admin, 0, WATCHER.address, 100 * BOND_E6)
        devnet.chain.close()
        yield Life(anvil.url, devnet.admin_key, str(tmp_path), 0, "")


def ask(here: Inhabited, accounts: list[int]) -> int:
    """Demand paths of the last batch, let the node answer, and return what it got. [USD e-6]"""
    chain, payee = here.chain, here.devnet.keys.relayer.address
    header = chain.committed_header(chain.head())
    demands = ChainDemands(chain)
    for account in accounts:
        demands.demand(WATCHER, header, account)
    assert chain.status_of(header.batch_no) == BatchStatus.CHALLENGED
    before = chain.token_balance(0, payee)
    here.node.settle()
    assert chain.status_of(header.batch_no) == BatchStatus.COMMITTED
    shown = demands.shown_paths(batch_hash(header))  # sent together, and so in any order
    assert sorted(path.account for path in shown) == accounts
    return chain.token_balance(0, payee) - before


def test_a_node_closes_a_challenge_that_nobody_reveals_and_its_batch_becomes_final(
    inhabited: Life,
) -> None:
    here = Inhabited(inhabited)
    here.node.start()
    here.trade()
    here.node.settle(force=True)
    chain = here.chain
    chain.approve(WATCHER, 0, BOND_E6, "Court")
    chain.send(WATCHER, "Court", "open", 1, chain.batch_hash_of(1), keccak256(b"nothing"))
    here.wait(REVEAL_S - 1)
    here.node.settle()
    assert chain.status_of(1) == BatchStatus.CHALLENGED
    here.wait(2)
    here.node.settle()
    assert chain.status_of(1) in {BatchStatus.COMMITTED, BatchStatus.PROVEN}
    assert chain.call("Court", "owedToInsurance") == BOND_E6
    here.wait(WINDOW_S + REVEAL_S + 1)
    here.node.settle()
    assert chain.finalised() == 1


def ask_contents(here: Inhabited) -> int:
    """Demand contents of the last batch, let the node answer, and return what it got. [USD e-6]"""
    chain, payee, journal = here.chain, here.devnet.keys.relayer.address, Journal()
    for posted in chain.committed_batches():
        for record in posted_records(posted.header, posted.data):
            assert not isinstance(journal.apply(record), Rejected)
        batch = cut_as_posted(journal, posted.header.engine_hash, posted.header)
    header, contents, last = batch.header, ChainContents(chain), len(batch.steps) - 1
    opening = (astuple(batch.steps[last]), last, batch.step_proof(last))
    listed, columns = listing_of(journal), journal.columns
    assert columns is not None
    ends = (listed.instruments[max(listed.instruments)], listed.assets[1])
    contents.demand_content(WATCHER, header, IS_TOTALS, b"")
    contents.demand_content(WATCHER, header, IS_EPOCH, encode(STEP_OPENING, opening))
    places = [place_of(batch.epochs[-1], columns, 0, kind) for kind in (255, 35, 254)]
    for place in places:
        value = (opening, astuple(batch.epochs[-1]), place.place, *ends)
        contents.demand_content(WATCHER, header, place.what, encode(COLUMN_OPENING, value))
    assert chain.status_of(header.batch_no) == BatchStatus.CHALLENGED
    before = chain.token_balance(0, payee)
    here.node.settle()
    assert chain.status_of(header.batch_no) == BatchStatus.COMMITTED
    found = sorted(contents.shown_contents(batch_hash(header)), key=lambda s: s.place.what)
    totals, shown, *others = found  # sent together, and so in any order
    assert (totals.totals, shown.epoch) == (batch.totals, batch.epochs[-1])
    assert [content.place for content in others] == places
    return chain.token_balance(0, payee) - before


def test_an_honest_node_answers_is_paid_for_it_and_goes_on_also_after_a_restart(
    inhabited: Life,
) -> None:
    here = Inhabited(inhabited)
    here.node.start()
    here.trade()
    here.node.settle(force=True)
    count = checkpoint_of(replayed(here.chain)).count
    assert ask(here, [0, count - 1, count]) == 3 * BOND_E6
    assert ask_contents(here) == 5 * BOND_E6
    here.wait(WINDOW_S + REVEAL_S)
    here.node.settle()
    assert here.chain.finalised() == 1
    here.price(110_950)
    here.node.settle(force=True)
    assert here.chain.head() == 2
    here.close()

    again = Inhabited(replace(inhabited, number=2))
    again.node.start()
    assert ask(again, [1]) == BOND_E6
    assert ask_contents(again) == 5 * BOND_E6
    again.wait(WINDOW_S + REVEAL_S)
    again.node.settle()
    assert again.chain.finalised() == 2
    again.close()
