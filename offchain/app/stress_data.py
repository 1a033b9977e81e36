"""Prices of the events of the stress lab: from the data folder, from what ships, or modelled."""

import csv
import gzip
import hashlib
import math
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from offchain.adapters.price_file import CandleFile, read_candles
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.services.price_path import CandlePath, Follower, walk_bar
from offchain.stress.clusters import Cluster, WinnerSample
from offchain.stress.errors import StressDataError
from offchain.stress.events import Event, modelled_path
from offchain.stress.replay import Path

ROOT = FilePath(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
"""Market data beside the project, used when it is there; it is not ours to ship."""
SHIPPED = ROOT / "data" / "2025-10-10_BTCUSDT_5m.csv"
SHIPPED_EVENT = "2025-10"
STEP_S = 100
"""Bars longer than five minutes are walked in steps of so many seconds."""
ETHER_E8 = 4_343 * ONE_E8
ETHER_PER_BITCOIN = 0.0357
CHEAPEST_E8 = 1_000 * ONE_E8
"""Below this the lots of the contracts are too many."""
CLUSTERS = "adl/hyperliquid_2025-10-10_adl_clusters_queue.csv.gz"
WINNERS = "adl/hyperliquid_2025-10-10_adl_by_account_half.csv.gz"
REAL, MIXED, MODELLED = "real", "real BTC, modelled ETH", "modelled"
Series = Sequence[tuple[int, int]]
"""(time [ns], price [USD e-8]), ascending."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A path, what it is, and the files that it came from: (name, sha256)."""

    path: Path
    kind: str
    files: tuple[tuple[str, str], ...] = ()


def event_prices(event: Event, data: FilePath | None, seed: int) -> Prices:
    """Return the prices of an event.

    Raises
    ------
    StressDataError
        The folder misses a file, or one does not reach into the window.
    PriceFileError
        A candle file breaks its format.
    """
    if data is not None:
        return _from_folder(event, data)
    if event.name == SHIPPED_EVENT:
        inside = _inside(event, read_candles(SHIPPED))
        return Prices(_followed(inside, ETHER_E8, seed), MIXED, (_fingerprint(SHIPPED),))
    return Prices(modelled_path(event, seed), MODELLED)


def file_prices(file: FilePath, seed: int) -> Prices:
    """Return the prices of any candle file: of BTC, with a modelled ETH."""
    candles = read_candles(file)
    if min(candle.low_e8 for candle in candles.candles) < CHEAPEST_E8:
        raise StressDataError(f"{file.name}: a price of BTC lies below 1,000 USD")
    start = int(candles.candles[0].open_e8 * ETHER_PER_BITCOIN)
    return Prices(_followed(candles, start, seed), MIXED, (_fingerprint(file),))


def _followed(candles: CandleFile, start_e8: int, seed: int) -> Path:
    steps = _steps(candles.step_ns)
    second = Follower(start_e8, 1.25, 0.001, seed)
    spots = CandlePath(candles.candles, candles.step_ns, steps, second)
    return [(spot.time_ns, spot.prices_e8) for spot in spots]


def _from_folder(event: Event, folder: FilePath) -> Prices:
    series, used = [], []
    for names in event.files:
        files = [_present(folder, name) for name in names]
        used += files
        series.append(_joined([_walked(_inside(event, read_candles(file))) for file in files]))
    path = merged(series)
    if event.cash_file:
        cash = _present(folder, event.cash_file)
        used.append(cash)
        path = _in_cash(path, _cash_prices(cash))
    return Prices(path, REAL, tuple(_fingerprint(file) for file in used))


def _present(folder: FilePath, name: str) -> FilePath:
    file = folder / name
    if not file.is_file():
        raise StressDataError(f"{folder} has no {name}")
    return file


def _inside(event: Event, candles: CandleFile) -> CandleFile:
    rows = tuple(c for c in candles.candles if event.start_ns <= c.time_ns < event.end_ns)
    if not rows:
        raise StressDataError(f"no candle of {event.name} lies within its window")
    return CandleFile(rows, candles.step_ns)


def _steps(step_ns: int) -> int:
    return max(3, step_ns // SECOND_NS // STEP_S)


def _walked(candles: CandleFile) -> Series:
    steps = _steps(candles.step_ns)
    first = candles.candles[0]
    points = [(first.time_ns, first.open_e8)]
    for candle in candles.candles:
        for k, price in enumerate(walk_bar(candle, steps), start=1):
            points.append((candle.time_ns + candles.step_ns * k // steps, price))
    return points


def _joined(parts: Sequence[Series]) -> Series:
    """Return the first series, continued by what the next ones have after its end."""
    points = list(parts[0])
    for part in parts[1:]:
        points += [point for point in part if point[0] > points[-1][0]]
    return points


def merged(series: Sequence[Series]) -> Path:
    """Return one path over all times, each price the last one known.

    It begins when every series has begun, and ends when the first one ends.
    """
    first = max(points[0][0] for points in series)
    last = min(points[-1][0] for points in series)
    times = sorted({t for points in series for t, _ in points if first <= t <= last})
    known = [[t for t, _ in points] for points in series]
    return [
        (
            time,
            tuple(
                points[bisect_right(seen, time) - 1][1]
                for points, seen in zip(series, known, strict=True)
            ),
        )
        for time in times
    ]


def _in_cash(path: Path, cash: Sequence[tuple[int, float]]) -> Path:
    """Return prices in the cash asset: dollars over its price in dollars."""
    times = [t for t, _ in cash]
    found = []
    for time, prices in path:
        place = max(0, bisect_right(times, time) - 1)
        found.append((time, tuple(round(price / cash[place][1]) for price in prices)))
    return found


def _cash_prices(file: FilePath) -> list[tuple[int, float]]:
    rows = [
        (int(_number(row, "ts", file)) * SECOND_NS, _number(row, "implied_usdc_usd", file))
        for row in read_rows(file, ("ts", "implied_usdc_usd"))
        if row["implied_usdc_usd"]
    ]
    if not rows or not all(0.5 < price < 2 for _, price in rows):
        raise StressDataError(f"{file.name}: prices of the cash asset are missing or absurd")
    return rows


def read_clusters(folder: FilePath) -> tuple[list[Cluster], list[WinnerSample]] | None:
    """Return the real deleveraging clusters and the winners' sizes; None where they are not."""
    clusters, winners = folder / CLUSTERS, folder / WINNERS
    if not clusters.is_file() or not winners.is_file():
        return None
    columns = ("coin", "deficit_usd", "total_capacity_usd", "overshoot_queue_usd")
    found = [
        Cluster(row["coin"], *(_number(row, name, clusters) for name in columns[1:]))
        for row in read_rows(clusters, columns)
    ]
    fields = ("adl_notional", "pnl_percent")
    sizes = [
        WinnerSample(*(_number(row, name, winners) for name in fields))
        for row in read_rows(winners, fields)
    ]
    return found, [s for s in sizes if s.notional_usd > 0 and s.profit_percent > 0]


def read_rows(file: FilePath, columns: Sequence[str]) -> Iterable[dict[str, str]]:
    """Return the rows of a gzip CSV file; StressDataError unless it has the columns."""
    try:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise StressDataError(f"{file.name}: no column {', '.join(sorted(missing))}")
            return list(reader)
    except (EOFError, OSError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise StressDataError(f"{file.name}: {error}") from error


def _number(row: dict[str, str], column: str, file: FilePath) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError) as error:
        raise StressDataError(f"{file.name}: {column} {row[column]!r} is no number") from error
    if not math.isfinite(value):
        raise StressDataError(f"{file.name}: {column} is not finite")
    return value


def _fingerprint(file: FilePath) -> tuple[str, str]:
    return file.name, hashlib.sha256(file.read_bytes()).hexdigest()
