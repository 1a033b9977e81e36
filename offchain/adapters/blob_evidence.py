"""What a challenger shows of the blobs of a batch, as the judge of posted data takes it."""

from eth_abi.abi import encode

from offchain.adapters.blobs import blob_opening, versioned_hash
from offchain.adapters.chain_history import CommittedBatch
from offchain.ledger.blob_data import ELEMENTS, first_filled

RULE_PADDING = b"\x03"
PADDING = "(bytes32[],(uint32,bytes32,bytes,bytes))"
"""`BlobPaddingEvidence` of contracts/types/StructureEvidence.sol."""


def padding_evidence(batch: CommittedBatch) -> bytes | None:
    """Return the evidence that blobs hold something besides the data; None when they do not.

    Blobs without such an element hold just the data, so that a wrong trace is shown by rebuilding.
    """
    element = first_filled(batch.blobs, batch.header.da_length)
    return None if element is None else element_evidence(batch.blobs, element)


def element_evidence(blobs: tuple[bytes, ...], element: int) -> bytes:
    """Return the evidence that opens one element, counted through all blobs of a batch."""
    opening = blob_opening(blobs[element // ELEMENTS], element % ELEMENTS)
    hashes = [versioned_hash(blob) for blob in blobs]
    opened = (element, opening.value, opening.commitment, opening.proof)
    return RULE_PADDING + encode([PADDING], [(hashes, opened)])
