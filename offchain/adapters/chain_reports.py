"""The oracle hub of a deployment: reports in, and what became of them."""

from abc import abstractmethod
from typing import Any

from offchain.engine.messages import PriceReport
from offchain.ledger.columns import pack_values
from offchain.ledger.epoch import Report
from offchain.ledger.observations import pack_observation
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import Domain, observation_digest
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt

LIQUIDATE = 3
"""`Action` of contracts/types/OracleUse.sol."""


class ChainReports:
    """What a deployment's hub takes and says."""

    @abstractmethod
    def domain(self, name: str) -> Domain:
        """Return the EIP-712 domain of a contract."""

    @abstractmethod
    def send(
        self, signer: Signer, name: str, function: str, *arguments: object
    ) -> TransactionReceipt:
        """Send a call of a contract and wait for it."""

    @abstractmethod
    def call(self, name: str, function: str, *arguments: object, block: int | None = None) -> Any:
        """Ask a contract."""

    def submit_report(self, signer: Signer, report: PriceReport) -> TransactionReceipt:
        """Submit a round as it is in the log; observations are put in order of their signers."""
        return self.send(signer, "OracleHub", "submit", *self._signed_values(report))

    def submit_late_report(
        self, signer: Signer, report: PriceReport, base: Report | None
    ) -> TransactionReceipt:
        """Submit a round beside the sequence, vouched for by an earlier report of the hub."""
        stated = (0, 0, b"")
        if base is not None:
            stated = (base.round, base.observed_at_ns, pack_values(base.medians))
        return self.send(signer, "OracleHub", "submitLate", stated, *self._signed_values(report))

    def _signed_values(self, report: PriceReport) -> tuple[int, int, list[bytes], list[bytes]]:
        """Return round, time, vectors and signatures as the hub takes them."""
        domain = self.domain("OracleHub")
        signed = []
        for seen in report.observations:
            digest = observation_digest(
                domain, report.round, report.observed_at_ns, seen.values, seen.spans
            )
            address = recover(digest, seen.signature)
            signed.append((address, pack_observation(seen.values, seen.spans), seen.signature))
        signed.sort()
        vectors, signatures = [v for _, v, _ in signed], [s for _, _, s in signed]
        return report.round, report.observed_at_ns, vectors, signatures

    def is_report_accepted(self, report_hash: bytes) -> bool:
        """Return whether the hub accepted a report."""
        return bool(self.call("OracleHub", "acceptedAt", report_hash))

    def is_report_settled(self, report_hash: bytes) -> bool:
        """Return whether a liquidation may cite a report: accepted, and no outage echoes (L-5)."""
        return bool(self.call("OracleHub", "isUsableReport", report_hash, LIQUIDATE))

    def newest_round(self) -> int:
        """Return the newest accepted round, 0 before the first."""
        try:
            return int(self.call("OracleHub", "latest", 0)[2])
        except TransactionReverted as reverted:
            if reverted.name == "NoReport":
                return 0
            raise
