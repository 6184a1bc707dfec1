"""The message list: filter bar, table for the keyboard, and one message in detail below."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPalette,
    QResizeEvent,
)
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.cursor import TimeCursor
from gui.focus import keeps
from gui.messages.detail import MessageDetail
from gui.messages.filter import HELP, read
from gui.messages.model import MESSAGE, SIGNS, Column, MessageModel, Times
from gui.messages.timeline import Message, Timeline
from gui.palette import font, mark_of, paint_mark, px, theme

ROW = 28
"""Height of a row in logical pixels, before the operator's scale."""
WIDTHS = {
    Column.TIME: 96,
    Column.DIRECTION: 90,
    Column.KIND: 122,
    Column.ACTION: 168,
    Column.CONTENT: 200,
    Column.ROUND_TRIP: 92,
    Column.CHECKS: 118,
    Column.STEP: 124,
    Column.MESSAGE_ID: 132,
}
LAST_TO_GO = (Column.MESSAGE_ID, Column.STEP, Column.ROUND_TRIP, Column.KIND)
"""Columns that give way when there is little room, the first one first."""
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


class MessageTable(QTableView):
    """The rows; letters are commands, not a search."""

    chosen = pyqtSignal(object)
    """The message of the row that is now the current one."""
    asked = pyqtSignal(int, bool)
    """A key that the list answers, and whether Shift was held."""

    def __init__(self, model: MessageModel) -> None:
        super().__init__()
        self._messages = model
        self._partner: Message | None = None
        self.setModel(model)
        self.setItemDelegate(RowPainter(self))
        self.setAccessibleName("Messages")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setMinimumSize(QSize(240, 3 * ROW))
        down, across = self.verticalHeader(), self.horizontalHeader()
        if down is not None and across is not None:
            down.hide()
            down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            down.setDefaultSectionSize(px(ROW))
            across.setHighlightSections(False)
            across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            for column, width in WIDTHS.items():
                self.setColumnWidth(column, px(width))
            across.setSectionResizeMode(Column.CONTENT, QHeaderView.ResizeMode.Stretch)

    @property
    def partner(self) -> Message | None:
        """The answer of the current CALL, or the CALL of the current answer."""
        return self._partner

    def current(self) -> Message | None:
        """Return the message of the current row."""
        index = self.currentIndex()
        return self._messages.rows[index.row()] if index.isValid() else None

    def point_at(self, message: Message) -> None:
        """Lift the partner of a message out of the other rows."""
        self._partner = message.partner
        view = self.viewport()
        if view is not None:
            view.update()

    def go_to(self, row: int) -> None:
        """Make a row the current one."""
        chooser = self.selectionModel()
        if chooser is not None and row != self.currentIndex().row():
            flags = QItemSelectionModel.SelectionFlag
            index = self._messages.index(row, 0)
            chooser.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802
        """Tell the message of the new row."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.chosen.emit(self._messages.rows[current.row()])

    def event(self, event: QEvent | None) -> bool:
        """Take the list's letters before shortcuts of the window do."""
        return keeps(event, _COMMANDS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Take letters as commands, and leave what is no command of the list to others."""
        if event is None:
            return
        plain = event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        moves = (_KEY.Key_Up, _KEY.Key_Down, _KEY.Key_PageUp, _KEY.Key_PageDown)
        if event.key() in (*moves, _KEY.Key_Home, _KEY.Key_End):
            if event.key() in (_KEY.Key_Home, _KEY.Key_End) and self._messages.rows:
                last = len(self._messages.rows) - 1
                self.go_to(0 if event.key() == _KEY.Key_Home else last)
                return
            super().keyPressEvent(event)
        elif plain == Qt.KeyboardModifier.NoModifier and event.key() in _COMMANDS:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.asked.emit(event.key(), shifted)
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Let columns give way that are less needed than the content."""
        super().resizeEvent(event)
        view = self.viewport()
        room = (view.width() if view is not None else self.width()) - px(sum(WIDTHS.values()))
        for column in LAST_TO_GO:
            hides = room < 0
            self.setColumnHidden(column, hides)
            room += px(WIDTHS[column]) if hides else 0


KEYS = (
    ("/", "Filter the messages"),
    ("Esc", "Take the filter away"),
    ("N, Shift+N", "Next or previous message that was judged against the DUT"),
    ("P", "From a CALL to its answer, and back"),
    ("G", "Show the messages with the same message id"),
    ("T", "Tell times since the run began, in UTC, or from the marked row"),
    ("M", "Mark the row that times count from"),
    ("Z", "Freeze the list while capture goes on"),
)
"""What letters do while the list has the focus."""
_COMMANDS = (
    *(_KEY.Key_T, _KEY.Key_M, _KEY.Key_Z, _KEY.Key_P, _KEY.Key_N, _KEY.Key_G),
    *(_KEY.Key_Slash, _KEY.Key_Escape),
)


class RowPainter(QStyledItemDelegate):
    """Paints a cell: kinds by sign and colour, verdicts by their mark."""

    def __init__(self, table: MessageTable) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint the ground, then the text, or mark and word of a verdict."""
        if painter is None:
            return
        message: Message = index.data(MESSAGE)
        text: str = index.data()
        colours = theme()
        box = QRectF(option.rect)
        chosen = index.row() == self._table.currentIndex().row()
        if chosen:
            painter.fillRect(option.rect, QColor(colours.selection))
        elif message is self._table.partner:
            painter.fillRect(option.rect, QColor(colours.hover))
        painter.setPen(QColor(ink_of(message, Column(index.column()))))
        if index.column() == Column.TIME:
            if chosen:
                painter.fillRect(
                    QRectF(box.left(), box.top(), px(3), box.height()), QColor(colours.accent)
                )
            box.adjust(px(2), 0, 0, 0)
        left = px(8)
        if index.column() == Column.ACTION and self._table.isColumnHidden(Column.KIND):
            text = f"{SIGNS[message.kind]} {text}"
        if index.column() == Column.CHECKS and message.view.checks:
            side = px(15)
            mark = QRectF(box.left() + left, box.center().y() - side / 2, side, side)
            paint_mark(painter, mark, message.verdict)
            left += side + px(6)
            text = mark_of(message.verdict).word
        box.adjust(left, 0, -px(6), 0)
        painter.setFont(font())
        elided = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)

    def initStyleOption(  # noqa: N802
        self, option: QStyleOptionViewItem | None, index: QModelIndex
    ) -> None:
        """Keep the colours of the theme for accessibility's sake too."""
        super().initStyleOption(option, index)
        if option is not None:
            option.palette.setColor(QPalette.ColorRole.Text, QColor(theme().text))


def ink_of(message: Message, column: Column) -> str:
    """Return the colour of a cell's text."""
    colours = theme()
    if column is Column.CHECKS and message.view.checks:
        return colours.of(message.verdict)
    if column in (Column.KIND, Column.ACTION, Column.CONTENT) and message.kind in (
        "CALLERROR",
        "broken",
    ):
        return colours.error if message.kind == "broken" else colours.failed
    if column is Column.ROUND_TRIP and message.is_unanswered:
        return colours.inconclusive
    quiet = (Column.TIME, Column.CONTENT, Column.STEP, Column.MESSAGE_ID, Column.ROUND_TRIP)
    if message.kind == "CALLRESULT" or column in quiet:
        return colours.muted
    if column is Column.KIND:
        return colours.accent
    return colours.text
