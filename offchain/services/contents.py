"""Contents: what a batch commits to by a hash whose preimage is not posted, and who shows it.

A header has the hash of its totals, a step of the trace that of the price epoch in force after
it, and an epoch the roots over its columns. Whoever doubts that anybody knows what is behind such
a hash demands it, as a path of a checkpoint is demanded (`offchain.services.demands`), and it is
shown or the batch is reverted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from eth_abi.abi import decode as abi_decode

from offchain.core.units import SCENARIOS
from offchain.ledger.columns import (
    CHARGE_COLUMN,
    COLLATERAL_COLUMN,
    COLLATERAL_PLACE,
    COLLATERAL_UNDERLYING,
    FUNDING_COLUMN,
    VALUE_COLUMN,
    Columns,
    charge_place,
    column_hash,
    funding_place,
    value_place,
)
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.header import BatchHeader
from offchain.ledger.keccak import ZERO32
from offchain.ledger.merkle import ListTree
from offchain.ledger.totals import Totals, encode_totals, totals_hash
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt
from offchain.services.watch.shapes import COLUMN, EPOCH, TOTALS, encode

IS_TOTALS, IS_EPOCH, IS_PRICES, IS_RISKS, IS_CHARGES = 1, 2, 3, 4, 5
"""What a content is; `contracts/types/Content.sol` has the same numbers."""
TREES = (IS_PRICES, IS_RISKS, IS_CHARGES)
"""The contents that are columns, by the root above them."""
OVERTAKEN = frozenset(
    {"DemandExists", "NoSuchDemand", "AnswerTooLate", "BatchGone", "NotOpen", "WrongHeader"}
)
"""Refusals that mean that somebody else was quicker, or that the batch has gone."""


@dataclass(frozen=True, slots=True)
class ContentPlace:
    """What must be shown of a batch.

    Attributes
    ----------
    what : int
        `IS_TOTALS`, `IS_EPOCH`, or one of `TREES`.
    place : int
        Of a column, its leaf under the root, else 0.
    count : int
        Of columns under the root, else 0; places from there on are empty.
    expected : bytes
        The hash that must be opened, or the root above a column.
    """

    what: int
    place: int
    count: int
    expected: bytes

    @property
    def is_column(self) -> bool:
        """Whether it is a place under a root of columns."""
        return self.what in TREES

    @property
    def is_empty(self) -> bool:
        """Whether it is a place of the padding, without a column."""
        return self.place >= self.count

    @property
    def column(self) -> tuple[int, int]:
        """Underlying and kind of the column."""
        return column_at(self.what, self.place)

    def leaf(self, packed: bytes) -> bytes:
        """Return the leaf at the place, of a column as it was shown."""
        return ZERO32 if self.is_empty else column_hash(*self.column, packed)

    def __str__(self) -> str:
        if self.what == IS_TOTALS:
            return "the totals"
        if self.what == IS_EPOCH:
            return f"the epoch 0x{self.expected.hex()}"
        if self.is_empty:
            return f"the empty place {self.place} under 0x{self.expected.hex()}"
        underlying, kind = self.column
        return f"column {kind} of underlying {underlying}"


@dataclass(frozen=True, slots=True)
class OpenContent:
    """A content that must be shown until a time. [s since 1970]"""

    id: bytes
    batch_no: int
    batch_hash: bytes
    place: ContentPlace
    challenger: bytes
    until_s: int


@dataclass(frozen=True, slots=True)
class ShownContent:
    """A content as it was shown; the court has checked its hash."""

    place: ContentPlace
    content: bytes

    @property
    def totals(self) -> Totals | None:
        """The totals, if that is what was shown."""
        if self.place.what != IS_TOTALS:
            return None
        (values,) = abi_decode([TOTALS], self.content)
        return Totals(*values)

    @property
    def epoch(self) -> Epoch | None:
        """The epoch, if that is what was shown."""
        if self.place.what != IS_EPOCH:
            return None
        (values,) = abi_decode([EPOCH], self.content)
        return Epoch(*values)

    @property
    def column(self) -> tuple[bytes, tuple[bytes, ...]] | None:
        """The packed column and its siblings, if that is what was shown."""
        if not self.place.is_column:
            return None
        (values,) = abi_decode([COLUMN], self.content)
        packed, proof = values
        return packed, tuple(proof)


class ContentChain(Protocol):
    """The court as demands for contents need it."""

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        ...

    def open_contents(self) -> Sequence[OpenContent]:
        """Return the contents that are demanded and not shown, of any batch."""
        ...

    def shown_contents(self, hash_of_batch: bytes) -> Sequence[ShownContent]:
        """Return the contents that were shown of a batch."""
        ...

    def demand_content(
        self, signer: Signer, header: BatchHeader, what: int, opening: bytes
    ) -> TransactionReceipt:
        """Pay the bond and demand a content; `opening` leads to it from the header."""
        ...

    def answer_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader, content: bytes
    ) -> TransactionReceipt:
        """Show a content that is demanded; the bond waits for the signer."""
        ...

    def settle_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader
    ) -> TransactionReceipt:
        """Have a batch reverted of which nobody showed a content in time."""
        ...

    def claim_bonds(self, signer: Signer) -> int:
        """Pay the signer the bonds that wait for it, and return them. [USD e-6]"""
        ...


class Holder(Protocol):
    """Whoever knows the contents of one honest batch."""

    def totals(self) -> Totals:
        """Return the totals."""
        ...

    def epochs(self) -> Sequence[Epoch]:
        """Return the epochs that are in force after its records."""
        ...

    def columns(self, hash_of_epoch: bytes) -> Columns:
        """Return the columns of one of its epochs."""
        ...


def content_of(holder: Holder, place: ContentPlace) -> bytes | None:
    """Return what shows a content; None when the batch is another than the holder's."""
    if place.what == IS_TOTALS:
        totals = holder.totals()
        return encode_totals(totals) if totals_hash(totals) == place.expected else None
    for epoch in holder.epochs():
        if place.what == IS_EPOCH:
            if epoch_hash(epoch) == place.expected:
                return shown_epoch(epoch)
        elif root_of(epoch, place.what) == place.expected:
            return shown_column(holder.columns(epoch_hash(epoch)), place)
    return None


