"""The input log: frames, their fields and what is refused where."""

from typing import Any

import pytest

from offchain.core.oracle import STILL, UNKNOWN, Span
from offchain.core.terms import Terms
from offchain.engine.messages import (
    Adopt,
    CancelOrder,
    Command,
    Convert,
    Deposit,
    EntryKind,
    Forced,
    FundingTick,
    Genesis,
    Liquidate,
    Observation,
    PlaceOrder,
    PriceReport,
    SetMode,
    SettleExpiry,
    TimeInForce,
    Withdraw,
)
from offchain.ledger.errors import WireError
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.wire import (
    LAYOUTS,
    MAX_PAYLOAD_BYTES,
    PREFIX_BYTES,
    Record,
    chain,
    decode_records,
    encode_record,
)
from tests.support.venue import NO_SIGNATURE, RULES


def made(kind: type[Command], *values: object) -> Any:
    """Return a command of plain numbers, in range or not."""
    return kind(*values)  # type: ignore[arg-type] # some values are wrong on purpose


def unlike(spans: Any) -> Observation:
    """Return an observation of one value with whatever is given for its spans."""
    return Observation(0, (1,), spans, NO_SIGNATURE)


ORDER = made(
    PlaceOrder, 2, 256, -5, 10**12, TimeInForce.POST_ONLY, True, 7, 2**64 - 1, NO_SIGNATURE
)
LAID = Terms(*range(2**32 - 8, 2**32))
COMMANDS: list[Command] = [
    Genesis(RULES),
    made(Deposit, 1, 2**64 - 1, b"\x11" * 20, 255, 2**16 - 1, 2**128 - 1),
    ORDER,
    made(CancelOrder, 2, 9, 8, 1, NO_SIGNATURE),
    made(
        PriceReport,
        1,
        2,
        (
            Observation(0, (1, -2, 2**63 - 1), (STILL, UNKNOWN, Span(1, 2)), NO_SIGNATURE),
            Observation(3, (), (), NO_SIGNATURE),
        ),
    ),
    FundingTick(),
    made(Liquidate, 2**32 - 1),
    made(Withdraw, 2, 0, 2**64 - 1, 9, 1, NO_SIGNATURE),
    made(SettleExpiry, 511),
    made(SetMode, 2, 255, 9, 1, NO_SIGNATURE),
    made(Convert, 2, 1, 2**64 - 1, 2**64 - 1, 9, 1, NO_SIGNATURE),
    made(Forced, 1, 2, b"\x11" * 20, 255, 511, 2**128 - 1, EntryKind.CLOSE, b"\x22" * 20),
    made(Adopt, LAID, RULES),
]


def frame_of(command: Command) -> bytes:
    return encode_record(Record(5, 6, 7, command))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__)
def test_every_command_survives_the_way_through_its_frame(command: Command) -> None:
    record = Record(2**64 - 1, 3, 2**32 - 1, command)
    assert list(decode_records(encode_record(record))) == [record]


def test_record_types_are_the_ones_of_the_page() -> None:
    kinds = [type(c) for c in COMMANDS]
    assert [kind for kind, _ in LAYOUTS.values()] == kinds
    assert list(LAYOUTS) == list(range(1, 14))
    assert [frame_of(c)[20] for c in COMMANDS] == list(range(1, 14))


def test_a_frame_is_what_the_page_says() -> None:
    payload = bytes.fromhex("000000020100fffffffb000000e8d4a510000201")
    payload += (7).to_bytes(8) + b"\xff" * 8 + NO_SIGNATURE
    prefix = (5).to_bytes(8) + (6).to_bytes(8) + (7).to_bytes(4) + b"\x03"
    assert frame_of(ORDER) == prefix + len(payload).to_bytes(4) + payload


def test_entries_of_the_inbox_are_laid_out_as_the_page_says() -> None:
    index, time_s = (1).to_bytes(8), (2).to_bytes(8)
    forced = index + time_s + b"\x11" * 20 + b"\xff" + (511).to_bytes(2) + b"\xff" * 16
    assert frame_of(COMMANDS[11])[PREFIX_BYTES:] == forced + b"\x04" + b"\x22" * 20
    deposit = index + b"\xff" * 8 + b"\x11" * 20 + b"\xff" + b"\xff\xff" + b"\xff" * 16
    assert frame_of(COMMANDS[1])[PREFIX_BYTES:] == deposit


