"""Candle files: strict reading of CSV or gzip CSV into exact integers.

Columns ``ts,open,high,low,close,volume``: `ts` is the open time in whole seconds since 1970 UTC,
prices and volume are plain decimals with a point. Every line is checked before any is used.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from offchain.core.units import ONE_E8, PRICE_BITS, SECOND_NS
from offchain.services.errors import OffchainError
from offchain.services.price_path import Candle

COLUMNS = ("ts", "open", "high", "low", "close", "volume")
MAX_FILE_BYTES = 64 << 20
"""Largest content, after decompression."""
MAX_CANDLES = 1_000_000
_DECIMAL = re.compile(r"\d{1,18}(\.\d{1,18})?")
_SECONDS = re.compile(r"\d{1,12}")


class PriceFileError(OffchainError):
    """A candle file breaks its format; the message names line and column."""

    def __init__(self, file: str, line: int, column: str, problem: str) -> None:
        super().__init__(f"{file}: line {line}, column {column}: {problem}")
        self.line, self.column, self.problem = line, column, problem


@dataclass(frozen=True, slots=True)
class CandleFile:
    """The bars of a file and the time between them [ns]."""

    candles: tuple[Candle, ...]
    step_ns: int


def read_candles(path: Path) -> CandleFile:
    """Read a candle file.

    Raises
    ------
    PriceFileError
        Wrong header, a value that is no plain positive decimal (so neither NaN nor infinity),
        low <= open, close <= high broken, times not a constant step apart, too long, or not gzip.
    OSError
        When the file cannot be read at all.
    """
    rows = _Rows(path.name)
    candles = tuple(rows.candles(_content(path)))
    if len(candles) < 2:
        raise PriceFileError(path.name, rows.line, "ts", "at least two candles are needed")
    return CandleFile(candles, candles[1].time_ns - candles[0].time_ns)


def _content(path: Path) -> str:
    """Return the text, decompressed but never beyond the limit."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PriceFileError(path.name, 0, "file", f"not a whole gzip file: {error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise PriceFileError(path.name, 0, "file", f"larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PriceFileError(path.name, 0, "file", "not UTF-8 text") from error


class _Rows:
    def __init__(self, name: str) -> None:
        self.name = name
        self.line = 1

    def candles(self, content: str) -> Iterator[Candle]:
        reader = csv.reader(io.StringIO(content, newline=""), strict=True)
        try:
            if tuple(next(reader, [])) != COLUMNS:
                raise self._error("header", f"expected {','.join(COLUMNS)}")
            last: int | None = None
            step: int | None = None
            for self.line, row in enumerate(reader, start=2):
                candle = self._candle(row)
                if last is not None:
                    step = self._step(candle.time_ns - last, step)
                last = candle.time_ns
                yield candle
        except csv.Error as error:
            raise self._error("row", str(error)) from error

    def _candle(self, row: list[str]) -> Candle:
        if self.line > MAX_CANDLES + 1:
            raise self._error("row", f"more than {MAX_CANDLES} candles")
        if len(row) != len(COLUMNS):
            raise self._error("row", f"{len(row)} values, expected {len(COLUMNS)}")
        if not _SECONDS.fullmatch(row[0]):
            raise self._error("ts", f"{row[0][:30]!r} is not a whole number of seconds")
        prices = [
            self._price(name, text) for name, text in zip(COLUMNS[1:5], row[1:5], strict=True)
        ]
        opened, high, low, close = prices
        for name, price in (("open", opened), ("close", close)):
            if not low <= price <= high:
                raise self._error(name, "not between low and high")
        if not _DECIMAL.fullmatch(row[5]):
            raise self._error("volume", f"{row[5][:30]!r} is not a plain decimal")
        return Candle(int(row[0]) * SECOND_NS, opened, high, low, close)

    def _price(self, column: str, text: str) -> int:
        """Return the price, to the nearest 1e-8; sources print at most so many digits."""
        if not _DECIMAL.fullmatch(text):
            raise self._error(column, f"{text[:30]!r} is not a plain positive decimal")
        price = round(Decimal(text) * ONE_E8)
        if not 0 < price < 1 << PRICE_BITS:
            raise self._error(column, f"{text[:30]} is out of range")
        return price

    def _step(self, step: int, expected: int | None) -> int:
        if step <= 0:
            raise self._error("ts", "times must ascend")
        if expected is not None and step != expected:
            raise self._error(
                "ts", f"{step // SECOND_NS} s after the last, expected {expected // SECOND_NS} s"
            )
        return step

    def _error(self, column: str, problem: str) -> PriceFileError:
        return PriceFileError(self.name, self.line, column, problem)
