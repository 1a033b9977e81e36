"""A replica: replays what the chain holds and says whether a header follows from it."""

from collections.abc import Callable

from offchain.engine.reasons import Rejected
from offchain.ledger.errors import LedgerError
from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.wire import decode_records


class Replica:
    """An independent copy of the engine, fed with posted data alone.

    Parameters
    ----------
    data_of : callable
        Returns the posted data of a committed batch, from the chain.
    engine_hash : bytes
        Of the engine that runs here.

    Attributes
    ----------
    problem : str
        Why it stopped vouching; a replica that disagreed once never vouches again.
    """

    def __init__(self, data_of: Callable[[int], bytes], engine_hash: bytes) -> None:
        self.journal = Journal()
        self.problem = ""
        self._data_of, self._engine_hash = data_of, engine_hash
        self._header: BatchHeader | None = None

    def vouches(self, header: BatchHeader) -> bool:
        """Tell whether the header is what replaying the chain up to its batch gives."""
        while not self.problem and self.journal.batch_no <= header.batch_no:
            self._replay(self.journal.batch_no)
        return not self.problem and self._header == header

    def _replay(self, batch_no: int) -> None:
        try:
            for record in decode_records(self._data_of(batch_no)):
                outcome = self.journal.apply(record)
                if isinstance(outcome, Rejected):
                    self.problem = f"batch {batch_no}: record {record.seq} is refused: {outcome}"
                    return
            self._header = self.journal.cut(self._engine_hash).header
        except LedgerError as fault:
            self.problem = f"batch {batch_no}: {fault}"
