"""Frozen values as JSON and back: integers are decimal strings, bytes are 0x text.

For what leaves a process or waits in a file: witnesses, headers, batches. Reading is strict: a key
that is missing or unknown, a number that is no decimal string, or text that is no hex is refused.
"""

import re
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

MAX_ITEMS = 1 << 20
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,38}")
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")
T = TypeVar("T")


class MalformedValue(ValueError):  # noqa: N818 - named by what it is, as the faults are
    """A JSON tree is not what was asked for; the message names the place."""


def to_json(value: object) -> Any:
    """Return a value of dataclasses, tuples, integers, truth values, text and bytes as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def from_json(kind: type[T], tree: object, path: str = "value") -> T:
    """Return the value of a dataclass type that a JSON tree states.

    Raises
    ------
    MalformedValue
        The tree is not of this type; the message names the place.
    """
    value = _read(kind, tree, path)
    assert isinstance(value, kind)
    return value


@cache
def _members(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _read(kind: Any, tree: object, path: str) -> object:
    kind = getattr(kind, "__supertype__", kind)
    if get_origin(kind) is tuple:
        return _read_tuple(get_args(kind), tree, path)
    if is_dataclass(kind):
        assert isinstance(kind, type)
        return _read_dataclass(kind, tree, path)
    if kind is bytes:
        if not isinstance(tree, str) or not _HEX.fullmatch(tree):
            raise MalformedValue(f"{path}: 0x text is expected")
        return bytes.fromhex(tree[2:])
    if kind in (bool, str):
        if not isinstance(tree, kind):
            raise MalformedValue(f"{path}: {kind.__name__} is expected")
        return tree
    if not isinstance(tree, str) or not _INTEGER.fullmatch(tree):
        raise MalformedValue(f"{path}: a decimal string is expected")
    return _number(kind, int(tree), path)


def _number(kind: Any, number: int, path: str) -> int:
    if kind is int:
        return number
    assert issubclass(kind, IntEnum), kind
    try:
        named: int = kind(number)
    except ValueError:
        raise MalformedValue(f"{path}: {number} is no {kind.__name__}") from None
    return named


def _read_tuple(kinds: tuple[Any, ...], tree: object, path: str) -> tuple[object, ...]:
    if not isinstance(tree, list) or len(tree) > MAX_ITEMS:
        raise MalformedValue(f"{path}: a list is expected")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(tree)
    if len(kinds) != len(tree):
        raise MalformedValue(f"{path}: {len(kinds)} items are expected, not {len(tree)}")
    pairs = zip(kinds, tree, strict=True)
    return tuple(_read(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _read_dataclass(kind: type, tree: object, path: str) -> object:
    if not isinstance(tree, dict):
        raise MalformedValue(f"{path}: an object is expected")
    members = _members(kind)
    if members.keys() != tree.keys():
        odd = min(str(key) for key in members.keys() ^ tree.keys())
        raise MalformedValue(f"{path}: key {odd!r} is missing or unknown")
    return kind(**{name: _read(m, tree[name], f"{path}.{name}") for name, m in members.items()})
