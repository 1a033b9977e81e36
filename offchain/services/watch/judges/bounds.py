"""Kind 12, bounds: columns within the parameter set, penalties, and what accounts can afford."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple

from offchain.core.margin import Mode
from offchain.core.units import SLOT_BITS
from offchain.engine.accounts import BACKSTOP
from offchain.engine.messages import (
    Adopt,
    Forced,
    FundingTick,
    Genesis,
    Liquidate,
    PlaceOrder,
    Withdraw,
)
from offchain.ledger.columns import (
    COLLATERAL_COLUMN,
    FUNDING_COLUMN,
    VALUE_COLUMN,
    Columns,
    column_hash,
    pack_values,
    unpack_values,
)
from offchain.ledger.document import document
from offchain.ledger.effects import CashFlow, Effect
from offchain.ledger.epoch import Epoch
from offchain.ledger.leaf import AccountLeaf, Position
from offchain.ledger.proving import best_scenarios
from offchain.ledger.terms import curves, terms
from offchain.ledger.wire import type_of
from offchain.services.watch.judges.prices import epochs_of
from offchain.services.watch.moment import Moment, Witness
from offchain.services.watch.posted import field, type_of_frame
from offchain.services.watch.shapes import (
    NO_ACCOUNT_OPENING,
    NO_ASSET,
    NO_COLUMN,
    NO_EPOCH,
    NO_INSTRUMENT,
    NO_PAST,
    NO_REPORT,
    Value,
)

_FUNDING, _COLLATERAL, _ADOPTED = range(3)
_BELOW, _FALLEN, _SPARED, _OVERSOLD = range(4)
_TICK, _GENESIS, _LIQUIDATE = type_of(FundingTick), type_of(Genesis), type_of(Liquidate)
_ADOPT = type_of(Adopt)
_ORDER, _WITHDRAW, _FORCED = type_of(PlaceOrder), type_of(Withdraw), type_of(Forced)


def columns(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield a `ColumnEvidence` for a set, and for everything that it bounds in a new epoch."""
    if moment.type in {_GENESIS, _ADOPT}:
        shown = (_ADOPTED, moment.pair, moment.frame, NO_PAST, NO_INSTRUMENT, NO_ASSET)
        yield "parameters", (*shown, b"", 0, NO_EPOCH, NO_EPOCH, NO_REPORT, NO_COLUMN, NO_COLUMN)
    if moment.step.epoch_hash == moment.previous.epoch_hash:
        return
    rules = moment.listing.state.documented
    assert rules is not None, "prices before parameters"
    text, since = document(rules), _since(moment)
    funding_text = text if moment.type == _TICK else b""  # else no rate is asked for
    funding_at = max(0, funding_text.find(b'"funding":{'))
    known = [moment.before] if moment.after is None else [moment.after, moment.before]
    for epoch in epochs_of(moment):
        for number in sorted(moment.listing.state.instruments):
            before = moment.before.column(number, FUNDING_COLUMN)
            for column in _fundings(moment, known, epoch, number):
                yield (
                    "funding",
                    (
                        *(_FUNDING, moment.pair, moment.frame, since),
                        *(moment.instrument(number), NO_ASSET),
                        *(funding_text, funding_at),
                        *(moment.before.epoch, astuple(epoch), moment.before.report),
                        *(before, column),
                    ),
                )
        for asset in range(1, len(rules.collateral) + 1):
            for column in _credits(moment, known, epoch):
                yield (
                    "collateral",
                    (
                        *(_COLLATERAL, moment.pair, moment.frame, NO_PAST),
                        *(NO_INSTRUMENT, moment.listing.asset(asset)),
                        *(text, text.find(b'"collateral":[')),
                        *(moment.before.epoch, astuple(epoch), known[0].report),
                        *(NO_COLUMN, column),
                    ),
                )


def _since(moment: Moment) -> Value:
    """Return the last funding tick before a tick, or the Genesis."""
    if moment.type != _TICK:
        return NO_PAST
    for found in moment.archive.backward(moment.trace, moment.index):
        if type_of_frame(found.frame) in {_TICK, _GENESIS}:
            return found.value
    return NO_PAST


