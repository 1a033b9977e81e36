"""What the benchmarks share: C references built on the spot, and races in one process.

Competitors take turns and each keeps its best round, so all of them see the same machine, and what
else runs on it disturbs the figure of none more than of another.
"""

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "scripts" / "bench_c"
BUILT = ROOT / "build" / "bench"
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
ROUNDS = 15

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Times:
    """The best round of one competitor, in seconds."""

    cpu: float
    wall: float


def compiled(name: str) -> ctypes.CDLL:
    """Build `scripts/bench_c/NAME.c` with gcc -O3 -march=native and load it."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise RuntimeError("the C references need gcc")
    BUILT.mkdir(parents=True, exist_ok=True)
    library = BUILT / f"{name}.so"
    source = SOURCES / f"{name}.c"
    subprocess.run([gcc, *FLAGS, "-o", library, source], check=True)  # noqa: S603  our own source
    return ctypes.CDLL(str(library))


def pointers(*arrays: NDArray[Any]) -> list[ctypes.c_void_p]:
    """Return the addresses of arrays, which must outlive the call."""
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def race(competitors: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[Times]:
    """Return the best CPU and wall time of each; first calls, which may compile, do not count."""
    best = [(np.inf, np.inf)] * len(competitors)
    for run in competitors:
        run()
    for _ in range(rounds):
        for place, run in enumerate(competitors):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent = time.process_time() - cpu, time.perf_counter() - wall
            best[place] = min(best[place][0], spent[0]), min(best[place][1], spent[1])
    return [Times(*pair) for pair in best]


def entry(
    value: float, unit: str, times: Times, reference: str = "", ratio: float | None = None
) -> Entry:
    """Return one figure in the shape of the report."""
    found: Entry = {
        "value": round(value, 4),
        "unit": unit,
        "cpu_s": times.cpu,
        "wall_s": times.wall,
    }
    if reference:
        found["reference"] = reference
    if ratio is not None:
        found["ratio"] = round(ratio, 4)
    return found


def load_average() -> str:
    """Return how many processes competed for the machine, for figures that depend on it."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
