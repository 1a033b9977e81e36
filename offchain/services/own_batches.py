"""The batches that we made, as the chain holds them: also on a branch that we left.

When the chain returns to such a branch, our own batches stand there under other hashes than ours
have by now. They are rolled back; but not while somebody demands something of one, and what nobody
shows costs the stake.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.path_answers import CutBatches
from offchain.services.ports import SignedBatch


class CommittedChain(Protocol):
    """What the chain holds under a number."""

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        ...

    def committed_header(self, batch_no: int) -> BatchHeader:
        """Return the header of a committed batch, from its transaction, checked by its hash."""
        ...


class LeftBatches(Protocol):
    """Where batches stay that were set aside."""

    def left(self, batch_no: int) -> Sequence[SignedBatch]:
        """Return the batches of a number that were set aside."""
        ...


class OwnBatches:
    """A `CutBatches` of what the chain holds. Safe to call from several threads."""

    def __init__(self, batches: CutBatches, left: LeftBatches, chain: CommittedChain) -> None:
        self._batches, self._left, self._chain = batches, left, chain

    @property
    def finalised(self) -> int:
        """Number of the last batch that was seen to be final, 0 before the first."""
        return self._batches.finalised

    def batch(self, batch_no: int) -> SignedBatch | None:
        """Return the batch that the chain holds under a number; None when it is none of ours.

        What was stamped anew since has the header of the chain; its contents are the same.

        Raises
        ------
        ChainUnreachable
            The node does not answer.
        BatchFileCorrupt
            A stored batch is damaged.
        """
        cut, committed = self._batches.batch(batch_no), self._chain.batch_hash_of(batch_no)
        if cut is not None and cut.batch.hash == committed:
            return cut
        if not any(committed):
            return None
        header = self._chain.committed_header(batch_no)
        if batch_hash(header) != committed:  # another one came meanwhile
            return None
        for made in (cut, *self._left.left(batch_no)):
            if made is not None and _is_same(made.batch.header, header):
                return replace(made, batch=replace(made.batch, header=header))
        return None


def _is_same(ours: BatchHeader, other: BatchHeader) -> bool:
    """Tell whether two headers are alike but for what a stamp gives them."""
    stamped = replace(
        ours,
        prev_batch_hash=other.prev_batch_hash,
        l1_block_number=other.l1_block_number,
        l1_block_hash=other.l1_block_hash,
    )
    return stamped == other
