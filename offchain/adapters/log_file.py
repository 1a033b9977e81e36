"""The input log on disk: append-only segments, hash-chained, synced before an answer.

A directory holds a lock and numbered segments. There is one writer; `flock` keeps a second one
out. When a write or a sync fails the log refuses every further append: after a failed fsync the
page cache may claim to be clean while the disk is not, so a retry can lie (Rebello et al., 2020).
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from offchain.adapters.log_segment import (
    HEADER_BYTES,
    Position,
    encode_entry,
    encode_header,
    follow,
    read_entries,
)
from offchain.services.errors import LogCorrupt, LogFailed, LogLocked

DEFAULT_SEGMENT_BYTES = 64 << 20
MAX_BATCH = 4096
_NAME = "segment-{:012d}.plog"


class LogFile:
    """An `EventStore` in a directory.

    Attributes
    ----------
    truncated_bytes : int
        Bytes of an incomplete last entry that were cut off when the log was opened. They were
        never acknowledged: an append answers only after its sync.
    """

    def __init__(self, directory: Path, segment_bytes: int = DEFAULT_SEGMENT_BYTES) -> None:
        """Open or create the log, verifying every byte of it.

        Raises
        ------
        LogLocked
            When another process has it open.
        LogCorrupt
            When anything but an incomplete last entry is wrong.
        """
        self.directory = directory
        self.segment_bytes = segment_bytes
        self.truncated_bytes = 0
        self._failed: str | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory / "lock")
        try:
            self._position = Position()
            self._segments = self._verify()
            self._file = self._continue()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def last_seq(self) -> int:
        """Sequence number of the last frame, 0 when the log is empty."""
        return self._position.seq

    @property
    def tip(self) -> bytes:
        """Chain hash of the last frame, 32 zero bytes when the log is empty."""
        return self._position.tip

    @property
    def last_epoch(self) -> int:
        """Sequencer epoch of the last frame, 0 when the log is empty."""
        return self._position.epoch

    def append(self, frames: Sequence[bytes]) -> bytes:
        """Make frames durable in order, with one sync, and return the new tip.

        A batch is not atomic: after a crash in mid-append a prefix of it, of whole frames, may be
        found. Nothing of it was acknowledged.

        Raises
        ------
        LogFailed
            When a write or the sync failed, now or earlier. Nothing more will be appended.
        ValueError
            When a frame does not continue the log; nothing is written.
        """
        if self._failed is not None:
            raise LogFailed(f"the log stopped earlier: {self._failed}")
        if len(frames) > MAX_BATCH:
            raise ValueError(f"{len(frames)} frames in one batch, at most {MAX_BATCH}")
        position, entries = self._position, []
        for frame in frames:
            position = follow(position, frame)
            entries.append(encode_entry(frame, position.tip))
        if not entries:
            return self.tip
        try:
            if os.fstat(self._file).st_size >= self.segment_bytes:
                self._rotate()
            _write_all(self._file, b"".join(entries))
            os.fdatasync(self._file)
        except OSError as error:
            self._failed = str(error)
            raise LogFailed(f"append after seq {self.last_seq}: {error}") from error
        self._position = position
        return position.tip

    def frames(self, after: int = 0) -> Iterator[bytes]:
        """Yield the frames with a sequence number above `after`, verified again as read."""
        for index, (path, before) in enumerate(self._segments):
            newer = self._segments[index + 1][1].seq if index + 1 < len(self._segments) else None
            if newer is not None and newer <= after:
                continue
            for entry in read_entries(path, before):
                if entry.position.seq > self.last_seq:
                    return
                if entry.position.seq > after:
                    yield entry.frame

    def tip_at(self, seq: int) -> bytes:
        """Return the chain hash at `seq`; KeyError when the log does not hold it."""
        if not 0 <= seq <= self.last_seq:
            raise KeyError(seq)
        start = max((s for s in self._segments if s[1].seq <= seq), key=lambda s: s[1].seq)
        if start[1].seq == seq:
            return start[1].tip
        for entry in read_entries(*start):
            if entry.position.seq == seq:
                return entry.position.tip
        raise KeyError(seq)

    def close(self) -> None:
        """Release the file and the lock; the log refuses appends afterwards."""
        if self._failed != "closed":
            self._failed = "closed"
            os.close(self._file)
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _verify(self) -> list[tuple[Path, Position]]:
        """Read every segment, set the position, and cut off an incomplete last entry."""
        paths = sorted(self.directory.glob("segment-*.plog"))
        segments: list[tuple[Path, Position]] = []
        for number, path in enumerate(paths):
            if path.name != _NAME.format(number):
                raise LogCorrupt(path.name, 0, self._position.seq + 1, "a segment is missing")
            segments.append((path, self._position))
            end = HEADER_BYTES
            for entry in read_entries(path, self._position):
                self._position, end = entry.position, entry.end
            torn = path.stat().st_size - end
            if torn and path != paths[-1]:
                raise LogCorrupt(path.name, end, self._position.seq + 1, "cut short")
            if torn:
                _truncate(path, end)
                self.truncated_bytes = torn
        return segments

    def _continue(self) -> int:
        if not self._segments:
            return self._create()
        return os.open(self._segments[-1][0], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _rotate(self) -> None:
        full, self._file = self._file, self._create()
        os.close(full)

    def _create(self) -> int:
        """Create the next segment: complete with its header, or not at all."""
        path = self.directory / _NAME.format(len(self._segments))
        write_durably(path, encode_header(self._position))
        self._segments.append((path, self._position))
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def write_durably(path: Path, data: bytes) -> None:
    """Write a whole file so that after a crash it is there completely or not at all."""
    draft = path.with_name(path.name + ".draft")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        _write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    draft.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise LogLocked(f"{path.parent} is open in another process") from error
    return handle


def _write_all(file: int, data: bytes) -> None:
    """Write everything: a write may be short, and the rest then fails or succeeds on its own."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _truncate(path: Path, size: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(file, size)
        os.fsync(file)
    finally:
        os.close(file)
