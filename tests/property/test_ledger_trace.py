"""The trace of random trading: effect words alone give every leaf and every book."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.ledger.batch import Batch
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import leaf_hash, leaf_of
from offchain.ledger.merkle import AccountTree, verify_list
from offchain.ledger.totals import Totals
from offchain.ledger.trace import GENESIS_BOOK, GENESIS_STEP, Book, Step, book_hash, step_hash
from offchain.ledger.trace_data import decode_posted
from offchain.ledger.wire import decode_records, encode_record
from tests.support.effect_words import SlowLedger
from tests.support.random_trading import ACTION, Trading

ASSETS = 2
"""Collateral assets of the random venue."""


class Follower:
    """Follows a trace with the slow ledger and the plain account tree."""

    def __init__(self) -> None:
        self.ledger = SlowLedger(ASSETS)
        self.tree = AccountTree()

    def follow(self, batch: Batch) -> None:
        """Check every step of a batch against what its words do."""
        assert len(batch.words) == len(batch.steps) == batch.header.step_count
        for words, step in zip(batch.words, batch.steps, strict=True):
            self.ledger.apply(words)
            self.tree.update(
                {a: leaf_hash(self.ledger.accounts[a].leaf(ASSETS)) for a in self.ledger.touched}
            )
            assert step.effects_hash == keccak256(words)
            assert step.account_root == self.tree.root
            assert step.book_hash == book_hash(self.ledger.book())
            assert step.outputs == len(self.ledger.outputs)
        assert self.ledger.outputs == list(range(1, len(self.ledger.outputs) + 1))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30))
def test_effect_words_alone_give_every_leaf_and_every_book(
    actions: list[tuple[Any, ...]],
) -> None:
    trading = Trading().run(actions)
    follower = Follower()
    for batch in trading.batches:
        follower.follow(batch)
    accounts = trading.venue.state.accounts
    for number, slow in enumerate(follower.ledger.accounts):
        assert slow.leaf(ASSETS) == leaf_of(accounts, number)


def check_chain(batch: Batch, previous: Step) -> None:
    """Check every field of a step that follows from the frames and from the header."""
    header, end, liquidations = batch.header, 0, 0
    assert batch.previous == previous
    for index, (record, step) in enumerate(
        zip(decode_records(batch.log), batch.steps, strict=True)
    ):
        frame = encode_record(record)
        end += len(frame)
        assert step.frame_hash == keccak256(frame)
        assert step.tip == keccak256(previous.tip + frame)
        assert step.data_end == end
        assert step.inbox_cursor - previous.inbox_cursor in (0, 1)
        liquidations += batch.words[index][::32].count(8)
        assert step.liquidations == liquidations
        leaf, proof = step_hash(step), batch.step_proof(index)
        assert verify_list(header.trace_root, index, leaf, proof)
        previous = step
    assert (previous.tip, previous.inbox_cursor) == (header.input_log_hash, header.inbox_to)
    assert previous.liquidations == header.liquidation_count
    assert end == len(batch.log)
    assert previous.epoch_hash == (epoch_hash(batch.epochs[-1]) if batch.epochs else ZERO32)


def book_in(totals: Totals) -> Book:
    """Return the book that totals contain."""
    return Book(
        (totals.deposited_cash, *totals.deposited_collateral),
        (totals.withdrawn_cash, *totals.withdrawn_collateral),
        totals.contributed_e6,
        totals.drawn_e6,
        totals.shortfall_e6,
        totals.accounts,
        totals.liquidations,
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30))
def test_steps_follow_from_the_frames_and_meet_the_header(
    actions: list[tuple[Any, ...]],
) -> None:
    previous, book = GENESIS_STEP, GENESIS_BOOK
    for batch in Trading().run(actions).batches:
        check_chain(batch, previous)
        assert batch.previous_book == book
        posted = decode_posted(batch.data, batch.header.step_count, previous)
        assert [(p.step, p.words) for p in posted] == list(
            zip(batch.steps, batch.words, strict=True)
        )
        previous = batch.steps[-1]
        book = book_in(batch.totals)
        assert previous.book_hash == book_hash(book)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTION, min_size=1, max_size=30), st.data())
def test_a_trace_is_the_same_after_a_restart_anywhere(
    actions: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(actions)))
    actions = [action for action in actions if action[0] not in ("cut", "restart")]
    plain = Trading().run(actions).batches
    restarted = Trading().run([*actions[:place], ("restart",), *actions[place:]]).batches
    assert plain == restarted
