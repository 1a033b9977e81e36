"""Outputs: the payments that a finalised batch releases from the vault."""

from dataclasses import dataclass

from offchain.ledger.abi import static
from offchain.ledger.keccak import keccak256

_OUTPUT_TYPES = ("uint64", "uint32", "address", "uint8", "uint128")


@dataclass(frozen=True, slots=True)
class Output:
    """One payment; ids count from 1 and are never used twice. `amount` is in token units."""

    id: int
    account: int
    owner: bytes
    asset: int
    amount: int


def output_hash(output: Output) -> bytes:
    """Return the leaf of an output in the output tree of its batch."""
    values = (output.id, output.account, output.owner, output.asset, output.amount)
    return keccak256(static(_OUTPUT_TYPES, values))
