"""The pace of sending: what arrives is read, and stamped, after every few frames that go out."""

from __future__ import annotations

import asyncio
from collections import deque

AT_ONCE = 4
"""Frames that go out in one turn of the event loop; each takes about 0.1 ms."""


class Pace:
    """Lets so many of those who wait go on in each turn of the event loop, first come first."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._left = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turns = False
        """Whether the next turn is announced."""

    async def turn(self) -> None:
        """Wait for a turn with room."""
        loop = asyncio.get_running_loop()
        if not self._turns:
            self._turns = True
            loop.call_soon(self._next)
        if self._left > 0:
            self._left -= 1
            return
        waiting = loop.create_future()
        self._waiting.append(waiting)
        await waiting

    def _next(self) -> None:
        self._left, self._turns = self._at_once, False
        while self._waiting and self._left > 0:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                self._left -= 1
        if self._waiting:
            self._turns = True
            asyncio.get_running_loop().call_soon(self._next)
