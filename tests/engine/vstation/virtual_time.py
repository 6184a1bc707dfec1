"""An event loop whose time leaps to the next timer when nothing happens on its sockets."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

_PATIENCE = 0.002
"""Real seconds to wait for bytes that are on their way through the loopback interface."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Real sockets, but no real waiting: deadlines and intervals cost next to nothing."""

    def __init__(self) -> None:
        self.leaped = 0.0
        super().__init__(_LeapingSelector(self))

    def time(self) -> float:
        return super().time() + self.leaped


class _LeapingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= _PATIENCE:
            return super().select(timeout)
        ready = super().select(_PATIENCE)
        if not ready:
            self._loop.leaped += timeout - _PATIENCE
        return ready
