"""The operator's side of demands: the paths of its open batches are shown when they are asked for.

The checkpoints of the latest batches are kept as they were cut; an older one, or any after a
restart, is rebuilt from the log.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.services.answering import AT_ONCE, Send, answer_each
from offchain.services.demands import DemandChain, OpenDemand, show
from offchain.services.errors import CheckpointMismatch
from offchain.services.ports import EventStore, SignedBatch, Signer, SnapshotStore
from offchain.services.recovery import recover

Rebuild = Callable[[int], Checkpoint]
"""Returns the checkpoint after a record, by its sequence number."""


class KeptCheckpoints:
    """Checkpoints by batch. Safe to call from several threads.

    Parameters
    ----------
    rebuild : callable
        Where those come from that are not kept.
    most_accounts : int
        Kept in all; the oldest go first. A place costs some 200 bytes.
    """

    def __init__(self, rebuild: Rebuild, most_accounts: int = MAX_ACCOUNTS) -> None:
        self._rebuild, self._most = rebuild, most_accounts
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Checkpoint] = OrderedDict()

    def keep(self, batch_no: int, checkpoint: Checkpoint) -> None:
        """Keep the checkpoint of a batch that was cut, the newest in any case."""
        with self._lock:
            self._kept.pop(batch_no, None)  # cut anew after a reorganisation
            self._kept[batch_no] = checkpoint
            while len(self._kept) > 1 and self._size() > self._most:
                self._kept.popitem(last=False)

    def forget(self, final: int) -> None:
        """Drop what nobody can demand any more: the batches up to this one are final."""
        with self._lock:
            for batch_no in [number for number in self._kept if number <= final]:
                del self._kept[batch_no]

    def of(self, signed: SignedBatch) -> Checkpoint:
        """Return the checkpoint that a batch commits to.

        Raises
        ------
        CheckpointMismatch
            The log gives another one.
        StartRefused
            The log does not replay.
        """
        header = signed.batch.header
        with self._lock:
            kept = self._kept.get(header.batch_no)
        if kept is None or kept.root.hash != header.checkpoint_root:
            kept = self._rebuild(signed.last_seq)
            if kept.root.hash != header.checkpoint_root:
                raise CheckpointMismatch(f"batch {header.batch_no} does not follow from the log")
            self.keep(header.batch_no, kept)
        return kept

    def _size(self) -> int:
        return sum(checkpoint.count for checkpoint in self._kept.values())


class CutBatches(Protocol):
    """The batches that were cut, as a batcher has them."""

    @property
    def finalised(self) -> int:
        """Number of the last batch that was seen to be final, 0 before the first."""
        ...

    def batch(self, batch_no: int) -> SignedBatch | None:
        """Return a batch that was cut, or None."""
        ...


class PathAnswerer:
    """Answers every open demand on a batch of ours. One thread calls it.

    Parameters
    ----------
    signer : Signer
        Pays gas and gets the bonds.
    at_once : int
        Answers under way, each sent by a thread of its own.
    """

    def __init__(
        self,
        chain: DemandChain,
        batches: CutBatches,
        checkpoints: KeptCheckpoints,
        signer: Signer,
        at_once: int = AT_ONCE,
    ) -> None:
        self._chain, self._batches, self._signer = chain, batches, signer
        self._checkpoints, self._at_once = checkpoints, at_once

    def step(self) -> list[int]:
        """Answer what is demanded and collect the bonds; return the accounts that were shown.

        A demand on a batch that is not ours, or that somebody else answered, is passed over; what
        is wrong with one is said when the others are answered.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        CheckpointMismatch
            A batch commits to another checkpoint than the log gives.
        """
        self._checkpoints.forget(self._batches.finalised)
        shown, fault = answer_each(self._chain.open_demands(), self._prepared, self._at_once)
        if shown:
            self._chain.claim_bonds(self._signer)
        if fault is not None:
            raise fault
        return [demand.account for demand in shown]

    def _prepared(self, demand: OpenDemand) -> Send | None:
        signed = self._batches.batch(demand.batch_no)
        if signed is None or signed.batch.hash != demand.batch_hash:
            return None
        checkpoint, header = self._checkpoints.of(signed), signed.batch.header
        return partial(show, self._chain, self._signer, demand, header, checkpoint)


def checkpoint_at(
    store: EventStore, snapshots: SnapshotStore | None, cuts: Mapping[int, BatchHeader], seq: int
) -> Checkpoint:
    """Return the checkpoint after record `seq` of a log, by replaying it.

    The newest snapshot before it saves the replay of what came earlier. `cuts` is as `recover`
    takes it.

    Raises
    ------
    StartRefused
        The log does not replay.
    """
    return Checkpoint(recover(store, snapshots, cuts, until=seq).state)
