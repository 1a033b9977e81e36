"""A beacon node that serves what a test gives it, over real HTTP on a port of its own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SLOT_S = 12


class Beacon:
    """The answers: by path, the `data` of each, or a text that is sent as it is.

    Attributes
    ----------
    asked : list of (path, versioned hashes)
        What was asked for, in order.
    """

    def __init__(self, genesis_s: int) -> None:
        self.answers: dict[str, object] = {
            "/eth/v1/beacon/genesis": {"genesis_time": str(genesis_s)},
            "/eth/v1/config/spec": {"SECONDS_PER_SLOT": str(SLOT_S)},
        }
        self.asked: list[tuple[str, list[str]]] = []
        self.url = ""

    def hold(self, slot: int, *blobs: bytes) -> None:
        """Serve blobs in a slot."""
        self.answers[f"/eth/v1/beacon/blobs/{slot}"] = ["0x" + blob.hex() for blob in blobs]

    def answer(self, target: str) -> tuple[int, bytes]:
        """Return status and body."""
        parts = urlsplit(target)
        self.asked.append((parts.path, parse_qs(parts.query).get("versioned_hashes", [])))
        found = self.answers.get(parts.path)
        if found is None:
            return 404, b'{"code":404,"message":"not found"}'
        return 200, found if isinstance(found, bytes) else json.dumps({"data": found}).encode()


@contextmanager
def beacon(genesis_s: int) -> Iterator[Beacon]:
    """Serve until the context ends."""
    node = Beacon(genesis_s)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = node.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        node.url = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serving.start()
        try:
            yield node
        finally:
            server.shutdown()
            serving.join(10)
