"""How the cells of the table of runs are painted: verdicts and states as marks with words."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gui.palette import font, paint_mark, px, theme
from gui.parts import GRID, tone
from gui.results.runs import COLUMNS, ROW, VERDICTS, RunRow

_STATES = {
    "complete": ("●", "good"),
    "incomplete": ("◐", "odd"),
    "unfinished": ("◌", "bad"),
    "running": ("▶", "busy"),
    "void": ("✕", "bad"),
}


class Cells(QStyledItemDelegate):
    """Paints verdict counts as shape, number and colour, and the state as shape and word."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        """Wide enough for what is painted."""
        size = super().sizeHint(option, index)
        if COLUMNS[index.column()] == "Verdicts":
            size.setWidth(px(200))
        return size

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one cell."""
        column = COLUMNS[index.column()]
        if painter is None or column not in ("Verdicts", "State"):
            super().paint(painter, option, index)
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, tone("selected"))
        one: RunRow = index.data(ROW)
        room = QRectF(option.rect).adjusted(GRID, 0, -GRID, 0)
        if column == "Verdicts":
            self._verdicts(painter, room, one)
        else:
            mark, name = _STATES.get(one.word, ("○", "quiet"))
            painter.setFont(font(bold=True))
            painter.setPen(tone(name))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, f"{mark} {one.word}")

    @staticmethod
    def _verdicts(painter: QPainter, room: QRectF, one: RunRow) -> None:
        face = font(bold=True)
        painter.setFont(face)
        x, side = room.left(), px(16)
        for name in VERDICTS:
            count = (one.counts or {}).get(name, 0)
            if not count:
                continue
            place = QRectF(x, room.center().y() - side / 2, side, side)
            paint_mark(painter, place, name)
            words = str(count)
            width = QFontMetricsF(face).horizontalAdvance(words)
            painter.setPen(QColor(theme().of(name)))
            place = QRectF(x + side + 4, room.top(), width + 4, room.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
            x += side + width + 2 * GRID
