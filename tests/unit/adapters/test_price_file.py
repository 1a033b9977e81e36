"""A candle file is read exactly, or refused by line and column."""

import gzip
from pathlib import Path

import pytest

from offchain.adapters import price_file
from offchain.adapters.price_file import PriceFileError, read_candles
from offchain.services.price_path import Candle

HEADER = "ts,open,high,low,close,volume\n"
FIRST = "1759881600,121332.96,121614.66,121332.96,121587.83,60.6\n"
SECOND = "1759881900,121587.83,121588.84,121446.24,121487.6,28.9\n"


def write(directory: Path, text: str) -> Path:
    path = directory / "candles.csv"
    path.write_text(text)
    return path


def test_prices_are_exact_integers(tmp_path: Path) -> None:
    read = read_candles(write(tmp_path, HEADER + FIRST + SECOND))
    assert read.step_ns == 300 * 10**9
    assert read.candles[0] == Candle(
        1759881600 * 10**9, 12133296000000, 12161466000000, 12133296000000, 12158783000000
    )


def test_a_gzip_file_reads_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "candles.csv.gz"
    packed.write_bytes(gzip.compress((HEADER + FIRST + SECOND).encode()))
    assert read_candles(packed) == read_candles(write(tmp_path, HEADER + FIRST + SECOND))


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, "header"),
        ("time,o,h,l,c,v\n" + FIRST, 1, "header"),
        (HEADER, 1, "ts"),
        (HEADER + FIRST, 2, "ts"),
        (HEADER + FIRST + FIRST, 3, "ts"),
        (HEADER + SECOND + FIRST, 3, "ts"),
        (HEADER + FIRST + SECOND + SECOND.replace("900", "960", 1), 4, "ts"),
        (HEADER + FIRST.replace("1759881600", "1759881600.5"), 2, "ts"),
        (HEADER + FIRST.replace("1759881600", "-1"), 2, "ts"),
        (HEADER + FIRST.replace("121614.66", "nan"), 2, "high"),
        (HEADER + FIRST.replace("121614.66", "inf"), 2, "high"),
        (HEADER + FIRST.replace("121614.66", "1e6"), 2, "high"),
        (HEADER + FIRST.replace("121614.66", ""), 2, "high"),
        (HEADER + FIRST.replace("121614.66", "121332.97"), 2, "close"),
        (HEADER + FIRST.replace("121614.66", "9" * 18), 2, "high"),
        (HEADER + FIRST.replace(",121332.96,121614.66", ",0,121614.66"), 2, "open"),
        (HEADER + FIRST.replace(",121332.96,121614.66", ",-5,121614.66"), 2, "open"),
        (HEADER + FIRST.replace(",121332.96,121614.66", ",100,121614.66"), 2, "open"),
        (HEADER + FIRST.replace("60.6", "much"), 2, "volume"),
        (HEADER + FIRST.replace(",60.6", ""), 2, "row"),
        (HEADER + FIRST.replace("60.6", "60.6,7"), 2, "row"),
        (HEADER + '"1759', 1, "row"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, line: int, column: str) -> None:
    with pytest.raises(PriceFileError) as caught:
        read_candles(write(tmp_path, text))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(caught.value)


def test_binary_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PriceFileError, match="not UTF-8"):
        read_candles(path)


@pytest.mark.parametrize("cut", [3, 30])
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "candles.csv.gz"
    path.write_bytes(gzip.compress((HEADER + FIRST + SECOND).encode())[:cut])
    with pytest.raises(PriceFileError, match="not a whole gzip"):
        read_candles(path)


def test_a_file_that_expands_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_file, "MAX_FILE_BYTES", 1000)
    path = tmp_path / "candles.csv.gz"
    path.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(PriceFileError, match="larger than 1000 bytes"):
        read_candles(path)


def test_too_many_candles_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_file, "MAX_CANDLES", 1)
    with pytest.raises(PriceFileError, match="more than 1 candles"):
        read_candles(write(tmp_path, HEADER + FIRST + SECOND))
