"""The dialogue with one DUT: every frame recorded, watched, answered and handed on."""

from __future__ import annotations

import asyncio
import base64
import uuid
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from bench.clock import Stamp
from bench.errors import CheckFailed
from bench.events import (
    Checked,
    FrameLost,
    FrameReceived,
    FrameSent,
    LeftUnanswered,
    StationConnected,
    StationDisconnected,
)
from bench.ocpp.csms import Csms, Reply
from bench.ocpp.frame import Call, CallError, CallResult, encode, parse
from bench.ocpp.message import Received
from bench.ocpp.monitors import Monitors
from bench.ocpp.rules.finding import Finding
from bench.stream import Stream

CATCHING_UP = 0.1
"""Longest time in s that a deadline waits for messages which were read before it."""


class Connection(Protocol):
    """One open WebSocket connection of the DUT."""

    number: int

    @property
    @abstractmethod
    def unread(self) -> int:
        """How many messages came from the socket that the dialogue has not taken yet."""

    @abstractmethod
    async def send(self, text: str) -> None:
        """Hand a text message to the socket; raises ConnectionError when it is closed."""

    @abstractmethod
    async def close(self, code: int, reason: str) -> None:
        """Close the connection."""


class Listener(Protocol):
    """Whoever follows the dialogue in the running case."""

    @abstractmethod
    def received(self, message: Received) -> None:
        """Take a message of the DUT, after it was answered."""

    @abstractmethod
    def found(self, finding: Finding) -> None:
        """Take a violation that a monitor found."""

    @abstractmethod
    def connection_changed(self) -> None:
        """Notice that the DUT connected or disconnected."""


