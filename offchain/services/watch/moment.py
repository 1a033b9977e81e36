"""One record of a disputed batch, with the honest state before it and after it."""

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Protocol

from eth_abi.exceptions import EncodingError

from offchain.core.parameters import RiskParameters
from offchain.engine.messages import Command
from offchain.engine.state import State
from offchain.ledger.columns import (
    CHARGE_COLUMN,
    FUNDING_COLUMN,
    VALUE_COLUMN,
    funding_place,
    value_place,
)
from offchain.ledger.errors import LedgerError
from offchain.ledger.journal import Journal
from offchain.ledger.leaf import leaf_of
from offchain.ledger.listing import (
    assets_of,
    instruments_of,
    listing_tree,
    oracle_of,
)
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.ledger.trace import Book, Step, book_hash
from offchain.ledger.wire import decode_record
from offchain.services.watch.disclosures import NOTHING_SHOWN, Disclosures
from offchain.services.watch.posted import Archive, PastRecord, PostedTrace, seq_of, type_of_frame
from offchain.services.watch.reapply import Reapplied, leaves_of, reapply, rebooked
from offchain.services.watch.shapes import (
    NO_COLUMN,
    NO_EPOCH,
    NO_INSTRUMENT,
    NO_REPORT,
    Value,
    leaf_value,
    report_value,
)
from offchain.services.watch.words import Word, read_words

UNDERLYING_BITS = 8


@dataclass(frozen=True)
class Accusation:
    """What a judge would be shown.

    Attributes
    ----------
    kind : int
        Of the judge.
    rule : str
        For readers.
    build : callable
        Returns the evidence; most accusations are never asked about.
    """

    kind: int
    rule: str
    build: Callable[[], bytes]

    @cached_property
    def evidence(self) -> bytes:
        """The evidence as the court takes it; ValueError when it cannot be written down."""
        try:
            return self.build()
        except EncodingError as fault:
            raise ValueError(f"{self.rule}: {fault}") from fault


@dataclass(frozen=True, slots=True)
class ListingOpenings:
    """A listing, every leaf of it opened.

    Attributes
    ----------
    oracle : tuple
        The `OracleOpening`.
    instruments, assets : dict
        `InstrumentOpening` and `AssetOpening` by number.
    end : tuple of bytes
        Siblings of the place behind the last asset; none when the tree ends there.
    """

    oracle: Value
    instruments: dict[int, Value]
    assets: dict[int, Value]
    end: tuple[bytes, ...]


_LISTINGS: dict[bytes, ListingOpenings] = {}
MAX_LISTINGS = 4
"""Parameter sets whose listings are kept: they change seldom, and opening one takes a while."""


def listing_of(journal: Journal) -> ListingOpenings:
    """Return the listing of the parameters in force."""
    known = _LISTINGS.get(journal.params_hash)
    if known is None:
        if len(_LISTINGS) >= MAX_LISTINGS:
            _LISTINGS.clear()
        known = _LISTINGS[journal.params_hash] = _listing(journal.state.rules)
    return known


def _listing(rules: RiskParameters) -> ListingOpenings:
    tree, instruments = listing_tree(rules), instruments_of(rules)
    listed = enumerate(instruments, start=1)
    assets = enumerate(assets_of(rules), start=1 + len(instruments))
    width = len(tree.levels[0])  # with the zeros that fill it
    return ListingOpenings(
        (astuple(oracle_of(rules)), tree.proof(0)),
        {of.id: (astuple(of), place, tree.proof(place)) for place, of in listed},
        {of.asset: (astuple(of), place, tree.proof(place)) for place, of in assets},
        replace(tree, size=width).proof(tree.size) if tree.size < width else (),
    )


class Opener(Protocol):
    """Whoever can open the accounts under one root."""

    def account(self, number: int) -> Value:
        """Return an `AccountOpening`; of nobody when there is no such account."""
        ...


