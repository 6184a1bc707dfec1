"""Keys of the view that has the focus, which the window's shortcuts may not take."""

from __future__ import annotations

from collections.abc import Collection

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent

_SHIFT = Qt.KeyboardModifier.ShiftModifier


def keeps(event: QEvent | None, keys: Collection[Qt.Key]) -> bool:
    """Accept that a shortcut of the window would take one of the keys; tell whether it was one."""
    if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.ShortcutOverride:
        return False
    if event.key() not in keys or event.modifiers() & ~_SHIFT != Qt.KeyboardModifier.NoModifier:
        return False
    event.accept()
    return True
