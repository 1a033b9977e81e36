"""Accounts with perpetuals in two markets, margined as cross accounts by tiers.

Every trade has two sides and every payment a payer, so positions sum to zero and cash less cost
stays what it was: `Book.check` compares both with what they were, to the unit.
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.curves import curve_reference, curve_table, curve_value
from offchain.core.linear_margin import maintenance_lines
from offchain.core.presets import MAJOR
from offchain.core.units import ONE_E8
from offchain.stress.errors import StressChoiceError, StressDataError

Int64Array = NDArray[np.int64]

INSURANCE, BACKSTOP, SOCIALISED = 0, 1, 2
"""Reserved accounts; the last one owes what nobody paid, so that the sum stays what it was."""
FIRST_TRADER = 3
LINES = maintenance_lines(MAJOR)
_TABLE = curve_table([LINES])
MAX_LOTS = MAX_LOT_VALUE_E6 = 1 << 31
MAX_CASH_E6 = 1 << 60


@dataclass(frozen=True, slots=True)
class Contract:
    """A perpetual: `lot_divisor` price units [USD e-8] of one lot's value are one USD e-6."""

    symbol: str
    lot_divisor: int
    tick_e8: int

    def on_tick(self, price_e8: float) -> int:
        """Return a price rounded down to the tick, one tick at least."""
        return max(1, int(price_e8) // self.tick_e8) * self.tick_e8

    def lots_of(self, notional_e6: int, price_e8: int) -> int:
        """Return the whole lots that a notional buys."""
        return notional_e6 * self.lot_divisor // price_e8

    def value_e6(self, lots: int, price_e8: int) -> int:
        """Return the value of lots, exactly. [USD e-6]"""
        return lots * (price_e8 // self.lot_divisor)


CONTRACTS = (
    Contract("BTC", lot_divisor=100_000, tick_e8=ONE_E8 // 10),  # a lot is 0.001 BTC
    Contract("ETH", lot_divisor=10_000, tick_e8=ONE_E8 // 100),  # a lot is 0.01 ETH
)
Marks = tuple[int, ...]
"""Mark price of each contract. [USD e-8]"""


class ConservationError(RuntimeError):
    """Positions or money appeared or vanished: the lab is wrong, and its figures worthless."""


@dataclass(slots=True)
class Book:
    """All accounts, of which the first three are reserved.

    Attributes
    ----------
    lots, cost_e6 : int64[A, 2]
        Positions and what they cost.
    cash_e6 : int64[A]
        Cash.
    """

    lots: Int64Array
    cost_e6: Int64Array
    cash_e6: Int64Array
    _money_e6: int = field(init=False)
    _seen: tuple[Marks, Int64Array, Int64Array] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Remember how much money there is."""
        if np.abs(self.lots).max(initial=0) >= MAX_LOTS:
            raise StressChoiceError("a position has more than 31 bits of lots")
        self._money_e6 = self._money()
        self.check()

    @property
    def count(self) -> int:
        """Number of accounts."""
        return len(self.cash_e6)

    def margins(self, marks: Marks) -> tuple[Int64Array, Int64Array]:
        """Return margin balance and maintenance margin of every account; not to be changed."""
        if self._seen is not None and self._seen[0] == marks:
            return self._seen[1:]
        lot_values = [m // c.lot_divisor for m, c in zip(marks, CONTRACTS, strict=True)]
        if max(lot_values) >= MAX_LOT_VALUE_E6:
            raise StressDataError("a lot is worth more than the kernel's 31 bits")
        values = np.array(lot_values, np.int64)
        balance, required = np.empty(self.count, np.int64), np.empty(self.count, np.int64)
        _margins(self.lots, self.cost_e6, self.cash_e6, values, _TABLE, balance, required)
        self._seen = marks, balance, required
        return balance, required

    def margin(self, account: int, marks: Marks) -> tuple[int, int]:
        """Return the same of one account, in unbounded integers; this defines `margins`."""
        balance, required = int(self.cash_e6[account]), 0
        for place, contract in enumerate(CONTRACTS):
            lots = int(self.lots[account, place])
            value = contract.value_e6(lots, marks[place])
            balance += value - int(self.cost_e6[account, place])
            required += curve_reference(abs(value), LINES)
        return balance, required

    def trade(self, account: int, other: int, place: int, lots: int, price_e8: int) -> None:
        """Let an account buy lots (negative: sell) from another one at a price on the tick."""
        cost = CONTRACTS[place].value_e6(lots, price_e8)
        self._add(account, place, lots, cost)
        self._add(other, place, -lots, -cost)

    def pay(self, payer: int, payee: int, amount_e6: int) -> None:
        """Move cash."""
        self._seen = None
        self.cash_e6[payer] -= amount_e6
        self.cash_e6[payee] += amount_e6

    def positions(self, account: int) -> list[tuple[int, int]]:
        """Return (contract, lots) of what an account holds."""
        return [(i, int(n)) for i, n in enumerate(self.lots[account]) if n]

    def check(self) -> None:
        """Raise ConservationError unless positions sum to zero and no money came or went."""
        if any(_sum(column) for column in self.lots.T):
            raise ConservationError(f"positions sum to {self.lots.sum(axis=0).tolist()}")
        money = self._money()
        if money != self._money_e6:
            raise ConservationError(f"{money - self._money_e6} USD e-6 appeared")

    def copy(self) -> "Book":
        """Return a copy for another policy."""
        return Book(self.lots.copy(), self.cost_e6.copy(), self.cash_e6.copy())

    def _add(self, account: int, place: int, lots: int, cost: int) -> None:
        self._seen = None
        self.lots[account, place] += lots
        self.cost_e6[account, place] += cost
        if self.lots[account, place] == 0:
            self.cash_e6[account] -= self.cost_e6[account, place]
            self.cost_e6[account, place] = 0

    def _money(self) -> int:
        return _sum(self.cash_e6) - sum(_sum(column) for column in self.cost_e6.T)


def _sum(values: Int64Array) -> int:
    """Return an exact sum: halves of 32 bits cannot wrap among fewer than 2**31 accounts."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


@njit(cache=True, nogil=True)
def _margins(
    lots: Int64Array,
    cost: Int64Array,
    cash: Int64Array,
    values: Int64Array,
    table: Int64Array,
    balance: Int64Array,
    required: Int64Array,
) -> None:
    """Fill in balance and MM; lots below 2**31 times values below 2**31 stay below 2**62."""
    for account in range(lots.shape[0]):
        worth, due = cash[account], 0
        for place in range(lots.shape[1]):
            value = lots[account, place] * values[place]
            worth += value - cost[account, place]
            due += curve_value(abs(value), table[0])
        balance[account] = worth
        required[account] = due
