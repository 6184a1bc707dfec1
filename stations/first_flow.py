"""The short power flow of a household socket when a plug goes in, before anybody may charge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class FirstFlow:
    """Feed what was plugged in for a moment (Certification Document 2, Appendix D).

    Only a product for Modes 1 and 2 does so: it has no control pilot to find the vehicle by.
    """

    def __init__(self, seconds: float | None, changed: Callable[[], None]) -> None:
        """Feed for `seconds`, None: never; `changed` is called when that is over."""
        self.is_over = False
        """The plug was fed, and is still in."""
        self._seconds = seconds
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None

    @property
    def flows(self) -> bool:
        """Tell whether the plug is fed now."""
        return self._timer is not None

    def begin(self) -> None:
        """Begin with a plug that has just gone in."""
        self.end()
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._passed)

    def end(self) -> None:
        """End it: the plug is out, or somebody charges."""
        self.is_over = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _passed(self) -> None:
        self._timer = None
        self.is_over = True
        self._changed()
