"""The way out of a frozen venue: what it owes whom, derived from what was posted and is final.

Everything is paid by contracts that anyone may call, in the order of docs/PROTOCOL.md, section 4:
outputs of final batches, deposits that no final batch consumed, then exits from the last final
checkpoint. This module says which calls those are; it needs no operator and no clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from offchain.engine.messages import EntryKind
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import Checkpoint, CheckpointRoot, ExitLeaf
from offchain.ledger.errors import LedgerError
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.inbox import InboxEntry
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32
from offchain.ledger.outputs import Output
from offchain.ledger.totals import Totals
from offchain.ledger.trace_data import posted_records
from offchain.services.errors import CheckpointMismatch, NotInCheckpoint
from offchain.services.replica import Posted, cut_as_posted


@dataclass(frozen=True, slots=True)
class ClaimOutput:
    """Settlement pays one output of a final batch."""

    header: BatchHeader
    output: Output
    index: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RefundDeposit:
    """Exit pays back a deposit that no final batch consumed."""

    entry: InboxEntry


@dataclass(frozen=True, slots=True)
class StartExits:
    """Exit fixes what every claim is worth."""

    header: BatchHeader
    totals: Totals
    root: CheckpointRoot


@dataclass(frozen=True, slots=True)
class ExitAccount:
    """Exit pays what one account is owed; bit `a` of `assets` asks for asset `a`."""

    leaf: ExitLeaf
    path: bytes
    assets: int


@dataclass(frozen=True, slots=True)
class CollectDeferred:
    """The vault pays what an outflow window kept back of an earlier claim."""

    asset: int
    owner: bytes


WayOut = ClaimOutput | RefundDeposit | StartExits | ExitAccount | CollectDeferred
"""One call of somebody who leaves."""


@dataclass(frozen=True, slots=True)
class Leaver:
    """Whose money is to be brought out: an owner's, or that of one account of it alone."""

    owner: bytes
    account: int | None = None
    subaccount: int | None = None

    def has(self, owner: bytes, subaccount: int) -> bool:
        """Return whether a subaccount of an owner is meant."""
        return owner == self.owner and self.subaccount in {None, subaccount}


class FinalBooks:
    """What the final batches say, up to the last that has a checkpoint.

    Attributes
    ----------
    start : StartExits or None
        The call that opens the exits; None when no checkpoint ever became final.
    claims : tuple of ClaimOutput
        Of all outputs since genesis, in order.
    prices_e8 : tuple of int
        Index price of collateral asset 1, 2, .. at the checkpoint; none before the first report.
        [USD e-8]
    """

    def __init__(
        self,
        start: StartExits | None = None,
        claims: Sequence[ClaimOutput] = (),
        checkpoint: Checkpoint | None = None,
        prices_e8: Sequence[int] = (),
    ) -> None:
        self.start, self.claims, self.prices_e8 = start, tuple(claims), tuple(prices_e8)
        self._checkpoint = checkpoint

    @property
    def count(self) -> int:
        """How many accounts the checkpoint has."""
        return self._checkpoint.count if self._checkpoint else 0

    def leaf(self, account: int) -> ExitLeaf:
        """Return what an account is owed.

        Raises
        ------
        NotInCheckpoint
            There is no such account.
        """
        return self._having(account).leaf(account)

    def exit_of(self, account: int, assets: int | None = None) -> ExitAccount:
        """Return the exit of an account, of all its assets unless a mask is given.

        Raises
        ------
        NotInCheckpoint
            There is no such account.
        """
        checkpoint = self._having(account)
        leaf = checkpoint.leaf(account)
        every = (1 << len(leaf.collateral_e8) + 1) - 1
        return ExitAccount(leaf, checkpoint.path(account), every if assets is None else assets)

    def leaver_of(self, account: int) -> Leaver:
        """Return the owner of an account as somebody who leaves with this account alone."""
        leaf = self.leaf(account)
        return Leaver(leaf.owner, account, leaf.subaccount)

    def accounts_of(self, who: Leaver) -> tuple[int, ...]:
        """Return the accounts of a leaver, ascending."""
        leaves = map(self.leaf, range(self.count))
        return tuple(leaf.account for leaf in leaves if who.has(leaf.owner, leaf.subaccount))

    def claims_of(self, who: Leaver) -> tuple[ClaimOutput, ...]:
        """Return the outputs of a leaver, paid ones included.

        A deposit that found no room goes out of no account: to whoever leaves as the owner.
        """
        return tuple(
            claim
            for claim in self.claims
            if claim.output.owner == who.owner and who.account in {None, claim.output.account}
        )

    def _having(self, account: int) -> Checkpoint:
        if self._checkpoint is None or not 0 <= account < self.count:
            raise NotInCheckpoint(
                f"the last final checkpoint has no account {account}; "
                "deposits that it does not have yet are refunded to their owner"
            )
        return self._checkpoint


