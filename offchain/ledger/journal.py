"""The journal: the machine's state together with everything that commitments need.

The sequencer and the auditor run the same class, so both compute the same headers from the same
records. It keeps the open batch only; a closed one is handed out and forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.engine import machine
from offchain.engine.events import Event, LiquidationOrdered, ParametersAdopted, Withdrawn
from offchain.engine.messages import Deposit
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.batch import Batch
from offchain.ledger.columns import Columns
from offchain.ledger.epoch import Epoch, Report, epoch_hash, report_hash
from offchain.ledger.errors import SequenceError
from offchain.ledger.header import DATA_KIND_CALLDATA, PROOF_KIND_ATTESTED, SCHEMA, BatchHeader
from offchain.ledger.header import batch_hash as hash_of_header
from offchain.ledger.inbox import KIND_DEPOSIT, entry_hash, prefix_hash
from offchain.ledger.instruction import Instruction
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import AccountLeaf, leaf_hash, leaf_of
from offchain.ledger.merkle import AccountTree, list_root
from offchain.ledger.open_batch import Capture, OpenBatch
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.proving import open_columns
from offchain.ledger.snapshot import restore_into, snapshot
from offchain.ledger.state_root import state_root
from offchain.ledger.terms import curves, curves_hash, params_hash, terms
from offchain.ledger.totals import assert_conserved, check_conservation, totals_hash, totals_of
from offchain.ledger.wire import Record, chain, encode_record

MAX_OPEN_BYTES = 1 << 26
MAX_OPEN_RECORDS = 1 << 20
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
        self._tree = AccountTree()

    @property
    def open_bytes(self) -> int:
        """Bytes of all frames in the open batch."""
        return self.open.size

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
            The record does not follow the last one, or the open batch is full.
        WireError
            The record has no encoding.
        ConservationError
            SOL-1 is broken (`strict` only); the state is beyond repair.
        """
        self._check_sequence(record)
        state, seq, time_ns = self.state, record.seq, record.time_ns
        decision = machine.decide(state, record.command, seq, time_ns)
        if isinstance(decision, Rejected):
            return decision
        frame = encode_record(record)
        epoch_before = state.market.epoch
        for event in decision:
            self._note(event, seq)
            machine.evolve(state, event, seq, time_ns)
        machine.advance(state, seq, time_ns)
        self.tip, self.fence = chain(self.tip, frame), record.epoch
        self.open.add_frame(frame, time_ns)
        if isinstance(record.command, Deposit):
            self._note_deposit(record.command)
        if state.market.epoch != epoch_before:
            self._begin_epoch()
        if self.strict:
            assert_conserved(state)
        return decision

    def cut(self, engine_hash: bytes) -> Batch:
        """Close the open batch and start the next one.

        Raises
        ------
        SequenceError
            The batch is empty.
        ConservationError
            SOL-1 is broken.
        """
        if not self.open.frames:
            raise SequenceError("a batch has at least one record")
        totals = totals_of(self.state)
        check_conservation(totals)
        closed, data = self.open, b"".join(self.open.frames)
        header = self._header(engine_hash, data, totals_hash(totals))
        witnesses, rules = closed.witnesses(), self.state.rules
        self.batch_no += 1
        self.prev_batch_hash, self.prev_state_root = hash_of_header(header), header.state_root
        self.open = OpenBatch(inbox_from=self.state.inbox_cursor, epochs=closed.epochs[-1:])
        return Batch(
            header,
            data,
            witnesses,
            tuple(closed.outputs),
            tuple(closed.epochs),
            totals,
            terms(rules),
            curves_hash(rules),
        )

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
        dirty = self.state.accounts.dirty
        if dirty:
            accounts = self.state.accounts
            self._tree.update({a: leaf_hash(leaf_of(accounts, a)) for a in dirty})
            dirty.clear()
        return self._tree.root

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
        return self._state_root(totals_hash(totals_of(self.state)))

    def _state_root(self, hash_of_totals: bytes) -> bytes:
        return state_root(self.state, self.account_root(), self.params_hash, hash_of_totals)

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

    def _note(self, event: Event, seq: int) -> None:
        """Keep what an event commits to; the state is still the one before it."""
        if isinstance(event, LiquidationOrdered):
            self.open.captures.append(self._capture(event, seq))
        elif isinstance(event, Withdrawn):
            self.open.outputs.append(
                Output(event.output_id, event.account, event.owner, event.asset, event.amount)
            )
        elif isinstance(event, ParametersAdopted):
            self.params_hash = params_hash(event.parameters)

    def _note_deposit(self, deposit: Deposit) -> None:
        entry = entry_hash(
            KIND_DEPOSIT,
            deposit.index,
            deposit.owner,
            deposit.subaccount,
            deposit.asset,
            deposit.amount,
        )
        self.inbox_prefix = prefix_hash(self.inbox_prefix, entry)

    def _begin_epoch(self) -> None:
        self.refresh_columns()
        self.open.epochs.append(self.epoch_now())

    def refresh_columns(self) -> None:
        """Compute report and columns of the market as it is."""
        market = self.state.market
        self.report = Report(market.round, market.observed_at_ns, market.medians)
        assert market.charges is not None
        self.columns = Columns.of_arrays(
            market.net_lot_values(),
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

    def _header(self, engine_hash: bytes, data: bytes, hash_of_totals: bytes) -> BatchHeader:
        batch, columns = self.open, self.columns
        return BatchHeader(
            schema=SCHEMA,
            batch_no=self.batch_no,
            prev_batch_hash=self.prev_batch_hash,
            prev_state_root=self.prev_state_root,
            state_root=self._state_root(hash_of_totals),
            checkpoint_root=ZERO32,
            input_log_hash=self.tip,
            da_hash=keccak256(data),
            da_length=len(data),
            da_kind=DATA_KIND_CALLDATA,
            output_root=list_root([output_hash(output) for output in batch.outputs]),
            liquidation_root=batch.liquidation_tree().root,
            liquidation_count=len(batch.captures),
            adl_root=ZERO32,
            inbox_from=batch.inbox_from,
            inbox_to=self.state.inbox_cursor,
            inbox_prefix_hash=self.inbox_prefix,
            epoch_root=batch.epoch_tree().root,
            price_root=columns.price_root if columns else ZERO32,
            risk_root=columns.risk_root if columns else ZERO32,
            params_hash=self.params_hash,
            engine_hash=engine_hash,
            l1_block_number=0,
            l1_block_hash=ZERO32,
            time_start_ns=batch.time_start_ns,
            time_end_ns=self.state.time_ns,
            totals_hash=hash_of_totals,
            proof_kind=PROOF_KIND_ATTESTED,
        )
