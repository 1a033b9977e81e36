"""One file of the input log: its header, its entries, and how to read them with suspicion.

::

    header = magic 8 | version u32 | first seq u64 | chain hash before it 32 | crc32 u32
    entry  = length u32 | crc32(length) u32 | frame | crc32(frame ‖ chain) u32 | chain hash 32

The length has a check of its own: without it one flipped bit there would look like an entry that
a crash cut short, and a record that was acknowledged would be dropped in silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO
from zlib import crc32

from offchain.ledger.wire import chain
from offchain.services.errors import LogCorrupt

MAGIC = b"PLIMSLOG"
VERSION = 2
"""Of the frames too: in 1 a price report had no spans."""
MAX_FRAME_BYTES = 1 << 20
"""A frame is far smaller; the largest is the genesis record with the parameter document."""

HEADER = Struct(">8sIQ32s")
LENGTH = Struct(">II")
CHECK = Struct(">I32s")
FRAME_PREFIX = Struct(">QQIBI")
HEADER_BYTES = HEADER.size + 4
OVERHEAD_BYTES = LENGTH.size + CHECK.size


@dataclass(frozen=True, slots=True)
class Position:
    """Where a log stands after a record: what the next one has to continue."""

    seq: int = 0
    tip: bytes = bytes(32)
    time_ns: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One verified entry: its frame, the position after it, and the byte after its end."""

    frame: bytes
    position: Position
    end: int


def encode_header(position: Position) -> bytes:
    """Return the header of a segment that continues after `position`."""
    head = HEADER.pack(MAGIC, VERSION, position.seq + 1, position.tip)
    return head + crc32(head).to_bytes(4, "big")


def encode_entry(frame: bytes, tip: bytes) -> bytes:
    """Return the entry of a frame whose chain hash is `tip`."""
    length = len(frame).to_bytes(4, "big")
    check = crc32(frame + tip)
    return LENGTH.pack(len(frame), crc32(length)) + frame + CHECK.pack(check, tip)


def follow(position: Position, frame: bytes) -> Position:
    """Return the position after `frame`; ValueError when it does not continue `position`."""
    if not FRAME_PREFIX.size <= len(frame) <= MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(frame)} bytes")
    seq, time_ns, epoch, _, length = FRAME_PREFIX.unpack_from(frame)
    if length != len(frame) - FRAME_PREFIX.size:
        raise ValueError("payload length differs from the frame")
    if seq != position.seq + 1:
        raise ValueError(f"sequence number {seq}, expected {position.seq + 1}")
    if time_ns < position.time_ns:
        raise ValueError("time goes back")
    if epoch < position.epoch:
        raise ValueError(f"epoch {epoch} is fenced off by {position.epoch}")
    return Position(seq, chain(position.tip, frame), time_ns, epoch)


def read_header(path: Path, before: Position) -> None:
    """Verify that the segment at `path` continues `before`; LogCorrupt otherwise."""
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if len(head) == HEADER_BYTES and head.startswith(MAGIC):
        found = HEADER.unpack_from(head)[1]
        if found != VERSION:
            reason = f"format {found}, this program reads {VERSION}"
            raise LogCorrupt(path.name, 0, before.seq + 1, reason)
    if head != encode_header(before):
        raise LogCorrupt(path.name, 0, before.seq + 1, "header does not continue the log")


def read_entries(path: Path, before: Position) -> Iterator[Entry]:
    """Yield the verified entries of a segment, in order.

    The generator ends at the last whole entry. An incomplete one after it, as a crash leaves it
    (cut short, or zeros that were allocated and never written), is not an error here: compare the
    last `end` with the size of the file.

    Raises
    ------
    LogCorrupt
        When anything else is wrong; it names the byte offset and the sequence number.
    """
    read_header(path, before)
    position, offset = before, HEADER_BYTES
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset)
        while (body := _read_body(file, path, offset, size, position.seq + 1)) is not None:
            frame, (check, tip) = body[: -CHECK.size], CHECK.unpack(body[-CHECK.size :])
            if check != crc32(frame + tip):
                raise LogCorrupt(path.name, offset, position.seq + 1, "checksum differs")
            try:
                after = follow(position, frame)
            except ValueError as problem:
                raise LogCorrupt(path.name, offset, position.seq + 1, str(problem)) from problem
            if after.tip != tip:
                raise LogCorrupt(path.name, offset, after.seq, "chain hash differs")
            position, offset = after, offset + LENGTH.size + len(body)
            yield Entry(frame, position, offset)


def _read_body(file: BinaryIO, path: Path, offset: int, size: int, seq: int) -> bytes | None:
    """Return frame, checksum and chain hash of the next entry; None at the end or a torn tail."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    length, check = LENGTH.unpack(head)
    if check != crc32(head[:4]):
        if not any(head) and _only_zeros(file):
            return None
        raise LogCorrupt(path.name, offset, seq, "checksum of the length differs")
    if not FRAME_PREFIX.size <= length <= MAX_FRAME_BYTES:
        raise LogCorrupt(path.name, offset, seq, f"a frame of {length} bytes")
    if offset + OVERHEAD_BYTES + length > size:
        return None
    return file.read(length + CHECK.size)


def _only_zeros(file: BinaryIO) -> bool:
    while block := file.read(1 << 16):
        if any(block):
            return False
    return True
