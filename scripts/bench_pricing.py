#!/usr/bin/env python3
"""Time and check integer pricing, each figure beside a reference in the same process.

Every time is the best CPU time of several rounds in which kernel and reference take turns, so that
both see the same machine. Exactness is counted on a million cells against Python integers, and the
error against forty digits of mpmath. Usage: bench_pricing.py, or `measure()`.
"""

import json
import random
import time
from collections.abc import Callable

import mpmath
import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.instruments import SHAPE_KINDS, FeedKind
from offchain.core.lanes import packed_losses
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.sweep import sweep_bounds, sweep_bounds_reference
from offchain.core.units import (
    DAY_NS,
    MAX_POSITIONS,
    ONE_E8,
    ROWS,
    SCENARIOS,
    SECOND_NS,
    YEAR_NS,
)
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    MAX_TOTAL_VOL,
    MIN_TOTAL_VOL,
    VOL_BITS,
    inverse_of,
    option_price,
    price_options,
    price_reference,
    total_volatility,
)
from offchain.pricing.fixed_point import LOG_BITS, ln
from offchain.pricing.normal_table import NORMAL_TABLE, PROBABILITY_ONE
from offchain.pricing.risk_array import price_book
from offchain.pricing.surface import Surface, encode_surface

SEED = 100
ROUNDS = 9
ACCOUNTS = 100_000
POSITIONS = 10
LISTED = 500
CELLS = 100_000
EXACT_CELLS = 1_000_000
DIGITS_CELLS = 20_000

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
Measurement = dict[str, float | str]


def race(
    kernel: Callable[[], object], reference: Callable[[], object]
) -> tuple[float, float, float]:
    """Return the best CPU and wall time of the kernel, and the best CPU time of the reference."""
    kernel()  # the first call compiles
    reference()
    cpu, wall, other = [], [], []
    for _ in range(ROUNDS):
        begun, began = time.process_time(), time.perf_counter()
        kernel()
        cpu.append(time.process_time() - begun)
        wall.append(time.perf_counter() - began)
        begun = time.process_time()
        reference()
        other.append(time.process_time() - begun)
    return min(cpu), min(wall), min(other)


def measurement(
    times: tuple[float, float, float], count: int, unit: str, reference: str
) -> Measurement:
    """Return one figure: nanoseconds an item, and how it compares."""
    cpu, wall, other = times
    return {
        "value": round(cpu / count * 1e9, 2),
        "unit": unit,
        "ratio": round(cpu / other, 4),
        "reference": reference,
        "cpu_s": cpu,
        "wall_s": wall,
    }


