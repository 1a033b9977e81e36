"""Kind 2 once more: the numbers of columns that were shown because somebody demanded them."""

from collections.abc import Iterator, Sequence

from offchain.ledger.columns import FUNDING_COLUMN, VALUE_COLUMN, Columns, column_hash
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import ListTree
from offchain.services.contents import ContentPlace, ShownContent, packed_of, root_of
from offchain.services.watch.judges.prices import Opened, cell, epochs_of
from offchain.services.watch.moment import UNDERLYING_BITS, Accusation, Moment
from offchain.services.watch.posted import PostedTrace
from offchain.services.watch.shapes import Value

_PAIR = {VALUE_COLUMN: FUNDING_COLUMN, FUNDING_COLUMN: VALUE_COLUMN}


def epoch_hashes(trace: PostedTrace) -> list[bytes]:
    """Return the hashes under the epoch root of a batch, as its steps give them.

    The one in force when it opens is the first, if there is one; a batch that begins with adopted
    parameters leaves it out, and then its own hashes are fewer by one.
    """
    last, found = trace.before.step.epoch_hash, []
    if last != ZERO32:
        found.append(last)
    for posted in trace.steps:
        if posted.step.epoch_hash != last:
            last = posted.step.epoch_hash
            found.append(last)
    return found


def of_epoch(moment: Moment) -> Iterator[Accusation]:
    """Yield the numbers of the columns that were shown of the epoch that a record begins."""
    if moment.after is None or moment.step.epoch_hash == moment.previous.epoch_hash:
        return
    columns = moment.after.journal.columns
    for epoch in epochs_of(moment):
        opened = _opened(moment, epoch)
        if opened is None or columns is None:
            continue
        for content in moment.disclosures.contents:
            column, place = content.column, content.place
            if column is None or place.is_empty or place.expected != root_of(epoch, place.what):
                continue
            underlying, kind = place.column
            given, funding = column, None
            if kind in _PAIR:
                pair = _with_other(columns, place, column, moment.disclosures.contents)
                if pair is None:
                    continue
                kind, given, funding = VALUE_COLUMN, *pair
            for number in sorted(moment.after.state.instruments):
                if number >> UNDERLYING_BITS == underlying:
                    yield cell(opened, moment.after, number, kind, given, funding)


def _opened(moment: Moment, epoch: Epoch) -> Opened | None:
    assert moment.after is not None
    every = epoch_hashes(moment.trace)
    for hashes in (every, every[1:]):
        tree = ListTree.of(hashes)
        if tree.root == moment.trace.header.epoch_root and epoch_hash(epoch) in hashes:
            place = hashes.index(epoch_hash(epoch))
            return Opened(epoch, place, tree.proof(place), moment.after.report)
    return None


def _with_other(
    honest: Columns,
    place: ContentPlace,
    column: Value,
    contents: Sequence[ShownContent],
) -> tuple[Value, Value] | None:
    """Return the value and the funding column, of which one was shown and stands beside the other.

    The other one is what was shown as well, or the honest one; None when it is neither.
    """
    packed, proof = column
    underlying, kind = place.column
    other = _PAIR[kind]
    same = [of.column for of in contents if of.place.expected == place.expected]
    known = [packed_of(honest, underlying, other), *[c[0] for c in same if c is not None]]
    for candidate in known:
        beside = column_hash(underlying, other, candidate)
        if proof and beside == proof[0]:
            leaf = column_hash(underlying, kind, packed)
            pair = ((packed, proof), (candidate, (leaf, *proof[1:])))
            return pair if kind == VALUE_COLUMN else pair[::-1]
    return None
