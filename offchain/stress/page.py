"""The report of all runs as one HTML page without links to anything outside it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from offchain.core.units import SECOND_NS
from offchain.stress.findings import OURS, findings, percent, usd
from offchain.stress.replay import Model, Outcome
from offchain.stress.results import Run, comparison, fall

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; color: #1b1f24 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.6rem; border-bottom: 1px solid #d5d9de }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #e4e7eb; text-align: right }
th:first-child, td:first-child { text-align: left } th { font-weight: 600 }
.note { background: #fff6e0; padding: .6rem 1rem; border-left: 4px solid #d9a441 }
.ours { background: #eef5fa } svg { max-width: 100%; height: auto }
code { font-size: .9em; overflow-wrap: anywhere }
"""
NO_PLOTS = "Plots need the package matplotlib; the tables hold the same numbers."
_LIMITS = """
The book is a model: a square-root impact with a half-life and a depth that is a stated share of
the open interest. Real books empty in ways that no formula foresees.

Accounts are drawn, not observed. No venue publishes the positions and margins of all of its
accounts before a crash.

Liquidations move the mark and never the index: there is no feedback into other venues.

Nobody but the buyers of the dip trades of his own accord, nobody adds collateral, and funding is
not paid.

The other policies are caricatures of published rules on our accounts, not other venues' code, and
all have the same fund, fees and maintenance rates.

A venue acts once at each step of the prices: 20 s where bars are of a minute, at most 100 s where
they are longer. Real engines act within a second, and fare better than this.
"""
LIMITS = tuple(" ".join(text.split()) for text in _LIMITS.split("\n\n"))
Row = tuple[str, Callable[[Outcome], str]]


def page(runs: Sequence[Run], drawings: Sequence[str | None]) -> str:
    """Return the page; the same runs give the same text."""
    model = runs[0].model
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<title>Stress report</title>",
        f"<style>{_STYLE}</style>",
        "<h1>Stress report: crashes under several liquidation policies</h1>",
        "<h2>What was done</h2>",
        (
            f"<p>Each crash is replayed step by step on a venue of {model.population.accounts:,} "
            f"traders and {model.population.makers} makers in BTC and ETH perpetuals (seed "
            f"{runs[0].seed}). Every policy sees the same accounts, prices and draws. Its own "
            "sales move the mark, so that one liquidation can lead to the next.</p>"
        ),
        *_summary(runs),
        "<h2>Assumptions</h2>",
        _list(_assumed(model)),
        "<h2>Limits of the model</h2>",
        _list(LIMITS),
    ]
    for run, drawing in zip(runs, drawings, strict=True):
        parts += _event(run, drawing)
    return "\n".join([*parts, "</html>", ""])


def _summary(runs: Sequence[Run]) -> Iterable[str]:
    """Yield one row an event: what this waterfall lost against the range of the others."""
    header = ("event", "prices", "BTC falls", "ETH falls", "closed", "deficit", "socialised")
    yield "<h2>Summary</h2>"
    rows = []
    for run in runs:
        for outcome in run.outcomes:
            if outcome.name != OURS and len(run.outcomes) > 1:
                continue
            t = outcome.tally
            rows.append(
                (
                    f"{run.event.name} {run.event.title}",
                    run.kind,
                    *(percent(fall(run.path, place)) for place in range(2)),
                    f"{len(t.closed_whole):,}",
                    usd(t.deficit_e6),
                    usd(t.socialised_e6),
                )
            )
    yield _table(header, rows)
    yield f"<p>Columns from the fifth on are of the policy <b>{OURS}</b>.</p>"


def _assumed(model: Model) -> Iterable[str]:
    p, d, dips = model.population, model.depth, model.dips
    mixture = ", ".join(f"{leverage:g}x {weight:.0%}" for leverage, weight in p.leverages)
    yield (
        f"Equity is log-normal, median {p.equity_median_usd:,.0f} USD, sigma {p.equity_sigma}, "
        f"from {p.equity_least_usd:,.0f} to {p.equity_most_usd:,.0f} USD; leverage {mixture}."
    )
    yield (
        f"{p.long_share:.0%} of the traders are long, {p.hedged_share:.0%} hold half as much of "
        f"the other contract on the other side; makers take what is left at {p.maker_leverage:g}x, "
        "so that positions sum to zero."
    )
    yield (
        f"The fund holds {percent(p.insurance_share)} of the open interest, the backstop "
        f"{percent(p.backstop_share)}."
    )
    yield (
        f"{percent(d.share)} of the open interest rests within 1 % of the mid on each side; of "
        f"that {d.stressed_share:.0%} while the index has moved by {d.fast_move:.0%} within "
        f"{d.fast_s} s. Half of the pressure is gone after {d.half_life_s:g} s."
    )
    yield (
        f"{dips.share:.0%} of the traders want to buy the dip once with {dips.leverage:g}x, "
        f"{dips.shallow:.0%} to {dips.deep:.0%} below the peak; a breaker refuses them."
    )


