"""Liquidation instructions: what the engine did to one account in one step."""

from dataclasses import dataclass

from offchain.engine.events import Leg
from offchain.ledger.abi import WORD, bytes32, signed, unsigned
from offchain.ledger.errors import EncodingError
from offchain.ledger.keccak import keccak256

_HEAD_WORDS = 7

__all__ = ["Instruction", "Leg", "encode_instruction", "instruction_hash"]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One liquidation step; `id` is the sequence number of its command, `tier` 1 or 2.

    `account_root` and `leaf_hash` are those just before the step. Legs ascend by instrument.
    """

    id: int
    account: int
    tier: int
    account_root: bytes
    leaf_hash: bytes
    epoch_hash: bytes
    legs: tuple[Leg, ...]

    def abi_tuple(self) -> tuple[object, ...]:
        """Return the instruction as `LiquidationManager.verify` takes it."""
        return (
            self.id,
            self.account,
            self.tier,
            self.account_root,
            self.leaf_hash,
            self.epoch_hash,
            tuple((leg.instrument, leg.lots, leg.limit_price_e8) for leg in self.legs),
        )


def encode_instruction(instruction: Instruction) -> bytes:
    """Return ``abi.encode(instruction)``; EncodingError when a value does not fit its type."""
    words = [
        unsigned(WORD, 256),
        unsigned(instruction.id, 64),
        unsigned(instruction.account, 32),
        unsigned(instruction.tier, 8),
        bytes32(instruction.account_root),
        bytes32(instruction.leaf_hash),
        bytes32(instruction.epoch_hash),
        unsigned(_HEAD_WORDS * WORD, 256),
        unsigned(len(instruction.legs), 256),
    ]
    last = -1
    for leg in instruction.legs:
        if leg.instrument <= last:
            raise EncodingError("legs ascend by instrument")
        last = leg.instrument
        words += (
            unsigned(leg.instrument, 16),
            signed(leg.lots, 32),
            unsigned(leg.limit_price_e8, 64),
        )
    return b"".join(words)


def instruction_hash(instruction: Instruction) -> bytes:
    """Return the leaf of an instruction in the liquidation tree of a batch."""
    return keccak256(encode_instruction(instruction))
