"""The main window: banner, notices, screens with their side bar, commands and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QByteArray, QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QKeySequence
from PyQt6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.application import dress, settings
from gui.banner import Banner
from gui.icons import icon
from gui.link import Link, Refusal
from gui.live import LiveRun
from gui.notices import Notices
from gui.palette import THEMES, scale, theme
from gui.screen import Place, deeds_of


def _run_screen(run: LiveRun, link: Link) -> QWidget:
    from gui.run.screen import RunScreen

    return RunScreen(run, link)


def _dut_screen(run: LiveRun, link: Link) -> QWidget:
    from gui.dut.screen import DutScreen

    return DutScreen(run, link)


def _bench_screen(run: LiveRun, link: Link) -> QWidget:
    from gui.bench.screen import BenchScreen

    return BenchScreen(run, link)


def _results_screen(run: LiveRun, link: Link) -> QWidget:
    from gui.results.screen import ResultsScreen

    return ResultsScreen(run, link)


def _share_screen(run: LiveRun, link: Link) -> QWidget:
    from gui.share.screen import ShareScreen

    return ShareScreen(run, link)


# Each is imported when it is first shown: the window is there sooner.
SCREENS = (
    Place("run", "Run", _run_screen),
    Place("dut", "DUT", _dut_screen),
    Place("bench", "Bench", _bench_screen),
    Place("results", "Results", _results_screen),
    Place("share", "Share", _share_screen),
)


class MainWindow(QMainWindow):
    """One window on one engine."""

    closing = pyqtSignal(QCloseEvent)
    """The operator closes the window; whoever owns it may ignore the event."""

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("window")
        self.setWindowTitle("Pilotbench")
        self.setMinimumSize(1024, 640)
        self.run = run
        self.link = link
        self.deeds: list[QAction] = []
        """What can be done from everywhere."""
        self.banner = Banner(run, link)
        self.notices = Notices()
        self.notices.hide()
        self._screens: dict[str, QWidget] = {}
        self._stack = QStackedWidget()
        self._stack.setObjectName("screens")
        self._buttons = QButtonGroup(self)
        self.setCentralWidget(self._central())
        self._add_deeds()
        link.state_changed.connect(self._link_changed)
        link.refused.connect(self.refused)
        run.prompts_changed.connect(self._prompts_changed)
        self._restore()
        self.show_screen("run")

    def _central(self) -> QWidget:
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._side_bar())
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.notices)
        middle.addWidget(self._stack, 1)
        row.addLayout(middle, 1)
        column.addLayout(row, 1)
        return central

    def _side_bar(self) -> QWidget:
        bar = QFrame()
        bar.setObjectName("side-bar")
        column = QVBoxLayout(bar)
        column.setContentsMargins(8, 12, 0, 12)
        column.setSpacing(4)
        for number, place in enumerate(SCREENS, start=1):
            button = QToolButton()
            button.setObjectName(f"screen-{place.name}")
            button.setProperty("role", "screen")
            button.setText(place.title)
            button.setAccessibleName(f"Screen {place.title}")
            button.setToolTip(f"{place.title} (Ctrl+{number})")
            button.setIcon(icon(place.name))
            button.setIconSize(QSize(26, 26))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setCheckable(True)
            button.setMinimumWidth(72)
            button.clicked.connect(partial(self.show_screen, place.name))
            self._buttons.addButton(button, number)
            column.addWidget(button)
        column.addStretch(1)
        return bar

    # Screens.

    def show_screen(self, name: str) -> None:
        """Bring a screen to the front, made when it is shown for the first time."""
        number = next(n for n, place in enumerate(SCREENS, start=1) if place.name == name)
        screen = self.screen_named(name)
        self._stack.setCurrentWidget(screen)
        button = self._buttons.button(number)
        if button is not None:
            button.setChecked(True)
        screen.shown()  # type: ignore[attr-defined]
        self._prompts_changed()

    def screen_named(self, name: str) -> QWidget:
        """Return a screen, made if it has not been yet."""
        if name not in self._screens:
            place = next(place for place in SCREENS if place.name == name)
            screen = place.make(self.run, self.link)
            screen.setObjectName(f"{name}-screen")
            self._screens[name] = screen
            self._stack.addWidget(screen)
            for deed in deeds_of(screen):
                screen.addAction(deed)
            told = getattr(screen, "told", None)
            if told is not None:
                told.connect(self._told)
        return self._screens[name]

    # Deeds.

    def add_deed(
        self, name: str, text: str, act: Callable[[], object], *keys: str | QKeySequence
    ) -> QAction:
        """Add something that can be done from everywhere."""
        deed = QAction(text, self)
        deed.setObjectName(name)
        deed.setShortcuts([QKeySequence(key) for key in keys])
        deed.triggered.connect(lambda: act())
        self.addAction(deed)
        self.deeds.append(deed)
        return deed

    @property
    def all_deeds(self) -> list[QAction]:
        """What can be done now: from everywhere, and on the screen in front."""
        front = self._stack.currentWidget()
        return self.deeds + ([] if front is None else deeds_of(front))

    @property
    def cases(self) -> list[tuple[str, Callable[[], object]]]:
        """The cases of the plan, and what brings each into view."""
        screen = self.screen_named("run")
        plan = screen.plan  # type: ignore[attr-defined]

        def go(case: str) -> None:
            self.show_screen("run")
            plan.go_to(case)

        return [
            (f"Go to {entry.id}  {entry.title}", partial(go, entry.id))
            for entry in plan.model.entries.values()
        ]

    def _add_deeds(self) -> None:
        for number, place in enumerate(SCREENS, start=1):
            self.add_deed(
                f"show-{place.name}",
                f"Show {place.title}",
                partial(self.show_screen, place.name),
                f"Ctrl+{number}",
            )
        self.add_deed("to-prompt", "Go to the question of the bench", self.to_prompt, "F2")
        self.add_deed("palette", "Find a command or a case…", self._palette, "Ctrl+K")
        self.add_deed("shortcuts", "List the shortcuts", self._shortcuts, "F1")
        self.add_deed("theme", "Change between light, dark and high contrast", self._theme, "F8")
        self.add_deed("larger", "Larger texts", partial(self._scale, 0.1), "Ctrl++", "Ctrl+=")
        self.add_deed("smaller", "Smaller texts", partial(self._scale, -0.1), "Ctrl+-")
        self.add_deed("full-screen", "Full screen", self._full_screen, "F11")
        self.add_deed("quit", "Close the window", self.close, "Ctrl+Q")

    def _palette(self) -> None:
        from gui.command_palette import CommandPalette

        CommandPalette(self).open()

    def _shortcuts(self) -> None:
        from gui.shortcuts import Shortcuts

        Shortcuts(self).open()

    def _theme(self) -> None:
        names = list(THEMES)
        after = names[(names.index(theme().name) + 1) % len(names)]
        self._dress(after, scale())

    def _scale(self, change: float) -> None:
        self._dress(theme().name, round(min(2.0, max(1.0, scale() + change)), 1))

    def _dress(self, name: str, size: float) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        dress(app, name, size)
        settings().setValue("theme", name)
        settings().setValue("scale", size)

    def _full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # What happens.

    def to_prompt(self) -> None:
        """Go to the question of the bench, from wherever."""
        self.show_screen("run")
        self.screen_named("run").prompt.take_focus()  # type: ignore[attr-defined]

    def _prompts_changed(self) -> None:
        """Tell on other screens that the bench asks something."""
        prompts = list(self.run.prompts.values())
        if not prompts or self._stack.currentWidget() is self._screens.get("run"):
            self.notices.settle("prompt")
            return
        text = f"The bench asks: {prompts[0].event.text}"
        self.notices.tell("prompt", text, "Go there (F2)", self.to_prompt)

    def _told(self, key: str, text: str) -> None:
        if text:
            self.notices.tell(key, text)
        else:
            self.notices.settle(key)

    def refused(self, refusal: Refusal) -> None:
        """Tell what a request did not do."""
        self.notices.tell("refused", refusal.text)

    def _link_changed(self, state: str) -> None:
        if state == "connected":
            self.notices.settle("link")
        elif state == "lost":
            self.notices.tell(
                "link",
                f"The connection to the engine is lost ({self.link.why}) and is tried again. "
                "What the engine recorded is safe; this window shows it as soon as it is back.",
                "Try now",
                self.link.open,
            )
        elif state == "refused":
            self.notices.tell("link", self.link.why, "Try again", self.link.open)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the icons in the colours of another theme."""
        if event is not None and event.type() == QEvent.Type.StyleChange:
            for number, place in enumerate(SCREENS, start=1):
                button = self._buttons.button(number)
                if button is not None:
                    button.setIcon(icon(place.name))
            self.banner.updateGeometry()
        super().changeEvent(event)

    # What is remembered.

    def _restore(self) -> None:
        geometry = settings().value("window/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        else:
            room = self.screen()
            wide = room is not None and room.availableSize().width() > 1520
            self.resize(room.availableSize() * 0.9 if wide and room else QSize(1366, 768))

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask about what is not saved and whoever owns the window, then remember how it stood."""
        assert event is not None
        for name, screen in self._screens.items():
            if getattr(screen, "is_dirty", False):
                event.ignore()
                self.show_screen(name)
                screen.settle(self.close)  # type: ignore[attr-defined]
                return
        self.closing.emit(event)
        if event.isAccepted():
            settings().setValue("window/geometry", self.saveGeometry())
            for screen in self._screens.values():
                screen.close()
