"""Parameter sets with the overrides of a file, checked field by field."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from offchain.models.schema import first_fault

P = TypeVar("P")


def with_overrides(kind: type[P], base: P | None, overrides: Mapping[str, Any], path: str) -> P:
    """Return `base` with some fields replaced, or a record made of the overrides alone.

    Raises
    ------
    MarginFileError
        A name that the model does not have, a missing one, or a value that its field refuses.
    """
    assert is_dataclass(kind)
    given = {} if base is None else {f.name: getattr(base, f.name) for f in fields(kind)}
    try:
        return TypeAdapter(kind).validate_python({**given, **overrides})
    except ValidationError as fault:
        raise first_fault(fault, path) from None


def plain_parameters(kind: type[Any], parameters: object) -> Any:
    """Return a parameter record as JSON values."""
    return TypeAdapter(kind).dump_python(parameters, mode="json")
