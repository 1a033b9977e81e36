"""The API: JSON-RPC over HTTP and WebSocket, health, and the server that runs it.

The server runs in the process of the sequencer, on a thread of its own. Calls reach the engine
through one door with a bounded number waiting; the read model has another, and what takes long to
compute a third, so that a slow query never stands before an order.
"""

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from pydantic import BaseModel

from offchain.adapters import intent_methods, margin_methods  # noqa: F401 - they register methods
from offchain.adapters.channels import Publisher
from offchain.adapters.connections import AbortableProtocol, prompt_protocol
from offchain.adapters.door import Door
from offchain.adapters.guard import ApiLimits, Guard, TokenBuckets
from offchain.adapters.json_text import write_json
from offchain.adapters.methods import METHODS
from offchain.adapters.rpc import Fault, Method, Place, RpcError, RpcServer
from offchain.adapters.served_venue import ServedVenue
from offchain.adapters.socket_session import SocketSession
from offchain.adapters.stream import StreamHub
from offchain.engine.breakers import highest_level
from offchain.services.errors import SequencerHalted

MAX_ANALYSES = 16
"""Calls that may wait for the analysis of one; each takes up to a tenth of a second."""
_PARSE_ERROR = b'"error":{"code":%d,' % Fault.PARSE


class MethodRunner:
    """Runs each handler at its place."""

    def __init__(self, venue: ServedVenue) -> None:
        self.venue = venue
        self.engine, self.history = Door("api-engine"), Door("api-history")
        self.analysis = Door("api-analysis", MAX_ANALYSES)

    async def run(self, method: Method, params: BaseModel) -> object:
        """Return the result of a handler; RpcError when its door is crowded."""
        if method.place is Place.HISTORY:
            return await self.history.call(lambda: method.handler(self.venue, params))
        if method.place is Place.ANALYSIS:
            return await self.analysis.call(lambda: method.handler(self.venue, params))
        return await self.engine.call(lambda: self._locked(method, params))

    def close(self) -> None:
        """Let the threads end."""
        for door in (self.engine, self.history, self.analysis):
            door.close()

    def _locked(self, method: Method, params: BaseModel) -> object:
        with self.venue.sequencer.lock:
            return method.handler(self.venue, params)


class Api:
    """The application: `asgi` is what a server runs."""

    def __init__(self, venue: ServedVenue, limits: ApiLimits | None = None) -> None:
        self.venue, self.limits = venue, limits or ApiLimits()
        self.hub = StreamHub()
        self.publisher = Publisher(venue, self.hub)
        self.runner = MethodRunner(venue)
        self.rpc = RpcServer(METHODS, self.runner)
        self.buckets = TokenBuckets(self.limits.rate, self.limits.burst)
        self.asgi = Guard(self._routes(), self.limits, self.buckets)
        venue.sequencer.subscribe(self.publisher.listen)

    def _routes(self) -> FastAPI:
        app = FastAPI(title="Plimsoll", docs_url=None, redoc_url=None)
        app.add_api_route("/rpc", self._rpc, methods=["POST"], response_model=None)
        app.add_api_route("/health/live", self._live, response_model=None)
        app.add_api_route("/health/ready", self._ready, response_model=None)
        app.add_api_websocket_route("/ws", self._socket)
        return app

    async def _rpc(self, request: Request) -> Response:
        """Answer JSON-RPC; 400 when the body is not JSON, 204 when nothing is to be said."""
        answer = await self.rpc.answer(await request.body())
        if answer is None:
            return Response(status_code=204)
        status = 400 if _PARSE_ERROR in answer[:64] else 200
        return Response(answer, status, media_type="application/json")

    async def _live(self) -> Response:
        """Tell that the process answers."""
        return Response(write_json({"status": "live"}), media_type="application/json")

    async def _ready(self) -> Response:
        """Tell whether orders can be taken, and if not, what is missing; 503 then.

        `is_liquidation_open` is false in the grace after an outage of the oracle, `breaker_level`
        the highest level of a circuit breaker; both are null if unknown.
        """
        is_open, level = None, None
        try:
            missing, is_open, level = await self.runner.engine.call(self._readiness)
        except RpcError:  # crowded
            missing = ["capacity"]
        except SequencerHalted:  # since it was asked
            missing = ["log"]
        status = "waiting" if missing else "ready"
        body = write_json(
            {
                "status": status,
                "missing": missing,
                "is_liquidation_open": is_open,
                "breaker_level": level,
            }
        )
        return Response(body, 503 if missing else 200, media_type="application/json")

    def _readiness(self) -> tuple[list[str], bool | None, int | None]:
        missing = self._missing()
        if "log" in missing:
            return missing, None, None
        sequencer = self.venue.sequencer
        with sequencer.lock:
            return (
                missing,
                sequencer.state.market.standing.is_settled,
                highest_level(sequencer.state, sequencer.now_ns()),
            )

    def _missing(self) -> list[str]:
        sequencer = self.venue.sequencer
        if sequencer.is_halted:
            return ["log"]
        with sequencer.lock:
            state = sequencer.state
            heartbeat = state.rules.oracle.heartbeat_ns if state.parameters else 0
            age = sequencer.now_ns() - state.market.observed_at_ns
            has_prices = state.market.arrays is not None and age <= heartbeat
        found = [] if has_prices else ["prices"]
        if sequencer.failed_listeners:
            found.append("listeners")
        return [*found, *self.venue.missing()]

    async def _socket(self, websocket: WebSocket) -> None:
        session = SocketSession(
            websocket, self.rpc, self.publisher, self.runner.engine, self.limits, self.buckets
        )
        await session.run()


class ApiServer:
    """Runs an `Api` on a thread. The port is chosen by the system unless one is given."""

    def __init__(self, api: Api, host: str = "127.0.0.1", port: int = 0) -> None:
        self.api = api
        self._socket = socket.create_server((host, port), backlog=256)
        # Inherited by every connection: asyncio leaves it off for sockets made this way, and an
        # answer in two writes then waits 40 ms for the acknowledgement of the first.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self._socket.getsockname()[:2]
        self._server = uvicorn.Server(
            uvicorn.Config(
                api.asgi,
                http=prompt_protocol(api.limits.idle_seconds, 2 * api.limits.connections),
                ws=AbortableProtocol,
                ws_max_size=api.limits.message_bytes,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=16_384,
            )
        )
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Serve, and return when connections are taken."""
        self._thread.start()
        self._is_up.wait(timeout=30)

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        self._socket.close()
        self.api.runner.close()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve())

    async def _serve(self) -> Any:
        self.api.hub.bind(asyncio.get_running_loop())
        self._is_up.set()  # the socket listens already; what connects now waits in its backlog
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self.api.hub.unbind()
