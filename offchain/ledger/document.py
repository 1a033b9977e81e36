"""The parameter set as a canonical JSON document, and back.

Keys are the field names, sorted; no spaces; integers are decimal strings, truth values are JSON's;
text is short and plain: letters, digits, space and ``._:/+-``. A document has exactly one form:
what parses but would be written differently is refused.
"""

import json
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from offchain.core.parameters import ParameterError, RiskParameters
from offchain.ledger.errors import WireError

MAX_DOCUMENT_BYTES = 1 << 18
MAX_TEXT = 64
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,24}")
_TEXT = re.compile(r"[A-Za-z0-9 ._:/+-]*")
_BRACKET = re.compile(rb"[][{}]")
_MAX_DEPTH = 16


def document(parameters: RiskParameters) -> bytes:
    """Return the canonical JSON of a parameter set; WireError when it is too long."""
    data = json.dumps(_plain(parameters), sort_keys=True, separators=(",", ":")).encode("ascii")
    if len(data) > MAX_DOCUMENT_BYTES:
        raise WireError(0, "document", f"longer than {MAX_DOCUMENT_BYTES} bytes")
    return data


def parse_document(data: bytes) -> RiskParameters:
    """Return the parameter set of a canonical document.

    Raises
    ------
    WireError
        The document is not canonical, a key is unknown, missing or repeated, a value is of the
        wrong type, or the set breaks a rule (then the cause is the `ParameterError`).
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise WireError(0, "document", f"longer than {MAX_DOCUMENT_BYTES} bytes")
    _check_depth(data)
    try:
        tree = json.loads(
            data.decode("ascii"),
            parse_int=_no_number,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except WireError:
        raise
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise WireError(getattr(fault, "pos", 0), "document", "not JSON in ASCII") from fault
    try:
        parameters = _build(RiskParameters, tree, "document")
    except ParameterError as fault:
        raise WireError(0, "document", f"the set breaks a rule: {fault}") from fault
    assert isinstance(parameters, RiskParameters)
    # Repeated keys, spaces, another order and escapes all end here.
    if document(parameters) != data:
        raise WireError(0, "document", "not the canonical form")
    return parameters


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before the parser, which recurses in C, meets it."""
    depth = 0
    for bracket in _BRACKET.finditer(data):  # text holds no brackets, so each one nests
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise WireError(bracket.start(), "document", f"nested deeper than {_MAX_DEPTH}")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(int(value))
    assert isinstance(value, str), type(value)
    if len(value) > MAX_TEXT or not _TEXT.fullmatch(value):
        raise WireError(0, "document", f"{value!r} is not a short name")
    return value


def _no_number(text: str) -> object:
    raise WireError(0, "document", f"integers are decimal strings, not {text[:32]}")


@cache
def _members(kind: type) -> dict[str, Any]:
    """Return the fields of a dataclass with their types, `NewType`s resolved to what they wrap."""
    hints = get_type_hints(kind)
    return {f.name: getattr(hints[f.name], "__supertype__", hints[f.name]) for f in fields(kind)}


def _build(kind: Any, tree: object, path: str) -> object:
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        item = getattr(item, "__supertype__", item)
        _demand(isinstance(tree, list), path, "a list is expected")
        assert isinstance(tree, list)
        return tuple(_build(item, x, f"{path}[{i}]") for i, x in enumerate(tree))
    if is_dataclass(kind):
        assert isinstance(kind, type)
        return _build_dataclass(kind, tree, path)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(tree, path)
    assert issubclass(kind, IntEnum), kind
    number = _integer(tree, path)
    _demand(number in set(kind), path, f"{number} is not a {kind.__name__}")
    return kind(number)


def _build_dataclass(kind: type, tree: object, path: str) -> object:
    _demand(isinstance(tree, dict), path, "an object is expected")
    assert isinstance(tree, dict)
    members = _members(kind)
    for wrong, rule in (
        (members.keys() - tree.keys(), "missing"),
        (tree.keys() - members, "unknown"),
    ):
        _demand(not wrong, path, f"{rule} key {min(wrong, default='')!r}")
    return kind(**{k: _build(member, tree[k], f"{path}.{k}") for k, member in members.items()})


def _integer(tree: object, path: str) -> int:
    right = isinstance(tree, str) and _INTEGER.fullmatch(tree)
    _demand(bool(right), path, "a decimal string is expected")
    assert isinstance(tree, str)
    return int(tree)


def _truth(tree: object, path: str) -> bool:
    _demand(isinstance(tree, bool), path, "true or false is expected")
    return bool(tree)


def _text(tree: object, path: str) -> str:
    _demand(isinstance(tree, str), path, "text is expected")
    assert isinstance(tree, str)
    _demand(len(tree) <= MAX_TEXT and bool(_TEXT.fullmatch(tree)), path, "a short name is expected")
    return tree


_READERS: dict[type, Callable[[object, str], object]] = {int: _integer, bool: _truth, str: _text}


def _demand(holds: bool, path: str, rule: str) -> None:
    if not holds:
        raise WireError(0, path, rule)
