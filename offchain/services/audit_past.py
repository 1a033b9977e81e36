"""The part of an audit that looks at what contracts announced: who ruled, and what was dropped."""

from collections.abc import Iterator

from offchain.ledger.errors import LedgerError
from offchain.ledger.header import batch_hash, header_digest
from offchain.ledger.signatures import recover
from offchain.services.audit_report import Verdicts
from offchain.services.chain_events import Place, PostedBatch, Reign, Revert, RevertCause
from offchain.services.chain_facts import ChainFacts

ANCHOR_BLOCKS = 256
"""Of so many blocks a contract sees the hashes."""
_NOBODY = Reign(0, bytes(20), Place())


def check_link(facts: ChainFacts, says: Verdicts, posted: PostedBatch, previous: bytes) -> None:
    """Check the header of a batch against its number, its predecessor, its block, its signer."""
    header, number = posted.header, says.batch
    says.expect("chain", header.batch_no == number, f"number {header.batch_no}", "batchNo")
    says.expect("chain", batch_hash(header) == posted.batch_hash, "another hash", "batchHash")
    same = header.prev_batch_hash == previous
    says.expect("chain", same, "another predecessor", "prevBatchHash")
    _check_anchor(says, posted)
    try:
        signer = recover(header_digest(facts.settlement, header), posted.signature)
    except LedgerError as fault:
        says.expect("chain", holds=False, problem=str(fault), name="signature")
        return
    sequencer = reign_at(facts, posted.place).sequencer
    says.expect("chain", signer == sequencer, f"signed by 0x{signer.hex()}", "signature")


def _check_anchor(says: Verdicts, posted: PostedBatch) -> None:
    """Check that a batch names a block of this chain, shortly before its commit.

    The contract sees that only when it takes the commit, perhaps on a branch that was dropped.
    """
    header, block = posted.header, posted.place.block
    named, found = header.l1_block_number, posted.anchor
    is_near = named == found.number and 0 < block - named <= ANCHOR_BLOCKS
    says.expect("chain", is_near, f"block {named} is not before block {block}", "l1BlockNumber")
    same = header.l1_block_hash == found.hash
    says.expect("chain", same, f"block {named} has another hash", "l1BlockHash")


def check_reign(facts: ChainFacts, says: Verdicts, posted: PostedBatch) -> None:
    """Check that a batch is of the epoch in force, and that its sequencer answered for it."""
    reign = reign_at(facts, posted.place)
    ours, theirs = reign.epoch, posted.header.sequencer_epoch
    says.expect("sequencer", ours == theirs, f"epoch {theirs} during {ours}", "sequencerEpoch")
    stake, least = stake_at(facts, reign.sequencer, posted.place), facts.registry.minimum_stake_e6
    says.expect("sequencer", stake >= least, f"a stake of {stake} USD e-6, {least} are due")


def check_registry(facts: ChainFacts, says: Verdicts) -> None:
    """Check that the registry's present follows from its past."""
    end, now = Place(1 << 62), facts.registry
    reign = reign_at(facts, end)
    same = (reign.sequencer, reign.epoch) == (now.sequencer, now.epoch)
    says.expect("sequencer", same, f"the registry is in epoch {now.epoch}, not {reign.epoch}")
    is_bonded = stake_at(facts, now.sequencer, end) >= now.minimum_stake_e6
    problem = f"bonded on chain: {now.is_bonded}, by what was staked: {is_bonded}"
    says.expect("sequencer", is_bonded == now.is_bonded, problem)


def reign_at(facts: ChainFacts, place: Place) -> Reign:
    """Return who the sequencer was at a place; the zero address when nobody was."""
    reign = _NOBODY
    for begun in facts.reigns:
        if begun.place > place:
            break
        reign = begun
    return reign


def stake_at(facts: ChainFacts, owner: bytes, place: Place) -> int:
    """Return what counted as somebody's bond at a place. [USD e-6]"""
    stake = 0
    for move in facts.stakes:
        if move.place > place:
            break
        if move.owner == owner:
            stake = 0 if move.change_e6 is None else stake + move.change_e6
    return stake


def check_reverts(facts: ChainFacts, says: Verdicts) -> None:
    """Check that each revert has its cause, and each upheld challenge its revert."""
    for revert in facts.reverts:
        says.batch = revert.first
        for problem in _unexplained(facts, revert):
            says.expect("disputes", holds=False, problem=problem, name=revert.cause.name)
        says.expect("disputes", holds=True, problem="")
    reverted = {r.batch_hash for r in facts.reverts if r.cause is RevertCause.CHALLENGE}
    slashed = {m.place.block for m in facts.stakes if m.change_e6 is None}
    for upheld in facts.upheld:
        says.batch = upheld.batch_no
        has_gone = upheld.batch_hash in reverted
        says.expect("disputes", has_gone, "a challenge was upheld and the batch stayed")
        was_slashed = upheld.place.block in slashed
        says.expect("disputes", was_slashed, "a challenge was upheld and nobody paid for it")
    says.batch = 0


def _unexplained(facts: ChainFacts, revert: Revert) -> Iterator[str]:
    """Yield what speaks against the cause of a revert."""
    if revert.first + len(revert.hashes) != revert.last + 1:
        yield f"{revert.first} to {revert.last} dropped, {len(revert.hashes)} were committed"
    if revert.cause is RevertCause.CHALLENGE:
        if all(upheld.batch_hash != revert.batch_hash for upheld in facts.upheld):
            yield "dropped for a fault that no judge upheld"
    elif revert.cause is RevertCause.UNVERIFIED:
        yield from _unverified(facts, revert)
    elif revert.cause is RevertCause.FREEZE and not facts.is_frozen:
        yield "dropped by a freeze that did not happen"


def _unverified(facts: ChainFacts, revert: Revert) -> Iterator[str]:
    if revert.batch is None:
        yield "dropped as unverified, and nobody serves it"
        return
    done = sum(batch == revert.batch_hash for batch, _ in facts.verified)
    if done >= revert.batch.header.liquidation_count:
        yield "dropped as unverified, and every liquidation was verified"
    if revert.time_s < revert.batch.time_s + facts.verify_window_s:
        yield "dropped as unverified, before the time for it was over"
