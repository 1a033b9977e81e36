"""The oracle hub in memory, and the log that a relayer sees beside it."""

from dataclasses import dataclass

from offchain.core.oracle import Grace, is_within_band
from offchain.core.units import SECOND_NS, RatioE6, TimestampNs
from offchain.engine.messages import PriceReport
from offchain.ledger.epoch import Report, report_hash
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt
from tests.support.venue import RULES

BAND_E6 = RatioE6(50_000)
NO_GRACE = Grace(RULES.oracle.heartbeat_ns, 1, TimestampNs(0))


@dataclass
class Kept:
    """What the hub keeps of a report."""

    at_ns: int
    values: tuple[int, ...]
    resumed_s: int
    streak: int
    is_settled: bool


class Hub:
    """The oracle hub in memory: order of rounds, clock, band rule and grace as in the contract."""

    def __init__(self, grace: Grace = NO_GRACE) -> None:
        self.grace = grace
        self.newest = 0
        self.last: Kept | None = None
        self.pending: Kept | None = None
        self.accepted: list[int] = []
        self.submitted: list[int] = []
        self.latest_ns: int | None = None
        self.oldest_ns = 0
        self.good: dict[bytes, Kept] = {}
        self.jumped: dict[bytes, Kept] = {}
        self.late: list[int] = []

    @property
    def known(self) -> dict[bytes, bool]:
        return dict.fromkeys(self.jumped, False) | dict.fromkeys(self.good, True)

    def newest_round(self) -> int:
        return self.accepted[-1] if self.accepted else 0

    def submit_report(self, _signer: Signer, report: PriceReport) -> TransactionReceipt:
        self._check(report)
        values = report.observations[0].values
        self.newest = report.round
        self.submitted.append(report.round)
        vouching = [k for k in (self.pending, self.last) if k and near(values, k.values)]
        done = self.last is None or bool(vouching)
        kept = self.kept(report, next(iter(vouching), self.last), done=done)
        if done:
            self.last, self.pending = kept, None
            self.accepted.append(report.round)
        else:
            self.pending = kept
        self.keep(hash_of(report, values), kept, done=done)
        return TransactionReceipt("OracleHub.submit", bytes(32), report.round, 1, 1, b"")

    def kept(self, report: PriceReport, base: Kept | None, *, done: bool) -> Kept:
        at, values = report.observed_at_ns, report.observations[0].values
        resumed, streak = (base.resumed_s, base.streak) if base else (0, 0)
        before = base.at_ns if base else 0
        if at <= before or at - before > self.grace.heartbeat_ns:
            resumed, streak = -(-at // SECOND_NS), 0
        return self.judged(Kept(at, values, resumed, streak + done, is_settled=False))

    def judged(self, kept: Kept) -> Kept:
        lasted_ns = (kept.at_ns // SECOND_NS - kept.resumed_s) * SECOND_NS
        kept.is_settled |= kept.streak >= self.grace.reports and lasted_ns >= self.grace.length_ns
        return kept

    def keep(self, hashed: bytes, kept: Kept, *, done: bool) -> None:
        records = self.good if done or hashed in self.good else self.jumped
        was = records.setdefault(hashed, kept)
        if not was.is_settled:
            was.is_settled = kept.is_settled
            was.resumed_s = min(was.resumed_s, kept.resumed_s)
            was.streak = max(was.streak, kept.streak)
            self.judged(was)

    def is_report_settled(self, hashed: bytes) -> bool:
        return hashed in self.good and self.good[hashed].is_settled

    def submit_late_report(
        self, _signer: Signer, report: PriceReport, base: Report | None
    ) -> TransactionReceipt:
        if base is not None and report_hash(base) not in self.known:
            raise TransactionReverted("OracleHub.submitLate", "UnknownBase", {})
        values = report.observations[0].values
        done, of = False, None
        if base is not None:
            of = self.good.get(report_hash(base)) or self.jumped[report_hash(base)]
            follows = report.round > base.round and report.observed_at_ns > base.observed_at_ns
            done = report_hash(base) in self.good or follows
            done = done and near(values, base.medians)
        self.keep(hash_of(report, values), self.kept(report, of, done=done), done=done)
        self.late.append(report.round)
        return TransactionReceipt("OracleHub.submitLate", bytes(32), report.round, 1, 1, b"")

    def is_report_accepted(self, hashed: bytes) -> bool:
        return hashed in self.good

    def _check(self, report: PriceReport) -> None:
        error = None
        if report.round <= self.newest:
            error = "RoundNotNew"
        elif self.latest_ns is not None and report.observed_at_ns > self.latest_ns:
            error = "ObservedInFuture"
        elif report.observed_at_ns < self.oldest_ns:
            error = "ObservedTooLongAgo"
        if error is not None:
            raise TransactionReverted("OracleHub.submit", error, {})


def near(values: tuple[int, ...], base: tuple[int, ...]) -> bool:
    return is_within_band(values, base, BAND_E6)


def hash_of(report: PriceReport, values: tuple[int, ...]) -> bytes:
    return report_hash(Report(report.round, report.observed_at_ns, values))
