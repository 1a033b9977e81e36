"""The input log: one canonical frame for each record, and the chain over frames.

::

    frame = seq u64 | time_ns u64 | epoch u32 | type u8 | length u32 | payload

Numbers are big-endian and of fixed width, negative ones two's complement; lists have a u16 count;
the payload of Genesis is the canonical JSON document, and that of Adopt ends with one. A command
has exactly one encoding; decoding refuses everything else and names the byte and the field at which
it stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from struct import Struct
from typing import Any

from offchain.core.terms import TERMS, Terms
from offchain.engine import messages
from offchain.engine.messages import Command, EntryKind, TimeInForce
from offchain.ledger.document import MAX_DOCUMENT_BYTES, document, parse_document
from offchain.ledger.errors import EncodingError, WireError
from offchain.ledger.fields import (
    ADDRESS,
    I32,
    I64,
    SIGNATURE,
    U8,
    U16,
    U32,
    U64,
    U128,
    Array,
    Boolean,
    Choice,
    Codec,
    Group,
    Reader,
)
from offchain.ledger.keccak import keccak256
from offchain.ledger.observations import SPAN_BYTES, pack_spans, unpack_spans

MAX_FEEDS = 512
MAX_OBSERVATIONS = 64
MAX_PAYLOAD_BYTES = 1 << 19
"""More than the longest document and the longest price report."""

_PREFIX = Struct(">QQIBI")
PREFIX_BYTES = _PREFIX.size
TYPE_AT = PREFIX_BYTES - 5
"""Where a frame has its type."""


@dataclass(frozen=True, slots=True)
class Document:
    """The parameter set of Genesis: canonical JSON up to the end of the payload."""

    def write(self, value: Any, field: str) -> bytes:
        """Return the document; WireError when the value is no Genesis."""
        if not isinstance(value, messages.Genesis):
            raise WireError(0, field, f"{value!r} is not a Genesis")
        return document(value.parameters)

    def read(self, reader: Reader, field: str) -> messages.Genesis:
        """Return the command; WireError when the document is not canonical."""
        start, size = reader.offset, reader.end - reader.offset
        try:
            return messages.Genesis(parse_document(reader.take(size, field)))
        except WireError as fault:
            raise WireError(start + fault.offset, f"{field}.{fault.field}", fault.rule) from fault


@dataclass(frozen=True, slots=True)
class Adoption:
    """Terms, then the document that they are laid above, up to the end of the payload."""

    def write(self, value: Any, field: str) -> bytes:
        """Return terms and document; WireError when the value is no Adopt, or a term too large."""
        if not isinstance(value, messages.Adopt):
            raise WireError(0, field, f"{value!r} is not an Adopt")
        return _TERMS.write(value.terms, f"{field}.terms") + document(value.parameters)

    def read(self, reader: Reader, field: str) -> messages.Adopt:
        """Return the command; WireError when the document is not canonical."""
        laid = _TERMS.read(reader, f"{field}.terms")
        return messages.Adopt(laid, Document().read(reader, field).parameters)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one oracle saw: its place, its values, as many spans, its signature."""

    def write(self, value: Any, field: str) -> bytes:
        """Return the observation; WireError when it is none, or has another number of spans."""
        if not isinstance(value, messages.Observation):
            raise WireError(0, field, f"{value!r} is not an Observation")
        head = U8.write(value.signer, f"{field}.signer")
        values = _VALUES.write(value.values, f"{field}.values")
        seen: object = value.spans
        if not isinstance(seen, tuple) or len(seen) != len(value.values):
            raise WireError(0, f"{field}.spans", f"a tuple of {len(value.values)} is expected")
        try:
            spans = pack_spans(seen)
        except EncodingError as fault:
            raise WireError(0, f"{field}.spans", str(fault)) from None
        return head + values + spans + SIGNATURE.write(value.signature, f"{field}.signature")

    def read(self, reader: Reader, field: str) -> messages.Observation:
        """Return the observation; WireError when there are too many values."""
        signer = U8.read(reader, f"{field}.signer")
        values = _VALUES.read(reader, f"{field}.values")
        spans = unpack_spans(reader.take(len(values) * SPAN_BYTES, f"{field}.spans"))
        signature = SIGNATURE.read(reader, f"{field}.signature")
        return messages.Observation(signer, values, spans, signature)


_VALUES = Array(I64, MAX_FEEDS)
_TERMS = Group(Terms, tuple((term.name, U32) for term in fields(Terms)))
_INTENT = (("nonce", U64), ("expires_at_ns", U64), ("signature", SIGNATURE))

