"""A command has exactly one encoding: what decodes is what encoding would write."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import Span
from offchain.core.terms import TERMS, Terms
from offchain.engine import messages as m
from offchain.ledger.errors import WireError
from offchain.ledger.wire import Record, decode_records, encode_record
from tests.support.venue import RULES

U8, U16, U32, U64, U128 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64, 128))
I32, I64 = (st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (32, 64))
OWNER, SIGNATURE = st.binary(min_size=20, max_size=20), st.binary(min_size=65, max_size=65)
SPAN = st.builds(Span, U16, U16)
OBSERVATION = st.lists(st.tuples(I64, SPAN), max_size=6).flatmap(
    lambda seen: st.builds(
        m.Observation,
        U8,
        st.just(tuple(value for value, _ in seen)),
        st.just(tuple(span for _, span in seen)),
        SIGNATURE,
    )
)
COMMANDS: st.SearchStrategy[Any] = st.one_of(
    st.builds(m.Deposit, U64, U64, OWNER, U8, U16, U128),
    st.builds(
        m.PlaceOrder,
        U32,
        U16,
        I32,
        U64,
        st.sampled_from(m.TimeInForce),
        st.booleans(),
        U64,
        U64,
        SIGNATURE,
    ),
    st.builds(m.CancelOrder, U32, U64, U64, U64, SIGNATURE),
    st.builds(m.PriceReport, U64, U64, st.lists(OBSERVATION, max_size=7).map(tuple)),
    st.builds(m.FundingTick),
    st.builds(m.Liquidate, U32),
    st.builds(m.Withdraw, U32, U8, U64, U64, U64, SIGNATURE),
    st.builds(m.SettleExpiry, U16),
    st.builds(m.SetMode, U32, U8, U64, U64, SIGNATURE),
    st.builds(m.Convert, U32, U8, U64, U64, U64, U64, SIGNATURE),
    st.builds(m.Forced, U64, U64, OWNER, U8, U16, U128, st.sampled_from(m.EntryKind), OWNER),
    st.builds(m.Adopt, st.builds(Terms, *[U32] * TERMS), st.just(RULES)),
)
RECORDS = st.builds(Record, U64, U64, U32, COMMANDS)
GENESIS = encode_record(Record(1, 1, 1, m.Genesis(RULES)))


@given(st.lists(RECORDS, max_size=5))
def test_records_survive_the_way_through_their_frames(records: list[Record]) -> None:
    assert list(decode_records(b"".join(map(encode_record, records)))) == records


def assert_canonical(data: bytes) -> None:
    """Either the bytes are refused, or they are what encoding writes."""
    try:
        records = list(decode_records(data))
    except WireError:
        return
    assert b"".join(map(encode_record, records)) == data


@given(RECORDS, st.data())
def test_an_altered_frame_is_refused_or_is_another_frame(
    record: Record, data: st.DataObject
) -> None:
    frame = bytearray(encode_record(record))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    assert_canonical(bytes(frame))


@given(RECORDS, st.data())
def test_a_cut_or_lengthened_frame_is_refused(record: Record, data: st.DataObject) -> None:
    frame = encode_record(record)
    assert_canonical(frame[: data.draw(st.integers(1, len(frame) - 1))])
    assert_canonical(frame + data.draw(st.binary(min_size=1, max_size=40)))


@given(st.binary(max_size=200))
def test_noise_is_refused_or_canonical(noise: bytes) -> None:
    assert_canonical(noise)


@given(st.integers(0, len(GENESIS) - 1), st.integers(1, 255))
def test_an_altered_document_is_refused_or_canonical(place: int, change: int) -> None:
    frame = bytearray(GENESIS)
    frame[place] ^= change
    assert_canonical(bytes(frame))
