"""One random life of a venue, lived by the engine and by the slow model.

Amounts are drawn at the edges on purpose: what may just be withdrawn and one unit more, leverage
near the limit, jumps that need confirmation.
"""

from dataclasses import dataclass, field
from random import Random

from offchain.core.oracle import STILL
from offchain.core.parameters import RiskParameters
from offchain.core.units import (
    ONE_E6,
    ONE_E8,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    TimestampNs,
    UsdE6,
)
from offchain.engine import machine
from offchain.engine import messages as m
from offchain.engine.events import ForcedNoop
from offchain.engine.reasons import Rejected
from offchain.engine.risk import account_margin
from offchain.engine.state import State
from offchain.engine.sweeps import maintenance_margins
from offchain.engine.withdrawal import withdrawable
from tests.support.agreement import compare, fingerprint
from tests.support.slow_trading import SlowModel
from tests.support.venue import (
    BTC_PERP,
    BTC_WEEK,
    ENTRY_TIME_S,
    ETH_PERP,
    NO_SIGNATURE,
    START_NS,
    WEEK_NS,
    feed_values,
    option,
)

TRADERS = 6
FORCED = [kind for kind in m.EntryKind if kind is not m.EntryKind.DEPOSIT]
BUSY = [
    BTC_PERP,
    BTC_PERP,
    BTC_WEEK,
    ETH_PERP,
    option("BTC-WEEK-110000-C"),
    option("BTC-WEEK-100000-P"),
    option("BTC-MONTH-120000-P"),
    option("ETH-WEEK-4400-C"),
]


