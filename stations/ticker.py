"""Something that happens at a regular interval."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

_EARLY = 0.005
"""Timers may fire this much before they are due, in s."""


class Ticker:
    """Call `tick` every `interval()` s, counted from the start, without drift; 0 means never.

    With a `phase` (s since some moment) ticks fall on the multiples of the interval since then.
    """

    def __init__(
        self,
        interval: Callable[[], float],
        tick: Callable[[], None],
        *,
        phase: Callable[[], float] | None = None,
    ) -> None:
        self._interval = interval
        self._tick = tick
        self._phase = phase or self._since_start
        self._loop = asyncio.get_running_loop()
        self._started: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Count from now on, also when it runs already."""
        self._started = self._loop.time()
        self._arm()

    def stop(self) -> None:
        """Tick no more."""
        self._started = None
        self._disarm()

    def interval_changed(self) -> None:
        """Count from now on with another interval, if it runs."""
        if self._started is not None:
            self.start()

    def _since_start(self) -> float:
        return self._loop.time() - (self._started or 0.0)

    def _arm(self) -> None:
        self._disarm()
        interval = self._interval()
        if interval <= 0 or math.isinf(interval):
            return
        phase = self._phase()
        delay = (math.floor((phase + _EARLY) / interval) + 1) * interval - phase
        self._timer = self._loop.call_later(delay, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._arm()
        self._tick()
