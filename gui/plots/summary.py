"""What a channel did: its values, and the least and greatest of ever more of them together.

Each new value is looked at once for each level; a plot then draws from the level that has about as
many buckets as it has pixels, and never leaves out a peak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gui.plots.ring import Ring

Values = NDArray[Any]
SIZES = (16, 256, 4096)
"""Values in a bucket, level by level; each is a multiple of the one before."""


@dataclass(frozen=True, slots=True)
class Course:
    """Times in s, in order, with the least and the greatest value at or soon after each."""

    time: Values
    low: Values
    high: Values

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the values in a stretch of time come to; each is NaN where there are none."""

    count: int
    least: float
    greatest: float
    mean: float
    rms: float


class Level:
    """Buckets of `size` rows of the level below: time of the first, least, greatest."""

    def __init__(self, size: int, capacity: int) -> None:
        self.size = size
        self.ring = Ring(capacity, np.float64, np.float32, np.float32)
        self._rest: tuple[Values, Values, Values] = _nothing()

    def push(self, time: Values, low: Values, high: Values) -> tuple[Values, Values, Values]:
        """Take rows of the level below; return the buckets that became whole."""
        if len(self._rest[0]):
            pairs = zip(self._rest, (time, low, high), strict=True)
            time, low, high = map(np.concatenate, pairs)
        whole = len(time) // self.size
        used = whole * self.size
        self._rest = (time[used:].copy(), low[used:].copy(), high[used:].copy())
        if not whole:
            return _nothing()
        buckets = (
            time[: used : self.size],
            low[:used].reshape(whole, self.size).min(axis=1),
            high[:used].reshape(whole, self.size).max(axis=1),
        )
        self.ring.push(*buckets)
        return buckets

    def clear(self) -> None:
        """Forget everything."""
        self.ring.clear()
        self._rest = _nothing()