@dataclass
class Campaign:
    """One random life of a venue, lived twice."""

    rules: RiskParameters
    random: Random
    state: State = field(default_factory=State)
    now: int = START_NS
    nonce: int = 0
    round: int = 0
    usd: float = 120_000
    ether: float = 4_300
    vol: int = 45
    spread: int = 20
    stable: int = ONE_E8
    accepted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        machine.apply(self.state, m.Genesis(self.rules), 1, self.now)
        self.model = SlowModel(self.rules)
        other = (bytes.fromhex(self.rules.backstop_owner[2:]), 1)
        self.owners = [(n.to_bytes(20), 0) for n in range(10, 13)] + [((10).to_bytes(20), 1), other]
        self.owners.append((bytes.fromhex(self.rules.insurance_owner[2:]), 1))
        rich = self.random.choice([0, 1_000, 3_000_000])
        self.deposit((other[0], 0), 0, self.random.choice([1, 10_000, 20_000_000]) * ONE_E6)
        self.deposit((self.owners[-1][0], 0), 0, (rich + 1) * ONE_E6)
        for owner in self.owners:
            self.deposit(owner, 0, self.random.choice([2_000, 60_000, 400_000]) * ONE_E6)
            for asset in (1, 2):
                if self.random.random() < 0.5:
                    self.deposit(owner, asset, self.random.randrange(1, 2 * ONE_E8))
        for account in range(2, TRADERS + 2):  # before the first price: nothing is at risk
            self.do(m.SetMode(AccountId(account), self.random.choice([0, 1, 2]), *self.signed()))
        self.price()

    def do(self, command: m.Command) -> bool:
        """Give a command to both and compare; return whether it was accepted."""
        seq = self.state.last_seq + 1
        before = fingerprint(self.state)
        decision = machine.decide(self.state, command, seq, self.now)
        assert fingerprint(self.state) == before, "decide changed the state"
        after = self.model.apply(command, seq, self.now)
        assert isinstance(decision, Rejected) == (after is None), (command, decision)
        if after is None:
            return False
        assert not isinstance(decision, Rejected)
        machine.apply(self.state, command, seq, self.now)
        self.check_rules(command, self.model, after)
        self.model = after
        name = type(command).__name__
        self.accepted[name] = self.accepted.get(name, 0) + 1
        if isinstance(command, m.Deposit | m.Forced):
            noops = [e.reason for e in decision if isinstance(e, ForcedNoop)]
            assert noops == [after.noop] * bool(after.noop), (command, decision)
        compare(self.state, after)
        return True

    def check_rules(self, command: m.Command, old: SlowModel, new: SlowModel) -> None:
        """E-5 and E-12 for everybody but the one who is liquidated, and E-4."""
        bystanders = [a for a in range(len(old.accounts)) if a != getattr(command, "account", -1)]
        for a in bystanders[2:]:
            if not old.accounts[a].positions and not new.accounts[a].positions:
                is_entry = isinstance(command, m.Deposit | m.Forced)
                assert new.accounts[a].cash == old.accounts[a].cash or is_entry, "E-12"
        if isinstance(command, m.PlaceOrder | m.Withdraw):
            bystanders = list(range(len(old.accounts)))
        is_risky = isinstance(command, m.PlaceOrder | m.Withdraw | m.Liquidate | m.Forced)
        if old.prices is None or not is_risky:
            return
        for a in bystanders:
            if old.accounts[a] != new.accounts[a] and old.balance(a) >= old.due(a):
                assert new.balance(a) >= new.due(a), f"E-5 for {a}"
        if isinstance(command, m.PlaceOrder) and not command.reduce_only:
            assert new.balance(command.account) >= new.initial(command.account), "E-4"

    def signed(self) -> tuple[int, TimestampNs, bytes]:
        self.nonce += 1
        if self.random.random() < 0.02:
            self.nonce -= 1
        reach = self.random.choice([1, 60, 3_600, 10**6]) * 10**9
        return self.nonce, TimestampNs(self.now + reach), NO_SIGNATURE

    def deposit(self, owner: tuple[bytes, int], asset: int, amount: int) -> None:
        assert self.do(m.Deposit(self.next_entry, ENTRY_TIME_S, *owner, asset, amount))

    @property
    def next_entry(self) -> int:
        return self.model.entries + 1

    def force(self) -> None:
        """Let an owner force something: mostly what makes sense, sometimes nonsense."""
        kind = self.random.choice(
            [*[m.EntryKind.CLOSE] * 5, *[m.EntryKind.WITHDRAWAL] * 3, *FORCED]
        )
        everybody = range(len(self.model.accounts))
        holders = [a for a in everybody if self.model.accounts[a].positions]
        is_close = kind is m.EntryKind.CLOSE
        account = self.random.choice([*everybody, *holders * (9 if is_close else 0)])
        owned = self.model.accounts[account]
        owner = self.random.choice([*[(owned.owner, owned.subaccount)] * 9, (bytes(20), 0)])
        place, amount = 0, self.random.choice([0, 0, 1, 50, 2_000, ONE_E6, 2**128 - 1])
        if kind is m.EntryKind.WITHDRAWAL:
            place = self.random.choice([0, 0, 1, 2, 3, 2**16 - 1])
        elif kind is m.EntryKind.CLOSE:
            place = self.random.choice([*sorted(owned.positions) * 3, *BUSY, 255])
        elif kind is m.EntryKind.GRANT:
            amount = self.now // 10**9 + self.random.choice([-1, 0, 1, 10**5, 2**70])
        key = self.random.choice([bytes(20), (7).to_bytes(20), (8).to_bytes(20)])
        before = self.model
        entry = m.Forced(self.next_entry, ENTRY_TIME_S, *owner, place, amount, kind, key)
        assert self.do(entry), "the inbox never stops"
        self.check_forced(entry, before, account)

    def check_forced(self, entry: m.Forced, old: SlowModel, account: int) -> None:
        """Check that a close reduces what it names and nothing else, and leaves nobody worse."""
        new = self.model
        if entry.kind is not m.EntryKind.CLOSE or new.noop:
            return
        was, rows = old.held(account), new.held(account)
        left = rows.pop(entry.place, 0)
        assert abs(left) < abs(was[entry.place])
        assert left * was.pop(entry.place) >= 0
        assert rows == was
        assert old.may_become(new, account)

    def report(self) -> bool:
        self.now += self.random.choice([1, 30, 60]) * 10**9
        self.round += 1
        seen = []
        for signer in sorted(self.random.sample(range(7), self.random.choice([5, 5, 6, 7]))):
            noise = 1 + self.random.randrange(-self.spread, self.spread + 1) / 20_000
            values = feed_values(self.usd * noise, self.ether * noise, self.vol)
            values = (*values[:-1], self.stable)
            seen.append(m.Observation(signer, values, (STILL,) * len(values), NO_SIGNATURE))
        return self.do(m.PriceReport(self.round, TimestampNs(self.now), tuple(seen)))

    def price(self) -> None:
        self.report()
        if self.model.pending is not None and self.random.random() < 0.8:
            self.report()

    def account(self) -> AccountId:
        return AccountId(self.random.randrange(1, TRADERS + 3))

    def instrument(self) -> int:
        """Return one of the busy instruments, mostly one that is open."""
        if self.random.random() < 0.1:
            return self.random.choice(sorted(self.model.listed))
        return self.random.choice([i for i in BUSY if self.model.is_open(i, self.now)])

    def usd_near(self, instrument: int, spread: float) -> int:
        tick = self.model.tick(instrument)
        mark = self.model.known().marks[instrument]
        price = mark * (1 + self.random.uniform(-spread, spread))
        return max(tick, round(price / tick) * tick)

    def place(self, account: int, instrument: int, lots: int, price: int, **terms: bool) -> bool:
        tif = m.TimeInForce(self.random.choice([0, 0, 0, 1, 2]) if not terms else 0)
        return self.do(
            m.PlaceOrder(
                AccountId(account),
                InstrumentId(instrument),
                Lots(lots),
                PriceE8(price),
                tif,
                terms.get("reduce_only", False),
                *self.signed(),
            )
        )

    # What may happen.

    def order(self) -> None:
        instrument, account = self.instrument(), self.account()
        lots = self.random.choice([1, 7, 100, 900, 3_000, 9_000]) * self.random.choice([-1, 1])
        held = self.model.accounts[account].positions if account < 8 else {}
        reduce_only = self.random.random() < 0.3
        if reduce_only and held:
            instrument = self.random.choice(sorted(held))
            lots = -held[instrument][0] * self.random.choice([1, 1, 2]) // 1
        spread = self.random.choice([0, 0.001, 0.02, 0.4])
        price = self.usd_near(instrument, spread)
        if reduce_only:
            self.place(account, instrument, lots or 1, price, reduce_only=True)
        else:
            self.place(account, instrument, lots, price)

    def trade(self) -> None:
        """Two accounts meet at the mark, as large as the margin of the buyer nearly allows."""
        buyer, seller = self.random.sample(range(2, TRADERS + 2), 2)
        modes = [self.model.accounts[a].mode for a in (buyer, seller)]
        instrument = self.instrument() if modes == [2, 2] else self.linear(seller)
        price = self.usd_near(instrument, 0)
        losses = self.model.known().losses[instrument]
        worst = max(1, *(abs(x) for x in losses))
        if modes[0] != 2:
            worst = max(1, self.model.known().values[instrument] // 40)
        free = max(0, self.model.balance(buyer) - self.model.initial(buyer))
        lots = min(200_000, max(1, free * self.random.randrange(50, 101) // (100 * worst)))
        self.place(seller, instrument, -lots, price, reduce_only=False)
        self.place(buyer, instrument, lots, price, reduce_only=False)

    def linear(self, account: int) -> int:
        """Return a perpetual or future, mostly the one that the account already holds."""
        open_ones = [i for i in (BTC_PERP, BTC_WEEK, ETH_PERP) if self.model.is_open(i, self.now)]
        held = [i for i in self.model.accounts[account].positions if i in open_ones]
        return self.random.choice([*held, *held, *held, self.random.choice(open_ones)])

    def move(self) -> None:
        jump = self.random.choice([0.002, 0.01, 0.04, 0.12, 0.3])
        self.usd = max(30_000, min(500_000, self.usd * (1 + self.random.uniform(-jump, jump))))
        self.ether = max(1_500, min(9_000, self.ether * (1 + self.random.uniform(-jump, jump))))
        if self.random.random() < 0.1:
            self.vol = self.random.randrange(1, 300)
            self.spread = self.random.choice([20, 20, 100, 250])
            self.stable = self.random.choice([ONE_E8, ONE_E8, 98_123_457, 96_000_000])
        self.price()
        if self.random.random() < 0.7:
            self.liquidate_below()

    def liquidate_below(self) -> None:
        below = machine.below_trigger(self.state)
        trigger = self.rules.liquidation.partial_trigger_e6
        expected = [a for a in range(2, len(self.model.accounts)) if self.is_due(a, trigger)]
        assert sorted(below) == expected
        for account in below:
            self.do(m.Liquidate(AccountId(account)))

    def is_due(self, account: int, trigger: int) -> bool:
        return self.model.is_below(account, trigger)

    def liquidate(self) -> None:
        self.do(m.Liquidate(AccountId(self.random.randrange(0, TRADERS + 4))))

    def cancel(self) -> None:
        numbers = [o.number for o in self.model.orders] or [1]
        number = self.random.choice(numbers)
        owners = [o.account for o in self.model.orders if o.number == number] or [2]
        account = self.random.choice([*owners * 4, self.account()])
        self.do(m.CancelOrder(AccountId(account), number, *self.signed()))

    def withdraw(self) -> None:
        account, asset = self.account(), self.random.randrange(3)
        if account >= len(self.model.accounts):
            return
        most = self.model.withdrawable(account, asset)
        assert withdrawable(self.state, account, asset) == most, (account, asset)
        amount = self.random.choice([most // 10, most, most + 1, ONE_E6])
        self.do(m.Withdraw(account, asset, amount, *self.signed()))

    def fund(self) -> None:
        self.now += self.random.choice([1, 10**9, 60 * 10**9, 400 * 10**9])
        self.do(m.FundingTick())

    def add_money(self) -> None:
        grain = self.random.choice([1, 5_000, 50_000 * ONE_E6])
        owner = self.random.choice([*self.owners, (self.owners[4][0], 0), (self.owners[5][0], 0)])
        self.deposit(owner, self.random.choice([0, 0, 1, 2]) if grain < ONE_E6 else 0, grain)
        if self.random.random() < 0.2:  # near the cap of an asset, and beyond it
            place = self.random.randrange(2)
            inside = sum(a.coins[place] for a in self.model.accounts)
            room = max(1, self.rules.collateral[place].cap_e8 - inside)
            self.deposit(owner, place + 1, max(1, room * self.random.choice([1, 1, 3]) // 2))
            self.withdraw()

    def change_mode(self) -> None:
        """Switch somebody, sometimes to what it may not have."""
        account, mode = self.account(), self.random.choice([0, 1, 1, 2, 2, 3])
        self.do(m.SetMode(account, mode, *self.signed()))

    def convert(self) -> None:
        account, asset = self.account(), self.random.choice([1, 1, 2, 2, 3, 0])
        if account >= len(self.model.accounts) or asset > 2 or asset < 1:
            self.do(m.Convert(account, asset, 1, UsdE6(0), *self.signed()))
            return
        coins = self.model.accounts[account].coins[asset - 1]
        amount = self.random.choice([1, coins // 7, coins // 2, coins, coins + 1])
        money = amount * self.model.sale_price(asset) // 10**10
        least = max(0, money + self.random.choice([-(10**6), 0, 0, 1]))
        self.do(m.Convert(account, asset, amount, UsdE6(least), *self.signed()))

    def expire(self) -> None:
        if self.random.random() < 0.3:
            self.now = max(self.now, WEEK_NS - self.random.choice([-10, 3_600, 4]) * 10**9)
            self.price()
        for instrument in self.random.sample(sorted(self.model.listed), 6):
            self.do(m.SettleExpiry(InstrumentId(instrument)))

    def margins(self) -> None:
        """Compare every margin figure of every account."""
        balances, dues = maintenance_margins(self.state)
        for account in range(len(self.model.accounts)):
            assert balances[account] == self.model.balance(account)
            assert dues[account] == self.model.due(account)
            margin = account_margin(self.state, account)
            assert margin.margin_balance_e6 == self.model.balance(account)
            assert margin.maintenance_e6 == self.model.due(account)
            assert margin.initial_e6 == self.model.initial(account)

    def run(self, steps: int) -> None:
        words = [self.order] * 30 + [self.trade] * 22 + [self.move] * 16 + [self.withdraw] * 8
        words += [self.cancel, self.fund, self.liquidate, self.add_money] * 4 + [self.margins] * 3
        words += [self.force] * 10 + [self.expire] + [self.change_mode] * 6 + [self.convert] * 4
        for step in range(steps):
            word = self.random.choice(words)
            try:
                word()
            except AssertionError as error:
                error.add_note(f"step {step}: {word.__name__}")
                raise
