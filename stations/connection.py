"""The WebSocket connection of a station to its CSMS (OCPP-J 1.6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Never
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.protocol import State
from websockets.typing import Subprotocol

from bench.cancellation import heed_cancellation
from bench.ocpp import schema
from bench.ocpp.frame import Broken, Call, CallError, CallResult, encode, parse
from stations.conduct import Conduct
from stations.messages import Answer, CallFailed, NotAnswered, Offline, Payload, Refused
from stations.settings import StationSettings
from stations.ticker import Ticker

SUBPROTOCOL = "ocpp1.6"
_GATHERING = 0.005
"""How long CALLs that are to overlap are gathered, in s."""
_log = logging.getLogger(__name__)


class Connection:
    """Keep a connection to the CSMS, one CALL open at a time, and answer its CALLs meanwhile."""

    def __init__(
        self,
        settings: StationSettings,
        url: str,
        *,
        answer: Callable[[Call], Answer | None],
        ping_interval: Callable[[], float],
        conduct: Conduct,
    ) -> None:
        self.opened = asyncio.Event()
        """Set while there is a connection."""
        self.on_open: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None
        self._settings = settings
        self._url = url
        self._answer = answer
        self._ping_interval = ping_interval
        self._conduct = conduct
        self._socket: ClientConnection | None = None
        self._useful = False
        self._hangs = False
        self._pinger: Ticker | None = None
        self._turn = asyncio.Lock()
        self._last_id = ""
        self._gathered: list[str] | None = None
        """Frames that wait to leave in one piece; None: each leaves at once."""
        self._waiting: dict[str, asyncio.Future[CallResult | CallError]] = {}

    async def run(self) -> Never:
        """Connect, talk, and connect again whenever the connection is lost."""
        wait = self._settings.backoff
        while True:
            try:
                socket = await self._connect()
            except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
                _log.info("%s: no connection to %s: %s", self._settings.identity, self._url, error)
            else:
                self._useful = False
                await self._talk(socket)
                if self._useful:
                    wait = self._settings.backoff
            heed_cancellation()
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.backoff_most)

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a CALL when it is its turn and return its result; raises `CallFailed`."""
        result: Payload = {}
        for variant in self._conduct.calls(action, payload):
            result = await self._exchange(action, variant)
        return result

    def abort(self) -> None:
        """Drop the connection without a word, as a power loss does."""
        socket = self._socket
        if socket is not None:
            self._lost(socket)
            socket.transport.abort()

    def ping_interval_changed(self) -> None:
        """Ping at the new interval from now on."""
        if self._pinger is not None:
            self._pinger.interval_changed()

    async def close(self) -> None:
        """Close the connection in good order."""
        if self._socket is not None:
            await self._socket.close()

    async def _connect(self) -> ClientConnection:
        address = self._settings.address(self._url)
        socket = await connect(
            address,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers=self._settings.headers,
            ssl=self._settings.tls if address.startswith("wss:") else None,
            user_agent_header=f"{self._settings.vendor} {self._settings.firmware}",
            compression=None,
            proxy=None,
            open_timeout=self._settings.connect_timeout,
            close_timeout=1.0,
            ping_interval=None,
        )
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close(1002, f"subprotocol {SUBPROTOCOL} expected")
            raise InvalidHandshake(f"the CSMS did not agree to the subprotocol {SUBPROTOCOL}")
        return socket

    async def _talk(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.opened.set()
        self.on_open()

        def ping() -> None:
            tasks.create_task(self._ping(socket))

        self._pinger = Ticker(self._ping_interval, ping)
        self._pinger.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                async for raw in socket:
                    self._useful = True
                    await self._receive(socket, raw, tasks)
                raise Offline("closed by the CSMS")
        except* (ConnectionClosed, Offline) as group:
            _log.info("%s: connection lost: %s", self._settings.identity, group.exceptions[0])
        finally:
            self._pinger.stop()
            self._pinger = None
            self._lost(socket)
            socket.transport.abort()

    def _lost(self, socket: ClientConnection) -> None:
        """Note that a connection is gone, whoever noticed first."""
        if self._socket is not socket:
            return
        self._socket = None
        self.opened.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Offline("the connection was lost"))
        self.on_lost()

    async def _ping(self, socket: ClientConnection) -> None:
        """Give up a connection whose other end has vanished silently."""
        try:
            async with asyncio.timeout(self._settings.pong_timeout):
                await (await socket.ping())
        except TimeoutError:
            raise Offline("no pong") from None

    async def _receive(
        self, socket: ClientConnection, raw: str | bytes, tasks: asyncio.TaskGroup
    ) -> None:
        match parse(raw):
            case Call() as call:
                answer = self._answer(call)
                if answer is None:
                    return
                if answer.delay > 0:
                    tasks.create_task(self._send_late(socket, call, answer))
                else:
                    await self._send_answer(socket, call, answer)
            case CallResult() | CallError() as reply:
                waiting = self._waiting.get(reply.message_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
                    # The answer takes effect before the next message is looked at.
                    await asyncio.sleep(0)
            case Broken(reason, message_id, kind):
                _log.info("%s: broken frame: %s", self._settings.identity, reason)
                if kind == 2 and message_id is not None:
                    error = CallError(message_id[:36], "FormationViolation", reason[:255])
                    await self._send(socket, error)

    async def _send_answer(self, socket: ClientConnection, call: Call, answer: Answer) -> None:
        reply: CallResult | CallError = CallResult(call.message_id, answer.payload)
        if answer.error:
            reply = CallError(call.message_id, answer.error, answer.description[:255])
        for _ in range(answer.copies):
            await self._send(socket, reply)
        if answer.then is not None:
            answer.then()
        if call.action in self._conduct.behaviour.hangs_after:
            self._hangs = True

    async def _send_late(self, socket: ClientConnection, call: Call, answer: Answer) -> None:
        await asyncio.sleep(answer.delay)
        await self._send_answer(socket, call, answer)

    async def _send(self, socket: ClientConnection, frame: Call | CallResult | CallError) -> None:
        if self._hangs or not self._conduct.behaviour.speaks:
            return
        if self._gathered is not None:
            self._gathered.append(encode(frame))
        else:
            await socket.send(encode(frame))

    def _gather(self, socket: ClientConnection) -> None:
        """Let the next CALLs leave in one piece: however fast the CSMS answers, they overlap."""
        if self._gathered is None:
            self._gathered = []
            asyncio.get_running_loop().call_later(_GATHERING, self._let_go, socket)

    def _let_go(self, socket: ClientConnection) -> None:
        frames, self._gathered = self._gathered or [], None
        if socket.state is State.OPEN:
            for frame in frames:
                socket.protocol.send_text(frame.encode())
            socket.transport.write(b"".join(socket.protocol.data_to_send()))

    async def _exchange(self, action: str, payload: Payload) -> Payload:
        overlaps = action in self._conduct.behaviour.leaves_open
        turn: AbstractAsyncContextManager[object] = nullcontext() if overlaps else self._turn
        async with turn:
            socket = self._socket
            if socket is None:
                raise Offline("there is no connection")
            if overlaps:
                self._gather(socket)
            call = Call(self._message_id(action), action, payload)
            reply: asyncio.Future[CallResult | CallError]
            reply = asyncio.get_running_loop().create_future()
            self._waiting[call.message_id] = reply
            try:
                async with asyncio.timeout(self._settings.message_timeout):
                    await self._send(socket, call)
                    return _result(action, await reply)
            except TimeoutError:
                raise NotAnswered(f"no answer to {action}") from None
            except ConnectionClosed:
                reply.cancel()
                self._lost(socket)  # else whoever is to send tries again and again
                raise Offline("the connection was lost") from None
            except CallFailed as error:
                _log.info("%s: %s failed: %s", self._settings.identity, action, error)
                raise
            finally:
                self._waiting.pop(call.message_id, None)

    def _message_id(self, action: str) -> str:
        if action not in self._conduct.behaviour.reuses_message_id_for:
            self._last_id = str(uuid4())
        return self._last_id


def _result(action: str, reply: CallResult | CallError) -> Payload:
    if isinstance(reply, CallError):
        raise Refused(f"{action} was refused: {reply.code} {reply.description}")
    problems = schema.problems(action, reply.payload, "response")
    wrong = [str(problem) for problem in problems if not problem.is_format]
    if wrong:
        raise NotAnswered(f"the answer to {action} is unusable: {wrong[0]}")
    return reply.payload