def tick() -> Measurement:
    """Time the sweep of 100,000 accounts of 10 positions in 500 instruments."""
    rng = np.random.default_rng(SEED)
    shape = (ACCOUNTS, MAX_POSITIONS)
    ids = np.zeros(shape, np.int32)
    lots = np.zeros(shape, np.int32)
    picks = np.sort(rng.integers(0, LISTED, (ACCOUNTS, POSITIONS)), axis=1)
    ids[:, :POSITIONS] = np.where(picks < LISTED // 2, picks, picks + (ROWS - LISTED) // 2)
    lots[:, :POSITIONS] = rng.integers(-10_000, 10_000, (ACCOUNTS, POSITIONS))
    book = (
        ids,
        lots,
        np.full(ACCOUNTS, POSITIONS, np.int32),
        rng.integers(0, 2**40, ACCOUNTS),
        rng.integers(0, 2**40, ACCOUNTS),
        rng.integers(0, 2**30, ROWS),
        rng.integers(0, 2**30, ROWS),
    )
    losses = rng.integers(-(2**30), 2**30, (ROWS, SCENARIOS)).astype(np.int32)
    fast, slow = np.zeros((3, ACCOUNTS), np.int64), np.zeros((3, ACCOUNTS), np.int64)
    times = race(
        lambda: sweep_bounds(*book, packed_losses(losses), *fast),
        lambda: sweep_bounds_reference(*book, losses, *slow),
    )
    assert np.array_equal(fast, slow)
    return measurement(times, ACCOUNTS, "ns/account", "plain numba loops, same result")


@njit(cache=True, nogil=True)
def normal_float(x: float, table: Float64Array) -> float:
    """Return N(x) from the same table in binary64."""
    distance = min(abs(x), 7.999999)
    segment = int(distance * 64.0)
    t = 128.0 * distance - (2.0 * segment + 1.0)
    c = 5 * segment
    value = table[c + 4]
    for k in (3, 2, 1, 0):
        value = table[c + k] + t * value
    return float(value) if x >= 0.0 else 1.0 - float(value)


@njit(cache=True, nogil=True)
def price_options_float(
    forwards: Float64Array,
    strikes: Float64Array,
    log_moneyness: Float64Array,
    total_vols: Float64Array,
    inverse_vols: Float64Array,
    are_calls: NDArray[np.bool_],
    table: Float64Array,
    out: Float64Array,
) -> None:
    """Price as `price_options` does, step for step, in binary64; a yardstick for time only."""
    for i in range(out.shape[0]):
        distance = min(max(log_moneyness[i] * inverse_vols[i], -12.0), 12.0)
        d1 = distance + 0.5 * total_vols[i]
        expected = forwards[i] * normal_float(d1, table)
        expected -= strikes[i] * normal_float(d1 - total_vols[i], table)
        call = max(forwards[i] - strikes[i], 0.0, expected)
        out[i] = call if are_calls[i] else call - forwards[i] + strikes[i]


def black76() -> Measurement:
    """Time 100,000 cells of integer Black-76 against the same steps in binary64."""
    assert MAX_DISTANCE == 12 << VOL_BITS
    rng = np.random.default_rng(SEED)
    forwards = rng.integers(50_000 * 10**8, 70_000 * 10**8, CELLS)
    strikes = rng.integers(30_000 * 10**8, 120_000 * 10**8, CELLS)
    logs = np.array(
        [ln(f) - ln(k) for f, k in zip(forwards.tolist(), strikes.tolist(), strict=True)], np.int64
    )
    spans = rng.integers(10**14, 10**16, CELLS).tolist()
    totals = np.array([total_volatility(60_000_000, span) for span in spans], np.int64)
    inverses = np.array([inverse_of(total) for total in totals.tolist()], np.int64)
    are_calls = rng.random(CELLS) < 0.5
    exact = np.zeros(CELLS, np.int64)
    rough = np.zeros(CELLS, np.float64)
    widths = totals / 2.0**VOL_BITS
    numbers = forwards / 1e8, strikes / 1e8, logs / 2.0**LOG_BITS, widths, 1.0 / widths
    table = NORMAL_TABLE / float(PROBABILITY_ONE)
    times = race(
        lambda: price_options(
            forwards, strikes, logs, totals, inverses, are_calls, NORMAL_TABLE, exact
        ),
        lambda: price_options_float(*numbers, are_calls, table, rough),
    )
    assert np.abs(exact / 1e8 - rough).max() < 1e-6
    return measurement(times, CELLS, "ns/cell", "the same steps in binary64, numba")


def random_cells(rng: np.random.Generator, count: int) -> list[Int64Array]:
    """Return forwards, strikes, ln(F/K) and total volatilities, among them every kind of edge.

    A third of the logs have nothing to do with the prices, so that the distance saturates.
    """
    sizes = rng.integers(10, 46, (2, count))
    forwards, strikes = (1 + rng.integers(0, 1 << 62, (2, count)) % (1 << sizes)).tolist()
    usual = rng.random(count) < 0.5
    spot = rng.integers(10**10, 2 * 10**13, count)
    forward = np.where(usual, spot, forwards)
    strike = np.where(usual, spot // 2 + rng.integers(0, 10**13, count), strikes)
    logs = np.rint(np.log(forward / strike) * 2.0**LOG_BITS).astype(np.int64)
    free = rng.integers(-(1 << 62), 1 << 62, count) >> rng.integers(0, 40, count)
    total = rng.integers(MIN_TOTAL_VOL, MAX_TOTAL_VOL, count) >> rng.integers(0, 25, count)
    total = np.where(total < MIN_TOTAL_VOL, 0, total)
    edges = rng.choice(np.array([0, MIN_TOTAL_VOL, MAX_TOTAL_VOL]), count)
    return [
        forward,
        strike,
        np.where(rng.random(count) < 1 / 3, free, logs),
        np.where(rng.random(count) < 0.05, edges, total),
    ]


def mismatches(count: int = EXACT_CELLS) -> int:
    """Return how many cells of the kernel differ from unbounded Python integers."""
    rng = np.random.default_rng(SEED + 1)
    cells = random_cells(rng, count)
    are_calls = rng.random(count) < 0.5
    inverses = np.array([inverse_of(total) for total in cells[3].tolist()], np.int64)
    found = np.zeros(count, np.int64)
    forwards, strikes, logs, totals = cells
    price_options(forwards, strikes, logs, totals, inverses, are_calls, NORMAL_TABLE, found)
    columns = zip(*(c.tolist() for c in (*cells, are_calls, found)), strict=True)
    return sum(
        price != price_reference(f, k, log, total, is_call=is_call)
        for f, k, log, total, is_call, price in columns
    )


def largest_error_usd(count: int = DIGITS_CELLS) -> float:
    """Return the largest error of a call with forward and strike up to 700,000 USD."""
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    worst = mpmath.mpf(0)
    with mpmath.workdps(40):
        for _ in range(count):
            forward = rng.randrange(ONE_E8, 700_000 * ONE_E8)
            strike = min(forward * rng.randrange(50_000, 20_000_000) // 10**6, (1 << 46) - 1)
            volatility = rng.randrange(ONE_E8 // 100, 5 * ONE_E8)
            time_ns = rng.randrange(10**10, rng.choice([DAY_NS, 30 * DAY_NS, 2 * YEAR_NS]))
            price = option_price(forward, strike, volatility, time_ns, is_call=True)
            w = mpmath.mpf(volatility) / ONE_E8 * mpmath.sqrt(mpmath.mpf(time_ns) / YEAR_NS)
            d1 = mpmath.log(mpmath.mpf(forward) / strike) / w + w / 2
            true = forward * mpmath.ncdf(d1) - strike * mpmath.ncdf(d1 - w)
            worst = max(worst, abs(price - true))
    return float(worst / ONE_E8)


def smiling_book() -> tuple[RiskParameters, list[int], int]:
    """Return 500 options at ten expiries with smiles, a report, and its time."""
    now = 1_760_000_000 * SECOND_NS
    expiries = tuple((str(d), now + d * DAY_NS + 3_600 * SECOND_NS) for d in (1, 7, 30, 90, 180))
    series = [
        Series(BITCOIN, expiries, tuple(range(50_000, 100_000, 2_000))),
        Series(ETHER, expiries, tuple(range(1_600, 6_600, 200))),
    ]
    roles = Roles(tuple(f"0x{n:040x}" for n in range(1, 8)), f"0x{98:040x}", f"0x{99:040x}")
    parameters = pm36(series, roles)
    smile = dict(
        zip(
            (FeedKind.VOLATILITY, *SHAPE_KINDS),
            encode_surface(Surface(45_000_000, 6_000_000, -30_000_000, 1_000_000, 12_000_000)),
            strict=True,
        )
    )
    spots = (72_000 * ONE_E8, 3_100 * ONE_E8)
    medians = [smile.get(feed.kind, spots[feed.underlying]) for feed in parameters.listing.feeds]
    assert sum(i.is_option for i in parameters.listing.instruments) == LISTED
    return parameters, [*medians[:-1], ONE_E8], now


def reprice() -> Measurement:
    """Time marks, risk arrays, deltas and vegas of 500 options, beside binary64 prices alone."""
    parameters, medians, now = smiling_book()
    cells = LISTED * SCENARIOS
    rng = np.random.default_rng(SEED)
    forwards = rng.uniform(50_000.0, 70_000.0, cells)
    strikes = rng.uniform(50_000.0, 100_000.0, cells)
    widths = rng.uniform(0.05, 0.5, cells)
    logs = np.log(forwards / strikes)
    are_calls = rng.random(cells) < 0.5
    out = np.zeros(cells, np.float64)
    table = NORMAL_TABLE / float(PROBABILITY_ONE)
    times = race(
        lambda: price_book(parameters, medians, now),
        lambda: price_options_float(
            forwards, strikes, logs, widths, 1.0 / widths, are_calls, table, out
        ),
    )
    figure = measurement(times, 1, "us", f"{cells:,} prices in binary64, nothing else, numba")
    return {**figure, "value": round(times[0] * 1e6, 1)}


def measure() -> dict[str, Measurement]:
    """Return the figures of this part, by their key in the bench report."""
    integer = black76()
    assert isinstance(integer["ratio"], float)
    return {
        "tick.ns_per_account": tick(),
        "tick.reprice.us": reprice(),
        "black76.ns_per_cell": integer,
        "black76.int_over_float": {**integer, "value": integer["ratio"], "unit": "x"},
        "black76.mismatches": {
            "value": mismatches(),
            "unit": f"of {EXACT_CELLS:,} cells",
            "reference": "Python integers",
        },
        "black76.max_error_usd": {
            "value": largest_error_usd(),
            "unit": "USD",
            "reference": f"mpmath, 40 digits, {DIGITS_CELLS:,} cells of up to 700,000 USD",
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
