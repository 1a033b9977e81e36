"""The posted form of a trace, behind the frames of its batch: what does not follow from them.

For each step: a byte of flags, the roots that changed, and the effect words without the zeros at
their ends. Everything else of a step follows, so whoever has the posted data has the whole trace,
and a sequencer cannot commit to a step that nobody else can open (docs/COMMITMENTS.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from offchain.ledger.abi import WORD
from offchain.ledger.effects import WORD_BYTES, Effect, split_words
from offchain.ledger.errors import EncodingError, WireError
from offchain.ledger.header import BatchHeader
from offchain.ledger.keccak import keccak256
from offchain.ledger.trace import GENESIS_STEP, Step
from offchain.ledger.wire import PREFIX_BYTES, Record, chain, decode_records

MAX_STEPS = 2_048
"""Records of one batch: a contract must be able to derive them all from the posted data."""
MAX_WORDS = 1 << 16
ACCOUNT_ROOT, EPOCH_HASH, BOOK_HASH = 1, 2, 4
_KNOWN_FLAGS = ACCOUNT_ROOT | EPOCH_HASH | BOOK_HASH
_COUNT = Struct(">H")
_TYPE_AT, _LENGTH_AT = 20, 21
_CONSUMES = frozenset({2, 12})
"""Types of the records that consume an entry of the inbox."""


@dataclass(frozen=True, slots=True)
class PostedStep:
    """One step as the posted data gives it, with its frame and its effect words."""

    step: Step
    frame: bytes
    words: bytes


def encode_step_data(previous: Step, step: Step, words: bytes) -> bytes:
    """Return what is posted of a step.

    Raises
    ------
    EncodingError
        It has more words than can be counted.
    """
    flags, roots = 0, []
    for flag, before, after in (
        (ACCOUNT_ROOT, previous.account_root, step.account_root),
        (EPOCH_HASH, previous.epoch_hash, step.epoch_hash),
        (BOOK_HASH, previous.book_hash, step.book_hash),
    ):
        if before != after:
            flags |= flag
            roots.append(after)
    whole = split_words(words)
    if len(whole) >= MAX_WORDS:
        raise EncodingError(f"a record has at most {MAX_WORDS - 1} effects, not {len(whole)}")
    short = [word.rstrip(b"\0") for word in whole]
    tail = [bytes([len(word)]) + word for word in short]
    return b"".join([bytes([flags]), *roots, _COUNT.pack(len(whole)), *tail])


def split_frames(data: bytes, count: int) -> tuple[tuple[bytes, ...], int]:
    """Return the first `count` frames of posted data, and where they end.

    Raises
    ------
    WireError
        A frame reaches beyond the end.
    """
    frames, place = [], 0
    for _ in range(count):
        head = data[place : place + PREFIX_BYTES]
        if len(head) < PREFIX_BYTES:
            raise WireError(place, "frame", "the data ends inside a frame")
        end = place + PREFIX_BYTES + int.from_bytes(head[_LENGTH_AT:])
        if end > len(data):
            raise WireError(place, "frame", "the payload reaches beyond the end")
        frames.append(data[place:end])
        place = end
    return tuple(frames), place


def decode_posted(data: bytes, count: int, previous: Step = GENESIS_STEP) -> tuple[PostedStep, ...]:
    """Return every step of a batch from its posted data.

    Parameters
    ----------
    data : bytes
        Frames and trace, as posted.
    count : int
        `stepCount` of the header, 1 to `MAX_STEPS`.
    previous : Step
        The last step of the batch before.

    Raises
    ------
    WireError
        The data is not the canonical encoding of so many steps.
    """
    if not 0 < count <= MAX_STEPS:
        raise WireError(0, "stepCount", f"{count} is not between 1 and {MAX_STEPS}")
    frames, start = split_frames(data, count)
    reader = _TraceReader(data, start)
    found, end = [], 0
    previous = _first_of_batch(previous)
    for frame in frames:
        end += len(frame)
        posted = _step(reader, previous, frame, end)
        found.append(posted)
        previous = posted.step
    if reader.place != len(data):
        raise WireError(reader.place, "trace", f"{len(data) - reader.place} bytes are left over")
    return tuple(found)


def encode_trace(previous: Step, steps: Sequence[Step], words: Iterable[bytes]) -> bytes:
    """Return the posted trace of a batch whose predecessor ended with `previous`."""
    befores = (previous, *steps)
    rows = zip(befores, steps, words, strict=False)
    return b"".join(encode_step_data(before, step, of) for before, step, of in rows)


def posted_records(header: BatchHeader, data: bytes) -> Iterator[Record]:
    """Yield the records of a posted batch; WireError at the first byte that is not canonical."""
    _, end = split_frames(data, header.step_count)
    yield from decode_records(data[:end])


def _first_of_batch(last: Step) -> Step:
    """Return the step before a batch, with what counts within a batch begun anew."""
    return Step(
        last.frame_hash,
        last.effects_hash,
        last.tip,
        last.account_root,
        last.epoch_hash,
        last.book_hash,
        last.inbox_cursor,
        last.outputs,
        0,
        0,
    )


def _step(reader: "_TraceReader", previous: Step, frame: bytes, end: int) -> PostedStep:
    flags = reader.flags()
    roots = {
        flag: reader.root(before) if flags & flag else before
        for flag, before in (
            (ACCOUNT_ROOT, previous.account_root),
            (EPOCH_HASH, previous.epoch_hash),
            (BOOK_HASH, previous.book_hash),
        )
    }
    words = reader.words()
    kinds = words[::WORD_BYTES]
    step = Step(
        keccak256(frame),
        keccak256(words),
        chain(previous.tip, frame),
        roots[ACCOUNT_ROOT],
        roots[EPOCH_HASH],
        roots[BOOK_HASH],
        previous.inbox_cursor + (frame[_TYPE_AT] in _CONSUMES),
        previous.outputs + kinds.count(Effect.OUTPUT),
        previous.liquidations + kinds.count(Effect.LIQUIDATION),
        end,
    )
    return PostedStep(step, frame, words)


class _TraceReader:
    """Reads the posted trace, refusing whatever is not canonical."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place

    def take(self, size: int) -> bytes:
        end = self.place + size
        if end > len(self.data):
            raise WireError(self.place, "trace", "the data ends inside a step")
        taken, self.place = self.data[self.place : end], end
        return taken

    def flags(self) -> int:
        flags = self.take(1)[0]
        if flags & ~_KNOWN_FLAGS:
            raise WireError(self.place - 1, "trace", f"flags {flags} are unknown")
        return flags

    def root(self, before: bytes) -> bytes:
        root = self.take(WORD)
        if root == before:
            raise WireError(self.place - WORD, "trace", "a root that did not change is left out")
        return root

    def words(self) -> bytes:
        (count,) = _COUNT.unpack(self.take(_COUNT.size))
        return b"".join([self._word() for _ in range(count)])

    def _word(self) -> bytes:
        size = self.take(1)[0]
        if not 0 < size <= WORD_BYTES:
            raise WireError(self.place - 1, "trace", f"a word of {size} bytes")
        short = self.take(size)
        if not short[-1]:
            raise WireError(self.place - 1, "trace", "a word ends with a zero")
        return short.ljust(WORD_BYTES, b"\0")
