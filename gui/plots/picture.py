"""The inside of a plot: while the run is followed, it moves and only its end is painted anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPoint, QRect, QRectF
from PyQt6.QtGui import QColor, QPainter, QPixmap

from gui.plots.view import TimeView

MARGIN = 3
"""Columns before what is new that are painted again, as the last bucket may not have been whole."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a plot shows, in columns of pixels; while live its ends lie on whole columns."""

    begin: float
    end: float
    width: int
    column: int | None
    """Number of the column after the last, counted from the clock's zero; None when not live."""

    @classmethod
    def of(cls, view: TimeView, width: int) -> Stretch:
        """Return the stretch that a view shows in so many columns."""
        begin, end = view.range()
        if not view.is_live:
            return cls(begin, end, width, None)
        each = view.length / width
        column = math.ceil(end / each)
        return cls((column - width) * each, column * each, width, column)

    @property
    def each(self) -> float:
        """Seconds of a column."""
        return (self.end - self.begin) / self.width

    def x(self, moment: float) -> float:
        """Return where a moment is, in columns."""
        return (moment - self.begin) / self.each

    def moment(self, x: float) -> float:
        """Return the moment at a place."""
        return self.begin + x * self.each


class Picture:
    """Keeps what was painted of a stretch."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._key: object = None
        self._stretch: Stretch | None = None
        self._length = 0.0
        self._newest: tuple[float, ...] = ()

    def start(self, stretch: Stretch, key: object, newest: Sequence[float]) -> int:
        """Return the first column that has to be painted: 0 for all, the width for none.

        `newest` are moments up to which was painted: of the view, and of each channel.
        """
        kept = self._stretch
        if kept is None or key != self._key or len(newest) != len(self._newest):
            return 0
        moved = self._moved(stretch)
        if moved is None or not 0 <= moved < stretch.width:
            return 0
        pairs = zip(self._newest, newest, strict=True)
        since = min((old for old, new in pairs if old != new), default=stretch.end)
        first = (
            stretch.width
            if since >= stretch.end
            else math.floor(stretch.x(max(since, stretch.begin))) - MARGIN
        )
        return min(max(0, first), stretch.width - moved)

    def paint(
        self,
        area: QRect,
        ratio: float,
        stretch: Stretch,
        start: int,
        *,
        key: object,
        newest: Sequence[float],
        ground: QColor,
        write: Callable[[QPainter], None],
    ) -> None:
        """Paint the columns from `start` on; `write` does it, in columns and logical pixels."""
        if start == 0:
            size = (area.size().toSizeF() * ratio).toSize()
            if self._pixmap.size() != size:
                self._pixmap = QPixmap(size)
                self._pixmap.setDevicePixelRatio(ratio)
        elif moved := self._moved(stretch):
            self._pixmap.scroll(-round(moved * ratio), 0, self._pixmap.rect())
        self._key, self._stretch, self._newest = key, stretch, tuple(newest)
        if start >= stretch.width:
            return
        painter = QPainter(self._pixmap)
        dirty = QRectF(start, 0, stretch.width - start, area.height())
        painter.setClipRect(dirty)
        painter.fillRect(dirty, ground)
        write(painter)
        painter.end()

    def show(self, painter: QPainter, place: QPoint) -> None:
        """Put it where it belongs."""
        painter.drawPixmap(place, self._pixmap)

    def _moved(self, stretch: Stretch) -> int | None:
        """Tell by how many columns a stretch has moved on; None when it is another one."""
        kept = self._stretch
        if kept is None or kept.width != stretch.width:
            return None
        if kept.column is None or stretch.column is None:
            same = (kept.begin, kept.end) == (stretch.begin, stretch.end)
            return 0 if same and kept.column == stretch.column else None
        if abs(kept.each - stretch.each) > 1e-9 * stretch.each:
            return None
        return stretch.column - kept.column
