"""Conformance: published margin numbers, option chains as the venue reported them, leverage tiers.

(a) Every case of tests/conformance/published.json, and of any file of the same schema in a folder
    given by ``--cases`` (for cases whose licence keeps them out of this repository; see
    docs/MARGIN_FILE.md).
(b) With a data folder (``--data``, else ../shared/data beside the project, else skipped): the
    integer Black-76 Greeks against the chains that Deribit reported, and the continuity of
    Binance's brackets. Every line states its limit; `FIVE_GREEKS` and the next say why.
(c) With the same folder: every crash of the stress lab on its real prices, small, under every
    policy. Money and positions are conserved (or the replay raises), nobody is wronged, nothing is
    closed beyond a deficit.

Prints one line a check and exits with 1 on a miss.
"""

import argparse
import csv
import gzip
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.app.stress_command import cluster_comparison
from offchain.app.stress_data import event_prices
from offchain.core.units import ONE_E8, SECOND_NS, YEAR_NS
from offchain.models.errors import ModelError
from offchain.models.tiers import Tier, deductions
from offchain.pricing.black76 import option_price
from offchain.pricing.greeks import option_greeks
from offchain.stress.errors import StressDataError
from offchain.stress.events import EVENTS
from offchain.stress.population import Population
from offchain.stress.replay import POLICIES, Model, make_policy, replay
from tests.support.published import PUBLISHED, answer, cases_in, miss

ROOT = Path(__file__).parents[1]
DEFAULT_DATA = ROOT.parent / "shared" / "data"
STRESSED = 300
"""Accounts of a replayed crash."""
NEAR_DAYS = 1.5
"""Below this the venue reports another theta, and one tick of time moves every Greek."""


@dataclass(frozen=True)
class Row:
    """One option as reported: mark and Greeks in the venue's units, ours from the same inputs."""

    days: float
    reported: dict[str, float]
    ours: dict[str, float]


@dataclass(frozen=True)
class Limit:
    """`share` of the absolute differences of one quantity is at most `most`."""

    quantity: str
    share: float
    most: float


FIVE_GREEKS = (
    # Each row has its own time, so what remains is the rounding of the volatility to 0.01 points
    # and of the Greeks to 5 decimals (price: 0.01 points of vega; gamma: half a unit).
    Limit("delta", 0.99, 1e-4),
    Limit("delta", 1.0, 1e-4),
    Limit("price", 1.0, 3e-4),
    Limit("gamma", 1.0, 5.1e-6),
    Limit("vega", 1.0, 1.5e-3),
    Limit("theta", 1.0, 4.2e-3),
)
# One time for rows that were polled over seconds: in moving markets inputs and marks differ. The
# README of the data states the levels (p99 of 1.4e-4 to 1.1e-3 of price, and so on); a quarter is
# added, for halves of the same data that were split otherwise.
CALM = (Limit("price", 0.99, 1.8e-4), Limit("delta", 0.99, 6.2e-3), Limit("vega", 0.99, 0.39))
MOVING = (Limit("price", 0.99, 1.4e-3), Limit("delta", 0.99, 1.4e-2), Limit("vega", 0.99, 1.57))


def limits_of(name: str) -> tuple[Limit, ...]:
    """Return what a chain file must keep."""
    if "greeks" in name:
        return FIVE_GREEKS
    return CALM if "calm" in name else MOVING


def chain_rows(path: Path, near_days: float) -> Iterator[Row]:
    """Yield every option that has inputs and more than `near_days` to live."""
    with gzip.open(path, "rt", newline="") as stream:
        for line in csv.DictReader(stream):
            seconds = int(line["expiry_ts"]) - int(line["ts"])
            volatility, forward = float(line["mark_iv"] or 0), line["underlying_price"]
            if not forward or volatility <= 0 or seconds <= near_days * 86_400:
                continue
            names = [n for n in ("delta", "gamma", "vega", "theta") if line.get(n)]
            reported = {n: float(line[n]) for n in names}
            reported["price"] = float(line["mark_price"])
            yield Row(
                seconds / 86_400,
                reported,
                _ours(
                    round(float(forward) * ONE_E8),
                    round(float(line["strike"]) * ONE_E8),
                    round(volatility * ONE_E8),
                    seconds * SECOND_NS,
                    is_call=line["cp"] == "C",
                ),
            )


def _ours(
    forward_e8: int, strike_e8: int, volatility_e8: int, remaining_ns: int, *, is_call: bool
) -> dict[str, float]:
    """Return what the integer engine says, in the venue's units: price in coin."""
    price = option_price(forward_e8, strike_e8, volatility_e8, remaining_ns, is_call=is_call)
    greeks = option_greeks(forward_e8, strike_e8, volatility_e8, remaining_ns, is_call=is_call)
    return {
        "price": price / forward_e8,
        "delta": greeks.delta_e8 / ONE_E8,
        "gamma": greeks.gamma_e12 / 1e12,
        "vega": greeks.vega_e8 / ONE_E8,
        "theta": greeks.theta_e8 / ONE_E8,
    }


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def check_chain(path: Path, report: Callable[[str, bool], None]) -> None:
    """Compare one chain; the five-Greek chain and the others, each beyond its nearest expiries."""
    near = NEAR_DAYS if "greeks" in path.name else 0.0
    rows = list(chain_rows(path, near))
    for limit in limits_of(path.name):
        differences = [
            abs(row.ours[limit.quantity] - row.reported[limit.quantity])
            for row in rows
            if limit.quantity in row.reported
        ]
        if not differences:
            report(f"{path.name}: no {limit.quantity} to compare", False)
            continue
        found = quantile(differences, limit.share)
        label = "max" if limit.share == 1.0 else f"p{limit.share * 100:g}"
        report(
            f"{path.name}: {limit.quantity} {label} {found:.3g} <= {limit.most:g}"
            f" ({len(differences)} options)",
            found <= limit.most,
        )


