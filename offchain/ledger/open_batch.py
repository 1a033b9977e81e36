"""The open batch: what has happened since the last cut, and nothing older."""

from dataclasses import dataclass, field

from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.leaf import AccountLeaf
from offchain.ledger.merkle import ListTree
from offchain.ledger.outputs import Output
from offchain.ledger.proving import Opened
from offchain.ledger.witness import LiquidationWitness


@dataclass(frozen=True, slots=True)
class Capture:
    """A liquidation as it was taken, before its place in the batch's trees is known."""

    instruction: Instruction
    epoch_index: int
    leaf: AccountLeaf
    account_proof: tuple[bytes, ...]
    opened: Opened


@dataclass(slots=True)
class OpenBatch:
    """Frames, epochs, liquidations and outputs since the last cut.

    `inbox_from` is the cursor at the last cut, `size` the bytes of all frames.
    """

    inbox_from: int = 0
    time_start_ns: int = 0
    size: int = 0
    frames: list[bytes] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def add_frame(self, frame: bytes, time_ns: int) -> None:
        """Append the frame of a record."""
        if not self.frames:
            self.time_start_ns = time_ns
        self.frames.append(frame)
        self.size += len(frame)

    def epoch_tree(self) -> ListTree:
        """Return the list tree over the epochs."""
        return ListTree.of([epoch_hash(epoch) for epoch in self.epochs])

    def liquidation_tree(self) -> ListTree:
        """Return the list tree over the instructions."""
        return ListTree.of([instruction_hash(c.instruction) for c in self.captures])

    def witnesses(self) -> tuple[LiquidationWitness, ...]:
        """Return every liquidation with its proofs under the two roots."""
        instructions, epochs = self.liquidation_tree(), self.epoch_tree()
        return tuple(
            LiquidationWitness(
                c.instruction,
                index,
                instructions.proof(index),
                self.epochs[c.epoch_index],
                c.epoch_index,
                epochs.proof(c.epoch_index),
                c.leaf,
                c.account_proof,
                c.opened.columns,
                c.opened.collateral,
                c.opened.collateral_proof,
                c.opened.curves,
            )
            for index, c in enumerate(self.captures)
        )
