"""The engine again, slowly: the rules of the documents on dictionaries and unbounded integers.

Nothing of the engine is imported but its messages. Marks, lot values and losses are data: they
come from `offchain.pricing`, which has twins of its own. `slow_trading` holds orders and
liquidations, and the way in.
"""

import copy
from dataclasses import dataclass, field
from typing import Self

from offchain.core.instruments import Instrument, Kind
from offchain.core.parameters import RiskParameters
from offchain.engine import messages as m
from offchain.pricing.historical import history_losses
from offchain.pricing.risk_array import RiskRangeError, price_book
from tests.support import slow_breaker, slow_margin
from tests.support.slow_margin import ISOLATED, PORTFOLIO, Fill, Memory, Prices, World

ONE = 10**6
FUND, BACKSTOP = 0, 1


class RefusedError(Exception):
    """The command changes nothing."""


def ceil(a: int, b: int) -> int:
    return -(-a // b)


def need(*, holds: bool) -> None:
    if not holds:
        raise RefusedError


@dataclass
class Owned:
    """One margin account; a position is [lots, cost]."""

    owner: bytes
    subaccount: int
    cash: int = 0
    coins: list[int] = field(default_factory=list)  # by asset, from 1
    mode: int = PORTFOLIO
    positions: dict[int, list[int]] = field(default_factory=dict)

    def trade(self, instrument: int, lots: int, cost: int) -> None:
        held = self.positions.setdefault(instrument, [0, 0])
        held[0] += lots
        held[1] += cost
        if held[0] == 0:
            self.cash -= held[1]
            del self.positions[instrument]


@dataclass
class Resting:
    """One order in the book."""

    number: int
    account: int
    instrument: int
    lots: int
    price: int
    reduce_only: bool
    expires: int


class SlowVenue:
    """Everything that the machine knows, as the documents tell it."""

    def __init__(self, rules: RiskParameters) -> None:
        self.rules = rules
        self.listed: dict[int, Instrument] = {int(i.id): i for i in rules.listing.instruments}
        owners = (rules.insurance_owner, rules.backstop_owner)
        self.accounts = [self.opened(bytes.fromhex(owner[2:]), 0) for owner in owners]
        self.orders: list[Resting] = []
        self.touched = 0
        self.nonces: set[tuple[int, int]] = set()
        self.medians: tuple[int, ...] = ()
        self.pending: tuple[int, ...] | None = None
        self.seen_round = self.seen_at = self.observed_at = 0
        self.told = self.waits_at = 0
        self.back = self.back_pending = (0, 0)  # since when [s, rounded up], accepted reports
        self.calm = False  # whether the grace after an outage is over
        self.seen: list[tuple[int, tuple[int, ...]]] = []  # every accepted report: when, medians
        self.prices: Prices | None = None
        self.funding = dict.fromkeys(self.listed, 0)
        self.funded_at = 0
        underlyings = range(len(rules.listing.underlyings))
        self.rates = [0 for _ in underlyings]
        self.trust, self.breakers = [ONE for _ in underlyings], rules.breakers
        self.memories = [Memory(haircut=int(c.haircut_cap_e6)) for c in rules.collateral]
        self.settled: set[int] = set()
        self.entries = self.noop = 0
        self.keys: dict[tuple[bytes, bytes], int] = {}
        self.outputs = 0
        self.flows = {"contributed": 0, "drawn": 0, "shortfall": 0, "liquidations": 0}

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        twin = object.__new__(type(self))
        for name, value in self.__dict__.items():
            shared = name in ("rules", "listed", "medians", "seen")
            setattr(twin, name, value if shared else copy.deepcopy(value, memo))
        return twin

    def opened(self, owner: bytes, subaccount: int) -> Owned:
        return Owned(owner, subaccount, coins=[0] * len(self.rules.collateral))

    # What things are worth.

    def divisor(self, instrument: int) -> int:
        return self.rules.listing.underlyings[instrument >> 8].lot_divisor

    def tick(self, instrument: int) -> int:
        return int(self.rules.listing.underlyings[instrument >> 8].tick_e8)

    def known(self) -> Prices:
        if self.prices is None:
            raise RefusedError
        return self.prices

    def fresh(self, now: int) -> Prices:
        need(holds=now - self.observed_at <= self.rules.oracle.heartbeat_ns)
        return self.known()

    def steps(self, asset: int) -> list[tuple[int, int]]:
        """Return (up to this amount, what a unit of it counts for) of an asset."""
        terms, memory = self.rules.collateral[asset - 1], self.memories[asset - 1]
        price = self.medians[terms.underlying]
        return [
            (b.upto_e8, price * min(ONE - memory.haircut, b.weight_e6) // ONE)
            for b in terms.brackets
        ]

    def sale_price(self, asset: int) -> int:
        return self.steps(asset)[0][1]

    def worth(self, account: int, asset: int, amount: int) -> int:
        """Return what an amount of an asset counts for; the backstop knows no brackets."""
        if account == BACKSTOP:
            return amount * self.sale_price(asset) // 10**10
        total = left = 0
        for upto, price in self.steps(asset):
            part = min(amount, upto) - left
            if part <= 0:
                break
            total, left = total + part * price, left + part
        return total // 10**10

    def credit(self, account: int) -> int:
        coins = self.accounts[account].coins
        return sum(self.worth(account, a, n) for a, n in enumerate(coins, start=1) if n)

    def profit(self, account: int) -> int:
        return sum(
            lots * (self.known().values[i] - self.funding[i]) - cost
            for i, (lots, cost) in self.accounts[account].positions.items()
        )

    def balance(self, account: int) -> int:
        return self.accounts[account].cash + self.profit(account) + self.credit(account)

    def world(self) -> World:
        longs: dict[int, int] = {}
        for account in self.accounts:
            for i, (lots, _) in account.positions.items():
                longs[i] = longs.get(i, 0) + max(0, lots)
        return World(
            self.rules,
            self.listed,
            self.known(),
            self.medians,
            self.observed_at,
            self.rates,
            self.trust,
            longs,
        )

    def held(self, account: int) -> dict[int, int]:
        return {i: lots for i, (lots, _) in self.accounts[account].positions.items()}

    def due(self, account: int) -> int:
        held = self.held(account)
        return self.world().maintenance(self.accounts[account].mode, held) if held else 0

    def fills(self, account: int) -> list[Fill]:
        return [(o.instrument, o.lots, o.price) for o in self.orders if o.account == account]

    def initial_with(self, account: int, fills: list[Fill]) -> int:
        return self.world().initial(self.accounts[account].mode, self.held(account), fills)

    def initial(self, account: int) -> int:
        return self.initial_with(account, self.fills(account))

    def is_below(self, account: int, trigger: int) -> bool:
        balance = self.balance(account)
        return balance < 0 or balance * ONE < trigger * self.due(account)

    def withdrawable(self, account: int, asset: int) -> int:
        held = self.accounts[account]
        realised = held.cash + min(0, self.profit(account))
        free = self.balance(account) - self.initial(account)
        if asset == 0:
            return max(0, min(realised, free))
        # The most that may go, found by what must still be there: search instead of division.
        coins = held.coins[asset - 1]
        low, high = 0, coins
        value = self.worth(account, asset, coins)
        room = min(free, realised + self.credit(account))
        while low < high:
            middle = (low + high + 1) // 2
            lost = value - self.worth(account, asset, coins - middle)
            low, high = (middle, high) if lost <= room else (low, middle - 1)
        return low

    # Commands that do not trade.

    def is_open(self, instrument: int, now: int) -> bool:
        expiry = int(self.listed[instrument].expiry_ns)
        return instrument not in self.settled and (expiry == 0 or now < expiry)

    def one_order(self, number: int, account: int) -> list[Resting]:
        found = [o for o in self.orders if (o.number, o.account) == (number, account)]
        need(holds=len(found) == 1)
        return found

    def intent(
        self,
        command: m.PlaceOrder | m.CancelOrder | m.Withdraw | m.SetMode | m.Convert,
        now: int,
    ) -> None:
        need(holds=0 < command.account < len(self.accounts))
        need(holds=now < command.expires_at_ns)
        need(holds=(command.account, command.nonce) not in self.nonces)
        self.nonces.add((command.account, command.nonce))

    def deposit(self, command: m.Deposit) -> None:
        need(holds=command.index == self.entries + 1)
        self.entries += 1
        is_listed = 0 <= command.asset <= len(self.rules.collateral)
        self.noop = 0 if is_listed and command.amount < 2**64 else 5 if is_listed else 7
        if self.noop:
            return
        name = (command.owner, command.subaccount)
        if name not in [(a.owner, a.subaccount) for a in self.accounts]:
            self.accounts.append(self.opened(*name))
        (account,) = (a for a in self.accounts if (a.owner, a.subaccount) == name)
        if command.asset == 0:
            account.cash += command.amount
            return
        place = command.asset - 1
        inside = sum(a.coins[place] for a in self.accounts)
        room = max(0, self.rules.collateral[place].cap_e8 - inside)
        if account is self.accounts[FUND]:
            room = 0
        account.coins[place] += min(room, command.amount)
        self.outputs += command.amount > room  # what the cap keeps out goes back

    def report(self, command: m.PriceReport, now: int) -> None:
        oracle, seen = self.rules.oracle, command.observations
        need(holds=command.round > self.seen_round and command.observed_at_ns > self.seen_at)
        need(holds=-5 * 10**9 <= now - command.observed_at_ns <= oracle.heartbeat_ns)
        names = [o.signer for o in seen]
        need(holds=len(names) >= oracle.quorum and names == sorted(set(names)))
        need(holds=min(names) >= 0 and max(names) < len(oracle.signers))
        need(holds=all(len(o.values) == len(self.rules.listing.feeds) for o in seen))
        need(holds=all(0 < v < 2**46 for o in seen for v in o.values))
        columns = zip(*(o.values for o in seen), strict=True)
        values = tuple(sorted(column)[(len(seen) - 1) // 2] for column in columns)
        self.seen_round, self.seen_at = command.round, command.observed_at_ns

        def near(base: tuple[int, ...]) -> bool:
            pairs = zip(values, base, strict=True)
            return all(abs(v - b) * ONE <= oracle.band_e6 * b for v, b in pairs)

        near_pending = self.pending is not None and near(self.pending)
        before, at = (self.back_pending, self.waits_at) if near_pending else (self.back, self.told)
        if at == 0 or self.seen_at - at > oracle.heartbeat_ns:
            before = (-(-self.seen_at // 10**9), 0)
        if self.medians and not near(self.medians) and not near_pending:
            self.pending, self.back_pending, self.waits_at = values, before, self.seen_at
            return
        try:
            arrays = price_book(self.rules, values, command.observed_at_ns)
            history = history_losses(self.rules, values, command.observed_at_ns)
        except RiskRangeError:
            raise RefusedError from None
        self.prices = Prices.of(arrays, history, list(self.listed))
        self.trust[:] = slow_margin.trusts(self.rules, [o.values for o in seen], self.seen_at)
        for of, memory in zip(self.rules.collateral, self.memories, strict=True):
            memory.see(values[of.underlying], command.observed_at_ns, of)
        self.medians, self.pending, self.observed_at = values, None, command.observed_at_ns
        self.seen = [*self.seen, (self.observed_at, values)]
        self.orders = [o for o in self.orders if not self.is_void(o, now)]
        self.told, self.back = self.seen_at, (before[0], min(255, before[1] + 1))
        lasted = self.seen_at // 10**9 - before[0]
        self.calm = self.back[1] >= oracle.grace_reports and lasted * 10**9 >= oracle.grace_ns

    def breaker(self, u: int, now: int) -> int:
        return slow_breaker.slow_level([(at, p[u]) for at, p in self.seen], now, self.breakers[u])

    def is_void(self, order: Resting, now: int) -> bool:
        return not order.reduce_only and self.breaker(order.instrument >> 8, now) >= 2

    def accrue(self, now: int) -> None:
        self.fresh(now)
        terms = self.rules.funding
        elapsed = min(now - self.funded_at, terms.period_ns) if self.funded_at else 0
        for i, listed in self.listed.items():
            if listed.kind != Kind.PERPETUAL:
                continue
            live = [o for o in self.orders if o.instrument == i and now < o.expires]
            bids = [o.price for o in live if o.lots > 0]
            asks = [o.price for o in live if o.lots < 0]
            index, premium = self.medians[i >> 8], 0
            if bids and asks:
                premium = ((max(bids) + min(asks)) // 2 - index) * 10**8 // index
            pull = max(-terms.damper_e8, min(terms.damper_e8, terms.interest_e8 - premium))
            rate = max(-terms.cap_e8, min(terms.cap_e8, premium + pull))
            lot = index // self.divisor(i)
            self.funding[i] += rate * lot * elapsed // (10**8 * terms.period_ns)
            self.funded_at = now
            self.rates[i >> 8] = rate

    def settle(self, instrument: int, now: int) -> None:
        need(holds=instrument in self.listed and instrument not in self.settled)
        self.fresh(now)
        listed = self.listed[instrument]
        need(holds=0 < listed.expiry_ns <= self.observed_at)
        index, strike = self.medians[instrument >> 8], int(listed.strike_e8)
        payoff = {
            Kind.FUTURE: index,
            Kind.CALL: max(0, index - strike),
            Kind.PUT: max(0, strike - index),
        }[listed.kind]
        value = payoff // self.tick(instrument) * self.tick(instrument) // self.divisor(instrument)
        for account in self.accounts:
            if instrument in account.positions:
                lots, cost = account.positions.pop(instrument)
                account.cash += lots * value - cost
        self.orders = [o for o in self.orders if o.instrument != instrument]
        self.settled.add(instrument)

    def withdraw(self, command: m.Withdraw, now: int) -> None:
        self.intent(command, now)
        need(holds=0 <= command.asset <= len(self.rules.collateral) and command.amount > 0)
        held = self.accounts[command.account]
        has_orders = any(o.account == command.account for o in self.orders)
        if held.positions or has_orders or held.cash < 0:
            self.fresh(now)
            need(holds=self.pending is None)
            most = self.withdrawable(command.account, command.asset)
        else:
            most = held.coins[command.asset - 1] if command.asset else held.cash
        need(holds=command.amount <= most)
        self.outputs += 1
        if command.asset:
            held.coins[command.asset - 1] -= command.amount
        else:
            held.cash -= command.amount

    def allows(self, mode: int, instruments: set[int]) -> bool:
        if mode == PORTFOLIO:
            return True
        is_linear = not any(self.listed[i].is_option for i in instruments)
        return is_linear and (mode != ISOLATED or len(instruments) <= 1)

    def change_mode(self, command: m.SetMode, now: int) -> None:
        self.intent(command, now)
        owned = self.accounts[command.account]
        need(holds=command.account != BACKSTOP and command.mode in (0, 1, 2))
        need(holds=command.mode != owned.mode)
        self.orders = [o for o in self.orders if o.account != command.account or now < o.expires]
        ordered = {o.instrument for o in self.orders if o.account == command.account}
        need(holds=self.allows(command.mode, {*owned.positions, *ordered}))
        owned.mode = command.mode
        if owned.positions or ordered or owned.cash < 0:
            self.fresh(now)
            need(holds=self.pending is None)
            need(holds=self.balance(command.account) >= self.initial(command.account))

    def convert(self, command: m.Convert, now: int) -> None:
        self.intent(command, now)
        account, asset = int(command.account), command.asset
        need(holds=account != BACKSTOP and 1 <= asset <= len(self.rules.collateral))
        owned, buyer = self.accounts[account], self.accounts[BACKSTOP]
        need(holds=0 < command.amount <= owned.coins[asset - 1])
        self.fresh(now)
        need(holds=self.pending is None)
        money = command.amount * self.sale_price(asset) // 10**10
        need(holds=money > 0 and money >= command.minimum_e6)
        before = self.balance(account) - self.initial(account)
        need(holds=money <= buyer.cash + min(0, self.profit(BACKSTOP)))
        for party, sign in ((owned, 1), (buyer, -1)):
            party.coins[asset - 1] -= sign * command.amount
            party.cash += sign * money
        need(holds=self.balance(BACKSTOP) >= self.initial(BACKSTOP))
        need(holds=self.balance(account) - self.initial(account) >= min(0, before))
