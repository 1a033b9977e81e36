"""WebSocket clients for tests: one that behaves, and raw sockets that do not."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from offchain.adapters.connections import AbortableProtocol
from tests.support.served import Served


class Socket:
    """A client that keeps what it received apart: answers and stream messages."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.ids = 0

    def call(self, method: str, **params: object) -> Any:
        self.ids += 1
        request = {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}
        self.connection.send(json.dumps(request))
        answer = self.receive()
        assert answer["id"] == self.ids
        return answer

    def receive(self) -> Any:
        return json.loads(self.connection.recv(timeout=20))

    def message(self) -> Any:
        received = self.receive()
        assert received["method"] == "stream", received
        return received["params"]

    def read_to_the_end(self) -> tuple[list[Any], int | None]:
        """Return every message up to the close of the server, and its code."""
        messages: list[Any] = []
        try:
            while True:
                messages.append(self.message())
        except ConnectionClosed as end:
            return messages, end.rcvd.code if end.rcvd else None

    def subscribe(self, *channels: str) -> list[Any]:
        answer = self.call("subscribe", channels=list(channels))
        assert "result" in answer, answer
        return [self.message() for _ in channels]


@contextmanager
def joined(served: Served) -> Iterator[Socket]:
    with connect(f"ws://{served.server.host}:{served.server.port}/ws", proxy=None) as connection:
        yield Socket(connection)


def raw_client(served: Served, *channels: str) -> socket.socket:
    """Return a socket that subscribed and from now on reads nothing."""
    plain = socket.create_connection((served.server.host, served.server.port), timeout=20)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.sendall(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    request = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"channels": channels}}
    text = json.dumps(request).encode()
    assert len(text) < 126
    read_until(plain, b"\r\n\r\n")
    plain.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    read_until(plain, b'"snapshot"')
    return plain


def read_until(plain: socket.socket, mark: bytes) -> None:
    received = b""
    while mark not in received:
        part = plain.recv(4_096)
        assert part, f"closed after {received!r}"
        received += part


def vanish(plain: socket.socket) -> None:
    """Cut the connection without a word: the peer gets a reset."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()


def is_answering(served: Served) -> bool:
    """Tell whether a fresh HTTP call is answered soon."""
    body = '{"jsonrpc":"2.0","id":1,"method":"public/get_time"}'
    answer = httpx.post(f"{served.server.url}/rpc", content=body, timeout=10, trust_env=False)
    return answer.status_code == 200


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait, within reason, for the server to get somewhere."""
    patience = threading.Event()
    for _ in range(200):
        if is_so():
            return
        patience.wait(0.05)
    raise AssertionError("it never came to that")


def wait_until_gone(served: Served) -> None:
    """Wait for the server to forget every client."""
    wait_until(lambda: not served.api.hub.wanted)


def open_sockets(served: Served) -> list[AbortableProtocol]:
    """Return the WebSocket connections that the server still holds."""
    connections = tuple(served.server._server.server_state.connections)
    return [c for c in connections if isinstance(c, AbortableProtocol)]


def is_cut(plain: socket.socket) -> bool:
    """Tell whether the server ended a connection on which it never said anything."""
    plain.setblocking(False)
    try:
        return plain.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@contextmanager
def stalled(served: Served) -> Iterator[None]:
    """Keep the event loop from delivering, so that everything published meanwhile piles up."""
    is_stalled, go = threading.Event(), threading.Event()

    def stall() -> None:
        is_stalled.set()
        go.wait(20)

    loop = served.api.hub._loop
    assert loop is not None
    loop.call_soon_threadsafe(stall)
    assert is_stalled.wait(20)
    try:
        yield
    finally:
        go.set()
