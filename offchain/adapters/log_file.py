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

from offchain.adapters.durable import sync_directory, write_all, write_durably
from offchain.adapters.log_branches import LogBranches
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
        self._branches = LogBranches(directory)
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

    @property
    def waits_after(self) -> int | None:
        """Record after which frames were cut off and wait to be ordered again; None if none do."""
        waiting = self._branches.waiting
        return waiting.after if waiting else None

    @property
    def longest_branch(self) -> int:
        """Number of the last record that was ever cut off, 0 when there is none."""
        return self._branches.longest

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
            write_all(self._file, b"".join(entries))
            os.fdatasync(self._file)
        except OSError as error:
            self._failed = str(error)
            raise LogFailed(f"append after seq {self.last_seq}: {error}") from error
        self._position = position
        return position.tip

    def frames(self, after: int = 0) -> Iterator[bytes]:
        """Yield the frames with a sequence number above `after`, verified again as read."""
        for frame, _ in self._entries(after):
            yield frame

    def tip_at(self, seq: int) -> bytes:
        """Return the chain hash at `seq`; KeyError when the log does not hold it."""
        return self._find(seq)[0].tip

    def cut_back(self, seq: int) -> None:
        """Keep the log up to a record; what follows is set aside, durably, before it is cut off.

        Where frames wait already, this is the log before them: what followed it since is cut off
        and not kept, for it was made of them and will be made again.

        Raises
        ------
        KeyError
            The log does not hold the record.
        LogFailed
            A file could not be written: this log takes no more.
        """
        if self._failed is not None:
            raise LogFailed(f"the log stopped earlier: {self._failed}")
        before, end = self._find(seq)
        waiting = list(self.waiting_frames())
        upto = self.last_seq if self.waits_after is None else self.waits_after
        try:
            if seq < upto:
                tail = (f for f, at in self._entries(after=seq) if at.seq <= upto)
                self._branches.leave(before, [*tail, *waiting])
            self._cut_off(before, end)
        except OSError as error:
            self._failed = str(error)
            raise LogFailed(f"cutting back to seq {seq}: {error}") from error

    def waiting_frames(self) -> Iterator[bytes]:
        """Yield, in order, the frames that wait to be ordered again."""
        waiting = self._branches.waiting
        if waiting is not None:
            before, _ = self._find(waiting.after)
            yield from self._branches.frames(waiting, before)

    def ordered_again(self) -> None:
        """Note that nothing waits any more."""
        self._branches.settle()

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

    def _entries(self, after: int) -> Iterator[tuple[bytes, Position]]:
        for index, (path, before) in enumerate(self._segments):
            newer = self._segments[index + 1][1].seq if index + 1 < len(self._segments) else None
            if newer is not None and newer <= after:
                continue
            for entry in read_entries(path, before):
                if entry.position.seq > self.last_seq:
                    return
                if entry.position.seq > after:
                    yield entry.frame, entry.position

    def _find(self, seq: int) -> tuple[Position, int]:
        """Return the position after a record, and the byte after it in its segment."""
        if not 0 <= seq <= self.last_seq:
            raise KeyError(seq)
        start = max((s for s in self._segments if s[1].seq <= seq), key=lambda s: s[1].seq)
        if start[1].seq == seq:
            return start[1], HEADER_BYTES
        for entry in read_entries(*start):
            if entry.position.seq == seq:
                return entry.position, entry.end
        raise KeyError(seq)

    def _cut_off(self, before: Position, end: int) -> None:
        """Shorten the log; from its end, so that a crash leaves a log that is only longer."""
        while self._segments[-1][1].seq > before.seq:
            path, _ = self._segments.pop()
            path.unlink()
            sync_directory(self.directory)
        _truncate(self._segments[-1][0], end)
        self._position = before
        longer, self._file = self._file, self._continue()
        os.close(longer)

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


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise LogLocked(f"{path.parent} is open in another process") from error
    return handle


def _truncate(path: Path, size: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(file, size)
        os.fsync(file)
    finally:
        os.close(file)
