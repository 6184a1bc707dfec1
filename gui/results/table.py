"""The table of runs: newest first, one or two of them marked."""

from __future__ import annotations

from PyQt6.QtCore import QItemSelectionModel, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from gui.palette import px
from gui.parts import sized
from gui.results.cells import Cells
from gui.results.runs import COLUMNS, RunRow, RunsModel

NARROW = 840
"""Width in pixels below which the table spares columns."""
SPARED = ("Software", "Cases", "Signed")
_WIDTHS = (170, 260, 100, 64, 160, 130, 96)
_ROW = 36


class RunsTable(QTableView):
    """The rows that the model shows; marks are told by run, so that they outlive a refill."""

    chosen_changed = pyqtSignal()
    """Other runs are marked."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self._runs = model
        self.setModel(model)
        self.setItemDelegate(Cells(self))
        self.setAccessibleName("Runs of this lab")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        side, top = self.verticalHeader(), self.horizontalHeader()
        selection = self.selectionModel()
        assert side is not None
        assert top is not None
        assert selection is not None
        side.hide()
        top.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        top.setHighlightSections(False)
        sized(self, self._fit)
        top.setSectionResizeMode(COLUMNS.index("DUT"), QHeaderView.ResizeMode.Stretch)
        selection.selectionChanged.connect(lambda *_: self.chosen_changed.emit())

    def _fit(self) -> None:
        side = self.verticalHeader()
        if side is not None:
            side.setDefaultSectionSize(px(_ROW))
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, px(width))

    @property
    def chosen(self) -> list[RunRow]:
        """The marked runs, newest first."""
        selection = self.selectionModel()
        rows = selection.selectedRows() if selection is not None else []
        return [self._runs.rows[index.row()] for index in sorted(rows, key=lambda i: i.row())]

    def choose(self, *runs: str) -> None:
        """Mark runs."""
        selection = self.selectionModel()
        assert selection is not None
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag
        for run in runs:
            row = self._runs.row_of(run)
            if row is not None:
                index = self._runs.index(row, 0)
                selection.select(index, flags.Select | flags.Rows)
                selection.setCurrentIndex(index, flags.NoUpdate)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave to the details what there is no room for."""
        super().resizeEvent(event)
        for name in SPARED:
            self.setColumnHidden(COLUMNS.index(name), self.width() < px(NARROW))
