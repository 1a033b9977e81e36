"""For each check of the audit a fault that it alone finds."""

from dataclasses import replace

from offchain.core.units import AccountId
from offchain.engine.messages import (
    Command,
    Liquidate,
    PlaceOrder,
    PriceReport,
)
from offchain.ledger.inbox import entry_hash, prefix_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import list_root
from offchain.ledger.trace import GENESIS_STEP, NO_EFFECTS, Step, step_hash
from offchain.ledger.trace_data import PostedStep, decode_posted, encode_trace
from offchain.ledger.wire import Record
from offchain.services.chain_events import (
    RevertCause,
)
from offchain.services.chain_facts import ChainFacts
from offchain.services.gateway import intent_digest
from offchain.services.ports import InboxEntry
from tests.support.altered_facts import MALLORY, OTHER, Alter, on_claim, on_vault, set_out_of_force
from tests.support.audited import BATCHES
from tests.support.dishonest import (
    posted,
    reposted,
    resigned,
    rewritten,
    with_data,
)


def bad_signature(facts: ChainFacts) -> ChainFacts:
    batches = list(facts.batches)
    batches[1] = replace(batches[1], signature=facts.batches[0].signature)
    return replace(facts, batches=tuple(batches))


def epoch_of_another(facts: ChainFacts) -> ChainFacts:
    reign = facts.reigns[0]
    later = replace(reign, epoch=reign.epoch + 1)
    return replace(facts, reigns=(later,), registry=replace(facts.registry, epoch=later.epoch))


def trailing_byte(facts: ChainFacts) -> ChainFacts:
    last = facts.batches[-1]
    return replace(facts, batches=(*facts.batches[:-1], replace(last, data=last.data + b"\0")))


def other_engine(facts: ChainFacts) -> ChainFacts:
    """Pin another engine, and let every batch name it: all that hangs on their hashes follows."""
    pinned, now = keccak256(b"another engine"), {}
    batches, previous = [], ZERO32
    for was in facts.batches:
        header = replace(was.header, engine_hash=pinned, prev_batch_hash=previous)
        batches.append(posted(facts, header.batch_no, header, was.data))
        previous = now[was.batch_hash] = batches[-1].batch_hash
    verified = {(now[of_batch], index): v for (of_batch, index), v in facts.verified.items()}
    return replace(facts, engine_hash=pinned, batches=tuple(batches), verified=verified)


def other_state_root(facts: ChainFacts) -> ChainFacts:
    return resigned(facts, BATCHES, state_root=keccak256(b"another state"))


def other_effects(facts: ChainFacts) -> ChainFacts:
    """Post a trace in which the last record with effects has none, and hashes to fit."""
    was, steps = facts.batches[-1], posted_steps(facts)
    changed = max(place for place, of in enumerate(steps) if of.words)
    steps[changed] = PostedStep(
        replace(steps[changed].step, effects_hash=NO_EFFECTS), steps[changed].frame, b""
    )
    data = b"".join(of.frame for of in steps)
    data += encode_trace(last_step(facts), [of.step for of in steps], [of.words for of in steps])
    root = list_root([step_hash(of.step) for of in steps])
    header = replace(with_data(was.header, data), trace_root=root)
    return reposted(facts, BATCHES, header, data)


def posted_steps(facts: ChainFacts) -> list[PostedStep]:
    was = facts.batches[-1]
    return list(decode_posted(was.data, was.header.step_count, last_step(facts)))


def last_step(facts: ChainFacts) -> Step:
    """Return the step before the last batch."""
    last = GENESIS_STEP
    for was in facts.batches[:-1]:
        last = decode_posted(was.data, was.header.step_count, last)[-1].step
    return last


def other_checkpoint(facts: ChainFacts) -> ChainFacts:
    return replace(facts, checkpoint=(facts.checkpoint[0], OTHER))


def unjust_revert(facts: ChainFacts) -> ChainFacts:
    """Let a batch be dropped as unverified in which everything was verified."""
    (was,) = facts.reverts
    return replace(facts, reverts=(replace(was, cause=RevertCause.UNVERIFIED),))


def unbooked_deposit(facts: ChainFacts) -> ChainFacts:
    """Let a dollar come in and go out again that neither inbox nor claims know."""
    return on_vault(0, deposited=1, released=1)(facts)


def other_depositor(facts: ChainFacts) -> ChainFacts:
    return replace(facts, inbox=inbox([replace(facts.inbox[0], owner=MALLORY.address)], facts))


def inbox(first: list[InboxEntry], facts: ChainFacts) -> tuple[InboxEntry, ...]:
    """Return an inbox that begins differently, with the prefix hashes that belong to it."""
    entries, prefix = [], ZERO32
    for e in [*first, *facts.inbox[len(first) :]]:
        prefix = prefix_hash(prefix, entry_hash(e.content()))
        entries.append(replace(e, prefix=prefix))
    return tuple(entries)


def forged_order(facts: ChainFacts) -> ChainFacts:
    def edit(_number: int, record: Record) -> list[Command]:
        command = record.command
        if isinstance(command, PlaceOrder):
            digest = intent_digest(facts.settlement, command)
            command = replace(command, signature=MALLORY.sign(digest))
        return [command]

    return rewritten(facts, edit)


def forged_report(facts: ChainFacts) -> ChainFacts:
    def edit(_number: int, record: Record) -> list[Command]:
        command = record.command
        if isinstance(command, PriceReport):
            first, *rest = command.observations
            command = replace(
                command, observations=(replace(first, signature=rest[0].signature), *rest)
            )
        return [command]

    return rewritten(facts, edit)


def unverified_liquidation(facts: ChainFacts) -> ChainFacts:
    return replace(facts, verified=dict(list(facts.verified.items())[1:]))


def spared_account(facts: ChainFacts) -> ChainFacts:
    last = list(facts.verified.values())[-1].account

    def edit(_number: int, record: Record) -> list[Command]:
        is_last = record.command == Liquidate(AccountId(last))
        return [] if is_last else [record.command]

    return rewritten(facts, edit)


def moved_fund(facts: ChainFacts) -> ChainFacts:
    move = replace(facts.insurance[2], drawn_e6=facts.insurance[2].drawn_e6 + 1)
    return replace(facts, insurance={**facts.insurance, 2: move})


def paid_differently(facts: ChainFacts) -> ChainFacts:
    """Pay somebody else: the sums are what they should be."""
    return on_claim(owner=MALLORY.address)(facts)


def missing_dollar(facts: ChainFacts) -> ChainFacts:
    return on_vault(0, held=facts.vault[0].booked - facts.vault[0].held - 1)(facts)


FAULTS: dict[str, Alter] = {
    "chain": bad_signature,
    "sequencer": epoch_of_another,
    "data": trailing_byte,
    "parameters": set_out_of_force,
    "engine": other_engine,
    "replay": other_state_root,
    "trace": other_effects,
    "checkpoint": other_checkpoint,
    "inbox": other_depositor,
    "intents": forged_order,
    "oracle": forged_report,
    "liquidations": unverified_liquidation,
    "completeness": spared_account,
    "disputes": unjust_revert,
    "insurance": moved_fund,
    "claims": paid_differently,
    "vault": unbooked_deposit,
    "reserves": missing_dollar,
}