def check_brackets(path: Path, report: Callable[[str, bool], None]) -> None:
    """Compare our deductions with the venue's cumulative amounts, which make MM continuous."""
    symbols: dict[str, list[dict[str, str]]] = {}
    with gzip.open(path, "rt", newline="") as stream:
        for line in csv.DictReader(stream):
            symbols.setdefault(line["symbol"], []).append(line)
    worst, count = 0.0, 0
    for lines in symbols.values():
        tiers = [Tier(float(x["min_notional"]), float(x["maint_margin_rate"])) for x in lines]
        for line, deduction in zip(lines, deductions(tiers), strict=True):
            stated = float(line["cum_maint_amount"])
            worst = max(worst, abs(deduction - stated) / max(1.0, stated))
            count += 1
    report(
        f"{path.name}: cumulative amounts, relative {worst:.3g} <= 1e-09 ({count} tiers)",
        count > 0 and worst <= 1e-9,
    )


def check_published(report: Callable[[str, bool], None], folder: Path | None) -> None:
    """Run the published cases, and those of a folder of the same schema."""
    files = [PUBLISHED, *(sorted(folder.glob("*.json")) if folder else [])]
    for path in files:
        try:
            cases = cases_in(json.loads(path.read_text()))
        except (ValueError, KeyError, AssertionError) as fault:
            report(f"{path.name}: is no file of cases ({fault})", False)
            continue
        for case in cases:
            try:
                found = answer(case)
                misses = [m for c in case.checks if (m := miss(case, found, c)) is not None]
            except (ModelError, LookupError) as fault:
                misses = [f"{case.name}: {type(fault).__name__}: {fault}"]
            for text in misses:
                report(text, False)
            if not misses:
                report(f"{case.name}: {len(case.checks)} numbers [{case.source}]", True)


def check_data(data: Path, report: Callable[[str, bool], None]) -> None:
    """Run what needs the data folder; a plain message for each file that is not there."""
    assert YEAR_NS == 365 * 86_400 * SECOND_NS
    chains = sorted((data / "options").glob("deribit_*chain*.csv.gz"))
    brackets = sorted((data / "params").glob("binance_*tiers*.csv.gz"))
    for path in chains:
        check_chain(path, report)
    for path in brackets:
        check_brackets(path, report)
    for what, found in (("option chains", chains), ("brackets", brackets)):
        if not found:
            print(f"skip  no {what} in {data}")


def check_crashes(data: Path, report: Callable[[str, bool], None]) -> None:
    """Replay every crash on its real prices, and the deleveraging clusters of October 2025."""
    for event in EVENTS:
        try:
            prices = event_prices(event, data, 1)
        except StressDataError as missing:
            print(f"skip  crash {event.name}: {missing}")
            continue
        model = Model(Population(accounts=STRESSED))
        for outcome in replay(prices.path, model, 1, map(make_policy, POLICIES)):
            tally = outcome.tally
            report(
                f"crash {event.name}, {outcome.name}: {tally.wrongful} wronged of {tally.steps}, "
                f"overshoot {tally.overshoot_lots} lots",
                tally.wrongful == tally.overshoot_lots == 0,
            )
    found = cluster_comparison(data, 1)
    report(
        f"clusters: overshoot {found.overshoot_usd:,.0f} USD, {found.ratio:.2g} <= 0.1 of the "
        f"production queue's",
        found.ratio <= 0.1 and found.overshoot_lots_max <= 1,
    )


def main() -> int:
    """Run everything, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, help="folder of market data")
    parser.add_argument("--cases", type=Path, help="folder of further case files")
    parser.add_argument("--quiet", action="store_true", help="print misses and the sum only")
    arguments = parser.parse_args()
    tally = {True: 0, False: 0}

    def report(text: str, is_good: bool) -> None:
        tally[is_good] += 1
        if not is_good or not arguments.quiet:
            print(f"{'ok  ' if is_good else 'MISS'}  {text}")

    check_published(report, arguments.cases)
    data: Path = arguments.data or DEFAULT_DATA
    if data.is_dir():
        check_data(data, report)
        check_crashes(data, report)
    elif arguments.data:
        report(f"no data folder at {data}", False)
    else:
        print("skip  chains, brackets and crashes: no data folder beside the project (--data DIR)")
    print(f"conformance: {tally[True]} passed, {tally[False]} missed")
    return 1 if tally[False] else 0


if __name__ == "__main__":
    sys.exit(main())
