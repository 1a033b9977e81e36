#!/usr/bin/env python3
"""Time the margin sweep and integer Black-76, each beside a reference in the same process.

Every figure is the best CPU time of several rounds in which kernel and reference take turns, so
that both see the same machine. Usage: bench_pricing.py, or `measure()`.
"""

import json
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from offchain.core.scan import sweep, sweep_reference
from offchain.core.units import MAX_POSITIONS, ROWS, SCENARIOS
from offchain.pricing.black76 import (
    MAX_DISTANCE,
    VOL_BITS,
    inverse_of,
    price_options,
    total_volatility,
)
from offchain.pricing.fixed_point import LOG_BITS, ln
from offchain.pricing.normal_table import NORMAL_TABLE, PROBABILITY_ONE

SEED = 100
ROUNDS = 9
ACCOUNTS = 100_000
POSITIONS = 10
LISTED = 500
CELLS = 100_000

Float64Array = NDArray[np.float64]
Measurement = dict[str, float | str]


def race(kernel: Callable[[], None], reference: Callable[[], None]) -> tuple[float, float, float]:
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
        rng.integers(-(2**40), 2**40, shape),
        np.full(ACCOUNTS, POSITIONS, np.int32),
        rng.integers(0, 2**40, ACCOUNTS),
        rng.integers(0, 2**40, ACCOUNTS),
        rng.integers(0, 2**30, ROWS),
        rng.integers(-(2**30), 2**30, (ROWS, SCENARIOS)).astype(np.int32),
    )
    fast = np.zeros(ACCOUNTS, np.int64), np.zeros(ACCOUNTS, np.int64)
    slow = np.zeros(ACCOUNTS, np.int64), np.zeros(ACCOUNTS, np.int64)
    times = race(lambda: sweep(*book, *fast), lambda: sweep_reference(*book, *slow))
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))
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


def measure() -> dict[str, Measurement]:
    """Return the figures of this part, by their key in the bench report."""
    return {"tick.ns_per_account": tick(), "black76.ns_per_cell": black76()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
