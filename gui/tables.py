"""Tables of few rows, as the screens show them: whole rows, no grid, cells with a tone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import QModelIndex, Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

from gui.palette import mark_icon, px
from gui.parts import GRID, sized, tone

STANDS_FOR = Qt.ItemDataRole.UserRole
CELL = Qt.ItemDataRole.UserRole + 1
LARGEST = 280
"""Pixels that a column takes by itself; the last one takes what is left."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, its tone, and the mark of a verdict before it."""

    words: str
    tone: str = ""
    mark: str = ""
    hint: str = ""
    """What more there is to know; the text itself where there is nothing more."""


class Inked(QStyledItemDelegate):
    """Gives cells their colours when they are painted, so that a theme can change."""

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem | None, index: QModelIndex
    ) -> None:
        """Set the colour of the text, and the mark before it."""
        super().initStyleOption(option, index)
        cell = index.data(CELL)
        if option is None or not isinstance(cell, Cell):
            return
        if cell.tone:
            for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
                option.palette.setColor(role, tone(cell.tone))
        if cell.mark:
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.icon = mark_icon(cell.mark)


class Table(QTableWidget):
    """Rows that carry what they stand for."""

    def __init__(self, name: str, heads: Sequence[str], *, stretch: int = -1) -> None:
        super().__init__(0, len(heads))
        self._stretch = stretch % len(heads)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(heads)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setItemDelegate(Inked(self))
        side, top = self.verticalHeader(), self.horizontalHeader()
        assert side is not None
        assert top is not None
        side.hide()
        sized(self, lambda: side.setDefaultSectionSize(px(34)))
        top.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        top.setHighlightSections(False)
        top.setSectionResizeMode(self._stretch, QHeaderView.ResizeMode.Stretch)
        sized(self, self._fit)

    def fill(self, rows: Iterable[tuple[Any, Sequence[Cell | str]]]) -> None:
        """Show rows: what each stands for, and its cells."""
        filled = list(rows)
        self.setRowCount(len(filled))
        for number, (stands_for, cells) in enumerate(filled):
            for column, cell in enumerate(cells):
                self._put(number, column, Cell(cell) if isinstance(cell, str) else cell, stands_for)
        self._fit()

    def _fit(self) -> None:
        """Make the columns as wide as what is in them, within limits."""
        for column in range(self.columnCount()):
            if column != self._stretch:
                width = max(self.sizeHintForColumn(column), self._head(column)) + 2 * GRID
                self.setColumnWidth(column, min(px(LARGEST), width))

    @property
    def chosen(self) -> Any:
        """What the marked row stands for, None when there is none."""
        marked = self.selectedItems()
        entry = self.item(marked[0].row(), 0) if marked else None
        return None if entry is None else entry.data(STANDS_FOR)

    def _head(self, column: int) -> int:
        top = self.horizontalHeader()
        return 0 if top is None else top.sectionSizeHint(column)

    def _put(self, row: int, column: int, cell: Cell, stands_for: Any) -> None:
        entry = QTableWidgetItem(cell.words)
        entry.setToolTip(cell.hint or cell.words)
        entry.setData(STANDS_FOR, stands_for)
        entry.setData(CELL, cell)
        self.setItem(row, column, entry)
