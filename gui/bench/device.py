"""The chosen device of the bench: who it is, how it is, and moving it by hand."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from gui.bench.wired import Wired, health
from gui.link import Link
from gui.live import LiveRun
from gui.parts import GRID, muted, restyle, text

WIDE = 700
"""Width in pixels from which the facts stand beside the state."""


class DeviceCard(QScrollArea):
    """What `bench.toml` and the engine say of one device."""

    def __init__(self, run: LiveRun, link: Link) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.device: Wired | None = None
        self.title = text("Choose a device", "heading")
        self.state = text()
        self.message = text(wraps=True)
        self.lines = QGridLayout()
        self.lines.setHorizontalSpacing(2 * GRID)
        self.lines.setVerticalSpacing(GRID // 2)
        self.lines.setColumnStretch(1, 1)
        page = QWidget()
        left = QVBoxLayout()
        left.setSpacing(GRID)
        for part in (self.title, self.state, self.message):
            left.addWidget(part)
        left.addStretch(1)
        right = QVBoxLayout()
        right.addLayout(self.lines)
        right.addStretch(1)
        self.box = QBoxLayout(QBoxLayout.Direction.TopToBottom, page)
        self.box.setContentsMargins(GRID, GRID, GRID, GRID)
        self.box.setSpacing(2 * GRID)
        self.box.addLayout(left, 2)
        self.box.addLayout(right, 3)
        self.setWidget(page)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Put the facts beside the state where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE
        way = QBoxLayout.Direction
        self.box.setDirection(way.LeftToRight if wide else way.TopToBottom)
        for part, share in enumerate((2, 3) if wide else (0, 1)):
            self.box.setStretch(part, share)

    def show_device(self, device: Wired) -> None:
        """Show a device as it is now."""
        if device == self.device:
            return
        self.device = device
        shown = health(device.state)
        self.title.setText(device.name)
        self.state.setText(f"{shown.mark} {shown.word}")
        self.state.setProperty("tone", shown.tone)
        restyle(self.state)
        self.message.setText(device.message)
        self.message.setVisible(bool(device.message))
        while self.lines.count():
            part = self.lines.takeAt(0)
            widget = part.widget() if part is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        rows = (
            ("Driver", device.driver),
            ("Profile", device.profile),
            ("Link", "moved by hand" if device.by_hand else device.link),
            ("Offers", ", ".join(device.offers)),
            ("Role", device.role),
            ("Connectors", ", ".join(map(str, device.connectors))),
            ("Serial", device.serial),
        )
        for number, (name, value) in enumerate(row for row in rows if row[1]):
            self.lines.addWidget(muted(name), number, 0, Qt.AlignmentFlag.AlignTop)
            label = text(value, wraps=True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.lines.addWidget(label, number, 1)
