"""The batcher: cuts the log into batches, keeps them durable, commits and finalises them in order.

A batch is stored before it is committed, so a restart goes on where it stopped: what the chain
already holds under the same hash is passed over, and another hash under our number is a fault. What
the chain lost in a reorganisation is committed again.

A header names a recent block. One that waited too long, or whose block the chain dropped, is
stamped anew with all that follow it, before it is committed: nothing else of it changes.

Cutting needs the lock of the sequencer only, so a listener can do it while another thread waits for
the chain: a batch must fit into one transaction, whether or not the chain answers.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from offchain.engine.events import Event
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.closing import Anchor, DataHash
from offchain.ledger.header import DATA_KIND_BLOBS, batch_hash, header_digest
from offchain.ledger.keccak import ZERO32
from offchain.ledger.typed_data import Domain
from offchain.ledger.wire import Record
from offchain.services.attestation import collect
from offchain.services.batch_archive import BatchArchive, Claim, cuts
from offchain.services.batch_policy import BatchPolicy
from offchain.services.errors import (
    BatchConflict,
    BatchNotStored,
    InboxReorganised,
    SequencerHalted,
    StartRefused,
    TransactionReverted,
)
from offchain.services.ports import (
    Attestor,
    BatchStore,
    SettlementChain,
    SignedBatch,
    Signer,
    TransactionReceipt,
)
from offchain.services.sequencer import Sequencer

__all__ = ["BatchPolicy", "Batcher", "Claim", "Progress", "cuts"]

NOT_YET = frozenset({"EndsInFuture", "TooManyOpenBatches", "WrongAnchor", "BondNotWhole"})
"""Refusals of a commit that pass with time, a new stamp, or a stake."""
ORPHANED = frozenset({"WrongInboxPrefix", "NoSuchEntry"})
"""Refusals of a commit that consumed an entry which the chain has dropped."""
TOO_EARLY = frozenset({"WindowOpen", "UnverifiedLiquidations", "ChallengeOpen", "NotOpen"})
"""Refusals of a finalisation that pass with time."""
CutListener = Callable[[int, Checkpoint], None]
"""Is told of a batch that was cut and stored: its number, and its checkpoint with the tree."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did, by batch number."""

    cut: tuple[int, ...]
    committed: tuple[int, ...]
    finalised: tuple[int, ...]


