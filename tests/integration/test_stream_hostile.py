"""Clients that do not read, vanish, flood or dawdle harm nobody but themselves (F-28)."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from offchain.adapters.guard import ApiLimits
from offchain.adapters.stream import MAX_OUTBOX
from tests.support.served import MAKER, TRADER, Served, serving
from tests.support.sockets import (
    Socket,
    is_answering,
    is_cut,
    joined,
    open_sockets,
    raw_client,
    stalled,
    vanish,
    wait_until,
    wait_until_gone,
)
from tests.support.venue import BTC_PERP

PLENTY = ApiLimits(rate=10_000, burst=10_000)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(PLENTY) as one:
        yield one


def trade(served: Served, lots: int = 1) -> None:
    served.desk.trade(3, 2, BTC_PERP, lots, 120_000)


def test_a_peer_that_connects_and_asks_for_nothing_is_cut() -> None:
    with serving(ApiLimits(rate=1e4, burst=1e4, idle_seconds=0.05)) as served:
        address = (served.server.host, served.server.port)
        for word in (b"", b"POST /rpc HTTP/1.1\r\nHost:"):
            with socket.create_connection(address, timeout=20) as plain:
                plain.sendall(word)
                with suppress(ConnectionResetError):
                    assert plain.recv(100) == b""
        assert is_answering(served)


def test_sockets_beyond_the_limit_are_cut_at_once() -> None:
    with serving(ApiLimits(rate=1e4, burst=1e4, connections=3)) as served:
        address = (served.server.host, served.server.port)
        crowd = [socket.create_connection(address, timeout=20) for _ in range(20)]
        wait_until(lambda: sum(map(is_cut, crowd)) == 20 - 2 * 3)
        for plain in crowd:
            plain.close()
        wait_until(lambda: not served.server._server.server_state.connections)
        assert is_answering(served)


def test_many_clients_that_vanish_while_the_server_sends_cannot_hang_it(served: Served) -> None:
    publish, big = served.api.hub.publish, {"filler": "x" * 20_000}
    for _ in range(3):
        clients = [raw_client(served, "fills", "batches") for _ in range(20)]
        for n, plain in enumerate(clients):
            publish("batches", big)
            vanish(plain)
            if n % 5 == 0:
                assert is_answering(served)
        publish("batches", big)
        assert is_answering(served)
    wait_until_gone(served)
    assert served.desk.sequencer.failed_listeners == []
    with joined(served) as client:
        client.subscribe("fills")
        trade(served)
        assert client.message()["data"]["lots"] == "1"


def test_clients_that_never_read_are_cut_while_others_are_served() -> None:
    limits = ApiLimits(rate=1e4, burst=1e4, send_seconds=0.2)
    with serving(limits) as served:
        silent = [raw_client(served, "batches") for _ in range(10)]
        with joined(served) as reader:
            reader.subscribe("batches")
            for n in range(100):
                served.api.hub.publish("batches", {"n": n, "filler": "x" * 100_000})
                assert reader.message()["data"]["n"] == str(n)
            assert is_answering(served)
        wait_until_gone(served)
        wait_until(lambda: not open_sockets(served))
        assert is_answering(served)
        for plain in silent:
            plain.close()


def test_a_slow_reader_of_fills_is_closed_with_its_code_and_misses_nothing_silently() -> None:
    with serving(ApiLimits(rate=1e4, burst=1e4, pending=50)) as served, joined(served) as client:
        client.subscribe("batches")
        with stalled(served):
            for n in range(51):
                served.api.hub.publish("batches", {"n": n})
        messages, code = client.read_to_the_end()
        assert code == 1013
        assert [int(m["data"]["n"]) for m in messages] == list(range(len(messages)))
        assert len(messages) < 51


def test_a_slow_reader_of_risk_skips_to_the_latest_and_stays() -> None:
    with serving(ApiLimits(rate=1e4, burst=1e4, pending=50)) as served, joined(served) as client:
        (snapshot,) = client.subscribe("margin.watch")
        with stalled(served):
            for n in range(5_000):
                served.api.hub.publish("margin.watch", {"n": n})
        update = client.message()
        assert update["data"] == {"n": "4999"}
        assert (update["prev_seq"], update["seq"]) == (snapshot["seq"], snapshot["seq"] + 5_000)
        served.desk.price(119_000)
        assert client.message()["prev_seq"] == update["seq"]


def test_an_outbox_that_overflows_closes_the_readers_instead_of_dropping_in_silence() -> None:
    limits = ApiLimits(rate=1e4, burst=1e4, pending=10 * MAX_OUTBOX)
    with serving(limits) as served, joined(served) as client:
        client.subscribe("batches")
        with stalled(served):
            for n in range(MAX_OUTBOX + 1):
                served.api.hub.publish("batches", {"n": n})
        messages, code = client.read_to_the_end()
        assert code == 1013
        assert len(messages) <= MAX_OUTBOX


def test_stopping_the_server_closes_its_clients() -> None:
    with serving(PLENTY) as served:
        with connect(f"ws://{served.server.host}:{served.server.port}/ws", proxy=None) as client:
            Socket(client).subscribe("fills")
            served.server.stop()
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=10)
        trade(served)
        assert served.desk.sequencer.failed_listeners == []
        assert served.order(MAKER, 1, 100).account != served.order(TRADER, 1, 100).account
