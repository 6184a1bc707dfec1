"""Plots one above the other on one time axis, painted as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui.cursor import TimeCursor
from gui.focus import keeps
from gui.messages.timeline import Message, Timeline
from gui.palette import font, px, theme
from gui.plots.channel import Group, labels
from gui.plots.drawing import Frame
from gui.plots.plot import LEFT, NARROW, RIGHT, Plot
from gui.plots.scale import spelled, ticks, time_step, time_text
from gui.plots.strip import STEPS, STRIP, Strip
from gui.plots.view import TimeView

AXIS = 26
"""Height of the time axis."""
LEAST = 96
"""Height of a plot at least."""
GAP = 10
NOTHING = "Nothing is measured so far"
_KEY = Qt.Key
KEYS = (
    ("W, S", "Zoom in, zoom out; also the wheel"),
    ("A, D", "Move to earlier, to later; also Shift and the wheel, or dragging"),
    ("Space", "Freeze the plots while capture goes on, or follow the run again"),
    ("Home, End", "Show the whole run; follow the run"),
    ("←, →", "Move the cursor by a pixel, with Shift by ten"),
    ("B", "Set the second cursor; also Ctrl and a click"),
    ("Shift-drag", "Measure a stretch: least, greatest, mean, RMS, difference"),
    ("Esc", "Take the cursors away"),
)
"""What keys do while the plots have the focus."""
_COMMANDS = (
    *(_KEY.Key_W, _KEY.Key_S, _KEY.Key_A, _KEY.Key_D, _KEY.Key_B, _KEY.Key_Space),
    *(_KEY.Key_Plus, _KEY.Key_Minus, _KEY.Key_Escape, _KEY.Key_Home, _KEY.Key_End),
)


class PlotStack(QWidget):
    """Paints what is visible of all plots; mouse and keys move through time."""

    looked = pyqtSignal()
    """The view was moved by hand."""
    measured = pyqtSignal()
    """The second cursor or the marked stretch is another one."""

    def __init__(self, timeline: Timeline, cursor: TimeCursor, view: TimeView) -> None:
        super().__init__()
        self.view = view
        self.plots: list[Plot] = []
        self.second: float | None = None
        """The second cursor: with the first it bounds the stretch that is measured."""
        self._timeline = timeline
        self._cursor = cursor
        self._strip = Strip(timeline)
        self._hover: float | None = None
        self._pressed: QPointF | None = None
        self._dragged: QPointF | None = None
        self._measures = False
        self.setAccessibleName("Plots of what was measured")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        cursor.moved.connect(self._point)

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show other plots."""
        self.plots = [Plot(group) for group in groups]
        whole = px(STRIP) + px(AXIS) + len(groups) * px(LEAST + GAP)
        self.setMinimumSize(QSize(px(360), whole))
        self._lay_out()
        self.update()

    def clear(self) -> None:
        """Forget what was pointed at."""
        self.second = self._hover = None
        for plot in self.plots:
            plot.range = None
        self.update()

    @property
    def groups(self) -> list[Group]:
        """What the plots show, from above."""
        return [plot.group for plot in self.plots]

    @property
    def points(self) -> int:
        """How many points a course is at least drawn with: one for each column of pixels."""
        return max(1, int(self._across().width()))

    def _lay_out(self) -> None:
        """Put the plots one above the other."""
        across = self._across()
        room = (self.height() - px(STRIP) - px(AXIS)) / max(1, len(self.plots))
        for at, plot in enumerate(self.plots):
            top = px(STRIP) + at * room + px(GAP) / 2
            plot.area = QRectF(across.left(), round(top), across.width(), round(room - px(GAP)))
            plot.right = self.width()

    def message_at(self, place: QPointF) -> Message | None:
        """Return the message whose mark is at a place of the strip."""
        if not px(STEPS) <= place.y() - self._seen().top() <= px(STRIP):
            return None
        return self._strip.message_at(self._frame(self._across()), place.x())

    def moment_at(self, x: float) -> float:
        """Return the moment at a place."""
        return self._frame(self._across()).moment(x)

    def _seen(self) -> QRectF:
        """Return what can be seen of it; strip and axis stand at its edges."""
        above = self.parentWidget()
        if above is None:
            return QRectF(self.rect())
        return QRectF(self.rect()).intersected(
            QRectF(above.rect()).translated(QPointF(-self.pos()))
        )

    def _across(self) -> QRectF:
        right = px(RIGHT) if self.width() > px(NARROW) else px(8)
        return QRectF(px(LEFT), 0, max(1, self.width() - px(LEFT) - right), self.height())

    def _frame(self, area: QRectF, low: float = 0.0, high: float = 1.0) -> Frame:
        return Frame(area, *self.view.range(), low, high)

    def _point(self) -> None:
        if self._cursor.moment is None:
            self.second = None
        elif not self.view.is_empty:
            self.view.show(self._cursor.moment)
        self.looked.emit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the plots."""
        super().resizeEvent(event)
        self._lay_out()

    # Painting.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint the plots that are visible, then what stands across all of them."""
        painter = QPainter(self)
        colours = theme()
        seen = QRectF(event.rect()) if event is not None else QRectF(self.rect())
        painter.fillRect(seen, QColor(colours.surface))
        frame = self._frame(self._across())
        if self.plots:
            step = time_step(frame.end - frame.begin, frame.area.width() / px(110))
            origin = self._timeline.begin or 0.0
            times = ticks(frame.begin - origin, frame.end - origin, step)
            moments = [origin + at for at in times]
            begins = [one.begin for one in self._timeline.steps_between(frame.begin, frame.end)]
            upright = moments, [one for one in begins if one >= frame.begin]
            shown = seen.intersected(self._seen())
            moment = self._hover if self._hover is not None else self._cursor.moment
            for plot in self.plots:
                if plot.area.intersects(shown):
                    plot.paint(painter, self.view, upright, moment)
            self._axis(painter, moments, step)
        else:
            painter.setPen(QColor(colours.muted))
            painter.setFont(font(14))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, NOTHING)
        seen_top = self._seen().top()
        self._strip.paint(painter, frame, seen_top, self.width(), self._cursor.record)
        self._cursors(painter)
        painter.end()

    def _axis(self, painter: QPainter, moments: list[float], step: float) -> None:
        frame = self._frame(self._across())
        origin = self._timeline.begin or 0.0
        top = self._seen().bottom() - px(AXIS)
        ground = QRectF(0, top + 1, self.width(), px(AXIS))
        painter.fillRect(ground, QColor(theme().surface))
        painter.setFont(font(11))
        painter.setPen(QColor(theme().muted))
        for moment in moments:
            x = frame.x(moment)
            box = QRectF(x - px(50), top + px(2), px(100), px(AXIS) - px(6))
            text = time_text(moment - origin, step)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _cursors(self, painter: QPainter) -> None:
        colours = theme()
        across = self._across()
        frame = self._frame(across)
        top, bottom = self._seen().top() + px(STRIP), self._seen().bottom() - px(AXIS)
        first, second = self._cursor.moment, self.second
        if first is not None and second is not None:
            left, right = sorted((frame.x(first), frame.x(second)))
            left, right = max(left, across.left()), min(right, across.right())
            if right > left:
                fill = QColor(colours.accent)
                fill.setAlpha(28)
                painter.fillRect(QRectF(left, top, right - left, bottom - top), fill)
        pairs = (("A", first, colours.accent), ("B", second, colours.accent))
        for name, moment, ink in (*pairs, ("", self._hover, colours.muted)):
            if moment is None or not frame.begin <= moment <= frame.end:
                continue
            x = round(frame.x(moment)) + 0.5
            painter.setPen(QPen(QColor(ink), 1))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
            if name and second is not None:
                box = QRectF(x - px(8), top - px(2), px(16), px(16))
                painter.fillRect(box, QColor(ink))
                painter.setPen(QColor(colours.on_accent))
                painter.setFont(font(11, bold=True))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    # Mouse and keys.

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Begin to drag: the view, or with Shift a stretch to measure."""
        if event is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        self._pressed = self._dragged = event.position()
        self._measures = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._measures:
            self._cursor.select(self.moment_at(event.position().x()))
            self.second = None

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Drag, or tell the values under the mouse."""
        if event is None:
            return
        x = event.position().x()
        if self._dragged is not None and self._measures:
            self._measure(self.moment_at(x))
        elif self._dragged is not None and self._pressed is not None:
            if self.view.is_live and abs(x - self._pressed.x()) < 4:
                return
            self.view.pan((self._dragged.x() - x) / self._across().width())
            self._dragged = event.position()
            self.looked.emit()
        across = self._across()
        self._hover = self.moment_at(x) if across.left() <= x <= across.right() else None
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Take a click without a drag as pointing at a message or a moment."""
        if event is None or self._pressed is None:
            return
        moved = (event.position() - self._pressed).manhattanLength() > 3
        was_measuring, self._pressed, self._dragged = self._measures, None, None
        self._measures = False
        if moved or was_measuring or self.view.is_empty:
            return
        message = self.message_at(event.position())
        if message is not None:
            self._cursor.select(message.moment, message.n)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._measure(self.moment_at(event.position().x()))
        elif self._across().left() <= event.position().x() <= self._across().right():
            self._cursor.select(self.moment_at(event.position().x()))

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Follow the run again."""
        self.view.live()
        self.looked.emit()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Tell the newest values again."""
        self._hover = None
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """Zoom around the mouse; with Shift move."""
        if event is None or self.view.is_empty:
            return
        turned = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.view.pan(-0.1 * turned)
        else:
            self.view.zoom(0.8**turned, self.moment_at(event.position().x()))
        self.looked.emit()
        event.accept()

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802
        """Tell in words what the plots show, for who can't see them."""
        super().focusInEvent(event)
        self.setAccessibleDescription(self.summary())

    def summary(self) -> str:
        """Say the newest value of every channel."""
        said = []
        for group in self.groups:
            for channel, name in zip(group.channels, labels(group.channels), strict=True):
                value = spelled(channel.last + channel.declared.zero, group.unit)
                said.append(f"{group.title}, {name}: {value}")
        return "; ".join(said) or NOTHING

    def event(self, event: QEvent | None) -> bool:
        """Take the plots' letters before shortcuts of the window do."""
        return keeps(event, _COMMANDS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Move through time: W and S zoom, A and D pan; B sets the second cursor."""
        if event is None or self.view.is_empty:
            return
        begin, end = self.view.range()
        at = self._cursor.moment
        if at is None or not begin <= at <= end:
            at = None
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        pixel = (end - begin) / self._across().width() * (10 if shifted else 1)
        match _KEY(event.key()):
            case _KEY.Key_W | _KEY.Key_Plus:
                self.view.zoom(0.7, at)
            case _KEY.Key_S | _KEY.Key_Minus:
                self.view.zoom(1 / 0.7, at)
            case _KEY.Key_A:
                self.view.pan(-0.2)
            case _KEY.Key_D:
                self.view.pan(0.2)
            case _KEY.Key_Space:
                self.view.pause() if self.view.is_live else self.view.live()
            case _KEY.Key_Home:
                self.view.look(self.view.oldest, self.view.newest)
            case _KEY.Key_End:
                self.view.live()
            case _KEY.Key_Left | _KEY.Key_Right as key:
                way = -pixel if key == _KEY.Key_Left else pixel
                self._cursor.select((at if at is not None else (begin + end) / 2) + way)
            case _KEY.Key_B:
                self._measure(self._hover if self._hover is not None else at)
            case _KEY.Key_Escape:
                self._measure(None)
                self._cursor.clear()
            case _:
                event.ignore()
                return
        self.looked.emit()

    def _measure(self, second: float | None) -> None:
        """Set the second cursor; without a first one it becomes the first."""
        if second is not None and self._cursor.moment is None:
            self._cursor.select(second)
            return
        self.second = second
        self.measured.emit()
        self.update()
