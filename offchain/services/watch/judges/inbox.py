"""Kind 4: entries of the inbox, and what was answered to them."""

from collections.abc import Iterator

from offchain.engine.messages import Deposit, Forced
from offchain.ledger.wire import type_of
from offchain.services.watch.judges import holders
from offchain.services.watch.judges.structure import ruled
from offchain.services.watch.moment import Accusation, Moment
from offchain.services.watch.shapes import ENTRY, HOLDER, LISTED

KIND = 4
_ENTRY, _KEYS, _LISTED, _HOLDER = 1, 2, 3, 4
_FORCED, _CONSUMES = type_of(Forced), frozenset({type_of(Deposit), type_of(Forced)})


def of_record(moment: Moment) -> Iterator[Accusation]:
    """Yield what may be wrong with a record that consumes an entry."""
    if moment.type not in _CONSUMES:
        return
    entry = (moment.pair, moment.frame)
    yield ruled(KIND, _ENTRY, "INBOX.entry", ENTRY, entry)
    if moment.type != _FORCED:
        return
    yield ruled(KIND, _KEYS, "INBOX.keys", ENTRY, entry)
    for account in holders.candidates(moment):
        value = (moment.record, moment.before.account(account))
        yield ruled(KIND, _LISTED, "INBOX.listed", LISTED, value)
    for rule, value in holders.evidences(moment):
        yield ruled(KIND, _HOLDER, f"INBOX.{rule}", HOLDER, value)
