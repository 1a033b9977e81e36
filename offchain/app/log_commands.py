"""``plimsoll replay`` and ``plimsoll rebuild``: what follows from an input log."""

from collections.abc import Iterator
from pathlib import Path

from offchain.adapters.log_file import LogFile
from offchain.adapters.read_model import ReadModel
from offchain.ledger.wire import Record, decode_records
from offchain.services.errors import LogError
from offchain.services.recovery import recover


def open_log(folder: Path) -> LogFile:
    """Open an existing log; LogError when there is none."""
    if not folder.is_dir():
        raise LogError(f"{folder} is no folder of an input log")
    return LogFile(folder)


def replay_log(folder: Path) -> dict[str, str | int]:
    """Replay a log and return its length, chain hash and state root."""
    with open_log(folder) as store:
        journal = recover(store)
        return {
            "records": store.last_seq,
            "log_hash": f"0x{store.tip.hex()}",
            "state_root": f"0x{journal.state_root().hex()}",
        }


def rebuild_read_model(folder: Path, url: str) -> dict[str, str | int]:
    """Drop a read model and project the log again; return its length and content hash."""
    with open_log(folder) as store:
        model = ReadModel(url)
        try:
            last = model.rebuild(_records(store))
            return {"records": last, "content_hash": model.content_hash()}
        finally:
            model.close()


def _records(store: LogFile) -> Iterator[Record]:
    for frame in store.frames():
        yield from decode_records(frame)
