"""The journal: batches chain, roots cover the state, and nothing out of sequence is taken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from offchain.core.breaker import Bucket, Level
from offchain.core.margin import Mode
from offchain.core.oracle import NO_STANDING, Standing
from offchain.core.units import ONE_E6, ONE_E8, InstrumentId, PriceE8, RatioE6, TimestampNs
from offchain.engine.market import PendingReport
from offchain.engine.messages import Deposit, FundingTick
from offchain.engine.reasons import Rejected
from offchain.ledger.epoch import epoch_hash
from offchain.ledger.errors import ConservationError, SequenceError, WireError
from offchain.ledger.header import batch_hash
from offchain.ledger.inbox import InboxEntry, entry_hash, prefix_hash
from offchain.ledger.journal import Journal
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.leaf import leaf_hash
from offchain.ledger.merkle import list_root, verify_account, verify_list
from offchain.ledger.outputs import output_hash
from offchain.ledger.totals import (
    assert_conserved,
    check_conservation,
    excesses,
    totals_hash,
    totals_of,
)
from offchain.ledger.wire import Record, chain, decode_records, encode_record
from tests.support.journal_venue import ENGINE_HASH, JournalVenue, crashed, in_trouble
from tests.support.venue import BTC_PERP, ENTRY_TIME_S


def test_batches_form_a_chain() -> None:
    venue = in_trouble()
    first = venue.journal.cut(ENGINE_HASH)
    venue.price(119_000)
    second = venue.journal.cut(ENGINE_HASH)
    assert (first.header.prev_batch_hash, first.header.prev_state_root) == (ZERO32, ZERO32)
    assert second.header.prev_batch_hash == batch_hash(first.header) == first.hash
    assert second.header.prev_state_root == first.header.state_root
    assert (first.header.batch_no, second.header.batch_no) == (1, 2)
    assert second.header.inbox_from == second.header.inbox_to == first.header.inbox_to == 4


def test_the_data_of_a_batch_is_its_frames() -> None:
    venue = in_trouble()
    batch = venue.journal.cut(ENGINE_HASH)
    records = list(decode_records(batch.log))
    assert [(r.seq, r.time_ns, r.command) for r in records] == venue.log
    assert batch.header.da_hash == keccak256(batch.data)
    assert batch.header.da_length == len(batch.data)
    tip = ZERO32
    for record in records:
        tip = chain(tip, encode_record(record))
    assert batch.header.input_log_hash == tip == venue.journal.tip
    assert batch.header.time_start_ns == records[0].time_ns
    assert batch.header.time_end_ns == records[-1].time_ns


def test_the_inbox_prefix_is_that_of_the_deposits() -> None:
    venue = JournalVenue()
    venue.deposit(10, 5, btc=2)
    batch = venue.journal.cut(ENGINE_HASH)
    owner = (10).to_bytes(20)
    entries = (
        InboxEntry(1, 1, ENTRY_TIME_S, owner, 0, 0, 5 * ONE_E6, bytes(20)),
        InboxEntry(1, 2, ENTRY_TIME_S, owner, 0, 1, 2 * ONE_E8, bytes(20)),
    )
    prefix = ZERO32
    for entry in entries:
        prefix = prefix_hash(prefix, entry_hash(entry))
    assert batch.entries == entries
    assert batch.header.inbox_prefix_hash == prefix
    assert (batch.header.inbox_from, batch.header.inbox_to) == (0, 2)


def test_an_empty_batch_is_never_cut() -> None:
    venue = JournalVenue()
    venue.journal.cut(ENGINE_HASH)
    with pytest.raises(SequenceError):
        venue.journal.cut(ENGINE_HASH)


def test_before_the_first_price_there_is_no_epoch() -> None:
    header = JournalVenue().journal.cut(ENGINE_HASH).header
    assert (header.epoch_root, header.price_root, header.risk_root) == (ZERO32,) * 3


def test_a_batch_begins_with_the_epoch_in_force() -> None:
    venue = in_trouble()
    first = venue.journal.cut(ENGINE_HASH)
    venue.fund_tick(300)
    venue.price(119_000)
    second = venue.journal.cut(ENGINE_HASH)
    assert [e.number for e in first.epochs] == [1]
    assert [e.number for e in second.epochs] == [1, 2, 3]
    assert second.header.epoch_root == list_root([epoch_hash(e) for e in second.epochs])
    assert second.header.price_root == second.epochs[-1].price_root


def test_a_liquidation_right_after_a_cut_finds_its_epoch() -> None:
    venue = in_trouble()
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    venue.journal.cut(ENGINE_HASH)
    assert not isinstance(venue.liquidate(2), Rejected)
    batch = venue.journal.cut(ENGINE_HASH)
    assert batch.witnesses[0].epoch_index == 0
    batch.witnesses[0].check(batch.header, batch.terms, batch.curves_hash)


def test_one_funding_tick_is_one_epoch_for_all_perpetuals() -> None:
    venue = in_trouble()
    before = venue.state.market.epoch
    events = venue.fund_tick(300)
    assert [type(e).__name__ for e in events][:2] == ["FundingAccrued"] * 2
    assert venue.journal.epoch is not None
    assert venue.journal.epoch.number == venue.state.market.epoch == before + 1


def test_outputs_stand_in_their_tree() -> None:
    venue = in_trouble()
    venue.must(venue.withdraw(3, usd=10))
    venue.must(venue.withdraw(3, usd=20))
    batch = venue.journal.cut(ENGINE_HASH)
    assert [(o.id, o.amount) for o in batch.outputs] == [(1, 10 * ONE_E6), (2, 20 * ONE_E6)]
    for index, output in enumerate(batch.outputs):
        leaf, proof = output_hash(output), batch.output_proof(index)
        assert verify_list(batch.header.output_root, index, leaf, proof)


def test_every_account_has_a_proof_under_the_account_root() -> None:
    venue = crashed()
    for account in range(venue.state.accounts.count):
        proof = venue.journal.account_proof(account)
        leaf = leaf_hash(proof.leaf)
        assert verify_account(venue.journal.account_root(), account, leaf, proof.siblings)
    assert not venue.state.accounts.dirty  # no leaf is hashed twice
    with pytest.raises(SequenceError):
        venue.journal.account_proof(venue.state.accounts.count)


@pytest.mark.parametrize(
    "change",
    [{"seq": 1}, {"seq": 99}, {"time_ns": 0}, {"epoch": 1}],
    ids=["repeated", "gap", "time goes back", "fenced off"],
)
def test_a_record_out_of_sequence_is_refused(change: dict[str, int]) -> None:
    venue = JournalVenue(fence=2)
    right = Record(
        venue.state.last_seq + 1, venue.now, 2, Deposit(1, ENTRY_TIME_S, bytes(20), 0, 0, 1)
    )
    before = venue.journal.snapshot()
    with pytest.raises(SequenceError):
        venue.journal.apply(replace(right, **change))  # type: ignore[arg-type]
    assert venue.journal.snapshot() == before
    assert not isinstance(venue.journal.apply(right), Rejected)


def test_a_refused_command_changes_nothing() -> None:
    venue = in_trouble()
    before = venue.journal.snapshot()
    assert isinstance(venue.do(venue.withdraw(2, usd=10**9)), Rejected)
    assert isinstance(venue.liquidate(2), Rejected)
    assert venue.journal.snapshot() == before


def test_a_command_without_an_encoding_changes_nothing() -> None:
    venue = in_trouble()
    before = venue.journal.snapshot()
    order = replace(venue.order(3, BTC_PERP, 1, 119_000), signature=b"")
    with pytest.raises(WireError):
        venue.do(order)
    assert venue.journal.snapshot() == before


def test_the_open_batch_tells_its_size() -> None:
    venue = crashed()
    journal = venue.journal
    assert journal.open_records == len(venue.log)
    assert journal.open_liquidations == 2
    size = journal.open_bytes
    assert size == len(journal.cut(ENGINE_HASH).data)
    assert (journal.open_bytes, journal.open_records, journal.open_liquidations) == (0, 0, 0)


def test_money_from_nowhere_stops_the_journal() -> None:  # SOL-1
    venue = in_trouble()
    assert_conserved(venue.state)
    venue.state.accounts.add_cash(3, 1)
    with pytest.raises(ConservationError, match="by 1 "):
        venue.journal.cut(ENGINE_HASH)
    with pytest.raises(ConservationError):
        venue.do(FundingTick())


def test_totals_keep_every_asset_apart() -> None:
    venue = in_trouble()
    venue.deposit(10, btc=2, eth=3)
    venue.must(venue.withdraw(2, eth=1))
    totals = totals_of(venue.state)
    assert totals.deposited_collateral == (2 * ONE_E8, 3 * ONE_E8)
    assert totals.withdrawn_collateral == (0, ONE_E8)
    assert totals.collateral_e8 == (2 * ONE_E8, 2 * ONE_E8)
    assert excesses(totals) == (0, 0, 0)
    check_conservation(totals)
    first, second = totals.collateral_e8
    for held in ((first + 1, second), (first, second - 1), (first + 1, second - 1)):
        with pytest.raises(ConservationError):
            check_conservation(replace(totals, collateral_e8=held))


def test_a_mode_and_a_conversion_are_part_of_the_log_and_of_the_leaf() -> None:
    venue = in_trouble()
    venue.deposit(11, btc=1, eth=2)
    venue.must(venue.set_mode(3, Mode.CROSS))
    venue.must(venue.convert(3, 2, 1.5))
    leaf = venue.journal.account_proof(3).leaf
    assert (leaf.mode, leaf.collateral_e8) == (Mode.CROSS, (ONE_E8, ONE_E8 // 2))
    data = venue.journal.snapshot()
    assert Journal.restore(data).snapshot() == data
    batch = venue.journal.cut(ENGINE_HASH)
    auditor = Journal(strict=True)
    for record in decode_records(batch.log):
        assert not isinstance(auditor.apply(record), Rejected)
    assert auditor.cut(ENGINE_HASH) == batch


def test_an_epoch_begins_when_charges_change_with_the_funding_rate() -> None:
    venue = in_trouble()
    before = venue.journal.epoch
    venue.fund_tick(300)
    assert any(venue.state.market.funding_rates_e8)
    after = venue.journal.epoch
    assert before is not None
    assert after is not None
    assert after.charge_root != before.charge_root
    assert after == venue.journal.epoch_now()
    assert Journal.restore(venue.journal.snapshot()).epoch_now() == after


def test_totals_count_accounts_below_maintenance() -> None:
    venue = in_trouble()
    assert totals_of(venue.state).below_maintenance == 0
    for usd in (115_000, 110_000, 109_000):
        venue.price(usd)
    assert totals_of(venue.state).below_maintenance == 1
    batch = venue.journal.cut(ENGINE_HASH)
    assert batch.header.totals_hash == totals_hash(batch.totals)
    assert (batch.totals.accounts, batch.totals.liquidations) == (4, 0)
    assert batch.totals.insurance_e6 == int(venue.state.accounts.cash[0])


def spend_nonce(venue: JournalVenue) -> None:
    venue.state.use_nonce(3, 2**64 - 1)


def requeue(venue: JournalVenue) -> None:
    first, *_ = venue.state.orders_of(3)
    venue.state.close(first.order_id)
    venue.state.rest(first)


def hold_report(venue: JournalVenue, standing: Standing = NO_STANDING) -> None:
    venue.state.market.pending = PendingReport(9, TimestampNs(9), (1, 2), standing)


def stand(venue: JournalVenue, **change: int) -> None:
    market = venue.state.market
    market.standing = replace(market.standing, **change)  # type: ignore[arg-type] # its fields


def rehaircut(venue: JournalVenue, **change: int) -> None:
    market = venue.state.market
    first, *others = market.haircuts
    market.haircuts = (replace(first, **change), *others)  # type: ignore[arg-type] # its fields


def retrip(venue: JournalVenue, **change: object) -> None:
    market = venue.state.market
    first, *others = market.breakers
    market.breakers = (replace(first, **change), *others)  # type: ignore[arg-type] # its fields


CHANGES: dict[str, Callable[[JournalVenue], object]] = {
    "cash": lambda v: v.state.accounts.add_cash(3, 1),
    "a nonce": spend_nonce,
    "a trading key": lambda v: v.state.keys.update({bytes(20): {b"\x77" * 20: 1}}),
    "the queue at a price": requeue,
    "what is left of an order": lambda v: setattr(v.state.orders_of(3)[0], "lots", -1),
    "reduce-only": lambda v: setattr(v.state.orders_of(3)[0], "reduce_only", True),
    "the expiry of an order": lambda v: setattr(v.state.orders_of(3)[0], "expires_at_ns", 1),
    "the pending report": hold_report,
    "the round": lambda v: setattr(v.state.market, "round", 77),
    "the observation time": lambda v: setattr(v.state.market, "observed_at_ns", 77),
    "a median": lambda v: setattr(v.state.market, "medians", (1,) * 10),
    "since when the oracle is back": lambda v: stand(v, resumed_at_s=1),
    "the streak": lambda v: stand(v, streak=7),
    "the end of a grace": lambda v: stand(v, is_settled=not v.state.market.standing.is_settled),
    "funding": lambda v: v.state.market.funding_e6.__setitem__(256, 1),
    "the funding clock": lambda v: setattr(v.state.market, "funding_time_ns", 1),
    "the epoch": lambda v: setattr(v.state.market, "epoch", 9),
    "a settlement": lambda v: v.state.market.settled.add(InstrumentId(BTC_PERP)),
    "a funding rate": lambda v: setattr(v.state.market, "funding_rates_e8", (1, 0)),
    "a confidence": lambda v: setattr(v.state.market, "confidences_e6", (10**6, 1)),
    "the price behind a haircut": lambda v: rehaircut(v, price_e8=PriceE8(1)),
    "the time of a haircut": lambda v: rehaircut(v, time_ns=TimestampNs(1)),
    "the fast variance": lambda v: rehaircut(v, fast_e18=10**20),
    "the slow variance": lambda v: rehaircut(v, slow_e18=10**20),
    "a haircut": lambda v: rehaircut(v, haircut_e6=RatioE6(1)),
    "the fall of a haircut": lambda v: rehaircut(v, decayed_ns=TimestampNs(1)),
    "the level of a breaker": lambda v: retrip(v, level=Level.REDUCE_ONLY),
    "the end of a level": lambda v: retrip(v, until_ns=TimestampNs(1)),
    "what a breaker saw": lambda v: retrip(v, buckets=(Bucket(1, 2, 3),)),
    "a mode": lambda v: v.state.accounts.set_mode(3, Mode.CROSS),
    "the second asset": lambda v: v.state.accounts.add_collateral(3, 2, 1),
    "the clock": lambda v: setattr(v.state, "time_ns", 1),
    "the inbox cursor": lambda v: setattr(v.state, "inbox_cursor", 99),
    "the output counter": lambda v: setattr(v.state, "next_output_id", 99),
    "the sequence": lambda v: setattr(v.state, "last_seq", 99),
    "the parameters": lambda v: setattr(v.journal, "params_hash", ZERO32),
    "a flow": lambda v: setattr(v.state.flows, "drawn_e6", 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_state_root_covers(name: str) -> None:
    venue = in_trouble()
    venue.must(venue.order(3, BTC_PERP, -5, 121_000))
    venue.must(venue.order(3, BTC_PERP, -6, 121_000))
    before = venue.journal.state_root()
    assert venue.journal.state_root() == before
    CHANGES[name](venue)
    assert venue.journal.state_root() != before


def test_the_journal_of_an_auditor_gives_the_same_batches() -> None:
    venue = crashed()
    first = venue.journal.cut(ENGINE_HASH)
    venue.price(95_000)
    venue.must(venue.withdraw(3, usd=5))
    second = venue.journal.cut(ENGINE_HASH)
    auditor = Journal(strict=True)
    for batch in (first, second):
        for record in decode_records(batch.log):
            assert not isinstance(auditor.apply(record), Rejected)
        assert auditor.cut(ENGINE_HASH) == batch


def test_the_state_root_covers_the_standing_of_a_pending_report() -> None:
    roots = set()
    for standing in (NO_STANDING, Standing(5), Standing(0, 3)):
        venue = JournalVenue()
        venue.price(120_000)
        hold_report(venue, standing)
        roots.add(venue.journal.state_root())
    assert len(roots) == 3
