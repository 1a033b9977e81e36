"""The batches that were cut, for keepers who ask for witnesses and owners who claim payments."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

from offchain.ledger.header import BatchHeader
from offchain.ledger.outputs import Output
from offchain.services.errors import BatchFileCorrupt
from offchain.services.json_values import to_json
from offchain.services.ports import BatchStore, SignedBatch

CACHED_BATCHES = 16


@dataclass(frozen=True, slots=True)
class Claim:
    """All that `Settlement.claim` takes for one output."""

    header: BatchHeader
    output: Output
    index: int
    proof: tuple[bytes, ...]


class BatchArchive:
    """Reads stored batches, the latest of them from memory. Safe to call from several threads.

    Raises
    ------
    BatchFileCorrupt
        A stored batch is missing or damaged.
    """

    def __init__(self, store: BatchStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._cache: OrderedDict[int, SignedBatch] = OrderedDict()
        self._first_outputs: list[int] = []
        self._output_batches: list[int] = []
        for number in range(1, store.count() + 1):
            self._index(self.load(number))

    @property
    def last_batch(self) -> int:
        """Number of the last batch, 0 before the first."""
        return self._store.count()

    def add(self, signed: SignedBatch) -> None:
        """Store the next batch durably."""
        self._store.save(signed)
        self._remember(signed)
        self._index(signed)

    def replace(self, signed: SignedBatch) -> None:
        """Store a batch that is there under another header; its outputs are the same."""
        self._store.replace(signed)
        self._remember(signed)

    def load(self, batch_no: int) -> SignedBatch:
        """Return a batch that is there; BatchFileCorrupt when it is not."""
        with self._lock:
            if batch_no in self._cache:
                self._cache.move_to_end(batch_no)
                return self._cache[batch_no]
        signed = self._store.load(batch_no)
        if signed is None:
            raise BatchFileCorrupt(f"batch {batch_no} is missing from the store")
        self._remember(signed)
        return signed

    def find(self, batch_no: int) -> SignedBatch | None:
        """Return a batch, or None when it was not cut yet."""
        return self.load(batch_no) if 0 < batch_no <= self.last_batch else None

    def was_ours(self, header: BatchHeader) -> bool:
        """Tell whether we made this batch once: it is set aside, or was stamped anew since."""
        number = header.batch_no
        made = [*self._store.left(number), *filter(None, [self.find(number)])]
        return any(
            signed.batch.header.input_log_hash == header.input_log_hash
            and signed.batch.header.state_root == header.state_root
            for signed in made
        )

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        """Return the witness of a liquidation as JSON, or None when there is none."""
        signed = self.find(batch_no)
        if signed is None or not 0 <= index < len(signed.batch.witnesses):
            return None
        made: dict[str, object] = to_json(signed.batch.witnesses[index])
        return made

    def claim(self, output_id: int) -> Claim | None:
        """Return what claims an output, or None when there is none."""
        with self._lock:
            place = bisect_right(self._first_outputs, output_id) - 1
            if place < 0:
                return None
            number = self._output_batches[place]
        batch = self.load(number).batch
        index = output_id - batch.outputs[0].id
        if index >= len(batch.outputs):
            return None
        return Claim(batch.header, batch.outputs[index], index, batch.output_proof(index))

    def _remember(self, signed: SignedBatch) -> None:
        with self._lock:
            self._cache[signed.batch.header.batch_no] = signed
            if len(self._cache) > CACHED_BATCHES:
                self._cache.popitem(last=False)

    def _index(self, signed: SignedBatch) -> None:
        """Remember in which batch an output is; ids ascend without gaps."""
        if signed.batch.outputs:
            with self._lock:
                self._first_outputs.append(signed.batch.outputs[0].id)
                self._output_batches.append(signed.batch.header.batch_no)


def cuts(store: BatchStore) -> dict[int, BatchHeader]:
    """Return where the stored batches end, as `recover` takes it: header by last record.

    Raises
    ------
    BatchFileCorrupt
        A stored batch is missing or damaged.
    """
    found: dict[int, BatchHeader] = {}
    for number in range(1, store.count() + 1):
        signed = store.load(number)
        if signed is None:
            raise BatchFileCorrupt(f"batch {number} is missing from the store")
        found[signed.last_seq] = signed.batch.header
    return found
