"""A signer that holds its key in memory, for development keys and tests."""

from offchain.ledger.signatures import address_of, sign


class KeySigner:
    """A `Signer` for a 32-byte private key. The key is in no representation of the object."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        self._address = address_of(private_key)

    @property
    def address(self) -> bytes:
        """The 20-byte address."""
        return self._address

    def sign(self, digest: bytes) -> bytes:
        """Return the 65-byte signature of a 32-byte digest."""
        return sign(digest, self._private_key)

    def __repr__(self) -> str:
        return f"KeySigner(0x{self._address.hex()})"
