"""The prompt bar: what the operator is to do, large, and the answer by key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import quote

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QPixmap, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from bench.views import PromptView
from gui.application import settings
from gui.link import Link, Refusal
from gui.live import LiveRun
from gui.operator import operator_name
from gui.palette import px
from gui.parts import button, text
from gui.run.answer_keys import AnswerKeys, Said
from gui.run.case_lines import said_in_words

HASTE = 20.0
"""Seconds left from which on the time is shown as short."""
_WORDS = {
    "VehicleCoupler": "Cable",
    "VehicleEmulator": "Vehicle",
    "CardPresenter": "Card",
    "CardReader": "Card reader",
    "PowerMeter": "Energy meter",
    "PowerSwitch": "Supply",
    "NetworkPath": "Network",
    "Load": "Load",
    "Modem": "Modem",
    "Multimeter": "Multimeter",
    "Provocation": "Provoke a failure",
    "ReferenceEvse": "Reference EVSE",
}


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
        self._prompt: PromptView | None = None
        self._sending = False
        self._note_for: Said | None = None
        """What the note is for that is typed now."""
        self._chosen = 0
        self._came_from: QWidget | None = None
        self._total = 1.0
        self._caption = text(role="small")
        self._more = text(role="small")
        self._text = text(role="prompt")
        self._text.setObjectName("prompt-text")
        self._text.setWordWrap(True)
        self._picture = QLabel()
        self._picture.setObjectName("prompt-picture")
        self._left = text(role="title")
        self._left.setObjectName("prompt-time-left")
        self._time = QProgressBar()
        self._time.setTextVisible(False)
        self._time.setAccessibleName("Time that is left")
        self._time.setFixedWidth(px(110))
        self._problem = text(role="problem")
        self._problem.setWordWrap(True)
        self._entry = QLineEdit()
        self._entry.setObjectName("prompt-entry")
        self._entry.setAccessibleName("Value to enter")
        self._note = QLineEdit()
        self._note.setObjectName("prompt-note")
        self._note.setAccessibleName("Note to the answer")
        self._note.setMaxLength(2000)
        self._send_button = button("Enter  Send", lambda: self._say(Said.YES), role="primary")
        self._send_button.setObjectName("prompt-send")
        self._back_button = button("Esc  Back", lambda: self._say(Said.BACK))
        self._back_button.setObjectName("prompt-back")
        for one in (self._send_button, self._back_button):
            one.installEventFilter(self)
            one.hide()
        self._hint = text(role="small")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._lay_out()
        for field in (self._entry, self._note):
            field.installEventFilter(self)
        run.prompts_changed.connect(self._look)
        run.ticked.connect(self._tick)
        link.state_changed.connect(self._look)
        self._look()

    def _lay_out(self) -> None:
        clock = QVBoxLayout()
        clock.setSpacing(4)
        clock.addWidget(self._left, alignment=Qt.AlignmentFlag.AlignRight)
        clock.addWidget(self._time)
        clock.addStretch(1)
        top = QHBoxLayout()
        top.addWidget(self._caption)
        top.addStretch(1)
        top.addWidget(self._more)
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addLayout(top)
        words.addWidget(self._text)
        words.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self._picture)
        row.addLayout(words, 1)
        row.addLayout(clock)
        answers = QHBoxLayout()
        answers.setSpacing(8)
        answers.addWidget(self._entry, 2)
        answers.addLayout(self._buttons)
        answers.addWidget(self._note, 3)
        answers.addWidget(self._send_button)
        answers.addWidget(self._back_button)
        answers.addStretch(1)
        answers.addWidget(self._hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 14, 20, 14)
        column.setSpacing(10)
        column.addLayout(row)
        column.addLayout(answers)
        column.addWidget(self._problem)

    @property
    def prompt(self) -> PromptView | None:
        """The prompt that is shown."""
        return self._prompt

    # What is open.

    def _look(self, *_: object) -> None:
        """Show the oldest open prompt."""
        first = next(iter(self._run.prompts.values()), None)
        shown = self._prompt.event.prompt if self._prompt is not None else None
        if first is None:
            if shown is not None:
                self._show_nothing()
            self.setVisible(False)
            return
        if first.event.prompt != shown:
            self._show(first)
        waiting = len(self._run.prompts)
        self._more.setText(f"1 of {waiting} questions" if waiting > 1 else "")
        self._enable()

    def _show_nothing(self) -> None:
        self._prompt = None
        self._give_back_focus()

    def _show(self, prompt: PromptView) -> None:
        self._prompt = prompt
        event = prompt.event
        self._sending, self._note_for, self._chosen = False, None, 0
        action = event.action
        about = "Your turn"
        if action is not None:
            about += f" · {_WORDS.get(action['capability'], action['capability'])}"
            connector = action["arguments"].get("connector")
            about += f" · connector {connector}" if connector else ""
        self._caption.setText(about)
        self._text.setText(event.text)
        self._problem.hide()
        self._note.clear()
        self._entry.clear()
        self._entry.setVisible(event.kind == "enter")
        self._make_buttons(event.kind, event.options)
        self._show_note(False)
        self._show_picture(event.picture)
        self._total = max(1.0, self._seconds_left() or 1.0)
        self._text.setMinimumHeight(0)
        self.setVisible(True)
        QTimer.singleShot(0, self._fit_text)
        self._keys.shown()
        self._tick()
        if not self._run.is_live:
            return
        self._take_focus()
        if settings().value("prompt/sound", False, type=bool):
            QApplication.beep()
        window = self.window()
        if window is not None:
            QApplication.alert(window)
        self.opened.emit(event.text)

    def _show_picture(self, name: str | None) -> None:
        self._picture.clear()
        self._picture.setVisible(False)
        if name is None:
            return
        asked = self._prompt

        def show(data: bytes) -> None:
            pixmap = QPixmap()
            if self._prompt is asked and pixmap.loadFromData(data):
                size = px(220), px(160)
                self._picture.setPixmap(
                    pixmap.scaled(
                        *size,
                        Qt.AspectRatioMode.KeepAspectRatio,
                        Qt.TransformationMode.SmoothTransformation,
                    )
                )
                self._picture.setVisible(True)

        if self._link.state == "connected":
            self._link.fetch(f"/pictures/{quote(name)}", show, lambda refusal: None)

    def _fit_text(self) -> None:
        """Let the whole text be seen, whatever else has to be smaller for it."""
        width = self._text.width()
        if width > 0:
            self._text.setMinimumHeight(max(0, self._text.heightForWidth(width)))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Fit the text to another width."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self._fit_text)

    # The answers.

    def _make_buttons(self, kind: str, options: list[str]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        match kind:
            case "choose":
                for number, option in enumerate(options, start=1):
                    one = self._button(f"{number}  {option}", f"choose-{number}")
                    one.setCheckable(True)
                    one.clicked.connect(lambda _, n=number: self._choose(n))
                self._button("Enter  Answer", "yes", "primary").clicked.connect(
                    lambda: self._say(Said.YES)
                )
            case "enter":
                self._button("Enter  Send", "yes", "primary").clicked.connect(
                    lambda: self._say(Said.YES)
                )
            case "judge":
                for words, name, said in (
                    ("Enter  Pass", "yes", Said.YES),
                    ("F  Fail…", "no", Said.NO),
                    ("I  Inconclusive…", "unsure", Said.UNSURE),
                ):
                    role = "primary" if said is Said.YES else ""
                    self._button(words, name, role).clicked.connect(lambda _, s=said: self._say(s))
            case _:
                self._button("Enter  Done", "yes", "primary").clicked.connect(
                    lambda: self._say(Said.YES)
                )
                self._button("F  Could not be done…", "no").clicked.connect(
                    lambda: self._say(Said.NO)
                )
        if kind != "enter":
            self._button("C  Comment", "comment").clicked.connect(lambda: self._say(Said.COMMENT))

    def _button(self, words: str, name: str, role: str = "") -> QPushButton:
        made = QPushButton(words)
        made.setObjectName(f"prompt-{name}")
        made.setAccessibleName(words.partition("  ")[2].rstrip("…"))
        made.setProperty("role", role)
        made.installEventFilter(self)
        self._buttons.addWidget(made)
        return made

    def _enable(self) -> None:
        can = self._link.state == "connected" and not self._sending and self._run.is_live
        if not can and self._has_focus():
            self.setFocus()  # what is disabled would pass it on to somebody else
        for widget in (*self._answer_buttons, self._send_button, self._back_button):
            widget.setEnabled(can)
        self._entry.setEnabled(can)
        self._tell_hint()

    def _tell_hint(self) -> None:
        if not self._run.is_live:
            words = "Recorded; there is nothing to answer"
        elif self._sending:
            words = "Sent; the engine has not confirmed it yet…"
        elif self._link.state != "connected":
            words = "No connection: it can be answered once the engine is back"
        elif self._note_for is not None:
            words = "Enter sends it, Esc goes back"
        elif not self._has_focus():
            words = "F2 goes here, then answer by key"
        else:
            comment = self._note.text().strip()
            words = f"with “{comment[:40]}”, " if comment else ""
            words += f"as {operator_name()}"
        if self._hint.text() != words:
            self._hint.setText(words)

    def _choose(self, number: int) -> None:
        prompt = self._prompt
        if prompt is None or not 1 <= number <= len(prompt.event.options):
            return
        self._chosen = number
        for index, one in enumerate(self._answer_buttons[: len(prompt.event.options)]):
            if isinstance(one, QPushButton):
                one.setChecked(index + 1 == number)

    def _say(self, said: Said) -> None:
        """Do what a key or a button says."""
        prompt = self._prompt
        if prompt is None or self._sending or not self._keys.is_settled or not self._run.is_live:
            return
        kind = prompt.event.kind
        match said:
            case Said.BACK:
                self._leave_note()
            case Said.YES if self._note_for in (Said.NO, Said.UNSURE):
                self._send_with_note(kind)
            case Said.YES if self._note_for is Said.COMMENT:
                self._keep_comment()
            case Said.YES:
                self._send_yes(prompt)
            case Said.NO if kind in ("confirm", "judge"):
                self._ask_note(said, "What is wrong? (needed)")
            case Said.UNSURE if kind in ("confirm", "judge"):
                # What could not be done is inconclusive; there is no third answer to it.
                self._ask_note(said if kind == "judge" else Said.NO, "Why? (needed)")
            case Said.COMMENT if kind != "enter":
                self._ask_note(said, "Comment")
            case _:
                pass

    def _send_yes(self, prompt: PromptView) -> None:
        match prompt.event.kind:
            case "choose":
                if not self._chosen:
                    self._tell_problem("Choose one of the options first, by its number.")
                    return
                answer: Any = prompt.event.options[self._chosen - 1]
            case "enter":
                answer = self._entry.text().strip()
                if not answer:
                    self._tell_problem("Enter a value first.")
                    return
            case "judge":
                answer = "pass"
            case _:
                answer = True
        self._send(answer)

    def _send_with_note(self, kind: str) -> None:
        if not self._note.text().strip():
            self._tell_problem("A note is needed: it tells the reader of the report why.")
            return
        no: Any = "fail" if kind == "judge" else False
        self._send("inconclusive" if self._note_for is Said.UNSURE else no)

    def _ask_note(self, said: Said, words: str) -> None:
        self._note_for = said
        self._note.setPlaceholderText(words)
        self._show_note(True)
        self._note.setFocus()
        self._problem.hide()
        self._tell_hint()

    def _keep_comment(self) -> None:
        """Go back to the answers; the comment stays, and goes with the one that is given."""
        self._note_for = None
        self._show_note(False)
        self._take_focus(even_from_text=True)
        self._tell_hint()

    def _show_note(self, shown: bool) -> None:
        """Put the note in the place of the answers, which it belongs to."""
        for widget in (self._note, self._send_button, self._back_button):
            widget.setVisible(shown)
        sends = {Said.NO: "Fail", Said.UNSURE: "Inconclusive", Said.COMMENT: "Keep"}
        words = sends.get(self._note_for, "Send") if self._note_for is not None else "Send"
        kind = self._prompt.event.kind if self._prompt is not None else ""
        if self._note_for is Said.NO and kind == "confirm":
            words = "Not done"
        self._send_button.setText(f"Enter  {words}")
        self._send_button.setAccessibleName(words)
        for answer in self._answer_buttons:
            answer.setVisible(not shown)

    @property
    def _answer_buttons(self) -> list[QWidget]:
        found = (self._buttons.itemAt(index) for index in range(self._buttons.count()))
        widgets = (item.widget() for item in found if item is not None)
        return [widget for widget in widgets if widget is not None]

    def _leave_note(self) -> None:
        self._note_for = None
        self._note.clear()
        self._show_note(False)
        self._problem.hide()
        self._take_focus(even_from_text=True)
        self._tell_hint()

    def _send(self, answer: Any) -> None:
        assert self._prompt is not None
        prompt = self._prompt
        self._sending = True
        self._problem.hide()
        self._enable()
        body = {"answer": answer, "comment": self._note.text().strip(), "by": operator_name()}
        self._link.post(
            f"/prompts/{quote(prompt.event.prompt)}/answer",
            body,
            lambda _: None,  # the record tells it
            lambda refusal: self._not_taken(prompt, refusal),
        )

    def _not_taken(self, prompt: PromptView, refusal: Refusal) -> None:
        if prompt is not self._prompt:
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

    # Time.

    def _seconds_left(self) -> float | None:
        prompt = self._prompt
        deadline = None if prompt is None else self._run.deadlines.get(prompt.event.prompt)
        if deadline is None:
            return None
        return (deadline - datetime.now(UTC)).total_seconds() - self._link.clock_ahead

    def _tick(self) -> None:
        if self._prompt is None:
            return
        left = self._seconds_left()
        if not self._run.is_live:
            words, share, short = "", 0, False
        elif self._link.session.get("held"):
            words, share, short = "held", 100, False
        elif left is None:
            words, share, short = "", 0, False
        else:
            minutes, seconds = divmod(int(max(0.0, left)), 60)
            words = f"{minutes}:{seconds:02d}"
            self._total = max(self._total, left)
            share, short = round(100 * max(0.0, left) / self._total), left < HASTE
        if words != self._left.text():
            self._left.setText(words)
            self._left.setAccessibleName(f"{words} left" if words else "")
            role = "problem" if short else "title"
            if self._left.property("kind") != role:
                self._left.setProperty("kind", role)
            self._time.setValue(share)
        self._tell_hint()

    # Focus and keys.

    def take_focus(self) -> None:
        """Let keys answer, as the operator asked for it."""
        if self._prompt is not None:
            self._take_focus(even_from_text=True)

    def _take_focus(self, *, even_from_text: bool = False) -> None:
        """Let keys answer, but don't take them from somebody who types."""
        before = QApplication.focusWidget()
        typing = isinstance(before, QLineEdit | QPlainTextEdit | QTextEdit)
        if typing and before is not None and not self.isAncestorOf(before) and not even_from_text:
            return
        if before is not None and before is not self and not self.isAncestorOf(before):
            self._came_from = before
        enters = self._prompt is not None and self._prompt.event.kind == "enter"
        target: QWidget = self._entry if enters else self
        target.setFocus()

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
            self._choose(said)
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
