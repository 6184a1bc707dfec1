"""What lies between two cursors: values, their difference, least, greatest, mean and RMS."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
)

from gui.palette import px
from gui.plots.channel import Channel, Group, labels
from gui.plots.scale import distance_text, spelled

HEADS = ("Channel", "At A", "At B", "B − A", "Least", "Greatest", "Mean", "RMS")
RIGHTMOST = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Readout(QFrame):
    """A row for each channel."""

    closed = pyqtSignal()
    """The second cursor shall go."""

    def __init__(self) -> None:
        super().__init__()
        self.between = QLabel()
        self.table = QTableWidget(0, len(HEADS))
        self._build()
        self.hide()

    def _build(self) -> None:
        table = self.table
        table.setAccessibleName("Values between the two cursors")
        table.setHorizontalHeaderLabels(HEADS)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        down, across = table.verticalHeader(), table.horizontalHeader()
        if down is not None and across is not None:
            down.hide()
            down.setDefaultSectionSize(px(26))
            across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
            across.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
            table.setColumnWidth(0, px(230))
            across.setDefaultAlignment(RIGHTMOST)
        first = table.horizontalHeaderItem(0)
        if first is not None:
            first.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setMaximumHeight(px(176))
        self.between.setProperty("role", "caption")
        close = QToolButton()
        close.setText("✕")
        close.setProperty("role", "flat")
        close.setToolTip("Take the second cursor away (Esc)")
        close.setAccessibleName("Take the second cursor away")
        close.clicked.connect(self.closed)
        line = QHBoxLayout()
        line.addWidget(self.between, 1)
        line.addWidget(close)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(line)
        inside.addWidget(table)

    def show_between(
        self, groups: Sequence[Group], first: float | None, second: float | None
    ) -> None:
        """Tell what lies between two moments; nothing while there are no two."""
        self.setVisible(first is not None and second is not None)
        if first is None or second is None:
            return
        self.between.setText(f"A to B   {distance_text(second - first)}")
        self.table.setRowCount(sum(len(group.channels) for group in groups))
        row = 0
        for group in groups:
            for channel, name in zip(group.channels, labels(group.channels), strict=True):
                title = f"{group.title}: {name}" if name != group.title.lower() else group.title
                self._fill(row, title, channel, first, second)
                row += 1

    def _fill(self, row: int, title: str, channel: Channel, first: float, second: float) -> None:
        unit, zero = channel.declared.unit, channel.declared.zero
        begin, end = sorted((first, second))
        found = channel.statistics(begin, end)
        at = [channel.value(moment) for moment in (first, second)]
        mean = found.mean + zero
        rms = math.sqrt(max(0.0, found.rms**2 + 2 * zero * found.mean + zero * zero))
        values = (at[0] + zero, at[1] + zero, at[1] - at[0], found.least + zero)
        texts = [spelled(value, unit) for value in (*values, found.greatest + zero, mean, rms)]
        for column, text in enumerate((title, *texts)):
            item = QTableWidgetItem(text)
            if column:
                item.setTextAlignment(RIGHTMOST)
            self.table.setItem(row, column, item)
