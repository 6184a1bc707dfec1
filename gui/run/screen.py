"""The Run screen: the plan, the current case with the prompt bar, and docks around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import QByteArray, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QDockWidget,
    QFrame,
    QInputDialog,
    QMainWindow,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.application import settings
from gui.labels import ElidedLabel
from gui.link import Link
from gui.live import LiveRun
from gui.operator import operator_name, set_operator_name
from gui.parts import deed
from gui.run.case import CasePanel
from gui.run.controls import Controls
from gui.run.plan import PlanPanel
from gui.run.prompt import PromptBar, echo_of

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BELOW = Qt.DockWidgetArea.BottomDockWidgetArea
WIDE = 1400
"""Width of the screen from which the docks beside the case are wider."""
SIDES, WIDE_SIDES = (344, 240), (400, 300)
"""Widths at first of the plan, and of the docks at the right."""
LEAST, LOW, TALL, ROOMY = 80, 220, 340, 800
"""Heights of the docks below: the least, at first, and where the screen has more than the last."""


@dataclass(frozen=True, slots=True)
class Dock:
    """A dock of the screen; docks of one area stand behind each other as tabs."""

    name: str
    title: str
    area: Qt.DockWidgetArea
    make: Callable[[LiveRun, Link], QWidget]
    keys: str
    """What brings it to the front."""
    live: bool = False
    """Of no use in a replay."""


def _devices(run: LiveRun, link: Link) -> QWidget:
    from gui.run.devices import DevicesPanel

    return DevicesPanel(run, link)


def _watchers(run: LiveRun, link: Link) -> QWidget:
    from gui.run.watchers import WatchersPanel

    return WatchersPanel(run, link)


def _messages(run: LiveRun, link: Link) -> QWidget:
    from gui.messages.panel import MessageList

    return MessageList(run.timeline, run.cursor)


def _sequence(run: LiveRun, link: Link) -> QWidget:
    from gui.messages.chart import SequenceChart

    return SequenceChart(run.timeline, run.cursor)


def _plots(run: LiveRun, link: Link) -> QWidget:
    from gui.plots.panel import PlotPanel

    return PlotPanel(run, link)


# Each is imported when the docks are filled, after the window's first paint.
DOCKS: tuple[Dock, ...] = (
    Dock("messages", "Messages", BELOW, _messages, "Alt+M"),
    Dock("sequence", "Sequence", BELOW, _sequence, "Alt+S"),
    Dock("plots", "Plots", BELOW, _plots, "Alt+P"),
    Dock("devices", "Devices", RIGHT, _devices, "Alt+D", live=True),
    Dock("watchers", "Watchers", RIGHT, _watchers, "Alt+W", live=True),
)


class RunScreen(QMainWindow):
    """What the operator looks at all day."""

    title = "Run"
    told = pyqtSignal(str, str)
    """A key and what the window should tell; no text: it is settled."""

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setCorner(Qt.Corner.BottomLeftCorner, LEFT)
        self.setCorner(Qt.Corner.BottomRightCorner, BELOW)  # messages need the width
        self.deeds: list[QAction] = []
        self._run = run
        self._link = link
        self._parts = [one for one in DOCKS if run.is_live or not one.live]
        self.docks: dict[str, QDockWidget] = {}
        # Over a recorded run there is nothing to choose, to start or to abort.
        self.plan = PlanPanel(run, link if run.is_live else None)
        self.controls = Controls(run, link, self.plan) if run.is_live else None
        self.case = CasePanel(run)
        self.prompt = PromptBar(run, link)
        self.echo = ElidedLabel()
        self.echo.setProperty("role", "small")
        self.echo.setObjectName("prompt-echo")
        self.echo.setContentsMargins(16, 0, 16, 4)
        self.echo.hide()
        self.setCentralWidget(self._centre())
        if self.controls is not None:
            self.controls.told.connect(self.told)
        self.plan.pointed.connect(self.case.look_at)
        self.case.followed.connect(self.plan.show_case)
        run.prompts_changed.connect(self._tell_echo)
        self._add_deeds()
        self._add_docks()
        # What docks hold may be slow to import; the window is there before.
        QTimer.singleShot(0, self._fill_docks)

    def shown(self) -> None:
        """Come to the front: what was edited elsewhere may switch cases on or off."""
        self.plan.ask()
        self.plan.tree.setFocus()

    def _plan(self) -> QWidget:
        card = QFrame()
        card.setProperty("role", "card")
        card.setMinimumWidth(320)
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 4, 12, 12)
        column.addWidget(self.plan, 1)
        if self.controls is not None:
            column.addWidget(self.controls)
        return card

    def _centre(self) -> QWidget:
        card = QFrame()
        card.setProperty("role", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.case, 1)
        column.addWidget(self.echo)
        centre = _Centre()
        rows = QVBoxLayout(centre)
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setSpacing(8)
        rows.addWidget(self.prompt)
        rows.addWidget(card, 1)
        return centre

    def _tell_echo(self) -> None:
        answered = self._run.answered
        if answered is not None:
            self.echo.setText(f"{echo_of(answered)} — {answered.event.text}")
        self.echo.setVisible(answered is not None)

    # Deeds.

    def _add_deeds(self) -> None:
        self._add_deed("search-plan", "Search the plan", self._search, "Ctrl+F")
        controls = self.controls
        if controls is None:
            return
        for name, words, act, keys in (
            ("start", "Run the chosen cases", controls.start, "Ctrl+R"),
            ("failed-again", "Run again what did not pass", controls.start_failed, "Ctrl+Shift+R"),
            ("alone", "Run the case at the cursor alone", controls.start_alone, "Ctrl+Return"),
            ("from-here", "Run from the cursor on", controls.start_here, "Ctrl+Shift+H"),
            ("pause", "Pause the run, or let it go on", controls.pause, "Ctrl+P"),
            ("abort", "Abort the run…", controls.ask_abort, "Ctrl+Shift+A"),
            ("follow", "Follow the case that runs", self.case.follow, "Ctrl+End"),
            ("operator-name", "Who sits at the bench…", self._ask_name, ""),
        ):
            self._add_deed(name, words, act, keys)
        self._add_deed(
            "sound", "Sound with questions of the bench, or none", self.prompt.change_sound, "F7"
        )

    def _add_deed(self, name: str, words: str, act: Callable[[], object], keys: str) -> None:
        made = deed(self, name, words, act, *filter(None, (keys,)))
        made.setAutoRepeat(False)  # a key that is held pauses or aborts nothing twice
        self.deeds.append(made)

    def _ask_name(self) -> None:
        asking = QInputDialog(self)
        asking.setWindowTitle("Who sits at the bench")
        asking.setLabelText("The name that answers and acts are recorded with:")
        asking.setTextValue(operator_name())
        asking.textValueSelected.connect(set_operator_name)
        asking.open()

    def _search(self) -> None:
        self.plan.search.setFocus()
        self.plan.search.selectAll()

    # Docks.

    def _add_docks(self) -> None:
        plan = QDockWidget("Plan", self)
        plan.setObjectName("plan-dock")
        plan.setWidget(self._plan())
        plan.setTitleBarWidget(QWidget())
        plan.topLevelChanged.connect(partial(_title_when_floating, plan))
        self.addDockWidget(LEFT, plan)
        self.docks["plan"] = plan
        first: dict[Qt.DockWidgetArea, QDockWidget] = {}
        for one in self._parts:
            dock = QDockWidget(one.title, self)
            dock.setObjectName(f"{one.name}-dock")
            self.addDockWidget(one.area, dock)
            if one.area in first:
                self.tabifyDockWidget(first[one.area], dock)
            first.setdefault(one.area, dock)
            self.docks[one.name] = dock
            # Tabs name the docks; one that floats has a title of its own.
            dock.setTitleBarWidget(QWidget())
            dock.topLevelChanged.connect(partial(_title_when_floating, dock))
            toggle = dock.toggleViewAction()
            assert toggle is not None
            toggle.setText(f"Show or hide {one.title}")
            self.deeds.append(toggle)
            go = partial(self._go, one.name)
            self._add_deed(f"go-{one.name}", f"Go to {one.title}", go, one.keys)
        for dock in first.values():
            dock.raise_()

    def _go(self, name: str) -> None:
        """Bring a dock to the front, with the keys to it."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        inside = dock.widget()
        if inside is not None:
            inside.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fill_docks(self) -> None:
        for one in self._parts:
            part = one.make(self._run, self._link)
            if one.area is BELOW:
                part.setMinimumHeight(LEAST)  # a long question needs its room
            self.docks[one.name].setWidget(part)
        right = [self.docks[one.name] for one in self._parts if one.area is RIGHT]
        below = [self.docks[one.name] for one in self._parts if one.area is BELOW]
        plan, devices = SIDES if self.width() < WIDE else WIDE_SIDES
        if right:
            self.resizeDocks(right[:1], [devices], Qt.Orientation.Horizontal)
        if below:
            height = TALL if self.height() > ROOMY else LOW
            self.resizeDocks(below[:1], [height], Qt.Orientation.Vertical)
        self.resizeDocks([self.docks["plan"]], [plan], Qt.Orientation.Horizontal)
        state = settings().value("run/docks")
        if isinstance(state, QByteArray):
            self.restoreState(state)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Remember how everything stood."""
        settings().setValue("run/docks", self.saveState())
        super().closeEvent(event)


def _title_when_floating(dock: QDockWidget, floats: bool) -> None:
    dock.setTitleBarWidget(None if floats else QWidget())


class _Centre(QWidget):
    """Needs the height that its texts take at its width, which the docks around it give it."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Count wrapped texts, which Qt's main window does not."""
        size, layout = super().minimumSizeHint(), self.layout()
        if layout is not None and layout.hasHeightForWidth():
            size.setHeight(max(size.height(), layout.minimumHeightForWidth(self.width())))
        return size

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask for another height at another width."""
        super().resizeEvent(event)
        self.updateGeometry()
