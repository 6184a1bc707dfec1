"""The channels of a run: what is known of each, near and far back, and which plot shows it."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.events import ChannelDeclared
from bench.samples import Entry
from gui.plots.summary import Course, Statistics, Trace, summed_up, together

KEPT = 18_000
"""Windows of a channel that are kept singly: half an hour at ten a second."""
REACH = 48
"""How many times as far back the buckets reach: a day."""
WINDOW = 0.1
"""Seconds that the engine sums up into one window."""
TILE = (0.25, 1.0, 4.0, 15.0, 60.0, 240.0, 900.0, 3600.0)
"""Seconds of the stretches of history that are asked for; the longest is the engine's limit."""
DELAY = 0.6
"""Seconds of the newest history that an engine may not have written yet."""
TILES = 96
"""Stretches of history that a channel keeps."""
POINTS = 1000
"""Points of a stretch."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A stretch of a channel's history that can be asked for."""

    channel: int
    length: float
    index: int

    @property
    def begin(self) -> float:
        """Its begin in s of the monotonic clock."""
        return self.index * self.length

    @property
    def end(self) -> float:
        """Its end."""
        return self.begin + self.length


class Channel:
    """One quantity of one instrument; values less its `zero`."""

    def __init__(self, declared: ChannelDeclared) -> None:
        self.declared = declared
        self.trace = Trace(KEPT, of_windows=True, reach=REACH)
        self.last = math.nan
        """The newest value."""
        self.rate = 0.0
        """Samples a second, as the newest window had them."""
        self.revision = 0
        """Counts the stretches of history that came."""
        self._tiles: OrderedDict[Tile, tuple[float, Course]] = OrderedDict()

    def push(self, rows: Sequence[tuple[float, Entry]]) -> None:
        """Add windows, each with its time; windows older than the newest are left out."""
        newest, zero = self.trace.newest, self.declared.zero
        fresh = [(time, one) for time, one in rows if time > newest]
        if not fresh:
            return
        time = np.array([time for time, _ in fresh])
        values = np.array([(one.least, one.greatest, one.mean) for _, one in fresh]) - zero
        self.trace.push(time, *values.astype(np.float32).T)
        self.last = fresh[-1][1].last - zero
        self.rate = fresh[-1][1].samples / WINDOW

    def remember(self, tile: Tile, until: float, course: Course) -> None:
        """Keep a stretch of history with absolute values, which is known up to `until`."""
        low, high = (
            (side - self.declared.zero).astype(np.float32) for side in (course.low, course.high)
        )
        course = Course(course.time, low, high)
        self._tiles[tile] = until, course
        self._tiles.move_to_end(tile)
        self.revision += 1
        while len(self._tiles) > TILES:
            self._tiles.popitem(last=False)

    def tiles(self, begin: float, end: float, points: int) -> list[Tile]:
        """List the history that a view needs: where windows are missing or too coarse."""
        if not math.isfinite(begin) or end <= begin:
            return []
        is_fine = (end - begin) / points < WINDOW / 2
        until = end if is_fine else min(end, self.trace.begin)
        if until <= begin:
            return []
        length = next((one for one in TILE if one >= (end - begin) / 2), TILE[-1])
        first, last = math.floor(begin / length), math.ceil(until / length)
        return [Tile(self.declared.channel, length, at) for at in range(first, last)]

    def missing(self, begin: float, end: float, points: int, newest: float) -> list[Tile]:
        """List those of them that have to be asked for, the newest first; `newest` of the run."""
        wanted = self.tiles(begin, end, points)
        return [one for one in reversed(wanted) if not self._knows(one, newest)]

    def _knows(self, tile: Tile, newest: float) -> bool:
        """Tell whether a stretch is there, save for a little at the end of a run that goes on."""
        if tile.begin > newest:
            return True
        until, _ = self._tiles.get(tile, (-math.inf, None))
        return until >= min(tile.end, newest - tile.length / 4 - DELAY)

    def between(self, begin: float, end: float, points: int) -> Course:
        """Return the course in a view, from windows and history, whatever is known best."""
        wanted = self.tiles(begin, end, points)
        if not any(tile in self._tiles for tile in wanted):
            wanted = self._others(wanted, begin, end)
        if not wanted:
            return self.trace.between(begin, end, points)
        parts, at = [], -math.inf
        for tile in wanted:
            if tile in self._tiles:
                if tile.begin > max(at, begin):
                    parts.append(self._windows(max(at, begin), tile.begin, points))
                until, course = self._tiles[tile]
                self._tiles.move_to_end(tile)
                parts.append(course)
                at = min(tile.end, until)
        if at < end:
            parts.append(self._windows(max(at, begin), end, points))
        return together([part for part in parts if len(part)])

    def _others(self, wanted: list[Tile], begin: float, end: float) -> list[Tile]:
        """List known stretches of another length, in order of time; of the nearest, if any.

        A run that is shorter than the view was asked for in shorter ones.
        """
        known = (
            [one for one in self._tiles if one.begin < end and one.end > begin] if wanted else []
        )
        if not known:
            return []
        nearest = min(
            {one.length for one in known}, key=lambda one: abs(math.log(one / wanted[0].length))
        )
        return sorted((one for one in known if one.length == nearest), key=lambda one: one.begin)

    def _windows(self, begin: float, end: float, points: int) -> Course:
        """Cut the windows without the neighbour that lies outside."""
        course = self.trace.between(begin, end, points)
        start = int(np.searchsorted(course.time, begin, "right"))
        stop = int(np.searchsorted(course.time, end))
        return Course(course.time[start:stop], course.low[start:stop], course.high[start:stop])

    def at(self, moment: float) -> tuple[float, float]:
        """Return least and greatest of the row that held at a moment; NaN before the first."""
        for course in self._known(moment, moment):
            place = int(np.searchsorted(course.time, moment, "right")) - 1
            if place >= 0:
                return float(course.low[place]), float(course.high[place])
        return self.trace.at(moment)

    def value(self, moment: float) -> float:
        """Return the value that held at a moment, as exactly as it is known."""
        low, high = self.at(moment)
        return (low + high) / 2

    def statistics(self, begin: float, end: float) -> Statistics:
        """Sum up what is known between two moments: of history and windows what has more rows."""
        best = self.trace.statistics(begin, end)
        for course in self._known(begin, end):
            start = int(np.searchsorted(course.time, begin))
            stop = int(np.searchsorted(course.time, end, "right"))
            if stop - start > best.count:
                low, high = course.low[start:stop], course.high[start:stop]
                best = summed_up(low, high, (low + high) / 2)
        return best

    def _known(self, begin: float, end: float) -> Iterator[Course]:
        """Yield the history that covers a stretch without a gap, the finest first."""
        for length in sorted({tile.length for tile in self._tiles}):
            first, last = math.floor(begin / length), math.floor(end / length)
            tiles = [Tile(self.declared.channel, length, at) for at in range(first, last + 1)]
            kept = [self._tiles[tile] for tile in tiles if tile in self._tiles]
            if len(kept) == len(tiles) and kept[-1][0] >= end:
                yield together([course for _, course in kept])


