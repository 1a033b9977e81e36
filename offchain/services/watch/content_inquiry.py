"""The inquiry into totals, an epoch or a column that nobody posted: they are demanded one by one.

What is shown becomes a disclosure, from which the judges' evidence is built; this only says what
to demand next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial

from offchain.ledger.columns import Columns
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import ZERO32
from offchain.ledger.totals import Totals, totals_hash
from offchain.services.column_probe import ColumnProbe, ShownLeaf
from offchain.services.contents import (
    IS_EPOCH,
    IS_TOTALS,
    OVERTAKEN,
    TREES,
    ContentChain,
    ContentPlace,
    OpenContent,
    ShownContent,
    content_of,
    root_of,
    show_content,
    tree_of,
)
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer
from offchain.services.watch.disclosures import Disclosures
from offchain.services.watch.inquest import NOTHING, Case, Defence, Finding
from offchain.services.watch.judges.prices import epochs_of
from offchain.services.watch.moment import Moment, listing_of
from offchain.services.watch.shapes import (
    ASSET,
    EPOCH,
    INSTRUMENT,
    STEP_OPENING,
    encode,
    struct,
)

COLUMN_OPENING = struct(STEP_OPENING, EPOCH, "uint16", INSTRUMENT, ASSET)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to demand; `opening` leads to it from the header."""

    place: ContentPlace
    opening: bytes = b""


class ContentInquiry:
    """Demands totals, epochs and columns, and shows those of batches that hold.

    Parameters
    ----------
    signer : Signer
        Pays gas and bonds, and gets the bonds of what it shows.
    """

    most_demands = 64

    def __init__(self, chain: ContentChain, signer: Signer) -> None:
        self._chain, self._signer = chain, signer

    def look(self, case: Case) -> Finding:
        """Return what a step would demand or wait for, and send nothing."""
        wanted = self._wanted(case)
        if wanted is None:
            return NOTHING
        now = self._chain.block_time()
        times = [
            demand.until_s
            for demand in self._waiting(case.header)
            if demand.place == wanted.place or demand.until_s < now
        ]
        return Finding(until_s=min(times)) if times else Finding(demanded=str(wanted.place))

    def step(self, case: Case) -> Finding:
        """Demand the next thing, or settle what nobody answered.

        Raises
        ------
        TransactionReverted
            A demand is refused for good: the window of the batch is over, or there is no bond.
        """
        wanted = self._wanted(case)
        if wanted is None:
            return NOTHING
        now, header = self._chain.block_time(), case.header
        waiting = self._waiting(header)
        try:
            for demand in waiting:
                if demand.until_s < now:
                    self._chain.settle_content(self._signer, demand, header)
                    return Finding(is_settled=True)
            for demand in waiting:
                if demand.place == wanted.place:
                    return Finding(until_s=demand.until_s)
            self._chain.demand_content(self._signer, header, wanted.place.what, wanted.opening)
        except TransactionReverted as reverted:
            if reverted.name in OVERTAKEN:
                return Finding(until_s=now)
            raise
        return Finding(demanded=str(wanted.place))

    def _waiting(self, header: BatchHeader) -> list[OpenContent]:
        wanted = batch_hash(header)
        return [d for d in self._chain.open_contents() if d.batch_hash == wanted]

    def _wanted(self, case: Case) -> Wanted | None:
        shown = tuple(self._chain.shown_contents(batch_hash(case.header)))
        if case.close is not None:
            return _wanted_totals(case, shown)
        return None if case.moments is None else _wanted_prices(case, shown)

    def defences(self, held: Mapping[bytes, Case]) -> Iterator[Defence]:
        """Yield the contents that are demanded of batches that hold, and still can be shown."""
        now = self._chain.block_time()
        for demand in self._chain.open_contents():
            case = held.get(demand.batch_hash)
            if case is not None and demand.until_s >= now:
                show = partial(self._show, demand, case)
                yield Defence(demand.batch_no, str(demand.place), demand.until_s, show)

    def _show(self, demand: OpenContent, case: Case) -> bool:
        content = content_of(HeldContents(case), demand.place)
        if content is None:
            return False
        return show_content(self._chain, self._signer, demand, case.header, content)


