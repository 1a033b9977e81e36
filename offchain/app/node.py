"""The node: sequencer, oracles, batcher, relayer, inbox watcher, read model and API, wired."""

from dataclasses import dataclass, field
from pathlib import Path

from offchain.adapters.api import Api, ApiServer
from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.guard import ApiLimits
from offchain.adapters.log_file import LogFile
from offchain.adapters.projector import Projector
from offchain.adapters.read_model import ReadModel
from offchain.adapters.served_venue import Deployment, ServedVenue
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.app.devnet import Devnet
from offchain.app.keys import THRESHOLD
from offchain.core.units import TimestampNs
from offchain.engine.messages import FundingTick, Genesis, PlaceOrder, PriceReport
from offchain.engine.reasons import Rejected
from offchain.ledger.header import BatchHeader
from offchain.ledger.wire import decode_records
from offchain.services.attestation import LocalAttestor
from offchain.services.batcher import Batcher, BatchPolicy, Progress, cuts
from offchain.services.errors import ReportRefused
from offchain.services.feed_model import FeedModel, FeedTerms
from offchain.services.gateway import Gateway, Refused, check_report
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from offchain.services.ports import Clock, Spot
from offchain.services.recovery import recover
from offchain.services.relayer import Relayer
from offchain.services.replica import Replica
from offchain.services.sequencer import Receipt, Sequencer

READ_MODEL = "read_model.sqlite"
FEED_TERMS = (
    FeedTerms(drawdown_response_e6=3_500_000, move_response_e6=30_000_000),
    FeedTerms(
        base_volatility_e8=60_000_000, drawdown_response_e6=3_500_000, move_response_e6=30_000_000
    ),
)


@dataclass(frozen=True, slots=True)
class NodeChoices:
    """What a node is started with."""

    folder: Path
    api_port: int = 0
    batches: BatchPolicy = field(default_factory=BatchPolicy)
    oracle_seed: int = 1
    oracle_noise_e6: int = 150
    api_limits: ApiLimits = field(default_factory=ApiLimits)


