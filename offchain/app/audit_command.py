"""``plimsoll audit``: from an RPC URL and an address to verdicts."""

from dataclasses import dataclass

from offchain.adapters.chain import Chain
from offchain.adapters.chain_discovery import discover
from offchain.adapters.chain_facts import collect_facts
from offchain.app.engine_hash import engine_hash
from offchain.services.audit import audit
from offchain.services.audit_report import AuditReport

NOT_PROMISED = (
    "prices are as honest as a quorum of the oracle signers",
    "between a commit and its finality a wrong batch is visible to anybody, not impossible",
    "matching is replayed here, not proven on chain",
    "a development deployment proves nothing about another one",
)


@dataclass(frozen=True, slots=True)
class PrintedAudit:
    """An audit as the command prints it."""

    report: AuditReport

    @property
    def is_ok(self) -> bool:
        """Whether every check passed."""
        return self.report.is_ok

    def lines(self) -> list[str]:
        """Return one line for each check, one for each finding, and the verdict."""
        verdict = "PASS" if self.is_ok else "FAIL"
        summary = f"{self.report.batches} batches, {self.report.records} records"
        return [
            *verdict_lines(self.report),
            f"state root 0x{self.report.state_root.hex()}",
            *(f"not promised: {text}" for text in NOT_PROMISED),
            f"AUDIT {verdict}: {summary}",
        ]

    def to_json(self) -> dict[str, object]:
        """Return the audit as a JSON object."""
        return {
            "audit": "PASS" if self.is_ok else "FAIL",
            "batches": self.report.batches,
            "records": self.report.records,
            "state_root": f"0x{self.report.state_root.hex()}",
            "checks": [
                {
                    "check": v.check,
                    "verdict": v.word,
                    "compared": v.compared,
                    "findings": [
                        {"batch": f.batch, "field": f.field, "problem": f.problem}
                        for f in v.findings
                    ],
                }
                for v in self.report.verdicts.values()
            ],
        }


def run_audit(
    rpc: str, settlement: bytes, beacon: str | None = None, first_block: int | None = None
) -> PrintedAudit:
    """Collect the facts of a deployment and audit them; blobs come from a beacon node, if given."""
    chain = Chain(rpc, discover(rpc, settlement, first_block), beacon_url=beacon)
    try:
        return PrintedAudit(audit(collect_facts(chain), engine_hash()))
    finally:
        chain.close()


def verdict_lines(report: AuditReport) -> list[str]:
    """Return one line for each check, and one for each finding."""
    lines = []
    for verdict in report.verdicts.values():
        compared = f"({verdict.compared:,} compared)"
        lines.append(f"{verdict.word:<4} {verdict.check:<13} {verdict.meaning} {compared}")
        lines += [f"     {finding}" for finding in verdict.findings]
    return lines