class Batcher:
    """Cuts, signs, stores, commits and finalises batches. Safe to call from several threads.

    Parameters
    ----------
    sequencer : Sequencer
        Its journal must stand right after the last stored batch; see `batch_archive.cuts`.
    signer : Signer
        The sequencer's key; it signs headers and pays for transactions.
    attestors, threshold :
        Who vouches for batches, and how many of them are needed.
    domain : Domain
        EIP-712 domain of Settlement.
    engine_hash : bytes
        Of the engine that produced the batches.
    confirmations : int
        Blocks on top of the block that a header names; 0 on a devnet.

    Raises
    ------
    StartRefused
        Journal and store do not fit.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        chain: SettlementChain,
        store: BatchStore,
        signer: Signer,
        attestors: Sequence[Attestor],
        threshold: int,
        domain: Domain,
        engine_hash: bytes,
        policy: BatchPolicy | None = None,
        confirmations: int = 0,
    ) -> None:
        self.policy = policy or BatchPolicy()
        self._confirmations, self._anchor = confirmations, chain.anchor(confirmations)
        self._sequencer, self._chain, self._signer = sequencer, chain, signer
        self._store, self._archive = store, BatchArchive(store)
        self._attestors, self._threshold = tuple(attestors), threshold
        self._domain, self._engine_hash = domain, engine_hash
        self._blob_hash: DataHash | None = None
        if self.policy.data_kind == DATA_KIND_BLOBS:
            self._blob_hash = chain.blob_hash
            chain.blob_hash(b"\0")  # the first one takes seconds: not while all wait for a cut
        self._work = threading.RLock()  # one step at a time; it may wait for the chain
        self._committed = 0
        self._finalised = 0
        self._fault: str | None = None
        self._listeners: list[CutListener] = []
        self._max_open = chain.max_open_batches()
        self._check_start()

    @property
    def last_batch(self) -> int:
        """Number of the last batch that was cut, 0 before the first."""
        return self._archive.last_batch

    @property
    def committed(self) -> int:
        """Number of the last batch that was seen on the chain, 0 before the first."""
        return self._committed

    @property
    def finalised(self) -> int:
        """Number of the last batch that was seen to be final, 0 before the first."""
        return self._finalised

    @property
    def waiting(self) -> int:
        """How many batches are cut and, as far as was seen, not yet committed."""
        return max(self.last_batch - self._committed, 0)

    def on_cut(self, listener: CutListener) -> None:
        """Tell a listener of every batch that is cut from now on; it must not fail or wait."""
        self._listeners.append(listener)

    def step(self, *, force: bool = False) -> Progress:
        """Cut if it is due (or forced), then commit and finalise what can be."""
        cut = self.cut(force=force)
        committed = [batch_no for batch_no, _ in self.commit_pending()]
        finalised = [batch_no for batch_no, _ in self.finalise_ready()]
        return Progress((cut,) if cut else (), tuple(committed), tuple(finalised))

    def is_due(self) -> bool:
        """Tell whether the open batch has reached a limit of the policy."""
        with self._sequencer.lock:
            journal = self._sequencer.journal
            if not journal.open_records or self._is_full():
                return journal.open_records > 0
            age = self._sequencer.now_ns() - journal.open.time_start_ns
            return age >= self.policy.max_age_ns

    def on_record(self, _record: Record, _events: tuple[Event, ...]) -> None:
        """Cut a batch that is full, as a listener of the sequencer: no batch outgrows the chain."""
        if self._is_full():
            self.cut()

    def cut(self, *, force: bool = False) -> int | None:
        """Close, sign and store the open batch if that is due (or forced); return its number.

        Nothing is cut from an empty batch, and nothing that is not full while `max_uncommitted`
        batches wait.
        """
        with self._sequencer.lock:
            journal = self._sequencer.journal
            self._check_fault()
            if self._sequencer.is_halted:
                raise SequencerHalted("what is not durable is not cut")
            if self.waiting >= self.policy.max_uncommitted and not self._is_full():
                return None
            if not journal.open_records or not (force or self.is_due()):
                return None
            batch = journal.cut(self._engine_hash, self._anchor, self._blob_hash)
            last_seq = journal.state.last_seq
            signature = self._signer.sign(header_digest(self._domain, batch.header))
            signed = SignedBatch(batch, signature, last_seq)
            try:
                self._archive.add(signed)
            except BaseException as fault:
                self._fault = f"batch {batch.header.batch_no} was cut and not stored: {fault}"
                raise
            assert journal.checkpoint is not None
            for listener in self._listeners:
                listener(batch.header.batch_no, journal.checkpoint)
            return batch.header.batch_no

    def commit_pending(self) -> list[tuple[int, TransactionReceipt]]:
        """Commit stored batches in order, as many as may be open; return those sent now.

        Raises
        ------
        BatchConflict
            The chain holds another batch under one of our numbers, or refuses ours for good.
        InboxReorganised
            The chain dropped an entry that a batch consumed.
        """
        done: list[tuple[int, TransactionReceipt]] = []
        with self._work:
            self._check_fault()
            head = self._head_of_ours()
            if head > self.last_batch:
                raise BatchConflict(f"the chain is at batch {head}, we made {self.last_batch}")
            if head:
                self._demand_ours(head)  # and so all before it: each holds the hash of the last
            self._committed = head  # less than before, if the chain was reorganised
            final = self._chain.finalised()
            self._anchor = self._chain.anchor(self._confirmations)
            while self._committed < self.last_batch and self._committed - final < self._max_open:
                receipt = self._commit(self._committed + 1)
                if receipt is None:
                    break
                self._committed += 1
                done.append((self._committed, receipt))
        return done

    def finalise_ready(self) -> list[tuple[int, TransactionReceipt]]:
        """Finalise, in order, the batches whose time has come; return those sent now.

        A batch waits for the end of its window, for the verification of each of its liquidations,
        and for enough attestations.
        """
        done: list[tuple[int, TransactionReceipt]] = []
        with self._work:
            self._check_fault()
            self._finalised = self._chain.finalised()
            while self._finalised < self._committed:
                receipt = self._finalise(self._finalised + 1)
                if receipt is None:
                    break
                self._finalised += 1
                done.append((self._finalised, receipt))
        return done

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let no step run meanwhile; take it before the lock of the sequencer, as steps do."""
        with self._work:
            yield

    def restart(self) -> None:
        """Go on from store and journal, after both were set back; StartRefused if they do not fit.

        Hold it `at_rest`, and the lock of the sequencer.
        """
        self._archive = BatchArchive(self._store)
        self._committed = min(self._committed, self.last_batch)
        self._finalised = min(self._finalised, self.last_batch)
        self._check_start()

    def batch(self, batch_no: int) -> SignedBatch | None:
        """Return a batch that was cut, or None."""
        return self._archive.find(batch_no)

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        """Return the witness of a liquidation as JSON, for keepers (`WitnessStore`)."""
        return self._archive.witness(batch_no, index)

    def claim(self, output_id: int) -> Claim | None:
        """Return what claims an output of a batch that was cut, or None when there is none."""
        return self._archive.claim(output_id)

    def _commit(self, batch_no: int) -> TransactionReceipt | None:
        """Commit one batch; None when the chain does not take it yet, or has it already."""
        if not self._is_stamped(batch_no):
            self._stamp_from(batch_no, self._anchor)
        signed = self._archive.load(batch_no)
        header = signed.batch.header
        try:
            return self._chain.commit(self._signer, header, signed.signature, signed.batch.data)
        except TransactionReverted as reverted:
            if reverted.name in NOT_YET:
                return None
            if reverted.name in ORPHANED:
                raise InboxReorganised(f"batch {batch_no}: {reverted}") from reverted
            if self._chain.head() >= batch_no:  # somebody relayed it in between
                self._demand_ours(batch_no)
                self._committed = batch_no
                return None
            raise BatchConflict(f"batch {batch_no} is refused: {reverted}") from reverted

    def _finalise(self, batch_no: int) -> TransactionReceipt | None:
        batch = self._archive.load(batch_no).batch
        if self._chain.block_time() < self._chain.final_after(batch_no):
            return None
        if self._chain.verified_count(batch_no) < batch.header.liquidation_count:
            return None
        proof = collect(self._attestors, batch.header, self._threshold)
        if proof is None:
            return None
        try:
            return self._chain.finalise(
                self._signer, batch.header, batch.totals, batch.checkpoint, proof
            )
        except TransactionReverted as reverted:
            if reverted.name in TOO_EARLY or self._chain.finalised() >= batch_no:
                return None
            raise BatchConflict(f"batch {batch_no} cannot be final: {reverted}") from reverted

    def _is_stamped(self, batch_no: int) -> bool:
        """Tell whether a batch follows the one before it and names a block of the chain."""
        header = self._archive.load(batch_no).batch.header
        if header.prev_batch_hash != self._hash_of(batch_no - 1):
            return False
        return self._chain.is_canonical(Anchor(header.l1_block_number, header.l1_block_hash))

    def _stamp_from(self, batch_no: int, anchor: Anchor) -> None:
        """Give a batch and all after it a block of the chain, and so other hashes."""
        with self._sequencer.lock:
            for number in range(batch_no, self.last_batch + 1):
                signed = self._archive.load(number)
                header = replace(
                    signed.batch.header,
                    prev_batch_hash=self._hash_of(number - 1),
                    l1_block_number=anchor.number,
                    l1_block_hash=anchor.hash,
                )
                signature = self._signer.sign(header_digest(self._domain, header))
                batch = replace(signed.batch, header=header)
                self._archive.replace(SignedBatch(batch, signature, signed.last_seq))
            self._sequencer.journal.prev_batch_hash = self._hash_of(self.last_batch)

    def _head_of_ours(self) -> int:
        """Return the head of the chain, after what it has of a branch that we left is rolled back.

        The chain may return to a branch on which batches were committed that are set aside by now.
        """
        head, final = self._chain.head(), self._chain.finalised()
        ours = head
        while ours > final and not self._is_ours(ours):
            ours -= 1
        if ours == head:
            return head
        other = self._chain.committed_header(ours + 1)
        if not self._archive.was_ours(other):
            return head
        try:
            self._chain.rollback(self._signer, other)
        except TransactionReverted as reverted:
            raise BatchConflict(
                f"batch {ours + 1} of another branch stays: {reverted}"
            ) from reverted
        return self._chain.head()

    def _is_ours(self, batch_no: int) -> bool:
        signed = self._archive.find(batch_no)
        return signed is not None and self._chain.batch_hash_of(batch_no) == signed.batch.hash

    def _hash_of(self, batch_no: int) -> bytes:
        """Return the hash of a stored batch, zero before the first."""
        return batch_hash(self._archive.load(batch_no).batch.header) if batch_no else ZERO32

    def _demand_ours(self, batch_no: int) -> None:
        found, ours = self._chain.batch_hash_of(batch_no), self._archive.load(batch_no).batch.hash
        if found != ours:
            raise BatchConflict(
                f"batch {batch_no} on chain is 0x{found.hex()}, ours is 0x{ours.hex()}"
            )

    def _is_full(self) -> bool:
        """Tell whether the open batch has reached a limit of its size."""
        policy, journal = self.policy, self._sequencer.journal
        return (
            journal.open_bytes >= policy.max_bytes - policy.call_bytes
            or journal.open_records >= policy.max_records
            or journal.open_liquidations >= policy.max_liquidations
        )

    def _check_fault(self) -> None:
        if self._fault is not None:
            raise BatchNotStored(self._fault)

    def _check_start(self) -> None:
        """Let the journal stand right after the last stored batch, or refuse."""
        journal, last = self._sequencer.journal, self.last_batch
        if last == 0:
            if journal.batch_no != 1:
                raise StartRefused(f"the journal is in batch {journal.batch_no}, none is stored")
            return
        signed = self._archive.load(last)
        with self._sequencer.lock:
            # A snapshot of just before the cut restores without it.
            if (journal.batch_no, journal.state.last_seq) == (last, signed.last_seq):
                journal.cut(self._engine_hash)
            state_root = signed.batch.header.state_root
            if (journal.batch_no, journal.prev_state_root) != (last + 1, state_root):
                raise StartRefused(f"the journal does not continue the stored batch {last}")
            journal.prev_batch_hash = signed.batch.hash  # stamped since, perhaps
