"""``plimsoll replay`` and ``plimsoll rebuild``: what follows from an input log."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from offchain.adapters.log_file import LogFile
from offchain.adapters.read_model import ReadModel
from offchain.ledger.wire import Record, decode_records
from offchain.services.errors import LogError, OffchainError
from offchain.services.recovery import recover


class LogMissing(LogError):  # noqa: N818 - a fault is named by what happened
    """A folder holds no input log."""


class DatabaseUnusable(OffchainError):  # noqa: N818 - a fault is named by what happened
    """The address of a read model is none, or nothing can be written there."""


def open_log(folder: Path) -> LogFile:
    """Open an existing log; LogMissing when there is none, and none is made."""
    if not any(folder.glob("segment-*.plog")):
        raise LogMissing(f"{folder} holds no input log")
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
    """Drop a read model and project the log again; return its length and content hash.

    Raises
    ------
    LogError
        There is no log, or it is not what was written.
    DatabaseUnusable
        The database cannot be opened or written.
    """
    with open_log(folder) as store:
        try:
            return _rebuilt(store, url)
        except SQLAlchemyError as fault:
            reason = str(fault).splitlines()[0]
            raise DatabaseUnusable(f"{url}: {reason}") from fault


def _rebuilt(store: LogFile, url: str) -> dict[str, str | int]:
    model = ReadModel(url)
    try:
        last = model.rebuild(_records(store))
        return {"records": last, "content_hash": model.content_hash()}
    finally:
        model.close()


def _records(store: LogFile) -> Iterator[Record]:
    for frame in store.frames():
        yield from decode_records(frame)