class Trace:
    """The newest rows of one channel: values, or the least, greatest and mean of short windows.

    Times have to be in order. Buckets reach further back than rows.
    """

    def __init__(
        self,
        capacity: int,
        *,
        of_windows: bool = False,
        sizes: Sequence[int] = SIZES,
        reach: int = 1,
    ) -> None:
        """Keep `capacity` rows, and buckets of `reach` times as many."""
        kinds = [np.float32] * (3 if of_windows else 1)
        self._rows = Ring(capacity, np.float64, *kinds)
        self._sizes = (1, *sizes)
        pairs = zip(self._sizes, sizes, strict=False)
        self._levels = [Level(up // low, max(2, reach * capacity // up)) for low, up in pairs]

    @property
    def begin(self) -> float:
        """The time of the oldest row that it knows of, s; infinite when there is none."""
        return min(map(self._oldest, self._all))

    @property
    def newest(self) -> float:
        """The time of the newest row, s; minus infinite when there is none."""
        time = self._rows.columns()[0]
        return float(time[-1]) if len(time) else -math.inf

    def push(self, time: Values, *values: Values) -> None:
        """Add rows, newer than all before: values, or least, greatest and mean of windows."""
        self._rows.push(time, *values)
        rows = (time, values[0], values[min(1, len(values) - 1)])
        for level in self._levels:
            rows = level.push(*rows)
            if not len(rows[0]):
                return

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        for level in self._levels:
            level.clear()

    def between(self, begin: float, end: float, points: int) -> Course:
        """Return the course from just before `begin` to just after `end`, in about `points`.

        It is made of the coarsest buckets of which there are enough, joined to be not too many;
        older ones follow where these do not reach back, and finer ones where no bucket is whole.
        """
        for chosen in reversed(self._all):
            course = self._stock(chosen)
            start, stop = _span(course, begin, end)
            if stop - start >= points:
                break
        parts = [self._joined(chosen, course, (start, stop), points)]
        oldest = float(course.time[0]) if len(course) else math.inf
        if begin < oldest:
            for at in self._all[chosen + 1 :]:
                older = self._stock(at)
                if len(older) and older.time[0] < oldest:
                    start, stop = _span(older, begin, end)
                    stop = min(stop, int(np.searchsorted(older.time, oldest)))
                    if older.time[stop - 1] >= end:
                        parts.clear()  # what is newer lies behind the end
                    parts.insert(0, _slice(older, start, stop))
                    oldest = float(older.time[0])
        for at in reversed(self._all[:chosen]):
            rest = self._rest(at)
            if len(rest) and rest.time[0] <= end:
                parts.append(_cut(rest, rest.time[0], end))
        return together([part for part in parts if len(part)])

    def statistics(self, begin: float, end: float) -> Statistics:
        """Sum up the rows from `begin` to `end`, both included."""
        time, *values = self._rows.columns()
        start, stop = np.searchsorted(time, begin), np.searchsorted(time, end, "right")
        return summed_up(*(column[start:stop] for column in values))

    def at(self, moment: float) -> tuple[float, float]:
        """Return least and greatest of the last row up to a moment, NaN before the first."""
        for place in self._all:
            course = self._stock(place)
            index = int(np.searchsorted(course.time, moment, "right")) - 1
            if index >= 0:
                return float(course.low[index]), float(course.high[index])
        return math.nan, math.nan

    @property
    def _all(self) -> range:
        """The rows, and the levels from the finest on."""
        return range(len(self._sizes))

    def _stock(self, at: int) -> Course:
        if at:
            return Course(*self._levels[at - 1].ring.columns())
        time, low, *more = self._rows.columns()
        return Course(time, low, more[0] if more else low)

    def _oldest(self, at: int) -> float:
        time = self._stock(at).time
        return float(time[0]) if len(time) else math.inf

    def _joined(self, at: int, course: Course, span: tuple[int, int], points: int) -> Course:
        """Cut out a span and join buckets so that at most `points` and two remain.

        Which are joined depends on their number, not on the stretch: a plot that scrolls does not
        flicker.
        """
        start, stop = span
        factor = -(-(stop - start) // points)
        if factor <= 1:
            return _slice(course, start, stop)
        pushed = self._levels[at - 1].ring.pushed if at else self._rows.pushed
        first = pushed - len(course)
        start = max(0, (first + start) // factor * factor - first)
        aligned = -(-(first + start) // factor) * factor - first
        parts = [
            _reduced(_slice(course, start, aligned), aligned - start),
            _reduced(_slice(course, aligned, stop), factor),
        ]
        return together([part for part in parts if len(part)])

    def _rest(self, at: int) -> Course:
        """Return what is in no whole bucket of the level above."""
        pushed = self._levels[at - 1].ring.pushed if at else self._rows.pushed
        above = self._levels[at]
        course = self._stock(at)
        return _slice(course, len(course) - (pushed - above.ring.pushed * above.size), len(course))


def summed_up(low: Values, high: Values | None = None, mean: Values | None = None) -> Statistics:
    """Sum up values, or the least, greatest and mean of windows."""
    high, mean = low if high is None else high, low if mean is None else mean
    if not len(low):
        return Statistics(0, math.nan, math.nan, math.nan, math.nan)
    wide = mean.astype(np.float64)
    return Statistics(
        len(low),
        float(low.min()),
        float(high.max()),
        float(wide.mean()),
        float(np.sqrt(np.mean(wide * wide))),
    )


def _span(course: Course, begin: float, end: float) -> tuple[int, int]:
    """Return which rows a stretch takes: one before `begin`, and one after `end`."""
    start = max(0, int(np.searchsorted(course.time, begin, "right")) - 1)
    stop = int(np.searchsorted(course.time, end)) + 1
    return start, max(start, min(len(course), stop))


def _reduced(course: Course, factor: int) -> Course:
    """Join every `factor` rows; the last few may be fewer."""
    if factor <= 1:
        return course
    whole = len(course) // factor * factor
    low, high = course.low[:whole:factor].copy(), course.high[:whole:factor].copy()
    for at in range(1, factor):
        np.minimum(low, course.low[at:whole:factor], out=low)
        np.maximum(high, course.high[at:whole:factor], out=high)
    time = course.time[::factor]
    if whole < len(course):
        low = np.append(low, course.low[whole:].min())
        high = np.append(high, course.high[whole:].max())
    return Course(time, low, high)


def _slice(course: Course, start: int, stop: int) -> Course:
    return Course(course.time[start:stop], course.low[start:stop], course.high[start:stop])


def _cut(course: Course, begin: float, end: float) -> Course:
    return _slice(course, *_span(course, begin, end))


def together(parts: list[Course]) -> Course:
    """Join courses that follow each other."""
    if not parts:
        return Course(*_nothing())
    if len(parts) == 1:
        return parts[0]
    return Course(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
    )


def _nothing() -> tuple[Values, Values, Values]:
    return np.empty(0), np.empty(0, np.float32), np.empty(0, np.float32)
