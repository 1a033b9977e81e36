"""The whole engine under random commands: what must hold after every event, and after a replay.

The ghost below keeps its own sums from what was deposited and withdrawn, never from the totals of
the state, so that an engine which books a wrong total cannot agree with itself.
"""

import copy
import pickle

import hypothesis
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from offchain.core.breaker import Level
from offchain.core.cross import cross_risk_reference
from offchain.core.margin import Mode, is_below, is_valid_risk_change
from offchain.core.scan import scan_sums_reference
from offchain.core.units import ONE_E6, ONE_E8, RatioE6
from offchain.engine import machine
from offchain.engine.breakers import breaker_level
from offchain.engine.events import DeficitCovered, LiquidationOrdered, Withdrawn
from offchain.engine.messages import Deposit, EntryKind, FundingTick, SettleExpiry, TimeInForce
from offchain.engine.modes import forbidden_by_mode
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.engine.sweeps import maintenance_margins, margins_near
from tests.support.rule_sets import NERVOUS
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ENTRY_TIME_S,
    ETH_PERP,
    RULES,
    WEEK_NS,
    Venue,
    feed_values,
    option,
)

TRADERS = st.integers(2, 6)
INSTRUMENTS = st.sampled_from(
    [
        BTC_PERP,
        BTC_WEEK,
        ETH_PERP,
        option("BTC-WEEK-110000-C"),
        option("BTC-MONTH-120000-P"),
        option("ETH-WEEK-4400-C"),
    ]
)
HALTS = (Reason.RISK_HALTED, Reason.TRADING_PAUSED)
LOTS = st.integers(-6_000, 6_000).filter(bool)


def digest(state: State) -> bytes:
    """Return everything that a replay must reproduce, as bytes."""
    accounts, n = state.accounts, state.accounts.count
    orders = [
        (o.order_id, o.account, o.lots, o.price_e8)
        for book in state.books.values()
        for o in book.orders()
    ]
    parts = [accounts.cash[:n].tobytes(), accounts.collateral[:n].tobytes()]
    parts += [accounts.mode[:n].tobytes(), accounts.open_interest.tobytes()]
    parts += [accounts.ids[:n].tobytes(), accounts.lots[:n].tobytes(), accounts.costs[:n].tobytes()]
    market = state.market
    rest = (orders, state.nonces, state.keys, market.medians, market.epoch, state.last_seq)
    models = (
        *(market.haircuts, market.curves, market.confidences_e6),
        *(market.funding_rates_e8, market.breakers),
    )
    return pickle.dumps((parts, market.funding_e6.tobytes(), rest, models))


