"""uvicorn's WebSocket connection, with a way to end one whose peer reads no more."""

from __future__ import annotations

from typing import Any

from fastapi import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

GRACE = 5.0
"""Seconds that an evicted viewer has to read its close code."""
_DROP = "pilotbench.drop"


class StreamProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection that the application can drop without waiting for its peer."""

    def handle_connect(self, event: Request) -> None:
        """Offer the dropping to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["state"][_DROP] = self.drop

    def drop(self, code: int, reason: str) -> None:
        """Say why, and abort the connection if that is not read in time."""
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()
        self.loop.call_later(GRACE, self.transport.abort)


def evict(socket: WebSocket, code: int, reason: str) -> None:
    """End the connection of a viewer that does not read what it is sent."""
    drop: Any = socket.scope["state"][_DROP]
    drop(code, reason)
