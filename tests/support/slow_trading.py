"""Orders and liquidations of the slow model, and the way in for every command.

A command works on a deep copy that is kept when it is accepted, so what the engine foresees with an
overlay happens here for real.
"""

import copy
from collections.abc import Callable
from typing import Any

from offchain.engine import messages as m
from tests.support.slow_forced import force
from tests.support.slow_model import (
    BACKSTOP,
    FUND,
    ONE,
    RefusedError,
    Resting,
    SlowVenue,
    ceil,
    need,
)
from tests.support.slow_sizing import smallest_step


class SlowModel(SlowVenue):
    """The whole machine."""

    def apply(self, command: Any, seq: int, now: int) -> "SlowModel | None":
        """Return the model after a command; None when it is refused."""
        after = copy.deepcopy(self)
        orders: dict[type, Callable[[], None]] = {
            m.Deposit: lambda: after.deposit(command),
            m.PlaceOrder: lambda: after.place(command, seq, now),
            m.CancelOrder: lambda: after.cancel(command, now),
            m.PriceReport: lambda: after.report(command, now),
            m.FundingTick: lambda: after.accrue(now),
            m.Liquidate: lambda: after.liquidate(command.account, now),
            m.Withdraw: lambda: after.withdraw(command, now),
            m.SettleExpiry: lambda: after.settle(int(command.instrument), now),
            m.SetMode: lambda: after.change_mode(command, now),
            m.Convert: lambda: after.convert(command, now),
            m.Forced: lambda: force(after, command, now),
        }
        try:
            orders[type(command)]()
        except RefusedError:
            return None
        return after

    def cancel(self, command: m.CancelOrder, now: int) -> None:
        self.intent(command, now)
        (order,) = self.one_order(command.order_id, command.account)
        self.orders.remove(order)

    def place(self, command: m.PlaceOrder, seq: int, now: int) -> None:
        self.intent(command, now)
        self.fresh(now)
        account, i, price = int(command.account), int(command.instrument), command.limit_price_e8
        need(holds=i in self.listed and self.is_open(i, now))
        need(holds=0 < abs(command.lots) < 2**24)
        need(holds=price > 0 and price % self.tick(i) == 0)
        need(holds=price // self.divisor(i) < 2**31)
        need(holds=self.pending is None or command.reduce_only)
        need(holds=self.breaker(i >> 8, now) < (3 if command.reduce_only else 1))
        held = self.accounts[account].positions
        position, lots = held.get(i, [0, 0])[0], int(command.lots)
        if command.reduce_only:
            need(holds=position * lots < 0)
            lots = max(lots, -position) if lots < 0 else min(lots, -position)
        crossing = [o for o in self.book(i, lots) if (price - o.price) * lots >= 0]
        need(holds=command.time_in_force != m.TimeInForce.POST_ONLY or not crossing)
        self.orders = [o for o in self.orders if o.account != account or now < o.expires]
        own = [o for o in self.orders if o.account == account]
        need(holds=len(own) < 64)
        need(holds=len({*held, *(o.instrument for o in own), i}) <= 32)
        need(
            holds=self.allows(self.accounts[account].mode, {*held, *(o.instrument for o in own), i})
        )
        same = sum(o.lots for o in own if o.instrument == i and o.lots * lots > 0)
        need(holds=abs(position + same + lots) < 2**24)
        self.check_margin(command, lots)
        before = copy.deepcopy(self)
        left, is_cut = self.hit(account, i, lots, price, now, self.rules.taker_fee_e6)
        if left and not is_cut and command.time_in_force != m.TimeInForce.IMMEDIATE_OR_CANCEL:
            expires = int(command.expires_at_ns)
            rest = Resting(seq, account, i, left, price, command.reduce_only, expires)
            self.orders.append(rest)
        if self.accounts[account] != before.accounts[account]:
            is_covered = self.balance(account) >= self.initial(account)
            may_be = command.reduce_only and before.may_become(self, account)
            need(holds=is_covered or may_be)

    def check_margin(self, command: m.PlaceOrder, lots: int) -> None:
        account, i, price = int(command.account), int(command.instrument), command.limit_price_e8
        own = self.fills(account)
        per_lot = price // self.divisor(i)
        fee = ceil(abs(lots) * per_lot * self.rules.taker_fee_e6, ONE) + min(abs(lots), 256) - 1
        if self.balance(account) - fee >= self.initial_with(account, [*own, (i, lots, price)]):
            return
        need(holds=command.reduce_only)
        after = copy.deepcopy(self)
        after.accounts[account].trade(i, lots, lots * (per_lot - self.funding[i]))
        after.accounts[account].cash -= fee
        need(holds=self.may_become(after, account))

    def may_become(self, after: "SlowModel", account: int) -> bool:
        """INV-7: the requirement is met afterwards, or the ratio has not fallen."""
        old, new = self.balance(account), after.balance(account)
        old_due, new_due = self.due(account), after.due(account)
        if new >= new_due:
            return True
        if new_due > old_due:
            return False
        return new >= old if old_due == 0 else new * old_due >= old * new_due

    def book(self, instrument: int, lots: int) -> list[Resting]:
        """Return what an order of this sign trades with, in priority."""
        other = [o for o in self.orders if o.instrument == instrument and o.lots * lots < 0]
        return sorted(other, key=lambda o: (o.price if lots > 0 else -o.price, o.number))

    def hit(
        self, taker: int, i: int, lots: int, limit: int, now: int, fee_rate: int, most: int = 256
    ) -> tuple[int, bool]:
        """Trade with the book for real; return the lots left and whether the limit cut it."""
        left, self.touched = lots, 0
        for touched, maker in enumerate(self.book(i, lots)):
            if left == 0 or (limit - maker.price) * lots < 0:
                break
            if touched == most:
                return left, True
            self.touched += 1
            traded = 0
            is_own = self.accounts[maker.account].owner == self.accounts[taker].owner
            if now < maker.expires and not is_own and not self.is_void(maker, now):
                traded = self.fill(taker, maker, left, fee_rate)
                left -= traded
            maker.lots += traded
            if maker.lots == 0 or left:
                self.orders.remove(maker)
        return left, False

    def fill(self, taker: int, maker: Resting, left: int, fee_rate: int) -> int:
        """Trade as much as the maker can give; return the taker's lots, 0 when there is nothing."""
        i, giver = maker.instrument, self.accounts[maker.account]
        size = min(abs(maker.lots), abs(left))
        position = giver.positions.get(i, [0, 0])[0]
        if maker.reduce_only:
            size = min(size, abs(position) if position * maker.lots < 0 else 0)
        lots = size if left > 0 else -size
        per_lot = maker.price // self.divisor(i)
        cost = lots * (per_lot - self.funding[i])
        is_new = position == 0 and len(giver.positions) == 32
        if not lots or is_new or abs(position - lots) >= 2**24:
            return 0
        after = copy.deepcopy(self)
        after.accounts[maker.account].trade(i, -lots, -cost)
        if not self.may_become(after, maker.account):
            return 0
        giver.trade(i, -lots, -cost)
        self.accounts[taker].trade(i, lots, cost)
        self.contribute(taker, ceil(size * per_lot * fee_rate, ONE))
        return lots

    def contribute(self, account: int, amount: int) -> None:
        self.accounts[account].cash -= amount
        self.accounts[FUND].cash += amount
        self.flows["contributed"] += amount

    # Liquidation.

    def liquidate(self, account: int, now: int) -> None:
        need(holds=1 < account < len(self.accounts) and self.pending is None)
        known, terms = self.fresh(now), self.rules.liquidation
        need(holds=self.calm)
        need(holds=self.is_below(account, terms.partial_trigger_e6))
        is_full = self.is_below(account, terms.full_trigger_e6)
        owned, due, had = self.accounts[account], self.due(account), self.balance(account)
        if not owned.positions:
            brings = sum(
                n * self.sale_price(asset) // 10**10 for asset, n in enumerate(owned.coins, start=1)
            )
            is_worth_it = brings >= max(1, terms.keeper_fee_e6)
            need(holds=is_worth_it or self.accounts[FUND].cash >= -self.balance(account))
        wanted = self.wanted(account, 64) if is_full else self.smallest(account)
        rooms = self.rooms(account, wanted, is_full=is_full)
        self.orders = [o for o in self.orders if o.account != account]
        left, penalty, room = {}, 0, 256
        for i, lots in wanted.items():
            mark, tick = known.marks[i], self.tick(i)
            band = mark * terms.band_mark_e6 // ONE
            band += self.medians[i >> 8] * terms.band_index_e6 // ONE
            limit = ceil(mark + band, tick) * tick if lots > 0 else (mark - band) // tick * tick
            limit = max(limit, tick)
            if had >= 0:
                limit = self.no_worse(i, lots, limit, rooms[i])
            rest = lots
            if self.is_open(i, now):
                rest, _ = self.hit(account, i, lots, limit, now, 0, room)
                room -= self.touched
            penalty += ceil(abs(lots - rest) * known.values[i] * terms.fee_e6, ONE)
            if rest:
                left[i] = rest
        traded = any(left.get(i, 0) != lots for i, lots in wanted.items())
        if left and self.hand_over(account, left):
            traded = True
            for i, lots in left.items():
                penalty += ceil(abs(lots) * known.values[i] * terms.fee_e6, ONE)
            left = {}
        most = self.balance(account)
        if not is_full:
            most = min(most, had * (due - self.due(account)) // (2 * due))
            most = min(most, self.balance(account) - ceil(had * self.due(account), due))
        self.contribute(account, max(0, min(penalty, most)))
        has_paid = is_full and not left and owned.cash < 0
        need(holds=traded or has_paid)
        if has_paid:
            self.pay_debt(account)
        self.flows["liquidations"] += 1

    def rooms(self, account: int, wanted: dict[int, int], *, is_full: bool) -> dict[int, int]:
        """Return what each leg may cost beside its mark: by value, of the balance that it frees."""
        had, due, after = self.balance(account), self.due(account), copy.deepcopy(self)
        worth = {}
        for i, lots in wanted.items():
            value = self.known().marks[i] // self.divisor(i)
            after.accounts[account].trade(i, lots, lots * (value - self.funding[i]))
            worth[i] = max(1, abs(lots) * value)
        free = due - after.due(account)
        whole = had if is_full else had * free // due if free > 0 else 0
        return {i: whole * value // sum(worth.values()) for i, value in worth.items()}

    def no_worse(self, i: int, lots: int, limit: int, room: int) -> int:
        """Return the limit, or the last tick within the room, whichever costs the account less."""
        tick, mark, size = self.tick(i), self.known().marks[i], abs(lots)
        away = room * self.divisor(i)  # price units, for all lots together
        if lots < 0:
            return max(limit, ceil(mark * size - away, size * tick) * tick)
        return min(limit, (mark * size + away) // (size * tick) * tick)

    def wanted(self, account: int, share: int) -> dict[int, int]:
        """Return the change of each position that closes `share`/64 of it."""
        changes = {}
        for i, (lots, _) in sorted(self.accounts[account].positions.items()):
            size = ceil(abs(lots) * share, 64)
            changes[i] = -size if lots > 0 else size
        return changes

    def smallest(self, account: int) -> dict[int, int]:
        """Return the smallest step that restores the target, leg by leg or in one share."""
        terms, known, held = self.rules.liquidation, self.known(), self.held(account)

        def after(closed: dict[int, int]) -> "SlowModel":
            trial = copy.deepcopy(self)
            for i, size in closed.items():
                lots = -size if held[i] > 0 else size
                if lots:
                    cost = lots * (known.values[i] - self.funding[i])
                    trial.accounts[account].trade(i, lots, cost)
            return trial

        step = smallest_step(
            held,
            lambda closed: after(closed).due(account),
            lambda closed: not after(closed).is_below(account, terms.target_e6),
            lambda i, size: ceil(size * known.values[i] * terms.fee_e6, ONE),
            {i: ceil(abs(lots) * terms.partial_cap_e6, ONE) for i, lots in held.items()},
        )
        if step is None:
            return self.wanted(account, self.share(account))
        return {i: -step[i] if held[i] > 0 else step[i] for i in sorted(step)}

    def share(self, account: int) -> int:
        """Return the smallest share that restores the target at the mark, at most the cap."""
        terms, known = self.rules.liquidation, self.known()
        cap = terms.partial_cap_e6 * 64 // ONE
        for share in range(1, cap):
            after = copy.deepcopy(self)
            for i, lots in self.wanted(account, share).items():
                cost = lots * (known.values[i] - self.funding[i])
                after.accounts[account].trade(i, lots, cost)
            if not after.is_below(account, terms.target_e6):
                return share
        return cap

    def hand_over(self, account: int, left: dict[int, int]) -> bool:
        """Give what the book did not take to the backstop, when it can carry all of it."""
        trial = copy.deepcopy(self)
        for model in (trial, self):
            backstop = model.accounts[BACKSTOP]
            for i, lots in left.items():
                cost = lots * (self.known().values[i] - self.funding[i])
                backstop.trade(i, -lots, -cost)
                model.accounts[account].trade(i, lots, cost)
            if model is trial:
                sizes = [abs(lots) for lots, _ in backstop.positions.values()]
                if len(sizes) > 32 or max(sizes, default=0) >= 2**24:
                    return False
                if trial.balance(BACKSTOP) < trial.initial(BACKSTOP):
                    return False
        return True

    def pay_debt(self, account: int) -> None:
        owned, buyer, fund = (self.accounts[a] for a in (account, BACKSTOP, FUND))
        for asset in range(1, len(owned.coins) + 1):
            price = self.sale_price(asset)
            if owned.cash >= 0 or price == 0:
                continue
            amount = min(owned.coins[asset - 1], ceil(-owned.cash * 10**10, price))
            money = amount * price // 10**10
            owned.coins[asset - 1] -= amount
            buyer.coins[asset - 1] += amount
            owned.cash += money
            buyer.cash -= money
        if owned.cash < 0:
            paid = min(fund.cash, -owned.cash)
            self.flows["shortfall"] += -owned.cash - paid
            self.flows["drawn"] += paid
            fund.cash -= paid
            owned.cash += paid
