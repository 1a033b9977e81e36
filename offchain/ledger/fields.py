"""Fixed-width big-endian fields: the pieces of which records of the input log are made.

A layout is a value: ``Group(PlaceOrder, (("account", U32), ...))`` both writes and reads. Reading
accepts exactly the bytes that writing makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from offchain.ledger.errors import WireError


class Reader:
    """A bounded walk over bytes that knows where it is."""

    def __init__(self, data: bytes, offset: int, end: int) -> None:
        self._data = data
        self.offset = offset
        self.end = end

    def take(self, size: int, field: str) -> bytes:
        """Return the next bytes; WireError when they reach beyond the end."""
        stop = self.offset + size
        if stop > self.end:
            raise WireError(
                self.offset, field, f"{size} bytes expected, {self.end - self.offset} left"
            )
        piece = self._data[self.offset : stop]
        self.offset = stop
        return piece

    def finish(self, field: str) -> None:
        """Refuse bytes that are left over."""
        if self.offset != self.end:
            raise WireError(self.offset, field, f"{self.end - self.offset} bytes left over")


class Codec(Protocol):
    """One kind of field."""

    def write(self, value: Any, field: str) -> bytes:
        """Return the encoding; WireError when the value has none."""

    def read(self, reader: Reader, field: str) -> Any:
        """Return the next value; WireError when the bytes are no encoding."""


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer of fixed width."""

    size: int
    signed: bool = False

    def write(self, value: Any, field: str) -> bytes:
        """Return the bytes; WireError when it is no integer or does not fit."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise WireError(0, field, f"{value!r} is not an integer")
        try:
            return value.to_bytes(self.size, "big", signed=self.signed)
        except OverflowError:
            raise WireError(0, field, f"{value} does not fit {self.size} bytes") from None

    def read(self, reader: Reader, field: str) -> int:
        """Return the next integer."""
        return int.from_bytes(reader.take(self.size, field), "big", signed=self.signed)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes of fixed length."""

    size: int

    def write(self, value: Any, field: str) -> bytes:
        """Return the bytes; WireError when there are more or fewer."""
        if not isinstance(value, bytes) or len(value) != self.size:
            raise WireError(0, field, f"{self.size} bytes expected")
        return value

    def read(self, reader: Reader, field: str) -> bytes:
        """Return the next bytes."""
        return reader.take(self.size, field)


@dataclass(frozen=True, slots=True)
class Boolean:
    """One byte, 0 or 1."""

    def write(self, value: Any, field: str) -> bytes:
        """Return 0 or 1; WireError when the value is no truth value."""
        if not isinstance(value, bool):
            raise WireError(0, field, f"{value!r} is not a truth value")
        return b"\x01" if value else b"\x00"

    def read(self, reader: Reader, field: str) -> bool:
        """Return the truth value; WireError for any byte but 0 and 1."""
        place = reader.offset
        number = reader.take(1, field)[0]
        if number > 1:
            raise WireError(place, field, f"{number} is neither 0 nor 1")
        return number == 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One byte that names a member of an enumeration."""

    kind: type[IntEnum]

    def write(self, value: Any, field: str) -> bytes:
        """Return the number; WireError when it names no member."""
        if not isinstance(value, self.kind):
            raise WireError(0, field, f"{value!r} is not a {self.kind.__name__}")
        return bytes([value])

    def read(self, reader: Reader, field: str) -> IntEnum:
        """Return the member; WireError when the number names none."""
        place = reader.offset
        number = reader.take(1, field)[0]
        try:
            return self.kind(number)
        except ValueError:
            raise WireError(place, field, f"{number} is not a {self.kind.__name__}") from None


@dataclass(frozen=True, slots=True)
class Array:
    """A count (u16) of at most `limit`, then as many items."""

    item: Codec
    limit: int

    def write(self, value: Any, field: str) -> bytes:
        """Return count and items; WireError when there are too many."""
        if not isinstance(value, tuple) or len(value) > self.limit:
            raise WireError(0, field, f"a tuple of at most {self.limit} is expected")
        items = [self.item.write(item, f"{field}[{i}]") for i, item in enumerate(value)]
        return len(value).to_bytes(2, "big") + b"".join(items)

    def read(self, reader: Reader, field: str) -> tuple[Any, ...]:
        """Return the items; WireError when there are too many."""
        place = reader.offset
        count = int.from_bytes(reader.take(2, field), "big")
        if count > self.limit:
            raise WireError(place, field, f"{count} items, {self.limit} at most")
        return tuple([self.item.read(reader, f"{field}[{i}]") for i in range(count)])


@dataclass(frozen=True, slots=True)
class Group:
    """A dataclass: its members in order, without anything between them."""

    kind: type
    members: Sequence[tuple[str, Codec]]

    def write(self, value: Any, field: str) -> bytes:
        """Return the members one after another."""
        if not isinstance(value, self.kind):
            raise WireError(0, field, f"{value!r} is not a {self.kind.__name__}")
        return b"".join(
            [codec.write(getattr(value, name), f"{field}.{name}") for name, codec in self.members]
        )

    def read(self, reader: Reader, field: str) -> Any:
        """Return the value."""
        return self.kind(
            **{name: codec.read(reader, f"{field}.{name}") for name, codec in self.members}
        )


U8, U16, U32, U64, U128 = Integer(1), Integer(2), Integer(4), Integer(8), Integer(16)
I32, I64 = Integer(4, signed=True), Integer(8, signed=True)
ADDRESS, SIGNATURE = Raw(20), Raw(65)