@dataclass(frozen=True, slots=True)
class Group:
    """A plot: channels of one kind, on one scale."""

    title: str
    unit: str
    style: str
    """`line`, `steps` for what jumps, or `dots` for single events."""
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    unit: str
    names: tuple[str, ...]
    style: str = "line"


_KINDS = (
    _Kind("Control pilot", "V", ("pilot-high", "pilot-low"), "steps"),
    _Kind("Duty cycle", "%", ("pilot-duty",), "steps"),
    _Kind("Current", "A", ("current",)),
    _Kind("Power", "W", ("power",)),
    _Kind("Energy", "Wh", ("energy",)),
    _Kind("Voltage", "V", ("voltage",)),
    _Kind("Signal strength", "dBm", ("rssi", "rsrp")),
    _Kind("Signal quality", "dB", ("rsrq", "sinr")),
    _Kind("Temperature", "°C", ("temperature",)),
    _Kind("Response time", "s", ("response-time",), "dots"),
)


def groups_of(channels: Iterable[Channel]) -> list[Group]:
    """Sort channels into plots, in the order in which an operator looks at them."""
    found: dict[tuple[int, str, str], list[Channel]] = {}
    for channel in channels:
        declared = channel.declared
        for order, kind in enumerate(_KINDS):
            if declared.unit == kind.unit and declared.name.startswith(kind.names):
                key = (order, kind.title, kind.style)
                break
        else:
            key = (len(_KINDS), declared.unit or declared.name, "line")
        found.setdefault(key, []).append(channel)
    return [
        Group(title, inside[0].declared.unit, style, tuple(inside))
        for (_, title, style), inside in sorted(found.items(), key=lambda item: item[0])
    ]


def labels(channels: Sequence[Channel]) -> list[str]:
    """Name the channels of a plot by what tells them apart."""
    declared = [channel.declared for channel in channels]
    instruments = {one.instrument for one in declared}
    connectors = {one.connector for one in declared}
    names = []
    for one in declared:
        words = [one.name.replace("-", " ")]
        if len(connectors) > 1 and one.connector is not None:
            words.append(f"connector {one.connector}")
        if len(instruments) > 1:
            words.append(one.instrument)
        names.append(" · ".join(words))
    return names
