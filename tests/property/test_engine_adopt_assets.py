"""Assets that are listed at any moment: SOL-1 holds, a replay agrees, and so do all margins."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.units import ONE_E8, AccountId
from offchain.engine.messages import Adopt, Deposit
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.engine.sweeps import maintenance_margins
from offchain.ledger.account_tree import root_reference
from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.journal import Journal
from offchain.ledger.totals import assert_conserved
from offchain.ledger.wire import Record, decode_records, encode_record
from tests.support.adoption import adopt, with_asset
from tests.support.journal_venue import ENGINE_HASH, JournalVenue
from tests.support.venue import BTC_PERP, ENTRY_TIME_S, ETH_PERP, RULES

STEP = st.one_of(
    st.tuples(st.just("adopt"), st.integers(0, 1), st.integers(1, 3)),
    st.tuples(st.just("deposit"), st.integers(10, 14), st.integers(0, 8)),
    st.tuples(st.just("withdraw"), st.integers(2, 4), st.integers(0, 8)),
    st.tuples(st.just("trade"), st.sampled_from([BTC_PERP, ETH_PERP]), st.integers(-900, 900)),
    st.tuples(st.just("price"), st.integers(60_000, 180_000), st.just(0)),
    st.tuples(st.just("sell"), st.integers(2, 3), st.integers(1, 8)),
    st.tuples(st.just("liquidate"), st.integers(2, 3), st.just(0)),
)


class Life:
    """A venue, moved step by step; a set with more assets begins a batch."""

    def __init__(self) -> None:
        self.venue, self.rules = JournalVenue(), RULES
        self.venue.fund(insurance_usd=20_000, backstop_usd=1_000_000)
        self.venue.deposit(10, 60_000, btc=1)
        self.venue.deposit(11, 2_000_000, eth=3)
        self.venue.price(120_000)

    def step(self, kind: str, one: int, other: int) -> None:
        """Do one thing; what the engine refuses is not done."""
        venue = self.venue
        if kind == "adopt":
            if len(self.rules.collateral) + other <= 8:
                self.rules = with_asset(self.rules, one, other)
                if venue.journal.open_records:
                    venue.journal.cut(ENGINE_HASH)
                venue.must(adopt(self.rules))
        elif kind == "deposit":
            index, owner = venue.state.inbox_cursor + 1, one.to_bytes(20)
            venue.must(Deposit(index, ENTRY_TIME_S, owner, 0, other, ONE_E8 // 10))
        elif kind == "trade" and other:
            usd = 4_300 if one == ETH_PERP else 120_000
            venue.do(venue.order(3, one, -other, usd))
            venue.do(venue.order(2, one, other, usd))
        elif kind == "price":
            venue.price(one)
        elif kind == "sell":
            venue.do(venue.convert(one, other, 0.05))
        elif kind == "liquidate":
            venue.liquidate(one)
        elif kind == "withdraw" and one < venue.state.accounts.count:
            command = venue.withdraw(one, usd=1)
            venue.do(replace(command, account=AccountId(one), asset=other))


@settings(max_examples=40)
@given(st.lists(STEP, min_size=4, max_size=30))
def test_assets_at_any_moment_conserve_replay_and_are_margined(
    steps: list[tuple[str, int, int]],
) -> None:
    life = Life()
    for step in steps:
        life.step(*step)
    venue, state = life.venue, life.venue.state
    assert_conserved(state)
    assert state.accounts.assets == len(life.rules.collateral)
    assert venue.journal.account_root() == root_reference(state.accounts)
    balances, due = maintenance_margins(state)
    for account in range(state.accounts.count):
        exact = account_margin(state, account, orders=())
        assert (balances[account], due[account]) == (exact.margin_balance_e6, exact.maintenance_e6)

    again = Journal(strict=True)
    frames = b"".join(encode_record(Record(s, t, venue.fence, c)) for s, t, c in venue.log)
    for record in decode_records(frames):
        if isinstance(record.command, Adopt) and again.open_records:
            again.cut(ENGINE_HASH)
        assert not isinstance(again.apply(record), Rejected)
    assert again.state_root() == venue.journal.state_root()
    assert again.book == venue.journal.book
    assert Checkpoint(again.state).root == Checkpoint(state).root
    assert Journal.restore(again.snapshot()).snapshot() == again.snapshot()
