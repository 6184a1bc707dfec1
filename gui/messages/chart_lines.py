"""The lines of the sequence chart: how a step, a message and an act are painted."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gui.messages.happenings import Act, Happening, Message, Step
from gui.messages.model import content_of, round_trip_of
from gui.palette import font, mark_of, paint_mark, px, theme

ROW = 30
"""Height of a line in logical pixels, before the operator's scale."""
MARK = 15
GAP_DEVICE = 132
"""Least width of the lane of who is neither CSMS nor station."""
CSMS, STATION = "CSMS", "Station"


def paint_heads(
    painter: QPainter, lanes: Sequence[tuple[str, float]], width: float, height: float
) -> None:
    """Paint the names of the lanes, each above its place."""
    colours = theme()
    painter.fillRect(QRectF(0, 0, width, height), QColor(colours.surface))
    painter.setPen(QPen(QColor(colours.border), 1))
    painter.drawLine(QPointF(0, height - 1), QPointF(width, height - 1))
    painter.setFont(font(12, bold=True))
    for lane, x in lanes:
        painter.setPen(QColor(colours.text if lane in (CSMS, STATION) else colours.muted))
        room = px(GAP_DEVICE) - px(8)
        area = QRectF(x - room / 2, 0, room, height - 2)
        elided(painter, area, lane, Qt.AlignmentFlag.AlignHCenter)


def paint_time(painter: QPainter, seconds: float, width: float, top: float) -> None:
    """Paint the time of a line into the gutter."""
    painter.setPen(QColor(theme().muted))
    box = QRectF(0, top, width - px(16), px(ROW))
    right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(box, right, f"{seconds:.3f}")


def paint_step(painter: QPainter, step: Step, top: float, width: float) -> None:
    """Paint the name of a step or case with its verdict, from the left."""
    side = px(MARK)
    box = QRectF(px(12), top + (px(ROW) - side) / 2, side, side)
    paint_mark(painter, box, step.verdict if step.end is not None else "running")
    text = f"{step.case if step.number is None else step.number}   {step.title}"
    if step.end is not None and step.verdict not in ("pass", "none"):
        text += f"   {mark_of(step.verdict).word}"
    painter.save()
    painter.setFont(font(13, bold=True))
    painter.setPen(QColor(theme().text))
    area = QRectF(px(36), top, width - px(44), px(ROW))
    elided(painter, area, text, Qt.AlignmentFlag.AlignLeft)
    painter.restore()


def paint_message(painter: QPainter, message: Message, x1: float, x2: float, top: float) -> None:
    """Paint an arrow from one lane to another with its label, and the mark of what failed by it."""
    y = top + px(ROW) - px(7)
    ink = QColor(_ink(message))
    pen = QPen(ink, 1)
    if message.is_unanswered or message.view.lost is not None:
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([6, 4])
    painter.setPen(pen)
    painter.drawLine(QPointF(x1, y), QPointF(x2, y))
    _arrow_head(painter, x2, y, 1 if x2 > x1 else -1, ink, filled=message.kind == "CALL")
    painter.setPen(ink)
    left, right = sorted((x1, x2))
    area = QRectF(left + px(14), top, right - left - px(28), px(ROW) - px(8))
    elided(painter, area, _label(message), Qt.AlignmentFlag.AlignHCenter)
    if message.verdict not in ("none", "pass"):
        side = px(MARK)
        paint_mark(painter, QRectF(x2 - side / 2, y - side / 2, side, side), message.verdict)


def paint_act(painter: QPainter, act: Act, x: float, room: float, top: float) -> None:
    """Paint what a device did as a box around a place, at most `room` wide."""
    colours = theme()
    text = f"✕ {act.text}" if act.error else act.text
    width = min(room, QFontMetricsF(painter.font()).horizontalAdvance(text) + px(20))
    box = QRectF(x - width / 2, top + px(4), width, px(ROW) - px(8))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.failed if act.error else colours.border), 1))
    painter.setBrush(QColor(colours.hover if act.lane else colours.surface))
    painter.drawRoundedRect(box, px(6), px(6))
    painter.restore()
    painter.setPen(QColor(colours.failed if act.error else colours.text))
    elided(painter, box.adjusted(px(8), 0, -px(8), 0), text, Qt.AlignmentFlag.AlignHCenter)


def elided(painter: QPainter, area: QRectF, text: str, align: Qt.AlignmentFlag) -> None:
    """Write a text in one line, as much of it as there is room for."""
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | align, shown)


def said(one: Happening) -> str:
    """Say a line in words, for who can't see it."""
    match one:
        case Step(case=case, number=number, title=title, verdict=verdict):
            return f"{case if number is None else f'Step {number}'}: {title}, {verdict}"
        case Message() as message:
            way = "from the station" if message.view.from_station else "to the station"
            return f"{message.kind} {way}: {_label(message)}"
        case Act(lane=lane, text=text, error=error):
            return ": ".join(part for part in (lane, text, error) if part)


def _label(message: Message) -> str:
    """Say the action, or of an answer how long it took and what it says."""
    trip, content = round_trip_of(message), content_of(message)
    if message.kind == "CALL":
        late = f"({trip})" if message.is_unanswered and trip else ""
        return "  ".join(part for part in (message.view.action, late, content) if part)
    if message.kind == "broken":
        return f"⚠ {content}"
    sign = "✕ " if message.kind == "CALLERROR" else ""
    return "  ".join(part for part in (f"{sign}{trip}", content) if part)


def _ink(message: Message) -> str:
    colours = theme()
    if message.kind == "broken":
        return colours.error
    if message.kind == "CALLERROR" or message.view.lost is not None:
        return colours.failed
    if message.is_unanswered:
        return colours.inconclusive
    return colours.text if message.kind == "CALL" else colours.muted


def _arrow_head(
    painter: QPainter, x: float, y: float, way: int, ink: QColor, *, filled: bool
) -> None:
    size = px(4)
    back = x - way * size * 1.8
    points = [QPointF(back, y - size), QPointF(x, y), QPointF(back, y + size)]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.2))
    if filled:
        painter.setBrush(QBrush(ink))
        painter.drawPolygon(QPolygonF(points))
    else:
        painter.drawPolyline(QPolygonF(points))
    painter.restore()
