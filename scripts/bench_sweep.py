#!/usr/bin/env python3
"""Time the sweep beside C with AVX2 intrinsics, and beside the limit of the machine.

The book is that of the design: 100,000 accounts of 10 positions in 500 instruments of two
underlyings, 36 scenarios, in the arrays of the engine (rows of 32 places). C gets the same arrays
and the same rows of losses, and must give the same bits.

The limit is a loop in C of vpmuldq and vpaddq on registers alone: four multiply-accumulates for
each pair, 360 of them for an account. The share is the time of those over the time of an account.
Two threads each take half of the accounts; what the limit loop itself gains from a second thread
says what the machine had to give. Usage: bench_sweep.py, or `measure()`.
"""

import ctypes
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offchain.core.lanes import packed_losses
from offchain.core.sweep import sweep_bounds, sweep_bounds_reference
from offchain.core.units import MAX_POSITIONS, ROWS, SCENARIOS
from scripts.race import Entry, Times, compiled, entry, load_average, pointers, race

SEED = 100
ACCOUNTS = 100_000
POSITIONS = 10
LISTED = 500
LIMIT_ROUNDS = 200_000
"""Rounds of the limit loop; each is nine vectors of four, as one position."""
ROUNDS = 25
THREAD_ROUNDS = 200
"""More, since both cores must be free at once."""

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
Inputs = tuple[Int32Array, Int32Array, Int32Array, Int64Array, Int64Array, Int64Array, Int64Array]


@dataclass
class Book:
    """The inputs and outputs of a sweep."""

    ids: Int32Array
    lots: Int32Array
    counts: Int32Array
    net_cash: Int64Array
    credit: Int64Array
    lot_values: Int64Array
    gross_rates: Int64Array
    losses: Int32Array

    def inputs(self, first: int = 0, stop: int | None = None) -> Inputs:
        """Return what a sweep of some accounts takes before the losses."""
        part = slice(first, stop)
        held = self.ids[part], self.lots[part], self.counts[part]
        return (*held, self.net_cash[part], self.credit[part], self.lot_values, self.gross_rates)


def random_book(accounts: int = ACCOUNTS, positions: int = POSITIONS) -> Book:
    """Return accounts of random positions, ascending by instrument, and random rows."""
    rng = np.random.default_rng(SEED)
    shape = (accounts, MAX_POSITIONS)
    ids, lots = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    picks = np.sort(rng.integers(0, LISTED, (accounts, positions)), axis=1)
    ids[:, :positions] = np.where(picks < LISTED // 2, picks, picks + (ROWS - LISTED) // 2)
    lots[:, :positions] = rng.integers(-10_000, 10_000, (accounts, positions))
    return Book(
        ids,
        lots,
        np.full(accounts, positions, np.int32),
        rng.integers(-(2**40), 2**40, accounts),
        rng.integers(0, 2**40, accounts),
        rng.integers(0, 2**30, ROWS),
        rng.integers(0, 2**20, ROWS),
        rng.integers(-(2**30), 2**30, (ROWS, SCENARIOS)).astype(np.int32),
    )


def both_halves(pool: ThreadPoolExecutor, run: Callable[[int], object]) -> None:
    """Run the halves 0 and 1 in two threads and wait for both."""
    list(pool.map(run, (0, 1)))


def measure() -> dict[str, Entry]:
    """Return the figures of this part, by their key in the bench report."""
    book = random_book()
    packed = packed_losses(book.losses)
    library = compiled("sweep")
    fast, slow, plain = (np.zeros((3, ACCOUNTS), np.int64) for _ in range(3))
    numbers = ctypes.c_int64(ACCOUNTS), ctypes.c_int64(MAX_POSITIONS)
    places = [*pointers(*book.inputs(), packed), *numbers, *pointers(*slow)]

    def limit(rounds: int = LIMIT_ROUNDS) -> None:
        library.multiply_add_limit(ctypes.c_int64(rounds), ctypes.c_int32(7))

    ours, in_c, limit_times = race(
        [
            lambda: sweep_bounds(*book.inputs(), packed, fast[0], fast[1], fast[2]),
            lambda: library.sweep_bounds_c(*places),
            limit,
        ],
        ROUNDS,
    )
    sweep_bounds_reference(*book.inputs(), book.losses, plain[0], plain[1], plain[2])
    assert np.array_equal(fast, slow)
    assert np.array_equal(fast, plain)
    at_limit = limit_times.cpu / LIMIT_ROUNDS * POSITIONS
    each = ours.cpu / ACCOUNTS
    return {
        "sweep.ns_per_account": entry(
            each * 1e9,
            "CPU ns per account of 10 positions, 36 scenarios",
            ours,
            f"{in_c.cpu / ACCOUNTS * 1e9:.1f} ns in C with AVX2 intrinsics, gcc -O3 -march=native",
            ours.cpu / in_c.cpu,
        ),
        "sweep.ratio_to_c": entry(
            ours.cpu / in_c.cpu, "of the CPU time of C with AVX2 intrinsics", ours
        ),
        "sweep.share_of_mac_limit": entry(
            at_limit / each,
            "of the vpmuldq + vpaddq limit of one core (AVX2)",
            ours,
            f"{SCENARIOS / (limit_times.cpu / LIMIT_ROUNDS) / 1e9:.1f} G multiply-accumulates/s",
        ),
        "sweep.scaling_2_threads": scaling(book, packed, fast, limit),
    }


def scaling(
    book: Book,
    packed: Int32Array,
    out: Int64Array,
    limit: Callable[[int], None],
) -> Entry:
    """Measure the wall time of two threads on half of the accounts each."""
    middle = ACCOUNTS // 2
    halves = [
        (
            *book.inputs(first, stop),
            packed,
            out[0, first:stop],
            out[1, first:stop],
            out[2, first:stop],
        )
        for first, stop in ((0, middle), (middle, ACCOUNTS))
    ]

    def alone() -> None:
        for half in halves:
            sweep_bounds(*half)

    with ThreadPoolExecutor(2) as pool:
        one, two, limit_one, limit_two = race(
            [
                alone,
                lambda: both_halves(pool, lambda half: sweep_bounds(*halves[half])),
                lambda: limit(10 * LIMIT_ROUNDS),
                lambda: both_halves(pool, lambda _: limit(5 * LIMIT_ROUNDS)),
            ],
            THREAD_ROUNDS,
        )
    gained = limit_one.wall / limit_two.wall
    reference = f"the loop of the limit scales {gained:.2f} times; {load_average()}"
    times = Times(two.cpu, two.wall)
    return entry(one.wall / two.wall, "times as fast as one thread", times, reference)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