def shown_epoch(epoch: Epoch) -> bytes:
    """Return ``abi.encode(epoch)``."""
    values = epoch.number, epoch.time_ns, epoch.report_hash
    return encode(EPOCH, (*values, epoch.price_root, epoch.risk_root, epoch.charge_root))


def shown_column(columns: Columns, place: ContentPlace) -> bytes:
    """Return ``abi.encode`` of a column with its proof; of an empty place, the proof alone."""
    levels = tree_of(columns, place.what).levels[:-1]
    proof = tuple(level[place.place >> k ^ 1] for k, level in enumerate(levels))
    packed = b"" if place.is_empty else packed_of(columns, *place.column)
    return encode(COLUMN, (packed, proof))


def packed_of(columns: Columns, underlying: int, kind: int) -> bytes:
    """Return a packed column."""
    if kind == COLLATERAL_COLUMN:
        return columns.collateral
    whole = {
        VALUE_COLUMN: columns.values,
        FUNDING_COLUMN: columns.fundings,
        CHARGE_COLUMN: columns.charges,
    }
    return whole[kind][underlying] if kind in whole else columns.losses[underlying][kind]


def root_of(epoch: Epoch, what: int) -> bytes:
    """Return one of the three roots of an epoch."""
    return (epoch.price_root, epoch.risk_root, epoch.charge_root)[TREES.index(what)]


def tree_of(columns: Columns, what: int) -> ListTree:
    """Return one of the three trees of an epoch."""
    return (columns.value_tree, columns.loss_tree, columns.charge_tree)[TREES.index(what)]


def place_of(epoch: Epoch, columns: Columns, underlying: int, kind: int) -> ContentPlace:
    """Return the place of a column."""
    what = IS_RISKS
    if kind in (VALUE_COLUMN, FUNDING_COLUMN):
        what = IS_PRICES
    elif kind in (CHARGE_COLUMN, COLLATERAL_COLUMN):
        what = IS_CHARGES
    count = tree_of(columns, what).size
    return ContentPlace(what, index_of(underlying, kind), count, root_of(epoch, what))


def index_of(underlying: int, kind: int) -> int:
    """Return the place of a column under its root."""
    if kind == COLLATERAL_COLUMN:
        return COLLATERAL_PLACE
    if kind == CHARGE_COLUMN:
        return charge_place(underlying)
    if kind == VALUE_COLUMN:
        return value_place(underlying)
    if kind == FUNDING_COLUMN:
        return funding_place(underlying)
    return underlying * SCENARIOS + kind


def column_at(what: int, index: int) -> tuple[int, int]:
    """Return underlying and kind at a place of one of `TREES`."""
    if what == IS_PRICES:
        return index // 2, FUNDING_COLUMN if index % 2 else VALUE_COLUMN
    if what == IS_RISKS:
        return divmod(index, SCENARIOS)
    if index == COLLATERAL_PLACE:
        return COLLATERAL_UNDERLYING, COLLATERAL_COLUMN
    return index - charge_place(0), CHARGE_COLUMN


def show_content(
    chain: ContentChain, signer: Signer, demand: OpenContent, header: BatchHeader, content: bytes
) -> bool:
    """Answer one demand; False when somebody was quicker, or it is too late.

    Raises
    ------
    TransactionReverted
        The court refuses the content.
    """
    try:
        chain.answer_content(signer, demand, header, content)
    except TransactionReverted as reverted:
        if reverted.name in OVERTAKEN:
            return False
        raise
    return True