def _fundings(
    moment: Moment, known: Sequence[Witness], epoch: Epoch, number: int
) -> Iterator[Value]:
    """Yield the funding column of an epoch: a known or shown one, or what shown values leave.

    A value column is the marks less the funding, and a sibling of the funding column.
    """
    for witness in known:
        of = witness.journal.columns
        if of is not None and of.price_root == epoch.price_root:
            yield witness.column(number, FUNDING_COLUMN)
            return
    underlying = number >> SLOT_BITS
    marks = known[0].state.market.prices.lot_values_e6
    for shown in moment.disclosures.columns(epoch):
        if shown.underlying != underlying:
            continue
        if shown.kind == FUNDING_COLUMN:
            yield shown.packed, shown.proof
        elif shown.kind == VALUE_COLUMN:
            values = enumerate(unpack_values(shown.packed), start=underlying << SLOT_BITS)
            packed = pack_values([int(marks[row]) - value for row, value in values])
            sibling = column_hash(underlying, VALUE_COLUMN, shown.packed)
            yield packed, (sibling, *shown.proof[1:])


def _credits(moment: Moment, known: Sequence[Witness], epoch: Epoch) -> Iterator[Value]:
    """Yield the collateral column of an epoch: a known one, or one that was shown."""
    for witness in known:
        of = witness.journal.columns
        if of is not None and of.charge_root == epoch.charge_root:
            yield witness.collateral()
            return
    for shown in moment.disclosures.columns(epoch):
        if shown.kind == COLLATERAL_COLUMN:
            yield shown.packed, shown.proof


def penalties(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield a `PenaltyEvidence` for a liquidation that charges one."""
    account, words = field(moment.frame, 0, 4), moment.words
    charges = [w for w in words if w.kind == Effect.CASH and w.place == CashFlow.PENALTY]
    if moment.type != _LIQUIDATE or not charges:
        return
    traded = sorted({w.place for w in words if w.is_trade and w.account == account})
    before = moment.before
    value = (
        moment.record,
        before.epoch,
        tuple(moment.instrument(number) for number in traded),
        tuple(before.column(number) for number in traded),
        tuple(before.column(number, FUNDING_COLUMN) for number in traded),
    )
    yield "penalty", value


def solvency(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield a `SolvencyEvidence` for every account that the words of a record name."""
    of, after = moment.before.journal.columns, moment.afterwards
    if moment.type not in {_ORDER, _WITHDRAW, _FORCED, _LIQUIDATE} or of is None or after is None:
        return
    own = field(moment.frame, 0, 4)
    for account in moment.concerned():
        held = after.account(account)
        if account <= BACKSTOP or not held[1]:
            continue
        if moment.type == _LIQUIDATE and account == own:
            rules: tuple[int, ...] = (_SPARED, _OVERSOLD)
        else:
            rules = (_BELOW, _FALLEN)
        for rule in rules:
            yield "solvency", _solvency(moment, of, rule, account, held)


def _solvency(moment: Moment, of: Columns, rule: int, account: int, held: Value) -> Value:
    before = moment.before.account(account) if rule == _FALLEN else NO_ACCOUNT_OPENING
    return (
        *(rule, moment.record, before, held, moment.before.epoch),
        _opened(moment, of, held) if rule in {_BELOW, _FALLEN} else (),
        _opened(moment, of, before) if rule == _FALLEN else (),
        (of.collateral, of.collateral_proof()),
        curves(moment.before.state.rules),
    )


def _opened(moment: Moment, of: Columns, holder: Value) -> Value:
    """Return a `ColumnOpening` of every underlying held, in the scenarios that decide."""
    if not holder[1]:
        return ()
    owner, subaccount, mode, cash, collateral, rows = holder[1][0]
    positions = tuple(Position(*row) for row in rows)
    leaf = AccountLeaf(owner, subaccount, mode, cash, collateral, positions)
    held = sorted({p.instrument >> SLOT_BITS for p in leaf.positions})
    scenarios: Sequence[int | None] = [None] * len(held)
    state = moment.before.state
    if held and leaf.mode == Mode.PORTFOLIO:
        losses = state.market.prices.losses_e6
        scenarios = best_scenarios(leaf.positions, held, losses, terms(state.rules))
    pairs = zip(held, scenarios, strict=True)
    return tuple(astuple(of.opening(u, s, with_charges=True)) for u, s in pairs)
