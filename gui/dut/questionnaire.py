"""The PICS questionnaire as a form: every question with its field, by heading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from bench.questionnaire import QUESTIONS, Question, question_of, questions_for
from gui.dut.draft import Draft
from gui.dut.effects import NO_EFFECTS, Effects
from gui.dut.question import Row
from gui.palette import px
from gui.parts import GRID, muted, sized, text
from gui.tables import Cell, Table

OTHERS = "Other limits"


class Questionnaire(QWidget):
    """The form: headings with their progress at the left, the questions beside them."""

    looked_at = pyqtSignal(str)
    """The item whose question has the focus."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self._asked: dict[str, list[Question]] = {}
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(0)
        self._rest.timeout.connect(self._finish_later)
        self.rows: dict[str, Row] = {}
        self._effects = NO_EFFECTS
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search the questions (Ctrl+F)")
        self.search.setAccessibleName("Search the questions")
        self.search.setClearButtonEnabled(True)
        self.unanswered = QCheckBox("Only unanswered")
        self.unanswered.setAccessibleName("Show only questions that are not answered")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(GRID)
        self.bar.setAccessibleName("Answered questions")
        self.progress = text("", "strong")
        heads = ("Heading", "Done")
        self.headings = Table("Headings of the questionnaire", heads, stretch=0)
        sized(self.headings, lambda: self.headings.setFixedWidth(px(290)))
        self.nothing = muted("No question fits the search.", wraps=True)
        self.nothing.hide()
        self._page = QWidget()
        self._list = QVBoxLayout(self._page)
        self._list.setContentsMargins(0, 0, GRID, 0)
        self._list.setSpacing(GRID)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName("Questions")
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(self._page)
        self._titles: dict[str, QWidget] = {}
        self._done: dict[str, list[bool]] = {}
        self._arrange()
        self.search.textChanged.connect(self._sift)
        self.unanswered.toggled.connect(self._sift)
        self.headings.cellClicked.connect(lambda row, _column: self._go_to(row))
        self.headings.cellActivated.connect(lambda row, _column: self._go_to(row))
        draft.replaced.connect(self._update)
        draft.changed.connect(self._count)

    def _arrange(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(GRID)
        for part in (self.progress, self.bar, self.search, self.unanswered):
            side.addWidget(part)
        side.addWidget(self.headings, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID, 0, 0)
        row.setSpacing(2 * GRID)
        row.addLayout(side)
        row.addWidget(self.area, 1)

    def ask(self, kind: str) -> None:
        """Show the questions for a kind of DUT, with the draft's answers."""
        beyond = [item for item in self._draft.get("pics") or {} if item not in QUESTIONS]
        sections = {**questions_for(kind), OTHERS: [q for i in beyond if (q := question_of(i))]}
        asked = {heading: some for heading, some in sections.items() if some}
        if asked != self._asked:
            self._asked = asked
            self._clear()
            self._build()
            self.looked_at.emit(next(iter(self.rows)))

    def show_effects(self, effects: Effects) -> None:
        """Show beside each question how many cases hang on it."""
        self._effects = effects
        for item, row in self.rows.items():
            row.effect.setText(effects.in_short(item))

    def show_wrong(self, wrong: Mapping[str, str]) -> None:
        """Say beside the fields what is wrong with them, and go to the first."""
        if wrong:
            self._finish()
        for item, row in self.rows.items():
            row.show_wrong(wrong.get(item, ""))
        first = next((row for item, row in self.rows.items() if item in wrong), None)
        if first is not None:
            self.go_to(first.question.item)

    def go_to(self, item: str) -> None:
        """Bring a question in sight and put the focus on its field."""
        self._finish()
        row = self.rows[item]
        if row.isHidden():
            self.search.clear()
            self.unanswered.setChecked(False)
        self.area.ensureWidgetVisible(row)
        row.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def go_to_unanswered(self) -> None:
        """Go to the next question without an answer, after the one with the focus."""
        self._finish()
        items = list(self.rows)
        at = next((i for i, item in enumerate(items) if self._has_focus(item)), -1)
        for item in [*items[at + 1 :], *items[: at + 1]]:
            if self._draft.get("pics", item) is None:
                self.go_to(item)
                return

    def _has_focus(self, item: str) -> bool:
        focused = self.focusWidget()
        return focused is not None and self.rows[item].isAncestorOf(focused)

    def _clear(self) -> None:
        while self._list.count():
            part = self._list.takeAt(0)
            widget = part.widget() if part is not None else None
            if widget is not None and widget is not self.nothing:
                widget.deleteLater()
        self._list.addWidget(self.nothing)
        self._list.addStretch(1)
        self.rows.clear()
        self._titles.clear()

    def _build(self) -> None:
        """Make the questions of the next heading; the others follow when the window has breath."""
        heading = next(name for name in self._asked if name not in self._titles)
        title = self._titles[heading] = text(heading, "heading")
        title.setContentsMargins(0, GRID if self.rows else 0, 0, 0)
        self._list.insertWidget(self._list.count() - 2, title)
        for question in self._asked[heading]:
            row = self.rows[question.item] = Row(heading, question)
            self._list.insertWidget(self._list.count() - 2, row)
            row.editor.show_answer(self._draft.get("pics", question.item))
            row.effect.setText(self._effects.in_short(question.item))
            row.editor.edited.connect(lambda answer, r=row: self._edited(r, answer))
            row.editor.refused.connect(lambda why, r=row: self._refused(r, why))
            for field in _focusable(row):
                field.installEventFilter(self)
        self._count()
        self._sift()
        if not self.is_whole:
            self._rest.start()

    @property
    def is_whole(self) -> bool:
        """Tell whether all questions are there."""
        return len(self._titles) == len(self._asked)

    def _finish_later(self) -> None:
        if not self.is_whole:
            self._build()

    def _finish(self) -> None:
        """Make all questions now: one of them is wanted."""
        while not self.is_whole:
            self._build()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """See which question gets the focus, and keep it in sight."""
        if event is not None and event.type() == QEvent.Type.FocusIn:
            for item, row in self.rows.items():
                if isinstance(watched, QWidget) and row.isAncestorOf(watched):
                    self.area.ensureWidgetVisible(row)
                    self.looked_at.emit(item)
                    break
        return super().eventFilter(watched, event)

    def _edited(self, row: Row, answer: Any) -> None:
        row.show_wrong("")
        self._draft.set(answer, "pics", row.question.item)

    def _refused(self, row: Row, why: str) -> None:
        row.show_wrong(why)
        self._draft.refuse(why, "pics", row.question.item)

    def _update(self) -> None:
        """Show answers and progress as the draft has them."""
        for item, row in self.rows.items():
            if ("pics", item) not in self._draft.unreadable:
                row.editor.show_answer(self._draft.get("pics", item))
        self._count()
        self._sift()

    def _count(self) -> None:
        """Tell how many questions are answered, in all and by heading."""
        done = {
            heading: [self._draft.get("pics", one.item) is not None for one in asked]
            for heading, asked in self._asked.items()
        }
        if done == self._done:
            return
        self._done = done
        total, answered = sum(map(len, done.values())), sum(map(sum, done.values()))
        self.bar.setMaximum(max(1, total))
        self.bar.setValue(answered)
        self.progress.setText(f"{answered} of {total} answered")
        marked = self.headings.currentRow()
        self.headings.fill((heading, _heading(heading, a)) for heading, a in done.items())
        self.headings.setCurrentCell(marked, 0)
        if self.unanswered.isChecked():
            self._sift()

    def _sift(self) -> None:
        words, only = self.search.text(), self.unanswered.isChecked()
        shown = set()
        for item, row in self.rows.items():
            # A question does not vanish under the hand that answers it.
            open_still = self._draft.get("pics", item) is None or self._has_focus(item)
            fits = row.fits(words) and (not only or open_still)
            if row.isHidden() == fits:
                row.setVisible(fits)
            if fits:
                shown.add(row.heading)
        for heading, title in self._titles.items():
            title.setVisible(heading in shown)
        if only and not words:
            self.nothing.setText("Every question is answered.")
        else:
            self.nothing.setText(f"No question fits {words!r}.")
        self.nothing.setVisible(not shown)

    def _go_to(self, number: int) -> None:
        """Bring a heading to the top, and put the focus on its first question."""
        self._finish()
        heading = list(self._titles)[number]
        bar = self.area.verticalScrollBar()
        first = next((r for r in self.rows.values() if r.heading == heading), None)
        if bar is not None and first is not None and not first.isHidden():
            first.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            bar.setValue(self._titles[heading].y())


def _heading(heading: str, answers: Sequence[bool]) -> list[Cell]:
    whole = all(answers)
    count = f"{'✓ ' if whole else ''}{sum(answers)}/{len(answers)}"
    return [Cell(heading), Cell(count, "good" if whole else "quiet")]


def _focusable(row: Row) -> Iterator[QWidget]:
    return (
        part for part in row.findChildren(QWidget) if part.focusPolicy() != Qt.FocusPolicy.NoFocus
    )