def _event(run: Run, drawing: str | None) -> Iterable[str]:
    yield f"<h2>{escape(run.event.name)}: {escape(run.event.title)}</h2>"
    if run.kind != "real":
        yield f"<p class=note>The prices are <b>{escape(run.kind)}</b>, not all observed.</p>"
    yield f"<p>{escape(run.event.what)}</p>"
    yield (
        f"<p>Replayed: {_moment(run.path[0][0])} to {_moment(run.path[-1][0])} UTC in "
        f"{len(run.path):,} steps; BTC fell by {percent(fall(run.path, 0))} from the start, ETH by "
        f"{percent(fall(run.path, 1))}.</p>"
    )
    for name, digest in run.files:
        yield f"<p><code>{escape(name)}</code>, sha256 <code>{digest}</code></p>"
    yield "<h3>Findings</h3>"
    yield _list(findings(run))
    yield "<h3>Policies</h3>"
    yield _policies(run.outcomes)
    if run.comparison is not None:
        yield "<h3>Deleveraging on the clusters of that day</h3>"
        yield _table(
            ("", "value"),
            [
                (key.replace("_", " "), f"{value:,.6g}" if value < 1 else f"{value:,.0f}")
                for key, value in comparison(run.comparison).items()
            ],
        )
    yield drawing if drawing is not None else f"<p class=note>{NO_PLOTS}</p>"


_ROWS: tuple[Row, ...] = (
    ("open interest", lambda o: usd(o.interest_e6)),
    ("accounts acted on", lambda o: f"{len(o.tally.touched):,}"),
    ("accounts closed whole", lambda o: f"{len(o.tally.closed_whole):,}"),
    ("wrongful liquidations", lambda o: f"{o.tally.wrongful:,}"),
    ("liquidated", lambda o: usd(o.tally.liquidated_e6)),
    ("  of that to the backstop", lambda o: usd(o.tally.backstop_e6)),
    ("  of that in auctions", lambda o: usd(o.tally.auctioned_e6)),
    ("deficit", lambda o: usd(o.tally.deficit_e6)),
    ("  paid by the fund", lambda o: usd(o.tally.insured_e6)),
    ("  borne by deleveraged winners", lambda o: usd(o.tally.deleveraged_e6)),
    ("  socialised", lambda o: usd(o.tally.socialised_e6)),
    ("deleveraged", lambda o: usd(o.tally.deleveraged_notional_e6)),
    ("winners deleveraged", lambda o: f"{len(o.tally.deleveraged_accounts):,}"),
    ("winners put below maintenance", lambda o: f"{o.tally.weakened:,}"),
    ("overshoot, lots", lambda o: f"{o.tally.overshoot_lots:,}"),
    ("insurance fund, first", lambda o: usd(o.fund_before_e6)),
    ("insurance fund, last", lambda o: usd(o.fund_after_e6)),
    ("result of the backstop", lambda o: usd(o.backstop_e6)),
    ("lowest mark against index", lambda o: percent(o.lowest_premium)),
    ("highest mark against index", lambda o: percent(o.highest_premium)),
    ("time beyond 1 %", lambda o: f"{o.moved_s:,} s"),
    ("longest wait for an action", lambda o: f"{o.tally.waited_ns // SECOND_NS:,} s"),
    ("risk added on the way down", lambda o: usd(o.tally.added_e6)),
    ("refused by a breaker", lambda o: f"{o.tally.refused:,}"),
    ("in debt at the end", lambda o: f"{o.in_debt:,}"),
)


def _policies(outcomes: Sequence[Outcome]) -> str:
    header = ("", *(outcome.name for outcome in outcomes))
    rows = [(words, *(of(outcome) for outcome in outcomes)) for words, of in _ROWS]
    titles = [f"{outcome.name}: {outcome.title}." for outcome in outcomes]
    return _table(header, rows) + _list(titles)


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = [" class=ours" if cell == OURS else "" for cell in header]
    head = "".join(f"<th{m}>{escape(c)}</th>" for c, m in zip(header, marks, strict=True))
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{m}>{escape(c)}</td>" for c, m in zip(row, marks, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _moment(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns // SECOND_NS, UTC)
    return moment.strftime("%Y-%m-%d %H:%M")
