"""The strip above the plots: the steps of the run, and a mark for each message."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gui.messages.timeline import Message, Timeline
from gui.palette import font, px, theme
from gui.plots.drawing import Frame

STEPS, STRIP = 24, 50
"""Heights of the steps, and of them with the messages."""
MOST = 400
"""Messages that are marked singly; more are too close to be told apart."""
NEAR = 6.0
"""Pixels from which a click on a mark counts as a click on its message."""


class Strip:
    """Paints steps and messages of a stretch of time, and finds what was clicked."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def message_at(self, frame: Frame, x: float) -> Message | None:
        """Return the message whose mark is nearest to a place, if one is near."""
        near = self._timeline.messages_between(frame.moment(x - NEAR), frame.moment(x + NEAR))
        return min(near, key=lambda one: (abs(frame.x(one.moment) - x), one.n), default=None)

    def paint(
        self, painter: QPainter, frame: Frame, top: float, width: float, chosen: int | None
    ) -> None:
        """Paint from a height on; `chosen` is the record that is selected."""
        colours, area = theme(), frame.area
        painter.fillRect(QRectF(0, top, width, px(STRIP)), QColor(colours.surface))
        painter.setFont(font(11))
        metrics = QFontMetricsF(painter.font())
        for step in self._timeline.steps_between(frame.begin, frame.end):
            left = max(area.left(), frame.x(step.begin))
            right = min(area.right(), frame.x(step.end if step.end is not None else frame.end))
            if right < left:
                continue
            box = QRectF(left, top + px(4), max(1.0, right - left), px(STEPS) - px(6))
            painter.fillRect(box, QColor(colours.sunken))
            edge = QRectF(left, box.top(), px(2), box.height())
            painter.fillRect(edge, QColor(colours.of(step.verdict)))
            if box.width() > px(24):
                painter.setPen(QColor(colours.text))
                inner = box.adjusted(px(7), 0, -px(3), 0)
                name = f"{step.number}  {step.title}"
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, inner.width())
                painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, shown)
        self._marks(painter, frame, top + px(STEPS), chosen)

    def _marks(self, painter: QPainter, frame: Frame, top: float, chosen: int | None) -> None:
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
            is_chosen = message.n == chosen
            ink = colours.accent if is_chosen else colours.failed if failed else colours.muted
            painter.setBrush(QColor(ink))
            size = px(5) if is_chosen else px(3.5)
            way = 1 if message.view.from_station else -1
            x, y = frame.x(message.moment), top + px(7 if way > 0 else 17)
            points = [(x, y - way * size), (x - size, y + way * size), (x + size, y + way * size)]
            painter.drawPolygon(QPolygonF([QPointF(*point) for point in points]))
        painter.restore()
