"""History files are read strictly: a fault names file and row."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from offchain.calibration.errors import HistoryError, HistoryMissingError, HistoryTooShortError
from offchain.calibration.history import read_history
from offchain.calibration.history_file import read_columns, read_series

GOOD = ["ts,close", "0,100", "3600,101.5", "7200,99", "10800,1e2", "14400,98", "18000,97.5"]


def written(folder: Path, lines: list[str], name: str = "prices.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_good_file_is_a_series(tmp_path: Path) -> None:
    series = read_series(written(tmp_path, GOOD))
    assert series.step_s == 3_600
    assert series.times.tolist() == [n * 3_600 for n in range(6)]
    assert series.values.tolist() == [100.0, 101.5, 99.0, 100.0, 98.0, 97.5]


def test_a_scaled_column_holds_integers(tmp_path: Path) -> None:
    lines = ["ts,close_e2", "0,10000", "3600,10150", "7200,9900"]
    assert read_series(written(tmp_path, lines)).values.tolist() == [100.0, 101.5, 99.0]


def test_gzip_is_read_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress("\n".join(GOOD).encode()))
    assert len(read_series(path).times) == 6
    path.write_bytes(b"ts,close\n")
    with pytest.raises(HistoryError, match="gzip"):
        read_series(path)


@pytest.mark.parametrize(
    ("row", "text", "problem"),
    [
        (3, "3600,nan", "not a number"),
        (3, "3600,inf", "not a number"),
        (3, "3600,", "not a number"),
        (3, "3600,-1", "not positive"),
        (3, "3600,0", "not positive"),
        (3, "0,100", "repeats the last"),
        (4, "1800,100", "before the last"),
        (3, "3600.5,100", "whole number of seconds"),
        (3, "3600,100,1", "3 values"),
        (4, "7201,100", "off the grid"),
    ],
)
def test_a_bad_row_is_refused_by_its_number(
    tmp_path: Path, row: int, text: str, problem: str
) -> None:
    lines = list(GOOD)
    lines[row - 1] = text
    with pytest.raises(HistoryError, match=problem) as fault:
        read_series(written(tmp_path, lines))
    assert (fault.value.file, fault.value.row) == ("prices.csv", row)


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no column close"):
        read_series(written(tmp_path, ["ts,open", "0,1"]))
    with pytest.raises(HistoryError, match="no column ts"):
        read_series(written(tmp_path, ["time,close", "0,1"]))


def test_two_rows_are_no_series(tmp_path: Path) -> None:
    with pytest.raises(HistoryTooShortError):
        read_series(written(tmp_path, GOOD[:3]))


def test_blanks_and_signs_are_allowed_only_where_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, ["ts,rate", "0,-0.001", "1,"])
    with pytest.raises(HistoryError, match="not positive"):
        read_columns(path, ("rate",))
    table = read_columns(path, ("rate",), signed=True, blanks=True)
    assert table["rate"][0] == -0.001
    assert np.isnan(table["rate"][1])


def test_moves_never_span_a_gap(tmp_path: Path) -> None:
    lines = ["ts,close", *(f"{t * 43_200},{100 + t}" for t in (0, 1, 2, 3, 5, 6, 7, 8))]
    series = read_series(written(tmp_path, lines))
    starts, moves = series.moves(1)
    assert series.times[starts].tolist() == [t * 43_200 for t in (0, 1, 5, 6)]
    assert moves.tolist() == [102 / 100 - 1, 103 / 101 - 1, 107 / 105 - 1, 108 / 106 - 1]
    assert series.follows.tolist() == [True, True, True, False, True, True, True]


def test_a_day_must_be_whole_steps(tmp_path: Path) -> None:
    lines = ["ts,close", *(f"{t * 50_000},1" for t in range(5))]
    with pytest.raises(HistoryError, match="multiple of its step"):
        read_series(written(tmp_path, lines)).moves(1)


def test_a_folder_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissingError, match="spot_BTCUSD"):
        read_history(tmp_path, ("BTC",))


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "calibration/venue_spot_BTCUSDT_1h.csv")
    funding = ["ts,funding_rate", "0,-0.0001", "28800,0.0002"]
    written(tmp_path, funding, "funding/venue_BTCUSDT_8h_all.csv")
    depeg = ["ts,implied_usdc_usd", "0,0.9999", "60,", "120,0.9"]
    written(tmp_path, depeg, "collateral/usdc_depeg_x.csv")
    history = read_history(tmp_path, ("BTC",))
    assert history.funding_rates["BTC"].tolist() == [-0.0001, 0.0002]
    assert history.depeg is not None
    assert history.depeg.prices.tolist() == [0.9999, 0.9]
    assert not history.volatilities
    assert not history.is_synthetic
    assert len(history.files) == 3


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("funding/venue_BTCUSDT_8h_all.csv", ["ts,funding_rate"]),
        ("collateral/usdc_depeg_x.csv", ["ts,implied_usdc_usd", "0,"]),
        ("vol/surface_summary_6h.csv", ["ts,ccy,atm_iv_7d,atm_iv_30d,atm_iv_90d,atm_iv_180d"]),
        ("vol/venue_BTC_1h.csv", ["ts,close", "0,1"]),
    ],
)
def test_an_empty_optional_file_is_refused_by_name(
    tmp_path: Path, name: str, lines: list[str]
) -> None:
    written(tmp_path, GOOD, "calibration/venue_spot_BTCUSDT_1h.csv")
    written(tmp_path, lines, name)
    with pytest.raises(HistoryTooShortError, match=Path(name).name):
        read_history(tmp_path, ("BTC",))


def test_a_span_of_more_than_a_century_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="century"):
        read_series(written(tmp_path, [*GOOD, "360000000000,1"]))
