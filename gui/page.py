"""How a screen is laid out: a head with title and buttons, below it what it shows."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.parts import GRID, text


def head(title: str, about: Sequence[QWidget], acts: Sequence[QWidget]) -> QHBoxLayout:
    """Lay out the first line: the title, what it is about, and at the right what can be done."""
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(text(title, "title"))
    row.addSpacing(2 * GRID)
    for part in about:
        row.addWidget(part)
    row.addStretch()
    for part in acts:
        row.addWidget(part)
    return row


def rows(owner: QWidget, *parts: QLayout | QWidget) -> QVBoxLayout:
    """Lay out the lines of a screen; the last one takes what room is left."""
    column = QVBoxLayout(owner)
    column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
    column.setSpacing(2 * GRID)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    column.setStretch(column.count() - 1, 1)
    return column


def beside(main: QWidget, side: QWidget) -> QHBoxLayout:
    """Put a part beside the one that takes the room."""
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    row.addWidget(main, 1)
    row.addWidget(side)
    return row


def stacked(*pages: QWidget) -> QStackedWidget:
    """Put pages behind each other, the first one in front."""
    stack = QStackedWidget()
    for one in pages:
        stack.addWidget(one)
    return stack


def scrolling(part: QWidget) -> QScrollArea:
    """Let a part be scrolled where there is too little room, so that nothing is squeezed."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(part)
    return area
