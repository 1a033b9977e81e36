"""The accounts: parallel arrays that are the only truth of who holds what.

Row `a` of every array belongs to account `a`. Positions fill the first `counts[a]` slots in
ascending order of instrument; unused slots are zero, so that kernels may read whole rows.
"""

from copy import copy

import numpy as np
from numpy.typing import NDArray

from offchain.core.margin import Mode
from offchain.core.units import (
    LOTS_BITS,
    MAX_POSITIONS,
    ROWS,
    AccountId,
    InstrumentId,
)

FIRST_CAPACITY = 64
MAX_ACCOUNTS = 1 << 20
INSURANCE = AccountId(0)
"""The insurance fund: cash only, never a position."""
BACKSTOP = AccountId(1)
"""Takes over what liquidations cannot sell on the book."""
BALANCE_LIMIT = 1 << 62
"""No balance reaches this: deposits stop far below, and trades only move what is inside."""
LOTS_LIMIT = 1 << LOTS_BITS

_ARRAYS = ("cash", "collateral", "ids", "lots", "costs", "counts", "level", "mode")

Position = tuple[InstrumentId, int, int]


class Accounts:
    """Every margin account, growing by doubling up to `MAX_ACCOUNTS`."""

    def __init__(self, assets: int = 1) -> None:
        self.count = 0
        self.owner: list[bytes] = []
        self.subaccount: list[int] = []
        self.dirty: set[int] = set()
        self.open_interest: NDArray[np.int64] = np.zeros(ROWS, np.int64)
        self._index: dict[tuple[bytes, int], AccountId] = {}
        self._allocate(FIRST_CAPACITY, assets)

    def _allocate(self, capacity: int, assets: int) -> None:
        self.cash: NDArray[np.int64] = np.zeros(capacity, np.int64)
        self.collateral: NDArray[np.int64] = np.zeros((capacity, assets), np.int64)
        self.ids: NDArray[np.int32] = np.zeros((capacity, MAX_POSITIONS), np.int32)
        self.lots: NDArray[np.int32] = np.zeros((capacity, MAX_POSITIONS), np.int32)
        self.costs: NDArray[np.int64] = np.zeros((capacity, MAX_POSITIONS), np.int64)
        self.counts: NDArray[np.int32] = np.zeros(capacity, np.int32)
        self.level: NDArray[np.int32] = np.zeros(capacity, np.int32)
        self.mode: NDArray[np.int8] = np.full(capacity, Mode.PORTFOLIO, np.int8)

    def _grow(self) -> None:
        capacity = len(self.cash)
        more = min(capacity, MAX_ACCOUNTS - capacity)
        for name in _ARRAYS:
            old = getattr(self, name)
            new = np.zeros((more, *old.shape[1:]), old.dtype)
            if name == "mode":
                new[:] = Mode.PORTFOLIO
            setattr(self, name, np.concatenate([old, new]))

    @property
    def assets(self) -> int:
        """Collateral assets for which every account has a place."""
        return int(self.collateral.shape[1])

    def extend(self, assets: int) -> None:
        """Give every account places for more collateral assets, with nothing in them."""
        assert assets > self.assets, "assets are only added"
        self.collateral = _wider(self.collateral, assets)
        self.dirty.update(range(self.count))

    def extended(self, assets: int) -> "Accounts":
        """Return these accounts as they would be with more assets; the rest is shared.

        For a look ahead: nobody may change it.
        """
        ahead = copy(self)
        ahead.collateral = _wider(self.collateral, assets)
        return ahead

    def find(self, owner: bytes, subaccount: int) -> AccountId | None:
        """Return the account of an owner, or None."""
        return self._index.get((owner, subaccount))

    def open(self, owner: bytes, subaccount: int) -> AccountId:
        """Add an account and return its id."""
        assert self.count < MAX_ACCOUNTS
        assert (owner, subaccount) not in self._index
        if self.count == len(self.cash):
            self._grow()
        account = AccountId(self.count)
        self.count += 1
        self.owner.append(owner)
        self.subaccount.append(subaccount)
        self._index[owner, subaccount] = account
        self.dirty.add(account)
        return account

    def set_mode(self, account: int, mode: Mode) -> None:
        """Change how an account is margined."""
        self.mode[account] = mode
        self.dirty.add(account)

    def add_cash(self, account: int, amount_e6: int) -> None:
        """Credit (or, negative, debit) cash. [USD e-6]"""
        total = int(self.cash[account]) + amount_e6
        assert abs(total) < BALANCE_LIMIT, "cash left its range"
        self.cash[account] = total
        self.dirty.add(account)

    def add_collateral(self, account: int, asset: int, amount: int) -> None:
        """Credit or debit asset 1, 2, ..; it never becomes negative."""
        total = int(self.collateral[account, asset - 1]) + amount
        assert 0 <= total < BALANCE_LIMIT, "collateral left its range"
        self.collateral[account, asset - 1] = total
        self.dirty.add(account)

    def _slot(self, account: int, instrument: int) -> tuple[int, bool]:
        held = self.ids[account, : self.counts[account]]
        slot = int(np.searchsorted(held, instrument))
        return slot, slot < len(held) and int(held[slot]) == instrument

    def position(self, account: int, instrument: int) -> tuple[int, int]:
        """Return (lots, cost) of one position; (0, 0) when there is none."""
        slot, is_held = self._slot(account, instrument)
        if not is_held:
            return 0, 0
        return int(self.lots[account, slot]), int(self.costs[account, slot])

    def lots_of(self, account: int, instrument: int) -> int:
        """Return the position in lots, long positive."""
        return self.position(account, instrument)[0]

    def positions(self, account: int) -> tuple[Position, ...]:
        """Return (instrument, lots, cost) for every position, ascending by instrument."""
        n = int(self.counts[account])
        rows = zip(
            self.ids[account, :n].tolist(),
            self.lots[account, :n].tolist(),
            self.costs[account, :n].tolist(),
            strict=True,
        )
        return tuple((InstrumentId(i), q, c) for i, q, c in rows)

    def trade(self, account: int, instrument: int, lots: int, cost_e6: int) -> None:
        """Add lots and cost to a position; a closed one turns its cost into cash.

        Cash less cost is unchanged by the closing, which is what keeps SOL-1 exact.
        """
        assert account != INSURANCE, "the insurance fund never holds a position"
        slot, is_held = self._slot(account, instrument)
        self.dirty.add(account)
        if not is_held:
            self._insert(account, slot, instrument)
        old_lots = int(self.lots[account, slot])
        new_lots = old_lots + lots
        self.open_interest[instrument] += max(0, new_lots) - max(0, old_lots)
        new_cost = int(self.costs[account, slot]) + cost_e6
        if new_lots == 0:
            self._remove(account, slot)
            self.add_cash(account, -new_cost)
            return
        assert abs(new_lots) < LOTS_LIMIT, "position left its range"
        self.lots[account, slot] = new_lots
        self.costs[account, slot] = new_cost

    def settle(self, instrument: int, lot_value_e6: int) -> None:
        """Turn every position in an instrument into cash at the value of one lot. [USD e-6]

        As `trade` would, account by account; all at once, because anybody may hold it.
        """
        held = (self.ids[: self.count] == instrument) & (self.lots[: self.count] != 0)
        rows = np.flatnonzero(held.any(axis=1))
        slots = held[rows].argmax(axis=1)[:, None]
        lots, costs = self.lots[rows, slots[:, 0]].astype(np.int64), self.costs[rows, slots[:, 0]]
        cash = self.cash[rows] + lots * lot_value_e6 - costs
        assert (np.abs(cash) < BALANCE_LIMIT).all(), "cash left its range"
        self.cash[rows] = cash
        places = np.arange(MAX_POSITIONS)
        following = np.minimum(places + (places >= slots), MAX_POSITIONS - 1)
        for name in ("ids", "lots", "costs"):
            array = getattr(self, name)
            left = np.take_along_axis(array[rows], following, axis=1)
            left[:, -1] = 0
            array[rows] = left
        self.counts[rows] -= 1
        self.open_interest[instrument] = 0
        self.dirty.update(rows.tolist())

    def count_open_interest(self) -> None:
        """Count the long lots of every instrument anew, as after a restart from an image."""
        self.open_interest = np.zeros(ROWS, np.int64)
        n = self.count
        np.add.at(self.open_interest, self.ids[:n], np.maximum(self.lots[:n], 0))

    def _insert(self, account: int, slot: int, instrument: int) -> None:
        n = int(self.counts[account])
        assert n < MAX_POSITIONS, "too many positions"
        for row in (self.ids[account], self.lots[account], self.costs[account]):
            row[slot + 1 : n + 1] = row[slot:n].copy()
            row[slot] = 0
        self.ids[account, slot] = instrument
        self.counts[account] = n + 1

    def _remove(self, account: int, slot: int) -> None:
        n = int(self.counts[account])
        for row in (self.ids[account], self.lots[account], self.costs[account]):
            row[slot : n - 1] = row[slot + 1 : n].copy()
            row[n - 1] = 0
        self.counts[account] = n - 1


def _wider(collateral: NDArray[np.int64], assets: int) -> NDArray[np.int64]:
    more = np.zeros((len(collateral), assets), np.int64)
    more[:, : collateral.shape[1]] = collateral
    return more
