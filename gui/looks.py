"""How the windows look, changed by key and remembered: theme, size of texts, full screen."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QWidget

from gui.application import dress, settings
from gui.palette import THEMES, scale, theme
from gui.parts import deed


def looks(window: QWidget) -> list[QAction]:
    """Make what changes the looks of all windows, as deeds of one."""
    return [
        deed(window, "theme", "Change between light, dark and high contrast", _next_theme, "F8"),
        deed(window, "larger", "Larger texts", partial(_scale, 0.1), "Ctrl++", "Ctrl+="),
        deed(window, "smaller", "Smaller texts", partial(_scale, -0.1), "Ctrl+-"),
        deed(window, "full-screen", "Full screen", partial(_full_screen, window), "F11"),
    ]


def _next_theme() -> None:
    names = list(THEMES)
    _dress(names[(names.index(theme().name) + 1) % len(names)], scale())


def _scale(change: float) -> None:
    _dress(theme().name, round(min(2.0, max(1.0, scale() + change)), 1))


def _dress(name: str, size: float) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    dress(app, name, size)
    settings().setValue("theme", name)
    settings().setValue("scale", size)


def _full_screen(window: QWidget) -> None:
    window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)
