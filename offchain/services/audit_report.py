"""What an audit says: named checks, a verdict on each, and the findings behind a failed one."""

from dataclasses import dataclass, field

CHECKS = {
    "chain": "headers are consecutive, linked, anchored and signed by the sequencer",
    "sequencer": "every batch is of the epoch in force then, whose sequencer had its whole stake",
    "data": "posted data hashes to its header and decodes to a canonical log",
    "parameters": "every set in the log is one that the contracts took then; the hub has the last",
    "engine": "the contracts pin the engine that runs this audit",
    "replay": "every field of every header follows from the log",
    "trace": "every posted step and its effects are those of the replay",
    "checkpoint": "what everybody is owed follows from the log, and the last one is on chain",
    "inbox": "every entry of any kind is consumed once, in order, as it was made",
    "intents": "every order, cancellation, withdrawal, mode and conversion is signed by its owner, "
    "or an order or a cancellation by a trading key",
    "oracle": "every report has its quorum of signatures; cited ones were accepted on chain",
    "liquidations": "every liquidation was due, and final ones were verified on chain",
    "completeness": "no account stayed below its trigger while trading went on",
    "conservation": "each asset in the book equals deposits less withdrawals (SOL-1)",
    "disputes": "every batch that was dropped was faulty, unverified, rolled back or frozen out",
    "insurance": "the fund's movements on chain are those of the replay",
    "claims": "every payment is one output of one final batch",
    "vault": "the vault took in what the inbox says and paid out what claims and exits say",
    "reserves": "the vault holds what all accounts, outputs and unread deposits are owed",
}
SEEN_AT_ONCE = frozenset({"engine", "parameters"})
"""What is known even when the replay stops."""
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


class Verdicts:
    """The verdicts of an audit while it goes on.

    Attributes
    ----------
    by_name : dict
        Every check with its verdict.
    batch : int
        Number of the batch that is looked at, for the findings; 0 for none.
    """

    def __init__(self) -> None:
        self.by_name = {name: Verdict(name, meaning) for name, meaning in CHECKS.items()}
        self.batch = 0

    def expect(self, check: str, holds: bool, problem: str, name: str = "") -> bool:
        """Count a comparison and keep a finding when it fails."""
        verdict = self.by_name[check]
        verdict.compared += 1
        if not holds and len(verdict.findings) < MAX_FINDINGS:
            verdict.findings.append(Finding(problem, self.batch, name))
        return holds

    def give_up(self) -> None:
        """Mark what the replay no longer reached: a check without an answer is not a pass."""
        for name in CHECKS.keys() - SEEN_AT_ONCE:
            self.by_name[name].is_complete = False
