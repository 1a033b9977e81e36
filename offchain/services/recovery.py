"""From the log back to the state that it describes, or a refusal to start."""

from collections.abc import Mapping
from itertools import islice

from offchain.engine.reasons import Rejected
from offchain.ledger.errors import SnapshotError
from offchain.ledger.header import BatchHeader
from offchain.ledger.journal import Journal
from offchain.ledger.wire import decode_records
from offchain.services.errors import StartRefused
from offchain.services.ports import EventStore, Snapshot, SnapshotStore
from offchain.services.replica import cut_as_posted


def recover(
    store: EventStore,
    snapshots: SnapshotStore | None = None,
    cuts: Mapping[int, BatchHeader] | None = None,
    until: int | None = None,
) -> Journal:
    """Return the journal after the last record of the log, or after an earlier one.

    `cuts` names the batches closed so far: the header by the last sequence number of each.
    The log does not hold them, the chain does; without them the open batch would begin at the
    snapshot's, or at genesis. `until` is the sequence number of the earlier record.

    The newest snapshot saves the replay of what came before it, when it fits the log; snapshots
    beyond the end are passed over.

    Raises
    ------
    StartRefused
        A snapshot does not restore to its own root or contradicts the chain, a logged record is
        refused, or the replay ends at another chain hash.
    """
    last = store.last_seq if until is None else until
    journal = _from_snapshot(store, snapshots, last) if snapshots else None
    if journal is None:
        journal = Journal()
    _cut(journal, cuts or {})  # a snapshot of just before a cut
    begun = journal.state.last_seq
    for frame in islice(store.frames(after=begun), last - begun):
        _replay(journal, frame)
        _cut(journal, cuts or {})
    tip = store.tip if until is None else store.tip_at(until)
    if (journal.state.last_seq, journal.tip) != (last, tip):
        raise StartRefused("the replay does not end at the chain hash of the log")
    return journal


def _from_snapshot(store: EventStore, snapshots: SnapshotStore, last: int) -> Journal | None:
    for snapshot in snapshots.newest_first():
        if snapshot.seq <= last:
            return _restore(snapshot, store)
    return None


def _restore(snapshot: Snapshot, store: EventStore) -> Journal:
    try:
        journal = Journal.restore(snapshot.data)
    except SnapshotError as error:
        raise StartRefused(f"snapshot {snapshot.seq}: {error}") from error
    if (journal.state.last_seq, journal.state_root()) != (snapshot.seq, snapshot.root):
        raise StartRefused(f"snapshot {snapshot.seq} restores to another state root")
    if journal.tip != store.tip_at(snapshot.seq):
        raise StartRefused(f"snapshot {snapshot.seq} belongs to another log")
    return journal


def _replay(journal: Journal, frame: bytes) -> None:
    for record in decode_records(frame):
        outcome = journal.apply(record)
        if isinstance(outcome, Rejected):
            raise StartRefused(f"record {record.seq} is refused on replay: {outcome}")


def _cut(journal: Journal, cuts: Mapping[int, BatchHeader]) -> None:
    """Close the open batch if one ended at the present record."""
    header = cuts.get(journal.state.last_seq)
    if header is not None and journal.open_records:
        cut_as_posted(journal, header.engine_hash, header)
