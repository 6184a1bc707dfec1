"""Whether an operator is there: while none is, prompts are held."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench.clock import monotonic
from bench.operator import PromptDesk


class Presence:
    """Holds the prompts while no operator watches the stream or has used the API lately."""

    def __init__(self, desk: PromptDesk, *, absent_after: float) -> None:
        """Watch over a desk; an operator is absent who was not seen for so many s."""
        self._desk = desk
        self._absent_after = absent_after
        self._watches: Callable[[], bool] = lambda: False
        self._seen_at = 0.0
        self._change = asyncio.Event()

    def seen(self) -> None:
        """Note that the operator used the API, or watches."""
        self._seen_at = monotonic()
        if self._desk.held:
            self._desk.release()
            self._change.set()

    def left(self) -> None:
        """Note that an operator's connection has ended."""
        self._change.set()

    @asynccontextmanager
    async def watching(self, operator_watches: Callable[[], bool]) -> AsyncIterator[None]:
        """Hold and release the prompts while the context lasts."""
        self._watches = operator_watches
        self._seen_at = monotonic()
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def _watch(self) -> None:
        while True:
            self._change.clear()
            if self._watches():
                self._seen_at = monotonic()
                await self._change.wait()
                self._seen_at = monotonic()
                continue
            left = self._seen_at + self._absent_after - monotonic()
            if left <= 0:
                self._desk.hold()
            try:
                async with asyncio.timeout(left if 0 < left < math.inf else None):
                    await self._change.wait()
            except TimeoutError:
                pass