def test_frames_follow_one_another_and_chain() -> None:
    records = [Record(i, i, 1, c) for i, c in enumerate(COMMANDS, start=1)]
    frames = [encode_record(r) for r in records]
    assert list(decode_records(b"".join(frames))) == records
    first = chain(ZERO32, frames[0])
    assert first == keccak256(ZERO32 + frames[0])
    assert chain(first, frames[1]) == keccak256(first + frames[1])


def altered(place: int, value: bytes, command: Command = ORDER) -> bytes:
    frame = bytearray(frame_of(command))
    start = PREFIX_BYTES + place
    frame[start : start + len(value)] = value
    return bytes(frame)


REPORT: Command = COMMANDS[4]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (frame_of(ORDER)[:-1], "PlaceOrder"),
        (frame_of(ORDER) + b"\x00", "frame"),
        (frame_of(ORDER)[:10], "frame"),
        (frame_of(ORDER)[:20] + b"\x00" + frame_of(ORDER)[21:], "type"),
        (frame_of(ORDER)[:20] + b"\x0e" + frame_of(ORDER)[21:], "type"),
        (frame_of(ORDER)[:21] + (MAX_PAYLOAD_BYTES + 1).to_bytes(4) + bytes(9), "PlaceOrder"),
        (frame_of(FundingTick())[:21] + b"\x00\x00\x00\x01\x00", "FundingTick"),
        (altered(18, b"\x03"), "PlaceOrder.time_in_force"),
        (altered(19, b"\x02"), "PlaceOrder.reduce_only"),
        (altered(16, b"\xff\xff", REPORT), "PriceReport.observations"),
        (altered(19, b"\xff\xff", REPORT), "PriceReport.observations[0].values"),
        (altered(0, b"[", COMMANDS[0]), "Genesis.document"),
        (altered(55, b"\x07", COMMANDS[11]), "Forced.kind"),
    ],
)
def test_what_is_not_canonical_is_refused_with_its_field(data: bytes, field: str) -> None:
    with pytest.raises(WireError) as caught:
        list(decode_records(data))
    assert caught.value.field == field
    assert 0 <= caught.value.offset <= len(data)


def test_a_short_payload_is_refused_inside_its_own_bounds() -> None:
    short = frame_of(made(Liquidate, 2))[:21] + (3).to_bytes(4) + bytes(3)
    with pytest.raises(WireError, match=r"Liquidate\.account at byte 25: 4 bytes expected, 3 left"):
        list(decode_records(short + frame_of(ORDER)))


@pytest.mark.parametrize(
    "command",
    [
        made(Liquidate, -1),
        made(Liquidate, 2**32),
        made(SettleExpiry, 2**16),
        made(Deposit, 1, 1, bytes(19), 0, 0, 1),
        made(Deposit, 1, 1, bytes(20), 0, 2**16, 1),
        made(Forced, 1, 1, bytes(20), 0, 0, 1, 4, bytes(20)),
        made(Forced, 1, 1, bytes(20), 0, 0, 1, EntryKind.GRANT, bytes(21)),
        made(CancelOrder, 1, 1, 1, 1, bytes(64)),
        made(PlaceOrder, 1, 1, 2**31, 1, TimeInForce.POST_ONLY, False, 1, 1, NO_SIGNATURE),
        made(PlaceOrder, 1, 1, 1, 1, 1, False, 1, 1, NO_SIGNATURE),
        made(PlaceOrder, 1, 1, 1, 1, TimeInForce.POST_ONLY, 0, 1, 1, NO_SIGNATURE),
        made(PriceReport, 1, 1, (Observation(0, (1,) * 513, (STILL,) * 513, NO_SIGNATURE),)),
        made(PriceReport, 1, 1, tuple(Observation(i, (), (), NO_SIGNATURE) for i in range(65))),
        made(PriceReport, 1, 1, (Observation(0, (1,), (), NO_SIGNATURE),)),
        made(PriceReport, 1, 1, (Observation(0, (), (STILL,), NO_SIGNATURE),)),
        made(PriceReport, 1, 1, (Observation(0, (1,), (Span(-1, 0),), NO_SIGNATURE),)),
        made(PriceReport, 1, 1, (Observation(0, (1,), (Span(0, 1 << 16),), NO_SIGNATURE),)),
        made(PriceReport, 1, 1, (unlike(((1,),)),)),
        made(PriceReport, 1, 1, (unlike([STILL]),)),
    ],
)
def test_a_value_without_an_encoding_is_refused(command: Command) -> None:
    with pytest.raises(WireError):
        frame_of(command)
