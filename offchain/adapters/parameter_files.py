"""Documents of parameter sets in a folder, one file each, named by their hash."""

from pathlib import Path

from offchain.adapters.durable import write_durably
from offchain.ledger.document import MAX_DOCUMENT_BYTES, parse_document
from offchain.ledger.keccak import keccak256


class ParameterFiles:
    """A `DocumentStore` in a directory. A file that is not what its name says is not there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def add(self, data: bytes) -> bytes:
        """Store a document durably and return its hash.

        Raises
        ------
        WireError
            It is not the canonical document of a set.
        """
        key = keccak256(data)
        if self.find(key) is None:
            parse_document(data)
            write_durably(self._path(key), data)
        return key

    def find(self, document_hash: bytes) -> bytes | None:
        """Return the document with this hash, or None."""
        path = self._path(document_hash)
        if not path.is_file() or path.stat().st_size > MAX_DOCUMENT_BYTES:
            return None
        data = path.read_bytes()
        return data if keccak256(data) == document_hash else None

    def _path(self, key: bytes) -> Path:
        return self.directory / f"0x{key.hex()}.json"
