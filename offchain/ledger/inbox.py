"""The inbox: a queue on chain whose prefix hash a batch reproduces from what it consumed."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from offchain.engine.events import NO_KEY
from offchain.engine.messages import Deposit, EntryKind, Forced
from offchain.ledger.abi import bytes32, static
from offchain.ledger.keccak import ZERO32, keccak256

_ENTRY_TYPES = ("uint8", "uint64", "uint64", "address", "uint8", "uint16", "uint128", "address")


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One entry of the queue, as docs/COMMITMENTS.md fills it.

    Attributes
    ----------
    kind : int
        One of `EntryKind`; `INBOX_*` of `contracts/types/Inbox.sol`.
    index : int
        Place in the queue, from 1.
    time_s : int
        When it was enqueued. [s since 1970]
    owner : bytes
        Whose accounts it is about.
    place : int
        Asset or instrument.
    amount : int
        In the engine's units, lots, or seconds since 1970.
    key : bytes
        A trading key; zero where there is none.
    """

    kind: int
    index: int
    time_s: int
    owner: bytes
    subaccount: int
    place: int
    amount: int
    key: bytes


def entry_of(command: Deposit | Forced) -> InboxEntry:
    """Return the entry that a record consumes."""
    if isinstance(command, Forced):
        return InboxEntry(
            int(command.kind),
            command.index,
            command.time_s,
            command.owner,
            command.subaccount,
            command.place,
            command.amount,
            command.key,
        )
    return InboxEntry(
        int(EntryKind.DEPOSIT),
        command.index,
        command.time_s,
        command.owner,
        command.subaccount,
        command.asset,
        command.amount,
        NO_KEY,
    )


def entry_hash(entry: InboxEntry) -> bytes:
    """Return ``keccak256(abi.encode(entry))``; EncodingError when a value does not fit its type."""
    return keccak256(static(_ENTRY_TYPES, astuple(entry)))


def prefix_hash(previous: bytes, entry: bytes) -> bytes:
    """Return the prefix hash after one more entry; the first `previous` is bytes32(0)."""
    return keccak256(bytes32(previous) + bytes32(entry))


def prefix_of(entries: Iterable[InboxEntry]) -> bytes:
    """Return the prefix hash after all of some entries, from the first one on."""
    prefix = ZERO32
    for entry in entries:
        prefix = prefix_hash(prefix, entry_hash(entry))
    return prefix