class EngineMachine(RuleBasedStateMachine):
    """Random traders, prices, funding, liquidations, withdrawals and expiries."""

    @initialize(
        funds=st.integers(0, 50_000), backstop=st.integers(0, 2_000_000), nervous=st.booleans()
    )
    def start(self, funds: int, backstop: int, nervous: bool) -> None:
        self.venue = Venue(NERVOUS if nervous else RULES)
        self.cash = 0  # ghost: what is inside, by what went through the door
        self.coins = [0, 0]
        self.venue.fund(funds, backstop)
        self.cash += (funds + backstop) * ONE_E6
        self.usd = 120_000
        for name in range(10, 15):
            self.venue.deposit(name, 100_000, btc=0.25, eth=2)
            self.cash += 100_000 * ONE_E6
            self.coins[0] += ONE_E8 // 4
            self.coins[1] += 2 * ONE_E8
        self.venue.price(self.usd)

    @rule(name=st.integers(10, 14), usd=st.integers(1, 200_000))
    def deposit(self, name: int, usd: int) -> None:
        self.venue.deposit(name, usd)
        self.cash += usd * ONE_E6

    @rule(name=st.integers(10, 14), asset=st.integers(1, 2), milli=st.integers(1, 10**6))
    def deposit_beyond_a_cap(self, name: int, asset: int, milli: int) -> None:
        """Send back to its owner at once what the cap keeps out."""
        terms = RULES.collateral[asset - 1]
        amount = terms.cap_e8 * milli // 500_000
        coins = amount / ONE_E8
        owned = self.venue.state.next_output_id
        self.venue.deposit(name, btc=coins if asset == 1 else 0, eth=coins if asset == 2 else 0)
        kept = min(round(coins * ONE_E8), terms.cap_e8 - self.coins[asset - 1])
        self.coins[asset - 1] += kept
        is_bounced = kept < round(coins * ONE_E8)
        assert self.venue.state.next_output_id == owned + is_bounced

    @rule(account=TRADERS, mode=st.integers(-1, 3))
    def change_mode(self, account: int, mode: int) -> None:
        if isinstance(self.venue.do(self.venue.set_mode(account, mode)), Rejected):
            return
        margin = account_margin(self.venue.state, account)
        assert margin.mode == mode
        assert margin.margin_balance_e6 >= margin.initial_e6

    @rule(account=TRADERS, asset=st.integers(0, 3), milli=st.integers(1, 2_000))
    def convert(self, account: int, asset: int, milli: int) -> None:
        old = [account_margin(self.venue.state, a) for a in (1, account)]
        sale = self.venue.convert(account, asset, milli / 1_000)
        if isinstance(self.venue.do(sale), Rejected):
            return
        new = [account_margin(self.venue.state, a) for a in (1, account)]
        assert new[0].margin_balance_e6 >= old[0].margin_balance_e6  # buying never costs margin
        assert new[0].margin_balance_e6 >= new[0].initial_e6
        assert new[1].margin_balance_e6 >= old[1].margin_balance_e6 - 1  # rounded down twice

    @rule(step=st.integers(-60, 60), ether=st.integers(3_000, 6_000), vol=st.integers(20, 150))
    def move_price(self, step: int, ether: int, vol: int) -> None:
        self.usd = max(20_000, min(300_000, self.usd * (1_000 + step) // 1_000))
        self.venue.do(self.venue.report(*feed_values(self.usd, ether, vol)))

    @rule(percent=st.integers(-25, 25))
    def crash_or_squeeze(self, percent: int) -> None:
        self.usd = max(20_000, min(300_000, self.usd * (100 + percent) // 100))
        self.venue.price(self.usd)
        self.liquidate_all_below()

    @rule(
        account=TRADERS,
        instrument=INSTRUMENTS,
        lots=LOTS,
        skew=st.integers(-30, 30),
        tif=st.sampled_from(TimeInForce),
        reduce_only=st.booleans(),
    )
    def place(
        self,
        account: int,
        instrument: int,
        lots: int,
        skew: int,
        tif: TimeInForce,
        reduce_only: bool,
    ) -> None:
        mark = int(self.venue.state.market.prices.marks_e8[instrument])
        usd = max(mark / ONE_E8, 1.0) * (1_000 + skew) / 1_000
        held = account_margin(self.venue.state, account, orders=())
        was_safe = held.margin_balance_e6 >= held.maintenance_e6
        order = self.venue.order(account, instrument, lots, usd, tif=tif, reduce_only=reduce_only)
        underlying = self.venue.state.underlying(instrument).index
        level, _ = breaker_level(self.venue.state, underlying, self.venue.now)
        decision = self.venue.do(order)
        if level is Level.PAUSE or (level and not reduce_only):  # E-16
            assert isinstance(decision, Rejected)
        if isinstance(decision, Rejected):
            assert level or decision.reason not in HALTS
            assert level is Level.PAUSE or not reduce_only or decision.reason not in HALTS
            return
        after = account_margin(self.venue.state, account, orders=())
        if was_safe:  # E-5: no order takes its owner from safe to liquidatable
            assert after.margin_balance_e6 >= after.maintenance_e6
        if not reduce_only:  # E-4: whatever it fills, initial margin stays covered
            worst = account_margin(self.venue.state, account)
            assert worst.margin_balance_e6 >= worst.initial_e6

    @rule(pair=st.permutations([2, 3, 4, 5, 6]), instrument=INSTRUMENTS, lots=st.integers(1, 6_000))
    def trade_at_the_mark(self, pair: list[int], instrument: int, lots: int) -> None:
        self._trade(pair, instrument, lots)

    @rule(pair=st.permutations([2, 3, 4, 5, 6]), lots=st.integers(4_000, 5_800))
    def trade_with_high_leverage(self, pair: list[int], lots: int) -> None:
        self._trade(pair, BTC_PERP, lots)

    @rule(percent=st.sampled_from([-20, -12, 12, 20]))
    def crash_then_liquidate(self, percent: int) -> None:
        self.crash_or_squeeze(percent)

    def _trade(self, pair: list[int], instrument: int, lots: int) -> None:
        usd = max(int(self.venue.state.market.prices.marks_e8[instrument]) / ONE_E8, 1.0)
        self.venue.do(self.venue.order(pair[0], instrument, -lots, usd))
        self.venue.do(self.venue.order(pair[1], instrument, lots, usd))

    @rule(account=TRADERS)
    def cancel_oldest(self, account: int) -> None:
        orders = self.venue.state.orders_of(account)
        order_id = orders[0].order_id if orders else 1
        decision = self.venue.do(self.venue.cancel(account, order_id))
        assert isinstance(decision, Rejected) != bool(orders)  # at every level of a breaker

    @rule(minutes=st.integers(1, 9))
    def accrue_funding(self, minutes: int) -> None:
        self.venue.now += minutes * 60 * 10**9
        self.venue.do(FundingTick())

    @rule()
    def liquidate_all_below(self) -> None:
        for account in machine.below_trigger(self.venue.state):
            before = self.venue.state.accounts.positions(account)
            decision = self.venue.liquidate(account)
            if isinstance(decision, Rejected):
                assert decision.reason not in HALTS
                continue
            held = {i: lots for i, lots, _ in before}
            for event in self.venue.events[-24:]:
                if isinstance(event, LiquidationOrdered | DeficitCovered):
                    hypothesis.event(type(event).__name__)
            for i, lots, _ in self.venue.state.accounts.positions(account):  # E-11
                assert lots * held[i] > 0
                assert abs(lots) <= abs(held[i])

    @rule(account=st.integers(0, 6))
    def liquidate_anyone(self, account: int) -> None:
        margin = account_margin(self.venue.state, account, orders=())
        decision = self.venue.liquidate(account)
        if margin.margin_balance_e6 >= margin.maintenance_e6:
            assert isinstance(decision, Rejected)  # INV-8

    @rule(account=TRADERS, usd=st.integers(1, 30_000))
    def withdraw_cash(self, account: int, usd: int) -> None:
        if not isinstance(self.venue.do(self.venue.withdraw(account, usd=usd)), Rejected):
            self.cash -= usd * ONE_E6
            margin = account_margin(self.venue.state, account)
            assert margin.margin_balance_e6 >= margin.initial_e6

    @rule(account=TRADERS, milli=st.integers(1, 60), is_ether=st.booleans())
    def withdraw_collateral(self, account: int, milli: int, is_ether: bool) -> None:
        coins = {"eth": milli / 100} if is_ether else {"btc": milli / 1_000}
        command = self.venue.withdraw(account, **coins)
        if not isinstance(self.venue.do(command), Rejected):
            self.coins[command.asset - 1] -= command.amount

    @rule(account=TRADERS, asset=st.integers(0, 2), amount=st.integers(0, 10**11))
    def force_a_withdrawal(self, account: int, asset: int, amount: int) -> None:
        for out in self.venue.force(EntryKind.WITHDRAWAL, account, asset, amount):
            if isinstance(out, Withdrawn):
                assert 0 < out.amount <= amount
                self.cash -= out.amount * (asset == 0)
                self.coins[asset - 1] -= out.amount * (asset > 0)

    @rule(account=st.integers(0, 6), instrument=INSTRUMENTS, lots=st.integers(0, 9_000))
    def force_a_close(self, account: int, instrument: int, lots: int) -> None:
        before = account_margin(self.venue.state, account, orders=())
        was = self.venue.state.accounts.lots_of(account, instrument)
        self.venue.force(EntryKind.CLOSE, account, instrument, lots)
        left = self.venue.state.accounts.lots_of(account, instrument)
        assert was * left >= 0
        assert abs(was) - (lots or abs(was)) <= abs(left) <= abs(was)
        after = account_margin(self.venue.state, account, orders=())
        assert is_valid_risk_change(  # INV-7
            before.margin_balance_e6,
            before.maintenance_e6,
            after.margin_balance_e6,
            after.maintenance_e6,
        )

    @rule(account=TRADERS)
    def force_a_cancel_all(self, account: int) -> None:
        self.venue.force(EntryKind.CANCEL_ALL, account)
        assert self.venue.state.order_count(account) == 0

    @precondition(lambda self: self.venue.state.last_seq > 70)
    @rule()
    def jump_past_the_week(self) -> None:
        self.venue.now = max(self.venue.now, WEEK_NS)
        self.venue.do(self.venue.report(*feed_values(self.usd)))
        for instrument in RULES.listing.instruments:
            self.venue.do(SettleExpiry(instrument.id))

    @rule(offset=st.sampled_from([0, 2, 7]))
    def deposit_out_of_order(self, offset: int) -> None:
        command = Deposit(self.venue.state.inbox_cursor + offset, ENTRY_TIME_S, bytes(20), 0, 0, 1)
        assert isinstance(self.venue.do(command), Rejected)

    @invariant()
    def no_void_order_outlives_its_report(self) -> None:  # E-16
        state = self.venue.state
        for instrument, book in state.books.items():
            underlying = state.underlying(instrument).index
            level, _ = breaker_level(state, underlying, self.venue.now)
            assert level < Level.CANCEL or all(o.reduce_only for o in book.orders())

    @invariant()
    def money_is_conserved(self) -> None:  # SOL-1, INV-2, E-1, E-2
        accounts, n = self.venue.state.accounts, self.venue.state.accounts.count
        held = sum(int(c) for c in accounts.cash[:n])
        costs = sum(int(c) for c in accounts.costs[:n].ravel())
        assert held - costs == self.cash
        held_coins = accounts.collateral[:n].astype(object).sum(axis=0)
        assert held_coins.tolist() == self.coins  # asset by asset
        lots: dict[int, int] = {}
        for account in range(n):
            for instrument, size, _ in accounts.positions(account):
                lots[instrument] = lots.get(instrument, 0) + size
        assert not any(lots.values())

    @invariant()
    def open_interest_is_the_sum_of_long_lots(self) -> None:
        accounts, longs = self.venue.state.accounts, np.zeros(512, np.int64)
        for account in range(accounts.count):
            for instrument, size, _ in accounts.positions(account):
                longs[instrument] += max(0, size)
        assert accounts.open_interest.tolist() == longs.tolist()

    @invariant()
    def modes_hold_what_they_allow(self) -> None:
        state = self.venue.state
        for account in range(state.accounts.count):
            held = {i for i, _, _ in state.accounts.positions(account)}
            held |= {o.instrument for o in state.orders_of(account)}
            mode = Mode(int(state.accounts.mode[account]))
            assert forbidden_by_mode(state, mode, held) is None

    @invariant()
    def a_sweep_hides_nobody(self) -> None:
        state = self.venue.state
        balances, dues = maintenance_margins(state)
        for ratio in (600_000, 1_000_000, 1_500_000):
            near = set(margins_near(state, state.market, RatioE6(ratio)).accounts.tolist())
            for account, (balance, due) in enumerate(zip(balances, dues, strict=True)):
                margin = account_margin(state, account, orders=())
                assert (margin.margin_balance_e6, margin.maintenance_e6) == (balance, due)
                assert account in near or not is_below(int(balance), int(due), RatioE6(ratio))

    @invariant()
    def the_fund_is_never_negative_and_never_trades(self) -> None:  # E-12, R-6
        assert int(self.venue.state.accounts.cash[0]) >= 0
        assert self.venue.state.accounts.positions(0) == ()

    @invariant()
    def kernels_agree_with_their_reference(self) -> None:  # E-6
        arrays, terms = self.venue.state.market.prices, RULES.correlation
        losses = arrays.losses_e6
        for account in range(2, self.venue.state.accounts.count):
            positions = self.venue.state.accounts.positions(account)
            ids, lots = [p[0] for p in positions], [p[1] for p in positions]
            rows = {i: losses[i].tolist() for i in ids}
            sums = scan_sums_reference(ids, lots, rows)  # type: ignore[arg-type]
            total, _ = cross_risk_reference(
                sums, terms.offset_e6, terms.offset_cap_usd * ONE_E6, terms.breakdown_e6
            )
            margin = account_margin(self.venue.state, account)
            assert margin.scan_e6 == (total if margin.mode is Mode.PORTFOLIO else 0)

    def teardown(self) -> None:  # INV-13, S-3
        if not hasattr(self, "venue"):
            return
        again = State()
        for seq, now, command in copy.deepcopy(self.venue.log):
            assert not isinstance(machine.apply(again, command, seq, now), Rejected)
        assert digest(again) == digest(self.venue.state)
        n = again.accounts.count
        assert not np.any(again.accounts.lots[:n][again.accounts.ids[:n] == BTC_PERP].sum())


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
