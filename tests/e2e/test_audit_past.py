"""What contracts announced besides batches is explained by the audit: disputes, freezes, exits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from offchain.adapters.chain_court import ChainCourt
from offchain.adapters.chain_exit import ChainExit
from offchain.adapters.chain_facts import collect_facts
from offchain.adapters.protocol_terms import DEVELOPMENT
from offchain.app.devnet import stake_for
from offchain.app.exit_command import leave
from offchain.core.units import DAY_NS, ONE_E6, SECOND_NS, TimestampNs
from offchain.engine.messages import FundingTick, Liquidate, Withdraw
from offchain.ledger.header import batch_hash, header_digest
from offchain.ledger.keccak import keccak256
from offchain.services.audit import audit
from offchain.services.audit_report import AuditReport
from offchain.services.chain_events import RevertCause
from offchain.services.chain_facts import ChainFacts
from offchain.services.gateway import intent_digest
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.watcher import Watcher
from tests.support.audited import BATCHES, BOB, DAVE, story
from tests.support.devnet import ENGINE_HASH, GAS_WEI, KEEPER, SEQUENCER, Devnet, signer
from tests.support.dishonest import DishonestSequencer
from tests.support.lies import commit, pay_in, withdraw_for_another

WATCHER = signer("watcher")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    with story(tmp_path_factory.mktemp("venue")) as venue:
        yield venue


@pytest.fixture
def venue(told: Devnet) -> Iterator[Devnet]:
    """Give every test the same past, and the chain back afterwards."""
    saved = told.chain.node.request("evm_snapshot")
    try:
        yield told
    finally:
        assert told.chain.node.request("evm_revert", saved)


@pytest.fixture
def liar(venue: Devnet) -> Iterator[DishonestSequencer]:
    sequencer = DishonestSequencer(venue)
    try:
        yield sequencer
    finally:
        sequencer.stop()


def audited(facts: ChainFacts) -> AuditReport:
    return audit(facts, ENGINE_HASH)


def watched(venue: Devnet) -> list[int]:
    """Let a stranger have what is wrong reverted; return the kinds of the faults."""
    chain = venue.chain
    chain.give_gas(WATCHER.address, GAS_WEI)
    chain.mint(WATCHER, 0, WATCHER.address, DEVELOPMENT.bond_e6)
    court = ChainCourt(chain)
    domains = chain.domain("Settlement"), chain.domain("OracleHub")
    seen = Watcher(court, Authenticity(*domains, court.entry), WATCHER).step()
    return [found.kind for found in seen.upheld]


def test_an_upheld_challenge_is_explained_by_the_fault_that_the_replay_finds_too(
    venue: Devnet, liar: DishonestSequencer
) -> None:
    withdraw_for_another(liar)
    assert watched(venue) == [12]
    slashed = audited(collect_facts(venue.chain))
    assert slashed.is_ok, slashed.failed

    stake_for(venue.chain, SEQUENCER, DEVELOPMENT.minimum_stake_e6)
    honest = DishonestSequencer(venue)
    honest.log(FundingTick())
    commit(honest)
    honest.stop()
    facts = collect_facts(venue.chain)
    assert [r.cause for r in facts.reverts] == [RevertCause.ROLLBACK, RevertCause.CHALLENGE]
    assert facts.head == BATCHES + 1
    report = audited(facts)
    assert report.is_ok, report.failed


def test_a_revert_of_an_honest_batch_by_a_judge_is_found(
    venue: Devnet, liar: DishonestSequencer
) -> None:
    withdraw_for_another(liar)
    assert watched(venue) == [12]
    facts = collect_facts(venue.chain)
    wrong = facts.reverts[-1]
    honest = DishonestSequencer(venue)
    honest.log(FundingTick())
    batch = honest.cut()
    honest.stop()
    assert wrong.batch is not None
    was = wrong.batch.header
    number, block_hash = was.l1_block_number, was.l1_block_hash
    header = replace(batch.header, l1_block_number=number, l1_block_hash=block_hash)
    dropped = replace(
        wrong.batch,
        header=header,
        signature=SEQUENCER.sign(header_digest(facts.settlement, header)),
        data=batch.data,
        batch_hash=batch_hash(header),
    )
    altered = replace(wrong, batch=dropped)
    report = audited(replace(facts, reverts=(*facts.reverts[:-1], altered)))
    assert report.failed == ("disputes",)
    (found,) = report.verdicts["disputes"].findings
    assert (found.batch, found.field) == (BATCHES + 1, "CHALLENGE")


def test_liquidations_that_nobody_verified_explain_a_revert(
    venue: Devnet, liar: DishonestSequencer
) -> None:
    liar.price(46_000)
    liar.log(Liquidate(venue.account(DAVE)))
    header = commit(liar)
    liar.later(DEVELOPMENT.verify_window_s + 1)
    venue.chain.send(KEEPER, "Settlement", "revertUnverified", header.values())
    facts = collect_facts(venue.chain)
    assert facts.reverts[-1].cause is RevertCause.UNVERIFIED
    report = audited(facts)
    assert report.is_ok, report.failed

    early = replace(facts.reverts[-1], time_s=facts.reverts[-1].time_s - 2)
    too_early = replace(facts, reverts=(*facts.reverts[:-1], early))
    assert audited(too_early).failed == ("disputes",)


def test_a_venue_that_everybody_left_still_adds_up(venue: Devnet, liar: DishonestSequencer) -> None:
    liar.log(FundingTick())
    commit(liar)
    pay_in(liar)
    chain, way_out = venue.chain, ChainExit(venue.chain)
    chain.give_gas(WATCHER.address, GAS_WEI)
    chance = way_out.outlook().chances[0]
    chain.set_time(chance.possible_at_s * SECOND_NS)
    owners = {leaf.owner for leaf in map(way_out.final_books().leaf, range(7))}
    depositors = {refund.entry.owner for refund in way_out.refunds()}
    for owner in sorted(owners | depositors):
        assert not leave(way_out, WATCHER, owner, freeze=True).refused
    facts = collect_facts(chain)
    assert facts.is_frozen
    assert facts.exits[0] > ONE_E6
    assert facts.reverts[-1].cause is RevertCause.FREEZE
    report = audited(facts)
    assert report.is_ok, report.failed

    more = replace(facts, exits=(facts.exits[0] + 1, *facts.exits[1:]))
    assert set(audited(more).failed) == {"vault", "reserves"}


def test_a_payment_that_the_outflow_cap_kept_back_is_still_owed(
    venue: Devnet, liar: DishonestSequencer
) -> None:
    soon, amount = TimestampNs(venue.now + DAY_NS), 3_000_000 * ONE_E6
    bare = Withdraw(venue.account(BOB), 0, amount, 1 << 40, soon, b"")
    liar.log(replace(bare, signature=BOB.sign(intent_digest(venue.gateway.domain, bare))))
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    liar.finalise(batch.header, batch.totals, batch.checkpoint)
    (output,) = batch.outputs
    venue.chain.claim(KEEPER, batch.header, output, 0, batch.output_proof(0))
    facts = collect_facts(venue.chain)
    assert 0 < facts.vault[0].deferred < amount
    report = audited(facts)
    assert report.is_ok, report.failed


def test_a_batch_of_a_sequencer_without_its_stake_is_found(
    venue: Devnet, liar: DishonestSequencer
) -> None:
    facts = collect_facts(venue.chain)
    asked = replace(facts.stakes[0], change_e6=-1, place=facts.reigns[0].place)
    report = audited(replace(facts, stakes=(asked, *facts.stakes)))
    assert report.failed == ("sequencer",)
    assert {f.batch for f in report.verdicts["sequencer"].findings} == {0, 1, 2, BATCHES}


def test_another_set_than_the_one_in_force_is_found_to_the_second(venue: Devnet) -> None:
    facts = collect_facts(venue.chain)
    first, second = facts.parameters[0], facts.batches[1]
    at = second.time_s - facts.parameter_grace_s
    for time_s, batches in ((at + 1, []), (at, [2, 3])):  # both were committed in one second
        place = replace(first.place, log_index=first.place.log_index + 1)
        following = replace(first, params_hash=keccak256(b"next"), time_s=time_s, place=place)
        report = audited(replace(facts, parameters=(first, following)))
        assert [f.batch for f in report.verdicts["parameters"].findings] == batches
