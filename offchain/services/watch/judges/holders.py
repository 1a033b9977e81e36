"""Kind 12, what accounts hold: withdrawals, forced operations, reductions, deficits."""

from collections.abc import Iterator

from offchain.engine.messages import EntryKind, Forced, Liquidate, PlaceOrder, Withdraw
from offchain.ledger.effects import Effect
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.ledger.trace import NO_EFFECTS
from offchain.ledger.wire import PREFIX_BYTES, type_of
from offchain.services.watch.moment import Moment, Witness
from offchain.services.watch.posted import PastRecord, field, type_of_frame
from offchain.services.watch.shapes import (
    NO_ACCOUNT_OPENING,
    NO_PAST,
    Value,
)
from offchain.services.watch.words import read_words

_OWNER, _KNOWN, _HELD, _WHOLE, _REDUCE, _DEFICIT, _FUND = range(7)
_FORCED, _LIQUIDATE = type_of(Forced), type_of(Liquidate)
_ORDER, _WITHDRAW = type_of(PlaceOrder), type_of(Withdraw)
_OWNER_AT, _OWNER_END, _SUBACCOUNT_AT, _KIND_AT = 16, 36, 36, 55
EMPTY_PLACE = NO_ACCOUNT_OPENING


def evidences(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield the name of each rule that may decide the record, with its `HolderEvidence`."""
    if moment.type == _LIQUIDATE:
        yield from _of_liquidation(moment)
        return
    if moment.type not in {_FORCED, _ORDER, _WITHDRAW}:
        return
    for account in candidates(moment):
        holder = moment.before.account(account)
        for rule, name in ((_OWNER, "owner"), (_KNOWN, "known"), (_HELD, "held")):
            yield name, _value(moment, rule, holder)
        yield "reduce", _value(moment, _REDUCE, holder)
    yield from _whole(moment)


def candidates(moment: Moment) -> list[int]:
    """Return the accounts that a record may be about: its own, its owner's, those of its words."""
    found = set(moment.concerned())
    if moment.type == _FORCED:
        owned = moment.before.owner_of(*entry_owner(moment.frame))
        if owned is not None:
            found.add(owned)
    elif moment.type in {_ORDER, _WITHDRAW, _LIQUIDATE}:
        found.add(field(moment.frame, 0, 4))
    return sorted(account for account in found if account < MAX_ACCOUNTS)


def entry_owner(frame: bytes) -> tuple[bytes, int]:
    """Return owner and sub-account of a deposit or of a forced operation."""
    payload = frame[PREFIX_BYTES:]
    return payload[_OWNER_AT:_OWNER_END], field(frame, _SUBACCOUNT_AT, 1)


def _of_liquidation(moment: Moment) -> Iterator[tuple[str, Value]]:
    after = moment.afterwards
    if after is not None:
        account = field(moment.frame, 0, 4)
        yield "deficit", _value(moment, _DEFICIT, after.account(account))
        yield "fund", _value(moment, _FUND, after.account(0))


def _whole(moment: Moment) -> Iterator[tuple[str, Value]]:
    """Yield that a forced withdrawal gave less than was there, if the account was quiet."""
    is_withdrawal = field(moment.frame, _KIND_AT, 1) == EntryKind.WITHDRAWAL
    if moment.type != _FORCED or not is_withdrawal:
        return
    owner = entry_owner(moment.frame)
    account = moment.before.owner_of(*owner)
    if account is None:
        return
    quiet = _quiet(moment, account, owner)
    if quiet is not None:
        yield "whole", _value(moment, _WHOLE, moment.before.account(account), *quiet)


def _quiet(
    moment: Moment, account: int, owner: tuple[bytes, int]
) -> tuple[Value, Value, tuple[bytes, ...]] | None:
    """Return a record after which an account had no order, what shows it, and the frames since.

    None when the account ordered since.
    """
    between: list[bytes] = []
    is_absent = False
    for found in moment.archive.backward(moment.trace, moment.index):
        since = tuple(reversed(between))
        if _is_cancel_all(found, owner):
            return found.value, EMPTY_PLACE, since
        if is_absent:
            past = Witness(moment.archive.journal_after(found.batch_no, found.index, moment.trace))
            return found.value, past.account(account), since
        if type_of_frame(found.frame) == _ORDER and field(found.frame, 0, 4) == account:
            return None
        words = read_words(found.words)
        is_absent = any(w.kind == Effect.OPEN and w.account == account for w in words)
        between.append(found.frame)
    return None


def _is_cancel_all(found: PastRecord, owner: tuple[bytes, int]) -> bool:
    is_forced = type_of_frame(found.frame) == _FORCED
    is_done = found.step.effects_hash == NO_EFFECTS
    is_kind = field(found.frame, _KIND_AT, 1) == EntryKind.CANCEL_ALL
    return is_forced and is_done and is_kind and entry_owner(found.frame) == owner


def _value(
    moment: Moment,
    rule: int,
    holder: Value,
    quiet: Value = NO_PAST,
    absent: Value = EMPTY_PLACE,
    between: tuple[bytes, ...] = (),
) -> Value:
    return rule, moment.record, holder, quiet, absent, between
