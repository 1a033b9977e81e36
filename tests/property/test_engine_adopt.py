"""Any set that is adopted changes requirements alone, and a replay comes to the same state."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.terms import Terms
from offchain.core.units import RatioE6
from offchain.engine.messages import Adopt
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.engine.sweeps import maintenance_margins
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record, decode_records, encode_record
from tests.support.adoption import dearer, with_strike
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.venue import BTC_PERP, BTC_WEEK, ETH_PERP, RULES, option

OWNED = ("cash", "collateral", "ids", "lots", "costs", "counts", "mode")
TERMS = st.builds(
    lambda factor, triggers, cap, offset, breakdown, fee, most: Terms(
        factor, max(triggers), min(triggers), cap, offset, breakdown, fee, most
    ),
    st.integers(1, 10**6),
    st.tuples(st.integers(1, 3 * 10**6), st.integers(1, 3 * 10**6)),
    st.integers(250_000, 500_000),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
)
SETS = st.builds(
    lambda scale, fee, longer: _another(scale, fee, longer=longer),
    st.integers(200_000, 3_000_000),
    st.integers(0, 10_000),
    st.booleans(),
)
TRADES = st.lists(
    st.tuples(
        st.sampled_from([BTC_PERP, BTC_WEEK, ETH_PERP, option("BTC-WEEK-110000-C")]),
        st.integers(-300, 300).filter(bool),
    ),
    max_size=5,
)


def _another(scale_e6: int, fee_e6: int, *, longer: bool) -> object:
    scan = tuple(
        replace(s, price_range_e6=RatioE6(s.price_range_e6 * scale_e6 // 10**6)) for s in RULES.scan
    )
    rules = replace(dearer(RULES), scan=scan, taker_fee_e6=RatioE6(fee_e6))
    return with_strike(rules) if longer else rules


def _prices(venue: JournalVenue, instrument: int) -> float:
    value = int(venue.state.market.prices.lot_values_e6[instrument])
    return value * venue.state.underlying(instrument).lot_divisor / 10**8


@settings(max_examples=30)
@given(TRADES, SETS, TERMS, st.integers(90_000, 140_000))
def test_an_adopted_set_moves_nothing_and_replays(
    trades: list[tuple[int, int]], rules: object, laid: Terms, usd: int
) -> None:
    venue = JournalVenue()
    venue.fund(insurance_usd=20_000, backstop_usd=1_000_000)
    venue.deposit(10, 200_000, btc=1)
    venue.deposit(11, 2_000_000, eth=3)
    venue.price(120_000)
    for instrument, lots in trades:
        price = _prices(venue, instrument)
        venue.do(venue.order(3, instrument, -lots, price))
        venue.do(venue.order(2, instrument, lots, price))
    journal, accounts = venue.journal, venue.state.accounts
    journal.cut(ENGINE_HASH)
    image = journal.snapshot()
    before = [getattr(accounts, name).tobytes() for name in OWNED]
    root, book = journal.account_root(), journal.book
    start = len(venue.log)
    venue.must(Adopt(laid, rules))  # type: ignore[arg-type]  # a set, made by a strategy
    assert [getattr(accounts, name).tobytes() for name in OWNED] == before
    assert (journal.account_root(), journal.book) == (root, book)

    balances, due = maintenance_margins(venue.state)
    for account in range(accounts.count):
        exact = account_margin(venue.state, account, orders=())
        assert (balances[account], due[account]) == (exact.margin_balance_e6, exact.maintenance_e6)

    venue.price(usd)
    for account in range(2, accounts.count):
        venue.liquidate(account)
    batch = journal.cut(ENGINE_HASH)
    assert batch.terms == laid
    for witness in batch.witnesses:
        witness.check(batch.header, batch.terms, batch.curves_hash)
    again = Journal.restore(image, strict=True)
    frames = b"".join(encode_record(Record(s, t, venue.fence, c)) for s, t, c in venue.log[start:])
    for record in decode_records(frames):
        assert not isinstance(again.apply(record), Rejected)
    assert again.cut(ENGINE_HASH) == batch
