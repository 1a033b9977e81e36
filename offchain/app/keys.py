"""Development keys: derived from a word and a number, and therefore known to everybody.

They are for chain id 31337 and refused by `devnet` elsewhere.
"""

from dataclasses import dataclass

from offchain.ledger.keccak import keccak256
from offchain.services.signing import KeySigner

ORACLES = 7
QUORUM = 5
ATTESTORS = 3
THRESHOLD = 2


def development_key(role: str, number: int = 0) -> KeySigner:
    """Return the development key of a role."""
    return KeySigner(keccak256(f"plimsoll development key: {role} {number}".encode()))


@dataclass(frozen=True, slots=True)
class DevnetKeys:
    """Every key of a devnet's operator. Oracles and attestors ascend by address."""

    sequencer: KeySigner
    relayer: KeySigner
    keeper: KeySigner
    backstop: KeySigner
    oracles: tuple[KeySigner, ...]
    attestors: tuple[KeySigner, ...]

    @classmethod
    def make(cls) -> "DevnetKeys":
        """Derive all of them."""
        return cls(
            development_key("sequencer"),
            development_key("relayer"),
            development_key("keeper"),
            development_key("backstop"),
            _ascending("oracle", ORACLES),
            _ascending("attestor", ATTESTORS),
        )


def _ascending(role: str, count: int) -> tuple[KeySigner, ...]:
    keys = [development_key(role, number) for number in range(count)]
    return tuple(sorted(keys, key=lambda key: key.address))


def hex_address(key: KeySigner) -> str:
    """Return the 0x address of a key, lower case."""
    return f"0x{key.address.hex()}"
