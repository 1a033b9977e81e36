"""Kinds 8 and 11: what was posted, and how the steps chain."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from functools import partial

from offchain.ledger.header import DATA_KIND_CALLDATA, BatchHeader
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.posted import Ending, PostedTrace
from offchain.services.watch.shapes import (
    LINK,
    NEW_EPOCH,
    NO_EPOCH,
    REBUILD,
    ROOTS,
    SLICE,
    STEP_PAIR,
    TRACE_BOUNDS,
    WORDS,
    Value,
    encode,
)

DATA, STEP = 8, 11
_SLICE, _REBUILD, _EPOCHS = 1, 4, 5
_LINK, _COUNTERS, _WORDS, _ENDS, _EPOCH, _ROOTS = 2, 3, 4, 5, 7, 8


BlobProof = tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]
"""Versioned hashes, commitments, and proofs at the points that follow from hashes and data."""
BlobProofs = Callable[[int], BlobProof]
"""What shows that the blobs of a batch hold its data."""


def no_blobs(_batch_no: int) -> BlobProof:
    """Return nothing, for a chain without blobs."""
    return (), (), ()


def ruled(kind: int, rule: int, name: str, shape: str, value: Value) -> Accusation:
    """Return an accusation whose evidence begins with its rule."""
    return Accusation(kind, name, partial(_evidence, rule, shape, value))


def _evidence(rule: int, shape: str, value: Value) -> bytes:
    return bytes([rule]) + encode(shape, value)


def rebuild(before: Ending, header: BatchHeader, data: bytes, blobs: BlobProofs) -> Accusation:
    """Return the accusation that the data does not hold the trace that the header commits to."""
    return Accusation(
        DATA, "DATA.rebuild", partial(_rebuilt, _REBUILD, before, header, data, blobs)
    )


def _rebuilt(
    rule: int, before: Ending, header: BatchHeader, data: bytes, blobs: BlobProofs
) -> bytes:
    previous = () if before.header is None else (before.header.values(),)
    proofs: BlobProof = ((), (), ())
    if header.da_kind != DATA_KIND_CALLDATA:
        proofs = blobs(header.batch_no)
    value = (astuple(before.step), before.proof, previous, data, *proofs)
    return _evidence(rule, REBUILD, value)


def of_record(moment: Moment, epochs: tuple[Value, ...] = ()) -> Iterator[Accusation]:
    """Yield what may be wrong with one step, whatever its record says.

    Parameters
    ----------
    epochs : tuple
        Epochs that may stand behind the hash of the step.
    """
    previous_frame = _frame_before(moment)
    yield ruled(STEP, _LINK, "STEP.link", LINK, (moment.pair, moment.frame, previous_frame))
    yield ruled(STEP, _COUNTERS, "STEP.counters", STEP_PAIR, moment.pair)
    yield ruled(STEP, _WORDS, "STEP.words", WORDS, (moment.pair, moment.effects))
    if moment.step.epoch_hash != moment.previous.epoch_hash:
        before = moment.before.epoch
        for epoch in epochs:
            value = (moment.pair, moment.frame, before, epoch)
            yield ruled(STEP, _EPOCH, "STEP.epoch", NEW_EPOCH, value)
    if moment.trace.header.da_kind == DATA_KIND_CALLDATA:
        yield ruled(DATA, _SLICE, "DATA.slice", SLICE, (moment.pair, moment.trace.data))


def of_batch(
    trace: PostedTrace, epoch: Value = NO_EPOCH, blobs: BlobProofs = no_blobs
) -> Iterator[Accusation]:
    """Yield what may be wrong with the ends of a trace; `epoch` is the one in force at its end."""
    posted = trace.before, trace.header, trace.data, blobs
    yield rebuild(*posted)
    yield Accusation(DATA, "DATA.epochs", partial(_rebuilt, _EPOCHS, *posted))
    yield ruled(STEP, _ENDS, "STEP.ends", TRACE_BOUNDS, trace.bounds())
    last = trace.opening(trace.last_index)
    yield ruled(STEP, _ROOTS, "STEP.roots", ROOTS, (last, epoch))


def _frame_before(moment: Moment) -> bytes:
    if moment.index:
        return moment.trace.steps[moment.index - 1].frame
    if moment.trace.before.header is None:
        return b""
    return next(moment.archive.backward(moment.trace, 0)).frame
