"""Something that has to be repeated while the bench lives, so that a device notices its death."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bench.cancellation import cancelling
from bench.errors import DeviceError, LinkError

_log = logging.getLogger(__name__)


class Renewal:
    """Repeat an act every `every` s between `start` and `stop`.

    A failure is left to the device's watchdog, and to the next command, which notices what it did;
    a link that is gone ends the repetition.
    """

    def __init__(self, name: str, act: Callable[[], Awaitable[object]], *, every: float) -> None:
        self._name = name
        self._act = act
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Repeat from now on; nothing when it is being repeated."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._repeat(), name=f"renewal of {self._name}")

    async def stop(self) -> None:
        """End the repetition; what is under way is ended first."""
        task, self._task = self._task, None
        if task is not None:
            cancelling(task)()
            await asyncio.wait([task])

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._act()
            except LinkError as error:
                _log.warning("%s: not renewed any more: %s", self._name, error)
                return
            except DeviceError as error:
                _log.warning("%s: not renewed: %s", self._name, error)
