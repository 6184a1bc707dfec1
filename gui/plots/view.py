"""Which stretch of time all plots show: the newest seconds, or what somebody looks at."""

from __future__ import annotations

import math

CLOSEST = 0.002
"""Seconds, the closest zoom."""
SHORTEST_LIVE = 5.0
"""Seconds that a live view spans at least, so that the first samples do not fill it."""


class TimeView:
    """A stretch of time in s of the monotonic clock, that follows the run or stands still."""

    def __init__(self, span: float = 60.0) -> None:
        self.span = span
        """Seconds that a live view spans; infinite for the whole run."""
        self.oldest = math.inf
        self.newest = -math.inf
        self._fixed: tuple[float, float] | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether it follows the run."""
        return self._fixed is None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is there to show."""
        return self.newest == -math.inf

    def clear(self) -> None:
        """Forget the run."""
        self.oldest, self.newest, self._fixed = math.inf, -math.inf, None

    def reach(self, moment: float) -> None:
        """Know that something happened at a moment."""
        self.oldest = min(self.oldest, moment)
        self.newest = max(self.newest, moment)

    def range(self) -> tuple[float, float]:
        """Return begin and end of what is shown."""
        if self._fixed is not None:
            return self._fixed
        if self.is_empty:
            return 0.0, SHORTEST_LIVE
        return self.newest - self.length, self.newest

    @property
    def length(self) -> float:
        """Seconds that are shown."""
        if self._fixed is not None:
            return self._fixed[1] - self._fixed[0]
        if self.is_empty:
            return SHORTEST_LIVE
        return min(self.span, max(SHORTEST_LIVE, self.newest - self.oldest))

    def live(self, span: float | None = None) -> None:
        """Follow the run again, over another span if one is given."""
        self.span = self.span if span is None else span
        self._fixed = None

    def pause(self) -> None:
        """Stand still where it is."""
        self._fixed = self.range()

    def look(self, begin: float, end: float) -> None:
        """Look at a stretch, no shorter than the closest zoom and no longer than the run twice."""
        width = min(max(CLOSEST, end - begin), 2 * max(SHORTEST_LIVE, self.newest - self.oldest))
        middle = (begin + end) / 2
        if not self.is_empty:
            middle = min(max(middle, self.oldest), self.newest)
        self._fixed = middle - width / 2, middle + width / 2

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Show `factor` times as much time, with the moment `at` where it was."""
        begin, end = self.range()
        at = (begin + end) / 2 if at is None else at
        self.look(at - (at - begin) * factor, at + (end - at) * factor)

    def pan(self, part: float) -> None:
        """Move by a part of what is shown; positive towards the newest."""
        begin, end = self.range()
        self.look(begin + part * (end - begin), end + part * (end - begin))

    def show(self, moment: float) -> None:
        """Bring a moment into view, in the middle if it was not."""
        begin, end = self.range()
        if not begin <= moment <= end:
            self.look(moment - (end - begin) / 2, moment + (end - begin) / 2)
