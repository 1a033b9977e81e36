"""The open batch: what has happened since the last cut, and nothing older."""

from dataclasses import dataclass, field

from offchain.engine.messages import Deposit, Forced
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.inbox import InboxEntry, entry_of
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.leaf import AccountLeaf
from offchain.ledger.merkle import ListTree
from offchain.ledger.outputs import Output
from offchain.ledger.proving import Opened
from offchain.ledger.trace import GENESIS_BOOK, GENESIS_STEP, Book, Step, step_hash
from offchain.ledger.trace_data import encode_step_data
from offchain.ledger.wire import TYPE_AT, decode_record, type_of
from offchain.ledger.witness import LiquidationWitness

_CONSUMES = frozenset({type_of(Deposit), type_of(Forced)})


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
    """Frames, steps, epochs, liquidations and outputs since the last cut.

    Attributes
    ----------
    inbox_from : int
        The cursor at the last cut.
    previous, previous_book : Step, Book
        The last step before the batch, and the book behind it.
    size, trace_size : int
        Bytes of all frames, and of the trace as it is posted behind them.
    words : list of bytes
        The effect words of each record.
    trace : list of bytes
        What is posted of each step.
    """

    inbox_from: int = 0
    time_start_ns: int = 0
    previous: Step = GENESIS_STEP
    previous_book: Book = GENESIS_BOOK
    size: int = 0
    trace_size: int = 0
    frames: list[bytes] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    words: list[bytes] = field(default_factory=list)
    trace: list[bytes] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def add_frame(self, frame: bytes, time_ns: int) -> None:
        """Append the frame of a record."""
        if not self.frames:
            self.time_start_ns = time_ns
        self.frames.append(frame)
        self.size += len(frame)

    @property
    def last_step(self) -> Step:
        """The step after the last record, in this batch or before it."""
        return self.steps[-1] if self.steps else self.previous

    def add_step(self, step: Step, words: bytes) -> None:
        """Append what follows from the record whose frame was added last."""
        posted = encode_step_data(self.last_step, step, words)
        self.steps.append(step)
        self.words.append(words)
        self.trace.append(posted)
        self.trace_size += len(posted)

    def data(self) -> bytes:
        """Return what is posted: frames, then trace."""
        return b"".join(self.frames) + b"".join(self.trace)

    def entries(self) -> tuple[InboxEntry, ...]:
        """Return the entries of the inbox that the records consume."""
        commands = [decode_record(f)[0].command for f in self.frames if f[TYPE_AT] in _CONSUMES]
        return tuple(entry_of(c) for c in commands if isinstance(c, Deposit | Forced))

    def trace_tree(self) -> ListTree:
        """Return the list tree over the steps."""
        return ListTree.of([step_hash(step) for step in self.steps])

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
