"""The command palette: everything that can be done, found by a few letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout

if TYPE_CHECKING:
    from gui.window import MainWindow


class CommandPalette(QDialog):
    """Lists the deeds whose text holds all typed words; Enter does the chosen one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("command-palette")
        self.setWindowTitle("Find a command")
        self.setWindowFlag(Qt.WindowType.FramelessWindowHint)
        self.resize(640, 420)
        self._deeds = [deed for deed in window.all_deeds if deed.isEnabled()]
        self._words = QLineEdit()
        self._words.setObjectName("command-words")
        self._words.setAccessibleName("Words of the command")
        self._words.setPlaceholderText("What do you want to do? A case id works as well.")
        self._words.textChanged.connect(self._fill)
        self._words.installEventFilter(self)
        self._list = QListWidget()
        self._list.setAccessibleName("Commands")
        self._list.itemActivated.connect(self._do)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self._words)
        column.addWidget(self._list)
        self._fill()

    def _fill(self) -> None:
        words = self._words.text().lower().split()
        self._list.clear()
        for deed in self._deeds:
            if all(word in deed.text().lower() for word in words):
                keys = deed.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                item = QListWidgetItem(f"{deed.text()}    {keys}".rstrip())
                item.setData(Qt.ItemDataRole.UserRole, deed)
                self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _do(self, item: QListWidgetItem) -> None:
        deed = item.data(Qt.ItemDataRole.UserRole)
        self.accept()
        if isinstance(deed, QAction):
            deed.trigger()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let arrows and Enter work on the list while words are typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            row = self._list.currentRow()
            match event.key():
                case Qt.Key.Key_Down:
                    self._list.setCurrentRow(min(row + 1, self._list.count() - 1))
                    return True
                case Qt.Key.Key_Up:
                    self._list.setCurrentRow(max(row - 1, 0))
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    item = self._list.currentItem()
                    if item is not None:
                        self._do(item)
                    return True
                case _:
                    pass
        return super().eventFilter(watched, event)