def refundable(entries: Iterable[InboxEntry], final_cursor: int) -> Iterator[RefundDeposit]:
    """Yield the deposits that no final batch consumed, paid ones included."""
    for entry in entries:
        if entry.kind == EntryKind.DEPOSIT and entry.index > final_cursor:
            yield RefundDeposit(entry)


def replay_final(posted: Iterable[Posted], checkpoint_no: int) -> FinalBooks:
    """Return what the batches up to the last final checkpoint say, by replaying them.

    Whether the sequencer was honest is not asked here: final is final. It is asked that the
    records give the books that became final, since otherwise no path would lead to their root.

    Parameters
    ----------
    posted : iterable of (header, data)
        The batches that stand, from number 1; those after the checkpoint are not looked at.
    checkpoint_no : int
        Number of the last final batch that has a checkpoint, 0 when there is none.

    Raises
    ------
    CheckpointMismatch
        A batch is missing, or what it says does not follow from its records.
    """
    journal, claims = Journal(), list[ClaimOutput]()
    last: Batch | None = None
    previous = ZERO32
    for number, (header, data) in zip(range(1, checkpoint_no + 1), posted, strict=False):
        last = _replay(journal, number, header, data)
        if (header.batch_no, header.prev_batch_hash) != (number, previous):
            raise CheckpointMismatch(f"batch {number} does not follow the one before")
        previous = batch_hash(header)
        claims += [
            ClaimOutput(header, output, index, last.output_proof(index))
            for index, output in enumerate(last.outputs)
        ]
    if journal.batch_no != checkpoint_no + 1:
        raise CheckpointMismatch(f"batch {journal.batch_no} of {checkpoint_no} is missing")
    if last is None:
        return FinalBooks()
    start = StartExits(header, last.totals, last.checkpoint)
    _demand("checkpoint root", last.checkpoint.hash, header.checkpoint_root, header)
    return FinalBooks(start, claims, journal.checkpoint, _prices(journal.state))


def _replay(journal: Journal, number: int, header: BatchHeader, data: bytes) -> Batch:
    """Return a batch made again from its records, with the outputs and totals of its header."""
    try:
        for record in posted_records(header, data):
            outcome = journal.apply(record)
            if isinstance(outcome, Rejected):
                raise CheckpointMismatch(
                    f"batch {number}: record {record.seq} is refused: {outcome}"
                )
        batch = cut_as_posted(journal, header.engine_hash, header)
    except LedgerError as fault:
        raise CheckpointMismatch(f"batch {number}: {fault}") from fault
    _demand("output root", batch.header.output_root, header.output_root, header)
    _demand("totals", batch.header.totals_hash, header.totals_hash, header)
    return batch


def _demand(what: str, ours: bytes, posted: bytes, header: BatchHeader) -> None:
    if ours != posted:
        raise CheckpointMismatch(
            f"batch {header.batch_no}: the {what} is 0x{posted.hex()}, "
            f"its records give 0x{ours.hex()}"
        )


def _prices(state: State) -> tuple[int, ...]:
    if state.market.arrays is None:
        return ()
    return tuple(state.index_price(of.underlying) for of in state.rules.collateral)
