"""What became of the batches, told to the read model and to the stream."""

from offchain.adapters.read_model import ReadModel
from offchain.adapters.stream import StreamHub
from offchain.ledger.header import BatchHeader
from offchain.services.batcher import Batcher

CUT, COMMITTED, FINALIZED = "CUT", "COMMITTED", "FINALIZED"


class BatchReports:
    """Keeps the rows of batches in step with the batcher. One thread."""

    def __init__(self, model: ReadModel, batcher: Batcher, hub: StreamHub) -> None:
        self._model, self._batcher, self._hub = model, batcher, hub
        self._told: dict[int, str] = {}
        self._settled = 0
        while self._is_settled(self._settled + 1):
            self._settled += 1

    def refresh(self) -> None:
        """Tell what changed since the last time; after a start, since the last one of then."""
        for number in range(self._settled + 1, self._batcher.last_batch + 1):
            status = self._status(number)
            if self._told.get(number) != status:
                self._tell(number, status)
        while self._told.get(self._settled + 1) == FINALIZED:
            self._settled += 1
            del self._told[self._settled]

    def forget_from(self, batch_no: int) -> None:
        """Forget the batches from a number on: others will have their numbers."""
        self._model.drop_batches(batch_no)
        self._told = {n: status for n, status in self._told.items() if n < batch_no}
        self._settled = min(self._settled, batch_no - 1)

    def _is_settled(self, number: int) -> bool:
        row = self._model.batch(number)
        return row is not None and row["status"] == FINALIZED

    def _status(self, number: int) -> str:
        if number <= self._batcher.finalised:
            return FINALIZED
        return COMMITTED if number <= self._batcher.committed else CUT

    def _tell(self, number: int, status: str) -> None:
        signed = self._batcher.batch(number)
        assert signed is not None
        header, batch_hash = signed.batch.header, f"0x{signed.batch.hash.hex()}"
        root = f"0x{header.state_root.hex()}"
        self._model.report_batch(number, batch_hash, root, status, _plain(header))
        view = {"batch_no": number, "batch_hash": batch_hash, "state_root": root, "status": status}
        self._hub.publish("batches", view)
        self._told[number] = status


def _plain(header: BatchHeader) -> dict[str, str]:
    values = {name: getattr(header, name) for name in BatchHeader.__dataclass_fields__}
    return {k: f"0x{v.hex()}" if isinstance(v, bytes) else str(v) for k, v in values.items()}
