"""What one oracle signs about its feeds, as bytes: values, and spans behind them.

A value is an int64, a span `down u16 | up u16`: big-endian, one of each for each feed in listing
order. Mirrors `contracts/libraries/Observations.sol`, which takes both as one vector.
"""

from collections.abc import Sequence
from struct import Struct, error

from offchain.core.oracle import UNBOUNDED_E5, Span
from offchain.ledger.columns import pack_values
from offchain.ledger.errors import EncodingError

SPAN_BYTES = 4
_SPAN = Struct(">HH")


def pack_spans(spans: Sequence[Span]) -> bytes:
    """Return packed spans; EncodingError when a number is no uint16."""
    try:
        return b"".join([_SPAN.pack(down, up) for down, up in spans])
    except (error, TypeError, ValueError):
        raise EncodingError(f"a span is two numbers up to {UNBOUNDED_E5}") from None


def unpack_spans(packed: bytes) -> tuple[Span, ...]:
    """Return packed spans; EncodingError when bytes are left over."""
    if len(packed) % SPAN_BYTES:
        raise EncodingError("packed spans come in fours of bytes")
    return tuple([Span(*pair) for pair in _SPAN.iter_unpack(packed)])


def pack_observation(values: Sequence[int], spans: Sequence[Span]) -> bytes:
    """Return the vector that the hub takes; EncodingError when some value has no span."""
    if len(values) != len(spans):
        raise EncodingError(f"{len(values)} values with {len(spans)} spans")
    return pack_values(values) + pack_spans(spans)
