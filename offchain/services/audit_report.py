"""What an audit says: named checks, a verdict on each, and the findings behind a failed one."""

from dataclasses import dataclass, field

CHECKS = {
    "chain": "headers are consecutive, linked and signed by the sequencer",
    "data": "posted data hashes to its header and decodes to a canonical log",
    "parameters": "the parameter set in the log is the one that the contracts hold",
    "engine": "the contracts pin the engine that runs this audit",
    "replay": "every field of every header follows from the log",
    "inbox": "every deposit is consumed once, in order, as it was made",
    "intents": "every order, cancellation, withdrawal, mode and conversion is signed by its owner",
    "oracle": "every report has its quorum of signatures; cited ones were accepted on chain",
    "liquidations": "every liquidation was due, and final ones were verified on chain",
    "completeness": "no account stayed below its trigger while trading went on",
    "conservation": "each asset in the book equals deposits less withdrawals (SOL-1)",
    "insurance": "the fund's movements on chain are those of the replay",
    "claims": "every payment is one output of one final batch",
    "reserves": "the vault holds what all accounts, outputs and unread deposits are owed",
}
MAX_FINDINGS = 20
"""Findings kept for each check; one is enough to fail it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree: what, in which batch (0: none), in which field."""

    problem: str
    batch: int = 0
    field: str = ""

    def __str__(self) -> str:
        """Return batch, field and problem in one line."""
        place = f"batch {self.batch}" if self.batch else ""
        name = f"field {self.field}" if self.field else ""
        return ": ".join(filter(None, (", ".join(filter(None, (place, name))), self.problem)))


@dataclass(slots=True)
class Verdict:
    """The outcome of one check.

    `is_complete` is False when the audit stopped before the check had seen everything: a check
    without an answer is not a pass.
    """

    check: str
    meaning: str
    compared: int = 0
    findings: list[Finding] = field(default_factory=list)
    is_complete: bool = True

    @property
    def is_ok(self) -> bool:
        """Whether the check saw everything and found nothing."""
        return self.is_complete and not self.findings

    @property
    def word(self) -> str:
        """PASS, FAIL, or NOT_REACHED when nothing was found and not everything was seen."""
        if self.findings:
            return "FAIL"
        return "PASS" if self.is_complete else "NOT_REACHED"


@dataclass(slots=True)
class AuditReport:
    """All verdicts, and what the replay ended with."""

    verdicts: dict[str, Verdict]
    batches: int
    records: int
    state_root: bytes

    @property
    def is_ok(self) -> bool:
        """Whether every check passed."""
        return all(verdict.is_ok for verdict in self.verdicts.values())

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that found something."""
        return tuple(name for name, verdict in self.verdicts.items() if verdict.findings)
