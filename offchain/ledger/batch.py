"""A closed batch: its header and everything that the header commits to."""

from dataclasses import dataclass

from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.epoch import Epoch
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.inbox import InboxEntry
from offchain.ledger.instruction import Instruction
from offchain.ledger.merkle import list_proof
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.ledger.trace import Book, Step, step_hash
from offchain.ledger.witness import LiquidationWitness


@dataclass(frozen=True, slots=True)
class Batch:
    """What the batcher posts and keepers, claimants and auditors ask for.

    Attributes
    ----------
    header : BatchHeader
        Not signed yet.
    data : bytes
        As posted: the frames of the batch, one after another, then its trace.
    witnesses : tuple of LiquidationWitness
        One for each liquidation, in the order of `liquidation_root`.
    outputs : tuple of Output
        In the order of `output_root`.
    epochs : tuple of Epoch
        The one in force when the batch opened, if any, and those that began in it.
    totals : Totals
        At the end of the batch.
    terms : Terms
        Of the parameter set in force.
    curves_hash : bytes
        Of its packed tier curves.
    previous, previous_book : Step, Book
        The last step before the batch, and the book behind it.
    steps : tuple of Step
        One for each record, in the order of `trace_root`.
    words : tuple of bytes
        The effect words of each record.
    entries : tuple of InboxEntry
        The entries of the inbox that were consumed.
    checkpoint : CheckpointRoot
        What `checkpoint_root` is the hash of; leaves and paths are the journal's.
    """

    header: BatchHeader
    data: bytes
    witnesses: tuple[LiquidationWitness, ...]
    outputs: tuple[Output, ...]
    epochs: tuple[Epoch, ...]
    totals: Totals
    terms: Terms
    curves_hash: bytes
    previous: Step
    previous_book: Book
    steps: tuple[Step, ...]
    words: tuple[bytes, ...]
    entries: tuple[InboxEntry, ...]
    checkpoint: CheckpointRoot

    @property
    def log(self) -> bytes:
        """The frames alone, which are the records of the batch."""
        return self.data[: self.steps[-1].data_end]

    @property
    def hash(self) -> bytes:
        """The batch hash."""
        return batch_hash(self.header)

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The liquidation instructions, in the order of `liquidation_root`."""
        return tuple(witness.instruction for witness in self.witnesses)

    def step_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of step `index`; EncodingError when there is none."""
        return list_proof([step_hash(step) for step in self.steps], index)

    def output_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of output `index`; EncodingError when there is none."""
        return list_proof([output_hash(output) for output in self.outputs], index)
