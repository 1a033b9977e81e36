"""The node: sequencer, oracles, batcher, relayer, inbox watcher, read model and API, wired."""

from dataclasses import dataclass, field
from pathlib import Path

from offchain.adapters.api import Api, ApiServer
from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.batch_reports import BatchReports
from offchain.adapters.guard import ApiLimits
from offchain.adapters.log_file import LogFile
from offchain.adapters.projector import Projector
from offchain.adapters.read_model import ReadModel
from offchain.adapters.served_venue import Deployment, ServedVenue
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.app.devnet import FEED_TERMS, Devnet
from offchain.app.keys import THRESHOLD
from offchain.core.units import TimestampNs
from offchain.engine.messages import FundingTick, Genesis, PlaceOrder, PriceReport, SettleExpiry
from offchain.engine.reasons import Rejected
from offchain.ledger.terms import params_hash
from offchain.ledger.wire import decode_records
from offchain.services.attestation import LocalAttestor
from offchain.services.batcher import Batcher, BatchPolicy, Progress, cuts
from offchain.services.errors import OffchainError, ReportRefused, StartRefused
from offchain.services.feed_model import FeedModel
from offchain.services.gateway import Gateway, Refused, check_report
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from offchain.services.ports import Clock, Spot
from offchain.services.recovery import recover
from offchain.services.relayer import Relayer
from offchain.services.replica import Replica
from offchain.services.sequencer import Receipt, Sequencer

READ_MODEL = "read_model.sqlite"


@dataclass(frozen=True, slots=True)
class NodeChoices:
    """What a node is started with. A snapshot is saved every `snapshot_every` batches."""

    folder: Path
    api_port: int = 0
    batches: BatchPolicy = field(default_factory=BatchPolicy)
    snapshot_every: int = 8
    oracle_seed: int = 1
    oracle_noise_e6: int = 150
    api_limits: ApiLimits = field(default_factory=ApiLimits)


class Node:
    """Everything that the operator of a venue runs, in one process.

    A restart in the same folder recovers the log, verifies it, and goes on: what the read model
    or the chain do not have yet is brought to them.

    Attributes
    ----------
    chain_problem : str or None
        Why the last `settle` could not finish.
    """

    def __init__(self, devnet: Devnet, clock: Clock, choices: NodeChoices) -> None:
        self.devnet, self.chain, self.choices = devnet, devnet.chain, choices
        folder = choices.folder
        if self.chain.call("Settlement", "engineHash") != devnet.engine_hash:
            raise StartRefused("the contracts pin another engine than the one that runs here")
        folder.mkdir(parents=True, exist_ok=True)
        self.store = LogFile(folder / "log")
        try:
            self._build(folder, clock)
        except BaseException:
            self.store.close()  # and with it the lock on the folder
            raise

    def _build(self, folder: Path, clock: Clock) -> None:
        devnet, choices, keys = self.devnet, self.choices, self.devnet.keys
        self.snapshots = SnapshotFiles(folder / "snapshots")
        batch_files = BatchFiles(folder / "batches")
        ends = cuts(batch_files)
        newest = next(self.snapshots.newest_first(), None)
        self._snapshot_batch = sum(seq <= newest.seq for seq in ends) if newest else 0
        journal = recover(self.store, self.snapshots, ends)
        if self.store.last_seq and journal.params_hash != params_hash(devnet.parameters):
            raise StartRefused("the log is of another venue: its parameters are not the chain's")
        self.sequencer = Sequencer(journal, self.store, clock, max(1, self.store.last_epoch))
        self.gateway = Gateway(self.chain.domain("Settlement"))
        self.read_model = ReadModel(f"sqlite:///{folder / READ_MODEL}")
        self.read_model.catch_up(self.store)
        self.projector = Projector(self.read_model)
        self.sequencer.subscribe(self.projector.listen)
        self.relayer = Relayer(self.chain, keys.relayer, devnet.parameters.oracle.band_e6)
        self._resume_relayer()
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
        self.sequencer.subscribe(self.batcher.on_record)
        self.watcher = InboxWatcher(self.chain, self.sequencer, self.chain.deployment.block_number)
        self.oracles = self._oracles()
        self.feeds = FeedModel(devnet.parameters.listing, FEED_TERMS)
        self.chain_problem: str | None = None
        self.api = Api(self._venue(), choices.api_limits)
        self.batch_reports = BatchReports(self.read_model, self.batcher, self.api.hub)
        self.server = ApiServer(self.api, port=choices.api_port)

    def start(self) -> None:
        """Write the genesis record if the log is empty, and serve the API."""
        self.projector.start()
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
        answer = self.sequencer.submit(report)
        if isinstance(answer, Receipt):
            self._settle_expired()
        return answer

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
        self.chain_problem = None
        try:
            try:
                self._relay()
            finally:  # a report that cannot be relayed holds up no batch
                progress = self.batcher.step(force=force)
            return progress
        except OffchainError as fault:
            self.chain_problem = f"{type(fault).__name__}: {fault}"
            raise
        finally:
            self.batch_reports.refresh()
            self._save_snapshot()

    def _relay(self) -> None:
        if self.chain.head() < self.batcher.committed:  # the chain was reorganised
            self._resume_relayer()
        self.relayer.flush()

    def _resume_relayer(self) -> None:
        with self.sequencer.lock:
            self.relayer.resume(r for f in self.store.frames() for r in decode_records(f))

    def missing(self) -> list[str]:
        """Name what does not work beyond log and prices; empty when all does."""
        parts = {"chain": self.chain_problem, "history": self.projector.problem}
        return [name for name, problem in parts.items() if problem is not None]

    def _save_snapshot(self) -> None:
        """Save the state every so many batches: a restart replays no more than those."""
        if self.batcher.last_batch >= self._snapshot_batch + self.choices.snapshot_every:
            self._snapshot_batch = self.batcher.last_batch
            self.sequencer.save_snapshot(self.snapshots)

    def _settle_expired(self) -> None:
        """Order the settlement of what expired before the price in force."""
        with self.sequencer.lock:
            market = self.sequencer.state.market
            due = [
                SettleExpiry(i.id)
                for i in self.devnet.parameters.listing.instruments
                if 0 < i.expiry_ns <= market.observed_at_ns and i.id not in market.settled
            ]
        for command in due:
            self.sequencer.submit(command)

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
            self.sequencer,
            self.gateway,
            self.read_model,
            served,
            witnesses=self.batcher,
            missing=self.missing,
        )

    def _must(self, answer: Receipt | Rejected) -> None:
        assert not isinstance(answer, Rejected), str(answer)
