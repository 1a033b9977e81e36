"""What a watcher needs of the chain."""

from dataclasses import dataclass
from typing import Protocol

from offchain.ledger.header import BatchHeader
from offchain.ledger.inbox import InboxEntry
from offchain.services.freezing import FreezeChance
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.disclosures import Disclosures
from offchain.services.watch.judges.structure import BlobProof
from offchain.services.watch.moment import Accusation


@dataclass(frozen=True, slots=True)
class Upheld:
    """A fault that was shown.

    Attributes
    ----------
    bounty_e6 : int
        What the watcher is owed besides its bond. [USD e-6]
    gas_used : int
        Of opening and revealing. [gas]
    """

    batch_no: int
    kind: int
    rule: str
    problem: str
    bounty_e6: int = 0
    gas_used: int = 0


class WatchChain(Protocol):
    """Batches, inbox, judges and deadlines as they stand on chain."""

    def head(self) -> int:
        """Return the number of the last committed batch, 0 when there is none."""
        ...

    def finalised(self) -> int:
        """Return the number of the last finalised batch, 0 when there is none."""
        ...

    def batch_hash_of(self, batch_no: int) -> bytes:
        """Return the hash committed under a number, 32 zero bytes when there is none."""
        ...

    def posted(self, batch_no: int) -> tuple[BatchHeader, bytes]:
        """Return header and posted data of a batch; BatchDataMissing when it is unreadable."""
        ...

    def blob_proof(self, batch_no: int) -> BlobProof:
        """Return what shows that the blobs of a batch hold its data."""
        ...

    def entry(self, index: int) -> InboxEntry | None:
        """Return an entry of the inbox, None when there is none of this number."""
        ...

    def disclosures(self, header: BatchHeader) -> Disclosures:
        """Return what others opened of a batch."""
        ...

    def is_faulty(self, header: BatchHeader, accusation: Accusation) -> bool:
        """Ask the judge; False also when it refuses the evidence."""
        ...

    def accuse(
        self, signer: Signer, header: BatchHeader, accusation: Accusation
    ) -> tuple[TransactionReceipt, ...]:
        """Pay the bond, open the challenge and reveal the evidence.

        Raises
        ------
        TransactionReverted
            The batch is not open any more, or the fault was not upheld.
        """
        ...

    def collect(self, signer: Signer) -> int:
        """Claim bonds that came back, and bounties. [USD e-6]"""
        ...

    def reward_of(self, owner: bytes) -> int:
        """Return the bounties that wait for an address. [USD e-6]"""
        ...

    def is_overdue(self, header: BatchHeader) -> bool:
        """Tell whether anyone may revert a batch for liquidations that nobody verified."""
        ...

    def revert_unverified(self, signer: Signer, header: BatchHeader) -> TransactionReceipt:
        """Revert a batch for liquidations that nobody verified in time."""
        ...

    def freeze_chances(self) -> tuple[FreezeChance, ...]:
        """Return how anyone may freeze the venue now."""
        ...

    def freeze(self, signer: Signer, chance: FreezeChance) -> TransactionReceipt:
        """Freeze the venue for ever."""
        ...
