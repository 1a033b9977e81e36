"""Closing a batch: the header over everything that happened since the last cut."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import Checkpoint, check_checkpoint
from offchain.ledger.header import (
    DATA_KIND_BLOBS,
    DATA_KIND_CALLDATA,
    PROOF_KIND_ATTESTED,
    SCHEMA,
    BatchHeader,
)
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import list_root
from offchain.ledger.outputs import output_hash
from offchain.ledger.terms import curves_hash, terms
from offchain.ledger.totals import Totals, check_conservation, totals_hash, totals_of

if TYPE_CHECKING:
    from offchain.ledger.journal import Journal

DataHash = Callable[[bytes], bytes]
"""What `da_hash` is when the data goes into blobs."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A recent block of the chain that has every entry consumed; without one, zeros."""

    number: int = 0
    hash: bytes = ZERO32


NO_ANCHOR = Anchor()


@dataclass(frozen=True, slots=True)
class Terminus:
    """What is given to a batch from outside when it closes.

    Attributes
    ----------
    engine_hash : bytes
        Of the program that made it.
    anchor : Anchor
        The block that the header names.
    blob_hash : callable or None
        Given, the data goes into blobs, and this is the hash over it; else into calldata.
    has_checkpoint : bool
        The header names the checkpoint; where it must, it does in any case.
    """

    engine_hash: bytes
    anchor: Anchor = NO_ANCHOR
    blob_hash: DataHash | None = None
    has_checkpoint: bool = True


def may_lack_checkpoint(header: BatchHeader) -> bool:
    """Tell whether the checkpoint root may be zero: nothing comes in and nothing goes out."""
    return header.inbox_to == header.inbox_from and header.output_root == ZERO32


def close(journal: "Journal", terminus: Terminus, checkpoint: Checkpoint) -> Batch:
    """Return the open batch of a journal, closed; the journal stays as it is.

    Raises
    ------
    ConservationError
        SOL-1 is broken, or the checkpoint owes something else than the book holds.
    """
    totals = totals_of(journal.state)
    check_conservation(totals)
    check_checkpoint(checkpoint.root.sums, totals)
    batch, data, rules = journal.open, journal.open.data(), journal.state.rules
    header = _header(journal, terminus, data, totals, checkpoint.root.hash)
    if not terminus.has_checkpoint and may_lack_checkpoint(header):
        header = replace(header, checkpoint_root=ZERO32)
    return Batch(
        header,
        data,
        batch.witnesses(),
        tuple(batch.outputs),
        tuple(batch.epochs),
        totals,
        terms(rules),
        curves_hash(rules),
        batch.previous,
        batch.previous_book,
        tuple(batch.steps),
        tuple(batch.words),
        batch.entries(),
        checkpoint.root,
    )


def _header(
    journal: "Journal", terminus: Terminus, data: bytes, totals: Totals, checkpoint_root: bytes
) -> BatchHeader:
    batch, columns, hash_of_totals = journal.open, journal.columns, totals_hash(totals)
    blob_hash = terminus.blob_hash
    return BatchHeader(
        schema=SCHEMA,
        batch_no=journal.batch_no,
        prev_batch_hash=journal.prev_batch_hash,
        prev_state_root=journal.prev_state_root,
        state_root=journal.state_root_with(hash_of_totals),
        checkpoint_root=checkpoint_root,
        input_log_hash=journal.tip,
        trace_root=batch.trace_tree().root,
        step_count=len(batch.steps),
        da_hash=blob_hash(data) if blob_hash else keccak256(data),
        da_length=len(data),
        da_kind=DATA_KIND_BLOBS if blob_hash else DATA_KIND_CALLDATA,
        output_root=list_root([output_hash(output) for output in batch.outputs]),
        liquidation_root=batch.liquidation_tree().root,
        liquidation_count=len(batch.captures),
        adl_root=ZERO32,
        inbox_from=batch.inbox_from,
        inbox_to=journal.state.inbox_cursor,
        inbox_prefix_hash=journal.inbox_prefix,
        epoch_root=batch.epoch_tree().root,
        price_root=columns.price_root if columns else ZERO32,
        risk_root=columns.risk_root if columns else ZERO32,
        params_hash=journal.params_hash,
        engine_hash=terminus.engine_hash,
        l1_block_number=terminus.anchor.number,
        l1_block_hash=terminus.anchor.hash,
        time_start_ns=batch.time_start_ns,
        time_end_ns=journal.state.time_ns,
        totals_hash=hash_of_totals,
        sequencer_epoch=journal.fence,
        proof_kind=PROOF_KIND_ATTESTED,
    )
