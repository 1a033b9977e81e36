"""Ordering again, in another past, what was ordered before: the same commands at the same times.

Of entries of the inbox, what the chain has now is taken: at the place of a lost entry that the
chain has again, this one with all before it. Liquidations are left to the lane of the sequencer,
which takes its own. Everything else is submitted again, signed intents through the gate: an account
number may be another's by now. What is refused in this past is dropped, by name.

The number of an order is that of its record, and a signed cancellation names it. Where an order
would get another number, and its cancellation was to follow, the order is not placed again: it
would rest although its owner has cancelled it. No cancellation is submitted for a number that
another order has now.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.core.units import TimestampNs
from offchain.engine.messages import (
    Adopt,
    CancelOrder,
    Command,
    Convert,
    Deposit,
    Forced,
    Liquidate,
    PlaceOrder,
    SetMode,
    Withdraw,
)
from offchain.engine.reasons import Rejected
from offchain.ledger import inbox
from offchain.ledger.wire import Record
from offchain.services.errors import InboxMismatch
from offchain.services.gateway import Authority, Intent, Refused
from offchain.services.inbox_watcher import command_of, is_waiting
from offchain.services.ports import InboxEntry
from offchain.services.sequencer import Receipt, Sequencer

MOVED = "ORDER_NOT_UNDER_ITS_NUMBER"
CANCELLED = "CANCELLED_UNDER_ANOTHER_NUMBER"
ORPHANED = "NOT_ON_THE_CHAIN"
AFTERWARDS = "ADOPTED_WHEN_THE_CHAIN_HAS_IT"

_Content = tuple[int, bytes, int, int, int, bytes]


class Gate(Protocol):
    """Whoever says whether a signed intent may be ordered."""

    def check(self, intent: Intent, state: Authority, now_ns: int) -> Refused | None:
        """Return why an intent is turned away, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that has no place in the new past: its old number, what it said, and why."""

    seq: int
    command: Command
    reason: str


class Reordering:
    """Orders records again.

    Parameters
    ----------
    sequencer : Sequencer
        Set back to `kept`, the last record before them.
    entries : sequence of InboxEntry
        What the chain has after what `kept` consumed.

    Attributes
    ----------
    ordered : int
        Records that found a place again.
    dropped : list[Dropped]
        Those that did not. Liquidations are in neither.
    """

    def __init__(self, sequencer: Sequencer, gate: Gate, entries: Sequence[InboxEntry]) -> None:
        self.ordered = 0
        self.dropped: list[Dropped] = []
        self._sequencer, self._gate = sequencer, gate
        self._entries, self._taken = entries, 0
        self._places: dict[_Content, deque[int]] = defaultdict(deque)
        for place, entry in enumerate(entries):
            self._places[_content(entry.content())].append(place)
        self._kept = sequencer.state.last_seq
        self._cancelled: set[int] = set()
        self._same: set[int] = set()
        self._time_ns = 0

    def now_ns(self) -> int:
        """Return when the record that is ordered again was ordered first, as a `Clock`."""
        return self._time_ns

    def run(self, records: Iterable[Record]) -> None:
        """Order records again, in their order."""
        again = list(records)
        self._cancelled = {
            record.command.order_id for record in again if isinstance(record.command, CancelOrder)
        }
        with self._sequencer.timed_by(self):
            for record in again:
                self._time_ns = record.time_ns
                reason = self._again(record)
                if reason is not None:
                    self.dropped.append(Dropped(record.seq, record.command, reason))
                elif not isinstance(record.command, Liquidate):
                    self.ordered += 1

    def _again(self, record: Record) -> str | None:
        """Order one record again; return why it could not be, if so."""
        command = record.command
        match command:
            case Liquidate():
                return None
            case Adopt():  # it begins a batch, and the chain may have another set in force now
                return AFTERWARDS
            case Deposit() | Forced():
                return self._consume(command)
            case PlaceOrder():
                return self._place(record.seq, command)
            case CancelOrder() if command.order_id > self._kept:
                return self._submit(command) if command.order_id in self._same else MOVED
            case _:
                return self._submit(command)

    def _consume(self, command: Deposit | Forced) -> str | None:
        """Take the entry that says the same, with all before it, unless that was taken already."""
        found = self._places.get(_content(inbox.entry_of(command)))
        if not found:
            return ORPHANED
        stop = found.popleft() + 1
        state = self._sequencer.state
        if any(is_waiting(state, entry) for entry in self._entries[self._taken : stop]):
            return AFTERWARDS  # the set that lists its asset is adopted again first
        for entry in self._entries[self._taken : stop]:
            answer = self._sequencer.submit(command_of(entry))
            if isinstance(answer, Rejected):
                raise InboxMismatch(f"entry {entry.index} is refused by the engine: {answer}")
        self._taken = max(self._taken, stop)
        return None

    def _place(self, seq: int, command: PlaceOrder) -> str | None:
        is_same = not self._sequencer.backlog and self._sequencer.state.last_seq + 1 == seq
        if not is_same and seq in self._cancelled:
            return CANCELLED
        reason = self._submit(command)
        if reason is None and is_same:
            self._same.add(seq)
        return reason

    def _submit(self, command: Command) -> str | None:
        sequencer = self._sequencer
        if isinstance(command, PlaceOrder | CancelOrder | Withdraw | SetMode | Convert):
            now = TimestampNs(sequencer.now_ns())
            refused = self._gate.check(command, sequencer.state, now)
            if refused is not None:
                return refused.reason.name
        answer = sequencer.submit(command)
        return None if isinstance(answer, Receipt) else answer.reason.name


def _content(entry: inbox.InboxEntry) -> _Content:
    """Return what an entry says, wherever and whenever it stands."""
    return entry.kind, entry.owner, entry.subaccount, entry.place, entry.amount, entry.key
