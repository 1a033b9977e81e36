"""Attestations: the proof of kind 0, by those who replayed a batch and vouch for it."""

from collections.abc import Callable, Mapping, Sequence

from offchain.ledger.abi import WORD, dynamic_bytes, unsigned
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.typed_data import Domain, attestation_digest
from offchain.services.ports import Attestor, Signer


class LocalAttestor:
    """An attestor in this process, for a devnet.

    Parameters
    ----------
    key : Signer
        A key registered with AttestedVerifier.
    domain : Domain
        EIP-712 domain of AttestedVerifier.
    vouches : callable
        Whether a committed batch is right; it should replay what the chain holds.
    """

    def __init__(self, key: Signer, domain: Domain, vouches: Callable[[BatchHeader], bool]) -> None:
        self._key, self._domain, self._vouches = key, domain, vouches

    @property
    def address(self) -> bytes:
        """The registered 20-byte address."""
        return self._key.address

    def attest(self, header: BatchHeader) -> bytes | None:
        """Return the 65-byte signature over a committed batch, or None while not vouched for."""
        if not self._vouches(header):
            return None
        return self._key.sign(attestation_digest(self._domain, batch_hash(header)))


def collect(attestors: Sequence[Attestor], header: BatchHeader, threshold: int) -> bytes | None:
    """Return the proof of a batch, or None while fewer than the threshold vouch for it."""
    signatures: dict[bytes, bytes] = {}
    for attestor in attestors:
        if len(signatures) == threshold:
            break
        signature = attestor.attest(header)
        if signature is not None:
            signatures[attestor.address] = signature
    return attestation_proof(signatures) if len(signatures) >= threshold else None


def attestation_proof(signatures: Mapping[bytes, bytes]) -> bytes:
    """Return ``abi.encode(bytes[] signatures)``, ascending by the signer's address."""
    tails = [dynamic_bytes(signatures[address]) for address in sorted(signatures)]
    offsets, place = [], len(tails) * WORD
    for tail in tails:
        offsets.append(unsigned(place, 256))
        place += len(tail)
    return b"".join([unsigned(WORD, 256), unsigned(len(tails), 256), *offsets, *tails])
