"""The messages of a run: filter bar, list, and one message in detail below or beside it."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.cursor import TimeCursor
from gui.messages.detail import MessageDetail
from gui.messages.filter import HELP, read
from gui.messages.happenings import Message
from gui.messages.model import MessageModel, Times
from gui.messages.table import MessageTable
from gui.messages.timeline import Timeline
from gui.palette import px

CHIPS = {
    "Calls": "kind:call",
    "Errors": "kind:error | kind:broken",
    "Failed": "verdict:!pass",
    "Unanswered": "is:unanswered",
}
_KEY = Qt.Key


class MessageList(QWidget):
    """Shows what went over the wire; follows the newest until somebody looks at an older one."""

    def __init__(self, timeline: Timeline, cursor: TimeCursor) -> None:
        super().__init__()
        self._timeline = timeline
        self._cursor = cursor
        self._follows = True
        self._quiet = False
        self.model = MessageModel(timeline)
        self.table = MessageTable(self.model)
        self.detail = MessageDetail(timeline, cursor)
        self.filter = QLineEdit()
        self.chips = [self._chip(name, words) for name, words in CHIPS.items()]
        self.count = QLabel()
        self.problem = QLabel()
        self.freeze = QPushButton("Freeze")
        self.time = QPushButton()
        self._build()
        self.model.modelReset.connect(self._filled)
        self.model.rowsInserted.connect(self._filled)
        self.model.rowsRemoved.connect(self._filled)
        self.model.dataChanged.connect(self._refresh)
        timeline.grown.connect(self._counted)
        timeline.begun.connect(self._anew)
        cursor.moved.connect(self._point)
        self.table.chosen.connect(self._choose)
        self.table.asked.connect(self._on_key)
        bar = self.table.verticalScrollBar()
        if bar is not None:
            bar.sliderMoved.connect(lambda: self._follow(bar.value() >= bar.maximum()))
            bar.actionTriggered.connect(lambda: self._follow(bar.sliderPosition() >= bar.maximum()))
        self._filled()

    def _build(self) -> None:
        self.filter.setPlaceholderText("Filter: words, action:boot, verdict:fail, idTag=BAD …")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter messages")
        self.filter.setToolTip(HELP)
        self.filter.textChanged.connect(self._filter)
        self.filter.returnPressed.connect(self.table.setFocus)
        self.filter.installEventFilter(self)
        self.count.setProperty("role", "small")
        self.problem.setProperty("role", "problem")
        self.problem.hide()
        self.freeze.setCheckable(True)
        self.freeze.setAccessibleName("Freeze the list while capture goes on")
        self.freeze.setToolTip("Freeze the list while capture goes on (Z)")
        self.freeze.toggled.connect(self._freeze)
        self.time.setAccessibleName("How times are told")
        self.time.setToolTip("Times since the run began, in UTC, or from the marked row (T, M)")
        self.time.clicked.connect(lambda: self._tell_time())
        for button in (self.freeze, self.time):
            button.setProperty("role", "flat")
        bar = QHBoxLayout()
        bar.setSpacing(6)
        bar.addWidget(self.filter, 1)
        for chip in self.chips:
            bar.addWidget(chip)
        bar.addSpacing(8)
        bar.addWidget(self.count)
        bar.addWidget(self.time)
        bar.addWidget(self.freeze)
        self.setFocusProxy(self.table)
        split = self._split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.detail)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setHandleWidth(px(10))
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(bar)
        layout.addWidget(self.problem)
        layout.addWidget(split, 1)
        self._name_time()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Put the detail beside the list where there is more width than height."""
        super().resizeEvent(event)
        wide = self.width() > 2 * self.height()
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self._split.orientation() is not wanted:
            self._split.setOrientation(wanted)
            whole = self.width() if wide else self.height()
            self._split.setSizes([whole * 3 // 5, whole * 2 // 5])

    def _chip(self, name: str, words: str) -> QToolButton:
        chip = QToolButton()
        chip.setText(name)
        chip.setCheckable(True)
        chip.setProperty("role", "flat")
        chip.setAccessibleName(f"Show {name.lower()} only")
        chip.setToolTip(words)
        chip.clicked.connect(lambda on: self.filter.setText(words if on else ""))
        return chip

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let Esc in the filter take it away, and go to the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == _KEY.Key_Escape:
                self.filter.clear()
                self.table.setFocus()
                return True
        return super().eventFilter(watched, event)

    def type_filter(self) -> None:
        """Let words of the filter be typed."""
        self.filter.setFocus()
        self.filter.selectAll()

    def _filter(self, words: str) -> None:
        for chip, wanted in zip(self.chips, CHIPS.values(), strict=True):
            chip.setChecked(words == wanted)
        try:
            wanted_now = read(words)
        except ValueError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.problem.hide()
        self.model.filter_by(wanted_now)

    def _freeze(self, on: bool) -> None:
        self.freeze.setText("Frozen" if on else "Freeze")
        self.model.freeze(on)
        self._counted()

    def _tell_time(self, times: Times | None = None) -> None:
        marked = self.model.marked or self.table.current()
        options = [Times.RUN, Times.UTC] + ([Times.DELTA] if marked is not None else [])
        if times is None:
            at = options.index(self.model.times) if self.model.times in options else -1
            times = options[(at + 1) % len(options)]
        self.model.tell_time(times, marked)
        self._name_time()

    def _name_time(self) -> None:
        names = {Times.RUN: "Time: run", Times.UTC: "Time: UTC", Times.DELTA: "Time: Δ mark"}
        self.time.setText(names[self.model.times])

    def _counted(self) -> None:
        shown, there = len(self.model.rows), len(self._timeline.messages)
        text = f"{shown:,}" if shown == there else f"{shown:,} of {there:,}"
        waiting = self.model.waiting
        self.count.setText(f"{text} (+{waiting:,} new)" if waiting else text)

    def _filled(self) -> None:
        self._counted()
        if self._follows:
            self.table.scrollToBottom()
        self._point()

    def _anew(self) -> None:
        self._follows = True
        self._name_time()
        self.detail.show_message(None)

    def _refresh(self) -> None:
        current = self.table.current()
        if current is not None and current is self.detail.message:
            self.detail.refresh()

    def _follow(self, on: bool) -> None:
        self._follows = on

    def _choose(self, message: Message) -> None:
        if not self._quiet:
            self._follows = self.model.rows[-1] is message
            self._cursor.select(message.moment, message.n)
        self.table.point_at(message)
        self.detail.show_message(message)

    def _point(self) -> None:
        """Go to what the cursor points at."""
        moment, n = self._cursor.moment, self._cursor.record
        if moment is None:
            return
        message = self._timeline.message(n) if n is not None else None
        check = self._timeline.checks.get(n) if n is not None else None
        if check is not None and check.frame is not None:
            message = self._timeline.message(check.frame)
        place = self.model.place(message) if message is not None else self.model.nearest(moment)
        self._quiet = True
        if place is not None and place >= 0:
            self.table.go_to(place)
        if message is not None and self.detail.message is not message:
            self.detail.show_message(message)
        if check is not None:
            self.detail.show_check(check, message)
        self._quiet = False

    def _on_key(self, key: int, shifted: bool) -> None:
        message = self.table.current()
        match key:
            case _KEY.Key_T:
                self._tell_time()
            case _KEY.Key_M if message is not None:
                self.model.tell_time(Times.DELTA, message)
                self._name_time()
            case _KEY.Key_Z:
                self.freeze.toggle()
            case _KEY.Key_P if message is not None and message.partner is not None:
                self._cursor.select(message.partner.moment, message.partner.n)
            case _KEY.Key_N:
                self._next_failed(-1 if shifted else 1)
            case _KEY.Key_G if message is not None and message.message_id:
                self.filter.setText(f'"id:{message.message_id}"')
            case _KEY.Key_Slash:
                self.type_filter()
            case _KEY.Key_Escape:
                self.filter.clear()

    def _next_failed(self, direction: int) -> None:
        rows = self.model.rows
        at = self.table.currentIndex().row() + direction
        while 0 <= at < len(rows):
            if rows[at].verdict in ("fail", "inconclusive", "error"):
                self._cursor.select(rows[at].moment, rows[at].n)
                return
            at += direction
