"""A batch made by hand: an honest beginning, then records whose effects are what a liar says.

The liar is consistent: words are applied to accounts and book by the slow reader of words, and
every root and sum follows from them, unless a test says otherwise. Only the lie itself is left to
find.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from offchain.core.units import ONE_E8
from offchain.engine.messages import Command, Deposit, Forced
from offchain.ledger.abi import unsigned
from offchain.ledger.checkpoint import CheckpointRoot, ExitSums, exit_leaf, exit_node
from offchain.ledger.columns import unpack_values
from offchain.ledger.epoch import Epoch, epoch_hash
from offchain.ledger.header import BatchHeader
from offchain.ledger.instruction import Instruction, instruction_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import keccak256
from offchain.ledger.leaf import AccountLeaf, leaf_hash, leaf_of
from offchain.ledger.merkle import AccountTree, list_root
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.state_root import market_hash, nonce_hash, order_hash
from offchain.ledger.sum_tree import root_reference
from offchain.ledger.totals import Totals, totals_hash
from offchain.ledger.trace import Step, book_hash, step_hash
from offchain.ledger.trace_data import encode_trace
from offchain.ledger.wire import Record, chain, encode_record
from tests.support.devnet import ENGINE_HASH
from tests.support.effect_words import NO_ACCOUNT, SlowAccount, SlowLedger
from tests.support.signed_venue import EPOCH, SignedVenue

OUTPUT, LIQUIDATION = 6, 8
SLOTS = 256


@dataclass
class Draft:
    """An open batch; `ledger` has accounts and book after its last record."""

    venue: SignedVenue
    honest: Journal
    ledger: SlowLedger
    frames: list[bytes]
    words: list[bytes]
    steps: list[Step]
    epochs: list[Epoch]
    instructions: list[Instruction]
    outputs: list[Output]
    time_start: int = 0
    sums: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, venue: SignedVenue) -> "Draft":
        """Begin with what is in the open batch of the venue."""
        journal = venue.journal
        batch, book = journal.open, journal.book
        accounts = journal.state.accounts
        ledger = SlowLedger(
            len(book.deposited) - 1,
            [slow(leaf_of(accounts, number)) for number in range(accounts.count)],
            dict(enumerate(book.deposited)),
            dict(enumerate(book.withdrawn)),
            book.contributed_e6,
            book.drawn_e6,
            book.shortfall_e6,
            book.liquidations,
        )
        return cls(
            venue,
            journal,
            ledger,
            list(batch.frames),
            list(batch.words),
            list(batch.steps),
            list(batch.epochs),
            [capture.instruction for capture in batch.captures],
            list(batch.outputs),
            batch.time_start_ns or venue.now,
        )

    @property
    def last(self) -> Step:
        """The step after the last record."""
        return self.steps[-1] if self.steps else self.honest.open.previous

    @property
    def seq(self) -> int:
        """Number of the next record."""
        return self.honest.state.last_seq + 1 + len(self.frames) - len(self.honest.open.frames)

    def frame(self, command: Command, time_ns: int | None = None, seq: int | None = None) -> bytes:
        """Return the frame of a record that would come next."""
        time = self.venue.now if time_ns is None else time_ns
        return encode_record(Record(seq or self.seq, time, EPOCH, command))

    def add(
        self,
        command: Command,
        words: bytes,
        *,
        frame: bytes | None = None,
        applied: bytes | None = None,
        **says: bytes,
    ) -> None:
        """Append a record with these effects; `says` replaces fields of its step.

        `applied` are the words that change accounts and book, if not all that are told.
        """
        frame = frame or self.frame(command)
        before = self.last
        self.ledger.apply(words if applied is None else applied)
        kinds = list(words[::32])
        in_batch = before.liquidations if self.steps else 0
        step = Step(
            keccak256(frame),
            keccak256(words),
            chain(before.tip, frame),
            self.account_root(),
            before.epoch_hash,
            book_hash(self.ledger.book()),
            before.inbox_cursor + isinstance(command, Deposit | Forced),
            before.outputs + kinds.count(OUTPUT),
            in_batch + kinds.count(LIQUIDATION),
            (before.data_end if self.steps else 0) + len(frame),
        )
        owner = command.owner if isinstance(command, Deposit) else b""
        for place in range(0, len(words), 32):
            if words[place] == OUTPUT:
                self.outputs.append(self._output(words[place : place + 32], owner))
        self.frames.append(frame)
        self.words.append(words)
        self.steps.append(replace(step, **says))  # type: ignore[arg-type]

    def reroot(self, account_root: bytes) -> None:
        """Put another account root into the last step."""
        self.steps[-1] = replace(self.steps[-1], account_root=account_root)

    def begin(self, epoch: Epoch) -> bytes:
        """Put an epoch in force, as the header will list it; return its hash."""
        self.epochs.append(epoch)
        return epoch_hash(epoch)

    def leaves(self) -> list[AccountLeaf]:
        """Return all accounts."""
        return [account.leaf(self.ledger.assets) for account in self.ledger.accounts]

    def account_root(self, leaves: Sequence[AccountLeaf] | None = None) -> bytes:
        """Return the root over all accounts."""
        tree = AccountTree()
        of = self.leaves() if leaves is None else leaves
        tree.update({number: leaf_hash(leaf) for number, leaf in enumerate(of)})
        return tree.root

    def close(self, **says: object) -> tuple[BatchHeader, bytes]:
        """Return header and data; `says` replaces fields of the header."""
        journal, last = self.honest, self.last
        data = b"".join(self.frames) + encode_trace(journal.open.previous, self.steps, self.words)
        totals, checkpoint = self.totals(), self.checkpoint()
        state = journal.state
        parts = (
            last.account_root,
            market_hash(state, journal.params_hash),
            order_hash(state),
            nonce_hash(state),
            totals_hash(totals),
            unsigned(self.seq - 1, 64),
        )
        epoch = self.epochs[-1]
        venue = self.venue
        venue.chain.set_time(venue.now)
        anchor = venue.chain.anchor(1)
        header = BatchHeader(
            schema=2,
            batch_no=journal.batch_no,
            prev_batch_hash=journal.prev_batch_hash,
            prev_state_root=journal.prev_state_root,
            state_root=keccak256(b"".join(parts)),
            checkpoint_root=checkpoint.hash,
            input_log_hash=last.tip,
            trace_root=list_root([step_hash(step) for step in self.steps]),
            step_count=len(self.steps),
            da_hash=keccak256(data),
            da_length=len(data),
            da_kind=0,
            output_root=list_root([output_hash(output) for output in self.outputs]),
            liquidation_root=list_root([instruction_hash(i) for i in self.instructions]),
            liquidation_count=len(self.instructions),
            adl_root=bytes(32),
            inbox_from=journal.open.previous.inbox_cursor,
            inbox_to=last.inbox_cursor,
            inbox_prefix_hash=venue.chain.inbox_prefix(last.inbox_cursor),
            epoch_root=list_root([epoch_hash(e) for e in self.epochs]),
            price_root=epoch.price_root,
            risk_root=epoch.risk_root,
            params_hash=journal.params_hash,
            engine_hash=ENGINE_HASH,
            l1_block_number=anchor.number,
            l1_block_hash=anchor.hash,
            time_start_ns=self.time_start,
            time_end_ns=venue.now,
            totals_hash=totals_hash(totals),
            sequencer_epoch=EPOCH,
            proof_kind=0,
        )
        known = {f.name for f in fields(BatchHeader)}
        assert set(says) <= known
        return replace(header, **says), data  # type: ignore[arg-type]

    def totals(self) -> Totals:
        """Return the totals of the accounts and the book."""
        book, leaves = self.ledger.book(), self.leaves()
        costs = sum(p.cost_e6 for leaf in leaves for p in leaf.positions)
        held = zip(*[leaf.collateral_e8 for leaf in leaves], strict=True)
        return Totals(
            sum(leaf.cash_e6 for leaf in leaves) - costs,
            tuple(sum(amounts) for amounts in held),
            book.deposited[0],
            book.deposited[1:],
            book.withdrawn[0],
            book.withdrawn[1:],
            leaves[0].cash_e6,
            book.contributed_e6,
            book.drawn_e6,
            book.shortfall_e6,
            book.accounts,
            0,
            book.liquidations,
        )

    def checkpoint(self) -> CheckpointRoot:
        """Return what the accounts are owed at the prices of the honest state."""
        columns, state = self.honest.columns, self.honest.state
        assert columns is not None
        values = [0] * (SLOTS * len(columns.values))
        for underlying, packed in enumerate(columns.values):
            of = unpack_values(packed)
            values[underlying * SLOTS : underlying * SLOTS + len(of)] = of
        priced = state.rules.collateral[: self.ledger.assets]
        prices = [state.index_price(c.underlying) for c in priced]
        assert all(price > ONE_E8 for price in prices)
        nodes = [exit_node(exit_leaf(n, x, values, prices)) for n, x in enumerate(self.leaves())]
        root = root_reference(nodes, 3 + self.ledger.assets)
        equity, owed, debt, *collateral = root.sums
        return CheckpointRoot(root.hash, ExitSums(equity, owed, debt, tuple(collateral)))

    def _output(self, word: bytes, owner: bytes) -> Output:
        account, asset = int.from_bytes(word[1:5]), int.from_bytes(word[5:7])
        amount, number = int.from_bytes(word[7:15]), int.from_bytes(word[15:23])
        if account != NO_ACCOUNT:
            owner = self.ledger.accounts[account].owner
        return Output(number, account, owner, asset, amount)


def slow(leaf: AccountLeaf) -> SlowAccount:
    """Return a leaf as the slow reader keeps accounts."""
    return SlowAccount(
        leaf.owner,
        leaf.subaccount,
        leaf.mode,
        leaf.cash_e6,
        dict(enumerate(leaf.collateral_e8, start=1)),
        {p.instrument: (p.lots, p.cost_e6) for p in leaf.positions},
    )
