"""A node between a client and the real one, which changes answers, or refuses to give them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

Body = dict[str, Any]
Answer = tuple[int, Body, dict[str, str]]
"""Status, JSON and headers."""
Lie = Callable[[Body, Callable[[], Body]], Answer | Body]
"""Takes a request and how to ask the real node; returns what the client is to be told."""

TIMEOUT_S = 30


@contextmanager
def lying_node(real: str, lie: Lie) -> Iterator[str]:
    """Serve a node that lies; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            request: Body = json.loads(self.rfile.read(size))

            def ask() -> Body:
                found: Body = requests.post(real, json=request, timeout=TIMEOUT_S).json()
                return found

            told = lie(request, ask)
            status, body, headers = told if isinstance(told, tuple) else (200, told, {})
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
