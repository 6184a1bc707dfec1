"""The sequence chart: who said what to whom, line by line in order, with steps and acts."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PyQt6.QtWidgets import QAbstractScrollArea, QFrame

from gui.cursor import TimeCursor
from gui.focus import keeps
from gui.messages.chart_lines import (
    CSMS,
    GAP_DEVICE,
    ROW,
    STATION,
    paint_act,
    paint_heads,
    paint_message,
    paint_step,
    paint_time,
    said,
)
from gui.messages.happenings import Act, Happening, Message, Step
from gui.messages.timeline import Timeline
from gui.palette import font, px, theme

HEAD = 34
"""Height of the names of the lanes."""
GUTTER = 92
"""Width of the times."""
GAP = 340
"""Least width between CSMS and station."""
_KEY = Qt.Key


class SequenceChart(QAbstractScrollArea):
    """Paints the lines that are visible, no others; follows the newest until one goes back."""

    def __init__(self, timeline: Timeline, cursor: TimeCursor) -> None:
        super().__init__()
        self._timeline = timeline
        self._cursor = cursor
        self._follows = True
        self._current: int | None = None
        self.setAccessibleName("Sequence chart")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumSize(QSize(240, 160))
        timeline.begun.connect(self._anew)
        timeline.grown.connect(self._layout)
        timeline.changed.connect(self._update)
        cursor.moved.connect(self._point)
        bar = self.verticalScrollBar()
        if bar is not None:
            bar.valueChanged.connect(lambda at: self._followed(at >= bar.maximum()))
        self._layout()

    @property
    def current(self) -> int | None:
        """The line that is selected."""
        return self._current

    @property
    def lanes(self) -> list[str]:
        """Who has a lane, from left to right."""
        return [CSMS, STATION, *self._timeline.lanes]

    def line_at(self, y: float) -> int | None:
        """Return the line at a height of the viewport; None above the first and below the last."""
        top = y - px(HEAD) + self._scrolled(Qt.Orientation.Vertical)
        line = int(top // px(ROW))
        inside = y >= px(HEAD) and 0 <= line < len(self._timeline.happenings)
        return line if inside else None

    def visible(self) -> range:
        """Return the lines of which something can be seen."""
        top = self._scrolled(Qt.Orientation.Vertical)
        first = int(top // px(ROW))
        last = int((top + self._height() - px(HEAD)) // px(ROW)) + 1
        return range(first, max(first, min(last, len(self._timeline.happenings))))

    def lane_x(self, lane: str) -> float:
        """Return where a lane stands in the viewport."""
        at = self.lanes.index(lane)
        width = self._content_width() - px(GUTTER)
        shares = [0.0, GAP, *([GAP_DEVICE] * (len(self.lanes) - 2))]
        whole = sum(shares) + GAP_DEVICE
        place = sum(shares[: at + 1]) + GAP_DEVICE * 0.5
        return px(GUTTER) + width * place / whole - self._scrolled(Qt.Orientation.Horizontal)

    def select(self, line: int) -> None:
        """Select a line, and with it the moment of everything else."""
        happening = self._timeline.happenings[line]
        self._current = line
        self.setAccessibleDescription(said(happening))
        moment = happening.begin if isinstance(happening, Step) else happening.moment
        self._cursor.select(moment, happening.n)
        self._reveal(line)
        self._update()

    def _anew(self) -> None:
        self._follows, self._current = True, None
        self._layout()

    def _update(self) -> None:
        view = self.viewport()
        if view is not None:
            view.update()

    def _followed(self, on: bool) -> None:
        self._follows = on
        self._update()

    def _layout(self) -> None:
        down, across = self.verticalScrollBar(), self.horizontalScrollBar()
        if down is None or across is None:
            return
        follows = self._follows
        whole = len(self._timeline.happenings) * px(ROW) + px(8)
        down.setPageStep(max(1, self._height() - px(HEAD)))
        down.setSingleStep(px(ROW))
        down.setRange(0, max(0, whole - down.pageStep()))
        across.setPageStep(self._width())
        across.setRange(0, max(0, int(self._content_width()) - self._width()))
        if follows:
            down.setValue(down.maximum())
            self._follows = True
        self._update()

    def _width(self) -> int:
        view = self.viewport()
        return view.width() if view is not None else self.width()

    def _height(self) -> int:
        view = self.viewport()
        return view.height() if view is not None else self.height()

    def _content_width(self) -> float:
        least = px(GUTTER) + px(GAP) + px(GAP_DEVICE) * (len(self.lanes) - 1)
        return max(float(self._width()), float(least))

    def _scrolled(self, orientation: Qt.Orientation) -> int:
        vertical = orientation is Qt.Orientation.Vertical
        bar = self.verticalScrollBar() if vertical else self.horizontalScrollBar()
        return bar.value() if bar is not None else 0

    def _reveal(self, line: int) -> None:
        bar = self.verticalScrollBar()
        if bar is None:
            return
        top, room = line * px(ROW), bar.pageStep()
        if top < bar.value():
            bar.setValue(top)
        elif top + px(ROW) > bar.value() + room:
            bar.setValue(top + px(ROW) - room)

    def _point(self) -> None:
        """Go to what the cursor points at."""
        n, moment = self._cursor.record, self._cursor.moment
        if moment is None:
            self._current = None
        else:
            line = self._line_of(n, moment)
            if line != self._current and line is not None:
                self._current = line
                self._reveal(line)
        self._update()

    def _line_of(self, n: int | None, moment: float) -> int | None:
        """Find the line of a record, or the last one up to it or to a moment."""
        check = self._timeline.checks.get(n) if n is not None else None
        n = check.frame if check is not None and check.frame is not None else n
        low, high = 0, len(self._timeline.happenings)
        while low < high:
            middle = (low + high) // 2
            one = self._timeline.happenings[middle]
            when = one.begin if isinstance(one, Step) else one.moment
            if one.n <= n if n is not None else when <= moment:
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else None

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the scroll bars."""
        super().resizeEvent(event)
        self._layout()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Select the line that was clicked."""
        line = self.line_at(event.position().y()) if event is not None else None
        if line is not None:
            self.select(line)

    def event(self, event: QEvent | None) -> bool:
        """Take the chart's letter before shortcuts of the window do."""
        return keeps(event, (_KEY.Key_P,)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Go from line to line; P goes to the partner of a message."""
        if event is None:
            return
        count = len(self._timeline.happenings)
        page = max(1, (self._height() - px(HEAD)) // px(ROW) - 1)
        at = self._current if self._current is not None else count
        places = {
            _KEY.Key_Up: at - 1,
            _KEY.Key_Down: at + 1,
            _KEY.Key_PageUp: at - page,
            _KEY.Key_PageDown: at + page,
            _KEY.Key_Home: 0,
            _KEY.Key_End: count - 1,
        }
        key = _KEY(event.key())
        if key in places and count:
            self.select(min(count - 1, max(0, places[key])))
        elif key == _KEY.Key_P and self._current is not None:
            one = self._timeline.happenings[self._current]
            if isinstance(one, Message) and one.partner is not None:
                self._cursor.select(one.partner.moment, one.partner.n)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint lanes, the visible lines, and the names of the lanes above them."""
        painter = QPainter(self.viewport())
        colours = theme()
        width, height = self._width(), self._height()
        painter.fillRect(0, 0, width, height, QColor(colours.surface))
        painter.setFont(font(13))
        lines = [
            (line, self._timeline.happenings[line], self._top(line)) for line in self.visible()
        ]
        for line, one, top in lines:
            if not isinstance(one, Step):
                self._ground(painter, line, one, QRectF(0, top, width, px(ROW)))
        painter.setPen(QPen(QColor(colours.border), 1))
        for lane in self.lanes:
            x = round(self.lane_x(lane))
            painter.drawLine(x, px(HEAD), x, height)
        for line, one, top in lines:
            match one:
                case Step():
                    self._ground(painter, line, one, QRectF(0, top, width, px(ROW)))
                    paint_step(painter, one, top, width)
                case Message():
                    self._time(painter, one.moment, top)
                    self._message(painter, one, top)
                case Act():
                    self._time(painter, one.moment, top)
                    self._act(painter, one, top)
        paint_heads(painter, [(lane, self.lane_x(lane)) for lane in self.lanes], width, px(HEAD))
        if not self._timeline.happenings:
            painter.setPen(QColor(colours.muted))
            box = QRectF(0, px(HEAD), width, height - px(HEAD))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "Nothing has happened yet")
        painter.end()

    def _top(self, line: int) -> int:
        return px(HEAD) + line * px(ROW) - self._scrolled(Qt.Orientation.Vertical)

    def _ground(self, painter: QPainter, line: int, one: Happening, box: QRectF) -> None:
        """Fill what lies below a line: selection, its partner, a step's band."""
        colours = theme()
        current = self._current
        chosen = self._timeline.happenings[current] if current is not None else None
        if line == current:
            painter.fillRect(box, QColor(colours.selection))
            painter.fillRect(QRectF(0, box.top(), px(3), box.height()), QColor(colours.accent))
        elif isinstance(chosen, Message) and one is chosen.partner:
            painter.fillRect(box, QColor(colours.hover))
        elif isinstance(one, Step):
            ground = colours.sunken if one.number is None else colours.window
            painter.fillRect(box, QColor(ground))

    def _time(self, painter: QPainter, moment: float, top: float) -> None:
        paint_time(painter, moment - (self._timeline.begin or 0.0), px(GUTTER), top)

    def _message(self, painter: QPainter, message: Message, top: float) -> None:
        begin, end = (STATION, CSMS) if message.view.from_station else (CSMS, STATION)
        paint_message(painter, message, self.lane_x(begin), self.lane_x(end), top)

    def _act(self, painter: QPainter, act: Act, top: float) -> None:
        """Paint an act on its lane; what belongs to none stands between CSMS and station."""
        if act.lane:
            x, room = self.lane_x(act.lane), float(px(GAP_DEVICE) * 2 - px(12))
        else:
            x = (self.lane_x(CSMS) + self.lane_x(STATION)) / 2
            room = self.lane_x(STATION) - self.lane_x(CSMS) - px(16)
        edge = self._content_width() - self._scrolled(Qt.Orientation.Horizontal)
        paint_act(painter, act, x, min(room, 2 * (edge - x)), top)
