#!/usr/bin/env python3
"""Draw docs/benchmarks.svg from build/bench/results.json: our kernels beside their references.

Usage: plot_bench.py, after `make peers`. A figure that was not measured is left out, and named.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "bench" / "results.json"
PICTURE = ROOT / "docs" / "benchmarks.svg"
PANELS = (
    (
        "Black-76, one cell [ns]",
        (
            ("black76.ns_per_cell", "Plimsoll, integers"),
            ("peers.black76.scipy", "numpy + scipy"),
            ("peers.black76.quantlib", "QuantLib blackFormula"),
            ("peers.black76.vollib", "vollib"),
        ),
    ),
    (
        "Margin of one account, 10 positions x 36 [ns]",
        (
            ("sweep.ns_per_account", "Plimsoll, exact integers"),
            ("peers.sweep.scipy_csr", "scipy CSR"),
            ("peers.sweep.numpy_dense", "numpy dense"),
        ),
    ),
)
OURS, THEIRS = "#1b6ca8", "#b8b8b8"


def draw(axis: Any, title: str, bars: list[tuple[str, float]]) -> None:
    """Draw one panel on a logarithmic axis, the smallest bar on top."""
    names, values = [name for name, _ in bars], [value for _, value in bars]
    places = range(len(bars))
    axis.barh(places, values, color=[OURS] + [THEIRS] * (len(bars) - 1))
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_title(title, loc="left", fontsize=10)
    for place, value in zip(places, values, strict=True):
        axis.text(value * 1.08, place, f"{value:,.0f}", va="center", fontsize=8)
    axis.set_xlim(right=max(values) * 3)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def main() -> int:
    """Draw what was measured."""
    results = json.loads(RESULTS.read_text())["results"]
    missing = [key for _, rows in PANELS for key, _ in rows if key not in results]
    if missing:
        print(f"plot_bench: not measured: {', '.join(missing)} (make peers)")
    mpl.rcParams["svg.hashsalt"] = "plimsoll"  # the same figures give the same bytes
    figure, axes = plt.subplots(len(PANELS), 1, figsize=(8, 4.6))
    for axis, (title, rows) in zip(axes, PANELS, strict=True):
        bars = [(name, float(results[key]["value"])) for key, name in rows if key in results]
        draw(axis, title, bars)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"plot_bench: wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
