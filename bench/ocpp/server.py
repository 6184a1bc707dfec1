"""The WebSocket endpoint that the DUT connects to (OCPP-J 1.6 clause 3)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bench.clock import Stamp, now
from bench.events import StationRefused
from bench.ocpp.dialogue import Dialogue

SUBPROTOCOL = "ocpp1.6"
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class StampedConnection(ServerConnection):
    """A WebSocket connection that stamps each message when its bytes are read from the socket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stamps: deque[Stamp] = deque()
        self._read_at: Stamp | None = None

    def data_received(self, data: bytes) -> None:
        """Stamp the bytes before anything looks at them."""
        self._read_at = now()
        super().data_received(data)

    def process_event(self, event: Any) -> None:
        """Keep the stamp of the bytes that completed a message."""
        if isinstance(event, WebSocketFrame) and event.opcode in _DATA and event.fin:
            self.stamps.append(self._read_at or now())
        super().process_event(event)


class _Open:
    """One accepted connection, as the dialogue sees it."""

    def __init__(self, number: int, socket: StampedConnection) -> None:
        self.number = number
        self._socket = socket

    @property
    def unread(self) -> int:
        return len(self._socket.stamps)

    async def send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from error

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)


class OcppServer:
    """Accept the DUT's connections and feed their messages to the dialogue."""

    def __init__(self, dialogue: Dialogue, *, identity: str, max_frame: int) -> None:
        self._dialogue = dialogue
        self._identity = identity
        self._max_frame = max_frame
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen while the context lasts; gives the bound HOST:PORT."""
        silent = logging.getLogger("pilotbench.websockets")
        silent.setLevel(logging.CRITICAL)
        async with serve(
            self._talk,
            host,
            port,
            process_request=self._admit,
            select_subprotocol=self._negotiate,
            create_connection=StampedConnection,
            max_size=self._max_frame,
            compression=None,
            ping_interval=None,
            close_timeout=1.0,
            server_header=None,
            logger=silent,
        ) as server:
            bound = server.sockets[0].getsockname()
            yield f"{bound[0]}:{bound[1]}"

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        for header in request.headers.get_all("Authorization"):
            self._dialogue.stream.masks.know_credentials(header)
        identity = unquote(request.path.partition("?")[0].rpartition("/")[2])
        if identity == self._identity:
            return None
        reason = f"charge point id {identity!r}, expected {self._identity!r}"
        self._refused(socket, request.path, reason)
        body = f"unknown charge point: {reason}\n".encode()
        return Response(HTTPStatus.NOT_FOUND, "Not Found", Headers(), body)

    @staticmethod
    def _negotiate(
        socket: ServerConnection, offered: list[Subprotocol] | Any
    ) -> Subprotocol | None:
        return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None

    def _refused(self, socket: ServerConnection, path: str, reason: str) -> None:
        self._dialogue.stream.emit(StationRefused(path, _remote(socket), reason))

    async def _talk(self, socket: ServerConnection) -> None:
        request = socket.request
        path = request.path if request else ""
        offered = _offered(request)
        if socket.subprotocol is None:
            what = ", ".join(offered) or "none"
            self._refused(socket, path, f"subprotocol {what} offered, expected {SUBPROTOCOL}")
            await socket.close(1002, f"subprotocol {SUBPROTOCOL} expected")
            return
        assert isinstance(socket, StampedConnection)
        connection = _Open(next(self._numbers), socket)
        await self._dialogue.opened(
            connection,
            identity=self._identity,
            path=path,
            remote=_remote(socket),
            offered=offered,
        )
        answers: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as tasks:

                def later(work: Awaitable[None]) -> None:
                    answers.append(tasks.create_task(_run(work)))

                async for raw in socket:
                    stamp = socket.stamps.popleft()
                    await self._dialogue.received(connection, raw, stamp, later)
                for answer in answers:
                    answer.cancel()  # nobody is there any more to take it
        finally:
            self._dialogue.closed(connection, *_how_it_closed(socket))


def _how_it_closed(socket: ServerConnection) -> tuple[int | None, str]:
    """Tell the close code and reason: the DUT's, else the bench's own, else that there is none."""
    protocol = socket.protocol
    if protocol.close_rcvd is not None:
        return int(protocol.close_rcvd.code), protocol.close_rcvd.reason
    if protocol.close_sent is not None:
        return int(protocol.close_sent.code), f"closed by the bench: {protocol.close_sent.reason}"
    return None, "the TCP connection was lost without a close frame"


async def _run(work: Awaitable[None]) -> None:
    await work


def _offered(request: Request | None) -> list[str]:
    if request is None:
        return []
    lines = request.headers.get_all("Sec-WebSocket-Protocol")
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _remote(socket: ServerConnection) -> str:
    address = socket.remote_address
    return f"{address[0]}:{address[1]}" if address else ""
