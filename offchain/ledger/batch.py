"""A closed batch: its header and everything that the header commits to."""

from dataclasses import dataclass

from offchain.ledger.epoch import Epoch
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.instruction import Instruction
from offchain.ledger.merkle import list_proof
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.terms import Terms
from offchain.ledger.totals import Totals
from offchain.ledger.witness import LiquidationWitness


@dataclass(frozen=True, slots=True)
class Batch:
    """What the batcher posts and keepers, claimants and auditors ask for.

    Attributes
    ----------
    header : BatchHeader
        Not signed yet.
    data : bytes
        The frames of the batch, one after another.
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
    """

    header: BatchHeader
    data: bytes
    witnesses: tuple[LiquidationWitness, ...]
    outputs: tuple[Output, ...]
    epochs: tuple[Epoch, ...]
    totals: Totals
    terms: Terms
    curves_hash: bytes

    @property
    def hash(self) -> bytes:
        """The batch hash."""
        return batch_hash(self.header)

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The liquidation instructions, in the order of `liquidation_root`."""
        return tuple(witness.instruction for witness in self.witnesses)

    def output_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the siblings of output `index`; EncodingError when there is none."""
        return list_proof([output_hash(output) for output in self.outputs], index)
