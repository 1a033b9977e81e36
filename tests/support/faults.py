"""One fault at a time: what a sequencer that holds its key may put into a batch.

Each function leaves the chain with one more batch, in which exactly one thing is wrong. The number
is the kind of judge that decides it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from offchain.core.margin import trade_cost_e6
from offchain.core.oracle import Span
from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, PriceE8, ceil_div
from offchain.engine.messages import (
    Command,
    Liquidate,
    PriceReport,
)
from offchain.ledger.effects import (
    CashFlow,
    cash_word,
    open_word,
    trade_word,
)
from offchain.ledger.epoch import Report, report_hash
from offchain.ledger.trace import book_hash
from offchain.ledger.wire import Record, encode_record
from tests.support.draft import Draft
from tests.support.signed_venue import EPOCH, command_of, verified
from tests.support.street import ALICE, BOB, BTC_PERP, CAROL, DAVE, USD, Street

NOTHING_FREE, UNKNOWN = 2, 1
ALL = 2**128 - 1
DOLLARS = 1_000 * ONE_E6


@dataclass(frozen=True, slots=True)
class Fault:
    """A lie, by the kind of judge that decides it, and by the rule where only one may."""

    kind: int
    name: str
    tell: Callable[[Street], None]
    rule: str | None = None


FAULTS: list[Fault] = []


def decided_by(
    kind: int, rule: str | None = None
) -> Callable[[Callable[[Street], None]], Callable[[Street], None]]:
    """Register a lie."""

    def register(tell: Callable[[Street], None]) -> Callable[[Street], None]:
        FAULTS.append(Fault(kind, tell.__name__, tell, rule))
        return tell

    return register


def lie(street: Street, command: Command, words: bytes, **says: bytes) -> None:
    """Commit a batch with one record that has these effects."""
    draft = Draft.of(street.venue)
    draft.add(command, words, **says)
    street.venue.commit(*draft.close())


def entry(street: Street) -> Command:
    """Return the record that consumes the next entry of the inbox."""
    venue = street.venue
    found = venue.chain.inbox_entries(venue.read_to + 1, venue.chain.block_number())
    return command_of(found[0])


def fill(
    street: Street, taker: int, maker: int, lots: int, usd: int, order: int, *, fee: bool = True
) -> bytes:
    """Return the words of a fill at a price, with the taker's fee."""
    state = street.venue.journal.state
    divisor = state.underlying(BTC_PERP).lot_divisor
    price = usd * ONE_E8
    funding = int(state.market.funding_e6[BTC_PERP])
    cost = trade_cost_e6(lots, price, divisor, funding)
    words = trade_word(taker, BTC_PERP, lots, cost)
    words += trade_word(maker, BTC_PERP, -lots, -cost, order)
    charged = ceil_div(abs(lots) * (price // divisor) * state.rules.taker_fee_e6, ONE_E6)
    if fee and charged:
        words += cash_word(taker, CashFlow.TRADING_FEE, -charged)
        words += cash_word(0, CashFlow.TRADING_FEE, charged)
    return words


# Kind 1: reports


@decided_by(1)
def a_report_with_a_forged_signature(street: Street) -> None:
    venue = street.venue
    report = venue.report(USD)
    first, *rest = report.observations
    forged = replace(first, signature=rest[0].signature)
    venue.must(replace(report, observations=(forged, *rest)))
    venue.commit_honestly()


@decided_by(1)
def a_report_whose_spans_were_altered(street: Street) -> None:
    venue = street.venue
    report = venue.report(USD)
    first, *rest = report.observations
    wilder = replace(first, spans=(Span(7, 9), *first.spans[1:]))
    venue.must(replace(report, observations=(wilder, *rest)))
    venue.commit_honestly()


@decided_by(1)
def a_report_without_its_quorum(street: Street) -> None:
    report = street.venue.report(USD)
    few = replace(report, observations=report.observations[:4])
    lie(street, few, b"")


@decided_by(1)
def a_report_that_is_too_old(street: Street) -> None:
    report = street.venue.report(USD)
    street.venue.wait(street.venue.rules.oracle.heartbeat_ns // SECOND_NS + 1)
    lie(street, report, b"")


@decided_by(1)
def a_report_within_the_band_that_is_ignored(street: Street) -> None:
    lie(street, street.venue.report(USD + 100), b"")


@decided_by(1)
def a_jump_that_nobody_confirmed(street: Street) -> None:
    report = street.venue.report(USD * 2)
    draft = Draft.of(street.venue)
    before = street.venue.journal.epoch
    assert before is not None
    epoch = replace(before, number=before.number + 1, time_ns=street.venue.now)
    draft.add(report, b"", epoch_hash=draft.begin(epoch))
    street.venue.commit(*draft.close())


@decided_by(1)
def a_jump_that_was_confirmed_and_is_ignored(street: Street) -> None:
    venue = street.venue
    venue.must(venue.report(USD * 2))
    venue.wait(60)
    lie(street, venue.report(USD * 2), b"")


@decided_by(1)
def a_report_from_before(street: Street) -> None:
    before = street.venue.journal.epoch
    assert before is not None
    report = replace(street.venue.report(USD), round=1)
    signed = street.venue.oracles.report(1, report.observed_at_ns, report.observations[0].values)
    hashed = report_hash(Report(1, report.observed_at_ns, signed.observations[0].values))
    epoch = replace(before, number=before.number + 1, time_ns=street.venue.now, report_hash=hashed)
    draft = Draft.of(street.venue)
    draft.add(signed, b"", epoch_hash=draft.begin(epoch))
    street.venue.commit(*draft.close())


def with_epoch(street: Street, report: PriceReport, **says: object) -> None:
    """Commit a batch in which a report begins an epoch of which something is changed."""
    draft = Draft.of(street.venue)
    epoch = replace(street.epoch(report), **says)  # type: ignore[arg-type]
    draft.add(report, b"", epoch_hash=draft.begin(epoch))
    street.venue.commit(*draft.close())


@decided_by(1)
def an_epoch_of_the_report_before(street: Street) -> None:
    before = street.venue.journal.epoch
    assert before is not None
    with_epoch(street, street.venue.report(USD + 100), report_hash=before.report_hash)


# Kind 2: what follows from reports


@decided_by(2)
def marks_that_do_not_follow_the_report(street: Street) -> None:
    before = street.venue.journal.epoch
    assert before is not None
    with_epoch(street, street.venue.report(USD + 1_000), price_root=before.price_root)


@decided_by(2)
def losses_that_do_not_follow_the_report(street: Street) -> None:
    before = street.venue.journal.epoch
    assert before is not None
    with_epoch(street, street.venue.report(USD + 1_000), risk_root=before.risk_root)


# Kind 3: leaves


@decided_by(3)
def a_payment_that_no_leaf_shows(street: Street) -> None:
    venue = street.venue
    withdrawal = venue.withdrawal(DAVE, 0, DOLLARS)
    before = venue.journal.open.last_step.account_root
    lie(street, withdrawal, street.words(withdrawal), account_root=before)


@decided_by(3)
def a_thousand_dollars_out_of_nothing(street: Street) -> None:
    venue = street.venue
    withdrawal = venue.withdrawal(BOB, 0, DOLLARS)
    words, draft = street.words(withdrawal), Draft.of(venue)
    richer = Draft.of(venue)
    richer.ledger.apply(words)
    richer.ledger.accounts[street.number(DAVE)].cash += DOLLARS
    draft.add(withdrawal, words, account_root=richer.account_root())
    venue.commit(*draft.close())


@decided_by(3)
def leaves_that_nobody_knows(street: Street) -> None:
    withdrawal = street.venue.withdrawal(BOB, 0, DOLLARS)
    lie(street, withdrawal, street.words(withdrawal), account_root=b"\x5a" * 32)


# Kind 5: liquidations


def fall(street: Street) -> Liquidate:
    """Let the price fall until Alice may be liquidated."""
    for usd in (115_000, 110_000, 109_000):
        street.venue.price(usd)
    return Liquidate(street.venue.account(ALICE))


@decided_by(5)
def a_liquidation_beyond_its_legs(street: Street) -> None:
    command = fall(street)
    honest = street.honest(command)
    draft = Draft.of(street.venue)
    draft.instructions.append(honest.open.captures[-1].instruction)
    liquidation = honest.open.words[-1][:32]
    value = int(honest.state.market.net_lot_values()[BTC_PERP])
    alice, lots = street.number(ALICE), 2_400
    words = trade_word(1, BTC_PERP, lots, lots * value)
    words += trade_word(alice, BTC_PERP, -lots, -lots * value)
    draft.add(command, liquidation + words)
    street.venue.commit(*draft.close())


@decided_by(5)
def an_instruction_with_another_limit_price(street: Street) -> None:
    """Tell it where everybody sees it: the liar verifies its own liquidation."""
    venue, command = street.venue, fall(street)
    venue.must(command)
    capture = venue.journal.open.captures[-1]
    first, *rest = capture.instruction.legs
    worse = replace(first, limit_price_e8=PriceE8(first.limit_price_e8 // 2))
    false = replace(capture.instruction, legs=(worse, *rest))
    venue.journal.open.captures[-1] = replace(capture, instruction=false)
    batch = venue.commit_honestly()
    verified(venue, batch)


@decided_by(5)
def an_instruction_of_another_record(street: Street) -> None:
    """As above: the contract that verifies it does not know the records."""
    venue, command = street.venue, fall(street)
    venue.must(command)
    capture = venue.journal.open.captures[-1]
    false = replace(capture.instruction, id=capture.instruction.id - 1)
    venue.journal.open.captures[-1] = replace(capture, instruction=false)
    verified(venue, venue.commit_honestly())


@decided_by(5)
def a_liquidation_below_its_limit_price(street: Street) -> None:
    venue = street.venue
    venue.must(venue.order(BOB, BTC_PERP, 100, 60_000))
    order = venue.journal.state.last_seq
    command = fall(street)
    honest = street.honest(command)
    draft = Draft.of(venue)
    draft.instructions.append(honest.open.captures[-1].instruction)
    alice, bob = street.number(ALICE), street.number(BOB)
    words = honest.open.words[-1][:32] + fill(street, alice, bob, -100, 60_000, order, fee=False)
    draft.add(command, words)
    venue.commit(*draft.close())


@decided_by(3)
def a_deposit_of_an_account_beyond_the_tree(street: Street) -> None:
    street.venue.deposit(DAVE, 0, DOLLARS)
    draft = Draft.of(street.venue)
    draft.ledger.deposited[0] += DOLLARS
    draft.add(entry(street), cash_word(1 << 20, CashFlow.DEPOSIT, DOLLARS), applied=b"")
    street.venue.commit(*draft.close())


# Kind 9: two accounts


@decided_by(9)
def a_second_account_for_the_same_owner(street: Street) -> None:
    street.venue.deposit(DAVE, 0, DOLLARS)
    number = street.venue.journal.state.accounts.count
    words = open_word(number, 0, DAVE.address) + cash_word(number, CashFlow.DEPOSIT, DOLLARS)
    lie(street, entry(street), words)


# Kind 7: the book


@decided_by(7)
def a_withdrawal_that_the_book_does_not_count(street: Street) -> None:
    command = street.venue.withdrawal(DAVE, 0, DOLLARS)
    book = book_hash(street.venue.journal.book)
    lie(street, command, street.words(command), book_hash=book)


@decided_by(7)
def a_book_that_nobody_knows(street: Street) -> None:
    command = street.venue.withdrawal(DAVE, 0, DOLLARS)
    lie(street, command, street.words(command), book_hash=b"\x5b" * 32)


# Kind 11: the chain of steps


@decided_by(11)
def a_record_before_the_one_before_it(street: Street) -> None:
    venue = street.venue
    draft = Draft.of(venue)
    command = venue.order(CAROL, BTC_PERP, 1, 100_000)
    past = venue.journal.state.time_ns - SECOND_NS
    draft.time_start = past
    draft.add(command, b"", frame=draft.frame(command, past))
    # The contract itself looks at the beginning of a batch.
    draft.time_start = venue.now
    venue.commit(*draft.close())


@decided_by(11)
def a_number_that_is_left_out(street: Street) -> None:
    draft = Draft.of(street.venue)
    command = street.venue.order(CAROL, BTC_PERP, 1, 100_000)
    frame = encode_record(Record(draft.seq + 1, street.venue.now, EPOCH, command))
    draft.add(command, b"", frame=frame)
    street.venue.commit(*draft.close())


@decided_by(11)
def an_account_that_changes_without_any_effect(street: Street) -> None:
    command = street.venue.order(CAROL, BTC_PERP, 1, 100_000)
    lie(street, command, b"", account_root=b"\x5c" * 32)
