"""The prompt bar: what the operator is to do, large, and the answer by key."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import quote

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from bench.views import PromptView
from gui.application import settings
from gui.link import Link
from gui.live import LiveRun
from gui.operator import operator_name
from gui.parts import text
from gui.replies import Refusal
from gui.run.answer_keys import AnswerKeys, Said
from gui.run.answers import Answers
from gui.run.case_lines import said_in_words
from gui.run.question import Question


class PromptBar(QFrame):
    """Shows the oldest open prompt; what was answered is shown once the engine has told it."""

    opened = pyqtSignal(str)
    """Another prompt came into view; its text."""

    def __init__(
        self,
        run: LiveRun,
        link: Link,
        parent: QWidget | None = None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("prompt-bar")
        self.setAccessibleName("What the bench asks")
        self.setProperty("role", "attention")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._run = run
        self._link = link
        self._keys = AnswerKeys(clock)
        self._sending = False
        self.sounds = bool(settings().value("prompt/sound", False, type=bool))
        """Whether a question comes with a sound."""
        self._came_from: QWidget | None = None
        self.prompt: PromptView | None = None
        """The prompt that is shown."""
        self.question = Question(run, link)
        self.answers = Answers()
        self.answers.said.connect(self._say)
        self._problem = text(role="problem", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 14, 20, 14)
        column.setSpacing(10)
        for part in (self.question, self.answers, self._problem):
            column.addWidget(part)
        for field in (self.answers.entry, self.answers.note):
            field.installEventFilter(self)
        run.prompts_changed.connect(self._look)
        run.ticked.connect(self._tick)
        link.state_changed.connect(self._look)
        self._look()

    # What is open.

    def _look(self, *_: object) -> None:
        """Show the oldest open prompt."""
        first = next(iter(self._run.prompts.values()), None)
        shown = self.prompt.event.prompt if self.prompt is not None else None
        if first is None:
            self.prompt = None
            self._give_back_focus()
            self.setVisible(False)
            return
        if first.event.prompt != shown:
            self._show(first)
        self.question.count(len(self._run.prompts))
        self._enable()

    def _show(self, prompt: PromptView) -> None:
        self.prompt, self._sending = prompt, False
        self.question.show_prompt(prompt)
        self.answers.ask(prompt.event)
        for one in self.answers.buttons:
            one.installEventFilter(self)
        self._problem.hide()
        self.setVisible(True)
        self._keys.shown()
        if not self._run.is_live:
            return
        self._take_focus()
        if self.sounds:
            QApplication.beep()
        window = self.window()
        if window is not None:
            QApplication.alert(window)
        self.opened.emit(prompt.event.text)

    def _tick(self) -> None:
        if self.prompt is not None:
            self.question.tick()
            self._tell_hint()

    def change_sound(self) -> None:
        """Let questions come with a sound, or without; it is heard at once."""
        self.sounds = not self.sounds
        settings().setValue("prompt/sound", self.sounds)
        if self.sounds:
            QApplication.beep()

    # The answers.

    def _enable(self) -> None:
        can = self._link.state == "connected" and not self._sending and self._run.is_live
        if not can and self._has_focus():
            self.setFocus()  # what is disabled would pass it on to somebody else
        self.answers.enable(can)
        self._tell_hint()

    def _tell_hint(self) -> None:
        if not self._run.is_live:
            words = "Recorded; there is nothing to answer"
        elif self._sending:
            words = "Sent; the engine has not confirmed it yet…"
        elif self._link.state != "connected":
            words = "No connection; answer once the engine is back"
        elif self.answers.note_for is Said.COMMENT:
            words = "Enter keeps it for the answer, Esc goes back"
        elif self.answers.note_for is not None:
            words = "Enter sends it, Esc goes back"
        elif not self._has_focus():
            words = "F2 goes here, then answer by key"
        else:
            comment = self.answers.comment
            words = f"with “{comment[:40]}”, " if comment else ""
            words += f"as {operator_name()} · sound {'on' if self.sounds else 'off'} (F7)"
        if self.answers.hint.text() != words:
            self.answers.hint.setText(words)

    def _say(self, said: Said) -> None:
        """Do what a key or a button says."""
        if self.prompt is None or self._sending or not self._run.is_live:
            return
        if not self._keys.is_settled or self._link.state != "connected":
            return
        answers = self.answers
        self._problem.hide()
        try:
            match said:
                case Said.BACK:
                    answers.leave_note()
                    self._take_focus(even_from_text=True)
                case Said.YES if answers.note_for is Said.COMMENT:
                    answers.keep_note()
                    self._take_focus(even_from_text=True)
                case Said.YES if answers.note_for is not None:
                    self._send(answers.answer_with_note())
                case Said.YES:
                    self._send(answers.answer())
                case _:
                    answers.ask_note(said)
        except ValueError as error:
            self._tell_problem(str(error))
        self._tell_hint()

    def _send(self, answer: Any) -> None:
        assert self.prompt is not None
        prompt, comment = self.prompt, self.answers.comment
        self._sending = True
        self._enable()
        self._link.post(
            f"/prompts/{quote(prompt.event.prompt)}/answer",
            {"answer": answer, "comment": comment, "by": operator_name()},
            lambda _: None,  # the record tells it
            lambda refusal: self._not_taken(prompt, refusal),
        )

    def _not_taken(self, prompt: PromptView, refusal: Refusal) -> None:
        if prompt is not self.prompt:
            return
        self._sending = False
        if refusal.status == 0:
            words = f"The answer may not have arrived ({refusal.text}). Answer again."
        elif refusal.status == 409:
            words = f"Your answer came too late: {refusal.text}."
        else:
            words = f"The engine did not take the answer: {refusal.text}"
        self._tell_problem(words)
        self._enable()
        if self._has_focus():
            self._take_focus(even_from_text=True)

    def _tell_problem(self, words: str) -> None:
        self._problem.setText(words)
        self._problem.setVisible(True)

    # Focus and keys.

    def take_focus(self) -> None:
        """Let keys answer, as the operator asked for it."""
        if self.prompt is not None:
            self._take_focus(even_from_text=True)

    def _take_focus(self, *, even_from_text: bool = False) -> None:
        """Let keys answer, but don't take them from somebody who types."""
        before = QApplication.focusWidget()
        inside = before is not None and (before is self or self.isAncestorOf(before))
        typing = isinstance(before, QLineEdit | QPlainTextEdit | QTextEdit)
        if typing and not inside and not even_from_text:
            return
        if before is not None and not inside:
            self._came_from = before
        enters = self.answers.kind == "enter"
        (self.answers.entry if enters else self).setFocus()

    def _give_back_focus(self) -> None:
        before, self._came_from = self._came_from, None
        if not self._has_focus():
            return
        if before is not None and before.isVisible():
            before.setFocus()
        else:
            # Or Qt gives it to the next field, and whoever goes on typing writes there.
            focus = QApplication.focusWidget()
            if focus is not None:
                focus.clearFocus()

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and (focus is self or self.isAncestorOf(focus))

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802 - Qt's name
        """Say that keys answer now."""
        super().focusInEvent(event)
        self._tell_hint()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Answer by key."""
        assert event is not None
        said = self._keys.read(event)
        if isinstance(said, int):
            self.answers.choose(said)
        elif said is not None:
            self._say(said)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let Enter and Esc speak in the fields, and Enter press the button that has the focus."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if isinstance(watched, QAbstractButton):
            if enter:
                if self._keys.read(event) is Said.YES:
                    watched.click()
                return True
            return super().eventFilter(watched, event)
        said = self._keys.read(event, letters=False)
        if enter or event.key() == Qt.Key.Key_Escape:
            if isinstance(said, Said):
                self._say(said)
            return True
        return super().eventFilter(watched, event)


def echo_of(prompt: PromptView) -> str:
    """Say what the engine recorded of a prompt that is over."""
    if prompt.answer is None:
        return f"Not answered: {prompt.withdrawn or 'withdrawn'}"
    said = said_in_words(prompt.event.kind, prompt.answer.answer)
    by = f" by {prompt.answer.by}" if prompt.answer.by else ""
    return f"Recorded: {said}{by}"
