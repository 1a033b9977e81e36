"""Batches as they were posted: their steps, with what opens them under their headers."""

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from functools import cached_property

from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import ListTree
from offchain.ledger.trace import GENESIS_STEP, Step, step_hash
from offchain.ledger.trace_data import PostedStep, decode_posted
from offchain.ledger.wire import PREFIX_BYTES, TYPE_AT, decode_record
from offchain.services.watch.shapes import Value

SEQ_BYTES = 8
MAX_READ = 64
"""Batches that are kept whole; others are read again when a record of theirs is needed."""
_TIME_END = 16


@dataclass(frozen=True, slots=True)
class Ending:
    """The last step of a batch, with what opens it; before batch 1 there is no header."""

    step: Step
    proof: tuple[bytes, ...]
    header: BatchHeader | None


GENESIS = Ending(GENESIS_STEP, (), None)
"""Before batch 1."""


@dataclass(frozen=True)
class PostedTrace:
    """A committed batch of which every step was posted.

    Attributes
    ----------
    header : BatchHeader
        As committed.
    data : bytes
        As posted.
    before : Ending
        Of the batch before.
    steps : tuple of PostedStep
        As the data gives them.
    """

    header: BatchHeader
    data: bytes
    before: Ending
    steps: tuple[PostedStep, ...]

    @cached_property
    def tree(self) -> ListTree:
        """The tree over the steps as posted; its root need not be the header's."""
        return ListTree.of([step_hash(posted.step) for posted in self.steps])

    @property
    def is_committed(self) -> bool:
        """Whether the header commits to the trace that was posted."""
        return self.tree.root == self.header.trace_root

    @property
    def last_index(self) -> int:
        """Place of the last step."""
        return len(self.steps) - 1

    def ending(self) -> Ending:
        """Return the last step, for the batch after."""
        last = self.last_index
        return Ending(self.steps[last].step, self.tree.proof(last), self.header)

    def previous(self, index: int) -> Step:
        """Return the step before the one at a place."""
        return self.steps[index - 1].step if index else self.before.step

    def pair(self, index: int) -> Value:
        """Return a `StepPair`."""
        header = self.before.header
        is_across = index == 0 and header is not None
        proof = self.tree.proof(index - 1) if index else self.before.proof
        return (
            astuple(self.previous(index)),
            astuple(self.steps[index].step),
            index,
            proof,
            self.tree.proof(index),
            (header.values(),) if is_across and header is not None else (),
        )

    def record(self, index: int) -> Value:
        """Return a `RecordOpening`."""
        posted = self.steps[index]
        return self.pair(index), posted.frame, posted.words

    def opening(self, index: int) -> Value:
        """Return a `StepOpening`."""
        return astuple(self.steps[index].step), index, self.tree.proof(index)

    def bounds(self) -> Value:
        """Return `TraceBounds`."""
        header, last = self.before.header, self.last_index
        return (
            astuple(self.before.step),
            self.before.proof,
            () if header is None else (header.values(),),
            astuple(self.steps[last].step),
            self.tree.proof(last),
        )

    def past(self, index: int, *, is_same_batch: bool) -> Value:
        """Return a `PastRecord`, as a batch that disputes it or one after it names it."""
        header = () if is_same_batch else (self.header.values(),)
        return header, self.opening(index), self.steps[index].frame


def seq_of(frame: bytes) -> int:
    """Return the sequence number in the head of a frame."""
    return int.from_bytes(frame[:SEQ_BYTES])


def time_of(frame: bytes) -> int:
    """Return the time in the head of a frame. [ns]"""
    return int.from_bytes(frame[SEQ_BYTES:_TIME_END])


def type_of_frame(frame: bytes) -> int:
    """Return the record type in the head of a frame."""
    return frame[TYPE_AT]


