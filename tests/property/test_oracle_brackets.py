"""O-8: brackets of a report contain its medians, and no minority of signers sets them."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.core.oracle import (
    HIGHEST,
    UNBOUNDED_E5,
    Span,
    bracket,
    brackets,
    median_span,
    medians,
    range_e5,
    span_of,
)
from offchain.ledger.errors import EncodingError
from offchain.ledger.observations import (
    SPAN_BYTES,
    pack_observation,
    pack_spans,
    unpack_spans,
)

SIDE = st.one_of(st.integers(0, UNBOUNDED_E5), st.sampled_from([0, 1, UNBOUNDED_E5]))
SPANS = st.builds(Span, SIDE, SIDE)
PRICE = st.integers(1, HIGHEST)


@given(st.lists(st.tuples(PRICE, SPANS), min_size=1, max_size=9))
def test_a_bracket_contains_the_median_whatever_is_signed(seen: list[tuple[int, Span]]) -> None:
    values, spans = [[v] for v, _ in seen], [[s] for _, s in seen]
    (low, high), (median,) = brackets(values, spans)[0], medians(values)
    assert 0 <= low <= median <= high <= HIGHEST


@given(st.lists(SPANS, min_size=2, max_size=9), st.data())
def test_fewer_than_half_of_the_signers_stay_between_the_honest(
    honest: list[Span], data: st.DataObject
) -> None:
    liars = data.draw(st.lists(SPANS, max_size=len(honest) - 1))
    found = median_span(data.draw(st.permutations([*honest, *liars])))
    assert min(s.down_e5 for s in honest) <= found.down_e5 <= max(s.down_e5 for s in honest)
    assert min(s.up_e5 for s in honest) <= found.up_e5 <= max(s.up_e5 for s in honest)


@given(PRICE, PRICE, PRICE)
def test_a_bracket_of_an_honest_span_contains_what_the_signer_saw(a: int, b: int, c: int) -> None:
    low, value, high = sorted((a, b, c))
    found = bracket(value, span_of(value, low, high))
    assert found.low <= low
    assert found.high >= high


@given(PRICE, PRICE)
def test_a_span_is_the_least_that_covers_a_move(value: int, low: int) -> None:
    span = span_of(value, min(low, value), value)
    assert span.up_e5 == 0
    if 0 < span.down_e5 < UNBOUNDED_E5:
        narrower = (100_000 - span.down_e5 + 1) * value
        assert narrower > low * 100_000


@given(SPANS)
def test_a_range_without_a_bound_is_the_largest(span: Span) -> None:
    assert range_e5(span) == min(sum(span), UNBOUNDED_E5)
    assert (UNBOUNDED_E5 not in span) or range_e5(span) == UNBOUNDED_E5


@given(st.lists(SPANS, max_size=9))
def test_spans_have_four_bytes_each_and_come_back(spans: list[Span]) -> None:
    packed = pack_spans(spans)
    assert len(packed) == SPAN_BYTES * len(spans)
    assert unpack_spans(packed) == tuple(spans)
    for size in range(1, SPAN_BYTES):
        try:
            unpack_spans(packed + bytes(size))
        except EncodingError:
            continue
        raise AssertionError(size)


@given(st.lists(PRICE, max_size=4), st.lists(SPANS, max_size=4))
def test_a_vector_has_as_many_spans_as_values(values: list[int], spans: list[Span]) -> None:
    try:
        packed = pack_observation(values, spans)
    except EncodingError:
        assert len(values) != len(spans)
        return
    assert len(packed) == 12 * len(values) == 12 * len(spans)
