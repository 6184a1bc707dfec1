"""The Qt application: style, themes, fonts, settings, and Qt's own messages."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PyQt6.QtCore import QMessageLogContext, QSettings, Qt, QtMsgType, qInstallMessageHandler
from PyQt6.QtGui import QFontDatabase, QGuiApplication
from PyQt6.QtWidgets import QApplication, QStyleFactory

from bench import __version__
from gui.notices import Notices
from gui.palette import BASE, THEMES, font, qt_palette
from gui.style import style_sheet

FONTS = Path(__file__).parent / "fonts"
_NOISE = ("propagateSizeHints", "QFont::fromString")
"""What Qt says without anybody having to care."""
_NO_DISPLAY = (
    "could not connect to display",
    "no Qt platform plugin",
    "could not be initialized",
    "Could not load the Qt platform plugin",
    "xcb-cursor0",
)


def make_application(arguments: Sequence[str] = ()) -> QApplication:
    """Make the application with the operator's theme and scale; one line and exit 3 without screen.

    Texts are scaled by the operator's setting on top of what the screen's density asks for.
    """
    qInstallMessageHandler(_on_message)
    sys.excepthook = _on_defect  # without one, Qt ends the program
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QApplication([sys.argv[0], *arguments])
    app.setOrganizationName("pilotbench")
    app.setApplicationName("desktop")
    app.setApplicationDisplayName("Pilotbench")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("pilotbench")
    # Texts are as wide here as they are on every other machine.
    for path in sorted(FONTS.glob("*.otf")):
        QFontDatabase.addApplicationFont(str(path))
    app.setStyle(QStyleFactory.create("Fusion"))
    stored = settings()
    dress(app, str(stored.value("theme", "light")), float(stored.value("scale", 1.0)))
    return app


def dress(app: QApplication, name: str, scale: float = 1.0) -> None:
    """Put a theme and a scale of texts in force."""
    theme = THEMES.get(name, THEMES["light"])
    scale = min(2.0, max(1.0, scale))
    app.setProperty("theme", theme.name)
    app.setProperty("scale", scale)
    app.setPalette(qt_palette(theme))
    app.setFont(font(BASE))
    app.setStyleSheet(style_sheet(theme, scale))


def settings() -> QSettings:
    """Return what this person's desktop app remembers."""
    ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    return QSettings(ini, user, "pilotbench", "desktop")


def _on_defect(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    traceback.print_exception(kind, error, at)
    text = (
        f"A defect of this window: {kind.__name__}: {error}. The engine's record has no part in it."
    )
    for widget in QApplication.topLevelWidgets():
        if isinstance(notices := getattr(widget, "notices", None), Notices):
            notices.tell("defect", text)


def _on_message(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    said = (text or "").strip()
    if kind is QtMsgType.QtFatalMsg:
        why = said.splitlines()[0] if said else "Qt can't start"
        if any(part in said for part in _NO_DISPLAY):
            why = (
                "the desktop app needs a display, and none answers (DISPLAY, WAYLAND_DISPLAY); "
                "if one is there, QT_DEBUG_PLUGINS=1 tells which library is missing"
            )
        sys.stderr.write(f"pilotbench: {why}\n")
        sys.stderr.flush()
        os._exit(3)
    if kind is QtMsgType.QtDebugMsg or any(part in said for part in _NOISE):
        return
    if any(part in said for part in _NO_DISPLAY):
        return  # the fatal message that follows is told in words
    sys.stderr.write(f"Qt: {said}\n")
