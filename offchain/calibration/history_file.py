"""History files: strict reading of CSV or gzip CSV into series.

The first column read is ``ts`` (Unix seconds). A value column holds plain decimals, or integers
when its name ends in a scale: ``close_e2`` counts hundredths. Every row is checked.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from offchain.calibration.errors import HistoryError, HistoryTooShortError
from offchain.calibration.series import Series

MAX_FILE_BYTES = 64 << 20
"""Largest content, after decompression."""
MAX_ROWS = 1_000_000
MAX_SPAN_S = 100 * 366 * 86_400
"""Longest history: work grows with its weeks."""
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?", re.ASCII)
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def read_columns(
    path: Path,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    signed: bool = False,
    blanks: bool = False,
    where: Mapping[str, str] | None = None,
) -> dict[str, list[float]]:
    """Read ``ts`` and some columns of a file; rows ascend in time.

    Parameters
    ----------
    path : Path
        The file, gzip when its name ends in ``.gz``.
    columns, optional : sequence of str
        Names that must be there and that may be. ``close`` also matches ``close_e2``.
    signed : bool
        Whether zero and negative values are allowed (funding rates).
    blanks : bool
        Whether an empty cell is allowed; it becomes NaN. Otherwise it is refused.
    where : mapping, optional
        Keep only rows with these texts in these columns.

    Returns
    -------
    dict
        Lists of equal length; ``ts`` holds whole seconds, as floats below 2^53 (exact).

    Raises
    ------
    HistoryError
        Naming file and row: no such column, no number, NaN, not positive, not ascending.
    """
    reader = csv.reader(io.StringIO(_content(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        places = _places(path.name, header, columns, optional)
        filters = [(header.index(k), v) for k, v in (where or {}).items() if k in header]
        table: dict[str, list[float]] = {"ts": [], **{name: [] for name in places}}
        for row, cells in enumerate(reader, start=2):
            if row > MAX_ROWS:
                raise HistoryError(path.name, row, f"more than {MAX_ROWS} rows")
            if len(cells) != len(header):
                raise HistoryError(
                    path.name, row, f"{len(cells)} values, the header has {len(header)}"
                )
            if all(cells[place] == text for place, text in filters):
                _take(path.name, row, cells, header.index("ts"), places, table, signed, blanks)
    except csv.Error as error:
        raise HistoryError(path.name, reader.line_num, str(error)) from error
    return table


def read_series(path: Path, column: str = "close") -> Series:
    """Read one column as a series of positive values; its step is the most frequent one.

    Raises
    ------
    HistoryError
        As `read_columns`; also when a difference of times is no multiple of the step.
    HistoryTooShortError
        Fewer than three rows.
    """
    table = read_columns(path, (column,))
    return series_of(path.name, table, column)


def series_of(file: str, table: Mapping[str, list[float]], column: str) -> Series:
    """Return one column of what `read_columns` read as a series."""
    times = np.array(table["ts"]).astype(np.int64)
    if len(times) < 3:
        raise HistoryTooShortError(file, len(times) + 1, "fewer than three rows")
    if times[-1] - times[0] > MAX_SPAN_S:
        raise HistoryError(file, len(times) + 1, "ts is more than a century after the first")
    gaps, counts = np.unique(np.diff(times), return_counts=True)
    step = int(gaps[int(np.argmax(counts))])
    off_grid = np.flatnonzero((times - times[0]) % step)
    if len(off_grid):
        raise HistoryError(file, int(off_grid[0]) + 2, f"ts is off the grid of {step} s")
    return Series(file, times, np.array(table[column]), step)


def _content(path: Path) -> str:
    """Return the text, decompressed but never beyond the limit."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise HistoryError(path.name, 0, f"not a whole gzip file: {error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise HistoryError(path.name, 0, f"larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HistoryError(path.name, 0, "not UTF-8 text") from error


def _places(
    file: str, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> dict[str, tuple[int, float]]:
    """Return the place and the divisor of each column."""
    if "ts" not in header:
        raise HistoryError(file, 1, "no column ts")
    places = {}
    for name in (*columns, *optional):
        found = [
            (place, 10.0 ** int(scale[1] or 0))
            for place, text in enumerate(header)
            if (scale := re.fullmatch(rf"{re.escape(name)}(?:_e(\d))?", text))
        ]
        if found:
            places[name] = found[0]
        elif name in columns:
            raise HistoryError(file, 1, f"no column {name}")
    return places


def _take(
    file: str,
    row: int,
    cells: Sequence[str],
    ts: int,
    places: Mapping[str, tuple[int, float]],
    table: dict[str, list[float]],
    signed: bool,
    blanks: bool,
) -> None:
    if not _SECONDS.fullmatch(cells[ts]):
        raise HistoryError(file, row, f"ts {cells[ts][:30]!r} is not a whole number of seconds")
    time = float(cells[ts])
    if table["ts"] and time <= table["ts"][-1]:
        problem = "repeats the last" if time == table["ts"][-1] else "is before the last"
        raise HistoryError(file, row, f"ts {cells[ts]} {problem}")
    table["ts"].append(time)
    for name, (place, divisor) in places.items():
        text = cells[place]
        if blanks and not text:
            table[name].append(float("nan"))
            continue
        if not _NUMBER.fullmatch(text):
            raise HistoryError(file, row, f"{name} {text[:30]!r} is not a number")
        value = float(text) / divisor
        if value <= 0 and not signed:
            raise HistoryError(file, row, f"{name} {text[:30]} is not positive")
        table[name].append(value)
