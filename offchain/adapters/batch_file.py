"""Closed batches as files: one each, written whole, named by number."""

import json
from pathlib import Path
from zlib import crc32

from offchain.adapters.durable import write_durably
from offchain.services.errors import BatchFileCorrupt
from offchain.services.json_values import MalformedValue, from_json, to_json
from offchain.services.ports import SignedBatch

MAGIC = "plimsoll.batch.v1"
MAX_FILE_BYTES = 1 << 26


class BatchFiles:
    """A `BatchStore` in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._count = self._found()

    def save(self, signed: SignedBatch) -> None:
        """Store the next batch durably, whole or not at all."""
        number = signed.batch.header.batch_no
        if number != self._count + 1:
            raise ValueError(f"batch {number} does not follow batch {self._count}")
        self._write(signed)
        self._count = number

    def replace(self, signed: SignedBatch) -> None:
        """Store a batch that is there in another form, durably, whole or not at all."""
        number = signed.batch.header.batch_no
        if not 0 < number <= self._count:
            raise ValueError(f"there is no batch {number} to replace")
        self._write(signed)

    def drop_from(self, batch_no: int) -> None:
        """Set the batches from a number on aside, the last one first; nothing is deleted."""
        for number in range(self._count, batch_no - 1, -1):
            path = self._path(number)
            path.rename(path.with_suffix(f".dropped-{len(list(self._directory.iterdir()))}"))
            self._count = number - 1

    def load(self, batch_no: int) -> SignedBatch | None:
        """Return a batch, or None when there is none.

        Raises
        ------
        BatchFileCorrupt
            The file is not exactly what `save` writes.
        """
        return _read(self._path(batch_no), batch_no) if 0 < batch_no <= self._count else None

    def left(self, batch_no: int) -> list[SignedBatch]:
        """Return the batches of a number that were set aside; see `load`."""
        paths = self._directory.glob(f"{self._path(batch_no).stem}.dropped-*")
        return [_read(path, batch_no) for path in sorted(paths)]

    def count(self) -> int:
        """Return how many batches there are, which is the number of the last one."""
        return self._count

    def _write(self, signed: SignedBatch) -> None:
        body = json.dumps(to_json(signed), separators=(",", ":")).encode()
        path = self._path(signed.batch.header.batch_no)
        write_durably(path, f"{MAGIC} {crc32(body):08x}\n".encode() + body)

    def _path(self, batch_no: int) -> Path:
        return self._directory / f"batch-{batch_no:010d}.json"

    def _found(self) -> int:
        """Count the files; BatchFileCorrupt when a number is missing."""
        names = sorted(path.name for path in self._directory.glob("batch-*.json"))
        for number, name in enumerate(names, start=1):
            if name != self._path(number).name:
                raise BatchFileCorrupt(f"batch {number} is missing, {name} is there")
        return len(names)


def _read(path: Path, batch_no: int) -> SignedBatch:
    """Return the batch of a file that must hold this number."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BatchFileCorrupt(f"{path.name}: longer than {MAX_FILE_BYTES} bytes")
    head, _, body = path.read_bytes().partition(b"\n")
    if head != f"{MAGIC} {crc32(body):08x}".encode():
        raise BatchFileCorrupt(f"{path.name}: the checksum is wrong")
    try:
        signed = from_json(SignedBatch, json.loads(body))
    except (MalformedValue, ValueError) as fault:
        raise BatchFileCorrupt(f"{path.name}: {fault}") from fault
    if signed.batch.header.batch_no != batch_no:
        raise BatchFileCorrupt(f"{path.name}: holds batch {signed.batch.header.batch_no}")
    return signed
