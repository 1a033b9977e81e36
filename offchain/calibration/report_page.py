"""The report as one HTML page without links to anything outside it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from offchain.calibration.adoption import Adoption, Change
from offchain.calibration.proposal import Proposal, UnderlyingProposal
from offchain.calibration.report import Origin, verdict
from offchain.core.presets import RECOMMENDED
from offchain.core.units import ONE_E6, ONE_E8

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; color: #1b1f24 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.2rem; border-bottom: 1px solid #d5d9de }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e4e7eb; text-align: right }
th:first-child, td:first-child { text-align: left } th { font-weight: 600 }
.note { background: #fff6e0; padding: .6rem 1rem; border-left: 4px solid #d9a441 }
svg { max-width: 100%; height: auto } code { font-size: .9em; overflow-wrap: anywhere }
"""
NO_PLOTS = "Plots need the package matplotlib; the tables hold the same numbers."


def page(
    proposal: Proposal, adoption: Adoption, origin: Origin, plots: Mapping[str, str] | None
) -> str:
    """Return the page; the same inputs give the same text."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>Calibration, version {adoption.parameters.version}</title>",
        f"<style>{_STYLE}</style>",
        f"<h1>Calibration: proposed parameter set, version {adoption.parameters.version}</h1>",
        *_opening(proposal, origin),
        "<h2>What would change</h2>",
        _table(
            ("field", "present", "target", "proposed", "held by the bound"),
            [_change_row(c) for c in adoption.changes],
        ),
        "<h2>Scan ranges</h2>",
        _table(
            ("", "falls", "rises", "stressed", "long run", "target", "range", "recommended"),
            [_range_row(u) for u in proposal.underlyings],
        ),
        "<h2>Back-test, out of sample</h2>",
        _table(
            (
                *("", "side", "observations", "exceedances", "expected", "Kupiec p", "verdict"),
                *("independence p", "peak to trough"),
            ),
            [row for u in proposal.underlyings for row in _test_rows(u)],
        ),
        "<h2>Volatility shocks</h2>",
        _table(
            ("", "up", "down", "minimum up", "p below 30 d", "p above", "from"),
            [_shock_row(u) for u in proposal.underlyings],
        ),
        *_across(proposal),
        "<h2>Collateral</h2>",
        _table(
            ("", "sigma 24 h", "sigma 7 d", "stressed", "floor", "now", "ratcheted", "cap"),
            [
                (
                    h.asset.symbol,
                    *map(_percent, (h.sigma_24h, h.sigma_7d, h.sigma_stressed)),
                    *map(_millionths, (h.floor_e6, h.now_e6, h.ratcheted_e6, h.cap_e6)),
                )
                for h in proposal.haircuts
            ],
        ),
        *_brackets(proposal),
        *_venue(proposal),
        "<h2>Plots</h2>",
        *_figures(plots),
        "</html>\n",
    ]
    return "\n".join(parts)


def _opening(proposal: Proposal, origin: Origin) -> Iterable[str]:
    if proposal.is_synthetic:
        yield (
            "<p class=note>The prices are <b>generated</b>, not observed: this shows the method, "
            "and its numbers are no advice for a real market.</p>"
        )
    yield f"<p>History: {escape(origin.history)} ({escape(', '.join(proposal.files))}).</p>"
    yield f"<p>Base set: {escape(origin.base)}, <code>{escape(origin.base_hash)}</code>.<br>"
    yield f"Proposed set: <code>{escape(origin.params_hash)}</code>.</p>"
    s = proposal.settings
    yield (
        f"<p>{_millionths(s.confidence_e6)} one-sided over {s.horizon_days} days, look-back "
        f"{s.lookback_days} days, lambda {s.decay_e6 / ONE_E6}, stressed windows of "
        f"{s.stress_days} days at {_millionths(s.stress_weight_e6)} weight; rules: "
        f"{escape(', '.join(s.rules))}; from set to set a requirement moves by at most "
        f"+{_millionths(s.max_up_e6)} or -{_millionths(s.max_down_e6)}, a credit the other way "
        "round.</p>"
    )


def _change_row(change: Change) -> Sequence[str]:
    numbers = (change.previous, change.target, change.value)
    return (change.field, *(f"{n:,}" for n in numbers), change.held)


def _range_row(u: UnderlyingProposal) -> Sequence[str]:
    r = u.range
    shown = map(_percent, (r.down, r.up, r.stressed, r.long_run, r.target))
    recommended = RECOMMENDED.get(u.symbol)
    return (
        u.symbol,
        *shown,
        _millionths(r.range_e6),
        _millionths(recommended[0]) if recommended else "",
    )


def _test_rows(u: UnderlyingProposal) -> Iterable[Sequence[str]]:
    for variant in (u.backtest.proposed, u.backtest.procyclical):
        for side, coverage in (("falls", variant.falls), ("rises", variant.rises)):
            yield (
                f"{u.symbol} {variant.name}",
                side,
                str(coverage.observations),
                str(coverage.exceedances),
                f"{coverage.expected:.1f}",
                f"{coverage.kupiec.p_value:.3f}",
                verdict(coverage),
                f"{coverage.independence.p_value:.3f}",
                f"{variant.peak_to_trough_e6 / ONE_E6:.2f}",
            )


def _shock_row(u: UnderlyingProposal) -> Sequence[str]:
    powers = (u.shocks.power_short_e6, u.shocks.power_long_e6)
    return (
        u.symbol,
        _millionths(u.shocks.up_e6),
        _millionths(u.shocks.down_e6),
        _percent(u.shocks.min_up_e8 / ONE_E8),
        *("kept" if p is None else f"{p / ONE_E6:.2f}" for p in powers),
        u.shocks.source,
    )


def _across(proposal: Proposal) -> Iterable[str]:
    found = proposal.correlation
    if found:
        yield "<h2>Across underlyings</h2>"
        yield _table(
            ("correlation", "now", "low (5 %)", "breakdown", "offset", "breakdown share"),
            [
                (
                    " / ".join(u.symbol for u in proposal.underlyings),
                    *(f"{x:.3f}" for x in (found.now, found.low, found.breakdown)),
                    _millionths(found.offset_e6),
                    _millionths(found.breakdown_e6),
                )
            ],
        )


def _brackets(proposal: Proposal) -> Iterable[str]:
    if proposal.haircuts:
        uppers = [f"to {upper:,} USD" for upper, _ in proposal.haircuts[0].brackets]
        yield _table(
            ("part of a holding", *uppers),
            [
                (h.asset.symbol, *(_millionths(weight) for _, weight in h.brackets))
                for h in proposal.haircuts
            ],
        )


def _venue(proposal: Proposal) -> Iterable[str]:
    yield "<h2>Funding and the cash asset</h2>"
    if proposal.funding:
        yield _table(
            ("funding, 8 h", "observations", "largest", "quantile", "cap needed"),
            [
                (
                    f.symbol,
                    str(f.observations),
                    *(_percent(x / ONE_E8) for x in (f.largest_e8, f.quantile_e8)),
                    _percent(f.needed_cap_e8 / ONE_E8),
                )
                for f in proposal.funding
            ],
        )
    if proposal.depeg:
        d = proposal.depeg
        yield (
            f"<p>USDC fell to {d.lowest_e6 / ONE_E6:.4f} ({escape(d.file)}): threshold "
            f"{d.threshold_e6 / ONE_E6:.2f}, factor {d.factor_e6 / ONE_E6:g}.</p>"
        )
    if not proposal.funding and not proposal.depeg:
        yield "<p>The history tells nothing about either; the terms of the base set are kept.</p>"
    windows = ", ".join(f"{_day(a)} to {_day(b)}" for a, b in proposal.scenarios.windows)
    chosen = proposal.scenarios.scenarios
    yield (
        f"<p>{len(chosen)} historical scenarios, {sum(s.is_stressed for s in chosen)} of them from "
        f"the stressed windows {windows}, are in scenarios.json.</p>"
    )


def _figures(plots: Mapping[str, str] | None) -> Iterable[str]:
    if plots is None:
        yield f"<p class=note>{NO_PLOTS}</p>"
        return
    for title, svg in plots.items():
        yield f"<h3>{escape(title)}</h3>{svg}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %"


def _millionths(value: int) -> str:
    return f"{value / 10_000:g} %"


def _day(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).date().isoformat()
