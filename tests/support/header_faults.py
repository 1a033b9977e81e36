"""Faults of a whole batch: its header, its data, its totals, its checkpoint and its outputs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from offchain.adapters.blobs import blob_hash
from offchain.core.units import ONE_E6, SECOND_NS
from offchain.ledger.abi import unsigned
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import CheckpointRoot
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.header import DATA_KIND_BLOBS, BatchHeader
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import list_root
from offchain.ledger.outputs import Output, output_hash
from offchain.ledger.state_root import market_hash, nonce_hash, order_hash
from offchain.ledger.sum_tree import SumNode, root_from
from offchain.ledger.totals import Totals
from tests.support.draft import Draft
from tests.support.faults import decided_by
from tests.support.street import BOB, BTC_PERP, CAROL, DAVE, USD, Street

REFUSED: list["Refusal"] = []
DOLLARS = 1_000 * ONE_E6


@dataclass(frozen=True, slots=True)
class Refusal:
    """A header that the settlement contract does not take, and its error."""

    error: str
    name: str
    tell: Callable[[Street], None]


def refused_with(error: str) -> Callable[[Callable[[Street], None]], Callable[[Street], None]]:
    """Register a lie that the contract sees."""

    def register(tell: Callable[[Street], None]) -> Callable[[Street], None]:
        REFUSED.append(Refusal(error, tell.__name__, tell))
        return tell

    return register


def busy(street: Street, payments: int = 1) -> Batch:
    """Close a batch with a trade, a report and some payments."""
    venue = street.venue
    venue.must(venue.order(CAROL, BTC_PERP, 20, 121_000))
    venue.price(USD + 50)
    for _ in range(payments):
        venue.must(venue.withdrawal(DAVE, 0, DOLLARS))
    return venue.cut()


def tell(street: Street, batch: Batch, **says: object) -> None:
    """Commit a batch whose header says something else."""
    header: BatchHeader = replace(batch.header, **says)  # type: ignore[arg-type]
    street.venue.commit(header, batch.data)


# Kind 7: totals and checkpoint


def lying_totals(street: Street, **says: int) -> None:
    """Commit a batch with other totals; everything else follows from them."""
    venue = street.venue
    command = venue.withdrawal(DAVE, 0, DOLLARS)
    draft = Draft.of(venue)
    draft.add(command, street.words(command))
    right = draft.totals()
    totals: Totals = replace(right, **says)  # type: ignore[arg-type]
    draft.totals = lambda: totals  # type: ignore[method-assign]
    venue.commit(*draft.close())


@decided_by(7)
def totals_without_what_the_fund_earned(street: Street) -> None:
    lying_totals(street, contributed_e6=0)


@decided_by(7)
def totals_in_which_the_fund_is_empty(street: Street) -> None:
    lying_totals(street, insurance_e6=0)


@decided_by(7)
def totals_that_count_no_withdrawals(street: Street) -> None:
    lying_totals(street, withdrawn_cash=0)


@decided_by(7)
def a_checkpoint_that_leaves_somebody_out(street: Street) -> None:
    batch, checkpoint = busy(street), street.venue.journal.checkpoint
    assert checkpoint is not None
    dave = street.number(DAVE)
    leaf = checkpoint.leaf(dave)
    nobody = SumNode(ZERO32, (0,) * len(leaf.sums()))
    root = root_from(nobody, dave, checkpoint.path(dave))
    equity, owed, debt, *collateral = root.sums
    sums = replace(
        checkpoint.root.sums,
        equity_e6=equity,
        owed_e6=owed,
        debt_e6=debt,
        collateral_e8=tuple(collateral),
    )
    tell(street, batch, checkpoint_root=CheckpointRoot(root.hash, sums).hash)


@decided_by(7)
def a_checkpoint_whose_sums_are_not_those_of_its_leaves(street: Street) -> None:
    batch, checkpoint = busy(street), street.venue.journal.checkpoint
    assert checkpoint is not None
    sums = replace(checkpoint.root.sums, equity_e6=0)
    false = CheckpointRoot(checkpoint.root.root_hash, sums)
    tell(street, batch, checkpoint_root=false.hash)


@decided_by(7)
def the_checkpoint_of_the_batch_before(street: Street) -> None:
    before = street.venue.journal.checkpoint
    if before is None:
        street.venue.must(street.venue.withdrawal(BOB, 0, DOLLARS))
        street.venue.commit_honestly()
        before = street.venue.journal.checkpoint
    assert before is not None
    root = before.root.hash
    tell(street, busy(street), checkpoint_root=root)


@decided_by(7)
def a_checkpoint_that_nobody_knows(street: Street) -> None:
    tell(street, busy(street), checkpoint_root=b"\x67" * 32)


# Kind 8: data


def posted(street: Street, batch: Batch, data: bytes, **says: object) -> None:
    """Commit a batch with other data."""
    header: BatchHeader = replace(
        batch.header,
        da_hash=keccak256(data),
        da_length=len(data),
        **says,  # type: ignore[arg-type]
    )
    street.venue.commit(header, data)


@decided_by(8)
def data_with_one_other_byte(street: Street) -> None:
    batch = busy(street)
    posted(street, batch, batch.data[:-1] + bytes([batch.data[-1] ^ 1]))


@decided_by(8)
def data_with_another_frame(street: Street) -> None:
    batch = busy(street)
    posted(street, batch, batch.data[:40] + bytes([batch.data[40] ^ 1]) + batch.data[41:])


@decided_by(8)
def data_with_a_byte_left_over(street: Street) -> None:
    batch = busy(street)
    posted(street, batch, batch.data + b"\0")


@decided_by(8)
def a_step_more_than_there_are(street: Street) -> None:
    batch = busy(street)
    tell(street, batch, step_count=batch.header.step_count + 1)


@decided_by(8)
def a_trace_that_nobody_can_read(street: Street) -> None:
    tell(street, busy(street), trace_root=b"\x5d" * 32)


@decided_by(8)
def blobs_that_hold_another_byte(street: Street) -> None:
    batch = busy(street)
    data = batch.data[:-1] + bytes([batch.data[-1] ^ 1])
    header = replace(batch.header, da_kind=DATA_KIND_BLOBS, da_hash=blob_hash(data))
    street.venue.commit(header, data)


@decided_by(8)
def an_epoch_that_is_left_out(street: Street) -> None:
    batch = busy(street)
    kept = [epoch_hash(epoch) for epoch in batch.epochs[:-1]]
    tell(street, batch, epoch_root=list_root(kept))


# Kind 11: ends


@decided_by(11)
def a_log_hash_of_another_log(street: Street) -> None:
    tell(street, busy(street), input_log_hash=b"\x5e" * 32)


@decided_by(11)
def a_batch_that_begins_after_its_first_record(street: Street) -> None:
    batch = busy(street)
    tell(street, batch, time_start_ns=batch.header.time_start_ns + SECOND_NS)


@decided_by(11)
def a_state_with_the_accounts_of_before(street: Street) -> None:
    batch, journal = busy(street), street.venue.journal
    state = journal.state
    parts = (
        batch.previous.account_root,
        market_hash(state, journal.params_hash),
        order_hash(state),
        nonce_hash(state),
        batch.header.totals_hash,
        unsigned(state.last_seq, 64),
    )
    tell(street, batch, state_root=keccak256(b"".join(parts)))


@decided_by(11)
def prices_of_another_epoch(street: Street) -> None:
    tell(street, busy(street), price_root=b"\x5f" * 32)


@decided_by(11)
def a_liquidation_that_no_record_carries(street: Street) -> None:
    tell(street, busy(street), liquidation_count=1)


# Kind 13: outputs


def outputs_of(batch: Batch, *others: Output) -> bytes:
    """Return the root of the outputs of a batch, the last ones replaced."""
    kept = batch.outputs[: len(batch.outputs) - len(others)]
    return list_root([output_hash(output) for output in (*kept, *others)])


@decided_by(13)
def an_output_to_somebody_else(street: Street) -> None:
    batch = busy(street)
    false = replace(batch.outputs[0], owner=BOB.address)
    tell(street, batch, output_root=outputs_of(batch, false))


@decided_by(13)
def an_output_of_more_among_others(street: Street) -> None:
    batch = busy(street, payments=3)
    false = replace(batch.outputs[-1], amount=9 * DOLLARS)
    tell(street, batch, output_root=outputs_of(batch, false))


@decided_by(13)
def an_output_that_is_paid_twice(street: Street) -> None:
    batch = busy(street, payments=3)
    twice = [output_hash(output) for output in (*batch.outputs, batch.outputs[-1])]
    tell(street, batch, output_root=list_root(twice))


@decided_by(13)
def outputs_that_are_kept_back(street: Street) -> None:
    tell(street, busy(street), output_root=ZERO32)


# What the contract sees itself


@refused_with("WrongPreviousBatch")
def another_past(street: Street) -> None:
    tell(street, busy(street), prev_batch_hash=b"\x60" * 32)


@refused_with("WrongPreviousState")
def another_state_before(street: Street) -> None:
    tell(street, busy(street), prev_state_root=b"\x61" * 32)


@refused_with("WrongEngine")
def another_engine(street: Street) -> None:
    tell(street, busy(street), engine_hash=b"\x62" * 32)


@refused_with("WrongParameters")
def another_parameter_set(street: Street) -> None:
    tell(street, busy(street), params_hash=b"\x63" * 32)


@refused_with("WrongInboxPrefix")
def another_inbox(street: Street) -> None:
    tell(street, busy(street), inbox_prefix_hash=b"\x64" * 32)


@refused_with("WrongAnchor")
def a_block_that_is_not_on_the_chain(street: Street) -> None:
    tell(street, busy(street), l1_block_hash=b"\x65" * 32)


@refused_with("WrongDataHash")
def data_that_was_not_posted(street: Street) -> None:
    tell(street, busy(street), da_hash=b"\x66" * 32)


@refused_with("WrongEpoch")
def another_term_of_office(street: Street) -> None:
    tell(street, busy(street), sequencer_epoch=2)


@refused_with("EndsInFuture")
def a_batch_from_the_future(street: Street) -> None:
    batch = busy(street)
    tell(street, batch, time_end_ns=batch.header.time_end_ns + 3_600 * SECOND_NS)


@refused_with("CheckpointMissing")
def payments_without_a_checkpoint(street: Street) -> None:
    tell(street, busy(street), checkpoint_root=ZERO32)
