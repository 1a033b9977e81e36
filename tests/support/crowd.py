"""Two batches with more accounts than one transaction can show, a court, and a watcher."""

from dataclasses import dataclass, replace

from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.closing import Anchor
from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.services.demands import OpenDemand
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.judges.books import MAX_WHOLE
from offchain.services.watch.path_inquiry import PathInquiry
from offchain.services.watch.watcher import Sightings, Watcher, WatchPolicy
from tests.support.desk import key
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.lying_tree import (
    LyingTree,
    MemoryCourt,
)
from tests.support.watched import WATCHER, MemoryChain, watch

OPERATOR, STRANGER = key(71), key(72)
ACCOUNTS = 300
DRY = WatchPolicy(is_dry=True)


@dataclass(frozen=True)
class Crowd:
    """Two honest batches with more accounts than one transaction can show."""

    batches: tuple[Batch, Batch]
    own: tuple[Checkpoint, Checkpoint]


def crowded() -> Crowd:
    """Make the batches."""
    venue = JournalVenue(journal=Journal())
    for number in range(ACCOUNTS - venue.state.accounts.count):
        venue.deposit(100 + number, 1_000 + number)
    made = []
    for usd in (120_000, 121_000):
        venue.price(usd)
        venue.must(venue.withdraw(2, usd=1))
        batch = venue.journal.cut(ENGINE_HASH, Anchor(1, ZERO32))
        checkpoint = venue.journal.checkpoint
        assert checkpoint is not None
        made.append((batch, checkpoint))
    assert venue.state.accounts.count == ACCOUNTS > MAX_WHOLE
    (one, first), (two, second) = made
    return Crowd((one, two), (first, second))


class Court(MemoryCourt):
    """Takes a batch off the chain when nobody answered."""

    def __init__(self, chain: MemoryChain) -> None:
        super().__init__(*[header for header, _ in chain.batches])
        self.chain = chain

    def settle_unanswered(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader
    ) -> TransactionReceipt:
        receipt = super().settle_unanswered(signer, demand, header)
        del self.chain.batches[demand.batch_no - 1 :]
        return receipt


class Scene:
    """Two batches, of which the second may have another checkpoint, a court and a watcher."""

    def __init__(
        self, crowd: Crowd, root: bytes | None = None, policy: WatchPolicy | None = None
    ) -> None:
        batches = [(batch.header, batch.data) for batch in crowd.batches]
        header, data = batches[1]
        self.header = header if root is None else replace(header, checkpoint_root=root)
        batches[1] = (self.header, data)
        self.chain = MemoryChain(batches, lambda accusation: accusation.rule == "TOTALS.owed")
        self.court = Court(self.chain)
        self.watcher = self.watch(policy)

    def watch(self, policy: WatchPolicy | None = None) -> Watcher:
        return watch(self.chain, policy, [PathInquiry(self.court, WATCHER)])

    def step(self) -> Sightings:
        return self.watcher.step()

    def answer(self, tree: LyingTree) -> bool:
        """Show what is demanded, as far as a tree has it."""
        shown = False
        for demand in self.court.open_demands():
            if tree.can_show(demand.account):
                path = tree.shown(demand.account)
                self.court.answer(OPERATOR, demand, self.header, path)
                shown = True
        return shown

    def search(self, tree: LyingTree) -> Sightings:
        """Step and answer until nothing more is demanded and shown."""
        seen = self.step()
        while seen.demanded and self.answer(tree):
            assert (seen.upheld, seen.unprovable) == ([], {})
            seen = self.step()
        return seen
