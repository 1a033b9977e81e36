"""What a dishonest sequencer may try and no contract takes: each function tells one such lie."""

from dataclasses import replace

from offchain.engine.messages import FundingTick
from offchain.ledger.keccak import keccak256
from tests.support.devnet import KEEPER
from tests.support.dishonest import DishonestSequencer
from tests.support.lies import MALLORY, Lie, commit, pay_in, take_in


def with_fields(**fields: object) -> Lie:
    def lie(liar: DishonestSequencer) -> object:
        liar.log(FundingTick())
        return commit(liar, **fields)

    return lie


def without_a_checkpoint(liar: DishonestSequencer) -> object:
    pay_in(liar)
    take_in(liar)
    return commit(liar, checkpoint_root=bytes(32))


def post_other_data(liar: DishonestSequencer) -> object:
    liar.log(FundingTick())
    batch = liar.cut()
    return liar.commit(batch.header, batch.data[:-1] + b"\xff")


def skip_and_invent_the_prefix(liar: DishonestSequencer) -> object:
    count = pay_in(liar)
    liar.log(FundingTick())
    return commit(liar, inbox_to=count, inbox_prefix_hash=keccak256(b"invented"))


def leave_a_gap_in_the_inbox(liar: DishonestSequencer) -> object:
    count = pay_in(liar)
    liar.log(FundingTick())
    prefix = liar.chain.inbox_prefix(count)
    return commit(liar, inbox_from=count, inbox_to=count, inbox_prefix_hash=prefix)


def claim_again(liar: DishonestSequencer) -> object:
    claim = liar.venue.batcher.claim(1)
    assert claim is not None
    return liar.chain.claim(KEEPER, claim.header, claim.output, claim.index, claim.proof)


def finalise_without_attestors(liar: DishonestSequencer) -> object:
    liar.log(FundingTick())
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    liar.later(31)
    nobody = bytes(31) + b"\x20" + bytes(32)  # an empty list of signatures
    return liar.chain.finalise(KEEPER, batch.header, batch.totals, batch.checkpoint, nobody)


def finalise_before_the_window_ends(liar: DishonestSequencer) -> object:
    liar.log(FundingTick())
    batch = liar.cut()
    liar.commit(batch.header, batch.data)
    proof = liar.attested(batch.header)
    return liar.chain.finalise(KEEPER, batch.header, batch.totals, batch.checkpoint, proof)


def report_to_the_hub_unsigned(liar: DishonestSequencer) -> object:
    report = liar.venue.report(84_000)
    seen = replace(report.observations[0], signature=MALLORY.sign(bytes(32)))
    return liar.chain.submit_report(
        KEEPER, replace(report, observations=(seen, *report.observations[1:]))
    )
