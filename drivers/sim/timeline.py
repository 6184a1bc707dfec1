"""The time of a simulated world: what happens later, at exactly the moment it is due."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """Something that will happen, unless it is cancelled."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Make it not happen; nothing when it has happened already."""
        self._action = None

    def fire(self) -> None:
        """Let it happen, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Timeline:
    """A clock with a queue of timers, needs a running event loop.

    Timers see the moment they were due at as `now()`, however late the event loop is; so what is
    integrated over time is exact. With a `clock` of its own (seconds, monotonic) the caller of
    `now()` moves the world; with the default, the clock of the event loop, timers also fire alone.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._queue: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._moment: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    def now(self) -> float:
        """Fire the timers that are due and return the present moment in s."""
        if self._moment is not None:
            return self._moment
        present = self._clock()
        try:
            while self._queue and self._queue[0][0] <= present:
                self._moment, _, timer = heapq.heappop(self._queue)
                timer.fire()
        finally:
            self._moment = None
            self._set_alarm(present)
        return present

    def after(self, delay: float, action: Callable[[], object]) -> Timer:
        """Let `action` happen in `delay` s; at once, before returning, when it is not positive."""
        present = self.now()
        timer = Timer(action)
        if delay <= 0:
            timer.fire()
            return timer
        heapq.heappush(self._queue, (present + delay, next(self._order), timer))
        if self._moment is None:
            self._set_alarm(present)
        return timer

    def stop(self) -> None:
        """Forget all timers."""
        self._queue.clear()
        self._set_alarm(0.0)

    def _set_alarm(self, present: float) -> None:
        due = self._queue[0][0] if self._queue else None
        if due == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = None if due is None else self._loop.call_later(due - present, self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        self.now()
