"""The node: sequencer, oracles, batcher, relayer, inbox watcher, read model and API, wired."""

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from offchain.adapters.api import Api, ApiServer
from offchain.adapters.batch_file import BatchFiles
from offchain.adapters.batch_reports import BatchReports
from offchain.adapters.chain_challenges import ChainChallenges
from offchain.adapters.chain_contents import ChainContents
from offchain.adapters.chain_demands import ChainDemands
from offchain.adapters.guard import ApiLimits
from offchain.adapters.log_file import LogFile
from offchain.adapters.parameter_files import ParameterFiles
from offchain.adapters.projector import Projector
from offchain.adapters.read_model import ReadModel
from offchain.adapters.served_venue import Deployment, ServedVenue
from offchain.adapters.snapshot_file import SnapshotFiles
from offchain.app.devnet import FEED_TERMS, Devnet
from offchain.app.keys import THRESHOLD
from offchain.app.parameters_command import PARAMETERS
from offchain.core.units import TimestampNs
from offchain.engine.messages import FundingTick, Genesis, PlaceOrder, PriceReport, SettleExpiry
from offchain.engine.reasons import Rejected
from offchain.ledger.keccak import ZERO32
from offchain.ledger.terms import params_hash
from offchain.ledger.wire import decode_record, decode_records
from offchain.services.attestation import LocalAttestor
from offchain.services.batcher import Batcher, BatchPolicy, Progress, cuts
from offchain.services.challenges import ChallengeCloser
from offchain.services.content_answers import ContentAnswerer, KeptColumns
from offchain.services.errors import (
    InboxReorganised,
    OffchainError,
    ReportRefused,
    StartRefused,
)
from offchain.services.feed_model import FeedModel
from offchain.services.gateway import Gateway, Refused, check_report
from offchain.services.inbox_watcher import InboxWatcher
from offchain.services.oracle import Noise, OracleNetwork, OracleSigner
from offchain.services.own_batches import OwnBatches
from offchain.services.parameter_watch import ParameterWatch
from offchain.services.path_answers import KeptCheckpoints, PathAnswerer, checkpoint_at
from offchain.services.ports import Clock, Spot
from offchain.services.receipts import ReceiptSigner
from offchain.services.recovery import recover
from offchain.services.relayer import Relayer
from offchain.services.replica import Posted, Replica
from offchain.services.resequence import Files, Resequenced, Resequencer, set_back
from offchain.services.sequencer import Receipt, Sequencer

READ_MODEL = "read_model.sqlite"
MAX_RESEQUENCED = 16


