"""The settlement contract in memory, by its own rules, for tests of the services around it."""

from dataclasses import dataclass

from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.closing import Anchor
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.totals import Totals, totals_hash
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt


@dataclass
class Committed:
    """A batch as the chain holds it."""

    header: BatchHeader
    hash: bytes
    at_s: int


class MemorySettlement:
    """Batches in order, a limit on open ones, a window, and liquidations that must be verified."""

    def __init__(self, window_s: int = 30, max_open: int = 4) -> None:
        self.window_s, self.max_open = window_s, max_open
        self.batches: list[Committed] = []
        self.final = 0
        self.time_s = 0
        self.block_no, self.memory, self.branch = 1, 256, 0
        self.verified: dict[int, int] = {}
        self.calls: list[str] = []
        self.refuse_next: str | None = None

    def head(self) -> int:
        return len(self.batches)

    def finalised(self) -> int:
        return self.final

    def batch_hash_of(self, batch_no: int) -> bytes:
        return self.batches[batch_no - 1].hash if 0 < batch_no <= self.head() else ZERO32

    def committed_at(self, batch_no: int) -> int:
        return self.batches[batch_no - 1].at_s

    def block_time(self) -> int:
        return self.time_s

    def final_after(self, batch_no: int) -> int:
        return self.committed_at(batch_no) + self.window_s

    def sequencer(self) -> tuple[bytes, int, bool]:
        return bytes(20), 1, True

    def anchor(self, confirmations: int = 0) -> Anchor:
        return self.block_of(self.block_no - confirmations)

    def block_of(self, number: int) -> Anchor:
        return Anchor(number, keccak256(b"%d on branch %d" % (number, self.branch)))

    def is_canonical(self, anchor: Anchor) -> bool:
        is_young = self.block_no - self.memory <= anchor.number <= self.block_no
        return is_young and anchor == self.block_of(anchor.number)

    def committed_header(self, batch_no: int) -> BatchHeader:
        return self.batches[batch_no - 1].header

    def rollback(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        del signer
        self._refuse("rollback")
        if not self.final < header.batch_no <= self.head():
            self._revert("rollback", "NotOpen")
        assert self.batches[header.batch_no - 1].hash == batch_hash(header)
        del self.batches[header.batch_no - 1 :]
        return self._receipt("rollback", header.batch_no)

    def max_open_batches(self) -> int:
        return self.max_open

    def verified_count(self, batch_no: int) -> int:
        return self.verified.get(batch_no, 0)

    def blob_hash(self, data: bytes) -> bytes:
        return keccak256(b"blobs" + data)

    def commit(
        self, signer: Signer, header: BatchHeader, signature: bytes, data: bytes
    ) -> TransactionReceipt:
        del signer, signature
        self._refuse("commit")
        if header.batch_no != self.head() + 1:
            self._revert("commit", "WrongBatchNumber")
        if self.head() - self.final >= self.max_open:
            self._revert("commit", "TooManyOpenBatches")
        if header.prev_batch_hash != self.batch_hash_of(self.head()):
            self._revert("commit", "WrongPreviousBatch")
        if not self.is_canonical(Anchor(header.l1_block_number, header.l1_block_hash)):
            self._revert("commit", "WrongAnchor")
        assert len(data) == header.da_length
        self.batches.append(Committed(header, batch_hash(header), self.time_s))
        return self._receipt("commit", header.batch_no)

    def finalise(
        self,
        signer: Signer,
        header: BatchHeader,
        totals: Totals,
        checkpoint: CheckpointRoot,
        proof: bytes,
    ) -> TransactionReceipt:
        del signer
        self._refuse("finalise")
        if header.batch_no != self.final + 1:
            self._revert("finalise", "NotNextToFinalise")
        if self.time_s < self.committed_at(header.batch_no) + self.window_s:
            self._revert("finalise", "WindowOpen")
        if self.verified_count(header.batch_no) != header.liquidation_count:
            self._revert("finalise", "UnverifiedLiquidations")
        if totals_hash(totals) != header.totals_hash:
            self._revert("finalise", "WrongTotals")
        if checkpoint.hash != header.checkpoint_root:
            self._revert("finalise", "WrongCheckpoint")
        assert proof
        self.final += 1
        return self._receipt("finalise", header.batch_no)

    def _refuse(self, call: str) -> None:
        name, self.refuse_next = self.refuse_next, None
        if name is not None:
            self._revert(call, name)

    def _revert(self, call: str, name: str) -> None:
        raise TransactionReverted(f"Settlement.{call}", name, {})

    def _receipt(self, call: str, batch_no: int) -> TransactionReceipt:
        self.calls.append(f"{call} {batch_no}")
        return TransactionReceipt(f"Settlement.{call}", bytes(32), len(self.calls), 1, 1, b"")
