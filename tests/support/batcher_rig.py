"""A batcher with everything around it in memory, and its files on disk."""

from collections.abc import Callable
from pathlib import Path

from offchain.adapters.batch_file import BatchFiles
from offchain.core.units import SECOND_NS
from offchain.ledger.header import BatchHeader
from offchain.ledger.typed_data import Domain
from offchain.services.attestation import LocalAttestor
from offchain.services.batch_archive import cuts
from offchain.services.batcher import Batcher, BatchPolicy
from offchain.services.ports import SignedBatch
from offchain.services.recovery import recover
from offchain.services.sequencer import Sequencer
from tests.support.desk import Desk, key
from tests.support.settlement import MemorySettlement
from tests.support.venue import START_NS

DOMAIN, VERIFIER = Domain(31_337, b"\x05" * 20), Domain(31_337, b"\x06" * 20)
ENGINE_HASH = b"\xe0" * 32
OPERATOR, ATTESTORS = key(1), (key(2), key(3), key(4))


class Rig:
    """A desk, a contract in memory, batch files, and a batcher between them."""

    def __init__(self, folder: Path, policy: BatchPolicy | None = None) -> None:
        self.desk, self.chain, self.folder = Desk(), MemorySettlement(), folder
        self.chain.time_s = START_NS // SECOND_NS
        self.policy = policy or BatchPolicy()
        self.vouched: Callable[[BatchHeader], bool] = lambda _header: True
        self.files = BatchFiles(folder)
        self.batcher = self.make(self.desk.sequencer)

    def vouches(self, header: BatchHeader) -> bool:
        return self.vouched(header)

    def make(self, sequencer: Sequencer) -> Batcher:
        attestors = [LocalAttestor(k, VERIFIER, self.vouches) for k in ATTESTORS]
        arguments = (OPERATOR, attestors, 2, DOMAIN, ENGINE_HASH, self.policy)
        return Batcher(sequencer, self.chain, self.files, *arguments)

    def restart(self) -> Batcher:
        """Return a batcher that knows only what is in the log, in the files and on chain."""
        self.files = BatchFiles(self.folder)
        journal = recover(self.desk.store, cuts=cuts(self.files))
        return self.make(Sequencer(journal, self.desk.store, self.desk))

    def records(self, count: int = 1) -> None:
        for _ in range(count):
            self.desk.deposit(50, usd=10)

    def batches(self, count: int) -> None:
        for _ in range(count):
            self.records()
            assert self.batcher.cut(force=True) is not None

    def wait(self, seconds: int) -> None:
        self.desk.now += seconds * SECOND_NS
        self.chain.time_s += seconds


def held(batch: SignedBatch | None) -> SignedBatch:
    assert batch is not None
    return batch
