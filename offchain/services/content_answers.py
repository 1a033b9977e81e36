"""The operator's side of demands for contents: its open batches are shown when they are asked for.

Totals and epochs stand with the batch; columns are made again from the log, those of the latest
epochs asked for are kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from offchain.ledger.columns import Columns
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.journal import Journal
from offchain.ledger.totals import Totals
from offchain.ledger.wire import decode_records
from offchain.services.answering import AT_ONCE, Send, answer_each
from offchain.services.contents import (
    TREES,
    ContentChain,
    ContentPlace,
    OpenContent,
    content_of,
    root_of,
    show_content,
)
from offchain.services.errors import CheckpointMismatch
from offchain.services.path_answers import CutBatches
from offchain.services.ports import SignedBatch, Signer

JournalAt = Callable[[int], Journal]
"""Returns the journal after a record, by its sequence number."""
MOST_EPOCHS = 64


class KeptColumns:
    """Columns by epoch, made again from the log. One thread.

    Parameters
    ----------
    journal_at : callable
        Replays the log up to a record.
    most_epochs : int
        Kept; those asked for longest ago go first. An epoch takes some 200 KB.
    """

    def __init__(self, journal_at: JournalAt, most_epochs: int = MOST_EPOCHS) -> None:
        self._journal_at, self._most = journal_at, most_epochs
        self._kept: OrderedDict[bytes, Columns] = OrderedDict()

    def of(
        self, signed: SignedBatch, hash_of_epoch: bytes, others: Sequence[bytes] = ()
    ) -> Columns:
        """Return the columns of an epoch that is in force after a record of the batch.

        Parameters
        ----------
        others : sequence of bytes
            Epochs of the batch that will be asked for next: one replay makes them all.

        Raises
        ------
        CheckpointMismatch
            The log gives another epoch.
        StartRefused
            The log does not replay.
        """
        if hash_of_epoch not in self._kept:
            new = [other for other in others if other not in self._kept]
            self._make(signed, {hash_of_epoch, *new[: self._most - 1]})
        if hash_of_epoch not in self._kept:
            number = signed.batch.header.batch_no
            raise CheckpointMismatch(f"an epoch of batch {number} does not follow from the log")
        self._kept.move_to_end(hash_of_epoch)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._kept[hash_of_epoch]

    def _make(self, signed: SignedBatch, hashes: set[bytes]) -> None:
        """Replay a batch from the first record to the last after which these are in force."""
        steps = signed.batch.steps
        first: dict[bytes, int] = {}
        for index, step in enumerate(steps):
            if step.epoch_hash in hashes:
                first.setdefault(step.epoch_hash, index)
        if not first:
            return
        places = sorted(first.values())
        journal = self._journal_at(signed.last_seq - len(steps) + 1 + places[0])
        records = decode_records(signed.batch.log)
        for index, record in enumerate(islice(records, places[-1] + 1)):
            if index > places[0]:
                journal.apply(record)
            is_right = index >= places[0] and journal.open.last_step == steps[index]
            if index in places and is_right and journal.columns is not None:
                self._kept[steps[index].epoch_hash] = journal.columns


@dataclass(frozen=True)
class SignedContents:
    """A `Holder` of a batch that was cut here; `wanted` are epochs that are asked for as well."""

    signed: SignedBatch
    kept: KeptColumns
    wanted: tuple[bytes, ...] = ()

    def totals(self) -> Totals:
        """Return the totals."""
        return self.signed.batch.totals

    def epochs(self) -> Sequence[Epoch]:
        """Return the epochs that are in force after its records."""
        return self.signed.batch.epochs

    def columns(self, hash_of_epoch: bytes) -> Columns:
        """Return the columns of one of its epochs; CheckpointMismatch when it has none."""
        return self.kept.of(self.signed, hash_of_epoch, self.wanted)


class ContentAnswerer:
    """Answers every open demand for a content of a batch of ours. One thread calls it.

    Parameters
    ----------
    signer : Signer
        Pays gas and gets the bonds.
    at_once : int
        Answers under way, each sent by a thread of its own.
    """

    def __init__(
        self,
        chain: ContentChain,
        batches: CutBatches,
        columns: KeptColumns,
        signer: Signer,
        at_once: int = AT_ONCE,
    ) -> None:
        self._chain, self._batches, self._signer = chain, batches, signer
        self._columns, self._at_once = columns, at_once

    def step(self) -> list[ContentPlace]:
        """Answer what is demanded and collect the bonds; return what was shown.

        The soonest deadline comes first. A demand on a batch that is not ours, or that somebody
        else answered, is passed over; what is wrong with one is said when the others are answered.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        CheckpointMismatch
            A batch commits to other contents than the log gives.
        """
        demands = sorted(self._chain.open_contents(), key=lambda demand: demand.until_s)
        shown, fault = answer_each(demands, partial(self._prepared, demands), self._at_once)
        if shown:
            self._chain.claim_bonds(self._signer)
        if fault is not None:
            raise fault
        return [demand.place for demand in shown]

    def _prepared(self, demands: Sequence[OpenContent], demand: OpenContent) -> Send | None:
        signed = self._batches.batch(demand.batch_no)
        if signed is None or signed.batch.hash != demand.batch_hash:
            return None
        wanted = epochs_wanted(signed, demands)
        content = content_of(SignedContents(signed, self._columns, wanted), demand.place)
        if content is None:
            raise CheckpointMismatch(f"batch {demand.batch_no} has no {demand.place}")
        header = signed.batch.header
        return partial(show_content, self._chain, self._signer, demand, header, content)


def epochs_wanted(signed: SignedBatch, demands: Sequence[OpenContent]) -> tuple[bytes, ...]:
    """Return the epochs of a batch of which columns are demanded, in the order of the demands."""
    places = {
        (demand.place.what, demand.place.expected): None
        for demand in demands
        if demand.batch_hash == signed.batch.hash and demand.place.is_column
    }
    by_root: dict[tuple[int, bytes], bytes] = {}
    for epoch in signed.batch.epochs:
        for tree in TREES:
            by_root.setdefault((tree, root_of(epoch, tree)), epoch_hash(epoch))
    return tuple(dict.fromkeys(by_root[place] for place in places if place in by_root))
