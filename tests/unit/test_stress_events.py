"""Events and clusters: shapes hit their turning points, shares close to the lot."""

import gzip
from pathlib import Path

import pytest

from offchain.app import stress_data
from offchain.app.stress_data import MIXED, MODELLED, REAL, event_prices, merged, read_clusters
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.stress.clusters import (
    Cluster,
    WinnerSample,
    compare,
    drawn,
    twin,
    twin_winners,
    whole_positions,
)
from offchain.stress.errors import StressDataError, UnknownNameError
from offchain.stress.events import EVENTS, MINUTE_NS, Event, event_named, modelled_path

HEAD = "ts,open,high,low,close,volume\n"


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.name)
def test_a_modelled_path_hits_every_turning_point(event: Event) -> None:
    named = event_named(event.name)
    path = modelled_path(named, 1)
    for turn in named.shape:
        time, prices = path[turn.minute]
        assert time == named.start_ns + turn.minute * MINUTE_NS
        assert prices == (round(turn.bitcoin * ONE_E8), round(turn.ether * ONE_E8))
    assert path[-1][0] == named.end_ns
    assert path == modelled_path(named, 1)
    assert path != modelled_path(named, 2)


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no event '1929-10'"):
        event_named("1929-10")


def test_without_data_only_the_shipped_crash_has_real_prices() -> None:
    kinds = {event.name: event_prices(event, None, 1).kind for event in EVENTS}
    assert kinds.pop("2025-10") == MIXED
    assert set(kinds.values()) == {MODELLED}


def candles(folder: Path, name: str, start_s: int, count: int, price: float) -> None:
    rows = [
        f"{start_s + 300 * k},{price},{price + 1},{price - 1},{price},1\n" for k in range(count)
    ]
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress((HEAD + "".join(rows)).encode()))


def test_real_prices_are_read_from_a_folder_and_fingerprinted(tmp_path: Path) -> None:
    event = event_named("2022-05")
    start_s = event.start_ns // SECOND_NS
    for names, price in zip(event.files, (30_000.0, 2_000.0), strict=True):
        candles(tmp_path, names[0], start_s - 300, 5, price)
    prices = event_prices(event, tmp_path, 1)
    assert prices.kind == REAL
    assert prices.path[0] == (event.start_ns, (30_000 * ONE_E8, 2_000 * ONE_E8))
    assert len(prices.path) == 1 + 4 * 3  # the bar before the window is left out
    assert [name for name, _ in prices.files] == [Path(n[0]).name for n in event.files]
    assert all(len(digest) == 64 for _, digest in prices.files)


def test_prices_are_told_in_a_cash_asset_that_lost_its_peg(tmp_path: Path) -> None:
    event = event_named("2023-03")
    start_s = event.start_ns // SECOND_NS
    for names, price in zip(event.files, (20_000.0, 1_400.0), strict=True):
        candles(tmp_path, names[0], start_s, 4, price)
    cash = tmp_path / event.cash_file
    cash.parent.mkdir(parents=True)
    rows = f"ts,implied_usdc_usd\n{start_s},1.0\n{start_s + 300},\n{start_s + 600},0.8\n"
    cash.write_bytes(gzip.compress(rows.encode()))
    path = event_prices(event, tmp_path, 1).path
    assert path[0][1][0] == 20_000 * ONE_E8
    assert path[-1][1][0] == 25_000 * ONE_E8


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StressDataError, match="has no candles"):
        event_prices(event_named("2021-05"), tmp_path, 1)


def test_candles_outside_the_window_are_refused(tmp_path: Path) -> None:
    event = event_named("2022-05")
    for names in event.files:
        candles(tmp_path, names[0], 1_000_000_000, 3, 100.0)
    with pytest.raises(StressDataError, match="within its window"):
        event_prices(event, tmp_path, 1)


def test_paths_merge_by_the_last_known_price() -> None:
    path = merged([[(0, 1), (20, 2), (40, 3)], [(10, 7), (30, 8), (60, 9)]])
    assert path == [(10, (1, 7)), (20, (2, 7)), (30, (2, 8)), (40, (3, 8))]


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()))


CLUSTER_HEAD = "coin,deficit_usd,total_capacity_usd,overshoot_queue_usd\n"


def test_clusters_are_read_where_both_files_are(tmp_path: Path) -> None:
    assert read_clusters(tmp_path) is None
    write(tmp_path, stress_data.CLUSTERS, CLUSTER_HEAD + "BTC,10.5,100,20\n")
    write(tmp_path, stress_data.WINNERS, "adl_notional,pnl_percent\n5,3\n0,4\n7,-1\n")
    assert read_clusters(tmp_path) == (
        [Cluster("BTC", 10.5, 100.0, 20.0)],
        [WinnerSample(5.0, 3.0)],
    )


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("coin,deficit_usd\nBTC,1\n", "no column"),
        (CLUSTER_HEAD + "BTC,x,1,1\n", "no number"),
        (CLUSTER_HEAD + "BTC,nan,1,1\n", "not finite"),
    ],
)
def test_clusters_that_are_wrong_are_refused(tmp_path: Path, rows: str, problem: str) -> None:
    write(tmp_path, stress_data.CLUSTERS, rows)
    write(tmp_path, stress_data.WINNERS, "adl_notional,pnl_percent\n5,3\n")
    with pytest.raises(StressDataError, match=problem):
        read_clusters(tmp_path)


def test_a_cluster_closes_its_deficit_to_the_lot() -> None:
    winners = [WinnerSample(100.0, 10.0), WinnerSample(300.0, 10.0)]
    found = compare([Cluster("BTC", 10.4, 100.0, 50.0)], winners, 1, fills=2)
    assert found.closed_usd == 11
    assert found.overshoot_usd == pytest.approx(0.6)
    assert found.overshoot_lots_max == 0
    assert found.ratio == pytest.approx(0.6 / 50)


def test_a_cluster_without_capacity_says_what_it_left() -> None:
    winners = [WinnerSample(100.0, 10.0)]
    found = compare([Cluster("BTC", 150.0, 100.0, 0.0)], winners, 1)
    assert (found.closed_usd, found.unclosed_usd, found.overshoot_usd) == (100, 50, 0)


def test_a_cluster_without_a_deficit_closes_nothing() -> None:
    found = compare([Cluster("BTC", 0.0, 100.0, 90.0)], [WinnerSample(1.0, 1.0)], 1)
    assert (found.without_deficit, found.fills, found.ratio) == (1, 0, 0.0)
    assert found.reported_everywhere_usd == 90.0


def test_capacities_of_the_winners_add_up_to_the_cluster() -> None:
    for cluster, asked in drawn(twin(1, 30), twin_winners(1, 500), 1, 900):
        assert sum(c.lots for c in asked) == int(cluster.capacity_usd)


def test_a_queue_of_whole_positions_overshoots() -> None:
    ((cluster, asked),) = drawn([Cluster("BTC", 50.0, 100.0)], twin_winners(1, 3), 1, 3)
    assert cluster.deficit_usd == 50.0
    assert whole_positions(0, asked) == 0
    assert whole_positions(50, asked) >= 50
    assert whole_positions(1_000, asked) == 100
