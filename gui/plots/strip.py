"""The strip above the plots: the steps of the run, and a mark for each message."""

from __future__ import annotations

from typing import Any

import pyqtgraph
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gui.messages.happenings import Message
from gui.messages.timeline import Timeline
from gui.palette import font, px, theme
from gui.plots.drawing import Frame
from gui.plots.timebox import TimeBox

STEPS, STRIP = 24, 50
"""Heights of the steps, and of them with the messages."""
MOST = 400
"""Messages that are marked singly; more are too close to be told apart."""
NEAR = 6.0
"""Pixels from which a click on a mark counts as a click on its message."""


class Strip(pyqtgraph.GraphicsWidget):
    """Paints steps and messages of a stretch of time, and tells what was clicked."""

    pointed = pyqtSignal(object)
    """The mark of this message was clicked."""

    def __init__(self, timeline: Timeline, box: TimeBox) -> None:
        super().__init__()
        self._timeline = timeline
        self._box = box
        self.frame = Frame(QRectF(0, 0, 1, 1), 0.0, 1.0, 0.0, 1.0)
        """The stretch of time, and where it stands."""
        self.chosen: int | None = None
        """The record that is selected."""

    def message_at(self, place: QPointF) -> Message | None:
        """Return the message whose mark is nearest to a place of it, if one is near."""
        if not px(STEPS) <= place.y() <= px(STRIP):
            return None
        frame, x = self.frame, place.x()
        near = self._timeline.messages_between(frame.moment(x - NEAR), frame.moment(x + NEAR))
        return min(near, key=lambda one: (abs(frame.x(one.moment) - x), one.n), default=None)

    def mouseClickEvent(self, event: Any) -> None:  # noqa: N802
        """Point at a message, or else as the plots do."""
        message = self.message_at(event.pos())
        if message is None:
            self._box.mouseClickEvent(event)
        else:
            event.accept()
            self.pointed.emit(message)

    def mouseDragEvent(self, event: Any) -> None:  # noqa: N802
        """Move through time as the plots do."""
        self._box.mouseDragEvent(event)

    def wheelEvent(self, event: Any) -> None:  # noqa: N802
        """Zoom as the plots do."""
        self._box.wheelEvent(event)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Paint steps, then messages."""
        colours, frame = theme(), self.frame
        area = frame.area
        painter.fillRect(self.rect(), QColor(colours.surface))
        painter.setFont(font(11))
        metrics = QFontMetricsF(painter.font())
        for step in self._timeline.steps_between(frame.begin, frame.end):
            left = max(area.left(), frame.x(step.begin))
            right = min(area.right(), frame.x(step.end if step.end is not None else frame.end))
            if right < left:
                continue
            box = QRectF(left, px(4), max(1.0, right - left), px(STEPS) - px(6))
            painter.fillRect(box, QColor(colours.sunken))
            edge = QRectF(left, box.top(), px(2), box.height())
            painter.fillRect(edge, QColor(colours.of(step.verdict)))
            if box.width() > px(24):
                painter.setPen(QColor(colours.text))
                inner = box.adjusted(px(7), 0, -px(3), 0)
                name = f"{step.number}  {step.title}"
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, inner.width())
                painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, shown)
        self._marks(painter, frame, px(STEPS))

    def _marks(self, painter: QPainter, frame: Frame, top: float) -> None:
        """Mark messages: upwards from the station, downwards to it; the selected one is larger."""
        colours = theme()
        messages = self._timeline.messages_between(frame.begin, frame.end)
        if len(messages) > MOST:
            painter.setPen(QPen(QColor(colours.muted), 1))
            for column in sorted({round(frame.x(one.moment)) for one in messages}):
                painter.drawLine(QPointF(column, top + px(4)), QPointF(column, top + px(18)))
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for message in messages:
            failed = message.verdict not in ("none", "pass") or message.kind == "CALLERROR"
            is_chosen = message.n == self.chosen
            ink = colours.accent if is_chosen else colours.failed if failed else colours.muted
            painter.setBrush(QColor(ink))
            size = px(5) if is_chosen else px(3.5)
            way = 1 if message.view.from_station else -1
            x, y = frame.x(message.moment), top + px(7 if way > 0 else 17)
            points = [(x, y - way * size), (x - size, y + way * size), (x + size, y + way * size)]
            painter.drawPolygon(QPolygonF([QPointF(*point) for point in points]))
        painter.restore()
