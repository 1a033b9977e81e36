"""JSON is taken strictly and given exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.adapters.json_text import MAX_DEPTH, JsonRefused, read_json, write_json


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"'a'", "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b"NaN", "NaN"),
        (b'{"a":[Infinity]}', "Infinity"),
        (b"-Infinity", "Infinity"),
        (b'"\xff"', "not UTF-8"),
        (b'{"a":1,"a":2}', "repeated"),
        (b"9" * 5_000, "not JSON"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
        (b"[" * 60_000, "deeper"),
        (b'{"a":' * 10_000, "deeper"),
        (b'"' + b"[" * 60_000, "not JSON"),
    ],
)
def test_what_is_not_json_as_we_take_it_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(JsonRefused, match=why):
        read_json(text)


def test_brackets_in_text_do_not_count_as_depth() -> None:
    text = "[" * 1_000 + '\\" ]'
    assert read_json(write_json({"a": text})) == {"a": text}


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def as_written(value: object) -> object:
    if isinstance(value, list):
        return [as_written(v) for v in value]
    if isinstance(value, dict):
        return {k: as_written(v) for k, v in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(JSON)
def test_values_come_back_with_integers_as_decimal_strings(value: object) -> None:
    assert read_json(write_json(value), max_depth=100) == as_written(value)


def test_bytes_are_hex_and_a_float_has_no_form() -> None:
    assert write_json({"a": b"\x00\xff"}) == b'{"a":"0x00ff"}'
    with pytest.raises(TypeError, match="float"):
        write_json([1.5])
