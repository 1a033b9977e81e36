"""The read model: a database that answers questions about the past, off the risk path.

It is a projection of the log: it may be dropped, fall behind or be restored from an old backup,
and is rebuilt from the records to the same content (T21, F-8).
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    case,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Engine
from sqlalchemy.pool import StaticPool

from offchain.adapters import read_tables as t
from offchain.adapters.read_rows import Row, Rows
from offchain.engine import machine
from offchain.engine.events import Event
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.wire import Record, chain, decode_records, encode_record
from offchain.services.errors import OffchainError
from offchain.services.ports import EventStore

MAX_PAGE = 1000
BLOCK = 1000
"""Records in one transaction of a rebuild."""


class ReadModelBehind(OffchainError):  # noqa: N818 - a fault is named by what happened
    """Records are missing between the read model and what it was given: rebuild it."""


_FILL = (
    update(t.ORDERS)
    .where(t.ORDERS.c.order_id == bindparam("order"))
    .values(
        lots_left=t.ORDERS.c.lots_left + bindparam("delta"),
        status=case((t.ORDERS.c.lots_left + bindparam("delta") == 0, "filled"), else_="open"),
    )
)
_CLOSE = (
    update(t.ORDERS)
    .where(t.ORDERS.c.order_id == bindparam("order"), t.ORDERS.c.status == "open")
    .values(status="closed", closing=bindparam("reason"))
)


class ReadModel:
    """The database of one deployment, at any SQLAlchemy URL. Safe to use from several threads."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._engine = _engine(url)
        self._lock = threading.RLock()
        t.METADATA.create_all(self._engine)

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    def last_seq(self) -> int:
        """Return the sequence number up to which the log is projected, 0 for nothing."""
        with self._lock, self._engine.begin() as db:
            return _position(db)[0]

    def project(self, record: Record, events: tuple[Event, ...]) -> None:
        """Project one record; see `project_all`."""
        self.project_all([(record, events)])

    def project_all(self, entries: Iterable[tuple[Record, tuple[Event, ...]]]) -> None:
        """Project records in order, all or none. Those projected before are passed over.

        Raises
        ------
        ReadModelBehind
            When a record is missing before one of these; nothing is changed.
        """
        with self._lock, self._engine.begin() as db:
            last, tip = _position(db)
            rows = Rows()
            for record, events in entries:
                if record.seq <= last:
                    continue
                if record.seq != last + 1:
                    raise ReadModelBehind(f"record {record.seq} given, {last + 1} is next")
                rows.add(record, events)
                last, tip = record.seq, chain(tip, encode_record(record))
            _write(db, rows)
            db.execute(update(t.META).where(t.META.c.id == 1).values(last_seq=last, tip=tip.hex()))

    def rebuild(self, records: Iterable[Record]) -> int:
        """Drop the projection and build it again by replaying the records from the first.

        Returns the last sequence number. `batches` is kept: the batcher reports it, not the log.

        Raises
        ------
        ReadModelBehind
            When the records have a gap, do not begin at 1, or one is refused by the engine.
        """
        with self._lock:
            t.METADATA.drop_all(self._engine, tables=list(t.PROJECTED))
            t.METADATA.create_all(self._engine)
        return self._replay(records)

    def catch_up(self, log: EventStore) -> int:
        """Project what a log holds beyond the projection; all of it, if that is of another log.

        Returns the last sequence number, which is then that of the log.

        Raises
        ------
        ReadModelBehind
            When a record is refused by the engine.
        """
        with self._lock, self._engine.begin() as db:
            seq, tip = _position(db)
        records = (record for frame in log.frames() for record in decode_records(frame))
        if seq > log.last_seq or log.tip_at(seq) != tip:
            return self.rebuild(records)
        return seq if seq == log.last_seq else self._replay(records)

    def _replay(self, records: Iterable[Record]) -> int:
        """Replay records from the first, and project those that are not projected yet."""
        state, block = State(), list[tuple[Record, tuple[Event, ...]]]()
        for record in records:
            if record.seq != state.last_seq + 1:
                raise ReadModelBehind(f"record {record.seq} given, {state.last_seq + 1} is next")
            outcome = machine.apply(state, record.command, record.seq, record.time_ns)
            if isinstance(outcome, Rejected):
                raise ReadModelBehind(f"record {record.seq} is refused on replay: {outcome}")
            block.append((record, outcome))
            if len(block) >= BLOCK:
                self.project_all(block)
                block.clear()
        self.project_all(block)
        return state.last_seq

    def report_batch(
        self,
        batch_no: int,
        batch_hash: str,
        state_root: str,
        status: str,
        header: Mapping[str, Any],
    ) -> None:
        """Insert or replace what the batcher knows of a batch. Hashes are 0x hex text."""
        row = {
            "batch_no": batch_no,
            "batch_hash": batch_hash,
            "state_root": state_root,
            "status": status,
            "header": json.dumps(header, sort_keys=True),
        }
        with self._lock, self._engine.begin() as db:
            db.execute(t.BATCHES.delete().where(t.BATCHES.c.batch_no == batch_no))
            db.execute(insert(t.BATCHES), row)

    def drop_batches(self, batch_no: int) -> None:
        """Drop the batches from a number on."""
        with self._lock, self._engine.begin() as db:
            db.execute(t.BATCHES.delete().where(t.BATCHES.c.batch_no >= batch_no))

    def batch(self, batch_no: int) -> Row | None:
        """Return one batch, its header decoded, or None."""
        found = self._rows(t.BATCHES, [t.BATCHES.c.batch_no == batch_no], 1)
        return _with_header(found[0]) if found else None

    def batches(self, limit: int, before: int | None = None) -> list[Row]:
        """Return batches, newest first, numbered below `before`."""
        return [_with_header(row) for row in self._page(t.BATCHES, limit, before)]

    def orders(self, account: int, limit: int, before: int | None = None) -> list[Row]:
        """Return orders of an account, newest first, with an id below `before`."""
        return self._page(t.ORDERS, limit, before, [t.ORDERS.c.account == account])

    def fills(self, limit: int, before: int | None = None, account: int | None = None) -> list[Row]:
        """Return fills, newest first, with a key below `before`, of one account or of all."""
        mine = (
            [] if account is None else [(t.FILLS.c.taker == account) | (t.FILLS.c.maker == account)]
        )
        return self._page(t.FILLS, limit, before, mine)

    def liquidations(
        self, limit: int, before: int | None = None, account: int | None = None
    ) -> list[Row]:
        """Return liquidation steps, newest first, with their legs decoded."""
        mine = [] if account is None else [t.LIQUIDATIONS.c.account == account]
        rows = self._page(t.LIQUIDATIONS, limit, before, mine)
        return [{**row, "ratio_e6": int(row["ratio_e6"]), "legs": _legs(row)} for row in rows]

    def collateral_sales(
        self, limit: int, before: int | None = None, account: int | None = None
    ) -> list[Row]:
        """Return sales of collateral to the backstop, newest first, by one seller or by all."""
        mine = [] if account is None else [t.COLLATERAL_SALES.c.seller == account]
        return self._page(t.COLLATERAL_SALES, limit, before, mine)

    def mode_changes(
        self, limit: int, before: int | None = None, account: int | None = None
    ) -> list[Row]:
        """Return changes of mode, newest first, of one account or of all."""
        mine = [] if account is None else [t.MODE_CHANGES.c.account == account]
        return self._page(t.MODE_CHANGES, limit, before, mine)

    def insurance_moves(self, limit: int, before: int | None = None) -> list[Row]:
        """Return what went into (positive) and out of the fund, newest first."""
        return self._page(t.INSURANCE_MOVES, limit, before)

    def margin_calls(self, limit: int, before: int | None = None) -> list[Row]:
        """Return changes of call levels, newest first."""
        return self._page(t.MARGIN_CALLS, limit, before)

    def withdrawals(
        self, limit: int, before: int | None = None, account: int | None = None
    ) -> list[Row]:
        """Return withdrawals, newest first, with an output id below `before`."""
        mine = [] if account is None else [t.WITHDRAWALS.c.account == account]
        return self._page(t.WITHDRAWALS, limit, before, mine)

    def content_hash(self) -> str:
        """Return sha256 over every projected row in key order; equal after any rebuild."""
        digest = hashlib.sha256()
        with self._lock, self._engine.connect() as db:
            for table in t.PROJECTED:
                digest.update(table.name.encode())
                for row in db.execute(select(table).order_by(*table.primary_key)):
                    digest.update(json.dumps(list(row)).encode())
        return digest.hexdigest()

    def _page(
        self,
        table: Table,
        limit: int,
        before: int | None,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> list[Row]:
        (key,) = table.primary_key
        bound = [] if before is None else [key < before]
        return self._rows(table, [*where, *bound], limit)

    def _rows(self, table: Table, where: Sequence[ColumnElement[bool]], limit: int) -> list[Row]:
        if not 0 < limit <= MAX_PAGE:
            raise ValueError(f"a page of {limit} rows, at most {MAX_PAGE}")
        (key,) = table.primary_key
        query = select(table).where(*where).order_by(key.desc()).limit(limit)
        with self._lock, self._engine.connect() as db:
            return [dict(row) for row in db.execute(query).mappings()]


def _engine(url: str) -> Engine:
    if url in {"sqlite://", "sqlite:///:memory:"}:  # one connection, or each thread sees its own
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _faster_sqlite)
    return engine


def _faster_sqlite(connection: Any, _: object) -> None:
    """Read while writing, and sync seldom: the log is durable, this can be rebuilt."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _position(db: Connection) -> tuple[int, bytes]:
    found = db.execute(select(t.META.c.last_seq, t.META.c.tip)).one_or_none()
    if found is None:
        db.execute(insert(t.META), {"id": 1, "last_seq": 0, "tip": bytes(32).hex()})
        return 0, bytes(32)
    return found.last_seq, bytes.fromhex(found.tip)


def _write(db: Connection, rows: Rows) -> None:
    for table, values in rows.inserts.items():
        db.execute(insert(table), values)
    if rows.fills:
        db.execute(_FILL, rows.fills)
    if rows.closings:
        db.execute(_CLOSE, rows.closings)


def _legs(row: Row) -> list[dict[str, int]]:
    return [
        {"instrument": i, "lots": lots, "limit_price_e8": price}
        for i, lots, price in json.loads(row["legs"])
    ]


def _with_header(row: Row) -> Row:
    return {**row, "header": json.loads(row["header"])}
