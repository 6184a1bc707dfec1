"""Notices under the banner: what went wrong in words, with the way out as a button."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

MOST = 3
"""Notices shown at once; an older one gives way."""


class Notices(QWidget):
    """Shows notices, the newest at the bottom; each stays until it is settled or dismissed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(16, 0, 16, 0)
        self._rows.setSpacing(8)
        self._shown: dict[str, QFrame] = {}

    def tell(
        self, key: str, text: str, way_out: str = "", act: Callable[[], None] | None = None
    ) -> None:
        """Show a notice; one with the same key gives way to it."""
        self.settle(key)
        frame = QFrame()
        frame.setProperty("role", "attention")
        frame.setObjectName(f"notice-{key}")
        row = QHBoxLayout(frame)
        row.setContentsMargins(16, 8, 8, 8)
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)  # it may quote what others wrote
        label.setWordWrap(True)
        row.addWidget(label, 1)
        if act is not None:
            button = QPushButton(way_out)
            button.setObjectName(f"notice-{key}-act")
            button.setAccessibleName(f"{way_out}: {text}")
            button.setToolTip("F4")
            button.clicked.connect(act)
            row.addWidget(button)
        dismiss = QPushButton("Dismiss")
        dismiss.setAccessibleName(f"Dismiss: {text}")
        dismiss.setToolTip("Shift+F4")
        dismiss.setProperty("role", "flat")
        dismiss.clicked.connect(lambda: self.settle(key))
        row.addWidget(dismiss)
        self._shown[key] = frame
        self._rows.addWidget(frame)
        while len(self._shown) > MOST:
            self.settle(next(iter(self._shown)))
        self._fit()

    def settle(self, key: str) -> None:
        """Take a notice away: what it said is not so any more."""
        frame = self._shown.pop(key, None)
        if frame is not None:
            self._rows.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
            self._fit()

    def act(self) -> bool:
        """Press the button of the newest notice that has one; tell whether there is one."""
        for key, frame in reversed(self._shown.items()):
            button = frame.findChild(QPushButton, f"notice-{key}-act")
            if button is not None:
                button.click()
                return True
        return False

    def dismiss(self) -> bool:
        """Take the newest notice away; tell whether there is one."""
        if not self._shown:
            return False
        self.settle(next(reversed(self._shown)))
        return True

    def tells(self, key: str) -> bool:
        """Tell whether a notice is shown."""
        return key in self._shown

    @property
    def texts(self) -> list[str]:
        """What is shown."""
        labels = (frame.findChild(QLabel) for frame in self._shown.values())
        return [label.text() for label in labels if label is not None]

    def _fit(self) -> None:
        margin = 8 if self._shown else 0
        self._rows.setContentsMargins(16, margin, 16, 0)
        self.setVisible(bool(self._shown))
