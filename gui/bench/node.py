"""One device in the wiring diagram: a button that says what it is and how it is."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QAbstractButton, QWidget

from gui.bench.wired import Wired, health
from gui.palette import font, px
from gui.parts import GRID, sized, tone

WIDTH, HEIGHT = 200, 58
"""Pixels of a device's box."""


class Node(QAbstractButton):
    """A device's box: name, driver, state by shape, word and colour."""

    def __init__(self, device: Wired, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        sized(self, lambda: self.setFixedSize(px(WIDTH), px(HEIGHT)))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.device = device
        self.show_device(device)

    def show_device(self, device: Wired) -> None:
        """Show a device, as it is now."""
        self.device = device
        word = health(device.state).word
        self.setAccessibleName(f"{device.name}, {device.group.lower()}, {word}")
        self.setAccessibleDescription(device.message)
        self.setToolTip(
            "\n".join(
                part for part in (f"{device.name}: {word}", device.message, device.link) if part
            )
        )
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Be always the same."""
        return QSize(px(WIDTH), px(HEIGHT))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the box."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown = health(self.device.state)
        colour = tone(shown.tone)
        lit = self.isChecked() or self.hasFocus()
        painter.setPen(QPen(tone("accent" if lit else "edge"), 2 if self.hasFocus() else 1))
        ground = "selected" if self.isChecked() else "hover" if self.underMouse() else "ground"
        painter.setBrush(tone(ground))
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(box.left() + 1, box.top() + 10, 4, box.height() - 20), 2, 2)
        self._write(painter, box.adjusted(2 * GRID, 4, -GRID, -4), shown.mark, shown.word, colour)

    def _write(self, painter: QPainter, room: QRectF, mark: str, word: str, colour: QColor) -> None:
        line = room.height() / 3
        name, small = font(bold=True), font(12)
        self._line(painter, room, 0, line, name, self.device.name, tone("ink"))
        what = " · ".join(part for part in (self.device.driver, self.device.profile) if part)
        self._line(painter, room, line, line, small, what, tone("quiet"))
        self._line(painter, room, 2 * line, line, font(12, bold=True), f"{mark} {word}", colour)

    @staticmethod
    def _line(
        painter: QPainter,
        room: QRectF,
        top: float,
        height: float,
        font: QFont,
        words: str,
        colour: QColor,
    ) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        place = QRectF(room.left(), room.top() + top, room.width(), height)
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
