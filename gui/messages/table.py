"""The list of messages: a table for the keyboard, painted row by row."""

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
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from gui.focus import keeps
from gui.messages.happenings import Message
from gui.messages.model import MESSAGE, SIGNS, Column, MessageModel, direction_of
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
LAST_TO_GO = (Column.MESSAGE_ID, Column.STEP, Column.ROUND_TRIP, Column.KIND, Column.DIRECTION)
"""Columns that give way when there is little room, the first one first."""
_KEY = Qt.Key


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
        if index.column() == Column.ACTION:
            if self._table.isColumnHidden(Column.KIND):
                text = f"{SIGNS[message.kind]} {text}"
            if self._table.isColumnHidden(Column.DIRECTION):
                text = f"{direction_of(message)[0]} {text}"
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
