"""Plots one above the other on one time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyqtgraph
from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QGraphicsRectItem, QSizePolicy

from gui.cursor import TimeCursor
from gui.focus import keeps
from gui.messages.happenings import Message
from gui.messages.timeline import Timeline
from gui.palette import font, px, theme
from gui.plots.axes import TimeAxis
from gui.plots.channel import Group, labels
from gui.plots.cursors import Cursors
from gui.plots.curves import Shown
from gui.plots.drawing import Frame
from gui.plots.keys import COMMANDS, pressed
from gui.plots.picture import Stretch
from gui.plots.plot import Plot
from gui.plots.scale import spelled
from gui.plots.strip import STRIP, Strip
from gui.plots.timebox import TimeBox
from gui.plots.view import TimeView

LEFT, RIGHT = 64, 208
"""Widths of the scale, and of the names and values."""
NARROW = 560
"""Width of all plots below which there is no room for names and values."""
AXIS = 26
"""Height of the time axis."""
LEAST, LOW = 96, 36
"""Height of a plot at least, and where no more of it can be seen at once."""
GAP = 10
APART = 8
"""Columns of which one at most has a line for the begin of a step."""
NOTHING = "Nothing is measured so far"


class PlotStack(pyqtgraph.GraphicsView):
    """Shows what is visible of all plots; mouse and keys move through time.

    The plots stand still in a tall scene, and what belongs to all of them (the strip of steps and
    messages, the cursors, the time axis) at the edges of what is seen of it.
    """

    looked = pyqtSignal()
    """The view was moved by hand."""
    measured = pyqtSignal()
    """The second cursor or the marked stretch is another one."""

    def __init__(self, timeline: Timeline, cursor: TimeCursor, view: TimeView) -> None:
        self.view = view
        self.plots: list[Plot] = []
        self.second: float | None = None
        """The second cursor: with the first it bounds the stretch that is measured."""
        self._timeline = timeline
        self._cursor = cursor
        self._hover: float | None = None
        self._box = TimeBox(view)
        self._axis = TimeAxis()
        self._ground = QGraphicsRectItem()  # under the axis, which stands over what scrolls
        self._strip = Strip(timeline, self._box)
        self._cursors = Cursors(self._box)
        super().__init__(background=None)  # which already fits what is in it
        self._build()

    def _build(self) -> None:
        self.setCentralItem(None)  # everything has its own place
        # Each frame is painted once, as a whole: what changed is nearly everywhere.
        self.setViewportUpdateMode(self.ViewportUpdateMode.NoViewportUpdate)
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setAutoFillBackground(False)
        self.scene().setItemIndexMethod(self.scene().ItemIndexMethod.NoIndex)
        self.setAccessibleName("Plots of what was measured")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._axis.linkToView(self._box)
        above: list[Any] = [self._box, self._ground, self._axis, self._strip]
        for height, item in enumerate(above, 1):
            item.setZValue(height)
            self.scene().addItem(item)
        self._box.looked.connect(self.looked)
        self._box.hovered.connect(self._hovered)
        self._box.clicked.connect(self._clicked)
        self._box.measured.connect(self._dragged)
        self._strip.pointed.connect(self._pointed)
        self._cursors.first_moved.connect(self._cursor.select)
        self._cursors.second_moved.connect(self._measure)
        self._cursor.moved.connect(self._point)
        self.dress()

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show other plots."""
        for plot in self.plots:
            plot.leave(self.scene())
        self.plots = [Plot(group) for group in groups]
        for plot in self.plots:
            plot.enter(self.scene())
        self._lay_out()
        self.refresh()

    def clear(self) -> None:
        """Forget what was pointed at."""
        self.second = self._hover = None
        for plot in self.plots:
            plot.forget_scale()
        self.refresh()

    def refresh(self) -> None:
        """Paint anew what can be seen, with room for one plot of it at least."""
        room = round(self._seen().height()) - px(STRIP) - px(AXIS) - px(GAP)
        each = max(px(LOW), min(px(LEAST), room)) + px(GAP)
        self.setMinimumSize(px(360), px(STRIP) + px(AXIS) + len(self.plots) * each)
        self.viewport().update()

    @property
    def groups(self) -> list[Group]:
        """What the plots show, from above."""
        return [plot.group for plot in self.plots]

    @property
    def points(self) -> int:
        """How many points a course is at least drawn with: one for each column of pixels."""
        return self._across()[1]

    def message_at(self, place: QPointF) -> Message | None:
        """Return the message whose mark is at a place of the strip."""
        return self._strip.message_at(self._strip.mapFromScene(place))

    def _across(self) -> tuple[int, int]:
        """Return where the insides of the plots begin, and how many columns they have."""
        right = px(RIGHT) if self.width() > px(NARROW) else px(8)
        return px(LEFT), max(1, self.width() - px(LEFT) - right)

    def _lay_out(self) -> None:
        """Put the plots one above the other."""
        left, width = self._across()
        self._axis.setHeight(px(AXIS))
        room = (self.height() - px(STRIP) - px(AXIS)) / max(1, len(self.plots))
        for at, plot in enumerate(self.plots):
            top = round(px(STRIP) + at * room + px(GAP) / 2)
            area = QRectF(left, top, width, max(1, round(room - px(GAP))))
            plot.place(area, self.width())

    def _seen(self) -> QRectF:
        """Return what can be seen of it in the area that scrolls it."""
        above = self.parentWidget()
        if above is None:
            return QRectF(self.rect())
        return QRectF(self.rect()).intersected(
            QRectF(above.rect()).translated(QPointF(-self.pos()))
        )

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the plots."""
        super().resizeEvent(event)
        self._lay_out()

    # Painting.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Make ready what is seen, and paint it."""
        if event is not None:
            self._prepare(QRectF(event.rect()))
        super().paintEvent(event)

    def drawForeground(self, painter: QPainter | None, rect: QRectF) -> None:  # noqa: N802
        """Say so while there is nothing."""
        if painter is not None and not self.plots:
            painter.setPen(QColor(theme().muted))
            painter.setFont(font(14))
            painter.drawText(self.sceneRect(), Qt.AlignmentFlag.AlignCenter, NOTHING)

    def _prepare(self, wanted: QRectF) -> None:
        """Bring everything to where the view is; plots only where they are wanted."""
        left, width = self._across()
        seen = self._seen()
        top, bottom = seen.top() + px(STRIP), seen.bottom() - px(AXIS)
        stretch = Stretch.of(self.view, width)
        self._box.origin = self._timeline.begin or 0.0
        self._box.setGeometry(QRectF(left, top, width, max(1.0, bottom - top)))
        self._box.show_stretch(stretch.begin, stretch.end)
        self._axis.setGeometry(QRectF(left, bottom, width, px(AXIS)))
        self._axis.setVisible(bool(self.plots))
        self._ground.setRect(QRectF(0, bottom + 1, self.width(), px(AXIS)))
        self._strip.setGeometry(QRectF(0, seen.top(), self.width(), px(STRIP)))
        self._strip.frame = Frame(
            QRectF(left, 0, width, px(STRIP)), stretch.begin, stretch.end, 0, 1
        )
        self._strip.chosen = self._cursor.record
        self._cursors.show(self._cursor.moment, self.second, self._hover)
        shown = self._shown(stretch)
        moment = self._hover if self._hover is not None else self._cursor.moment
        for plot in self.plots:
            if plot.area.intersects(wanted.intersected(seen)):
                plot.prepare(shown, self.view, moment)

    def _shown(self, stretch: Stretch) -> Shown:
        origin, begin, end = self._box.origin, stretch.begin, stretch.end
        ticks = self._axis.ticks(begin - origin, end - origin, stretch.width)
        steps: dict[int, float] = {}
        for one in self._timeline.steps_between(begin, end):
            if one.begin >= begin:
                steps.setdefault(math.floor(one.begin / stretch.each / APART), one.begin)
        return Shown(
            stretch,
            self.view.newest,
            [origin + tick for tick in ticks],
            list(steps.values()),
            self.devicePixelRatioF(),
        )

    def dress(self) -> None:
        """Take the colours of the theme in force."""
        surface = QColor(theme().surface)
        self.setBackgroundBrush(surface)
        self._ground.setBrush(surface)
        self._ground.setPen(surface)
        for axis in (self._axis, *(plot.axis for plot in self.plots)):
            axis.dress()
        self._cursors.dress()
        self._lay_out()

    # Mouse and keys.

    def _point(self) -> None:
        if self._cursor.moment is None:
            self.second = None
        elif not self.view.is_empty:
            self.view.show(self._cursor.moment)
        self.looked.emit()

    def _pointed(self, message: Message) -> None:
        self._cursor.select(message.moment, message.n)

    def _clicked(self, moment: float, is_second: bool) -> None:
        if is_second:
            self._measure(moment)
        else:
            self._cursor.select(moment)

    def _dragged(self, begin: float, end: float) -> None:
        self._cursor.select(begin)
        self._measure(end)

    def _hovered(self, moment: float | None) -> None:
        self._hover = moment
        self.refresh()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Tell the newest values again."""
        super().leaveEvent(event)
        self._hovered(None)

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
        return keeps(event, COMMANDS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Move through time."""
        if event is None or self.view.is_empty:
            return
        if pressed(event, self.view, self._cursor, self.points, self._hover, self._measure):
            self.looked.emit()
        else:
            event.ignore()

    def _measure(self, second: float | None) -> None:
        """Set the second cursor; without a first one it becomes the first."""
        if second is not None and self._cursor.moment is None:
            self._cursor.select(second)
            return
        self.second = second
        self.measured.emit()
        self.refresh()
