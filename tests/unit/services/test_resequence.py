"""When the chain drops an entry that was consumed, the log follows, and loses nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.core.units import ONE_E6
from offchain.engine.events import Filled
from offchain.engine.messages import Deposit, Liquidate, PlaceOrder
from offchain.engine.reasons import Rejected
from offchain.ledger.keccak import keccak256
from offchain.ledger.wire import Record, decode_records
from offchain.services.errors import BatchConflict, InboxReorganised
from offchain.services.ports import SignedBatch
from offchain.services.reorder import AFTERWARDS, CANCELLED, MOVED, ORPHANED
from offchain.services.resequence import Resequenced
from tests.support.adoption import adopt, with_asset
from tests.support.desk import key
from tests.support.forking import ForkedVenue
from tests.support.venue import RULES

MAKER, TAKER, LATE, OTHER = 10, 11, 12, 13


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[ForkedVenue]:
    """Return a maker and a taker whose deposits are deep, and a price."""
    made = ForkedVenue(tmp_path)
    made.deposit(MAKER, 1_000_000)
    made.deposit(TAKER, 1_000_000)
    made.chain.mine(64)
    made.price(110_000)
    yield made
    made.log.close()


def records(venue: ForkedVenue) -> list[Record]:
    return [record for frame in venue.log.frames() for record in decode_records(frame)]


def reordered(venue: ForkedVenue) -> Resequenced:
    done = venue.resequence()
    assert done is not None
    return done


def names(done: Resequenced) -> list[tuple[str, str]]:
    return [(type(d.command).__name__, d.reason) for d in done.dropped]


def mined_again(venue: ForkedVenue, depth: int) -> None:
    """Reorganise, and let what was lost come a slot later."""
    lost = venue.chain.reorganise(depth)
    venue.chain.time_s += 12
    venue.chain.push_again(lost)


def held(signed: SignedBatch | None) -> SignedBatch:
    assert signed is not None
    return signed


def test_nothing_is_credited_for_a_deposit_that_the_chain_dropped(venue: ForkedVenue) -> None:
    before = venue.log.last_seq
    venue.deposit(LATE, 500)
    assert venue.cash(LATE) == 500 * ONE_E6
    assert venue.order(MAKER, -3, 110_000)
    assert venue.order(LATE, 1, 110_000) is None or venue.order(TAKER, 1, 110_000)
    venue.chain.reorganise(1)
    with pytest.raises(InboxReorganised):
        venue.watcher.poll()
    done = reordered(venue)
    assert (done.kept, venue.sequencer.state.inbox_cursor) == (before, 2)
    assert venue.account(LATE) is None
    assert ("Deposit", ORPHANED) in names(done)
    assert venue.watcher.poll() == 0
    venue.settle()
    assert venue.chain.finalised() == venue.batcher.last_batch


def test_what_does_not_depend_on_it_is_ordered_again_at_its_time(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 500)
    venue.order(MAKER, -3, 110_000)
    venue.order(TAKER, 2, 110_000)
    venue.price(111_000)
    venue.withdraw(TAKER, 10)
    later = [(r.time_ns, r.command) for r in records(venue)[-4:]]
    cash = [venue.cash(name) for name in (MAKER, TAKER)]
    venue.chain.reorganise(1)
    done = reordered(venue)
    assert done.ordered == 4 + (len(records(venue)) - done.kept - 4)
    assert [(r.time_ns, r.command) for r in records(venue)[-4:]] == later
    assert [venue.cash(name) for name in (MAKER, TAKER)] == cash
    assert names(done) == [("Deposit", ORPHANED)]


def test_a_deposit_that_is_mined_again_is_credited_at_its_old_place(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 50_000)
    venue.order(LATE, -2, 110_000)
    venue.order(TAKER, 2, 110_000)
    mined_again(venue, 3)
    done = reordered(venue)
    assert (done.dropped, done.ordered) == ((), 3)
    assert venue.cash(LATE) is not None
    again = [r.command for r in records(venue) if isinstance(r.command, Deposit)][-1]
    assert again.time_s == venue.chain.entries[-1].time_s
    venue.settle()
    assert venue.chain.finalised() == venue.batcher.last_batch


def test_an_entry_that_is_mined_again_as_it_was_is_not_lost(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 500)
    venue.order(LATE, -1, 110_000)
    venue.chain.push_again(venue.chain.reorganise(1))
    assert venue.resequence() is None
    assert venue.watcher.poll() == 0
    assert venue.cash(LATE) == 500 * ONE_E6


def test_an_account_number_that_is_another_owners_now_carries_no_ones_intent(
    venue: ForkedVenue,
) -> None:
    venue.deposit(LATE, 50_000)
    venue.deposit(OTHER, 50_000)
    venue.order(LATE, -2, 110_000)
    venue.order(OTHER, -2, 110_100)
    first, second = venue.chain.reorganise(2)
    venue.chain.push_again([second, first])
    done = reordered(venue)
    assert names(done) == [("PlaceOrder", "WRONG_SIGNER")] * 2
    assert venue.account(LATE) == (venue.account(OTHER) or 0) + 1
    assert venue.cash(LATE) == venue.cash(OTHER) == 50_000 * ONE_E6


def test_without_a_lost_entry_nothing_is_changed(venue: ForkedVenue) -> None:
    venue.order(MAKER, -3, 110_000)
    before = venue.log.tip
    venue.chain.reorganise(60)
    assert venue.resequence() is None
    assert (venue.log.tip, venue.log.waits_after, venue.log.longest_branch) == (before, None, 0)


def test_batches_that_hold_what_was_lost_are_made_anew_and_the_others_stay(
    venue: ForkedVenue,
) -> None:
    venue.settle()
    stays = venue.batcher.last_batch
    first = held(venue.batcher.batch(stays)).batch.hash
    venue.deposit(LATE, 500)
    venue.batcher.step(force=True)
    venue.order(MAKER, -1, 111_000)
    venue.batcher.step(force=True)
    assert venue.chain.head() == stays + 2
    lost = held(venue.batcher.batch(stays + 1)).batch.hash
    venue.chain.reorganise(3)
    done = reordered(venue)
    assert (done.first_batch, venue.batcher.last_batch) == (stays + 1, stays)
    venue.settle()
    assert venue.chain.finalised() == venue.chain.head() == stays + 1
    assert venue.chain.batch_hash_of(stays) == first
    assert venue.chain.batch_hash_of(stays + 1) != lost


def test_the_batcher_says_so_when_a_commit_is_refused_for_its_inbox(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 500)
    venue.batcher.cut(force=True)
    venue.chain.reorganise(1)
    with pytest.raises(InboxReorganised):
        venue.batcher.commit_pending()
    venue.chain.push(key(OTHER).address, 7)
    with pytest.raises(InboxReorganised):
        venue.batcher.commit_pending()
    reordered(venue)
    venue.settle()
    assert venue.chain.head() == venue.batcher.last_batch == 1


def test_what_the_chain_has_committed_is_not_dropped(
    venue: ForkedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue.batcher.step(force=True)
    before = venue.log.tip
    venue.chain.prefixes[1] = keccak256(b"a view that contradicts itself")
    venue.chain.prefixes[2] = keccak256(b"and the next one")
    with pytest.raises(BatchConflict, match="batch 1 is on chain"):
        venue.resequence()
    assert (venue.log.tip, venue.batcher.last_batch) == (before, 1)
    assert not venue.sequencer.is_halted


def test_liquidations_are_taken_anew_by_the_lane(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 30_000)
    venue.order(MAKER, -1_500, 110_000)
    assert venue.order(LATE, 1_500, 110_000)
    venue.order(MAKER, 2_000, 90_900)
    venue.price(91_000)
    taken = [r for r in records(venue) if isinstance(r.command, Liquidate)]
    assert taken
    mined_again(venue, 1)
    done = reordered(venue)
    assert done.dropped == ()
    again = [r for r in records(venue) if isinstance(r.command, Liquidate)]
    assert [(r.time_ns, r.command) for r in again] == [(r.time_ns, r.command) for r in taken]
    venue.chain.reorganise(2)
    done = reordered(venue)
    assert not [r for r in records(venue) if isinstance(r.command, Liquidate)]
    assert ("PlaceOrder", "UNKNOWN_ACCOUNT") in names(done)


def test_an_order_whose_cancellation_cannot_follow_is_not_placed_again(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 500)
    gone = venue.order(MAKER, -3, 115_000)
    stays = venue.order(MAKER, -2, 116_000)
    assert gone
    assert stays
    assert venue.cancel(MAKER, gone.seq)
    venue.chain.reorganise(1)
    done = reordered(venue)
    assert names(done)[1:] == [("PlaceOrder", CANCELLED), ("CancelOrder", MOVED)]
    (left,) = venue.sequencer.state.orders_of(venue.account(MAKER) or 0)
    assert left.lots == -2


def test_a_cancellation_of_an_order_that_keeps_its_number_follows(venue: ForkedVenue) -> None:
    old = venue.order(MAKER, -1, 117_000)
    venue.deposit(LATE, 500)
    young = venue.order(MAKER, -3, 115_000)
    assert old
    assert young
    assert venue.cancel(MAKER, young.seq)
    assert venue.cancel(MAKER, old.seq)
    mined_again(venue, 1)
    assert reordered(venue).dropped == ()
    assert not list(venue.sequencer.state.orders_of(venue.account(MAKER) or 0))


def test_a_fill_against_the_lost_deposit_is_undone_for_both(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 50_000)
    venue.order(LATE, -2, 110_000)
    receipt = venue.order(TAKER, 2, 110_000)
    assert receipt
    assert any(isinstance(event, Filled) for event in receipt.events)
    venue.chain.reorganise(1)
    done = reordered(venue)
    assert names(done) == [("Deposit", ORPHANED), ("PlaceOrder", "UNKNOWN_ACCOUNT")]
    taker = venue.account(TAKER) or 0
    assert [order.lots for order in venue.sequencer.state.orders_of(taker)] == [2]
    assert venue.cash(TAKER) == 1_000_000 * ONE_E6


def test_time_does_not_stand_still_afterwards(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 500)
    venue.chain.reorganise(1)
    reordered(venue)
    venue.desk.now += 60_000_000_000
    assert venue.sequencer.now_ns() == venue.desk.now
    receipt = venue.order(MAKER, -1, 111_000)
    assert receipt
    assert receipt.time_ns == venue.desk.now


def test_dropped_records_keep_what_they_said(venue: ForkedVenue) -> None:
    venue.deposit(LATE, 50_000)
    receipt = venue.order(LATE, -2, 110_000)
    assert receipt
    venue.chain.reorganise(1)
    dropped = reordered(venue).dropped[-1]
    assert (dropped.seq, dropped.reason) == (receipt.seq, "UNKNOWN_ACCOUNT")
    assert isinstance(dropped.command, PlaceOrder)
    assert dropped.command.lots == -2


def test_a_deposit_of_a_later_set_waits_until_that_is_adopted_again(venue: ForkedVenue) -> None:
    rules, new = with_asset(RULES), len(RULES.collateral) + 1
    venue.deposit(LATE, 500)
    venue.batcher.cut(force=True)
    assert not isinstance(venue.sequencer.submit(adopt(rules)), Rejected)
    venue.chain.push(key(OTHER).address, 7, place=new)
    venue.deposit(OTHER, 900)
    assert venue.sequencer.state.flows.deposited[new] == 7
    mined_again(venue, 3)
    done = reordered(venue)
    assert ("Adopt", AFTERWARDS) in names(done)
    assert names(done).count(("Deposit", AFTERWARDS)) == 2
    assert venue.sequencer.state.accounts.assets == new - 1
    assert venue.watcher.poll() == 0
    venue.batcher.cut(force=True)
    assert not isinstance(venue.sequencer.submit(adopt(rules)), Rejected)
    assert venue.watcher.poll() == 2
    assert venue.sequencer.state.flows.deposited[new] == 7
    assert venue.cash(OTHER) == 900 * ONE_E6
