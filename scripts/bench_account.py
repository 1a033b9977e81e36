#!/usr/bin/env python3
"""Time what one account or one order costs: a check from Python, a pre-trade check, a shortfall.

Each figure has its plain reference in unbounded Python integers, timed in the same race on the same
account; the kernels must give the same results. Usage: bench_account.py, or `measure()`.
"""

import json
import tracemalloc

import numpy as np

from offchain.core.addons import COLUMNS, Charge
from offchain.core.curves import curve_lines
from offchain.core.portfolio import FIGURES, SCAN, portfolio_margin, portfolio_reference
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, addon_parameters, pm36
from offchain.core.presum import risk_after_reference, risks_after
from offchain.core.shortfall import shortfall, shortfall_reference, tail_of
from offchain.core.units import (
    MAX_POSITIONS,
    MAX_UNDERLYINGS,
    ROWS,
    SCENARIOS,
    YEAR_NS,
    RatioE6,
)
from offchain.engine.accounts import Accounts
from offchain.engine.tables import rule_tables
from scripts.race import Entry, Times, entry, race

SEED = 100
POSITIONS = 10
CALLS = 2_000
ORDERS = 4
CHECKS = 200_000
HISTORY = 1_024
CONFIDENCE = RatioE6(975_000)
SHORTFALLS = 5_000
MANY = 100_000
"""Accounts of 10 positions each, for the memory of a million positions."""


def compared(kernel: Times, count: int, plain: Times, unit: str, scale: float) -> Entry:
    """Return a figure per item beside the plain reference of one item."""
    each = kernel.cpu / count
    text = f"{plain.cpu * scale:,.1f} in plain Python integers"
    return entry(each * scale, unit, kernel, text, each / plain.cpu)


def account(resting: int) -> Entry:
    """Time calls from Python of what the engine asks for one account: the whole of PM-36."""
    rng = np.random.default_rng(SEED)
    labels = (("30D", YEAR_NS),)
    series = [Series(BITCOIN, labels, (60_000,)), Series(ETHER, labels, (3_000,))]
    names = tuple(f"0x{i:040x}" for i in range(1, 8))
    tables = rule_tables(pm36(series, Roles(names[:5], *names[5:])))
    lines = np.zeros((POSITIONS, 4), np.int64)
    lines[:, 0] = np.sort(rng.choice(ROWS, POSITIONS, replace=False))
    lines[:, 1] = rng.integers(-10_000, 10_000, POSITIONS)
    lines[:resting, 2] = 50
    orders = np.full((resting, 3), 100)
    orders[:, 0], orders[:, 1] = lines[:resting, 0], lines[:resting, 2]
    losses = rng.integers(-(2**26), 2**26, (ROWS, SCENARIOS)).astype(np.int32)
    charges = rng.integers(0, 2**20, (ROWS, COLUMNS))
    charges[:, Charge.GROUP] = rng.integers(0, 8, ROWS)
    figures = np.zeros(FIGURES, np.int64)
    given = lines, orders, losses, charges, tables.curves, tables.terms, figures

    def calls() -> None:
        for _ in range(CALLS):
            portfolio_margin(*given)

    tiers = [
        [curve_lines(getattr(a, name)) for a in (addon_parameters("BTC"), addon_parameters("ETH"))]
        for name in ("delta_tiers", "unwind_tiers")
    ]
    held = [(i, lots, buys, sells) for i, lots, buys, sells in lines.tolist()]
    ordered = [(i, lots, slip) for i, lots, slip in orders.tolist()]
    cells, rows = losses.tolist(), charges.tolist()
    terms = tables.terms.tolist()

    def plainly() -> int:
        return portfolio_reference(held, ordered, cells, rows, tiers[0], tiers[1], terms)[1]

    kernel, plain = race([calls, plainly])
    calls()
    assert int(figures[SCAN]) == plainly()
    return compared(kernel, CALLS, plain, f"CPU us per call: whole PM-36, {resting} orders", 1e6)


