"""Kinds 1 and 2: reports, epochs, and the numbers that follow from them."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial

from offchain.core.units import SCENARIOS
from offchain.engine.messages import PriceReport
from offchain.ledger.columns import CHARGE_COLUMN, FUNDING_COLUMN, VALUE_COLUMN
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.header import BatchHeader
from offchain.ledger.merkle import ListTree
from offchain.ledger.wire import type_of
from offchain.services.watch.disclosures import ShownColumn
from offchain.services.watch.moment import UNDERLYING_BITS, Accusation, Moment, Witness
from offchain.services.watch.posted import PastRecord, type_of_frame
from offchain.services.watch.shapes import (
    CELL,
    NO_COLUMN,
    NO_EPOCH,
    NO_PAST,
    ORACLE_RULE,
    Value,
    encode,
)

ORACLE, CELL_KIND = 1, 2
_SIGNATURES, _AGE, _BACKWARDS, _EPOCH, _IGNORED, _UNIGNORED, _UNCONFIRMED = range(7)
_NAMES = ("signatures", "age", "backwards", "epoch", "ignored", "unignored", "unconfirmed")
_REPORT = type_of(PriceReport)


def of_record(moment: Moment) -> Iterator[Accusation]:
    """Yield what may be wrong with a report, or with the epoch that a record begins."""
    if not moment.before.has_rules:
        return
    is_changed = moment.step.epoch_hash != moment.previous.epoch_hash
    if is_changed:
        for epoch in epochs_of(moment):
            yield _accusation(moment, _EPOCH, astuple(epoch))
    if moment.type != _REPORT:
        return
    for rule in (_SIGNATURES, _AGE, _IGNORED):
        yield _accusation(moment, rule)
    found = _report_before(moment)
    if found is None:
        return
    earlier, between = found
    yield _accusation(moment, _BACKWARDS, earlier=earlier.value)
    for rule in (_UNIGNORED, _UNCONFIRMED):
        yield _accusation(moment, rule, earlier=earlier.value, between=between)


def epochs_of(moment: Moment) -> list[Epoch]:
    """Return the epochs that may stand behind the hash of the step."""
    wanted = moment.step.epoch_hash
    return [epoch for epoch in _epoch_guesses(moment) if epoch_hash(epoch) == wanted]


def _epoch_guesses(moment: Moment) -> Iterator[Epoch]:
    """Yield the honest epoch, and epochs in which one thing is left as it was."""
    header, before = moment.trace.header, moment.before.journal.epoch
    yield from moment.disclosures.epochs()
    if before is not None:
        yield replace(before, number=before.number + 1)
        yield before
    if moment.after is None or moment.after.journal.epoch is None:
        return
    honest = moment.after.journal.epoch
    yield honest
    yield replace(honest, price_root=header.price_root, risk_root=header.risk_root)
    yield replace(honest, number=honest.number + 1)
    if before is not None:
        yield replace(honest, number=before.number)
        yield replace(honest, time_ns=before.time_ns)
        yield replace(honest, report_hash=before.report_hash)
        yield replace(honest, price_root=before.price_root)
        yield replace(honest, risk_root=before.risk_root)
        yield replace(honest, charge_root=before.charge_root)


def _report_before(moment: Moment) -> tuple[PastRecord, tuple[bytes, ...]] | None:
    """Return the last report before a record, and the frames between them."""
    between: list[bytes] = []
    for found in moment.archive.backward(moment.trace, moment.index):
        if type_of_frame(found.frame) == _REPORT:
            return found, tuple(reversed(between))
        between.append(found.frame)
    return None


def _accusation(
    moment: Moment,
    rule: int,
    afterwards: Value = NO_EPOCH,
    earlier: Value = NO_PAST,
    between: tuple[bytes, ...] = (),
) -> Accusation:
    before = moment.before
    value = (
        rule,
        moment.pair,
        moment.frame,
        moment.listing.oracle(),
        before.epoch,
        before.report,
        afterwards,
        earlier,
        between,
    )
    return Accusation(ORACLE, f"ORACLE.{_NAMES[rule]}", partial(encode, ORACLE_RULE, value))


@dataclass(frozen=True, slots=True)
class Opened:
    """An epoch of the batch, opened under its epoch root."""

    epoch: Epoch
    place: int
    proof: tuple[bytes, ...]
    report: Value


def of_epoch(moment: Moment) -> Iterator[Accusation]:
    """Yield the numbers of the epoch that a record begins, where its columns are known."""
    if moment.after is None or moment.step.epoch_hash == moment.previous.epoch_hash:
        return
    known = (moment.after, moment.before)
    report = moment.after.report
    for epoch in epochs_of(moment):
        epochs = [*moment.after.journal.open.epochs[:-1], epoch]
        yield from cells(moment.trace.header, epochs, len(epochs) - 1, report, known)
    for shown in moment.disclosures.liquidations:
        if epoch_hash(shown.epoch) == moment.step.epoch_hash:
            opened = Opened(shown.epoch, shown.epoch_index, shown.epoch_proof, report)
            yield from _shown_cells(opened, moment.after, shown.columns)


def cells(
    header: BatchHeader,
    epochs: Sequence[Epoch],
    place: int,
    report: Value,
    known: Sequence[Witness],
) -> Iterator[Accusation]:
    """Yield every number of an epoch of a batch.

    Parameters
    ----------
    epochs : sequence of Epoch
        All of the batch.
    place : int
        Of the epoch; `report` is its report.
    known : sequence of Witness
        Who may have columns of the epoch.
    """
    tree = ListTree.of([epoch_hash(epoch) for epoch in epochs])
    if tree.root != header.epoch_root:
        return
    epoch = epochs[place]
    opened = Opened(epoch, place, tree.proof(place), report)
    roots = {VALUE_COLUMN: epoch.price_root, CHARGE_COLUMN: epoch.charge_root}
    for kind in (VALUE_COLUMN, CHARGE_COLUMN, *range(SCENARIOS)):
        holder = _holder(known, kind, roots.get(kind, epoch.risk_root))
        if holder is not None:
            yield from _column_cells(opened, holder, kind)


def _column_cells(opened: Opened, holder: Witness, kind: int) -> Iterator[Accusation]:
    columns: dict[int, Value] = {}
    for number in sorted(holder.state.instruments):
        underlying = number >> UNDERLYING_BITS
        if underlying not in columns:
            columns[underlying] = holder.column(number, kind)
        yield cell(opened, holder, number, kind, columns[underlying])


def _holder(known: Sequence[Witness], kind: int, root: bytes) -> Witness | None:
    for witness in known:
        columns = witness.journal.columns
        if columns is None:
            continue
        roots = {VALUE_COLUMN: columns.price_root, CHARGE_COLUMN: columns.charge_root}
        if roots.get(kind, columns.risk_root) == root:
            return witness
    return None


def _shown_cells(
    opened: Opened, witness: Witness, columns: Sequence[ShownColumn]
) -> Iterator[Accusation]:
    for column in columns:
        for number in sorted(witness.state.instruments):
            if number >> UNDERLYING_BITS == column.underlying:
                yield cell(opened, witness, number, column.kind, (column.packed, column.proof))


def cell(
    opened: Opened,
    witness: Witness,
    number: int,
    kind: int,
    column: Value,
    funding: Value | None = None,
) -> Accusation:
    """Return that one number of an epoch is wrong; `funding` is the honest column if not given."""
    if funding is None and kind == VALUE_COLUMN:
        funding = witness.column(number, FUNDING_COLUMN)
    value = (
        astuple(opened.epoch),
        opened.place,
        opened.proof,
        opened.report,
        witness.instrument(number),
        kind,
        column,
        funding or NO_COLUMN,
    )
    return Accusation(CELL_KIND, f"CELL.{kind}", partial(encode, CELL, value))
