"""Snapshots of the state beside the log: one file each, named by sequence number and root."""

import re
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from zlib import crc32

from offchain.adapters.durable import sync_directory, write_durably
from offchain.services.ports import Snapshot

MAGIC = b"PLIMSNAP"
VERSION = 1
MAX_SNAPSHOT_BYTES = 1 << 30
HEADER = Struct(">8sIQ32sQI")
_NAME = re.compile(r"snapshot-(\d{20})-([0-9a-f]{64})\.bin")


class SnapshotFiles:
    """A `SnapshotStore` in a directory that keeps the newest `keep` snapshots.

    Attributes
    ----------
    skipped : list[str]
        Names of the files that the last reading found unreadable.
    """

    def __init__(self, directory: Path, keep: int = 3) -> None:
        if keep < 1:
            raise ValueError("keep at least one snapshot")
        self.directory = directory
        self.keep = keep
        self.skipped: list[str] = []
        directory.mkdir(parents=True, exist_ok=True)

    def save(self, snapshot: Snapshot) -> None:
        """Store a snapshot durably, then drop all but the newest `keep`."""
        if len(snapshot.data) > MAX_SNAPSHOT_BYTES:
            raise ValueError(f"a snapshot of {len(snapshot.data)} bytes")
        name = f"snapshot-{snapshot.seq:020d}-{snapshot.root.hex()}.bin"
        head = HEADER.pack(
            MAGIC, VERSION, snapshot.seq, snapshot.root, len(snapshot.data), crc32(snapshot.data)
        )
        write_durably(self.directory / name, head + snapshot.data)
        for path in self._paths()[self.keep :]:
            path.unlink()
        sync_directory(self.directory)

    def drop_after(self, seq: int) -> None:
        """Set aside the snapshots of later records than `seq`: the log was cut back to it."""
        for path in self._paths():
            match = _NAME.fullmatch(path.name)
            if match is not None and int(match[1]) > seq:
                path.rename(path.with_suffix(".left"))
        sync_directory(self.directory)

    def newest_first(self) -> Iterator[Snapshot]:
        """Yield the readable snapshots, newest first; unreadable ones are named in `skipped`."""
        self.skipped = []
        for path in self._paths():
            snapshot = _read(path)
            if snapshot is None:
                self.skipped.append(path.name)
            else:
                yield snapshot

    def _paths(self) -> list[Path]:
        named = [p for p in self.directory.iterdir() if _NAME.fullmatch(p.name)]
        return sorted(named, key=lambda path: path.name, reverse=True)


def _read(path: Path) -> Snapshot | None:
    """Return the snapshot, or None when the file is not exactly what `save` writes."""
    if not HEADER.size <= path.stat().st_size <= HEADER.size + MAX_SNAPSHOT_BYTES:
        return None
    content = path.read_bytes()
    magic, version, seq, root, length, check = HEADER.unpack_from(content)
    data = content[HEADER.size :]
    if (magic, version, length, check) != (MAGIC, VERSION, len(data), crc32(data)):
        return None
    if path.name != f"snapshot-{seq:020d}-{root.hex()}.bin":
        return None
    return Snapshot(seq, root, data)
