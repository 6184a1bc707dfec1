"""The lines of a case as a list: its model, and how a line is painted."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QPainter
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from bench.views import CaseView
from gui.palette import font, mark_of, paint_mark, px, theme
from gui.run.case_lines import CaseLines, Kind, Line

ROW = 28
_TIME = 54
"""Width of the column with the times."""


class LinesModel(QAbstractListModel):
    """The lines of the case that is looked at."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shown = CaseLines()
        self._count = 0

    def look_at(self, case: CaseView | None) -> None:
        """Show another case from its beginning."""
        self.beginResetModel()
        self.shown = CaseLines(case)
        self.shown.advance()
        self._count = len(self.shown.lines)
        self.endResetModel()

    def advance(self) -> None:
        """Show what is new."""
        stood, changed = self.shown.advance()
        if len(self.shown.lines) > stood:
            self.beginInsertRows(QModelIndex(), stood, len(self.shown.lines) - 1)
            self._count = len(self.shown.lines)
            self.endInsertRows()
        for line in changed:
            self.dataChanged.emit(self.index(line), self.index(line))

    def line(self, index: QModelIndex) -> Line:
        """Return the line of an index."""
        return self.shown.lines[index.row()]

    def line_of_record(self, n: int) -> int | None:
        """Return the last line that came from a record or before it."""
        found = None
        for number, line in enumerate(self.shown.lines):
            if line.record and line.record <= n:
                found = number
        return found

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the lines."""
        return 0 if parent.isValid() else self._count

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Tell what a line says."""
        line = self.line(index)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return line.text
            case Qt.ItemDataRole.ToolTipRole:
                return f"{line.text}\n{line.right}".strip()
            case Qt.ItemDataRole.AccessibleTextRole:
                word = f"{mark_of(line.mark).word}: " if line.mark else ""
                return f"{word}{line.text} {line.right}".strip()
            case Qt.ItemDataRole.SizeHintRole:
                return QSize(100, px(ROW))
            case _:
                return None


class LineDelegate(QStyledItemDelegate):
    """Paints a line: time, mark, text, and what stands at the right."""

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint it."""
        model = index.model()
        assert painter is not None
        assert isinstance(model, LinesModel)
        line, colours = model.line(index), theme()
        box = QRectF(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, QColor(colours.selection))
        elif line.kind is Kind.STEP:
            painter.fillRect(option.rect, QColor(colours.hover))
        ink = QColor(colours.muted if line.is_void else colours.text)
        quiet = QColor(colours.text if selected else colours.muted)
        self._write(
            painter,
            QRectF(box.left() + 12, box.top(), px(_TIME), box.height()),
            _time(line.at) if line.kind is not Kind.DETAIL else "",
            quiet,
            12,
        )
        indent = {Kind.STEP: 0, Kind.DETAIL: 52}.get(line.kind, 26)
        left = box.left() + 12 + px(_TIME) + px(indent)
        side = px(16)
        if line.mark:
            mark = QRectF(left, box.center().y() - side / 2, side, side)
            paint_mark(painter, mark, line.mark, colours.skipped if line.is_void else None)
        elif line.kind is Kind.PROMPT:
            painter.setBrush(QColor(colours.attention))
            painter.setPen(QColor(colours.on_attention))
            painter.drawRoundedRect(
                QRectF(left + 1, box.center().y() - side / 2 + 1, side - 2, side - 2), 3, 3
            )
        if line.kind is not Kind.DETAIL:
            left += side + px(8)
        right = box.right() - 12
        if line.right:
            ends = QFontMetrics(font(13))
            width = min(ends.horizontalAdvance(line.right) + 4, box.width() * 0.45)
            area = QRectF(right - width, box.top(), width, box.height())
            self._write(painter, area, line.right, quiet, 13, right=True)
            right -= width + px(12)
        if line.kind is Kind.ACT and not line.mark:
            ink = quiet
        if (
            line.mark
            and line.mark not in ("pass", "none", "running")
            and line.kind is not Kind.STEP
        ):
            ink = QColor(colours.of(line.mark))
        area = QRectF(left, box.top(), right - left, box.height())
        bold = line.kind is Kind.STEP
        self._write(
            painter,
            area,
            line.text,
            ink,
            14 if bold else 13.5,
            bold=bold,
            mono=line.kind is Kind.DETAIL,
        )

    def _write(
        self,
        painter: QPainter,
        area: QRectF,
        text: str,
        ink: QColor,
        size: float,
        *,
        bold: bool = False,
        mono: bool = False,
        right: bool = False,
    ) -> None:
        which = font(size, bold=bold, monospaced=mono)
        painter.setFont(which)
        painter.setPen(ink)
        fits = QFontMetrics(which).elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), fits)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        """Return the size of a line."""
        return QSize(100, px(ROW))


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:05.2f}" if minutes else f"{rest:.2f}"
