"""Connections of our server: none may stay without asking, and every one can be cut."""

from asyncio import TimerHandle, Transport
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request as Handshake

ABORT = "plimsoll.abort"
"""Scope extension: cuts the connection without waiting for the peer."""


class AbortableProtocol(WebSocketsSansIOProtocol):
    """WebSocket protocol whose connection can be cut although its peer does not read.

    An ordinary close waits until the send buffer is empty, which a peer that vanished or does not
    read puts off for as long as it likes.
    """

    def handle_connect(self, event: Handshake) -> None:
        """Offer the abort of the transport to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast("dict[str, Any]", self.scope["extensions"])[ABORT] = self.transport.abort


def prompt_protocol(idle_seconds: float, connections: int) -> type[H11Protocol]:
    """Return the HTTP protocol that cuts peers who connect and ask for nothing.

    Parameters
    ----------
    idle_seconds : float
        Time in which the head of the first request must have arrived.
    connections : int
        Sockets that may be open; further ones are cut at once.
    """

    class PromptProtocol(H11Protocol):
        _deadline: TimerHandle | None = None

        def connection_made(  # type: ignore[override]  # narrower, as in the class that it extends
            self, transport: Transport
        ) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections:
                self.transport.abort()
            self._deadline = self.loop.call_later(idle_seconds, self._cut_if_silent)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

        def _cut_if_silent(self) -> None:
            cycle: object = self.cycle  # None until the head of a request is complete
            is_upgraded = self.transport.get_protocol() is not self  # a WebSocket asked once
            if cycle is None and not is_upgraded and not self.transport.is_closing():
                self.transport.abort()

    return PromptProtocol
