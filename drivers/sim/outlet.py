"""An outlet of a switched power strip, and what it feeds in the world."""

from __future__ import annotations

from collections.abc import Callable

from drivers.sim.timeline import Timeline, Timer

RELAY_TIME = 0.01
"""From command to contact in s."""
COIL_POWER = 8.0
"""What the contactor takes that the outlet drives, in W; the station hangs behind its contacts."""


class Outlet:
    """One switched output; it keeps its state while the strip's controller restarts."""

    def __init__(
        self,
        timeline: Timeline,
        feed: Callable[[bool], None] = lambda on: None,
        *,
        on: bool = True,
    ) -> None:
        self.on = on
        self._timeline = timeline
        self._feed = feed
        self._back: Timer | None = None

    @property
    def power(self) -> float:
        """What flows, in W."""
        return COIL_POWER if self.on else 0.0

    def switch(self, on: bool, *, back_after: float | None = None) -> None:
        """Switch, and back after some s if asked; a new command forgets the way back."""
        if self._back is not None:
            self._back.cancel()
            self._back = None
        self.on = on
        self._timeline.after(RELAY_TIME, lambda: self._feed(on))
        if back_after is not None:
            self._back = self._timeline.after(back_after, lambda: self.switch(not on))
