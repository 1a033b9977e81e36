"""The oracle relayer: brings reports of the log to the oracle hub, in order.

A liquidation can be verified only when the hub accepted the report that it cites. The hub judges a
report by the last one that *it* accepted, so reports cannot be left out at will: when the one that
is needed would be out of band, those that lead there are sent first.

Others may bring the same round with other signers, and so other medians, or the chain may be
closed to us for longer than the heartbeat. Such a report goes to the hub late, vouched for by the
one before it.

For the hub that was an outage, for the engine there was none. So a report that a liquidation cites
is brought again, behind earlier ones that show how long the oracle had been back (`relay_trail`).
"""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from offchain.core.oracle import is_accepted, is_within_band
from offchain.core.parameters import OracleParameters
from offchain.core.units import ONE_E6, SECOND_NS, RatioE6
from offchain.engine.events import Event
from offchain.engine.messages import Adopt, Liquidate, PriceReport
from offchain.ledger.epoch import report_hash
from offchain.ledger.wire import Record
from offchain.services.errors import RelayQueueFull, TransactionReverted
from offchain.services.ports import ReportChain, Signer, TransactionReceipt
from offchain.services.relay_trail import Seen, Trail

MAX_WAITING = 4_096
MAX_LOST = 1_024
MAX_CITED = 1_024
"""Reports that liquidations cite and that wait to be shown; those before are long verified."""
NOT_YET = frozenset({"ObservedInFuture"})
ALREADY = frozenset({"RoundNotNew", "ObservationNotNew"})
TOO_LATE = frozenset({"ObservedTooLongAgo"})
UNSUPPORTED = frozenset({"UnknownBase"})
UNSIGNED = frozenset({"UnknownSigner", "NoQuorum"})
"""The hub has other signers than when the report was made, and never takes it again."""


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Which reports go on chain.

    Attributes
    ----------
    every : bool
        All of them; the rest is then ignored.
    heartbeat_ns : int
        No longer than this without a report; well below the hub's own heartbeat. [ns]
    move_e6 : int
        A feed that moved so far since the last report sends one. [1e-6]
    """

    every: bool = True
    heartbeat_ns: int = 600 * SECOND_NS
    move_e6: int = 5_000


@dataclass(slots=True)
class Reference:
    """What a new report is compared with: the last accepted one, and the pending one if any."""

    last: tuple[int, ...] | None = None
    pending: tuple[int, ...] | None = None

    def take(self, values: tuple[int, ...], band_e6: RatioE6) -> bool:
        """Apply the band rule of docs/COMMITMENTS.md and return whether the report is accepted."""
        accepted = is_accepted(values, self.last, self.pending, band_e6)
        if accepted:
            self.last, self.pending = values, None
        else:
            self.pending = values
        return accepted

    def copy(self) -> "Reference":
        """Return an independent copy."""
        return Reference(self.last, self.pending)


class Relayer:
    """Submits reports. `on_record` may be called by one thread while another flushes.

    Parameters
    ----------
    signer : Signer
        Pays; anyone may relay.
    rules : OracleParameters
        Of the parameter set with which the log begins; adopted ones are followed.

    Attributes
    ----------
    lost : deque[int]
        Rounds that the hub did not accept, not even late, that made room for newer ones, or whose
        signers it no longer knows: liquidations that cite them may be left unverified.
    """

    def __init__(
        self,
        chain: ReportChain,
        signer: Signer,
        rules: OracleParameters,
        policy: RelayPolicy | None = None,
    ) -> None:
        self.policy = policy or RelayPolicy()
        self.lost: deque[int] = deque(maxlen=MAX_LOST)
        self._chain, self._signer, self._rules = chain, signer, rules
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._begin(0)

    @property
    def waiting(self) -> int:
        """Reports that wait to be submitted."""
        return len(self._waiting)

    def resume(self, records: Iterable[Record]) -> None:
        """Take up the log from its beginning: what the hub does not have yet is queued.

        After a start, or when the chain was reorganised; no record may be added meanwhile.
        """
        with self._flushing:
            newest_round = self._chain.newest_round()
            with self._lock:
                self._begin(newest_round)
            for record in records:
                self.on_record(record, ())

    def on_record(self, record: Record, _events: tuple[Event, ...]) -> None:
        """Note a record of the log; a listener of the sequencer, so it never raises."""
        with self._lock:
            if self._overflow is not None:
                return
            if isinstance(record.command, PriceReport):
                self._note(record.command)
            elif isinstance(record.command, Liquidate):
                self._cite()
            elif isinstance(record.command, Adopt):
                self._trail.rules = record.command.parameters.oracle
                self._band_e6 = self._trail.rules.band_e6

    def flush(self) -> list[TransactionReceipt]:
        """Submit what waits, in order, and return the receipts.

        What the hub has already is passed over. A report that is ahead of the chain's clock waits.
        One that the engine accepted and the hub did not is brought late. Of those that liquidations
        cite, the hub is shown besides that the grace after an outage was over, where it is not.

        Raises
        ------
        RelayQueueFull
            Records were left out, because too many reports waited; `resume` on a new relayer.
        """
        done = []
        with self._flushing:
            while self._waiting:
                seen = self._waiting[0]
                try:
                    done.append(self._chain.submit_report(self._signer, seen.report))
                except TransactionReverted as reverted:
                    if reverted.name in NOT_YET:
                        break
                    if reverted.name not in ALREADY | TOO_LATE:
                        raise
                done.extend(self._bring_late(seen))
                self._drop(seen)
                self._follow(seen)
            done.extend(self._settle_cited())
            if self._overflow is not None:
                raise RelayQueueFull(self._overflow)
        return done

    def _begin(self, newest_round: int) -> None:
        self._trail, self._hub = Trail(self._rules), Reference()
        self._band_e6 = self._rules.band_e6
        self._engine = Reference()
        self._cited: deque[tuple[Seen, ...]] = deque(maxlen=MAX_CITED)
        self._sent: Seen | None = None
        self._skipped: list[Seen] = []
        self._waiting: deque[Seen] = deque()
        self._brought: Seen | None = None
        self._jumped: Seen | None = None
        self._newest_round = newest_round
        self._overflow: str | None = None

    def _bring_late(self, seen: Seen) -> list[TransactionReceipt]:
        """Submit a report beside the sequence, if the engine accepted it and the hub did not."""
        if not seen.accepted or self._chain.is_report_accepted(report_hash(seen.hashed)):
            return []
        base = self._base_of(seen)
        done = []
        try:
            done.append(self._late(seen, base))
        except TransactionReverted as reverted:
            if reverted.name not in UNSUPPORTED or base is None:
                raise
            # The base did not get there either. As one that jumped it vouches for this one.
            done.append(self._late(base, self._continued_by(base)))
            done.append(self._late(seen, base))
        if base is None:
            self.lost.append(seen.report.round)
        return done

    def _late(self, seen: Seen, base: Seen | None) -> TransactionReceipt:
        stated = base.hashed if base else None
        return self._chain.submit_late_report(self._signer, seen.report, stated)

    def _base_of(self, seen: Seen) -> Seen | None:
        """Return the report that vouches for this one by the band rule, if any."""
        for base in (self._jumped, self._brought):  # the engine's own order
            if base and is_within_band(seen.medians, base.medians, self._band_e6):
                return base
        return None

    def _continued_by(self, jumped: Seen) -> Seen | None:
        """Return the report that one that jumped continues, if the hub has it."""
        last = self._brought
        if last is None or last is jumped or not self._is_accepted(last):
            return None
        return last

    def _is_accepted(self, seen: Seen) -> bool:
        return self._chain.is_report_accepted(report_hash(seen.hashed))

    def _is_settled(self, seen: Seen) -> bool:
        return self._chain.is_report_settled(report_hash(seen.hashed))

    def _settle_cited(self) -> list[TransactionReceipt]:
        """Show the hub what the engine saw of every cited report that is there already."""
        done: list[TransactionReceipt] = []
        while self._cited:
            path = self._cited[0]
            with self._lock:
                first = self._waiting[0] if self._waiting else None
            if first is not None and first.report.round <= path[-1].report.round:
                break
            try:
                done.extend(self._show(path))
            except TransactionReverted as reverted:
                if reverted.name not in UNSIGNED:
                    raise
                self.lost.append(path[-1].report.round)
            with self._lock:
                if self._cited and self._cited[0] is path:
                    self._cited.popleft()
        return done

    def _show(self, path: tuple[Seen, ...]) -> list[TransactionReceipt]:
        """Bring a path late, from the last report on that needs nothing before it."""
        places = (p for p in range(len(path) - 1, -1, -1) if self._is_settled(path[p]))
        start = next(places, None)
        done = [] if start is not None else self._found(path)
        for base, seen in pairwise(path[start or 0 :]):
            done.append(self._late(seen, base))
        return done

    def _found(self, path: tuple[Seen, ...]) -> list[TransactionReceipt]:
        """Have the hub know the first report of a path, for what it is to the engine.

        Without a base it counts as a jump. If it was none, the second report, which it vouches for,
        vouches for it in turn.
        """
        first = path[0]
        if len(path) == 1 or self._is_accepted(first):
            return []
        done = [self._late(first, None)]
        if first.accepted:
            done += [self._late(path[1], first), self._late(first, path[1])]
        return done

    def _follow(self, seen: Seen) -> None:
        """Remember a report that the hub has, so that it can vouch for later ones."""
        if seen.accepted:
            self._brought, self._jumped = seen, None
        else:
            self._jumped = seen

    def _note(self, report: PriceReport) -> None:
        seen = self._trail.add(report)
        self._engine.take(seen.medians, self._band_e6)
        if report.round <= self._newest_round:
            self._hub, self._sent = self._engine.copy(), seen
            self._follow(seen)
            return
        if self.policy.every:
            self._queue(seen)
            return
        self._skipped.append(seen)
        if seen.accepted and self._is_wanted(seen):
            self._need(seen)
        elif len(self._skipped) > MAX_WAITING:
            self._overflow = f"{MAX_WAITING} reports since the last one that was relayed"

    def _cite(self) -> None:
        """Have the report in force, which a liquidation cites, relayed and shown; lock is held."""
        cited = self._trail.in_force
        if cited is None or (self._cited and self._cited[-1][-1] is cited):
            return
        if cited in self._skipped:
            self._need(cited)
        self._cited.append(self._trail.path())

    def _is_wanted(self, seen: Seen) -> bool:
        """Tell whether a report is due by age or by move."""
        if self._sent is None:
            return True
        age = seen.report.observed_at_ns - self._sent.report.observed_at_ns
        if age >= self.policy.heartbeat_ns:
            return True
        return any(
            abs(new - old) * ONE_E6 >= self.policy.move_e6 * old
            for new, old in zip(seen.medians, self._sent.medians, strict=True)
        )

    def _need(self, wanted: Seen) -> None:
        """Queue a skipped report, after the fewest of those before it that make the hub accept it.

        Hub and engine agree after every report that both accepted. From there the whole sequence
        leads to `wanted`, because it did in the engine; so stepping always ends.
        """
        place = self._skipped.index(wanted)
        path, self._skipped = self._skipped[: place + 1], self._skipped[place + 1 :]
        while path:
            jump = self._farthest(path)
            for seen in path[:1] if jump is None else path[jump : jump + 1]:
                self._hub.take(seen.medians, self._band_e6)
                self._queue(seen)
            path = path[1 if jump is None else jump + 1 :]

    def _farthest(self, path: list[Seen]) -> int | None:
        """Return the last report of a path that engine and hub both accept now, if any."""
        for place in range(len(path) - 1, -1, -1):
            seen = path[place]
            if seen.accepted and self._hub.copy().take(seen.medians, self._band_e6):
                return place
        return None

    def _drop(self, seen: Seen) -> None:
        """Take a report off the queue, unless it was pushed out meanwhile."""
        with self._lock:
            if self._waiting and self._waiting[0] is seen:
                self._waiting.popleft()

    def _queue(self, seen: Seen) -> None:
        """Let a report wait; the lock is held.

        When all are relayed, the oldest makes room: the hub would find it too old anyway, and two
        later ones that agree bring it back into the band. A path of chosen ones has no such slack.
        """
        if len(self._waiting) >= MAX_WAITING:
            if not self.policy.every:
                self._overflow = f"{MAX_WAITING} reports wait for the chain"
                return
            self.lost.append(self._waiting.popleft().report.round)
        self._waiting.append(seen)
        self._sent = seen
