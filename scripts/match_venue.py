"""The venue that `bench_match` times: a real market, and accounts with hedged books on it.

Bitcoin and ether with a perpetual, two futures and eight options each, priced by the starting
parameter set: real risk arrays, charges, tier curves, offset and calm covers. Each account holds
one to five instruments, of both underlyings and directions, and money for it: initial margin takes
a fifth to all of the balance, evenly drawn.
"""

import random
from dataclasses import dataclass
from functools import cache

import numpy as np

from offchain.core.addons import Charge
from offchain.core.curves import curve_lines
from offchain.core.instruments import FeedKind
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.units import DAY_NS, ONE_E6, ONE_E8, ROWS
from offchain.engine.hot.bridge import hot_rules
from offchain.engine.hot.exchange import HotExchange
from offchain.engine.hot.layout import WINDOW, Int64Array, Limits
from offchain.engine.hot.reference_margin import ReferenceRules
from offchain.pricing.charge_table import charge_table
from offchain.pricing.risk_array import RiskArrays, price_book

SEED = 36
NOW_NS = 1_760_054_400 * 10**9
EXPIRIES = (("WEEK", NOW_NS + 7 * DAY_NS), ("MONTH", NOW_NS + 28 * DAY_NS))
FEEDS = {
    FeedKind.INDEX: (120_000, 4_300),
    FeedKind.FORWARD: (120_300, 4_312),
    FeedKind.VOLATILITY: (0.38, 0.62),
    FeedKind.SLOPE: (1.05, 1.06),
    FeedKind.TILT: (1.8, 1.7),
    FeedKind.CENTRE: (5.0, 5.0),
    FeedKind.WIDTH: (1.2, 1.25),
    FeedKind.STABLE: (1.0, 1.0),
}
"""What the oracle reports for each underlying, biased as the feeds are."""
MOST_POSITIONS, MOST_USD = 5, 100_000
"""Instruments of an account, and the size of each."""
LEAST_USE, MOST_USE = 0.2, 1.0
"""Share of the balance that initial margin takes before the first order."""
ORDER_ROOM_E6 = 1_000 * ONE_E6
"""Beside it, so that accounts in full use can still place some orders."""


@dataclass(frozen=True)
class Market:
    """A parameter set, and one price report."""

    rules: RiskParameters
    arrays: RiskArrays
    charges: Int64Array

    @property
    def instruments(self) -> list[int]:
        """Return the ids of what is listed, each underlying's perpetual first."""
        return [int(i.id) for i in self.rules.listing.instruments]

    def tick_e8(self, instrument: int) -> int:
        """Return the tick of an instrument. [USD e-8]"""
        return int(self.rules.listing.underlyings[instrument >> 8].tick_e8)

    def mark(self, instrument: int) -> int:
        """Return the mark of an instrument in ticks."""
        return int(self.arrays.marks_e8[instrument]) // self.tick_e8(instrument)

    def base(self, instrument: int) -> int:
        """Return where the window of its book begins. [ticks]"""
        return max(0, self.mark(instrument) - WINDOW // 2)

    def twin_rules(self) -> ReferenceRules:
        """Return the rules as the twin takes them."""
        addons, terms = self.rules.addons, hot_rules(self.rules).terms.tolist()
        return ReferenceRules(
            self.rules.taker_fee_e6,
            self.rules.mm_factor_e6,
            [curve_lines(a.delta_tiers) for a in addons],
            [curve_lines(a.unwind_tiers) for a in addons],
            terms,
        )


@cache
def market() -> Market:
    """Return the market that is timed."""
    roles = Roles(tuple(f"0x{i:040x}" for i in range(1, 6)), "0x" + "a" * 40, "0x" + "b" * 40)
    series = (
        Series(BITCOIN, EXPIRIES, (110_000, 130_000)),
        Series(ETHER, EXPIRIES, (3_900, 4_700)),
    )
    rules = pm36(series, roles, quorum=3)
    medians = [round(FEEDS[feed.kind][feed.underlying] * ONE_E8) for feed in rules.listing.feeds]
    arrays = price_book(rules, medians, NOW_NS)
    charges = charge_table(rules, medians, NOW_NS, arrays, (10_000, -5_000), (ONE_E6, ONE_E6))
    return Market(rules, arrays, charges)


def reprice(exchange: HotExchange) -> None:
    """Give an exchange the prices of the market."""
    of = market()
    funding = np.zeros(ROWS, np.int64)
    exchange.reprice(of.arrays.losses_e6, of.arrays.lot_values_e6, funding, of.charges)


Position = tuple[int, int, int]
"""(instrument, lots, cost)"""


def draw_positions(rng: random.Random) -> list[Position]:
    """Return what one account holds, at cost of the mark; half of it hedges the other half."""
    of = market()
    chosen = rng.sample(of.instruments, rng.randint(1, MOST_POSITIONS))
    sign, found = rng.choice((-1, 1)), []
    for place, instrument in enumerate(chosen):
        size = rng.uniform(0.05, 1) * MOST_USD * ONE_E6
        index = of.charges[instrument - instrument % 256, Charge.DELTA]  # of the perpetual
        lots = max(1, int(size / index)) * (sign if place % 2 else -sign)
        found.append((instrument, lots, lots * int(of.arrays.lot_values_e6[instrument])))
    return found


def build(accounts: int, orders: int) -> HotExchange:
    """Return an exchange with funded accounts and empty books."""
    of = market()
    limits = Limits(accounts + 1, 4 * orders, len(of.instruments), underlyings=2)
    exchange = HotExchange(limits, hot_rules(of.rules))
    for i in of.instruments:
        divisor = int(of.rules.listing.underlyings[i >> 8].lot_divisor)
        exchange.list_instrument(i, of.tick_e8(i), divisor, of.base(i))
    exchange.open_accounts(np.arange(accounts + 1))
    rng = random.Random(SEED)  # noqa: S311 - a mix
    for account in range(1, accounts + 1):
        for position in draw_positions(rng):
            exchange.set_position(account, *position)
    reprice(exchange)
    for account in range(1, accounts + 1):
        initial = exchange.requirements(account)[1]
        use = rng.uniform(LEAST_USE, MOST_USE)
        exchange.add_cash(account, int(initial / use) + ORDER_ROOM_E6)
    return exchange
