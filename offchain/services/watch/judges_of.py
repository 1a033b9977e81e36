"""Everything that the judges can be asked about one record, and about one batch."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import astuple

from offchain.ledger.abi import unsigned
from offchain.ledger.effects import Effect
from offchain.ledger.keccak import keccak256
from offchain.ledger.state_root import market_hash, nonce_hash, order_hash
from offchain.services.watch.closing import Closing
from offchain.services.watch.judges import (
    accounts,
    books,
    contents,
    effects,
    inbox,
    liquidations,
    prices,
    structure,
)
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.posted import seq_of
from offchain.services.watch.shapes import STATE, Value
from offchain.services.watch.words import read_words

Moments = Callable[[Collection[int]], Iterator[Moment]]
_STATE = 6
UNSOUND = (ValueError, ArithmeticError, LookupError)
"""What reading a posted record may raise."""


def record(moment: Moment) -> Iterator[Accusation]:
    """Yield everything that judges can be asked about a record."""
    epochs = tuple(astuple(epoch) for epoch in prices.epochs_of(moment))
    yield from structure.of_record(moment, epochs)
    families = (
        inbox.of_record(moment),
        *effects.families(moment),
        books.of_record(moment),
        accounts.of_record(moment),
        liquidations.of_record(moment),
        prices.of_record(moment),
        prices.of_epoch(moment),
        contents.of_epoch(moment),
    )
    for family in families:
        yield from _careful(family)


def _careful(family: Iterator[Accusation]) -> Iterator[Accusation]:
    """Yield what can be said in spite of words that make no sense: they come from a liar."""
    try:
        yield from family
    except UNSOUND:
        return


def batch(closing: Closing, moments: Moments) -> Iterator[Accusation]:
    """Yield everything that judges can be asked about a batch whose steps all hold."""
    trace, witness = closing.trace, closing.witness
    yield from structure.of_batch(trace, witness.epoch, closing.blobs)
    yield from _state(closing)
    yield from books.of_batch(closing)
    outputs: list[Value] = []
    for moment in moments(_interesting(closing)):
        outputs += books.put_out(moment)
        yield from structure.of_record(moment)
        yield from books.of_outputs(closing, moment)
        yield from liquidations.of_record(moment, closing.honest.instructions)
    yield books.of_list(trace, tuple(outputs))
    book = astuple(witness.journal.book)
    yield from accounts.of_batch(trace, trace.last_index, witness, book)


def _interesting(closing: Closing) -> set[int]:
    """Return the ends of the batch, and the records that put out, or liquidate."""
    found = {0, closing.trace.last_index}
    for index, posted in enumerate(closing.trace.steps):
        kinds = {word.kind for word in read_words(posted.words)}
        if kinds & {Effect.OUTPUT, Effect.LIQUIDATION}:
            found.add(index)
    return found


def _state(closing: Closing) -> Iterator[Accusation]:
    """Yield the parts of the state root, if they are as they should be but for one."""
    trace, journal = closing.trace, closing.witness.journal
    header, state, last = trace.header, journal.state, trace.steps[-1]
    seq = seq_of(last.frame)
    middle = (
        market_hash(state, journal.params_hash),
        order_hash(state),
        nonce_hash(state),
    )
    totals = closing.honest.header.totals_hash
    roots = (last.step.account_root, trace.before.step.account_root)
    guesses = [
        (root, *middle, of_totals, number)
        for root in roots
        for of_totals in {header.totals_hash, totals}
        for number in (seq, seq - 1)
    ]
    opening = trace.opening(trace.last_index)
    for parts in guesses:
        if keccak256(b"".join(parts[:-1]) + unsigned(parts[-1], 64)) == header.state_root:
            value = (opening, last.frame, parts)
            yield structure.ruled(structure.STEP, _STATE, "STEP.state", STATE, value)