def pretrade(accounts: int) -> Entry:
    """Time a batch of pre-trade checks of random accounts, all 36 scenarios each."""
    rng = np.random.default_rng(SEED)
    sums = rng.integers(-(2**40), 2**40, (accounts, MAX_UNDERLYINGS, SCENARIOS))
    worst = np.maximum(0, sums.max(axis=2))
    losses = rng.integers(-(2**26), 2**26, (ROWS, SCENARIOS)).astype(np.int32)
    chosen, slips = rng.integers(0, accounts, CHECKS), rng.integers(-(10**6), 10**6, CHECKS)
    rows = rng.integers(0, ROWS, CHECKS).astype(np.int32)
    lots = rng.integers(-1_000, 1_000, CHECKS).astype(np.int32)
    out = np.zeros(CHECKS, np.int64)
    order = int(rows[-1]), int(lots[-1]), int(slips[-1]), losses.tolist()
    mine = sums[chosen[-1]].tolist()
    kernel, plain = race(
        [
            lambda: risks_after(chosen, rows, lots, slips, sums, worst, losses, out),
            lambda: risk_after_reference(mine, *order),
        ]
    )
    assert int(out[-1]) == risk_after_reference(mine, *order)
    return compared(kernel, CHECKS, plain, "CPU ns per check of 36 scenarios", 1e9)


def expected_shortfall() -> Entry:
    """Time expected shortfall at 97.5 % over 1,024 scenarios, for accounts of 10 positions."""
    rng = np.random.default_rng(SEED)
    shape = (SHORTFALLS, MAX_POSITIONS)
    ids = rng.integers(0, ROWS, shape).astype(np.int32)
    lots = rng.integers(-10_000, 10_000, shape).astype(np.int32)
    counts = np.full(SHORTFALLS, POSITIONS, np.int32)
    heavy = rng.standard_t(4, (ROWS, HISTORY)) * 2**22
    losses = np.clip(heavy, -(2**30), 2**30).astype(np.int32)
    tail, out = tail_of(HISTORY, CONFIDENCE), np.zeros(SHORTFALLS, np.int64)
    scratch = np.zeros(HISTORY + 4 * tail.scenarios, np.int64)
    last = ids[-1, :POSITIONS].tolist(), lots[-1, :POSITIONS].tolist(), losses.tolist()
    parts = tail.scenarios, tail.p, tail.q
    kernel, plain = race(
        [
            lambda: shortfall(ids, lots, counts, losses, *parts, scratch, out),
            lambda: shortfall_reference(*last, CONFIDENCE),
        ]
    )
    assert int(out[-1]) == shortfall_reference(*last, CONFIDENCE)
    return compared(kernel, SHORTFALLS, plain, "CPU us per account, 1,024 scenarios", 1e6)


def book_memory() -> Entry:
    """Measure what a million positions take in the engine: arrays, index and scenario sums."""
    owners = [place.to_bytes(20, "big") for place in range(MANY)]
    tracemalloc.start()
    accounts = Accounts()
    for owner in owners:
        accounts.open(owner, 0)
    sums = np.zeros((MANY, MAX_UNDERLYINGS, SCENARIOS), np.int64)
    grown, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = slice(0, POSITIONS)  # rows are allocated whole, so filling them takes nothing more
    accounts.ids[:MANY, held], accounts.lots[:MANY, held] = range(POSITIONS), 1
    accounts.counts[:MANY] = POSITIONS
    positions = int((accounts.lots != 0).sum())
    assert positions == MANY * POSITIONS
    shares = f"scenario sums {sums.nbytes / 2**20:.0f}, at most {peak / 2**20:.0f} while growing"
    reference = f"{positions:,} positions of {MANY:,} accounts; {shares}"
    return {"value": round(grown / 2**20, 1), "unit": "MiB", "reference": reference}


def measure() -> dict[str, Entry]:
    """Return the figures of this part, by their key in the bench report."""
    return {
        "account.us": account(0),
        "account.us.with_orders": account(ORDERS),
        "pretrade.ns.accounts_1k": pretrade(1_000),
        "pretrade.ns.accounts_100k": pretrade(100_000),
        "es.us_per_account": expected_shortfall(),
        "book.mib": book_memory(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
