"""Plots of a run as SVG text; None where matplotlib is missing.

No date and a fixed salt go into the text, so the same run gives the same bytes on the same version
of matplotlib.
"""

import io
from collections.abc import Callable
from typing import Any

from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS
from offchain.stress.book import CONTRACTS
from offchain.stress.replay import Outcome, Point
from offchain.stress.results import Run

HOUR_NS = 3_600 * SECOND_NS
MILLION_E6 = 1_000_000 * ONE_E6
COLOURS = ("#1f5f8b", "#b5342c", "#d9a441", "#3a7d44", "#7b5aa6", "#8a8f98")


def plots(run: Run) -> str | None:
    """Return one drawing of four panels, or None when matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional, and slow to load
        from matplotlib.figure import Figure  # noqa: PLC0415 - the same
    except ImportError:
        return None
    settings: dict[Any, Any] = {"svg.hashsalt": "plimsoll", "svg.fonttype": "none"}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(10, 6.4), layout="constrained")
        panels = figure.subplots(2, 2).flatten()
        _prices(panels[0], run)
        _lines(panels[1], run, "insurance fund, million USD", lambda p: p.fund_e6)
        _lines(panels[2], run, "liquidated, million USD", lambda p: p.liquidated_e6)
        _lines(panels[3], run, "deleveraged, million USD", lambda p: p.deleveraged_e6)
        for axes in panels:
            axes.grid(alpha=0.25, linewidth=0.6)
            axes.set_xlabel("hours from the start", fontsize=8)
            axes.tick_params(labelsize=8)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        panels[3].legend(fontsize=8, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _hours(run: Run, points: tuple[Point, ...]) -> list[float]:
    return [(point.time_ns - run.path[0][0]) / HOUR_NS for point in points]


def _prices(axes: Any, run: Run) -> None:
    """Draw the index of the first contract, and its mark under the first two policies."""
    for outcome, colour in zip(run.outcomes[:2], COLOURS, strict=False):
        marks = [p.marks_e8[0] / ONE_E8 for p in outcome.points]
        axes.plot(
            _hours(run, outcome.points),
            marks,
            color=colour,
            linewidth=0.9,
            label=f"mark, {outcome.name}",
        )
    points = run.outcomes[0].points
    index = [p.indices_e8[0] / ONE_E8 for p in points]
    axes.plot(_hours(run, points), index, color="#1b1f24", linewidth=0.7, label="index")
    axes.set_title(f"{CONTRACTS[0].symbol}, USD", fontsize=9, loc="left")
    axes.legend(fontsize=8, frameon=False)


def _lines(axes: Any, run: Run, title: str, of: Callable[[Point], int]) -> None:
    for outcome, colour in zip(run.outcomes, COLOURS, strict=False):
        axes.plot(
            _hours(run, outcome.points),
            _values(outcome, of),
            color=colour,
            linewidth=1.0,
            label=outcome.name,
        )
    axes.set_title(title, fontsize=9, loc="left")


def _values(outcome: Outcome, of: Callable[[Point], int]) -> list[float]:
    return [of(point) / MILLION_E6 for point in outcome.points]
