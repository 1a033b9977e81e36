"""The journal: the machine's state together with everything that commitments need.

The sequencer and the auditor run the same class, so both compute the same headers from the same
records. It keeps the open batch only; a closed one is handed out and forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.engine import machine
from offchain.engine.events import (
    NO_ACCOUNT,
    DepositReturned,
    Event,
    LiquidationOrdered,
    ParametersAdopted,
    ParametersReplaced,
    Withdrawn,
)
from offchain.engine.messages import Adopt, Deposit, Forced
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.account_tree import LeafTree
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.closing import NO_ANCHOR, Anchor, DataHash, Terminus, close
from offchain.ledger.columns import Columns
from offchain.ledger.effects import effect_words, touches_book
from offchain.ledger.epoch import Epoch, Report, epoch_hash, report_hash
from offchain.ledger.errors import SequenceError
from offchain.ledger.inbox import entry_hash, entry_of, prefix_hash
from offchain.ledger.instruction import Instruction
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import AccountLeaf, leaf_hash, leaf_of
from offchain.ledger.open_batch import Capture, OpenBatch
from offchain.ledger.outputs import Output
from offchain.ledger.proving import open_columns
from offchain.ledger.snapshot import restore_into, snapshot
from offchain.ledger.state_root import state_root
from offchain.ledger.terms import curves, params_hash, terms
from offchain.ledger.totals import assert_conserved, totals_hash, totals_of
from offchain.ledger.trace import GENESIS_BOOK, NO_EFFECTS, Step, book_hash, book_of
from offchain.ledger.trace_data import MAX_STEPS
from offchain.ledger.typed_data import Receipt
from offchain.ledger.wire import Record, chain, encode_record

MAX_OPEN_BYTES = 1 << 26
MAX_OPEN_RECORDS = MAX_STEPS
"""No record is taken beyond these: a batcher cuts long before."""


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account's leaf, and its siblings under an account root."""

    account: int
    leaf: AccountLeaf
    account_root: bytes
    siblings: tuple[bytes, ...]


