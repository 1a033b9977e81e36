"""``plimsoll stress``: replay crashes under several liquidation policies, and report."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offchain.app.stress_data import SHARED, event_prices, file_prices, read_clusters
from offchain.core.units import SECOND_NS
from offchain.stress.clusters import Comparison, compare, twin, twin_winners
from offchain.stress.errors import StressChoiceError, UnknownNameError
from offchain.stress.events import EVENTS, Event, event_named
from offchain.stress.page import page
from offchain.stress.plots import plots
from offchain.stress.population import Population
from offchain.stress.replay import POLICIES, Model, make_policy, replay
from offchain.stress.results import Run, document, metrics

ALL = "all"
PAGE = "report.html"
CLUSTER_EVENT = "2025-10"
MAX_ACCOUNTS = 100_000


@dataclass(frozen=True, slots=True)
class StressChoices:
    """What the command line asked for."""

    folder: Path
    event: str = ALL
    file: Path | None = None
    data: Path | None = None
    accounts: int = 5_000
    seed: int = 1
    policies: tuple[str, ...] = POLICIES


def run_stress(choices: StressChoices) -> dict[str, object]:
    """Replay, write one JSON file an event and the page, and return a summary.

    Raises
    ------
    StressError
        Wrong names or numbers, or a data file that misses or is wrong.
    PriceFileError
        A candle file breaks its format.
    ConservationError
        A policy lost or made money: a bug of the lab.
    OSError
        A file cannot be read or written.
    """
    _check(choices)
    runs = [_run(event, choices) for event in _events(choices)]
    choices.folder.mkdir(parents=True, exist_ok=True)
    written = []
    for run in runs:
        written.append(choices.folder / f"{run.event.name}.json")
        text = json.dumps(document(run), indent=1, allow_nan=False) + "\n"
        written[-1].write_text(text, encoding="ascii")
    written.append(choices.folder / PAGE)
    drawings = [plots(run) for run in runs]
    written[-1].write_text(page(runs, drawings), encoding="utf-8")
    return {
        "events": {run.event.name: _summary(run) for run in runs},
        "plots": all(drawing is not None for drawing in drawings),
        "written": [str(file) for file in written],
    }


def _check(choices: StressChoices) -> None:
    for name in choices.policies:
        if name not in POLICIES:
            raise UnknownNameError("policy", name, POLICIES)
    if not choices.policies or len(set(choices.policies)) != len(choices.policies):
        raise StressChoiceError("each policy is named once, and at least one")
    if not 1 <= choices.accounts <= MAX_ACCOUNTS:
        raise StressChoiceError(f"1 to {MAX_ACCOUNTS:,} accounts, not {choices.accounts:,}")
    if choices.file is not None and choices.event != ALL:
        raise StressChoiceError("--input replays a file in place of an event: give one of the two")
    if choices.event != ALL:
        event_named(choices.event)
    if choices.data is not None and not choices.data.is_dir():
        raise NotADirectoryError(f"{choices.data} is not a folder")
    if choices.folder.exists() and not choices.folder.is_dir():
        raise NotADirectoryError(f"{choices.folder} is not a folder")


def _events(choices: StressChoices) -> Sequence[Event | Path]:
    if choices.file is not None:
        return [choices.file]
    return list(EVENTS) if choices.event == ALL else [event_named(choices.event)]


def find_data(data: Path | None) -> Path | None:
    """Return the folder of market data: the one given, the one beside the project, or none."""
    if data is not None:
        return data
    return SHARED if (SHARED / "candles").is_dir() else None


def _run(of: Event | Path, choices: StressChoices) -> Run:
    data, found = find_data(choices.data), None
    if isinstance(of, Path):
        prices = file_prices(of, choices.seed)
        event = _event_of(of, prices.path[0][0])
    else:
        event, prices = of, event_prices(of, data, choices.seed)
        if event.name == CLUSTER_EVENT:
            found = cluster_comparison(data, choices.seed)
    model = replace(Model(), population=Population(accounts=choices.accounts))
    outcomes = replay(prices.path, model, choices.seed, map(make_policy, choices.policies))
    return Run(event, prices.kind, prices.files, prices.path, choices.seed, model, outcomes, found)


def cluster_comparison(data: Path | None, seed: int) -> Comparison:
    """Return the comparison on the real clusters, or on a seeded twin of their shape."""
    real = read_clusters(data) if data is not None else None
    clusters, winners = real or (twin(seed), twin_winners(seed))
    return compare(clusters, winners, seed)


def _event_of(file: Path, start_ns: int) -> Event:
    start = f"{start_ns // SECOND_NS} s since 1970"
    what = f"Candles of {file.name}; ETH follows BTC by a stated, seeded model."
    return Event("input", file.name, what, start, 0, ((file.name,), ()), ())


def _summary(run: Run) -> dict[str, dict[str, object]]:
    wanted = ("deficit_e6", "socialised_loss_e6", "wrongful_liquidations", "overshoot_lots_max")
    return {
        outcome.name: {key: metrics(outcome)[key] for key in wanted} for outcome in run.outcomes
    }
