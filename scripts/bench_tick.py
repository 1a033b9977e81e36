#!/usr/bin/env python3
"""Time a whole price tick: 500 options repriced in integers and 100,000 accounts margined.

`tick.full` prices a new report (every cell of 512 instruments, and the charges of the add-ons) and
sweeps all accounts.
`tick.flagged_10pct` is the part of a tick that depends on the accounts when certificates are kept:
drifts of all instruments, the charge to 100,000 certificates, and margin and new certificates of
the tenth of them that is flagged. Each has the plain way beside it: loops without the vector
kernel, and the sweep of all accounts. Usage: bench_tick.py, or `measure()`.
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.certificate import (
    exposure_units,
    instrument_drifts,
    requirement_weight_e6,
    set_exposures,
    set_slacks,
    spend,
    underlying_drifts,
)
from offchain.core.curves import curve_lines
from offchain.core.instruments import FeedKind
from offchain.core.lanes import pack_losses, packed_losses, packed_space
from offchain.core.margin_bounds import (
    addon_rates,
    gross_rates,
    maintenance_bounds,
    small_gross,
    top_rates,
)
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.sweep import sweep_bounds, sweep_bounds_reference, sweep_chosen
from offchain.core.units import (
    DAY_NS,
    MAX_POSITIONS,
    MAX_UNDERLYINGS,
    ONE_E6,
    ONE_E8,
    ROWS,
    SECOND_NS,
)
from offchain.pricing.charge_table import charge_table
from offchain.pricing.risk_array import RiskArrays, price_book
from scripts.race import ROUNDS, Entry, entry, race

Int64Array = NDArray[np.int64]

SEED = 100
ACCOUNTS = 100_000
POSITIONS = 10
NOW_NS = 1_800_000_000 * SECOND_NS
DAYS = (2, 7, 30, 90, 180)
PRICES_USD = (60_000, 3_000)
STRIKES_USD = (tuple(range(40_000, 90_000, 2_000)), tuple(range(2_000, 4_500, 100)))
SHAPES = {
    FeedKind.VOLATILITY: 60_000_000,
    FeedKind.SLOPE: 110_000_000,
    FeedKind.TILT: 170_000_000,
    FeedKind.CENTRE: 500_000_000,
    FeedKind.WIDTH: 120_000_000,
    FeedKind.STABLE: 100_000_000,
}
THRESHOLDS_E6 = (600_000, 1_000_000, 1_100_000, 1_250_000, 1_500_000)
FACTOR_E6, BREAKDOWN_E6 = 800_000, 850_000
FLAGGED = 0.1
FUNDING_E8 = (10_000, -2_000)


def parameters() -> RiskParameters:
    """Return PM-36 with 500 options, 10 futures and 2 perpetuals."""
    series = [
        Series(
            underlying,
            tuple((f"{days}D", NOW_NS + days * DAY_NS) for days in DAYS),
            strikes,
        )
        for underlying, strikes in zip((BITCOIN, ETHER), STRIKES_USD, strict=True)
    ]
    signers = tuple(f"0x{number:040x}" for number in range(1, 6))
    return pm36(series, Roles(signers, "0x" + "a" * 40, "0x" + "b" * 40))


def medians(rules: RiskParameters, bips: int) -> list[int]:
    """Return a report in which prices are moved by some bips."""
    return [
        SHAPES.get(feed.kind, PRICES_USD[feed.underlying] * ONE_E8 * (10_000 + bips) // 10_000)
        for feed in rules.listing.feeds
    ]


def steepest(rules: RiskParameters) -> Int64Array:
    """Return the last rates of the tier curves of each underlying."""
    deltas = [curve_lines(addons.delta_tiers) for addons in rules.addons]
    unwinds = [curve_lines(addons.unwind_tiers) for addons in rules.addons]
    linear = [rules.classes[place].tiers[-1].rate_e6 for place in rules.class_of]
    return top_rates(deltas, unwinds, linear)


def priced(rules: RiskParameters, report: list[int]) -> tuple[RiskArrays, Int64Array]:
    """Return the risk arrays and the charges of a report, with funding and some doubt."""
    arrays = price_book(rules, report, NOW_NS)
    doubt = ONE_E6 // 2, ONE_E6
    return arrays, charge_table(rules, report, NOW_NS, arrays, FUNDING_E8, doubt)


@dataclass
class Book:
    """Accounts of 10 positions each in what is listed, ascending by instrument."""

    ids: NDArray[np.int32]
    lots: NDArray[np.int32]
    counts: NDArray[np.int32]
    net_cash: Int64Array
    credit: Int64Array


def random_book(rules: RiskParameters) -> Book:
    """Return random accounts."""
    rng = np.random.default_rng(SEED)
    listed = np.array([i.id for i in rules.listing.instruments], np.int32)
    shape = (ACCOUNTS, MAX_POSITIONS)
    ids, lots = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    picks = rng.integers(0, listed.size, (ACCOUNTS, POSITIONS))
    ids[:, :POSITIONS] = listed[np.sort(picks, axis=1)]
    lots[:, :POSITIONS] = rng.integers(-1_000, 1_000, (ACCOUNTS, POSITIONS))
    counts = np.full(ACCOUNTS, POSITIONS, np.int32)
    cash = rng.integers(0, 2**40, ACCOUNTS)
    return Book(ids, lots, counts, cash, np.zeros(ACCOUNTS, np.int64))


def full_tick(rules: RiskParameters, book: Book) -> Entry:
    """Time pricing and sweep together."""
    packed, rates = packed_space(), addon_rates(rules.addons)
    fast, slow = np.zeros((3, ACCOUNTS), np.int64), np.zeros((3, ACCOUNTS), np.int64)
    reports = [medians(rules, bips) for bips in (0, 7)]
    accounts = book.ids, book.lots, book.counts, book.net_cash, book.credit
    turn = [0]

    def tick() -> None:
        turn[0] += 1  # a new report every time, so that nothing is found priced already
        arrays, charges = priced(rules, reports[turn[0] % 2])
        pack_losses(arrays.losses_e6, packed)
        gross = gross_rates(charges, rates)
        sweep_bounds(*accounts, arrays.lot_values_e6, gross, packed, *fast)

    arrays, charges = priced(rules, reports[1])
    rows = arrays.lot_values_e6, gross_rates(charges, rates), arrays.losses_e6
    ours, pricing, plain = race(
        [
            tick,
            lambda: priced(rules, reports[0]),
            lambda: sweep_bounds_reference(*accounts, *rows, *slow),
        ]
    )
    turn[0] = 0
    tick()
    assert np.array_equal(fast, slow)
    reference = pricing.cpu + plain.cpu
    text = f"{reference * 1e3:.2f} ms with plain numba loops over accounts"
    unit = f"CPU ms; cells and charges {pricing.cpu * 1e3:.2f} of it"
    return entry(ours.cpu * 1e3, unit, ours, text, ours.cpu / reference)


class Certified:
    """The accounts of a book with certificates, and a tick of 7 bips before them."""

    def __init__(self, rules: RiskParameters, book: Book) -> None:
        self.book = book
        self.old, self.old_charges = priced(rules, medians(rules, 0))
        self.new, self.new_charges = priced(rules, medians(rules, 7))
        self.packed = packed_losses(self.new.losses_e6)
        self.rates = steepest(rules)
        self.weight_e6 = requirement_weight_e6(THRESHOLDS_E6, FACTOR_E6)
        self.thresholds = np.array(THRESHOLDS_E6, np.int64)
        self.gross = gross_rates(self.new_charges, addon_rates(rules.addons))
        self.small_e6 = small_gross(rules.addons)
        self.units, self.drifts = np.zeros(ROWS, np.int64), np.zeros(ROWS, np.int64)
        self.most = np.zeros(MAX_UNDERLYINGS, np.int64)
        self.exposures = np.zeros((ACCOUNTS, MAX_UNDERLYINGS), np.int64)
        self.others = np.zeros(ACCOUNTS, np.int64)
        self.flagged = np.zeros(ACCOUNTS, np.int64)
        self.out = np.zeros((3, ACCOUNTS), np.int64)
        self.bounds = np.zeros((2, ACCOUNTS), np.int64)
        everyone = np.arange(ACCOUNTS)
        exposure_units(self.new.losses_e6, self.units)
        set_exposures(everyone, book.ids, book.lots, book.counts, self.units, self.exposures)
        self.measure_drifts()
        used = self.exposures @ self.most
        chances = np.random.default_rng(SEED).random(ACCOUNTS)
        self.slacks = np.where(chances < FLAGGED, used // 2, used * 2 + 1)

    def measure_drifts(self) -> None:
        """Find how far the tick moved every instrument and underlying."""
        old, new = self.old, self.new
        instrument_drifts(
            old.lot_values_e6,
            new.lot_values_e6,
            old.losses_e6,
            new.losses_e6,
            self.old_charges,
            self.new_charges,
            self.rates,
            self.weight_e6,
            self.drifts,
        )
        underlying_drifts(self.drifts, self.units, self.most)

    def tick(self, slacks: Int64Array) -> int:
        """Charge the tick, margin what is flagged, renew its certificates; return how many."""
        self.measure_drifts()
        count = spend(slacks, self.exposures, self.most, self.others, self.flagged)
        chosen = self.flagged[:count]
        self.margin(chosen)
        least, most = self.bounds[:, :count]
        set_slacks(chosen, self.out[0, :count], least, most, self.thresholds, slacks)
        return count

    def margin(self, chosen: Int64Array) -> None:
        """Margin the chosen accounts."""
        book = self.book
        sweep_chosen(
            chosen,
            book.ids,
            book.lots,
            book.counts,
            book.net_cash,
            book.credit,
            self.new.lot_values_e6,
            self.gross,
            self.packed,
            self.out[0],
            self.out[1],
            self.out[2],
        )
        _, scan, gross = self.out[:, : chosen.size]
        least, most = self.bounds[:, : chosen.size]
        terms = self.small_e6, BREAKDOWN_E6, FACTOR_E6
        maintenance_bounds(scan, gross, *terms, least, most)


def flagged_tick(rules: RiskParameters, book: Book) -> Entry:
    """Time a tick that flags a tenth of the accounts."""
    certified = Certified(rules, book)
    fresh = iter([certified.slacks.copy() for _ in range(3 * ROUNDS)])
    everyone = np.arange(ACCOUNTS)
    ours, full = race(
        [lambda: certified.tick(next(fresh)), lambda: certified.margin(everyone)], 2 * ROUNDS
    )
    share = certified.tick(next(fresh)) / ACCOUNTS
    assert abs(share - FLAGGED) < 0.01
    text = f"{full.cpu * 1e3:.2f} ms for all accounts; {100 * share:.1f} % were flagged"
    return entry(ours.cpu * 1e3, "CPU ms", ours, text, ours.cpu / full.cpu)


def measure() -> dict[str, Entry]:
    """Return the figures of this part, by their key in the bench report."""
    rules = parameters()
    book = random_book(rules)
    return {
        "tick.full.ms": full_tick(rules, book),
        "tick.flagged_10pct.ms": flagged_tick(rules, book),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