@dataclass(frozen=True, slots=True)
class NodeChoices:
    """What a node is started with. A snapshot is saved every `snapshot_every` batches.

    `confirmations` blocks must lie on an inbox entry before it is consumed, and on the block that
    a batch names.
    """

    folder: Path
    api_port: int = 0
    batches: BatchPolicy = field(default_factory=BatchPolicy)
    snapshot_every: int = 8
    confirmations: int = 0
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
    resequenced : deque[Resequenced]
        What became of the log when the chain was reorganised, the last few times.
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
        files = Files(self.store, batch_files, self.snapshots)
        if self.store.waits_after is not None:  # a process ended while it ordered the log again
            set_back(files, self.store.waits_after)
        ends = cuts(batch_files)
        newest = next(self.snapshots.newest_first(), None)
        self._snapshot_batch = sum(seq <= newest.seq for seq in ends) if newest else 0
        journal = recover(self.store, self.snapshots, ends)
        if self.store.last_seq and self._genesis() != params_hash(devnet.parameters):
            raise StartRefused("the log is of another venue: its parameters are not the chain's")
        self.sequencer = Sequencer(journal, self.store, clock, self._epoch())
        self.gateway = Gateway(self.chain.domain("Settlement"))
        self.read_model = ReadModel(f"sqlite:///{folder / READ_MODEL}")
        self.read_model.catch_up(self.store)
        self.projector = Projector(self.read_model)
        self.sequencer.subscribe(self.projector.listen)
        self.relayer = Relayer(self.chain, keys.relayer, devnet.parameters.oracle)
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
            choices.confirmations,
        )
        self.sequencer.subscribe(self.batcher.on_record)
        self.parameter_watch = ParameterWatch(
            self.chain, self.sequencer, self.batcher, ParameterFiles(folder / PARAMETERS)
        )
        checkpoints = KeptCheckpoints(
            lambda seq: checkpoint_at(self.store, self.snapshots, cuts(batch_files), seq)
        )
        self.batcher.on_cut(checkpoints.keep)
        own = OwnBatches(self.batcher, batch_files, self.chain)
        self.answers = PathAnswerer(ChainDemands(self.chain), own, checkpoints, keys.relayer)
        self.challenges = ChallengeCloser(ChainChallenges(self.chain), keys.relayer)
        columns = KeptColumns(
            lambda seq: recover(self.store, self.snapshots, cuts(batch_files), until=seq)
        )
        self.content_answers = ContentAnswerer(
            ChainContents(self.chain), own, columns, keys.relayer
        )
        first_block = self.chain.deployment.block_number
        self.watcher = InboxWatcher(self.chain, self.sequencer, first_block, choices.confirmations)
        self.resequencer = Resequencer(
            self.chain, files, self.sequencer, self.batcher, self.watcher, self.gateway
        )
        self.resequencer.set_back = self._rebuild_history
        self.resequenced: deque[Resequenced] = deque(maxlen=MAX_RESEQUENCED)
        self.receipts = ReceiptSigner(
            keys.sequencer, self.chain.domain("SequencerRegistry"), self.store.longest_branch
        )
        self.oracles = self._oracles()
        self.feeds = FeedModel(devnet.parameters.listing, FEED_TERMS)
        self.chain_problem: str | None = None
        self._is_relayer_behind = False
        self.api = Api(self._venue(), choices.api_limits)
        self.batch_reports = BatchReports(self.read_model, self.batcher, self.api.hub)
        self.server = ApiServer(self.api, port=choices.api_port)

    def _genesis(self) -> bytes:
        """Return the hash of the set with which the log begins."""
        first = next(self.store.frames())
        command = decode_record(first)[0].command
        return params_hash(command.parameters) if isinstance(command, Genesis) else ZERO32

    def _epoch(self) -> int:
        """Return the epoch that the registry gives us; another sequencer's is a refusal."""
        address, epoch, _ = self.chain.sequencer()
        if address != self.devnet.keys.sequencer.address:
            raise StartRefused(f"the registry names another sequencer: 0x{address.hex()}")
        if epoch < self.store.last_epoch:
            raise StartRefused(f"the log is of epoch {self.store.last_epoch}, the chain of {epoch}")
        return epoch

    def start(self) -> None:
        """Write the genesis record if the log is empty, and serve the API."""
        self.projector.start()
        self._follow(self.resequencer.finish())
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
        with self.sequencer.lock:
            signers = self.sequencer.state.rules.oracle.signers
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
            state, now = self.sequencer.state, self.sequencer.now_ns()
            refusals = [self.gateway.check(order, state, now) for order in orders]
            passed = [o for o, refused in zip(orders, refusals, strict=True) if refused is None]
            answers = iter(self.sequencer.submit_batch(passed))
        return [refused or next(answers) for refused in refusals]

    def settle(self, *, force: bool = False) -> Progress:
        """Bring reports and batches to the chain, finalise what is due, answer what is demanded."""
        self.chain_problem = None
        try:
            try:
                self._relay()
            finally:  # a report that cannot be relayed holds up no batch, and neither an answer
                try:
                    progress = self._step(force)
                finally:
                    self._answer()
            return progress
        except OffchainError as fault:
            self.chain_problem = f"{type(fault).__name__}: {fault}"
            raise
        finally:
            self.batch_reports.refresh()
            self._save_snapshot()

    def _answer(self) -> None:
        """Show what is demanded, and close challenges that were not revealed, each in any case."""
        with ExitStack() as each:
            each.callback(self.challenges.step)
            each.callback(self.content_answers.step)
            each.callback(self.answers.step)

    def take_entries(self) -> int:
        """Order what is new in the inbox, and return how many entries were.

        Where the chain dropped an entry that was consumed, the log is ordered again first.
        """
        try:
            return self.watcher.poll()
        except InboxReorganised:
            if self.resequence() is None:
                raise
            return self.watcher.poll()

    def resequence(self) -> Resequenced | None:
        """Order the log again if the chain dropped an entry that it consumed; None if not.

        See `services.resequence`. `resequenced` remembers the last few times.
        """
        done = self.resequencer.run()
        self._follow(done)
        return done

    def _follow(self, done: Resequenced | None) -> None:
        """Bring everything that follows the log back to it."""
        if done is None:
            return
        self.resequenced.append(done)
        self.receipts.silent_until = self.store.longest_branch
        self.batch_reports.forget_from(done.first_batch)
        self._snapshot_batch = min(self._snapshot_batch, self.batcher.last_batch)
        if self.projector.problem is not None:
            with self.sequencer.lock:
                self._rebuild_history()
        notice = {"resequenced_after": done.kept, "dropped": len(done.dropped)}
        self.api.hub.publish("warnings", notice)
        self._is_relayer_behind = True

    def _rebuild_history(self) -> None:
        """Build the read model from the log as it is; with the sequencer's lock held."""
        self.projector.rebuild(r for f in self.store.frames() for r in decode_records(f))

    def _step(self, force: bool) -> Progress:
        try:
            self.parameter_watch.poll()
        finally:  # batches are cut while the chain is away
            progress = self._advance(force)
        return progress

    def _advance(self, force: bool) -> Progress:
        try:
            return self.batcher.step(force=force)
        except InboxReorganised:
            if self.resequence() is None:
                raise
            return self.batcher.step(force=force)

    def _relay(self) -> None:
        if self._is_relayer_behind or self.chain.head() < self.batcher.committed:
            self._resume_relayer()  # the chain was reorganised, or the log was cut back
            self._is_relayer_behind = False
        self.relayer.flush()

    def _resume_relayer(self) -> None:
        with self.sequencer.lock:
            self.relayer.resume(r for f in self.store.frames() for r in decode_records(f))

    def missing(self) -> list[str]:
        """Name what does not work beyond log and prices; empty when all does."""
        parts = {
            "chain": self.chain_problem,
            "history": self.projector.problem,
            "parameters": self.parameter_watch.problem,
        }
        return [name for name, problem in parts.items() if problem is not None]

    def _save_snapshot(self) -> None:
        """Save the state every so many batches: a restart replays no more than those."""
        if self.batcher.last_batch >= self._snapshot_batch + self.choices.snapshot_every:
            self._snapshot_batch = self.batcher.last_batch
            self.sequencer.save_snapshot(self.snapshots)

    def _settle_expired(self) -> None:
        """Order the settlement of what expired before the price in force."""
        with self.sequencer.lock:
            market, listing = self.sequencer.state.market, self.sequencer.state.rules.listing
            due = [
                SettleExpiry(i.id)
                for i in listing.instruments
                if 0 < i.expiry_ns <= market.observed_at_ns and i.id not in market.settled
            ]
        for command in due:
            self.sequencer.submit(command)

    def _attestors(self) -> list[LocalAttestor]:
        domain = self.chain.domain("AttestedVerifier")
        made = []
        for key in self.devnet.keys.attestors:
            replica = Replica(self._posted, self.devnet.engine_hash)
            made.append(LocalAttestor(key, domain, replica.vouches))
        return made

    def _posted(self, batch_no: int) -> Posted:
        batch = self.chain.history.committed_batch(batch_no)
        return batch.header, batch.data

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
            receipts=self.receipts,
            missing=self.missing,
        )

    def _must(self, answer: Receipt | Rejected) -> None:
        assert not isinstance(answer, Rejected), str(answer)
