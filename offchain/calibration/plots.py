"""Plots of a calibration as SVG text; None where matplotlib is missing.

No date and a fixed salt go into the text, so the same calibration gives the same bytes on the same
version of matplotlib.
"""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

from offchain.calibration.proposal import Proposal, UnderlyingProposal
from offchain.calibration.settings import DAY_S
from offchain.core.units import ONE_E6, ONE_E8

_YEAR_DAYS = 365.2425
_MAX_POINTS = 1_500
"""Points of a line, at most: a page stays small."""
BLUE, RED, GREY, GREEN = "#1f5f8b", "#b5342c", "#8a8f98", "#3a7d44"


def plots(proposal: Proposal) -> dict[str, str] | None:
    """Return SVG by title, or None when matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional, and slow to load
        from matplotlib.figure import Figure  # noqa: PLC0415 - the same
    except ImportError:
        return None
    drawn: dict[str, Callable[[Any], None]] = {}
    for u in proposal.underlyings:
        drawn[f"{u.symbol}: scan range out of sample"] = partial(_range, u=u, proposal=proposal)
        drawn[f"{u.symbol}: volatility"] = partial(_volatility, u=u)
    if proposal.correlation:
        drawn["Correlation of daily returns"] = partial(_correlation, proposal=proposal)
    drawn["Haircuts"] = partial(_haircuts, proposal=proposal)
    drawn["Historical scenarios"] = partial(_scenarios, proposal=proposal)
    settings: dict[Any, Any] = {
        "svg.hashsalt": "plimsoll",
        "svg.fonttype": "none",
        "path.simplify": True,
    }
    with mpl.rc_context(settings):
        return {title: _svg(Figure, draw) for title, draw in drawn.items()}


def _svg(figure_type: Any, draw: Callable[[Any], None]) -> str:
    figure = figure_type(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots()
    draw(axes)
    axes.grid(alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _year(time: float) -> float:
    return 1970.0 + time / DAY_S / _YEAR_DAYS


def _thinned(count: int) -> slice:
    return slice(None, None, max(1, -(-count // _MAX_POINTS)))


def _range(axes: Any, u: UnderlyingProposal, proposal: Proposal) -> None:
    test, times = u.backtest, u.history.series.times
    years = [_year(date) for date in test.dates]
    horizon = u.history.steps * u.history.series.step_s
    since = times[u.history.starts] - test.dates[0]
    tested = (since >= 0) & (since % horizon == 0)
    moves = u.history.moves[tested] * 100
    axes.plot(
        [_year(t) for t in times[u.history.starts][tested]],
        moves,
        ".",
        color=GREY,
        markersize=2,
        label=f"moves over {proposal.settings.horizon_days} days",
    )
    for variant, colour in ((test.procyclical, RED), (test.proposed, BLUE)):
        for sign in (1, -1):
            axes.step(
                years,
                [sign * value / ONE_E6 * 100 for value in variant.ranges_e6],
                where="post",
                color=colour,
                linewidth=1.1,
                label=variant.name if sign > 0 else None,
            )
    axes.set_ylabel("% of price")
    axes.legend(loc="upper right", fontsize=8, ncols=3, frameon=False)


def _volatility(axes: Any, u: UnderlyingProposal) -> None:
    for series, colour, label in (
        (u.volatility.realised, GREY, "realised, 30 days"),
        (u.volatility.series, BLUE, u.volatility.source.split(",")[0]),
    ):
        thin = _thinned(len(series.times))
        unit = 1.0 if float(series.values.mean()) > 5.0 else 100.0
        axes.plot(
            [_year(t) for t in series.times[thin]],
            series.values[thin] * unit,
            color=colour,
            linewidth=0.9,
            label=label,
        )
    axes.axhline(u.shocks.min_up_e8 / ONE_E8 * 100, color=RED, linewidth=0.9, label="minimum up")
    axes.set_ylabel("% a year")
    axes.legend(loc="upper right", fontsize=8, ncols=3, frameon=False)


def _correlation(axes: Any, proposal: Proposal) -> None:
    found = proposal.correlation
    assert found is not None
    axes.plot(
        [_year(day * DAY_S) for day, _ in found.rolling],
        [value for _, value in found.rolling],
        color=BLUE,
        linewidth=0.9,
        label=f"{proposal.settings.correlation_days} days",
    )
    for value, colour, label in (
        (found.now, GREEN, "now"),
        (found.low, GREY, "low (5 %)"),
        (found.breakdown, RED, "breakdown"),
    ):
        axes.axhline(value, color=colour, linewidth=0.9, linestyle="--", label=label)
    axes.legend(loc="lower right", fontsize=8, ncols=4, frameon=False)


def _haircuts(axes: Any, proposal: Proposal) -> None:
    for haircut, colour in zip(proposal.haircuts, (BLUE, RED, GREY, GREEN), strict=False):
        thin = _thinned(len(haircut.path))
        axes.plot(
            [_year(day * DAY_S) for day, _, _ in haircut.path[thin]],
            [held / ONE_E6 * 100 for _, _, held in haircut.path[thin]],
            color=colour,
            linewidth=0.9,
            label=haircut.asset.symbol,
        )
    axes.set_ylabel("% of value, with ratchet")
    axes.legend(loc="upper right", fontsize=8, ncols=4, frameon=False)


def _scenarios(axes: Any, proposal: Proposal) -> None:
    for stressed, colour, label in ((False, BLUE, "filtered"), (True, RED, "stressed, as it was")):
        chosen = [s for s in proposal.scenarios.scenarios if s.is_stressed == stressed]
        axes.plot(
            [s.moves_e6[0] / ONE_E6 * 100 for s in chosen],
            [s.moves_e6[-1] / ONE_E6 * 100 for s in chosen],
            ".",
            color=colour,
            markersize=3,
            label=label,
        )
    symbols = [u.symbol for u in proposal.underlyings]
    axes.set_xlabel(f"{symbols[0]}, %")
    axes.set_ylabel(f"{symbols[-1]}, %")
    axes.legend(loc="upper left", fontsize=8, frameon=False)
