"""The list of shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

PROMPT_KEYS = (
    ("Enter", "It is done, or: pass"),
    ("F", "It could not be done, or: fail; asks for a note"),
    ("I", "Inconclusive; asks for a note"),
    ("1 to 9", "Choose an option"),
    ("C", "Add a comment to the answer"),
    ("Esc", "Leave note or comment; never answers"),
)


class Shortcuts(QDialog):
    """Lists what keys do: those of a window's deeds, and those of its parts."""

    def __init__(self, window: QWidget, deeds: Sequence[QAction], *, asks: bool = True) -> None:
        super().__init__(window)
        self.setObjectName("shortcuts")
        self.setWindowTitle("Shortcuts")
        self.resize(620, 640)
        rows = [("Everywhere and on this screen", "")]
        rows += [
            (deed.shortcut().toString(QKeySequence.SequenceFormat.NativeText), deed.text())
            for deed in deeds
            if not deed.shortcut().isEmpty()
        ]
        from gui.messages.table import KEYS as MESSAGE_KEYS
        from gui.plots.keys import KEYS as PLOT_KEYS

        if asks:
            rows += [("While the bench asks something", ""), *PROMPT_KEYS]
        rows += [("In the messages", ""), *MESSAGE_KEYS]
        rows += [("In the plots", ""), *PLOT_KEYS]
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(16)
        for number, (key, text) in enumerate(rows):
            label = QLabel(key)
            label.setProperty("role", "key" if text else "heading")
            if text:
                grid.addWidget(label, number, 0)
                grid.addWidget(QLabel(text), number, 1)
            else:
                grid.addWidget(label, number, 0, 1, 2)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("Shortcuts")
        close = QPushButton("Close")
        close.setAccessibleName("Close the list of shortcuts")
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.addWidget(area)
        column.addWidget(close)
