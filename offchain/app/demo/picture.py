"""One picture of the run: price, margin ratios, liquidations and the insurance fund."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offchain.app.demo.record import Book
from offchain.engine.events import Tier

BLUE, RED, AMBER, GREY, GREEN = "#1f4e79", "#c0392b", "#e08e0b", "#8c96a0", "#2e7d4f"


def draw(book: Book, path: Path, title: str) -> None:
    """Write the picture as PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only needed here

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(
        4, 1, figsize=(11, 12), sharex=True, height_ratios=(3, 3, 2, 2), layout="constrained"
    )
    times = [_when(t) for t in book.times]
    _price(axes[0], times, book)
    _ratios(axes[1], times, book)
    _liquidations(axes[2], book)
    _fund(axes[3], times, book)
    figure.suptitle(title, fontsize=13, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _when(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns / 1e9, UTC)


def _price(axis: Any, times: list[datetime], book: Book) -> None:
    axis.plot(times, [p / 1e8 for p in book.index_e8], color=BLUE, linewidth=1.4)
    axis.set_ylabel("BTC index [USD]")
    _plain(axis)


def _ratios(axis: Any, times: list[datetime], book: Book) -> None:
    """Draw the margin ratio of every account that was ever liquidated, and the trigger."""
    touched = {step.account for step in book.steps}
    for account, series in book.ratios_e6.items():
        values = [None if r is None else min(r / 1e4, 300) for r in series]
        values += [None] * (len(times) - len(values))
        hit = account in touched
        axis.plot(
            times,
            values,
            color=RED if hit else GREY,
            linewidth=0.9 if hit else 0.5,
            alpha=0.7 if hit else 0.45,
        )
    axis.axhline(100, color="black", linewidth=1, linestyle="--")
    axis.set_ylim(0, 300)
    axis.set_ylabel("margin ratio [%]")
    axis.text(0.005, 0.36, "maintenance", transform=axis.transAxes, fontsize=8)
    _plain(axis)


def _liquidations(axis: Any, book: Book) -> None:
    for tier, colour in ((Tier.PARTIAL, AMBER), (Tier.FULL, RED)):
        steps = [s for s in book.steps if s.tier is tier]
        axis.scatter(
            [_when(s.time_ns) for s in steps],
            [s.ratio_e6 / 1e4 for s in steps],
            s=22,
            color=colour,
            label=f"{tier.name.lower()} ({len(steps)})",
        )
    axis.set_ylabel("ratio when\nliquidated [%]")
    axis.legend(loc="lower left", frameon=False, fontsize=9)
    _plain(axis)


def _fund(axis: Any, times: list[datetime], book: Book) -> None:
    axis.step(times, [f / 1e6 for f in book.fund_e6], where="post", color=GREEN, linewidth=1.4)
    axis.set_ylabel("insurance fund [USD]")
    axis.set_xlabel("UTC")
    _plain(axis)


def _plain(axis: Any) -> None:
    axis.grid(alpha=0.25)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.margins(x=0.01)
