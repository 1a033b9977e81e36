#!/usr/bin/env python3
"""Time well-known libraries on the work that the kernels do, in the same process.

Needs the extra `peers` (`make peers`); without it nothing is measured and a line says so. Slow
peers are timed on a sample and compared per item. They compute in binary64, ours in exact integers;
each peer's result is checked against ours before it is timed. Usage: bench_peers.py, or
`measure()`.
"""

import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offchain.core.lanes import packed_losses
from offchain.core.sweep import sweep_bounds
from offchain.core.units import MAX_POSITIONS, ROWS, SCENARIOS, YEAR_NS
from offchain.pricing.black76 import inverse_of, price_options, total_volatility
from offchain.pricing.fixed_point import ln
from offchain.pricing.normal_table import NORMAL_TABLE

SEED = 300
ROUNDS = 5
CELLS = 50_000
CALLS = 2_000
ACCOUNTS = 20_000
DENSE = 2_000
POSITIONS = 10
LISTED = 500
NEEDED = ("QuantLib", "scipy", "vollib")

Float64Array = NDArray[np.float64]
Measurement = dict[str, float | str]


def best(work: Callable[[], object]) -> float:
    """Return the best CPU time of several runs, after one that may compile."""
    work()
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def entry(seconds: float, count: int, ours: float, unit: str, reference: str) -> Measurement:
    """Return a peer's time for one item, and how many times ours it is."""
    each = seconds / count * 1e9
    return {
        "value": round(each, 2),
        "unit": unit,
        "ratio": round(each / ours, 2),
        "reference": reference,
        "cpu_s": seconds,
        "wall_s": seconds,
    }


class Options:
    """Cells of Black-76: the same numbers as integers and as binary64."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        self.forwards = rng.integers(50_000 * 10**8, 70_000 * 10**8, CELLS)
        self.strikes = rng.integers(30_000 * 10**8, 120_000 * 10**8, CELLS)
        pairs = zip(self.forwards.tolist(), self.strikes.tolist(), strict=True)
        self.logs = np.array([ln(f) - ln(k) for f, k in pairs], np.int64)
        self.spans = rng.integers(10**14, 10**16, CELLS)
        totals = [total_volatility(60_000_000, span) for span in self.spans.tolist()]
        self.totals = np.array(totals, np.int64)
        self.inverses = np.array([inverse_of(total) for total in totals], np.int64)
        self.are_calls = rng.random(CELLS) < 0.5
        self.exact = np.zeros(CELLS, np.int64)
        self.prices = self.forwards / 1e8
        self.levels = self.strikes / 1e8
        self.years = self.spans / YEAR_NS

    def ours(self) -> None:
        """Price every cell in integers."""
        price_options(
            self.forwards,
            self.strikes,
            self.logs,
            self.totals,
            self.inverses,
            self.are_calls,
            NORMAL_TABLE,
            self.exact,
        )

    def check(self, values: Float64Array) -> None:
        """Fail unless a peer's prices of the first cells are ours to a millionth of a dollar."""
        assert np.abs(values - self.exact[: len(values)] / 1e8).max() < 1e-6


def price_peers() -> dict[str, Measurement]:
    """Time QuantLib, vollib and numpy with scipy on Black-76."""
    import QuantLib as ql  # noqa: PLC0415, N813  an optional extra, and its customary name
    from scipy.special import ndtr  # noqa: PLC0415  an optional extra
    from vollib.black import black  # noqa: PLC0415  an optional extra

    cells = Options()
    ours = best(cells.ours) / CELLS * 1e9
    rows = list(
        zip(
            cells.prices.tolist(),
            cells.levels.tolist(),
            cells.years.tolist(),
            cells.are_calls.tolist(),
            strict=True,
        )
    )[:CALLS]

    def quantlib() -> Float64Array:
        return np.array(
            [
                ql.blackFormula(ql.Option.Call if c else ql.Option.Put, k, f, 0.6 * t**0.5)
                for f, k, t, c in rows
            ]
        )

    def vollib() -> Float64Array:
        return np.array([black("c" if c else "p", f, k, t, 0.0, 0.6) for f, k, t, c in rows])

    def vectorised() -> Float64Array:
        widths = 0.6 * np.sqrt(cells.years)
        d1 = np.log(cells.prices / cells.levels) / widths + 0.5 * widths
        calls = cells.prices * ndtr(d1) - cells.levels * ndtr(d1 - widths)
        return np.asarray(np.where(cells.are_calls, calls, calls - cells.prices + cells.levels))

    found = {}
    for name, work, count in (
        ("quantlib", quantlib, CALLS),
        ("vollib", vollib, CALLS),
        ("scipy", vectorised, CELLS),
    ):
        cells.check(work())
        found[f"peers.black76.{name}"] = entry(
            best(work), count, ours, "ns/cell", "integer Black-76 of this project"
        )
    return found


