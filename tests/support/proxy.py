"""A TCP proxy before a node, that can refuse, or lose the answer to one request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Forwards to one port.

    Attributes
    ----------
    is_refusing : bool
        Every connection is cut as soon as something is sent on it.
    lose : bytes or None
        The next request that contains this reaches the node, and its answer nobody.
    """

    def __init__(self, port: int) -> None:
        self.is_refusing = False
        self.lose: bytes | None = None
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Take no more connections."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._accepting.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        node = socket.create_connection(("127.0.0.1", self._port))
        is_lost = threading.Event()
        back = threading.Thread(target=self._answer, args=(node, client, is_lost), daemon=True)
        back.start()
        with suppress(OSError):
            while (data := client.recv(65_536)) and not self.is_refusing:
                if self.lose is not None and self.lose in data:
                    self.lose = None
                    is_lost.set()
                node.sendall(data)
        _cut(client, node)

    def _answer(self, node: socket.socket, client: socket.socket, is_lost: threading.Event) -> None:
        with suppress(OSError):
            while (data := node.recv(65_536)) and not is_lost.is_set():
                client.sendall(data)
        _cut(client, node)


def _cut(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Stand before a node."""
    found = Proxy(int(url.rsplit(":", 1)[1]))
    try:
        yield found
    finally:
        found.stop()
