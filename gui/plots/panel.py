"""The plots of a run with what steers them, and a table of what lies between two cursors."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from bench.events import ChannelDeclared
from bench.journal import Record
from bench.samples import Entry, Window
from gui.link import Link
from gui.live import LiveRun
from gui.palette import px
from gui.plots.bar import SPANS, USUAL, PlotBar
from gui.plots.channel import DELAY, Channel, Tile, groups_of
from gui.plots.history import FromEngine, FromFile, History, Source
from gui.plots.readout import Readout
from gui.plots.scope import FAST, Scope
from gui.plots.stack import PlotStack
from gui.plots.summary import Course
from gui.plots.view import TimeView

CALM_SCOPE = 0.4
"""Seconds from one trace of the scope to the next."""
TICK = 33
"""Milliseconds between two paintings at least."""


class PlotPanel(QWidget):
    """Live plots; they can be frozen and moved while capture goes on."""

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self._run = run
        self._link = link
        self._cursor = run.cursor
        self.view = TimeView(SPANS[USUAL])
        self.channels: dict[int, Channel] = {}
        self.history = History(self)
        self._of_scope = History(self)
        self.stack = PlotStack(run.timeline, run.cursor, self.view)
        self.bar = PlotBar()
        self.scope = Scope(self._of_scope.want)
        self._scoped = -math.inf
        self.readout = Readout()
        self._stale = True
        self._paint = QTimer(self)
        self._paint.setTimerType(Qt.TimerType.PreciseTimer)
        self._paint.setInterval(TICK)
        self._paint.timeout.connect(self._refresh)
        self._build()
        run.begun.connect(self._anew)
        run.advanced.connect(self._advance)
        run.sampled.connect(self.take)
        self.history.came.connect(self._came)
        self._of_scope.came.connect(self.scope.take)
        self.stack.looked.connect(self._looked)
        self.stack.measured.connect(self._measured)
        self.readout.closed.connect(self._unmeasure)
        run.cursor.moved.connect(self._measured)
        self._anew()

    def _build(self) -> None:
        self.bar.pause.clicked.connect(self._freeze)
        self.bar.span.activated.connect(lambda: self._live())
        self.bar.zoomed.connect(self._zoom)
        self.bar.scoping.toggled.connect(self._show_scope)
        self.scope.hide()
        self.scope.setMaximumHeight(px(260))
        area = QScrollArea()
        area.setAccessibleName("Plots of the run")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.stack)
        bar_down = area.verticalScrollBar()
        if bar_down is not None:
            bar_down.valueChanged.connect(lambda: self.stack.refresh())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(area, 1)
        layout.addWidget(self.scope)
        self.setFocusProxy(self.stack)
        layout.addWidget(self.readout)

    def _zoom(self, factor: float) -> None:
        self.view.zoom(factor)
        self._looked()

    def read_history(self, source: Source | None) -> None:
        """Take history from elsewhere than the engine, as from the file of a recorded run."""
        for history in (self.history, self._of_scope):
            history.come_from(source)
        self._stale = True

    def take(self, windows: Sequence[Window]) -> None:
        """Add windows of samples."""
        rows: dict[int, list[tuple[float, Entry]]] = {}
        for window in windows:
            self.view.reach(window.begin)
            self.view.reach(window.end)
            for entry in window.entries:
                number = entry.channel.channel
                if number not in self.channels:
                    self._declare(entry.channel)
                rows.setdefault(number, []).append((window.begin, entry))
        for number, fresh in rows.items():
            self.channels[number].push(fresh)
        self._group()
        self._stale = True

    def _anew(self) -> None:
        self.view.clear()
        self.channels.clear()
        self.stack.clear()
        self.readout.hide()
        run, samples = self._run.run, self._run.samples
        if samples is not None:
            self.read_history(FromFile(samples))
        else:
            self.read_history(FromEngine(self._link, run) if run is not None else None)
        view = self._run.view
        for declared in view.channels.values():
            self._declare(declared)
        if view.first is not None and view.last is not None:
            self.view.reach(view.first.mono)
            self.view.reach(view.last.mono)
        self._group()
        self._stale = True

    def _advance(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record.event, ChannelDeclared):
                self._declare(record.event)
        self._group()
        if records:
            self.view.reach(records[0].mono)
            self.view.reach(records[-1].mono)
        self._stale = True

    def _declare(self, declared: ChannelDeclared) -> None:
        if declared.channel not in self.channels:
            self.channels[declared.channel] = Channel(declared)

    def _group(self) -> None:
        """Give every channel its place, if there are others than before."""
        shown = [channel for group in self.stack.groups for channel in group.channels]
        if set(shown) != set(self.channels.values()):
            self.stack.show_groups(groups_of(self.channels.values()))

    def _freeze(self, on: bool) -> None:
        if on:
            self.view.pause()
        else:
            self._live()
        self._looked()

    def _live(self) -> None:
        self.view.live(self.bar.seconds)
        self._looked()

    def _looked(self) -> None:
        self.bar.tell(is_live=self.view.is_live)
        self._stale = True

    def _came(self, tile: Tile, course: Course) -> None:
        channel = self.channels.get(tile.channel)
        if channel is not None:
            # A run that goes on has not written its newest samples yet.
            written = self.view.newest - DELAY if self._run.is_live else math.inf
            channel.remember(tile, min(tile.end, written), course)
            self._stale = True

    def _refresh(self) -> None:
        """Paint what is new, and ask for the history that the view lacks."""
        if not self._stale:
            return
        self._stale = False
        if not self.view.is_empty:
            begin, end = self.view.range()
            begin, end = max(begin, self.view.oldest), min(end, self.view.newest)
            tiles = [
                tile
                for channel in self.channels.values()
                for tile in channel.missing(begin, end, self.stack.points, self.view.newest)
            ]
            self.history.want(tiles)
            self._look_by_scope()
        self.stack.refresh()

    def _show_scope(self, on: bool) -> None:
        self.scope.setVisible(on)
        self._stale = True

    def _look_by_scope(self) -> None:
        """Offer the fast channels, and show the one that is chosen where the cursor is."""
        fast = [one for one in self.channels.values() if one.rate >= FAST]
        self.bar.scoping.setVisible(bool(fast))
        now = time.monotonic()
        if not fast or not self.scope.isVisible() or now - self._scoped < CALM_SCOPE:
            return
        self._scoped = now
        self.scope.show_channels(fast)
        moment = self._cursor.moment
        latest = min(self.view.range()[1], self.view.newest - DELAY)
        self.scope.look(moment if moment is not None else latest)

    def _unmeasure(self) -> None:
        self.stack.second = None
        self._measured()

    def _measured(self) -> None:
        """Tell what lies between the two cursors."""
        self._stale = True
        self.readout.show_between(self.stack.groups, self._cursor.moment, self.stack.second)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the plots into what can be seen of them."""
        super().resizeEvent(event)
        self._stale = True

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.stack.dress()
            self.scope.trace.dress()
            self._stale = True

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Paint while somebody can see it."""
        super().showEvent(event)
        self._stale = True
        self._paint.start()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Leave the time to others while nobody can see it."""
        super().hideEvent(event)
        self._paint.stop()