class Journal:
    """Applies records to the machine and keeps chain, trees, epochs and the open batch.

    Parameters
    ----------
    strict : bool
        Assert SOL-1 after every record and not only at every cut.

    Attributes
    ----------
    state : State
        Of the machine; nobody else may change it.
    tip : bytes
        Chain hash after the last record.
    batch_no : int
        Number of the open batch, from 1.
    book : Book
        After the last record.
    checkpoint : Checkpoint or None
        Of the batch that was cut last, for leaves and paths; none after a restart.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.state = State()
        self.tip = ZERO32
        self.batch_no = 1
        self.strict = strict
        self.fence = 0
        self.prev_batch_hash = ZERO32
        self.prev_state_root = ZERO32
        self.inbox_prefix = ZERO32
        self.params_hash = ZERO32
        self.open = OpenBatch()
        self.columns: Columns | None = None
        self.report: Report | None = None
        self.book = GENESIS_BOOK
        self.checkpoint: Checkpoint | None = None
        self._tree = LeafTree()

    @property
    def open_bytes(self) -> int:
        """Bytes that the open batch would post: frames and trace."""
        return self.open.size + self.open.trace_size

    @property
    def open_records(self) -> int:
        """Records in the open batch."""
        return len(self.open.frames)

    @property
    def open_liquidations(self) -> int:
        """Liquidations in the open batch, each of which must be verified on chain."""
        return len(self.open.captures)

    @property
    def epoch(self) -> Epoch | None:
        """The price epoch in force, which is always the last one of the open batch."""
        return self.open.epochs[-1] if self.open.epochs else None

    def apply(self, record: Record) -> tuple[Event, ...] | Rejected:
        """Apply one record and return its events; a refused one changes nothing.

        Raises
        ------
        SequenceError
            The record does not follow the last one, the open batch is full, or a parameter set
            would be adopted within a batch.
        WireError, EncodingError
            The record or what it does has no encoding.
        ConservationError
            SOL-1 is broken (`strict` only); the state is beyond repair.
        """
        self._check_sequence(record)
        state, seq, time_ns = self.state, record.seq, record.time_ns
        decision = machine.decide(state, record.command, seq, time_ns)
        if isinstance(decision, Rejected):
            return decision
        frame = encode_record(record)
        words = b"".join([effect_words(state, event) for event in decision])
        epoch_before = state.market.epoch
        for event in decision:
            self._note(event, seq)
            machine.evolve(state, event, seq, time_ns)
        machine.advance(state, seq, time_ns)
        self.tip, self.fence = chain(self.tip, frame), record.epoch
        self.open.add_frame(frame, time_ns)
        if isinstance(record.command, Deposit | Forced):
            self._note_entry(record.command)
        hash_of_epoch = self.open.last_step.epoch_hash
        if state.market.epoch != epoch_before:
            if isinstance(record.command, Adopt):
                # No instruction of this batch stands under it, and its columns are of another set.
                self.open.epochs.clear()
            hash_of_epoch = self._begin_epoch()
        self._take_step(frame, words, hash_of_epoch)
        if self.strict:
            assert_conserved(state)
        return decision

    def cut(
        self,
        engine_hash: bytes,
        anchor: Anchor = NO_ANCHOR,
        blob_hash: DataHash | None = None,
        *,
        has_checkpoint: bool = True,
    ) -> Batch:
        """Close the open batch and start the next one.

        Parameters
        ----------
        engine_hash : bytes
            Of the program that made it.
        anchor : Anchor
            The block that the header names.
        blob_hash : callable, optional
            Given, the data goes into blobs, and this is the hash over it; else into calldata.
        has_checkpoint : bool
            False leaves the checkpoint out of the header, if nothing came in or went out.

        Raises
        ------
        SequenceError
            The batch is empty.
        ConservationError
            SOL-1 is broken.
        """
        if not self.open.frames:
            raise SequenceError("a batch has at least one record")
        checkpoint = Checkpoint(self.state)
        batch = close(self, Terminus(engine_hash, anchor, blob_hash, has_checkpoint), checkpoint)
        self.checkpoint = checkpoint
        self.batch_no += 1
        self.prev_batch_hash, self.prev_state_root = batch.hash, batch.header.state_root
        self.open = OpenBatch(
            inbox_from=self.state.inbox_cursor,
            epochs=self.open.epochs[-1:],
            previous=self.open.last_step,
            previous_book=self.book,
        )
        return batch

    def snapshot(self) -> bytes:
        """Return the whole journal as bytes, from which `restore` continues."""
        return snapshot(self)

    @classmethod
    def restore(cls, data: bytes, *, strict: bool = False) -> "Journal":
        """Return the journal of a snapshot; SnapshotError unless its state has its own root."""
        journal = cls(strict=strict)
        restore_into(journal, data)
        return journal

    def account_root(self) -> bytes:
        """Return the account root now."""
        accounts = self.state.accounts
        if accounts.dirty:
            self._tree.update(accounts, accounts.dirty)
            accounts.dirty.clear()
        return self._tree.root

    def siblings(self, account: int) -> tuple[bytes, ...]:
        """Return the siblings of any place under the account root of now, empty ones included.

        Raises
        ------
        EncodingError
            The place is beyond the tree.
        """
        self.account_root()
        return self._tree.proof(account)

    def account_proof(self, account: int) -> AccountProof:
        """Return the leaf of an account with its proof under the account root of now.

        Raises
        ------
        SequenceError
            There is no such account.
        """
        if not 0 <= account < self.state.accounts.count:
            raise SequenceError(f"there is no account {account}")
        root = self.account_root()
        leaf = leaf_of(self.state.accounts, account)
        return AccountProof(account, leaf, root, self._tree.proof(account))

    def state_root(self) -> bytes:
        """Return the state root now."""
        return self.state_root_with(totals_hash(totals_of(self.state)))

    def state_root_with(self, hash_of_totals: bytes) -> bytes:
        """Return the state root now, of totals that are known."""
        return state_root(self.state, self.account_root(), self.params_hash, hash_of_totals)

    def receipt(self) -> Receipt:
        """Return what the sequencer promises about the last record."""
        state = self.state
        return Receipt(self.fence, state.last_seq, self.tip, state.inbox_cursor, self.inbox_prefix)

    def _check_sequence(self, record: Record) -> None:
        state = self.state
        if record.seq != state.last_seq + 1:
            raise SequenceError(f"record {record.seq} does not follow {state.last_seq}")
        if record.time_ns < state.time_ns:
            raise SequenceError(f"record {record.seq}: time {record.time_ns} < {state.time_ns}")
        if record.epoch < self.fence:
            raise SequenceError(f"record {record.seq}: epoch {record.epoch} < {self.fence}")
        if self.open_bytes >= MAX_OPEN_BYTES or self.open_records >= MAX_OPEN_RECORDS:
            raise SequenceError("the open batch is full: it must be cut first")
        if isinstance(record.command, Adopt) and self.open.frames:
            # One hash in the header stands for the whole batch.
            raise SequenceError("a parameter set is adopted by the first record of a batch")

    def _note(self, event: Event, seq: int) -> None:
        """Keep what an event commits to; the state is still the one before it."""
        if isinstance(event, LiquidationOrdered):
            self.open.captures.append(self._capture(event, seq))
        elif isinstance(event, Withdrawn):
            self.open.outputs.append(
                Output(event.output_id, event.account, event.owner, event.asset, event.amount)
            )
        elif isinstance(event, DepositReturned):
            self.open.outputs.append(
                Output(event.output_id, NO_ACCOUNT, event.owner, event.asset, event.amount)
            )
        elif isinstance(event, ParametersAdopted):
            self.params_hash = params_hash(event.parameters)
        elif isinstance(event, ParametersReplaced):
            self.params_hash = params_hash(event.parameters, event.documented)

    def _note_entry(self, command: Deposit | Forced) -> None:
        self.inbox_prefix = prefix_hash(self.inbox_prefix, entry_hash(entry_of(command)))

    def _take_step(self, frame: bytes, words: bytes, hash_of_epoch: bytes) -> None:
        """Keep what follows from the record that was applied."""
        batch, state = self.open, self.state
        hash_of_book = batch.last_step.book_hash
        if touches_book(words):
            self.book = book_of(state)
            hash_of_book = book_hash(self.book)
        step = Step(
            keccak256(frame),
            keccak256(words) if words else NO_EFFECTS,
            self.tip,
            self.account_root(),
            hash_of_epoch,
            hash_of_book,
            state.inbox_cursor,
            state.next_output_id - 1,
            len(batch.captures),
            batch.size,
        )
        batch.add_step(step, words)

    def _begin_epoch(self) -> bytes:
        self.refresh_columns()
        epoch = self.epoch_now()
        self.open.epochs.append(epoch)
        return epoch_hash(epoch)

    def refresh_columns(self) -> None:
        """Compute report and columns of the market as it is."""
        market = self.state.market
        self.report = Report(market.round, market.observed_at_ns, market.medians)
        assert market.charges is not None
        self.columns = Columns.of_arrays(
            market.net_lot_values(),
            market.funding_e6,
            market.prices.losses_e6,
            market.charges,
            market.curves,
            self._slots(),
        )

    def epoch_now(self) -> Epoch:
        """Return the epoch that the market, the report and the columns make up."""
        market = self.state.market
        assert self.report is not None
        assert self.columns is not None
        return Epoch(
            market.epoch,
            market.epoch_time_ns,
            report_hash(self.report),
            self.columns.price_root,
            self.columns.risk_root,
            self.columns.charge_root,
        )

    def _slots(self) -> Sequence[int]:
        listing = self.state.rules.listing
        return [len(listing.of_underlying(u.index)) for u in listing.underlyings]

    def _capture(self, event: LiquidationOrdered, seq: int) -> Capture:
        """Return the instruction with all that verifying it takes, from the state before it."""
        proof = self.account_proof(event.account)
        assert self.columns is not None
        assert self.epoch is not None
        instruction = Instruction(
            seq,
            event.account,
            int(event.tier),
            proof.account_root,
            leaf_hash(proof.leaf),
            epoch_hash(self.epoch),
            event.legs,
        )
        rules, losses_e6 = self.state.rules, self.state.market.prices.losses_e6
        opened = open_columns(
            proof.leaf, instruction.tier, self.columns, losses_e6, curves(rules), terms(rules)
        )
        place = len(self.open.epochs) - 1
        return Capture(instruction, place, proof.leaf, proof.siblings, opened)
