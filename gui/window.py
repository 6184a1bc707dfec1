"""The main window: banner, notices, screens with their side bar, commands and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QByteArray, QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from bench.events import RunEnded
from bench.journal import Record
from gui.application import settings
from gui.banner import Banner
from gui.icons import icon
from gui.link import Link
from gui.live import LiveRun
from gui.looks import looks
from gui.notices import Notices
from gui.parts import Notice, deed
from gui.replies import Refusal
from gui.screen import deeds_of
from gui.screens import SCREENS


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
        run.begun.connect(lambda: self.notices.settle("ended"))
        run.advanced.connect(self._advanced)
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
            screen.addActions(deeds_of(screen))
            told = getattr(screen, "told", None)
            if told is not None:
                told.connect(self._told)
        return self._screens[name]

    # Deeds.

    def add_deed(self, name: str, text: str, act: Callable[[], object], *keys: str) -> QAction:
        """Add something that can be done from everywhere."""
        made = deed(self, name, text, act, *keys)
        self.addAction(made)
        self.deeds.append(made)
        return made

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
        self.add_deed("notice", "Do what the newest notice offers", self._act_on_notice, "F4")
        self.add_deed("dismiss", "Dismiss the newest notice", self._dismiss, "Shift+F4")
        self.add_deed("palette", "Find a command or a case…", self._palette, "Ctrl+K")
        self.add_deed("shortcuts", "List the shortcuts", self._shortcuts, "F1")
        for one in looks(self):
            self.addAction(one)
            self.deeds.append(one)
        self.add_deed("quit", "Close the window", self.close, "Ctrl+Q")

    @property
    def _front_notices(self) -> list[Notice]:
        """The notices of the screen in front."""
        front = self._stack.currentWidget()
        found = [] if front is None else front.findChildren(Notice)
        return [one for one in found if one.isVisible()]

    def _act_on_notice(self) -> None:
        _ = any(one.act() for one in self._front_notices) or self.notices.act()

    def _dismiss(self) -> None:
        if self._front_notices:
            self._front_notices[0].hide_it()
        else:
            self.notices.dismiss()

    def _palette(self) -> None:
        from gui.command_palette import CommandPalette

        CommandPalette(self).open()

    def _shortcuts(self) -> None:
        from gui.shortcuts import Shortcuts

        Shortcuts(self, self.all_deeds).open()

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

    def _advanced(self, records: list[Record]) -> None:
        """Tell why a run ended that nobody ended, and its cases did not."""
        view = self.run.view
        ended = view.ended
        if ended is None or ended.complete or view.aborted_by is not None or not ended.reason:
            return
        if any(isinstance(record.event, RunEnded) for record in records):
            text = f"The run ended before its cases did: {ended.reason}"
            show = partial(self.show_screen, "bench")
            self.notices.tell("ended", text, "Look at the bench", show)

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
        elif state == "lost" and not self.notices.tells("engine"):
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
