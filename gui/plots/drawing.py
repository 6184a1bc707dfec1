"""Courses as lines on the screen: one upright line for each column of pixels, never more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6 import sip
from PyQt6.QtCore import QLineF, QPointF, QRectF
from PyQt6.QtGui import QPainter

from gui.plots.summary import Course

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a plot stands and what it spans: time to the right, values upwards."""

    area: QRectF
    begin: float
    end: float
    low: float
    high: float

    def x(self, moment: float) -> float:
        """Return where a moment is."""
        return self.area.left() + self.area.width() * (moment - self.begin) / (
            self.end - self.begin
        )

    def y(self, value: float) -> float:
        """Return where a value is."""
        part = (value - self.low) / (self.high - self.low)
        return self.area.bottom() - self.area.height() * part

    def moment(self, x: float) -> float:
        """Return the moment at a place."""
        part = (x - self.area.left()) / self.area.width()
        return self.begin + part * (self.end - self.begin)


def draw(painter: QPainter, frame: Frame, course: Course, style: str, until: float) -> None:
    """Draw a course with the pen that is set; a step holds its last value `until` a moment."""
    if not len(course):
        return
    x = (course.time - frame.begin) * (frame.area.width() / (frame.end - frame.begin))
    scale = frame.area.height() / (frame.high - frame.low)
    top = frame.area.height() - (course.high.astype(np.float64) - frame.low) * scale
    bottom = frame.area.height() - (course.low.astype(np.float64) - frame.low) * scale
    # Far outside is as good as just outside, and what Qt has to clip is slow.
    np.clip(x, -1e4, 1e4, out=x)
    for side in (top, bottom):
        np.clip(side, -1e4, 1e4, out=side)
    painter.save()
    painter.translate(frame.area.topLeft())
    if style == "dots":
        _dots(painter, x, top, bottom)
    elif len(course) > (x[-1] - x[0]) * 0.4:
        painter.drawLines(_lines(columns(x, top, bottom)))
    else:
        held = (until - frame.begin) * frame.area.width() / (frame.end - frame.begin)
        painter.drawLines(_lines(strokes(x, top, bottom, steps=style == "steps", until=held)))
    painter.restore()


def columns(x: Values, top: Values, bottom: Values) -> Values:
    """Make one upright line for each column, long enough to touch those beside it."""
    at = np.floor(x + 1e-6) + 0.5  # a row on the border is in the same column wherever it moves
    is_new = at[1:] != at[:-1]
    if not is_new.all():
        edges = np.concatenate(([0], np.flatnonzero(is_new) + 1))
        at = at[edges]
        top, bottom = np.minimum.reduceat(top, edges), np.maximum.reduceat(bottom, edges)
    lines = np.empty((len(at), 4))
    lines[:, 0] = lines[:, 2] = at
    lines[:, 1], lines[:, 3] = top, bottom
    np.minimum(top[1:], bottom[:-1], out=lines[1:, 1])
    np.maximum(bottom[1:], top[:-1], out=lines[1:, 3])
    np.maximum(lines[:, 3], lines[:, 1] + 0.1, out=lines[:, 3])  # or nothing is drawn
    width = at[1:] - at[:-1]
    gaps = np.flatnonzero(width > 1.5)
    if not len(gaps):
        return lines
    # A column that is left out between two others is as the one before it; wider gaps are crossed.
    single, wide = gaps[width[gaps] < 2.5], gaps[width[gaps] > 2.5]
    filled = lines[single] + (1, 0, 1, 0)
    middle = (top + bottom) / 2
    across = np.stack((at[wide], middle[wide], at[wide + 1], middle[wide + 1]), axis=1)
    return np.concatenate((lines, filled, across))


def strokes(x: Values, top: Values, bottom: Values, *, steps: bool, until: float) -> Values:
    """Make lines from row to row, or level ones and jumps; and an upright one for what varied."""
    middle = (top + bottom) / 2
    varied = np.flatnonzero(bottom - top > 1)
    upright = np.stack((x[varied], top[varied], x[varied], bottom[varied]), axis=1)
    if not steps:
        return np.concatenate((np.stack((x[:-1], middle[:-1], x[1:], middle[1:]), axis=1), upright))
    ends = np.append(x[1:], max(until, x[-1]))
    level = np.stack((x, middle, ends, middle), axis=1)
    jumps = np.stack((x[1:], middle[:-1], x[1:], middle[1:]), axis=1)
    return np.concatenate((level, jumps, upright))


def _dots(painter: QPainter, x: Values, top: Values, bottom: Values) -> None:
    painter.setBrush(painter.pen().color())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for at, high, low in zip(x.tolist(), top.tolist(), bottom.tolist(), strict=True):
        painter.drawEllipse(QPointF(at, high), 2.2, 2.2)
        if low - high > 4:
            painter.drawEllipse(QPointF(at, low), 2.2, 2.2)


def _lines(values: Values) -> Any:
    """Hand lines to Qt as one piece of memory; a QLineF is four float64."""
    make: Any = sip
    lines = make.array(QLineF, len(values))
    if len(values):
        memory = make.voidptr(lines, values.size * 8)
        np.frombuffer(memory, np.float64).reshape(-1, 4)[:] = values
    return lines
