"""Values survive the way through JSON, and nothing else comes back."""

import json
from dataclasses import dataclass
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.services.json_values import MalformedValue, from_json, to_json


class Colour(IntEnum):
    """An enumeration of one."""

    RED = 1


@dataclass(frozen=True)
class Inner:
    """A part."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Outer:
    """A whole, with every kind of member."""

    colour: Colour
    flag: bool
    name: str
    pair: tuple[int, bytes]
    inner: tuple[Inner, ...]


INNER = st.builds(Inner, st.integers(-(2**127), 2**127), st.binary(max_size=40))
OUTER = st.builds(
    Outer,
    st.just(Colour.RED),
    st.booleans(),
    st.text(max_size=8),
    st.tuples(st.integers(-9, 9), st.binary(max_size=3)),
    st.lists(INNER, max_size=4).map(tuple),
)


@given(OUTER)
def test_a_value_reads_back_as_it_was(value: Outer) -> None:
    assert from_json(Outer, json.loads(json.dumps(to_json(value)))) == value


GOOD = to_json(Outer(Colour.RED, True, "x", (1, b""), (Inner(2, b"\x03"),)))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"colour": "2"}, "colour"),
        ({"colour": 1}, "colour"),
        ({"flag": "true"}, "flag"),
        ({"name": 1}, "name"),
        ({"pair": ["1"]}, "pair"),
        ({"pair": "1"}, "pair"),
        ({"inner": [{"number": "2"}]}, "inner[0]"),
        ({"inner": [{"number": "02", "data": "0x"}]}, "inner[0].number"),
        ({"inner": [{"number": "2", "data": "0X"}]}, "inner[0].data"),
        ({"inner": [{"number": "2", "data": "0xA"}]}, "inner[0].data"),
        ({"inner": [None]}, "inner[0]"),
        ({"more": "1"}, "value"),
    ],
)
def test_anything_else_is_refused_with_its_place(change: dict[str, object], place: str) -> None:
    with pytest.raises(MalformedValue) as caught:
        from_json(Outer, GOOD | change)
    assert place in str(caught.value)


def test_a_number_with_a_fraction_has_no_form() -> None:
    with pytest.raises(TypeError):
        to_json(1.5)