class Node:
    """Everything that the operator of a venue runs, in one process.

    A restart in the same folder recovers the log, verifies it, and goes on.
    """

    def __init__(self, devnet: Devnet, clock: Clock, choices: NodeChoices) -> None:
        self.devnet, self.chain, self.choices = devnet, devnet.chain, choices
        folder, keys = choices.folder, devnet.keys
        folder.mkdir(parents=True, exist_ok=True)
        self.store = LogFile(folder / "log")
        self.snapshots = SnapshotFiles(folder / "snapshots")
        batch_files = BatchFiles(folder / "batches")
        journal = recover(self.store, self.snapshots, cuts(batch_files))
        self.sequencer = Sequencer(journal, self.store, clock, max(1, self.store.last_epoch))
        self.gateway = Gateway(self.chain.domain("Settlement"))
        self.read_model = ReadModel(f"sqlite:///{folder / READ_MODEL}")
        self.projector = Projector(self.read_model)
        self.projector.start()
        self.sequencer.subscribe(self.projector.listen)
        self.relayer = Relayer(self.chain, keys.relayer, devnet.parameters.oracle.band_e6)
        self.relayer.resume(r for f in self.store.frames() for r in decode_records(f))
        self.sequencer.subscribe(self.relayer.on_record)
        self.batcher = Batcher(
            self.sequencer,
            self.chain,
            batch_files,
            keys.sequencer,
            self._attestors(),
            THRESHOLD,
            self.chain.domain("Settlement"),
            devnet.engine_hash,
            choices.batches,
        )
        self.watcher = InboxWatcher(self.chain, self.sequencer, self.chain.deployment.block_number)
        self.oracles = self._oracles()
        self.feeds = FeedModel(devnet.parameters.listing, FEED_TERMS)
        self.api = Api(self._venue(), choices.api_limits)
        self.server = ApiServer(self.api, port=choices.api_port)

    def start(self) -> None:
        """Write the genesis record if the log is empty, and serve the API."""
        if self.store.last_seq == 0:
            self._must(self.sequencer.submit(Genesis(self.devnet.parameters)))
        self.server.start()

    def stop(self) -> None:
        """Stop serving and close what is open; everything accepted is durable already."""
        self.server.stop()
        self.projector.stop()
        self.read_model.close()
        self.store.close()

    def observe(self, spot: Spot) -> Receipt | Rejected:
        """Let the oracles report a spot, and order the report; liquidations follow at once."""
        with self.sequencer.lock:
            round_ = self.sequencer.state.market.last_round + 1
        seen = self.feeds.values(spot)
        report = self.oracles.report(round_, TimestampNs(spot.time_ns), seen)
        return self.take_report(report)

    def take_report(self, report: PriceReport) -> Receipt | Rejected:
        """Check the signatures of a report, wherever it comes from, and order it.

        Raises
        ------
        ReportRefused
            A signature does not hold.
        """
        signers = self.devnet.parameters.oracle.signers
        refused = check_report(self.chain.domain("OracleHub"), signers, report)
        if refused is not None:
            raise ReportRefused(f"round {report.round}: {refused}")
        return self.sequencer.submit(report)

    def accrue_funding(self) -> Receipt | Rejected:
        """Order a funding tick."""
        return self.sequencer.submit(FundingTick())

    def place(self, orders: list[PlaceOrder]) -> list[Receipt | Rejected | Refused]:
        """Check and order several signed orders with one sync."""
        with self.sequencer.lock:
            accounts, now = self.sequencer.state.accounts, self.sequencer.now_ns()
            refusals = [self.gateway.check(order, accounts, now) for order in orders]
            passed = [o for o, refused in zip(orders, refusals, strict=True) if refused is None]
            answers = iter(self.sequencer.submit_batch(passed))
        return [refused or next(answers) for refused in refusals]

    def settle(self, *, force: bool = False) -> Progress:
        """Bring reports and batches to the chain, and finalise what is due."""
        self.relayer.flush()
        progress = self.batcher.step(force=force)
        for number in {*progress.cut, *progress.committed, *progress.finalised}:
            self._note_batch(number, progress)
        return progress

    def _note_batch(self, number: int, progress: Progress) -> None:
        signed = self.batcher.batch(number)
        assert signed is not None
        status = "COMMITTED" if number in progress.committed else "CUT"
        status = "FINALIZED" if number in progress.finalised else status
        header = signed.batch.header
        plain = {k: f"0x{v.hex()}" if isinstance(v, bytes) else str(v) for k, v in _fields(header)}
        self.read_model.report_batch(
            number, f"0x{signed.batch.hash.hex()}", f"0x{header.state_root.hex()}", status, plain
        )

    def _attestors(self) -> list[LocalAttestor]:
        domain = self.chain.domain("AttestedVerifier")
        made = []
        for key in self.devnet.keys.attestors:
            replica = Replica(self._posted_data, self.devnet.engine_hash)
            made.append(LocalAttestor(key, domain, replica.vouches))
        return made

    def _posted_data(self, batch_no: int) -> bytes:
        return self.chain.history.committed_batch(batch_no).data

    def _oracles(self) -> OracleNetwork:
        noise = Noise(self.choices.oracle_seed, self.choices.oracle_noise_e6)
        domain, listing = self.chain.domain("OracleHub"), self.devnet.parameters.listing
        signers = [
            OracleSigner(key, index, domain, listing, noise)
            for index, key in enumerate(self.devnet.keys.oracles)
        ]
        return OracleNetwork(signers, self.devnet.parameters.oracle.quorum)

    def _venue(self) -> ServedVenue:
        addresses = {k: str(v) for k, v in self.chain.deployment.addresses.items()}
        served = Deployment(self.chain.deployment.chain_id, addresses)
        return ServedVenue(
            self.sequencer, self.gateway, self.read_model, served, witnesses=self.batcher
        )

    def _must(self, answer: Receipt | Rejected) -> None:
        assert not isinstance(answer, Rejected), str(answer)


def _fields(header: BatchHeader) -> list[tuple[str, object]]:
    return [(name, getattr(header, name)) for name in BatchHeader.__dataclass_fields__]
