"""The engine hash: which rules produced a batch, as one number that the contracts pin."""

from pathlib import Path

from offchain.ledger.keccak import keccak256

PACKAGE = Path(__file__).parents[1]
RULES = ("core", "pricing", "engine", "ledger")


def engine_hash(package: Path = PACKAGE) -> bytes:
    """Return keccak256 over path and content hash of every source file that decides a root.

    Two checkouts with the same rules have the same hash; services, adapters and the application are
    left out, because nothing that they do can change a root.
    """
    parts = []
    for room in RULES:
        for path in sorted((package / room).rglob("*.py")):
            name = path.relative_to(package).as_posix().encode()
            parts.append(keccak256(name) + keccak256(path.read_bytes()))
    return keccak256(b"".join(parts))