def field(frame: bytes, offset: int, size: int) -> int:
    """Return a number of the payload; zero where the payload has ended."""
    start = PREFIX_BYTES + offset
    return int.from_bytes(frame[start : start + size])


@dataclass(frozen=True, slots=True)
class PastRecord:
    """A record that stands before another one, in the same batch or in one before."""

    trace: PostedTrace
    index: int
    is_same_batch: bool

    @property
    def value(self) -> Value:
        """The `PastRecord` of evidence."""
        return self.trace.past(self.index, is_same_batch=self.is_same_batch)

    @property
    def step(self) -> Step:
        """Its step."""
        return self.trace.steps[self.index].step

    @property
    def frame(self) -> bytes:
        """Its frame."""
        return self.trace.steps[self.index].frame

    @property
    def words(self) -> bytes:
        """Its effect words."""
        return self.trace.steps[self.index].words

    @property
    def batch_no(self) -> int:
        """Number of its batch."""
        return self.trace.header.batch_no


class Archive:
    """Earlier batches, read back from the chain when an accusation needs a record of theirs.

    Parameters
    ----------
    posted : callable
        Returns header and posted data of a committed batch.

    Of each batch the last step is kept, of some also the rest.
    """

    def __init__(self, posted: Callable[[int], tuple[BatchHeader, bytes]]) -> None:
        self._posted = posted
        self._endings: list[Ending] = [GENESIS]
        self._read: dict[int, PostedTrace] = {}

    @property
    def count(self) -> int:
        """How many batches are known."""
        return len(self._endings) - 1

    @property
    def last(self) -> Ending:
        """The end of the last batch that is known."""
        return self._endings[-1]

    def add(self, trace: PostedTrace) -> None:
        """Take in the next batch, every step of which was replayed."""
        self._endings.append(trace.ending())
        self._keep(trace)

    def drop_from(self, batch_no: int) -> None:
        """Forget a batch that was reverted, and all after it."""
        del self._endings[batch_no:]
        self._read = {n: trace for n, trace in self._read.items() if n < batch_no}

    def batch(self, batch_no: int) -> PostedTrace:
        """Return a batch that is known."""
        read = self._read.get(batch_no)
        if read is None:
            header, data = self._posted(batch_no)
            before = self._endings[batch_no - 1]
            steps = decode_posted(data, header.step_count, before.step)
            read = PostedTrace(header, data, before, steps)
            self._keep(read)
        return read

    def _keep(self, trace: PostedTrace) -> None:
        """Keep a batch at hand, and give up the one that was kept longest."""
        if len(self._read) >= MAX_READ:
            del self._read[next(iter(self._read))]
        self._read[trace.header.batch_no] = trace

    def backward(self, trace: PostedTrace, index: int) -> Iterator[PastRecord]:
        """Yield the records before a place, the nearest first, back to genesis."""
        yield from _backward(trace, index, is_same_batch=True)
        for batch_no in range(trace.header.batch_no - 1, 0, -1):
            earlier = self.batch(batch_no)
            yield from _backward(earlier, len(earlier.steps), is_same_batch=False)

    def journal_after(self, batch_no: int, index: int, trace: PostedTrace) -> Journal:
        """Return the journal after an earlier record, by replaying everything from genesis.

        Parameters
        ----------
        trace : PostedTrace
            The batch from which one looks back; it is not among those that are known.
        """
        journal = Journal()
        for number in range(1, batch_no + 1):
            is_current = number == trace.header.batch_no
            batch = trace if is_current else self.batch(number)
            end = index + 1 if number == batch_no else len(batch.steps)
            for posted in batch.steps[:end]:
                record, _ = decode_record(posted.frame)
                journal.apply(record)
            if number < batch_no:
                journal.cut(ZERO32)
        return journal


def _backward(trace: PostedTrace, end: int, *, is_same_batch: bool) -> Iterator[PastRecord]:
    return (PastRecord(trace, index, is_same_batch) for index in range(end - 1, -1, -1))