class Dialogue:
    """Both directions of the OCPP dialogue, across the connections of one DUT."""

    def __init__(self, stream: Stream, monitors: Monitors, csms: Csms) -> None:
        self.stream = stream
        self.monitors = monitors
        self.csms = csms
        self.listener: Listener | None = None
        self.connection: Connection | None = None
        self._pending: dict[str, asyncio.Future[Received]] = {}
        self._calling = asyncio.Lock()
        self._change = asyncio.Event()
        self._taking = 0
        """How many messages are being answered and handed on right now."""
        self._handed_on = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Tell whether the DUT has an open connection."""
        return self.connection is not None

    async def opened(
        self, connection: Connection, *, identity: str, path: str, remote: str, offered: list[str]
    ) -> None:
        """Take over a new connection; one that is still open is closed, the newest counts."""
        event = StationConnected(connection.number, identity, path, remote, offered)
        old, self.connection = self.connection, connection
        self.stream.emit(event)
        self.monitors.connected()
        self._changed()
        if old is not None:
            self._drop_pending("the DUT opened another connection")
            await old.close(1000, "replaced by a newer connection of the same identity")

    def closed(self, connection: Connection, code: int | None, reason: str) -> None:
        """Note that a connection ended."""
        self.stream.emit(StationDisconnected(connection.number, code, reason))
        if self.connection is connection:
            self.connection = None
            self._drop_pending("the connection was closed")
            self._changed()

    def _changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        if self.listener is not None:
            self.listener.connection_changed()

    async def until_connected(self, wanted: bool, *, within: float) -> bool:
        """Wait until the DUT is connected, or not; tell whether it came about in time."""
        try:
            async with asyncio.timeout(within):
                while self.is_connected != wanted:
                    await self._change.wait()
        except TimeoutError:
            return False
        return True

    def _drop_pending(self, why: str) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError(why))
        self._pending.clear()

    async def received(
        self,
        connection: Connection,
        raw: str | bytes,
        stamp: Stamp,
        later: Callable[[Awaitable[None]], None],
    ) -> None:
        """Take a message as it came from the socket at `stamp`; `later` runs delayed answers."""
        self._taking += 1
        try:
            await self._take(connection, raw, stamp, later)
        finally:
            self._taking -= 1
            self._handed_on.set()
            self._handed_on = asyncio.Event()

    async def caught_up(self) -> None:
        """Wait until what was read from the socket is handed on, so that nothing in time is missed.

        Gives up after `CATCHING_UP`, as a DUT that reads no answers must not hold a deadline.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCHING_UP):
                while self._taking or (self.connection is not None and self.connection.unread):
                    await self._handed_on.wait()

    async def _take(
        self,
        connection: Connection,
        raw: str | bytes,
        stamp: Stamp,
        later: Callable[[Awaitable[None]], None],
    ) -> None:
        if isinstance(raw, str):
            event = FrameReceived(connection.number, raw)
        else:
            event = FrameReceived(connection.number, None, base64.b64encode(raw).decode())
        record = self.stream.emit(event, stamp)
        message = Received(record.n, stamp, connection.number, parse(raw))
        for finding in self.monitors.received(message):
            self._report(finding)
        match message.frame:
            case Call() as call:
                reply = self.csms.reply(call)
                if reply.delay > 0:
                    later(self._answer_later(connection, reply))
                elif reply.frame is None:
                    self.stream.emit(LeftUnanswered(record.n, call.message_id))
                    self.monitors.left_open(call.message_id)
                else:
                    await self._send(connection, encode(reply.frame), reply.frame)
            case CallResult(message_id) | CallError(message_id):
                future = self._pending.pop(message_id, None)
                if future is not None and not future.done():
                    future.set_result(message)
        if self.listener is not None:
            self.listener.received(message)

    async def _answer_later(self, connection: Connection, reply: Reply) -> None:
        await asyncio.sleep(reply.delay)
        if reply.frame is not None and self.connection is connection:
            await self._send(connection, encode(reply.frame), reply.frame)

    def _report(self, finding: Finding) -> None:
        if self.listener is not None:
            self.listener.found(finding)
        else:
            self.stream.emit(checked(finding, "none"))

    async def call(self, action: str, payload: dict[str, object], *, within: float) -> Received:
        """Send a CALL and wait for its answer; one at a time.

        Raises `CheckFailed` when the DUT is not connected, disconnects, or does not answer within
        so many s.
        """
        async with self._calling:
            connection = self.connection
            if connection is None:
                raise CheckFailed(f"{action} can't be sent: the DUT is not connected")
            request = Call(str(uuid.uuid4()), action, payload)
            future: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
            self._pending[request.message_id] = future
            try:
                async with asyncio.timeout(within):
                    await self._send(connection, encode(request), request)
                    answer = await future
            except TimeoutError:
                raise CheckFailed(f"{action} was not answered within {within:g} s") from None
            except ConnectionError as error:
                raise CheckFailed(f"{action} was not answered: {error}") from error
            finally:
                self._pending.pop(request.message_id, None)
            self.csms.book.configured(request, answer.frame)
            return answer

    async def send_raw(self, text: str) -> int:
        """Send any text, broken frames too; return its record."""
        if self.connection is None:
            raise CheckFailed("nothing can be sent: the DUT is not connected")
        frame = parse(text)
        known = None if not isinstance(frame, Call | CallResult | CallError) else frame
        return await self._send(self.connection, text, known)

    async def _send(
        self, connection: Connection, text: str, frame: Call | CallResult | CallError | None
    ) -> int:
        record = self.stream.emit(FrameSent(connection.number, text))
        if frame is not None:
            self.monitors.sent(frame, record.mono)
        try:
            await connection.send(text)
        except ConnectionError as error:
            self.stream.emit(FrameLost(record.n, str(error)))
        return record.n


def checked(finding: Finding, verdict: str) -> Checked:
    """Write a monitor's finding as the event that records it."""
    rule = {"rule": "monitor", "monitor": finding.monitor, "warning": finding.warning}
    return Checked(
        finding.text,
        verdict,
        finding.expected,
        finding.actual,
        finding.frame,
        rule,
        finding.clause,
    )
