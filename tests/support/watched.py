"""Batches on a chain in memory, with a judge who upholds what a test says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offchain.engine.messages import Command
from offchain.engine.state import State
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.inbox import InboxEntry
from offchain.ledger.keccak import ZERO32
from offchain.ledger.typed_data import Domain
from offchain.services.errors import BatchDataMissing, TransactionReverted
from offchain.services.freezing import FreezeCause, FreezeChance
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.signing import KeySigner
from offchain.services.watch.authenticity import Authenticity
from offchain.services.watch.disclosures import NOTHING_SHOWN, Disclosures
from offchain.services.watch.inquest import Inquiry
from offchain.services.watch.judges.structure import BlobProof
from offchain.services.watch.moment import Accusation
from offchain.services.watch.watcher import Watcher, WatchPolicy

WATCHER = KeySigner(b"\x01" * 32)
BOUNTY, BOND = 70, 5
RECEIPT = TransactionReceipt("Court.reveal", ZERO32, 1, 100, 1, b"")


class Trusting(Authenticity):
    """Takes every signature and every entry for what it says."""

    def problem(self, command: Command, state: State, time_ns: int) -> str:
        del command, state, time_ns
        return ""


@dataclass
class MemoryChain:
    """Batches as they were committed, and a judge who upholds what a test says."""

    batches: list[tuple[BatchHeader, bytes]]
    upholds: Callable[[Accusation], bool] = lambda accusation: accusation.rule == "STEP.ends"
    final: int = 0
    hidden: set[int] = field(default_factory=set)
    overdue: set[int] = field(default_factory=set)
    causes: tuple[FreezeCause, ...] = ()
    reverts: bool = False
    shown: Disclosures = NOTHING_SHOWN
    calls: list[str] = field(default_factory=list)
    asked: int = 0
    rewards: int = 0

    def head(self) -> int:
        return len(self.batches)

    def finalised(self) -> int:
        return self.final

    def batch_hash_of(self, batch_no: int) -> bytes:
        return batch_hash(self.batches[batch_no - 1][0]) if batch_no <= self.head() else ZERO32

    def posted(self, batch_no: int) -> tuple[BatchHeader, bytes]:
        if batch_no in self.hidden:
            raise BatchDataMissing(f"batch {batch_no}")
        return self.batches[batch_no - 1]

    def blob_proof(self, batch_no: int) -> BlobProof:
        raise AssertionError(batch_no)

    def entry(self, index: int) -> InboxEntry | None:
        raise AssertionError(index)

    def disclosures(self, header: BatchHeader) -> Disclosures:
        del header
        return self.shown

    def is_faulty(self, header: BatchHeader, accusation: Accusation) -> bool:
        del header
        self.asked += 1
        return self.upholds(accusation)

    def accuse(
        self, signer: Signer, header: BatchHeader, accusation: Accusation
    ) -> tuple[TransactionReceipt, ...]:
        del signer
        if self.reverts:
            raise TransactionReverted("Court.reveal", "NoSuchChallenge", {})
        self.calls.append(f"accuse {header.batch_no} {accusation.rule}")
        del self.batches[header.batch_no - 1 :]
        self.rewards += BOUNTY
        return (RECEIPT, RECEIPT)

    def collect(self, signer: Signer) -> int:
        del signer
        paid, self.rewards = self.rewards, 0
        return paid + BOND if paid else 0

    def reward_of(self, owner: bytes) -> int:
        assert owner == WATCHER.address
        return self.rewards

    def is_overdue(self, header: BatchHeader) -> bool:
        return header.batch_no in self.overdue

    def revert_unverified(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        del signer
        self.calls.append(f"revert {header.batch_no}")
        return RECEIPT

    def freeze_chances(self) -> tuple[FreezeChance, ...]:
        return tuple(FreezeChance(cause, 0, is_open=True) for cause in self.causes)

    def freeze(self, signer: Signer, chance: FreezeChance) -> TransactionReceipt:
        del signer
        self.calls.append(chance.cause.name)
        return RECEIPT


def watch(
    chain: MemoryChain, policy: WatchPolicy | None = None, inquiries: Sequence[Inquiry] = ()
) -> Watcher:
    """Return a watcher of the chain that takes every signature for good."""
    domain = Domain(1, bytes(20))
    return Watcher(chain, Trusting(domain, domain, chain.entry), WATCHER, policy, inquiries)
