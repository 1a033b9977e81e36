"""Kinds 7 and 13: book, totals, checkpoint and outputs."""

from collections.abc import Iterator
from dataclasses import astuple, replace

from offchain.ledger.abi import unsigned
from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.effects import Effect
from offchain.ledger.keccak import ZERO32
from offchain.ledger.leaf import leaf_of
from offchain.ledger.merkle import MAX_ACCOUNTS, ListTree
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.sum_tree import SUM_BYTES
from offchain.services.checkpoint_probe import ShownWalk
from offchain.services.watch.closing import Closing, Walk
from offchain.services.watch.judges.structure import ruled
from offchain.services.watch.moment import Accusation, Moment, Witness
from offchain.services.watch.posted import PostedTrace
from offchain.services.watch.reapply import rebooked
from offchain.services.watch.shapes import (
    ASSET_COUNT,
    BOOK_CHANGE,
    FUND,
    NO_ACCOUNT_OPENING,
    NO_REPORT,
    OUTPUT_LIST,
    OWED,
    PUT_OUT,
    SURPLUS,
    TOTALS_OF_BOOK,
    TRACE_BOUNDS,
    WALK,
    WHOLE,
    Value,
    leaf_value,
)
from offchain.services.watch.words import Word

TOTALS_KIND, OUTPUT_KIND = 7, 13
_BOOK, _TOTALS, _FUND, _NODE, _OWED, _WHOLE, _ASSETS = 1, 2, 3, 4, 5, 6, 7
_DIFFERS, _SURPLUS, _EMPTY, _LIST = 1, 2, 3, 4
UNDERLYING_BITS = 8
MAX_LEAVES = 64
MAX_WHOLE = 256
"""So many accounts fit one transaction."""


def of_record(moment: Moment) -> Iterator[Accusation]:
    """Yield what may be wrong with the book after a record."""
    before = moment.before.journal.book
    books = [moment.posted_book]
    if before.deposited:
        books.append(rebooked(moment.before.journal, moment.words))
    for book in books:
        value = (moment.pair, moment.effects, astuple(before), astuple(book))
        yield ruled(TOTALS_KIND, _BOOK, "TOTALS.book", BOOK_CHANGE, value)
    last = moment.listing.last_asset()
    if last is not None:
        listed = (moment.trace.opening(moment.index), astuple(moment.posted_book), *last)
        yield ruled(TOTALS_KIND, _ASSETS, "TOTALS.assets", ASSET_COUNT, listed)


def of_batch(closing: Closing) -> Iterator[Accusation]:
    """Yield what may be wrong with totals, checkpoint and outputs of a batch."""
    yield from _totals(closing)
    yield from _checkpoint(closing)
    yield from _whole(closing)
    yield from _surplus(closing)


def _totals(closing: Closing) -> Iterator[Accusation]:
    totals, witness = closing.totals, closing.witness
    if totals is None:
        return
    last = closing.trace.opening(closing.trace.last_index)
    value = (last, astuple(witness.journal.book), astuple(totals))
    yield ruled(TOTALS_KIND, _TOTALS, "TOTALS.totals", TOTALS_OF_BOOK, value)
    value = (last, witness.account(0), astuple(totals))
    yield ruled(TOTALS_KIND, _FUND, "TOTALS.fund", FUND, value)


def _checkpoint(closing: Closing) -> Iterator[Accusation]:
    walk = closing.walk
    if walk is None or closing.trace.header.checkpoint_root == ZERO32:
        return
    accounts = range(min(max(closing.checkpoint.count, walk.tree.count) + 1, MAX_LEAVES))
    for account in accounts if walk.account < 0 else (walk.account,):
        way = _way(walk, account)
        yield ruled(TOTALS_KIND, _NODE, "TOTALS.node", WALK, way)
        yield ruled(TOTALS_KIND, _OWED, "TOTALS.owed", OWED, _owed(closing, account, way))


def of_walk(closing: Closing, walk: ShownWalk) -> Iterator[Accusation]:
    """Yield that what was shown at the end of a way is a wrong node, or a wrong leaf."""
    way = _way(walk, walk.account)
    yield ruled(TOTALS_KIND, _NODE, "TOTALS.node", WALK, way)
    yield ruled(TOTALS_KIND, _OWED, "TOTALS.owed", OWED, _owed(closing, walk.account, way))


