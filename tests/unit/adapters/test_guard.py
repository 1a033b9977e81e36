"""What is too large, too fast or too much is refused before anything else sees it."""

import asyncio
from typing import Any

import pytest

from offchain.adapters.guard import ApiLimits, Guard, TokenBuckets

LIMITS = ApiLimits(body_bytes=10, connections=1)


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class App:
    """An application that remembers the bodies it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.entered = asyncio.Event()
        self.release: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.bodies.append((await receive())["body"])
        self.entered.set()
        if self.release:
            await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})


def scope(kind: str = "http", length: bytes | None = None, host: str = "a") -> dict[str, Any]:
    headers = [] if length is None else [(b"content-length", length)]
    return {"type": kind, "headers": headers, "client": (host, 1)}


async def ask(guard: Guard, of: dict[str, Any], *parts: bytes) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    left = list(parts or (b"",))

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    await guard(of, receive, send)
    return sent


def guarded(limits: ApiLimits = LIMITS, burst: float = 100) -> tuple[Guard, App]:
    app = App()
    return Guard(app, limits, TokenBuckets(1, burst, Clock())), app


def test_a_body_within_the_limit_arrives_whole() -> None:
    guard, app = guarded()
    sent = asyncio.run(ask(guard, scope(length=b"10"), b"01234", b"56789"))
    assert app.bodies == [b"0123456789"]
    assert sent[0]["status"] == 200


@pytest.mark.parametrize("length", [b"11", b"100000000", b"-1", b"1e3", b"9" * 30, b"x"])
def test_a_body_announced_as_too_large_is_refused_unread(length: bytes) -> None:
    guard, app = guarded()
    assert asyncio.run(ask(guard, scope(length=length)))[0]["status"] == 413
    assert app.bodies == []


def test_a_body_that_grows_beyond_the_limit_is_refused() -> None:
    guard, app = guarded()
    assert asyncio.run(ask(guard, scope(), b"0123456789", b"0"))[0]["status"] == 413
    assert app.bodies == []


def test_a_body_that_does_not_arrive_is_refused() -> None:
    guard, app = guarded(ApiLimits(body_seconds=0.01))

    async def endless() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        await guard(scope(), receive, send)
        return sent

    assert asyncio.run(endless())[0]["status"] == 408
    assert app.bodies == []
    assert guard.connections == 0


def test_more_connections_than_allowed_are_turned_away_until_one_ends() -> None:
    guard, app = guarded()

    async def crowd() -> list[int]:
        app.release = asyncio.Event()
        first = asyncio.create_task(ask(guard, scope()))
        await app.entered.wait()
        second = await ask(guard, scope())
        socket = await ask(guard, scope("websocket"))
        app.release.set()
        done = await first
        third = await ask(guard, scope())
        assert socket == [
            {"type": "websocket.close", "code": 1013, "reason": "too many connections"}
        ]
        return [second[0]["status"], done[0]["status"], third[0]["status"]]

    assert asyncio.run(crowd()) == [503, 200, 200]


def test_a_client_beyond_its_rate_is_refused_and_others_are_not() -> None:
    guard, _ = guarded(burst=2)
    statuses = [asyncio.run(ask(guard, scope()))[0]["status"] for _ in range(3)]
    other = asyncio.run(ask(guard, scope(host="b")))[0]["status"]
    assert (statuses, other) == ([200, 200, 429], 200)


def test_a_bucket_fills_with_time_up_to_its_burst() -> None:
    clock = Clock()
    buckets = TokenBuckets(rate=2, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    clock.now = 0.5
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    clock.now = 100
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]


def test_clients_are_forgotten_beyond_the_limit() -> None:
    buckets = TokenBuckets(1, 1, Clock(), clients=2)
    for client in ("a", "b", "c"):
        buckets.take(client)
    assert [buckets.take("b"), buckets.take("c"), buckets.take("a")] == [False, False, True]
