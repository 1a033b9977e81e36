"""The inbox: a queue on chain whose prefix hash a batch reproduces from what it consumed."""

from offchain.ledger.abi import bytes32, static
from offchain.ledger.keccak import keccak256

KIND_DEPOSIT = 1
_ENTRY_TYPES = ("uint8", "uint64", "address", "uint8", "uint8", "uint128")


def entry_hash(
    kind: int, index: int, owner: bytes, subaccount: int, asset: int, amount: int
) -> bytes:
    """Return the hash of one entry; `index` counts from 1, `amount` is in token units."""
    return keccak256(static(_ENTRY_TYPES, (kind, index, owner, subaccount, asset, amount)))


def prefix_hash(previous: bytes, entry: bytes) -> bytes:
    """Return the prefix hash after one more entry; the first `previous` is bytes32(0)."""
    return keccak256(bytes32(previous) + bytes32(entry))
