"""A client of the WebSocket stream, as a trader or keeper would run it: counts what it hears."""

import json
import threading
from collections import Counter

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

CHANNELS = ("margin.watch", "warnings", "liquidations", "fills")
POLL_S = 0.2


class StreamListener:
    """Subscribes to the public channels on a thread of its own."""

    def __init__(self, api_url: str) -> None:
        self.heard: Counter[str] = Counter()
        self._url = api_url.replace("http://", "ws://", 1) + "/ws"
        self._is_over = threading.Event()
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream-listener", daemon=True)

    def start(self) -> None:
        """Connect and subscribe."""
        self._thread.start()
        self._is_ready.wait(timeout=10)

    def stop(self) -> dict[str, int]:
        """Stop listening and return how many messages came on each channel."""
        self._is_over.set()
        self._thread.join(timeout=10)
        return dict(self.heard)

    def _run(self) -> None:
        with connect(self._url, open_timeout=10, max_size=1 << 20) as socket:
            request = {"jsonrpc": "2.0", "id": 1, "method": "subscribe"}
            socket.send(json.dumps({**request, "params": {"channels": list(CHANNELS)}}))
            while not self._is_over.is_set():
                try:
                    message = json.loads(socket.recv(timeout=POLL_S))
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return
                self._is_ready.set()
                channel = message.get("params", {}).get("channel")
                if channel:
                    self.heard[channel] += 1
