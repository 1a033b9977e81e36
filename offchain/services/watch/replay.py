"""Replaying what was posted, record by record, until something is not as it should be."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import astuple, dataclass, fields
from functools import partial

from offchain.engine.reasons import Rejected
from offchain.ledger.errors import LedgerError
from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.trace import Step
from offchain.ledger.trace_data import PostedStep, decode_posted
from offchain.ledger.wire import decode_record
from offchain.services.replica import cut_as_posted
from offchain.services.watch import judges_of
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.closing import Closed, Closing
from offchain.services.watch.disclosures import NOTHING_SHOWN, Disclosures
from offchain.services.watch.judges.structure import BlobProofs, no_blobs, rebuild
from offchain.services.watch.moment import Accusation, Moment, Witness
from offchain.services.watch.posted import Archive, PostedTrace

Accusations = Callable[[Disclosures], Iterator[Accusation]]
Closings = Callable[[Disclosures], Closing]
Moments = Callable[[Disclosures], Iterator[Moment]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing of a batch that is not as it should be.

    Attributes
    ----------
    problem : str
        In words.
    accusations : callable
        Yields what judges may be shown, given what others opened of the batch.
    closing : callable or None
        Makes the honest end of the batch, when all its steps hold.
    moments : callable or None
        Yields the record that is wrong, with the states around it.
    """

    batch_no: int
    header: BatchHeader
    problem: str
    accusations: Accusations
    closing: Closings | None = None
    moments: Moments | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the replay stood before a batch."""

    snapshot: bytes
    closed: Closed | None


class Replay:
    """An independent copy of the venue, fed with what stands on chain.

    Parameters
    ----------
    posted : callable
        Returns header and posted data of a committed batch.
    authenticity : Authenticity
        What replaying cannot see.
    blobs : callable
        Returns what shows that the blobs of a batch hold its data.
    """

    def __init__(
        self,
        posted: Callable[[int], tuple[BatchHeader, bytes]],
        authenticity: Authenticity,
        blobs: BlobProofs = no_blobs,
    ) -> None:
        self.journal = Journal()
        self.archive = Archive(posted)
        self._authenticity, self._blobs = authenticity, blobs
        self._closed: Closed | None = None
        self._marks: dict[int, _Mark] = {}

    @property
    def next_batch(self) -> int:
        """Number of the batch that is examined next."""
        return self.archive.count + 1

    def examine(self, header: BatchHeader, data: bytes) -> Difference | None:
        """Replay the next batch and take it in; or return what is wrong with it."""
        mark = _Mark(self._snapshot(), self._closed)
        found = self._examine(header, data, mark)
        if found is None:
            self._marks[header.batch_no] = mark
        else:
            self._restore(mark)
        return found

    def rewind(self, batch_no: int) -> None:
        """Forget a batch, and all after it; it must not be older than `forget` was told."""
        if batch_no >= self.next_batch:
            return
        self._restore(self._marks[batch_no])
        self.archive.drop_from(batch_no)
        self._marks = {n: mark for n, mark in self._marks.items() if n < batch_no}

    def forget(self, final: int) -> None:
        """Give up the way back before batches that are final."""
        self._marks = {n: mark for n, mark in self._marks.items() if n > final}

    def closing(self, trace: PostedTrace, disclosures: Disclosures, mark: _Mark) -> Closing:
        """Return the end of a batch whose steps all hold."""
        journal = _restored(mark.snapshot)
        for posted in trace.steps:
            _apply(journal, posted)
        honest = cut_as_posted(journal, trace.header.engine_hash, trace.header)
        assert journal.checkpoint is not None
        return Closing(
            trace,
            self.archive,
            Witness(journal),
            honest,
            journal.checkpoint,
            mark.closed,
            disclosures,
            self._blobs,
        )

    def moments(
        self,
        trace: PostedTrace,
        indices: Collection[int],
        mark: _Mark,
        disclosures: Disclosures = NOTHING_SHOWN,
    ) -> Iterator[Moment]:
        """Yield some records with the states around them; each is good until the next is asked."""
        before, after = Witness(_restored(mark.snapshot)), Witness(_restored(mark.snapshot))
        for index in range(max(indices, default=-1) + 1):
            posted = trace.steps[index]
            is_taken = _apply(after.journal, posted)
            if index in indices:
                honest = after if is_taken else None
                yield Moment(trace, index, self.archive, before, honest, disclosures)
            if not is_taken:
                return
            _apply(before.journal, posted)

    def mark_of(self, batch_no: int) -> _Mark:
        """Return where the replay stood before a batch that it took in."""
        return self._marks[batch_no]

    def closed_of(self, batch_no: int) -> Closed:
        """Return totals and checkpoint of a batch that it took in and has not forgotten."""
        after = self._marks.get(batch_no + 1)
        closed = self._closed if after is None else after.closed
        assert closed is not None
        return closed

    def closing_of(self, batch_no: int, disclosures: Disclosures) -> Closing:
        """Make the end of a batch that it took in and has not forgotten."""
        trace, mark = self.archive.batch(batch_no), self._marks[batch_no]
        return self.closing(trace, disclosures, mark)

    def records_of(self, batch_no: int, indices: Collection[int]) -> Iterator[Moment]:
        """Yield some records of a batch that it took in and has not forgotten, as `moments`."""
        trace, mark = self.archive.batch(batch_no), self._marks[batch_no]
        yield from self.moments(trace, indices, mark)

    def _examine(self, header: BatchHeader, data: bytes, mark: _Mark) -> Difference | None:
        before = self.archive.last
        number = header.batch_no
        unreadable = Difference(
            number,
            header,
            "the posted data does not hold the trace of the header",
            lambda _shown: iter((rebuild(before, header, data, self._blobs),)),
        )
        try:
            steps = decode_posted(data, header.step_count, before.step)
        except LedgerError:
            return unreadable
        trace = PostedTrace(header, data, before, steps)
        if not trace.is_committed:
            return unreadable
        for index in range(len(steps)):
            problem = self._problem_of(trace, index)
            if problem:
                return Difference(
                    number,
                    header,
                    f"record {trace.steps[index].frame[:8].hex()}: {problem}",
                    partial(self._of_record, trace, index, mark),
                    moments=partial(self.moments, trace, (index,), mark),
                )
        return self._end(trace, mark)

    def _end(self, trace: PostedTrace, mark: _Mark) -> Difference | None:
        header = trace.header
        honest = cut_as_posted(self.journal, header.engine_hash, header)
        if honest.header != header:
            named = ", ".join(differing(honest.header, header))
            return Difference(
                header.batch_no,
                header,
                f"the header has another {named}",
                lambda shown: judges_of.batch(
                    self.closing(trace, shown, mark),
                    lambda indices: self.moments(trace, indices, mark, shown),
                ),
                closing=lambda shown: self.closing(trace, shown, mark),
            )
        assert self.journal.checkpoint is not None
        self._closed = Closed(honest.totals, self.journal.checkpoint)
        self.archive.add(trace)
        return None

    def _problem_of(self, trace: PostedTrace, index: int) -> str:
        posted, state = trace.steps[index], self.journal.state
        try:
            record, _ = decode_record(posted.frame)
            problem = self._authenticity.problem(record.command, state, record.time_ns)
            if problem:
                return problem
            outcome = self.journal.apply(record)
        except LedgerError as fault:
            return str(fault)
        if isinstance(outcome, Rejected):
            return f"the machine refuses it: {outcome}"
        step, words = self.journal.open.steps[-1], self.journal.open.words[-1]
        found = differing(step, posted.step)
        if words != posted.words:
            found.append("words")
        return f"it has another {', '.join(found)}" if found else ""

    def _of_record(
        self, trace: PostedTrace, index: int, mark: _Mark, shown: Disclosures
    ) -> Iterator[Accusation]:
        for moment in self.moments(trace, (index,), mark, shown):
            yield from judges_of.record(moment)

    def _snapshot(self) -> bytes:
        """Return the state, empty before the first record."""
        return self.journal.snapshot() if self.journal.state.parameters is not None else b""

    def _restore(self, mark: _Mark) -> None:
        self.journal, self._closed = _restored(mark.snapshot), mark.closed


def differing(one: Step | BatchHeader, other: Step | BatchHeader) -> list[str]:
    """Return the names of the fields in which two records of one kind differ."""
    pairs = zip(fields(one), astuple(one), astuple(other), strict=True)
    return [field.name for field, mine, theirs in pairs if mine != theirs]


def _restored(snapshot: bytes) -> Journal:
    return Journal.restore(snapshot) if snapshot else Journal()


def _apply(journal: Journal, posted: PostedStep) -> bool:
    """Apply a posted record; False when the machine does not take it."""
    try:
        record, _ = decode_record(posted.frame)
        return not isinstance(journal.apply(record), Rejected)
    except LedgerError:
        return False