LAYOUTS: dict[int, tuple[type, Codec]] = {
    1: (messages.Genesis, Document()),
    2: (
        messages.Deposit,
        Group(
            messages.Deposit,
            (
                ("index", U64),
                ("time_s", U64),
                ("owner", ADDRESS),
                ("subaccount", U8),
                ("asset", U16),
                ("amount", U128),
            ),
        ),
    ),
    3: (
        messages.PlaceOrder,
        Group(
            messages.PlaceOrder,
            (
                ("account", U32),
                ("instrument", U16),
                ("lots", I32),
                ("limit_price_e8", U64),
                ("time_in_force", Choice(TimeInForce)),
                ("reduce_only", Boolean()),
                *_INTENT,
            ),
        ),
    ),
    4: (
        messages.CancelOrder,
        Group(messages.CancelOrder, (("account", U32), ("order_id", U64), *_INTENT)),
    ),
    5: (
        messages.PriceReport,
        Group(
            messages.PriceReport,
            (
                ("round", U64),
                ("observed_at_ns", U64),
                ("observations", Array(Seen(), MAX_OBSERVATIONS)),
            ),
        ),
    ),
    6: (messages.FundingTick, Group(messages.FundingTick, ())),
    7: (messages.Liquidate, Group(messages.Liquidate, (("account", U32),))),
    8: (
        messages.Withdraw,
        Group(messages.Withdraw, (("account", U32), ("asset", U8), ("amount", U64), *_INTENT)),
    ),
    9: (messages.SettleExpiry, Group(messages.SettleExpiry, (("instrument", U16),))),
    10: (
        messages.SetMode,
        Group(messages.SetMode, (("account", U32), ("mode", U8), *_INTENT)),
    ),
    11: (
        messages.Convert,
        Group(
            messages.Convert,
            (("account", U32), ("asset", U8), ("amount", U64), ("minimum_e6", U64), *_INTENT),
        ),
    ),
    12: (
        messages.Forced,
        Group(
            messages.Forced,
            (
                ("index", U64),
                ("time_s", U64),
                ("owner", ADDRESS),
                ("subaccount", U8),
                ("place", U16),
                ("amount", U128),
                ("kind", Choice(EntryKind)),
                ("key", ADDRESS),
            ),
        ),
    ),
    13: (messages.Adopt, Adoption()),
}
"""Record types: number, command and layout. Numbers are never used again for something else."""

_TYPE_OF = {kind: number for number, (kind, _) in LAYOUTS.items()}


def type_of(command: type) -> int:
    """Return the record type of a kind of command."""
    return _TYPE_OF[command]


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log: `epoch` is the sequencer's fencing number, not a price epoch."""

    seq: int
    time_ns: int
    epoch: int
    command: Command


def encode_record(record: Record) -> bytes:
    """Return the frame of a record; WireError when a value does not fit its field."""
    kind, name = _TYPE_OF[type(record.command)], type(record.command).__name__
    payload = LAYOUTS[kind][1].write(record.command, name)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(0, name, f"payload longer than {MAX_PAYLOAD_BYTES} bytes")
    head = (
        ("seq", U64, record.seq),
        ("time_ns", U64, record.time_ns),
        ("epoch", U32, record.epoch),
    )
    prefix = b"".join([codec.write(value, field) for field, codec, value in head])
    return prefix + bytes([kind]) + len(payload).to_bytes(4, "big") + payload


def decode_records(data: bytes) -> Iterator[Record]:
    """Yield the records of concatenated frames.

    Raises
    ------
    WireError
        At the first byte that is not canonical. Records before it were yielded.
    """
    offset = 0
    while offset < len(data):
        record, offset = decode_record(data, offset)
        yield record


def decode_record(data: bytes, offset: int = 0) -> tuple[Record, int]:
    """Return the record whose frame begins at `offset`, and where the frame ends."""
    reader = Reader(data, offset, len(data))
    seq, time_ns, epoch, kind, length = _PREFIX.unpack(reader.take(PREFIX_BYTES, "frame"))
    if kind not in LAYOUTS:
        raise WireError(reader.offset - 5, "type", f"{kind} is no record type")
    name, codec = LAYOUTS[kind][0].__name__, LAYOUTS[kind][1]
    if length > MAX_PAYLOAD_BYTES:
        raise WireError(reader.offset - 4, name, f"payload longer than {MAX_PAYLOAD_BYTES} bytes")
    if length > reader.end - reader.offset:
        raise WireError(
            reader.offset - 4, name, f"payload of {length} bytes reaches beyond the end"
        )
    reader.end = reader.offset + length
    command = codec.read(reader, name)
    reader.finish(name)
    return Record(seq, time_ns, epoch, command), reader.offset


def chain(previous: bytes, frame: bytes) -> bytes:
    """Return the chain hash after one more frame; the first `previous` is bytes32(0)."""
    return keccak256(previous + frame)


assert (
    max(MAX_DOCUMENT_BYTES + 4 * TERMS, MAX_OBSERVATIONS * (MAX_FEEDS * (8 + SPAN_BYTES) + 68) + 18)
    < MAX_PAYLOAD_BYTES
)
