"""History of channels that no window brought: asked for piece by piece, from engine or file."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from bench.history import SampleReader, thinned
from gui.link import Link
from gui.plots.channel import POINTS, Tile
from gui.plots.summary import Course

Got = Callable[[list[float], list[float], list[float]], None]
"""Takes times, least and greatest values."""
PATIENCE = 3000
"""Milliseconds after which what could not be had is tried again."""


class Source(Protocol):
    """Where history comes from."""

    @abstractmethod
    def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
        """Ask for a stretch; one of the two is called, at once or later."""


class FromEngine:
    """History of a run by `GET /runs/{id}/samples`."""

    def __init__(self, link: Link, run: str) -> None:
        self._link = link
        self._run = run

    def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
        """Ask the engine."""
        query = f"channel={tile.channel}&from={tile.begin!r}&to={tile.end!r}&points={POINTS}"

        def answered(body: Any) -> None:
            got(body["time"], body["min"], body["max"])

        self._link.get(f"/runs/{self._run}/samples?{query}", answered, lambda _: failed())


class FromFile:
    """History of a run that was recorded, by its own `samples.mcap`."""

    def __init__(self, path: Path) -> None:
        self._reader = SampleReader(path)

    def ask(self, tile: Tile, got: Got, failed: Callable[[], None]) -> None:
        """Read the file."""
        try:
            times, values = self._reader.samples(tile.channel, tile.begin, tile.end)
        except (OSError, ValueError):
            failed()
            return
        points = thinned(times, values, POINTS)
        got(points.time, points.least, points.greatest)


class History(QObject):
    """Asks for one stretch after the other; what is wanted last comes first."""

    came = pyqtSignal(Tile, Course)
    """A stretch that was wanted, with absolute values in float64."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: Source | None = None
        self._wanted: OrderedDict[Tile, None] = OrderedDict()
        self._asked: Tile | None = None
        self._refused: set[Tile] = set()
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._ask)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(PATIENCE)
        self._again.timeout.connect(self._refused.clear)

    def come_from(self, source: Source | None) -> None:
        """Take history from another source, as for another run."""
        self._source = source
        self._wanted.clear()
        self._refused.clear()
        self._asked = None

    def want(self, tiles: list[Tile]) -> None:
        """Want these stretches, and no others that were wanted and not asked for yet."""
        self._wanted.clear()
        for tile in tiles:
            if tile != self._asked and tile not in self._refused:
                self._wanted[tile] = None
        if self._wanted and self._asked is None:
            self._next.start()

    def _ask(self) -> None:
        if self._source is None or self._asked is not None or not self._wanted:
            return
        tile, _ = self._wanted.popitem(last=False)
        self._asked = tile
        source = self._source

        def got(time: list[float], least: list[float], greatest: list[float]) -> None:
            if source is self._source:
                course = Course(*(np.array(part, np.float64) for part in (time, least, greatest)))
                self._done()
                self.came.emit(tile, course)

        def failed() -> None:
            if source is self._source:
                self._refused.add(tile)
                self._again.start()
                self._done()

        source.ask(tile, got, failed)

    def _done(self) -> None:
        self._asked = None
        if self._wanted:
            self._next.start()