class Witness:
    """Opens what a journal holds: accounts, listing, and the epoch in force."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    @property
    def state(self) -> State:
        """Of the machine."""
        return self.journal.state

    @property
    def has_rules(self) -> bool:
        """Whether there is a parameter set: not before the first record."""
        return self.state.parameters is not None

    def account(self, number: int) -> Value:
        """Return an `AccountOpening`; of nobody when there is no such account."""
        accounts = self.state.accounts
        leaf = (leaf_value(leaf_of(accounts, number)),) if number < accounts.count else ()
        return number, leaf, self.journal.siblings(number)

    def owner_of(self, owner: bytes, subaccount: int) -> int | None:
        """Return the account of an owner."""
        return self.state.accounts.find(owner, subaccount)

    def instrument(self, number: int) -> Value | None:
        """Return an `InstrumentOpening`, or None when nothing of this number is listed."""
        return listing_of(self.journal).instruments.get(number) if self.has_rules else None

    def asset(self, asset: int) -> Value | None:
        """Return an `AssetOpening`, or None when the asset is not listed."""
        return listing_of(self.journal).assets.get(asset) if self.has_rules else None

    def last_asset(self) -> tuple[Value, tuple[bytes, ...]] | None:
        """Return the last `AssetOpening`, and the siblings of the place behind it; None if none."""
        found = self.asset(len(self.state.rules.collateral)) if self.has_rules else None
        return None if found is None else (found, listing_of(self.journal).end)

    def oracle(self) -> Value:
        """Return the `OracleOpening`."""
        return listing_of(self.journal).oracle

    @property
    def epoch(self) -> Value:
        """The epoch in force."""
        epoch = self.journal.epoch
        return NO_EPOCH if epoch is None else astuple(epoch)

    @property
    def report(self) -> Value:
        """The report of the epoch in force."""
        report = self.journal.report
        return NO_REPORT if report is None else report_value(report)

    def column(self, instrument: int, kind: int = VALUE_COLUMN) -> Value:
        """Return a `Column` of an instrument's underlying; an empty one when there is none."""
        columns, underlying = self.journal.columns, instrument >> UNDERLYING_BITS
        if columns is None or underlying >= len(columns.values):
            return NO_COLUMN
        if kind == VALUE_COLUMN:
            place = value_place(underlying)
            return columns.values[underlying], columns.value_tree.proof(place)
        if kind == FUNDING_COLUMN:
            place = funding_place(underlying)
            return columns.fundings[underlying], columns.value_tree.proof(place)
        opening = columns.opening(
            underlying, None if kind == CHARGE_COLUMN else kind, with_charges=kind == CHARGE_COLUMN
        )
        if kind == CHARGE_COLUMN:
            return opening.charges, opening.charge_proof
        return opening.losses, opening.loss_proof

    def collateral(self) -> Value:
        """Return the collateral `Column`."""
        columns = self.journal.columns
        return NO_COLUMN if columns is None else (columns.collateral, columns.collateral_proof())


@dataclass(frozen=True)
class Moment:
    """One record of a batch.

    Attributes
    ----------
    before : Witness
        The honest state before the record, which is also the posted one.
    after : Witness or None
        The honest state after it; none when the machine does not take the record.
    """

    trace: PostedTrace
    index: int
    archive: Archive
    before: Witness
    after: Witness | None
    disclosures: Disclosures = NOTHING_SHOWN

    @property
    def frame(self) -> bytes:
        """The frame."""
        return self.trace.steps[self.index].frame

    @property
    def seq(self) -> int:
        """Number of the record."""
        return seq_of(self.frame)

    @property
    def type(self) -> int:
        """Record type in the frame."""
        return type_of_frame(self.frame)

    @property
    def previous(self) -> Step:
        """The step before."""
        return self.trace.previous(self.index)

    @property
    def step(self) -> Step:
        """The step as posted."""
        return self.trace.steps[self.index].step

    @property
    def effects(self) -> bytes:
        """The words as posted."""
        return self.trace.steps[self.index].words

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words, read."""
        return read_words(self.effects)

    @cached_property
    def command(self) -> Command | None:
        """The command; none when the frame is no record."""
        try:
            record, _ = decode_record(self.frame)
        except LedgerError:
            return None
        return record.command

    @cached_property
    def pair(self) -> Value:
        """The `StepPair`."""
        return self.trace.pair(self.index)

    @property
    def record(self) -> Value:
        """The `RecordOpening`."""
        return self.pair, self.frame, self.effects

    @cached_property
    def afterwards(self) -> Opener | None:
        """Where the accounts under the posted root stand open, if anywhere."""
        root = self.step.account_root
        if self.after is not None and self.after.journal.account_root() == root:
            return self.after
        if root == self.previous.account_root:
            return self.before
        again = self.reapplied
        return again if again is not None and again.root == root else None

    @cached_property
    def reapplied(self) -> Reapplied | None:
        """The accounts after the words as posted; none when they cannot be applied."""
        assets = len(self.posted_book.deposited) - 1  # there is no book before the first record
        return reapply(leaves_of(self.before.journal), self.words, assets)

    @cached_property
    def posted_book(self) -> Book:
        """The book behind the posted hash, or the one that follows from the words."""
        before = self.before.journal.book
        known = [before] if self.after is None else [before, self.after.journal.book]
        wanted = self.step.book_hash
        found = next((book for book in known if book_hash(book) == wanted), None)
        return found or rebooked(self.before.journal, self.words)

    def concerned(self) -> list[int]:
        """Return the accounts that the words name."""
        named = {word.account for word in self.words if word.account < MAX_ACCOUNTS}
        return sorted(named)

    def past(self, seq: int) -> PastRecord | None:
        """Return an earlier record by its number."""
        if not 0 < seq < self.seq:
            return None
        for found in self.archive.backward(self.trace, self.index):
            if seq_of(found.frame) == seq:
                return found
        return None

    def instrument(self, number: int) -> Value:
        """Return an instrument of the listing, or nothing where a rule must look at one."""
        return self.listing.instrument(number) or NO_INSTRUMENT

    @property
    def listing(self) -> Witness:
        """Who has the parameters of the header, by which the judges look at the whole batch."""
        wanted = self.trace.header.params_hash
        if self.after is not None and self.before.journal.params_hash != wanted:
            return self.after
        return self.before
