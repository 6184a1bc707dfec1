"""Those who watch the stream: each at its own pace, and none at the engine's cost."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import orjson
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from bench.clock import iso, now
from bench.engine import Engine
from bench.errors import BenchError, JournalError
from bench.events import ViewerConnected, ViewerDisconnected
from bench.server.access import Access, Holder, Role
from bench.server.feed import Feed, Position
from bench.server.models import ViewerModel
from bench.server.pace import Pace
from bench.server.protocol import evict
from bench.server.sample_frames import SampleFeed
from bench.server.snapshot import prompts, session

log = logging.getLogger(__name__)

STALLED = 15.0
"""Seconds that one frame may wait for a viewer who does not read, before it is evicted."""
CHECKING = 1.0
"""Seconds between two looks whether an observer's token is still good."""

MOST = 100
"""Connections that one share has at most at a time."""

ENDING = 1012
"""Close code that the server itself gives when it ends."""
OVER, TALKS, REVOKED, SLOW = 1000, 1008, 4401, 4408
"""Close codes: all was sent, the viewer sent something, its token is no good now, it stalled."""


class TooMany(BenchError):
    """A share has all the connections that it may have."""


class Viewers:
    """The open connections of the stream."""

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        samples: SampleFeed,
        access: Access,
        *,
        stalled: float = STALLED,
        left: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve an engine's feed; `left` is called when a connection has ended."""
        self._engine = engine
        self._feed = feed
        self._samples = samples
        self._access = access
        self._stalled = stalled
        self._left = left
        self._pace = Pace()
        self._numbers = itertools.count(1)
        self._watching: dict[int, tuple[Holder, datetime]] = {}
        self._places: Counter[str] = Counter()
        """Connections by share."""

    @property
    def observers(self) -> list[ViewerModel]:
        """List who watches by a share."""
        return [
            ViewerModel(
                viewer=number, name=holder.share.name, share=holder.share.id, since=iso(since)
            )
            for number, (holder, since) in self._watching.items()
            if holder.share is not None
        ]

    @property
    def has_operator(self) -> bool:
        """Tell whether an operator watches."""
        return any(holder.role is Role.OPERATOR for holder, _ in self._watching.values())

    @contextmanager
    def place(self, holder: Holder) -> Iterator[None]:
        """Take the place of one connection; raises `TooMany`. The operator always has one."""
        if holder.share is None:
            yield
            return
        share = holder.share.id
        if self._places[share] >= MOST:
            raise TooMany(f"{MOST} connections watch by this link already")
        self._places[share] += 1
        try:
            yield
        finally:
            self._places[share] -= 1

    async def serve(
        self, socket: WebSocket, holder: Holder, position: Position, *, follow: bool
    ) -> None:
        """Serve one accepted connection until its end."""
        with self._noted(holder) as ending:
            code, reason = await self._serve(socket, holder, position, follow=follow)
            ending.append(reason)
        if code == SLOW:
            who = "the operator" if holder.share is None else holder.share.name
            log.warning("viewer %s is evicted: %s", who, reason)
            evict(socket, code, reason)
        elif code is not None:
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(code, reason)

    @contextmanager
    def _noted(self, holder: Holder) -> Iterator[list[str]]:
        """Keep the list of viewers, and record who of the observers watches from when to when."""
        number, share = next(self._numbers), holder.share
        ending: list[str] = []
        self._watching[number] = holder, now().utc
        try:
            if share is not None:
                with suppress(JournalError):
                    self._engine.stream.emit(ViewerConnected(number, share.name, share.id))
            yield ending
        finally:
            del self._watching[number]
            self._left()
            if share is not None:
                reason = ending[0] if ending else "the engine ends"
                with suppress(JournalError):
                    self._engine.stream.emit(
                        ViewerDisconnected(number, share.name, share.id, reason)
                    )

    async def _serve(
        self, socket: WebSocket, holder: Holder, position: Position, *, follow: bool
    ) -> tuple[int | None, str]:
        """Serve until one of its tasks is at its end; return the close code and why."""
        tasks = [
            asyncio.ensure_future(task)
            for task in (
                self._send(socket, holder, position, follow=follow),
                self._send_samples(socket, position),
                _until_it_talks(socket),
                self._until_no_good(holder),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        except (WebSocketDisconnect, RuntimeError):
            return None, "closed by the viewer"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _send(
        self, socket: WebSocket, holder: Holder, position: Position, *, follow: bool
    ) -> tuple[int | None, str]:
        try:
            async for frame in self._frames(holder, position, follow=follow):
                await self._pace.turn()
                async with asyncio.timeout(self._stalled):
                    await socket.send_text(frame)
        except TimeoutError:
            return SLOW, f"it read nothing for {self._stalled:g} s"
        return OVER, "the run has ended"

    async def _send_samples(self, socket: WebSocket, position: Position) -> tuple[int, str]:
        """Send the newest windows of the run that the viewer is at, once it knows the channels."""
        with self._samples.outbox() as outbox:
            while True:
                frame = await outbox.get()
                if frame.run != position.run or frame.declared >= position.n:
                    continue
                await self._pace.turn()
                try:
                    async with asyncio.timeout(self._stalled):
                        await socket.send_bytes(frame.data)
                except TimeoutError:
                    return SLOW, f"it read nothing for {self._stalled:g} s"

    async def _frames(
        self, holder: Holder, position: Position, *, follow: bool
    ) -> AsyncIterator[str]:
        """Yield the snapshot, then the records."""
        state = {
            **session(self._engine, holder, self.observers).model_dump(),
            "prompts": [prompt.model_dump() for prompt in prompts(self._engine, holder)],
            "next": {"run": position.run, "n": position.n},
        }
        yield orjson.dumps({"snapshot": state}).decode()
        records = self._feed.records(
            position, holder.may_read, observer=holder.role is Role.OBSERVER, follow=follow
        )
        async for frame in records:
            yield frame

    async def _until_no_good(self, holder: Holder) -> tuple[int | None, str]:
        while self._access.is_good(holder):  # noqa: ASYNC110 - another process may revoke it
            await asyncio.sleep(CHECKING)
        return REVOKED, "the token has expired or was revoked"


async def _until_it_talks(socket: WebSocket) -> tuple[int | None, str]:
    """Wait for the viewer to leave; there is nothing that it could say."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            ends = message.get("code") == ENDING
            return None, "the engine ends" if ends else "closed by the viewer"
        return TALKS, "the stream takes no messages"
