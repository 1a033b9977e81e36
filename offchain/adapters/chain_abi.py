"""The interfaces of our contracts as data: calls, events and errors, to bytes and back.

The ABI comes from the compiler. Nothing here talks to a node.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from offchain.ledger.keccak import keccak256
from offchain.services.errors import ChainUnreachable

SELECTOR_BYTES = 4
AbiEntry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DecodedRevert:
    """Why a call reverted: the error's name and its arguments by name, as far as known."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract: selector, and types of what goes in and comes out."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, arguments: Sequence[object]) -> bytes:
        """Return the calldata of a call."""
        return self.selector + encode(self.inputs, arguments)

    def decode_input(self, calldata: bytes) -> tuple[Any, ...] | None:
        """Return the arguments of a call, or None when the calldata is not of this function.

        As lenient as Solidity: whoever relays a call may fill the padding of its bytes or leave it
        out, and the contract takes it. What was passed is checked by its hash, not by its spelling.
        """
        if calldata[:SELECTOR_BYTES] != self.selector:
            return None
        try:
            return decode(self.inputs, calldata[SELECTOR_BYTES:], strict=False)
        except DecodingError:
            return None

    def decode_output(self, data: bytes) -> tuple[Any, ...]:
        """Return what a call returned."""
        return decode(self.outputs, data)


@dataclass(frozen=True, slots=True)
class EventType:
    """One event of a contract: its first topic, and what the other topics and the data hold."""

    name: str
    topic: bytes
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Return the arguments by name, addresses as bytes; ChainUnreachable when they are not."""
        try:
            values = {
                name: _inside(kind, decode([kind], topic)[0])
                for (name, kind), topic in zip(self.indexed, topics[1:], strict=True)
            }
            decoded = decode([kind for _, kind in self.plain], data)
        except (DecodingError, ValueError) as fault:
            raise ChainUnreachable(f"the node tells of no {self.name}: {fault}") from fault
        for (name, kind), value in zip(self.plain, decoded, strict=True):
            values[name] = _inside(kind, value)
        return values


class ContractInterface:
    """What can be asked of one contract, what it may answer, and where it is.

    Parameters
    ----------
    name : str
        Name of the contract in the sources.
    address : bytes
        Its 20-byte address.
    abi : iterable of dict
        As the compiler writes it. No function that is called may be overloaded.
    """

    def __init__(self, name: str, address: bytes, abi: Iterable[AbiEntry]) -> None:
        self.name, self.address = name, address
        self.abi = tuple(abi)
        functions = [_function(entry) for entry in self.abi if entry["type"] == "function"]
        names = [function.name for function in functions]
        self._functions = {f.name: f for f in functions if names.count(f.name) == 1}
        events = [_event(entry) for entry in self.abi if entry["type"] == "event"]
        self._events = {event.topic: event for event in events}

    @property
    def checksum_address(self) -> str:
        """The address as text, in the mixed case that web3 asks for."""
        return checksum(self.address)

    def function(self, name: str) -> Function:
        """Return a function by name; KeyError when there is none, or more than one."""
        return self._functions[name]

    def event(self, topic: bytes) -> EventType | None:
        """Return the event with a first topic, or None when it is not of this contract."""
        return self._events.get(topic)

    def event_named(self, name: str) -> EventType:
        """Return an event by name; KeyError when there is none."""
        found = [event for event in self._events.values() if event.name == name]
        if not found:
            raise KeyError(name)
        return found[0]


class RevertDecoder:
    """Names the custom error behind a revert, whichever of our contracts it came through."""

    def __init__(self, contracts: Iterable[ContractInterface]) -> None:
        self._errors: dict[bytes, tuple[str, list[tuple[str, str]]]] = {
            keccak256(b"Error(string)")[:4]: ("Error", [("reason", "string")]),
            keccak256(b"Panic(uint256)")[:4]: ("Panic", [("code", "uint256")]),
        }
        for contract in contracts:
            for entry in contract.abi:
                if entry["type"] == "error":
                    self._errors[_selector(entry)] = (entry["name"], _arguments(entry["inputs"]))

    def decode(self, data: bytes) -> DecodedRevert:
        """Return the error behind revert data; `Unknown` with the data when nobody declares it."""
        known = self._errors.get(data[:SELECTOR_BYTES])
        if known is None:
            return DecodedRevert("Unknown", {"data": data})
        name, arguments = known
        try:
            values = decode([kind for _, kind in arguments], data[SELECTOR_BYTES:])
        except DecodingError:
            return DecodedRevert(name, {"data": data})
        named = zip(arguments, values, strict=True)
        return DecodedRevert(name, {key: _inside(kind, value) for (key, kind), value in named})


def checksum(address: bytes) -> str:
    """Return an address as mixed-case text (EIP-55)."""
    plain = address.hex()
    digest = keccak256(plain.encode()).hex()
    mixed = [c.upper() if int(d, 16) > 7 else c for c, d in zip(plain, digest, strict=False)]
    return "0x" + "".join(mixed)


def _inside(kind: str, value: Any) -> Any:
    """Return a decoded value as we keep it: an address is 20 bytes, not text."""
    return bytes.fromhex(value[2:]) if kind == "address" else value


def _arguments(inputs: Sequence[AbiEntry]) -> list[tuple[str, str]]:
    return [(x["name"] or str(place), collapse_if_tuple(x)) for place, x in enumerate(inputs)]


def _types(components: Sequence[AbiEntry]) -> tuple[str, ...]:
    return tuple(kind for _, kind in _arguments(components))


def _topic(entry: AbiEntry) -> bytes:
    return keccak256(f"{entry['name']}({','.join(_types(entry['inputs']))})".encode())


def _selector(entry: AbiEntry) -> bytes:
    return _topic(entry)[:SELECTOR_BYTES]


def _function(entry: AbiEntry) -> Function:
    inputs, outputs = _types(entry["inputs"]), _types(entry["outputs"])
    return Function(entry["name"], _selector(entry), inputs, outputs)


def _event(entry: AbiEntry) -> EventType:
    flags = [bool(x["indexed"]) for x in entry["inputs"]]
    arguments = _arguments(entry["inputs"])
    indexed = tuple(a for a, flag in zip(arguments, flags, strict=True) if flag)
    plain = tuple(a for a, flag in zip(arguments, flags, strict=True) if not flag)
    return EventType(entry["name"], _topic(entry), indexed, plain)