@dataclass(frozen=True, slots=True)
class HeldContents:
    """A `Holder` of a batch that was replayed and holds."""

    case: Case

    def totals(self) -> Totals:
        """Return the totals."""
        own = self.case.own
        assert own is not None
        return own.totals

    def epochs(self) -> Sequence[Epoch]:
        """Return the epochs that are in force after its records."""
        closing = self.case.closing
        assert closing is not None
        return closing.honest.epochs

    def columns(self, hash_of_epoch: bytes) -> Columns:
        """Return the columns of one of its epochs, by replaying it up to there."""
        closing, records = self.case.closing, self.case.records
        assert closing is not None
        assert records is not None
        hashes = [step.epoch_hash for step in closing.honest.steps]
        for moment in records((hashes.index(hash_of_epoch),)):
            assert moment.after is not None
            assert moment.after.journal.columns is not None
            return moment.after.journal.columns
        raise AssertionError("a record of a batch that holds is taken")


def _wanted_totals(case: Case, shown: tuple[ShownContent, ...]) -> Wanted | None:
    """Return that the totals must be shown, unless somebody can know them already."""
    assert case.close is not None
    assert case.closing is not None
    expected = case.header.totals_hash
    place = ContentPlace(IS_TOTALS, 0, 0, expected)
    if totals_hash(case.closing.honest.totals) == expected:
        return None
    is_known = case.close(Disclosures(contents=shown)).totals is not None
    return None if is_known else Wanted(place)


def _wanted_prices(case: Case, shown: tuple[ShownContent, ...]) -> Wanted | None:
    """Return which epoch or column must be shown of the record that is wrong."""
    assert case.moments is not None
    for moment in case.moments(Disclosures(contents=shown)):
        expected = moment.step.epoch_hash
        if expected in (moment.previous.epoch_hash, ZERO32) or moment.after is None:
            return None
        honest = moment.after.journal.epoch
        if honest is not None and epoch_hash(honest) == expected:
            return None
        epochs = epochs_of(moment)
        if not epochs:
            opening = encode(STEP_OPENING, moment.trace.opening(moment.index))
            return Wanted(ContentPlace(IS_EPOCH, 0, 0, expected), opening)
        return _wanted_column(moment, epochs[0], shown)
    return None


def _wanted_column(moment: Moment, epoch: Epoch, shown: tuple[ShownContent, ...]) -> Wanted | None:
    assert moment.after is not None
    columns = moment.after.journal.columns
    if columns is None:
        return None
    for what in TREES:
        root, own = root_of(epoch, what), tree_of(columns, what)
        index = ColumnProbe(own, root).next(_leaves_under(root, what, shown))
        if index is not None:
            opening = _column_opening(moment, epoch, index)
            return (
                None
                if opening is None
                else Wanted(ContentPlace(what, index, own.size, root), opening)
            )
    return None


def _leaves_under(root: bytes, what: int, shown: tuple[ShownContent, ...]) -> Iterator[ShownLeaf]:
    """Yield the columns that were shown under a root, as leaves of its tree."""
    for content in shown:
        column, place = content.column, content.place
        if column is not None and (place.what, place.expected) == (what, root):
            packed, proof = column
            yield ShownLeaf(place.place, place.leaf(packed), proof)


def _column_opening(moment: Moment, epoch: Epoch, index: int) -> bytes | None:
    """Return what leads to a place under a root; None where no asset ends the instruments."""
    listed = listing_of(moment.listing.journal)
    if not listed.instruments or not listed.assets:
        return None
    record = moment.trace.opening(moment.index)
    last, after = listed.instruments[max(listed.instruments)], listed.assets[min(listed.assets)]
    return encode(COLUMN_OPENING, (record, astuple(epoch), index, last, after))
