"""Limits that hold before routing: size of a body, rate of a client, number of connections.

Pure ASGI, so that nothing is parsed, allocated or queued for a request that is refused.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.adapters.rpc import Fault, RpcError, failure


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """What one client, and all together, may ask for.

    Attributes
    ----------
    body_bytes, message_bytes : int
        Largest HTTP body and WebSocket message.
    idle_seconds, body_seconds : float
        Time in which the head of the first request, and a body, must have arrived.
    rate, burst : float
        Requests and messages of one client address: a second, and at once.
    connections : int
        Requests in work and open WebSockets together. Twice as many sockets may be open.
    subscriptions : int
        Channels of one WebSocket.
    pending : int
        Messages that may wait for one WebSocket client before it is closed as too slow.
    send_seconds : float
        Time that one message may take.
    """

    body_bytes: int = 65_536
    message_bytes: int = 65_536
    idle_seconds: float = 10.0
    body_seconds: float = 10.0
    rate: float = 200.0
    burst: float = 400.0
    connections: int = 500
    subscriptions: int = 64
    pending: int = 1_000
    send_seconds: float = 1.0


class TokenBuckets:
    """A token bucket for each client; the longest unused are forgotten beyond `clients`."""

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        clients: int = 10_000,
    ) -> None:
        self.rate, self.burst, self.clients = rate, burst, clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> bool:
        """Take one token; False when the client has none left."""
        now = self._clock()
        tokens, last = self._buckets.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - last) * self.rate)
        is_allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if is_allowed else tokens, now)
        if len(self._buckets) > self.clients:
            self._buckets.popitem(last=False)
        return is_allowed


class Guard:
    """ASGI middleware that applies `ApiLimits`."""

    def __init__(self, app: ASGIApp, limits: ApiLimits, buckets: TokenBuckets) -> None:
        self.app, self.limits, self.buckets = app, limits, buckets
        self.connections = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        refused = self._refuse(scope)
        if refused is not None:
            await _answer(scope, send, *refused)
            return
        self.connections += 1
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self.connections -= 1

    def _refuse(self, scope: Scope) -> tuple[int, RpcError] | None:
        if self.connections >= self.limits.connections:
            return 503, RpcError(Fault.TOO_MANY_CONNECTIONS, "too many connections")
        if not self.buckets.take(client_of(scope)):
            return 429, RpcError(Fault.RATE_LIMITED, "too many requests")
        return None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                body = await self._body(scope, receive)
        except TimeoutError:
            await _answer(scope, send, 408, RpcError(Fault.TOO_SLOW, "the body came too slowly"))
            return
        if body is None:
            limit = {"limit": str(self.limits.body_bytes)}
            await _answer(scope, send, 413, RpcError(Fault.TOO_LARGE, "body too large", limit))
            return
        await self.app(scope, _replay(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body, None when it is longer than allowed."""
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or len(announced) > 12:
            return None
        if int(announced) > self.limits.body_bytes:
            return None
        parts, size = [], 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size > self.limits.body_bytes:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def client_of(scope: Scope) -> str:
    """Return what the rate is counted by: the address of the peer."""
    client = scope.get("client")
    return client[0] if client else "local"


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the body that was read, then what follows."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _answer(scope: Scope, send: Send, status: int, error: RpcError) -> None:
    """Refuse: with a JSON-RPC error, or by turning the WebSocket away."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013, "reason": error.message})
        return
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status in {429, 503}:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": failure(None, error)})
