"""JSON at the boundary: strict and bounded on the way in, integers as strings on the way out."""

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 16
_NO_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[^\[\]{}]', re.DOTALL)
"""Strings, finished or not, and everything else that is not a bracket. No byte is tried twice."""


class JsonRefused(ValueError):  # noqa: N818 - an answer to a client, not a fault of ours
    """The text is not JSON as we take it; the message says why."""


def read_json(data: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    JsonRefused
        Not UTF-8, not JSON, nested deeper than `max_depth`, a repeated key, NaN or infinity.
    """
    if _depth(data) > max_depth:
        raise JsonRefused(f"nested deeper than {max_depth}")
    try:
        return json.loads(
            data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except JsonRefused:
        raise
    except UnicodeDecodeError:
        raise JsonRefused("not UTF-8") from None
    except ValueError:  # also a number with more digits than Python converts
        raise JsonRefused("not JSON") from None


def write_json(value: object) -> bytes:
    """Return compact JSON with every integer as a decimal string and bytes as 0x hex."""
    return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False).encode()


def _plain(value: object) -> object:
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(int(value))
        case bytes():
            return f"0x{value.hex()}"
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form here")


def _depth(data: bytes) -> int:
    """Return the deepest nesting of brackets outside strings, without parsing."""
    depth = deepest = 0
    for byte in _NO_BRACKETS.sub(b"", data):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise JsonRefused(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("a key is repeated")
    return found