def _whole(closing: Closing) -> Iterator[Accusation]:
    """Yield that the checkpoint is not what all accounts make up, while they are few."""
    witness = closing.witness
    state = witness.state
    count = state.accounts.count
    if closing.trace.header.checkpoint_root == ZERO32 or count > MAX_WHOLE:
        return
    leaves = tuple(leaf_value(leaf_of(state.accounts, number)) for number in range(count))
    held = {p[0] >> UNDERLYING_BITS for n in range(count) for p in state.accounts.positions(n)}
    assets = [witness.asset(asset) for asset in range(1, len(state.rules.collateral) + 1)]
    value = (
        closing.trace.opening(closing.trace.last_index),
        leaves,
        witness.epoch,
        tuple(sorted(held)),
        tuple(witness.column(underlying << UNDERLYING_BITS) for underlying in sorted(held)),
        witness.report,
        tuple(asset for asset in assets if asset is not None),
    )
    yield ruled(TOTALS_KIND, _WHOLE, "TOTALS.whole", WHOLE, value)


def _way(walk: Walk | ShownWalk, account: int) -> Value:
    root = walk.root
    return root.root_hash, packed_sums(root), account, walk.down_to(account)


def packed_sums(root: CheckpointRoot) -> bytes:
    """Return the sums of a root as its hash has them."""
    of = root.sums
    sums = (of.equity_e6, of.owed_e6, of.debt_e6, *of.collateral_e8)
    return b"".join([unsigned(amount, 128)[-SUM_BYTES:] for amount in sums])


def _owed(closing: Closing, account: int, way: Value) -> Value:
    witness = closing.witness
    accounts = witness.state.accounts
    held: tuple[int, ...] = ()
    assets: list[Value] = []
    if account < accounts.count:
        held = tuple(sorted({p[0] >> UNDERLYING_BITS for p in accounts.positions(account)}))
        assets = _covering(witness, account)
    columns = tuple(witness.column(underlying << UNDERLYING_BITS) for underlying in held)
    last = closing.trace.opening(closing.trace.last_index)
    report = witness.report if witness.journal.epoch else NO_REPORT
    return way, last, witness.account(account), witness.epoch, columns, report, tuple(assets)


def _covering(witness: Witness, account: int) -> list[Value]:
    """Return every asset that the account holds; the judge looks at the first ones."""
    found = []
    for asset, amount in enumerate(witness.state.accounts.collateral[account].tolist(), start=1):
        opening = witness.asset(asset) if amount else None
        if opening is not None:
            found.append(opening)
    return found


def of_outputs(closing: Closing, moment: Moment) -> Iterator[Accusation]:
    """Yield what may be wrong with the outputs that one record of the batch puts out."""
    trace, honest = closing.trace, closing.honest
    root, bounds = trace.header.output_root, trace.bounds()
    is_honest = root == honest.header.output_root
    for place, word in enumerate(moment.words):
        index = word.output - trace.before.step.outputs - 1
        holder = _payee(moment, word)
        if word.kind != Effect.OUTPUT or holder is None:
            continue
        proof: tuple[bytes, ...] = ()
        given = root
        if is_honest:
            given, proof = output_hash(honest.outputs[index]), honest.output_proof(index)
        value = (bounds, moment.record, place, holder, given, proof)
        yield ruled(OUTPUT_KIND, _DIFFERS, "OUTPUT.differs", PUT_OUT, value)


def put_out(moment: Moment) -> Iterator[Value]:
    """Yield the `PutOut` of every output of a record."""
    for place, word in enumerate(moment.words):
        holder = _payee(moment, word)
        if word.kind == Effect.OUTPUT and holder is not None:
            yield moment.record, place, holder


def of_list(trace: PostedTrace, outputs: tuple[Value, ...]) -> Accusation:
    """Return that the outputs of a batch do not make up its root."""
    return ruled(OUTPUT_KIND, _LIST, "OUTPUT.list", OUTPUT_LIST, (trace.bounds(), outputs))


def _payee(moment: Moment, word: Word) -> Value | None:
    """Return the account of an output after the record; anything when it has none."""
    if word.account >= MAX_ACCOUNTS:
        return NO_ACCOUNT_OPENING
    return None if moment.afterwards is None else moment.afterwards.account(word.account)


def _surplus(closing: Closing) -> Iterator[Accusation]:
    """Yield that the list of outputs has more than the records put out: the last one again."""
    trace, honest = closing.trace, closing.honest
    bounds = trace.bounds()
    yield ruled(OUTPUT_KIND, _EMPTY, "OUTPUT.empty", TRACE_BOUNDS, bounds)
    for extra in _extras(closing):
        outputs = [output_hash(output) for output in (*honest.outputs, extra)]
        tree = ListTree.of(outputs)
        if tree.root == trace.header.output_root:
            place = len(outputs) - 1
            value = (bounds, astuple(extra), place, tree.proof(place))
            yield ruled(OUTPUT_KIND, _SURPLUS, "OUTPUT.surplus", SURPLUS, value)


def _extras(closing: Closing) -> Iterator[Output]:
    """Yield an output that is paid twice, under its own number and under the next."""
    following = closing.trace.steps[-1].step.outputs + 1
    for output in closing.honest.outputs:
        yield output
        yield replace(output, id=following)
