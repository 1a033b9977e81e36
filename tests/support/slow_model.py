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
from offchain.pricing.risk_array import RiskArrays, RiskRangeError, price_book

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
    coins: int = 0
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


@dataclass
class Prices:
    """What the last accepted report says, for each instrument."""

    marks: dict[int, int]
    values: dict[int, int]
    losses: dict[int, list[int]]

    @classmethod
    def of(cls, arrays: RiskArrays, ids: list[int]) -> "Prices":
        return cls(
            {i: int(arrays.marks_e8[i]) for i in ids},
            {i: int(arrays.lot_values_e6[i]) for i in ids},
            {i: [int(x) for x in arrays.losses_e6[i]] for i in ids},
        )

    def __deepcopy__(self, _memo: object) -> "Prices":
        return self  # replaced, never changed


class SlowVenue:
    """Everything that the machine knows, as the documents tell it."""

    def __init__(self, rules: RiskParameters) -> None:
        self.rules = rules
        self.listed: dict[int, Instrument] = {int(i.id): i for i in rules.listing.instruments}
        owners = (rules.insurance_owner, rules.backstop_owner)
        self.accounts = [Owned(bytes.fromhex(owner[2:]), 0) for owner in owners]
        self.orders: list[Resting] = []
        self.nonces: set[tuple[int, int]] = set()
        self.medians: tuple[int, ...] = ()
        self.pending: tuple[int, ...] | None = None
        self.seen_round = self.seen_at = self.observed_at = 0
        self.prices: Prices | None = None
        self.funding = dict.fromkeys(self.listed, 0)
        self.funded_at = 0
        self.settled: set[int] = set()
        self.deposits = 0
        self.outputs = 0
        self.flows = {"contributed": 0, "drawn": 0, "shortfall": 0, "liquidations": 0}

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        twin = object.__new__(type(self))
        for name, value in self.__dict__.items():
            shared = name in ("rules", "listed", "medians")
            setattr(twin, name, value if shared else copy.deepcopy(value, memo))
        return twin

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

    def haircut_price(self) -> int:
        (terms,) = self.rules.collateral
        return self.medians[terms.underlying] * (ONE - terms.haircut_e6) // ONE

    def credit(self, account: int) -> int:
        coins = self.accounts[account].coins
        return coins * self.haircut_price() // 10**10 if coins else 0

    def profit(self, account: int) -> int:
        return sum(
            lots * (self.known().values[i] - self.funding[i]) - cost
            for i, (lots, cost) in self.accounts[account].positions.items()
        )

    def balance(self, account: int) -> int:
        return self.accounts[account].cash + self.profit(account) + self.credit(account)

    def scan(self, account: int, orders: list[tuple[int, int, int]]) -> int:
        """Return the worst loss over the scenarios, with whichever orders filled make it worse."""
        known, total = self.known(), 0
        for underlying in range(len(self.rules.listing.underlyings)):
            worst = 0
            for s in range(36):
                loss = 0
                for i, (lots, _) in self.accounts[account].positions.items():
                    if i >> 8 == underlying:
                        loss += lots * known.losses[i][s]
                for i, lots, price in orders:
                    if i >> 8 == underlying:
                        slip = price // self.divisor(i) - known.values[i]
                        loss += max(0, lots * (known.losses[i][s] + slip))
                worst = max(worst, loss)
            total += worst
        return total

    def due(self, account: int) -> int:
        return ceil(self.scan(account, []) * self.rules.mm_factor_e6, ONE)

    def initial(self, account: int) -> int:
        resting = [(o.instrument, o.lots, o.price) for o in self.orders if o.account == account]
        return self.scan(account, resting)

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
        low, high = 0, held.coins
        value = self.credit(account)
        room = min(free, realised + value)
        while low < high:
            middle = (low + high + 1) // 2
            lost = value - (held.coins - middle) * self.haircut_price() // 10**10
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

    def intent(self, command: m.PlaceOrder | m.CancelOrder | m.Withdraw, now: int) -> None:
        need(holds=0 < command.account < len(self.accounts))
        need(holds=now < command.expires_at_ns)
        need(holds=(command.account, command.nonce) not in self.nonces)
        self.nonces.add((command.account, command.nonce))

    def deposit(self, command: m.Deposit) -> None:
        need(holds=command.index == self.deposits + 1)
        need(holds=command.asset in (0, 1) and command.amount > 0)
        self.deposits += 1
        name = (command.owner, command.subaccount)
        if name not in [(a.owner, a.subaccount) for a in self.accounts]:
            self.accounts.append(Owned(*name))
        (account,) = (a for a in self.accounts if (a.owner, a.subaccount) == name)
        if command.asset == 0:
            account.cash += command.amount
        else:
            account.coins += command.amount

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
        if self.medians and not near(self.medians) and not near_pending:
            self.pending = values
            return
        try:
            arrays = price_book(self.rules, values, command.observed_at_ns)
        except RiskRangeError:
            raise RefusedError from None
        self.prices = Prices.of(arrays, list(self.listed))
        self.medians, self.pending, self.observed_at = values, None, command.observed_at_ns

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
        need(holds=command.asset in (0, 1) and command.amount > 0)
        held = self.accounts[command.account]
        has_orders = any(o.account == command.account for o in self.orders)
        if held.positions or has_orders or held.cash < 0:
            self.fresh(now)
            need(holds=self.pending is None)
            most = self.withdrawable(command.account, command.asset)
        else:
            most = held.coins if command.asset else held.cash
        need(holds=command.amount <= most)
        self.outputs += 1
        if command.asset:
            held.coins -= command.amount
        else:
            held.cash -= command.amount
