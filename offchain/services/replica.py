"""A replica: replays what the chain holds and says whether a header follows from it."""

from collections.abc import Callable

from offchain.engine.reasons import Rejected
from offchain.ledger.batch import Batch
from offchain.ledger.closing import Anchor, DataHash
from offchain.ledger.errors import LedgerError
from offchain.ledger.header import DATA_KIND_BLOBS, BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.trace_data import posted_records

Posted = tuple[BatchHeader, bytes]
"""A committed batch as the chain has it: header and posted data."""


def cut_as_posted(journal: Journal, engine_hash: bytes, posted: BatchHeader) -> Batch:
    """Close a batch with what only the poster can know: the block it named, and where data went.

    The chain checked both when it took the commit. A checkpoint may be left out where the protocol
    lets it: then the header that follows has none either.
    """
    anchor = Anchor(posted.l1_block_number, posted.l1_block_hash)
    blobs: DataHash | None = None
    if posted.da_kind == DATA_KIND_BLOBS:
        blobs = lambda _data: posted.da_hash  # noqa: E731 - a hash that the chain checked
    has_checkpoint = posted.checkpoint_root != ZERO32
    return journal.cut(engine_hash, anchor, blobs, has_checkpoint=has_checkpoint)


class Replica:
    """An independent copy of the engine, fed with posted data alone.

    Parameters
    ----------
    posted : callable
        Returns header and posted data of a committed batch, from the chain.
    engine_hash : bytes
        Of the engine that runs here.

    Attributes
    ----------
    problem : str
        Why it stopped vouching; a replica that disagreed once never vouches again.
    """

    def __init__(self, posted: Callable[[int], Posted], engine_hash: bytes) -> None:
        self.journal = Journal()
        self.problem = ""
        self._posted, self._engine_hash = posted, engine_hash
        self._header: BatchHeader | None = None
        self._is_fresh = True

    def vouches(self, header: BatchHeader) -> bool:
        """Tell whether the header is what replaying the chain up to its batch gives.

        What differs is replayed once more from the first batch: the chain may have been reorganised
        since. One without a checkpoint is none that the engine makes, and is not vouched for.
        """
        if self.problem or header.checkpoint_root == ZERO32:
            return False
        if not self._agrees(header) and not self._is_fresh:
            self.journal, self._header, self.problem = Journal(), None, ""
            self._agrees(header)
        return not self.problem and self._header == header

    def _agrees(self, header: BatchHeader) -> bool:
        self._is_fresh = self.journal.batch_no == 1
        while not self.problem and self.journal.batch_no <= header.batch_no:
            self._replay(self.journal.batch_no)
        return not self.problem and self._header == header

    def _replay(self, batch_no: int) -> None:
        try:
            posted, data = self._posted(batch_no)
            for record in posted_records(posted, data):
                outcome = self.journal.apply(record)
                if isinstance(outcome, Rejected):
                    self.problem = f"batch {batch_no}: record {record.seq} is refused: {outcome}"
                    return
            batch = cut_as_posted(self.journal, self._engine_hash, posted)
            self._header = batch.header if batch.data == data else None
        except LedgerError as fault:
            self.problem = f"batch {batch_no}: {fault}"
