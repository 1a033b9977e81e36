"""A sequencer that lies: it holds the sequencer's key, an honest past, and no scruples.

Two liars. `DishonestSequencer` commits to the real contracts, which refuse what they can see.
`rewritten` imagines contracts that believed everything: the whole past is derived again from an
altered log, so that header, hashes and signatures agree, and only the lie itself is left to find.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from offchain.adapters.chain import Chain
from offchain.core.units import SECOND_NS
from offchain.engine.events import Event
from offchain.engine.messages import Command
from offchain.engine.reasons import Rejected
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.header import BatchHeader, batch_hash, header_digest
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import list_root
from offchain.ledger.totals import Totals
from offchain.ledger.trace import Step, step_hash
from offchain.ledger.trace_data import encode_trace, posted_records
from offchain.ledger.typed_data import attestation_digest
from offchain.ledger.wire import Record
from offchain.services.attestation import attestation_proof
from offchain.services.chain_events import InsuranceMove, PostedBatch, VerifiedLiquidation
from offchain.services.chain_facts import ChainFacts
from offchain.services.ports import TransactionReceipt
from offchain.services.replica import cut_as_posted
from tests.support.devnet import ATTESTOR, ENGINE_HASH, KEEPER, SEQUENCER, WINDOW_S, Devnet

Edit = Callable[[int, Record], Iterable[Command]]


class Refused(Exception):  # noqa: N818 - an answer of the engine to an altered log
    """The engine itself does not take the altered log."""


class DishonestSequencer:
    """Goes on where the honest one stands, with a copy of its journal and its key."""

    def __init__(self, venue: Devnet) -> None:
        self.venue, self._now = venue, venue.now
        self.journal = Journal.restore(venue.sequencer.journal.snapshot())
        self.chain = Chain(venue.anvil.url, venue.deployment)

    def stop(self) -> None:
        """Give the venue its time back; the chain is put back by whoever took the snapshot."""
        self.venue.now = self._now
        self.chain.close()

    def log(self, command: Command) -> tuple[Event, ...]:
        """Log a command without asking the gate, and nothing besides it."""
        record = Record(self.journal.state.last_seq + 1, self.venue.now, 1, command)
        outcome = self.journal.apply(record)
        if isinstance(outcome, Rejected):
            raise Refused(str(outcome))
        return outcome

    def price(self, btc_usd: int) -> None:
        """Log an honest price, twice when the first is outside the band, and no liquidation."""
        self.log(self.venue.report(btc_usd))
        if self.journal.state.market.pending is not None:
            self.later(60)
            self.log(self.venue.report(btc_usd))

    def later(self, seconds: int) -> None:
        """Let time pass, here and on chain."""
        self.venue.now += seconds * SECOND_NS
        self.chain.set_time(self.venue.now)

    def cut(self) -> Batch:
        """Close the open batch."""
        return self.journal.cut(ENGINE_HASH, self.chain.anchor(confirmations=1))

    def commit(self, header: BatchHeader, data: bytes) -> TransactionReceipt:
        """Sign any header and commit it with any data."""
        signature = SEQUENCER.sign(header_digest(self.chain.domain("Settlement"), header))
        return self.chain.commit(SEQUENCER, header, signature, data)

    def finalise(
        self, header: BatchHeader, totals: Totals, checkpoint: CheckpointRoot
    ) -> TransactionReceipt:
        """Make a batch final, after its window, with an attestor who vouches for anything."""
        self.later(WINDOW_S + 1)
        return self.chain.finalise(KEEPER, header, totals, checkpoint, self.attested(header))

    def attested(self, header: BatchHeader) -> bytes:
        """Return the proof of an attestor who vouches for anything."""
        digest = attestation_digest(self.chain.domain("AttestedVerifier"), batch_hash(header))
        return attestation_proof({ATTESTOR.address: ATTESTOR.sign(digest)})


def with_data(header: BatchHeader, data: bytes) -> BatchHeader:
    """Return a header that commits to other data."""
    return replace(header, da_hash=keccak256(data), da_length=len(data))


def with_trace(
    batch: Batch, frames: Sequence[bytes], steps: Sequence[Step], words: Sequence[bytes]
) -> tuple[BatchHeader, bytes]:
    """Return header and data of a batch that claims another trace, which add up."""
    data = b"".join(frames) + encode_trace(batch.previous, steps, words)
    root = list_root([step_hash(step) for step in steps])
    header = replace(with_data(batch.header, data), trace_root=root, step_count=len(steps))
    return header, data


def posted(facts: ChainFacts, number: int, header: BatchHeader, data: bytes) -> PostedBatch:
    """Return a batch as the chain would hold it in the place of another, signed as that was."""
    signature = SEQUENCER.sign(header_digest(facts.settlement, header))
    was = facts.batches[number - 1]
    return replace(
        was, header=header, signature=signature, data=data, batch_hash=batch_hash(header)
    )


def reposted(facts: ChainFacts, number: int, header: BatchHeader, data: bytes) -> ChainFacts:
    """Return facts in which one batch is another one, properly signed."""
    batches = list(facts.batches)
    batches[number - 1] = posted(facts, number, header, data)
    return replace(facts, batches=tuple(batches))


def resigned(facts: ChainFacts, number: int, **fields: object) -> ChainFacts:
    """Return facts in which the header of one batch has other fields and a good signature."""
    was = facts.batches[number - 1]
    return reposted(facts, number, replace(was.header, **fields), was.data)  # type: ignore[arg-type]


def rewritten(facts: ChainFacts, edit: Edit) -> ChainFacts:
    """Return the facts of contracts that believed an altered log.

    Parameters
    ----------
    edit : callable
        Takes batch number and record, returns the commands that stand in its place.

    Raises
    ------
    Refused
        The engine does not take the altered log.
    """
    journal, batches = Journal(), []
    for number, was in enumerate(facts.batches, start=1):
        for record in posted_records(was.header, was.data):
            for command in edit(number, record):
                seq = journal.state.last_seq + 1
                outcome = journal.apply(replace(record, seq=seq, command=command))
                if isinstance(outcome, Rejected):
                    raise Refused(f"record {seq}: {outcome}")
        batches.append(cut_as_posted(journal, facts.engine_hash, was.header))
    return _believed(facts, batches)


def _believed(facts: ChainFacts, batches: Sequence[Batch]) -> ChainFacts:
    final = batches[: facts.finalised]
    totals = {batch.header.batch_no: batch.totals for batch in final}
    insurance, verified = {}, {}
    before: Totals | None = None
    for number, now in totals.items():
        insurance[number] = InsuranceMove(
            now.insurance_e6,
            now.contributed_e6 - (before.contributed_e6 if before else 0),
            now.drawn_e6 - (before.drawn_e6 if before else 0),
            now.shortfall_e6 - (before.shortfall_e6 if before else 0),
        )
        before = now
    for batch in final:
        for index, witness in enumerate(batch.witnesses):
            found = witness.check(batch.header, batch.terms, batch.curves_hash)
            step = witness.instruction
            verified[batch.hash, index] = VerifiedLiquidation(step.account, step.tier, *found)
    return replace(
        facts,
        batches=tuple(posted(facts, b.header.batch_no, b.header, b.data) for b in batches),
        head=len(batches),
        checkpoint=(final[-1].header.batch_no, final[-1].header.checkpoint_root),
        totals=totals,
        insurance=insurance,
        verified=verified,
    )
