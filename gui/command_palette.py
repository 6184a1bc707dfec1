"""The command palette: everything that can be done, and every case, found by a few letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

if TYPE_CHECKING:
    from gui.window import MainWindow

_MOVES = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}


class CommandPalette(QDialog):
    """Lists what holds all typed words; Enter does the chosen one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("command-palette")
        self.setWindowTitle("Find a command or a case")
        self.setWindowFlag(Qt.WindowType.FramelessWindowHint)
        self.resize(680, 440)
        self._deeds: list[tuple[str, str, Callable[[], object]]] = [
            (deed.text(), _keys(deed.shortcut()), deed.trigger)
            for deed in window.all_deeds
            if deed.isEnabled()
        ]
        self._deeds += [(words, "", act) for words, act in window.cases]
        self._words = QLineEdit()
        self._words.setObjectName("command-words")
        self._words.setAccessibleName("Words of the command, or a case")
        self._words.setPlaceholderText("What do you want to do? A case id works as well.")
        self._words.textChanged.connect(self._fill)
        self._words.installEventFilter(self)
        self._list = QTreeWidget()
        self._list.setAccessibleName("Commands and cases")
        self._list.setProperty("role", "plain")
        self._list.setColumnCount(2)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.itemActivated.connect(self._do)
        header = self._list.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self._words)
        column.addWidget(self._list)
        self._fill()

    def _fill(self) -> None:
        words = self._words.text().lower().split()
        self._list.clear()
        for text, keys, act in self._deeds:
            if all(word in text.lower() for word in words):
                item = QTreeWidgetItem([text, keys])
                item.setData(0, Qt.ItemDataRole.UserRole, act)
                self._list.addTopLevelItem(item)
        self._list.setCurrentItem(self._list.topLevelItem(0))

    def _do(self, item: QTreeWidgetItem) -> None:
        act = item.data(0, Qt.ItemDataRole.UserRole)
        self.accept()
        act()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let arrows and Enter work on the list while words are typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = Qt.Key(event.key())
            item = self._list.currentItem()
            if key in _MOVES and item is not None:
                row = self._list.indexOfTopLevelItem(item) + _MOVES[key]
                row = max(0, min(row, self._list.topLevelItemCount() - 1))
                self._list.setCurrentItem(self._list.topLevelItem(row))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if item is not None:
                    self._do(item)
                return True
        return super().eventFilter(watched, event)


def _keys(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
