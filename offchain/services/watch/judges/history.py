"""Kind 12, records that contradict earlier ones: nonces, settled instruments, closed orders."""

from collections.abc import Callable, Iterator
from functools import partial

from offchain.engine.messages import (
    CancelOrder,
    Convert,
    EntryKind,
    Forced,
    Liquidate,
    PlaceOrder,
    SetMode,
    SettleExpiry,
    Withdraw,
)
from offchain.ledger.trace import NO_EFFECTS
from offchain.ledger.wire import PREFIX_BYTES, type_of
from offchain.services.watch.moment import Moment
from offchain.services.watch.posted import PastRecord, field, seq_of, type_of_frame
from offchain.services.watch.shapes import NO_ACCOUNT_OPENING, Value
from offchain.services.watch.words import Word, read_words

_NONCE, _SETTLED, _CANCELLED, _CLOSED, _OVERFILL = range(5)
_ORDER, _CANCEL = type_of(PlaceOrder), type_of(CancelOrder)
_FORCED, _LIQUIDATE, _SETTLE = type_of(Forced), type_of(Liquidate), type_of(SettleExpiry)
_INTENTS = frozenset(
    type_of(kind) for kind in (PlaceOrder, CancelOrder, Withdraw, SetMode, Convert)
)
_KIND_AT, _OWNER_AT, _SUBACCOUNT_END = 55, 16, 37
_TAIL_BYTES = 65 + 16
"""A nonce, an expiry and a signature end every intent."""
MAX_FILLS = 64


def evidences(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield the name of each rule that may decide the record, with its `HistoryEvidence`."""
    if moment.type in _INTENTS:
        nonce = _nonce(moment.frame)
        yield from _against(moment, "nonce", _NONCE, partial(_is, _nonce_of_record, nonce))
    for instrument in _traded_by_intent(moment):
        yield from _against(moment, "settled", _SETTLED, partial(_is, _settles, instrument))
    if moment.type == _CANCEL:
        order = field(moment.frame, 4, 8)
        yield from _against(moment, "cancelled", _CANCELLED, partial(_is, _cancels, order))
    for place, word in enumerate(moment.words):
        if word.is_trade and word.order:
            yield from _of_fill(moment, place, word)


def _of_fill(moment: Moment, place: int, word: Word) -> Iterator[tuple[str, Value]]:
    order = word.order
    yield from _against(
        moment, "cancelled", _CANCELLED, partial(_is, _cancels, order), place, order
    )
    holder = moment.before.account(word.account)
    owner = _owner(holder)
    closes = partial(_closes, account=word.account, owner=owner)
    yield from _against(moment, "closed", _CLOSED, closes, place, order, holder)
    yield from _overfill(moment, place, word)


def _overfill(moment: Moment, place: int, word: Word) -> Iterator[tuple[str, Value]]:
    """Yield all fills of the order of a maker's word, back to its record."""
    fills: list[Value] = []
    for other in range(place - 1, -1, -1):
        if moment.words[other].is_trade and moment.words[other].order == word.order:
            here = moment.trace.past(moment.index, is_same_batch=True)
            fills.append((here, moment.effects, other))
    for found in moment.archive.backward(moment.trace, moment.index):
        if seq_of(found.frame) == word.order:
            value = (moment.record, place, found.value, tuple(reversed(fills)))
            yield "overfill", _value(_OVERFILL, *value)
            return
        for other, earlier in reversed(list(enumerate(read_words(found.words)))):
            if earlier.is_trade and earlier.order == word.order and len(fills) < MAX_FILLS:
                fills.append((found.value, found.words, other))


def _against(
    moment: Moment,
    name: str,
    rule: int,
    contradicts: Callable[[bytes], bool],
    place: int = 0,
    since: int = 0,
    holder: Value = NO_ACCOUNT_OPENING,
) -> Iterator[tuple[str, Value]]:
    """Yield the nearest earlier record that contradicts, down to record `since`."""
    for found in moment.archive.backward(moment.trace, moment.index):
        if seq_of(found.frame) <= since:
            return
        if contradicts(found.frame) and _was_done(found):
            yield name, _value(rule, moment.record, place, found.value, (), holder)
            return


def _is(read: Callable[[bytes], object], wanted: object, frame: bytes) -> bool:
    """Tell whether what a frame names is what is wanted."""
    return read(frame) == wanted


def _was_done(found: PastRecord) -> bool:
    """Tell whether a forced cancel-all was done; others that stand in the log were."""
    return type_of_frame(found.frame) != _FORCED or found.step.effects_hash == NO_EFFECTS


def _value(
    rule: int,
    record: Value,
    place: int,
    earlier: Value,
    fills: tuple[Value, ...] = (),
    holder: Value = NO_ACCOUNT_OPENING,
) -> Value:
    return rule, record, place, earlier, holder, fills


def _nonce(frame: bytes) -> tuple[int, bytes]:
    return field(frame, 0, 4), frame[-_TAIL_BYTES : -_TAIL_BYTES + 8]


def _nonce_of_record(frame: bytes) -> tuple[int, bytes] | None:
    return _nonce(frame) if type_of_frame(frame) in _INTENTS else None


def _traded_by_intent(moment: Moment) -> list[int]:
    """Return the instrument that an order or a settlement names."""
    if moment.type == _ORDER:
        return [field(moment.frame, 4, 2)]
    return [field(moment.frame, 0, 2)] if moment.type == _SETTLE else []


def _settles(frame: bytes) -> int | None:
    return field(frame, 0, 2) if type_of_frame(frame) == _SETTLE else None


def _cancels(frame: bytes) -> int | None:
    return field(frame, 4, 8) if type_of_frame(frame) == _CANCEL else None


def _owner(holder: Value) -> tuple[bytes, int] | None:
    _, leaves, _ = holder
    return (leaves[0][0], leaves[0][1]) if leaves else None


def _closes(frame: bytes, account: int, owner: tuple[bytes, int] | None) -> bool:
    """Tell whether a record takes every order of an account from the book, if it is done."""
    kind = type_of_frame(frame)
    if kind == _LIQUIDATE:
        return field(frame, 0, 4) == account
    is_cancel_all = kind == _FORCED and field(frame, _KIND_AT, 1) == EntryKind.CANCEL_ALL
    if not is_cancel_all or owner is None:
        return False
    payload = frame[PREFIX_BYTES:]
    return (payload[_OWNER_AT : _SUBACCOUNT_END - 1], payload[_SUBACCOUNT_END - 1]) == owner
