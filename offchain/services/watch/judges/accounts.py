"""Kinds 3 and 9: leaves of the account tree."""

from collections.abc import Iterator
from dataclasses import astuple
from functools import partial

from offchain.ledger.effects import Effect
from offchain.ledger.leaf import encode_leaf, leaf_of
from offchain.ledger.merkle import MAX_ACCOUNTS
from offchain.services.watch.judges.structure import ruled
from offchain.services.watch.moment import Accusation, Moment, Opener, Witness
from offchain.services.watch.posted import PostedTrace
from offchain.services.watch.shapes import (
    FORM,
    PLACE,
    ROOT,
    TRANSITION,
    TWIN,
    Value,
    encode,
)

TRANSITION_KIND, LEAF_KIND = 3, 9
_TWIN, _FORM, _PLACE = 1, 2, 3
_WHOLE_ROOT = 1
MAX_LEAVES = 64
"""So many leaves of one step are looked at, besides those that its words name."""


def of_record(moment: Moment) -> Iterator[Accusation]:
    """Yield what may be wrong with the leaves that a record changes, or does not."""
    again = moment.reapplied
    if again is not None:
        book = astuple(moment.posted_book)
        value = (moment.record, book, again.openings)
        yield ruled(TRANSITION_KIND, _WHOLE_ROOT, "TRANSITION.root", ROOT, value)
    afterwards = moment.afterwards
    if afterwards is None or not moment.before.has_rules:
        return
    for account in _touched(moment):
        value = (moment.record, moment.before.account(account), afterwards.account(account))
        yield Accusation(TRANSITION_KIND, "TRANSITION.leaf", partial(encode, TRANSITION, value))
    yield from _twins(moment, afterwards)


def _twins(moment: Moment, afterwards: Opener) -> Iterator[Accusation]:
    """Yield that an account was opened for an owner who has one."""
    opening = moment.trace.opening(moment.index)
    for word in moment.words:
        if word.kind != Effect.OPEN or word.account >= MAX_ACCOUNTS:
            continue
        known = moment.before.owner_of(word.body[:20], word.place)
        if known is not None and known != word.account:
            pair = (opening, afterwards.account(known), afterwards.account(word.account))
            yield ruled(LEAF_KIND, _TWIN, "LEAF.twin", TWIN, pair)


def of_batch(trace: PostedTrace, index: int, witness: Witness, book: Value) -> Iterator[Accusation]:
    """Yield what may be wrong with the leaves after a step, which `witness` opens."""
    opening = trace.opening(index)
    count = witness.state.accounts.count
    for account in range(min(count + 1, MAX_LEAVES)):
        value = (opening, book, witness.account(account))
        yield ruled(LEAF_KIND, _PLACE, "LEAF.place", PLACE, value)
    for account in range(min(count, MAX_LEAVES)):
        _, _, proof = witness.account(account)
        leaf = encode_leaf(leaf_of(witness.state.accounts, account))
        yield ruled(LEAF_KIND, _FORM, "LEAF.form", FORM, (opening, account, leaf, proof))
        if account:
            pair = (opening, witness.account(account - 1), witness.account(account))
            yield ruled(LEAF_KIND, _TWIN, "LEAF.twin", TWIN, pair)


def _touched(moment: Moment) -> list[int]:
    """Return the accounts whose leaves the record should change, and one that it should not."""
    accounts = moment.before.state.accounts
    found = set(moment.concerned())
    for word in moment.words:
        if word.kind == Effect.SETTLE:
            holders = (a for a in range(accounts.count) if accounts.lots_of(a, word.place))
            found.update(holders)
    if moment.after is not None:
        count = min(moment.after.state.accounts.count, MAX_LEAVES)
        changed = (a for a in range(count) if _differs(moment.before, moment.after, a))
        found.update(changed)
    return sorted(found)


def _differs(before: Witness, after: Witness, account: int) -> bool:
    if account >= before.state.accounts.count:
        return True
    one, other = before.state.accounts, after.state.accounts
    return leaf_of(one, account) != leaf_of(other, account)
