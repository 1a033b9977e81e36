"""Kind 5: the instruction of a liquidation, and what was done under it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from offchain.engine.messages import Liquidate
from offchain.ledger.columns import FUNDING_COLUMN
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.merkle import ListTree, verify_list
from offchain.ledger.wire import type_of
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.posted import field
from offchain.services.watch.shapes import (
    LIQUIDATION,
    NO_ACCOUNT_OPENING,
    NO_COLUMN,
    NO_EPOCH,
    NO_INSTRUCTION,
    NO_INSTRUMENT,
    NO_REPORT,
    Value,
    encode,
    instruction_value,
)
from offchain.services.watch.words import takers

KIND = 5
_COUNT, _INSTRUCTION, _LEGS, _LIMIT, _BAND = range(5)
_LIQUIDATE = type_of(Liquidate)
_NAMES = ("count", "instruction", "legs", "limit", "band")


@dataclass(frozen=True, slots=True)
class Placed:
    """An instruction with its place under the header's liquidation root."""

    instruction: Instruction
    index: int
    proof: tuple[bytes, ...]


def of_record(moment: Moment, instructions: Sequence[Instruction] = ()) -> Iterator[Accusation]:
    """Yield what may be wrong with a liquidation, or with a record that counts as one.

    Parameters
    ----------
    instructions : sequence of Instruction
        All of the batch, when they are known.
    """
    if moment.type != _LIQUIDATE and moment.step.liquidations == _before(moment):
        return
    yield _accusation(moment, _COUNT, None)
    for placed in placed_here(moment, instructions):
        yield _accusation(moment, _INSTRUCTION, placed)
        yield _accusation(moment, _LEGS, placed)
        for place in takers(moment.words):
            instrument = moment.words[place].place
            yield _accusation(moment, _LIMIT, placed, place, instrument)
        for place, leg in enumerate(placed.instruction.legs):
            yield _accusation(moment, _BAND, placed, place, leg.instrument)


def placed_here(moment: Moment, instructions: Sequence[Instruction]) -> list[Placed]:
    """Return the instructions that may stand at the place of this record."""
    index, root = _before(moment), moment.trace.header.liquidation_root
    found = [
        Placed(shown.instruction, shown.index, shown.proof)
        for shown in moment.disclosures.liquidations
        if shown.index == index
    ]
    for listed in (instructions, _captured(moment)):
        if index < len(listed):
            proof = ListTree.of([instruction_hash(i) for i in listed]).proof(index)
            found.append(Placed(listed[index], index, proof))
    return [p for p in found if verify_list(root, index, instruction_hash(p.instruction), p.proof)]


def _captured(moment: Moment) -> list[Instruction]:
    """Return the instructions of the batch up to this record, as they should be."""
    journal = moment.after.journal if moment.after else moment.before.journal
    return [capture.instruction for capture in journal.open.captures]


def _before(moment: Moment) -> int:
    return moment.previous.liquidations if moment.index else 0


def _accusation(
    moment: Moment, rule: int, placed: Placed | None, place: int = 0, instrument: int | None = None
) -> Accusation:
    account = field(moment.frame, 0, 4)
    holder = moment.before.account(account) if rule == _INSTRUCTION else NO_ACCOUNT_OPENING
    opened: tuple[Value, ...] = (NO_INSTRUMENT, NO_EPOCH, NO_REPORT, NO_COLUMN, NO_COLUMN)
    if instrument is not None:
        before = moment.before
        opened = (
            moment.instrument(instrument),
            before.epoch,
            before.report,
            before.column(instrument),
            before.column(instrument, FUNDING_COLUMN),
        )
    value = (
        rule,
        moment.record,
        NO_INSTRUCTION if placed is None else instruction_value(placed.instruction),
        0 if placed is None else placed.index,
        () if placed is None else placed.proof,
        holder,
        place,
        *opened,
    )
    return Accusation(KIND, f"LIQUIDATION.{_NAMES[rule]}", partial(encode, LIQUIDATION, value))
