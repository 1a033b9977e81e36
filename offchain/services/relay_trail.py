"""The trail: the reports of the log that show the hub how long the oracle had been back (L-5).

The hub believes a report no more than its base shows. It may never have seen the reports between,
so for a report that a liquidation cites the trail names some earlier ones, as few as do: each
vouches for the next, no two are further apart than the heartbeat, and together they are as many and
take as long as the grace asks for.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from offchain.core.oracle import (
    NO_STANDING,
    Grace,
    Standing,
    is_accepted,
    is_confirmation,
    is_within_band,
    medians,
    next_standing,
)
from offchain.core.parameters import OracleParameters
from offchain.core.units import SECOND_NS, ceil_div
from offchain.engine.messages import PriceReport
from offchain.ledger.epoch import Report

MAX_TRAIL = 8_192
"""Reports in memory. A grace is longer than that only if they come far faster than is useful."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A report of the log as the engine judged it.

    Attributes
    ----------
    base_round : int
        Of the report that vouches for it and that it continues; 0 if it continues none.
    ordinal : int
        Accepted reports since the beginning, this one included.
    """

    report: PriceReport
    medians: tuple[int, ...]
    accepted: bool
    standing: Standing = NO_STANDING
    base_round: int = 0
    ordinal: int = 0

    @property
    def hashed(self) -> Report:
        """What the hub knows the report by."""
        return Report(self.report.round, self.report.observed_at_ns, self.medians)


class Trail:
    """Judges the reports of the log as the engine does, and remembers those that matter.

    Attributes
    ----------
    rules : OracleParameters
        By which the next report is judged, and by which a path is long enough.
    in_force : Seen, optional
        The last accepted report.
    """

    def __init__(self, rules: OracleParameters) -> None:
        self.rules = rules
        self.in_force: Seen | None = None
        self._pending: Seen | None = None
        self._seen: deque[Seen] = deque(maxlen=MAX_TRAIL)

    def add(self, report: PriceReport) -> Seen:
        """Judge the next report of the log."""
        seen = self._judge(report)
        self._seen.append(seen)
        if seen.accepted:
            self.in_force, self._pending = seen, None
            self._forget(seen)
        else:
            self._pending = seen
        return seen

    def path(self) -> tuple[Seen, ...]:
        """Return what shows that the grace is over with the report in force, that one at the end.

        Without a grace behind it the path ends early; the hub then refuses what the engine refuses.
        """
        assert self.in_force is not None
        path, counted = [self.in_force], 1
        while not self._is_enough(path, counted):
            earlier = self._earlier(path[-1], counted)
            if earlier is None:
                break
            path.append(earlier)
            counted += earlier.accepted
        return tuple(reversed(path))

    def _judge(self, report: PriceReport) -> Seen:
        band_e6, grace = self.rules.band_e6, self.rules.grace
        values = medians([observation.values for observation in report.observations])
        last, pending = self.in_force, self._pending
        waits = pending.medians if pending else None
        accepted = is_accepted(values, last.medians if last else None, waits, band_e6)
        base = pending if accepted and is_confirmation(values, waits, band_e6) else last
        standing = next_standing(
            grace,
            report.observed_at_ns,
            base.report.observed_at_ns if base else 0,
            base.standing if base else NO_STANDING,
            accepted=accepted,
        )
        continued = base is not None and _is_continued(report, base, grace)
        return Seen(
            report,
            values,
            accepted,
            standing,
            base.report.round if base and continued else 0,
            (last.ordinal if last else 0) + accepted,
        )

    def _forget(self, newest: Seen) -> None:
        """Drop the oldest while what is left shows enough, with one report to spare."""
        grace = self.rules.grace
        while len(self._seen) > 1:
            second = self._seen[1]
            spare = newest.ordinal - second.ordinal > grace.reports + 1
            if not spare or _lasted_s(second, newest) < grace.length_ns // SECOND_NS:
                return
            self._seen.popleft()

    def _is_enough(self, path: list[Seen], counted: int) -> bool:
        """Tell whether a path that begins with its last element needs nothing before it.

        Where the hub lacks the first report, the second one vouches for it; a jump cannot.
        """
        grace, first = self.rules.grace, path[-1]
        if first.accepted and len(path) > 1 and not path[-2].accepted:
            return False
        lasted = _lasted_s(first, path[0])
        return counted >= grace.reports and lasted >= grace.length_ns // SECOND_NS

    def _earlier(self, seen: Seen, counted: int) -> Seen | None:
        """Return the oldest report that vouches for this one and leaves enough to count."""
        if not seen.base_round:
            return None
        return next(self._candidates(seen, counted), None)

    def _candidates(self, seen: Seen, counted: int) -> Iterator[Seen]:
        """Yield the reports before this one that may stand before it, the oldest first."""
        band_e6, grace = self.rules.band_e6, self.rules.grace
        behind = 0
        for earlier in self._seen:
            if earlier.report.round >= seen.report.round:
                return
            behind += earlier.accepted
            if earlier.report.round == seen.base_round:
                yield earlier
            if not (seen.accepted and earlier.accepted):
                continue
            has_enough = counted + min(behind, earlier.standing.streak) >= grace.reports
            if (
                has_enough
                and _is_continued(seen.report, earlier, grace)
                and is_within_band(seen.medians, earlier.medians, band_e6)
            ):
                yield earlier


def _is_continued(report: PriceReport, base: Seen, grace: Grace) -> bool:
    return 0 < report.observed_at_ns - base.report.observed_at_ns <= grace.heartbeat_ns


def _lasted_s(first: Seen, last: Seen) -> int:
    """Return the whole seconds between two observations, as the grace counts them."""
    start_s = ceil_div(first.report.observed_at_ns, SECOND_NS)
    return last.report.observed_at_ns // SECOND_NS - start_s
