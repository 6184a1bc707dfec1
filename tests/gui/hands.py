"""Keys and mouse, as an operator would use them."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

_TEST: Any = QTest  # whose stubs want an instance
_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def press(widget: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = _NONE) -> None:
    """Press and release a key."""
    _TEST.keyClick(widget, key, held)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """Click, in the middle unless a place is given."""
    _TEST.mouseClick(widget, _LEFT, _NONE, place or widget.rect().center())


def drag(widget: QWidget, begin: QPoint, end: QPoint, held: Qt.KeyboardModifier = _NONE) -> None:
    """Press, move and release the mouse."""
    _TEST.mousePress(widget, _LEFT, held, begin)
    _TEST.mouseMove(widget, (begin + end) / 2)
    _TEST.mouseMove(widget, end)
    _TEST.mouseRelease(widget, _LEFT, held, end)
