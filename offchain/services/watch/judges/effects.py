"""Kind 12, what one record decides with its neighbours: grammar, signatures, prices, deposits."""

from collections.abc import Iterator
from dataclasses import astuple
from functools import partial

from offchain.engine.messages import (
    CancelOrder,
    Convert,
    Deposit,
    EntryKind,
    Forced,
    PlaceOrder,
    SetMode,
    Withdraw,
)
from offchain.ledger.columns import FUNDING_COLUMN
from offchain.ledger.effects import Effect
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.ledger.trace import Book
from offchain.ledger.wire import type_of
from offchain.services.watch.judges import bounds, history, holders
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.posted import field
from offchain.services.watch.shapes import (
    BAND,
    COLUMN_RULE,
    DEPOSIT,
    HISTORY,
    HOLDER,
    NO_ACCOUNT_OPENING,
    NO_ASSET,
    NO_COLUMN,
    NO_INSTRUMENT,
    NO_REPORT,
    PART,
    PENALTY,
    PRICE,
    RECORD,
    SIGNATURE,
    SOLVENCY,
    TRADE,
    Value,
    encode,
)
from offchain.services.watch.words import takers

KIND = 12
_GRAMMAR, _SIGNATURE, _TRADE, _PRICE, _DEPOSIT, _HOLDER, _HISTORY, _BAND = range(8)
_COLUMN, _PENALTY_PART, _SOLVENCY = range(8, 11)
_TRANSFER, _SALE, _SETTLEMENT, _UNLISTED = range(4)
_CREDITED, _NUMBER, _REST = range(3)
_LIMIT, _PENALTY = range(2)
INTENTS = frozenset(type_of(kind) for kind in (PlaceOrder, CancelOrder, Withdraw, SetMode, Convert))
_DEPOSIT_TYPE, _FORCED = type_of(Deposit), type_of(Forced)
_PLACE_AT, _KIND_AT = 37, 55


def families(moment: Moment) -> tuple[Iterator[Accusation], ...]:
    """Return what may be wrong with the effects of a record, by the judges that decide it."""
    return (
        iter((_part(_GRAMMAR, "grammar", RECORD, moment.record),)),
        _signature(moment),
        _trades(moment),
        _prices(moment),
        _deposits(moment),
        _holders(moment),
        _history(moment),
        _bands(moment),
        _bounds(moment),
    )


def _holders(moment: Moment) -> Iterator[Accusation]:
    for rule, value in holders.evidences(moment):
        yield _part(_HOLDER, rule, HOLDER, value)


def _history(moment: Moment) -> Iterator[Accusation]:
    for rule, value in history.evidences(moment):
        yield _part(_HISTORY, rule, HISTORY, value)


def _bounds(moment: Moment) -> Iterator[Accusation]:
    for rule, value in bounds.penalties(moment):
        yield _part(_PENALTY_PART, rule, PENALTY, value)
    for rule, value in bounds.solvency(moment):
        yield _part(_SOLVENCY, rule, SOLVENCY, value)
    for rule, value in bounds.columns(moment):
        yield _part(_COLUMN, rule, COLUMN_RULE, value)


def _part(part: int, rule: str, shape: str, value: Value) -> Accusation:
    return Accusation(KIND, f"EFFECTS.{rule}", partial(_evidence, part, shape, value))


def _evidence(part: int, shape: str, value: Value) -> bytes:
    return encode(PART, (part, encode(shape, value)))


def _signature(moment: Moment) -> Iterator[Accusation]:
    account = field(moment.frame, 0, 4)
    if moment.type in INTENTS and account < MAX_ACCOUNTS:
        value = (moment.pair, moment.frame, moment.before.account(account))
        yield _part(_SIGNATURE, "signature", SIGNATURE, value)


def _trades(moment: Moment) -> Iterator[Accusation]:
    before = moment.before
    for place in takers(moment.words):
        word = moment.words[place]
        maker = moment.past(moment.words[place + 1].order)
        if maker is not None:
            value = (
                moment.record,
                place,
                maker.value,
                moment.instrument(word.place),
                before.epoch,
                before.column(word.place, FUNDING_COLUMN),
            )
            yield _part(_TRADE, "trade", TRADE, value)


def _prices(moment: Moment) -> Iterator[Accusation]:
    before, words = moment.before, moment.words
    filled = {place for taker in takers(words) for place in (taker, taker + 1)}
    for place, word in enumerate(words):
        if word.is_trade:
            column = before.column(word.place)
            yield _price(moment, _UNLISTED, "unlisted", place, column)
            if place not in filled:
                yield _price(moment, _TRANSFER, "transfer", place, column)
        elif word.kind == Effect.COLLATERAL:
            yield _price(moment, _SALE, "sale", place, before.collateral())
        elif word.kind == Effect.SETTLE:
            instrument = moment.instrument(word.place)
            yield _price(moment, _SETTLEMENT, "settlement", place, NO_COLUMN, instrument)


def _price(
    moment: Moment,
    rule: int,
    name: str,
    place: int,
    column: Value,
    instrument: Value = NO_INSTRUMENT,
) -> Accusation:
    before = moment.before
    report = before.report if rule == _SETTLEMENT else NO_REPORT
    value = (rule, moment.record, place, before.epoch, column, report, instrument)
    return _part(_PRICE, name, PRICE, value)


def _deposits(moment: Moment) -> Iterator[Accusation]:
    book = moment.before.journal.book
    if any(word.kind == Effect.OPEN for word in moment.words):
        yield _deposit(moment, _NUMBER, "number", NO_ACCOUNT_OPENING, book)
    if moment.type != _DEPOSIT_TYPE:
        return
    asset = moment.listing.asset(field(moment.frame, _PLACE_AT, 2)) or NO_ASSET
    owned = moment.before.owner_of(*holders.entry_owner(moment.frame))
    accounts = {a for a in moment.concerned() if a < moment.before.state.accounts.count}
    for account in sorted(accounts | ({owned} if owned is not None else set())):
        holder = moment.before.account(account)
        yield _deposit(moment, _CREDITED, "credited", holder, book, asset)
        yield _deposit(moment, _REST, "rest", holder, book, asset)
    yield _deposit(moment, _REST, "rest", NO_ACCOUNT_OPENING, book, asset)


def _deposit(
    moment: Moment, rule: int, name: str, holder: Value, book: Book, asset: Value = NO_ASSET
) -> Accusation:
    value = (rule, moment.record, holder, astuple(book), asset)
    return _part(_DEPOSIT, name, DEPOSIT, value)


def _bands(moment: Moment) -> Iterator[Accusation]:
    is_close = moment.type == _FORCED and field(moment.frame, _KIND_AT, 1) == EntryKind.CLOSE
    if not is_close:
        return
    at_book = takers(moment.words)
    for place in at_book:
        yield _band(moment, _LIMIT, "limit", place)
    filled = {place for taker in at_book for place in (taker, taker + 1)}
    for place, word in enumerate(moment.words):
        if word.is_trade and place not in filled:
            yield _band(moment, _PENALTY, "penalty", place)


def _band(moment: Moment, rule: int, name: str, place: int) -> Accusation:
    before, number = moment.before, moment.words[place].place
    value = (
        rule,
        moment.record,
        place,
        moment.instrument(number),
        before.epoch,
        before.report,
        before.column(number),
        before.column(number, FUNDING_COLUMN),
    )
    return _part(_BAND, name, BAND, value)