class Book:
    """Accounts of ten positions, as the sweep takes them and as a matrix."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        shape = (ACCOUNTS, MAX_POSITIONS)
        self.ids, self.lots = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        places = np.argsort(rng.random((ACCOUNTS, LISTED // 2)), axis=1)[:, :POSITIONS]
        self.ids[:, :POSITIONS] = np.sort(places, axis=1)
        self.lots[:, :POSITIONS] = rng.integers(-10_000, 10_000, (ACCOUNTS, POSITIONS))
        self.losses = np.zeros((ROWS, SCENARIOS), np.int32)
        self.losses[:] = rng.integers(-(2**30), 2**30, (ROWS, SCENARIOS))
        self.scan = np.zeros(ACCOUNTS, np.int64)
        self.balance = np.zeros(ACCOUNTS, np.int64)
        self.zeros = np.zeros(ACCOUNTS, np.int64)
        self.gross = np.zeros(ACCOUNTS, np.int64)
        self.counts = np.full(ACCOUNTS, POSITIONS, np.int32)
        self.values = np.zeros(ROWS, np.int64)

    def ours(self) -> None:
        """Sweep every account."""
        sweep_bounds(
            self.ids,
            self.lots,
            self.counts,
            self.zeros,
            self.zeros,
            self.values,
            self.values,
            packed_losses(self.losses),
            self.balance,
            self.scan,
            self.gross,
        )

    def check(self, worst: Float64Array) -> None:
        """Fail unless a peer's scan risk of the first accounts is ours."""
        assert np.array_equal(np.maximum(worst, 0.0), self.scan[: len(worst)].astype(np.float64))


def sweep_peers() -> dict[str, Measurement]:
    """Time scipy's sparse and numpy's dense product on the margin sweep."""
    from scipy.sparse import csr_array  # noqa: PLC0415  an optional extra

    book = Book()
    ours = best(book.ours) / ACCOUNTS * 1e9
    flat = book.lots[:, :POSITIONS].ravel().astype(np.float64)
    columns = book.ids[:, :POSITIONS].ravel()
    starts = np.arange(0, ACCOUNTS * POSITIONS + 1, POSITIONS)
    sparse: Any = csr_array((flat, columns, starts), shape=(ACCOUNTS, ROWS))
    dense = sparse[:DENSE].toarray()
    losses = book.losses.astype(np.float64)  # sums stay below 2**53, so binary64 is exact here

    def by_csr() -> Float64Array:
        return np.asarray((sparse @ losses).max(axis=1))

    def by_dense() -> Float64Array:
        return np.asarray((dense @ losses).max(axis=1))

    found = {}
    for name, work, count in (("scipy_csr", by_csr, ACCOUNTS), ("numpy_dense", by_dense, DENSE)):
        book.check(work())
        found[f"peers.sweep.{name}"] = entry(
            best(work), count, ours, "ns/account", "margin sweep of this project, balance included"
        )
    return found


def measure() -> dict[str, Measurement]:
    """Return the figures of this part, by their key in the bench report."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"  peers: not measured, {', '.join(missing)} missing (make peers)")
        return {}
    return price_peers() | sweep_peers()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
