"""The Run screen: the plan, the current case with the prompt bar, and docks around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import QDockWidget, QLabel, QMainWindow, QVBoxLayout, QWidget

from gui.application import settings
from gui.link import Link
from gui.live import LiveRun

RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BELOW = Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True, slots=True)
class Dock:
    """A dock of the screen; docks of one area stand behind each other as tabs."""

    name: str
    title: str
    area: Qt.DockWidgetArea
    make: Callable[[LiveRun, Link], QWidget]


# Each is imported when the docks are filled, after the window's first paint.
DOCKS: tuple[Dock, ...] = ()


class RunScreen(QMainWindow):
    """What the operator looks at all day."""

    title = "Run"

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.deeds: list[QAction] = []
        self._run = run
        self._link = link
        self._docks: dict[str, QDockWidget] = {}
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.addWidget(QLabel("The current case"))
        self.setCentralWidget(centre)
        self._add_docks()

    def shown(self) -> None:
        """Come to the front."""

    def _add_docks(self) -> None:
        first: dict[Qt.DockWidgetArea, QDockWidget] = {}
        for one in DOCKS:
            dock = QDockWidget(one.title, self)
            dock.setObjectName(f"{one.name}-dock")
            dock.setWidget(one.make(self._run, self._link))
            self.addDockWidget(one.area, dock)
            if one.area in first:
                self.tabifyDockWidget(first[one.area], dock)
            first.setdefault(one.area, dock)
            self._docks[one.name] = dock
        for dock in first.values():
            dock.raise_()
        state = settings().value("run/docks")
        if isinstance(state, QByteArray):
            self.restoreState(state)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Remember where the docks stood."""
        settings().setValue("run/docks", self.saveState())
        super().closeEvent(event)
