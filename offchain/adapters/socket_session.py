"""One WebSocket client: its calls, its subscriptions, and its end."""

import asyncio
import threading
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from offchain.adapters.channels import Publisher
from offchain.adapters.connections import ABORT
from offchain.adapters.door import Door
from offchain.adapters.guard import ApiLimits, TokenBuckets, client_of
from offchain.adapters.json_text import JsonRefused, read_json
from offchain.adapters.rpc import (
    Call,
    Fault,
    RpcError,
    RpcServer,
    answer_to,
    failure,
    parse_call,
    success,
)
from offchain.adapters.stream import Subscriber, TooSlow

TRY_AGAIN_LATER = 1013
TOO_BIG = 1009


class SocketSession:
    """Serves one client until it leaves, or is too slow."""

    def __init__(
        self,
        socket: WebSocket,
        rpc: RpcServer,
        publisher: Publisher,
        door: Door,
        limits: ApiLimits,
        buckets: TokenBuckets,
    ) -> None:
        self.socket, self.rpc, self.publisher, self.door = socket, rpc, publisher, door
        self.limits, self.buckets = limits, buckets
        self.subscriber = Subscriber(limits.pending)
        self.channels: list[str] = []
        self._lock = threading.Lock()

    async def run(self) -> None:
        """Read and write until one of the two ends, then free everything."""
        await self.socket.accept()
        tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._write())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except TooSlow:
            await self._close(TRY_AGAIN_LATER, "too slow")
        except (WebSocketDisconnect, RuntimeError):  # the peer is gone, in either direction
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with self._lock:  # a subscription may still be under way on the engine's thread
                self.subscriber.is_gone = True
                self.publisher.hub.detach(self.subscriber, self.channels)

    async def _read(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("bytes") or (message.get("text") or "").encode()
            if len(text) > self.limits.message_bytes:
                await self._close(TOO_BIG, "message too large")
                return
            if not self.buckets.take(client_of(self.socket.scope)):
                error = RpcError(Fault.RATE_LIMITED, "too many messages")
                self.subscriber.reply(failure(None, error))
                continue
            answer = await self._answer(text)
            if answer is not None:
                self.subscriber.reply(answer)

    async def _write(self) -> None:
        while True:
            text = await self.subscriber.next()
            try:
                async with asyncio.timeout(self.limits.send_seconds):
                    await self.socket.send_text(text.decode())
            except TimeoutError:
                raise TooSlow from None

    async def _close(self, code: int, reason: str) -> None:
        """Say goodbye if the peer still listens; if not, cut the connection."""
        try:
            async with asyncio.timeout(self.limits.send_seconds):
                await self.socket.close(code, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            abort: Callable[[], None] | None = self.socket.scope["extensions"].get(ABORT)
            if abort is not None:
                abort()

    async def _answer(self, text: bytes) -> bytes | None:
        """Answer subscriptions here and everything else as over HTTP."""
        call = _subscription(text)
        if call is None:
            return await self.rpc.answer(text)
        try:
            channels = _channels(call)
            if call.method == "subscribe":
                await self._subscribe(call, channels)
                return None
            self._unsubscribe(channels)
            return success(call.id, {"channels": self.channels})
        except Exception as error:  # noqa: BLE001 - one call fails, the socket stays
            return failure(call.id, answer_to(error, call.method))

    async def _subscribe(self, call: Call, channels: list[str]) -> None:
        new = [c for c in channels if c not in self.channels]
        if len(self.channels) + len(new) > self.limits.subscriptions:
            limit = {"limit": str(self.limits.subscriptions)}
            raise RpcError(Fault.BUSY, "too many subscriptions", limit)
        result = success(call.id, {"channels": [*self.channels, *new]})
        await self.door.call(lambda: self._attach(new, result))

    def _attach(self, new: list[str], result: bytes) -> None:
        """Subscribe between two records; on the engine's thread."""
        with self.publisher.venue.sequencer.lock:
            for channel in new:
                self.publisher.check(channel)
            with self._lock:
                if not self.subscriber.is_gone:
                    hub, snapshot = self.publisher.hub, self.publisher.snapshot
                    hub.attach(self.subscriber, new, result, snapshot)
                    self.channels.extend(new)

    def _unsubscribe(self, channels: list[str]) -> None:
        gone = [c for c in self.channels if c in channels]
        self.channels = [c for c in self.channels if c not in channels]
        self.publisher.hub.detach(self.subscriber, gone)


def _subscription(text: bytes) -> Call | None:
    """Return a valid call of `subscribe` or `unsubscribe`, None for everything else."""
    try:
        call = parse_call(read_json(text))
    except (JsonRefused, RpcError):
        return None
    return call if call.method in {"subscribe", "unsubscribe"} else None


def _channels(call: Call) -> list[str]:
    channels = call.params.get("channels")
    if set(call.params) != {"channels"} or not isinstance(channels, list):
        raise RpcError(Fault.BAD_PARAMS, "expected a list of channels")
    if not channels or not all(isinstance(c, str) and len(c) <= 64 for c in channels):
        raise RpcError(Fault.BAD_PARAMS, "expected names of channels")
    return list(dict.fromkeys(channels))
