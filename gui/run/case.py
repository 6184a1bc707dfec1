"""The current case: what it is about, and its steps with their checks as they happen."""

from __future__ import annotations

from PyQt6.QtCore import (
    QEvent,
    QModelIndex,
    Qt,
    QTimer,
    pyqtSignal,
)
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bench.clock import spoken
from bench.journal import Record
from bench.views import CaseView, State
from gui.labels import ElidedLabel
from gui.live import LiveRun
from gui.palette import mark_icon, mark_of, px, theme
from gui.parts import text
from gui.run.lines import ROW, LineDelegate, LinesModel
from gui.run.plan_entries import mark_name


class CasePanel(QWidget):
    """Shows the case that runs, or the one that the operator looks at."""

    followed = pyqtSignal(str)
    """The case that runs came into view."""

    def __init__(self, run: LiveRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._looked: str | None = None
        """The case that the operator wants to look at; None: whichever runs."""
        self._sticks = True
        """Whether the list scrolls along; not after the operator has scrolled up."""
        self.model = LinesModel(self)
        self._mark = QLabel()
        self._title = ElidedLabel()
        self._title.setProperty("role", "title")
        self._purpose = text(role="muted", wraps=True)
        self._reason = text(role="problem", wraps=True)
        self._reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._elapsed = text(role="heading")
        self.follow_button = QPushButton("Follow the run")
        self.follow_button.setObjectName("case-follow")
        self.follow_button.setAccessibleName("Follow the case that runs")
        self.follow_button.clicked.connect(self.follow)
        self.list = self._make_list()
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._mark)
        head.addWidget(self._title, 1)
        head.addWidget(self._elapsed)
        head.addWidget(self.follow_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._purpose)
        column.addWidget(self._reason)
        column.addSpacing(4)
        line = QFrame()
        line.setProperty("role", "line")
        column.addWidget(line)
        column.addWidget(self.list, 1)
        run.begun.connect(self._begun)
        run.advanced.connect(self._advanced)
        run.cut_changed.connect(self._show_head)
        run.cursor.moved.connect(self._pointed)
        self._show_head()

    def _make_list(self) -> QListView:
        view = QListView()
        view.setObjectName("case-lines")
        view.setAccessibleName("Steps and checks of the case")
        view.setModel(self.model)
        view.setItemDelegate(LineDelegate(view))
        view.setUniformItemSizes(True)
        view.setMinimumHeight(px(ROW))
        # A long question needs its room: the list asks for none.
        view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        view.setProperty("role", "plain")
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = view.verticalScrollBar()
        assert bar is not None
        # What is shown then may move the list, which has to have scrolled by then.
        bar.actionTriggered.connect(lambda: QTimer.singleShot(0, self._scrolled))
        bar.rangeChanged.connect(self._grown)
        view.clicked.connect(self._clicked)
        return view

    @property
    def case(self) -> CaseView | None:
        """The case that is shown."""
        return self.model.shown.case

    @property
    def is_following(self) -> bool:
        """Tell whether the case that runs is shown, and the list scrolls along."""
        return self._looked is None and self._sticks

    def look_at(self, case: str) -> None:
        """Show a case of the run, until the operator follows the run again."""
        found = next((one for one in self._run.view.cases if one.id == case), None)
        if found is None:
            return
        self._looked = None if found is self._run.view.case else case
        self._sticks = found.state is not State.ENDED
        self._show(found)

    def follow(self) -> None:
        """Show the case that runs, and scroll along."""
        self._looked, self._sticks = None, True
        self._show(self._newest())
        self.list.scrollToBottom()

    def _newest(self) -> CaseView | None:
        view = self._run.view
        if view.case is not None:
            return view.case
        begun = [case for case in view.cases if case.state is not State.WAITING]
        return begun[-1] if begun else None

    def _show(self, case: CaseView | None) -> None:
        self.model.look_at(case)
        self._show_head()
        if self._sticks:
            self.list.scrollToBottom()

    # What changes.

    def _begun(self) -> None:
        self._looked, self._sticks = None, True
        self._show(None)

    def _advanced(self, records: list[Record]) -> None:
        newest = self._newest()
        if self._looked is None and newest is not self.case:
            self._sticks = True
            self._show(newest)
            if newest is not None:
                self.followed.emit(newest.id)
            return
        self.model.advance()
        self._show_head()

    def _show_head(self) -> None:
        case = self.case
        running = self._run.view.case
        self.follow_button.setVisible(not self.is_following and running is not None)
        if case is None:
            self._mark.setPixmap(mark_icon("waiting", 28).pixmap(28, 28))
            live = self._run.is_live
            self._title.setText("No case runs" if live else "No case has begun")
            self._purpose.setText(
                "Choose cases on the left and start the run."
                if live
                else "Play the recording (K), or go to the next case (N)."
            )
            self._elapsed.setText("")
            self._reason.hide()
            return
        state = mark_name(case, is_cut=self._run.is_cut)
        self._mark.setPixmap(mark_icon(state, 28).pixmap(28, 28))
        self._title.setText(f"{case.id}  {case.title}")
        self._purpose.setText(case.purpose.split("\n\n")[0].replace("\n", " "))
        word = mark_of(state).word
        self._elapsed.setText(f"{word} · {spoken(case.duration)}" if case.duration else word)
        self._reason.setVisible(bool(case.reason))
        self._reason.setText(case.reason or "")
        self._reason.setStyleSheet(f"color: {theme().of(state)}")

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the mark in the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._show_head()

    # Scrolling.

    def _scrolled(self) -> None:
        """Note where the operator scrolled to; the list's own scrolling is not told here."""
        bar = self.list.verticalScrollBar()
        assert bar is not None
        self._sticks = bar.sliderPosition() >= bar.maximum() - px(ROW)
        running = self._run.view.case
        self.follow_button.setVisible(not self.is_following and running is not None)

    def _grown(self) -> None:
        if self._sticks:
            self.list.scrollToBottom()

    def _clicked(self, index: QModelIndex) -> None:
        record = self.model.line(index).record
        moment = self._run.timeline.moment_of(record) if record else None
        if moment is not None:
            self._run.cursor.select(moment, record)

    def _pointed(self) -> None:
        """Show what another view points at: a record, or the last one up to a moment."""
        cursor, view = self._run.cursor, self._run.view
        if cursor.moment is None:
            return
        n = cursor.record or self._run.timeline.record_at(cursor.moment)
        if n is None:
            return
        case = next(
            (one for one in reversed(view.cases) if _first_record(one) <= n and one.steps), None
        )
        if case is not None and case is not self.case:
            self.look_at(case.id)
        line = self.model.line_of_record(n)
        if line is not None:
            self._sticks = False
            self.list.setCurrentIndex(self.model.index(line))


def _first_record(case: CaseView) -> float:
    for step in case.steps:
        for item in step.items:
            return item.n
    return float("inf")
