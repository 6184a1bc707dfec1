"""Keys, mouse and windows, as an operator would use them."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget

_TEST: Any = QTest  # whose stubs want an instance
_LEFT, _NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_NONE = Qt.KeyboardModifier.NoModifier


def press(widget: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = _NONE) -> None:
    """Press and release a key."""
    _TEST.keyClick(widget, key, held)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """Click, in the middle unless a place is given."""
    _TEST.mouseClick(widget, _LEFT, _NONE, place or widget.rect().center())


def double_click(widget: QWidget, place: QPoint) -> None:
    """Click twice."""
    click(widget, place)
    _TEST.mouseDClick(widget, _LEFT, _NONE, place)
    _TEST.mouseRelease(widget, _LEFT, _NONE, place)


def drag(widget: QWidget, begin: QPoint, end: QPoint, held: Qt.KeyboardModifier = _NONE) -> None:
    """Press, move and release the mouse."""
    _TEST.mousePress(widget, _LEFT, held, begin)
    for place in ((begin + end) / 2, end):
        _move(widget, place, _LEFT, held)
    _TEST.mouseRelease(widget, _LEFT, held, end)


def hover(widget: QWidget, place: QPoint) -> None:
    """Move the mouse without pressing it."""
    _move(widget, place, _NO_BUTTON, _NONE)


def _move(
    widget: QWidget, place: QPoint, pressed: Qt.MouseButton, held: Qt.KeyboardModifier
) -> None:
    there = QPointF(place), QPointF(widget.mapToGlobal(place))
    move = QMouseEvent(QEvent.Type.MouseMove, *there, _NO_BUTTON, pressed, held)
    QApplication.sendEvent(widget, move)


def windows() -> list[QWidget]:
    """List all windows but the bare ones that Qt's graphics layouts own and measure styles with."""
    return [one for one in QApplication.topLevelWidgets() if type(one) is not QWidget]
