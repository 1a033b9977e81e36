"""``plimsoll watch`` on real contracts, about a checkpoint that does not fit one transaction."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.adapters.chain import BatchStatus
from offchain.adapters.chain_demands import ChainDemands
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.watch_command import WatchChoices, run_watch
from offchain.core.units import ONE_E6
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH
from offchain.services.watch.judges.books import MAX_WHOLE
from tests.support.devnet import SEQUENCER
from tests.support.lying_tree import LyingTree, richer, with_leaf
from tests.support.signed_venue import BOND_E6, WATCHER, SignedVenue, signed_venue
from tests.support.street import ALICE, BOB, DAVE, Street

NEWCOMERS = 256
REVEAL_S = DEVELOPMENT.reveal_window_s
BOUNTY_E6 = DEVELOPMENT.minimum_stake_e6 // 2
STEPS = 2 * ACCOUNT_TREE_DEPTH
Told = dict[str, object]


@pytest.fixture(scope="module")
def full() -> Iterator[SignedVenue]:
    """Return a venue with more accounts than one transaction can show."""
    with signed_venue() as made:
        Street(made)
        chain, amount = made.chain, 10 * ONE_E6
        chain.mint(ALICE, 0, ALICE.address, NEWCOMERS * amount)
        chain.approve(ALICE, 0, NEWCOMERS * amount)
        for number in range(NEWCOMERS):
            chain.deposit(ALICE, 0, amount, (1_000 + number).to_bytes(20))
        made.sync()
        made.commit_honestly()
        assert made.journal.state.accounts.count > MAX_WHOLE
        yield made


@pytest.fixture
def venue(full: SignedVenue) -> Iterator[SignedVenue]:
    """Give every test the same venue, and the chain its past back."""
    moment = full.mark()
    yield full
    full.back(moment)


@pytest.fixture
def choices(full: SignedVenue, tmp_path: Path) -> WatchChoices:
    """Return what the command line says: a node, one address, a key."""
    path = tmp_path / "key"
    path.write_text("0x" + keccak256(b"watcher").hex())
    settlement = bytes.fromhex(full.deployment.addresses["Settlement"][2:])
    return WatchChoices(full.anvil.url, settlement, path, steps=STEPS)


def commit_with(venue: SignedVenue, tree: Callable[[Checkpoint], LyingTree]) -> BatchHeader:
    """Commit a batch whose checkpoint root is that of another tree."""
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    batch = venue.cut()
    assert venue.journal.checkpoint is not None
    root = tree(venue.journal.checkpoint).root
    header = replace(batch.header, checkpoint_root=root)
    venue.commit(header, batch.data)
    return header


def test_one_wrong_leaf_among_many_is_found_and_the_batch_reverted_from_chain_data_alone(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    bob = venue.account(BOB)  # the one with positions
    trees: list[LyingTree] = []

    def lie(own: Checkpoint) -> LyingTree:
        trees.append(with_leaf(own, richer(own.leaf(bob), ONE_E6)))
        return trees[0]

    header = commit_with(venue, lie)
    operator, told = ChainDemands(venue.chain), list[Told]()
    paid_before = venue.chain.token_balance(0, WATCHER.address)

    def answer(seen: Told) -> None:
        """Be the operator, who shows whatever the tree of the lie has."""
        told.append(seen)
        for demand in operator.open_demands():
            operator.answer(SEQUENCER, demand, header, trees[0].shown(demand.account))

    assert run_watch(choices, answer)
    demanded = [seen["demanded"] for seen in told if "demanded" in seen]
    assert 1 <= len(demanded) <= ACCOUNT_TREE_DEPTH
    (upheld,) = [u for seen in told if isinstance(u := seen.get("upheld"), list)]
    assert (upheld[0]["batch_no"], upheld[0]["rule"]) == (header.batch_no, "TOTALS.owed")
    assert upheld[0]["bounty_e6"] == BOUNTY_E6
    assert venue.chain.status_of(header.batch_no) == BatchStatus.REVERTED
    lost = len(demanded) * BOND_E6
    paid = venue.chain.token_balance(0, WATCHER.address) - paid_before
    assert paid == BOUNTY_E6 - lost
    assert venue.court.bonds_of(SEQUENCER.address) == lost


def test_a_checkpoint_that_nobody_opens_falls_by_the_watcher(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    header = commit_with(venue, lambda own: with_leaf(own, richer(own.leaf(3))))
    told: list[Told] = []
    number = str(header.batch_no)
    dry = replace(choices, steps=1, is_dry=True)
    assert not run_watch(dry, told.append)
    assert told[-1]["demanded"] == {number: "the path of account 0"}
    assert venue.chain.status_of(header.batch_no) == BatchStatus.COMMITTED

    assert not run_watch(replace(choices, steps=4), told.append)
    (until,) = told[-1]["awaited"].values()  # type: ignore[attr-defined]
    assert [list(seen) for seen in told[1:]] == [["examined", "demanded"], ["awaited"]]
    assert until == venue.chain.block_time() + REVEAL_S
    venue.wait(REVEAL_S + 5)
    assert run_watch(replace(choices, steps=1), told.append)
    assert told[-1]["unanswered"] == [header.batch_no]
    assert told[-1]["collected_e6"] == BOND_E6 + BOUNTY_E6
    assert venue.chain.head() == header.batch_no - 1


def test_what_a_stranger_demands_of_an_honest_batch_is_shown_while_its_operator_is_away(
    venue: SignedVenue, choices: WatchChoices
) -> None:
    venue.must(venue.withdrawal(DAVE, 0, ONE_E6))
    header = venue.commit_honestly().header
    demands, rival = ChainDemands(venue.chain), BOB
    venue.chain.mint(rival, 0, rival.address, 3 * BOND_E6)
    for account in (0, MAX_WHOLE, 2**20 - 1):
        demands.demand(rival, header, account)
    told: list[Told] = []
    assert run_watch(replace(choices, steps=1, may_defend=False), told.append)
    assert len(demands.open_demands()) == 3
    assert run_watch(replace(choices, steps=1), told.append)
    paths = [f"the path of account {account}" for account in (0, MAX_WHOLE, 2**20 - 1)]
    assert told[-1]["defended"] == {str(header.batch_no): paths}
    assert told[-1]["collected_e6"] == 3 * BOND_E6
    assert len(demands.shown_paths(batch_hash(header))) == 3
    assert demands.open_demands() == []
    assert venue.chain.status_of(header.batch_no) == BatchStatus.COMMITTED
