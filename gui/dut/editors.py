"""One field for each kind of answer that the questionnaire knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from bench.answers import AnswerKind, OneOf, SomeOf, YesNo
from bench.intake import shown
from gui.palette import px
from gui.parts import GRID, sized


class Editor(QWidget):
    """A field for one answer; `edited` carries the answer, None when it was taken back."""

    edited = pyqtSignal(object)
    refused = pyqtSignal(str)
    """What was typed is no answer: says what came and what is expected."""

    def show_answer(self, answer: Any) -> None:
        """Show an answer, None: none is given."""
        raise NotImplementedError


class Choice(Editor):
    """Buttons side by side of which one is down, or none."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._options = dict(options)
        self._buttons = _buttons(self, name, list(options))
        for words, one in self._buttons.items():
            one.clicked.connect(lambda _down=False, words=words: self._choose(words))

    def show_answer(self, answer: Any) -> None:
        """Press the button of an answer."""
        for words, one in self._buttons.items():
            one.setChecked(answer is not None and self._options[words] == answer)

    def _choose(self, words: str) -> None:
        # A second press takes the answer back.
        answer = self._options[words] if self._buttons[words].isChecked() else None
        self.show_answer(answer)
        self.edited.emit(answer)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move with the arrows, take the answer back with Delete."""
        if event is None or not _moved(event, list(self._buttons.values())):
            if event is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.show_answer(None)
                self.edited.emit(None)
            else:
                super().keyPressEvent(event)


class Several(Editor):
    """Buttons side by side of which any may be down."""

    def __init__(self, name: str, options: Sequence[str]) -> None:
        super().__init__()
        self._buttons = _buttons(self, name, options)
        for one in self._buttons.values():
            one.clicked.connect(self._choose)

    def show_answer(self, answer: Any) -> None:
        """Press the buttons of an answer."""
        for words, one in self._buttons.items():
            one.setChecked(words in (answer or ()))

    def _choose(self) -> None:
        chosen = [words for words, one in self._buttons.items() if one.isChecked()]
        self.edited.emit(chosen or None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move with the arrows."""
        if event is None or not _moved(event, list(self._buttons.values())):
            super().keyPressEvent(event)


class Typed(Editor):
    """A line in which a number or a text is typed."""

    def __init__(self, name: str, kind: AnswerKind) -> None:
        super().__init__()
        self._kind = kind
        self.line = QLineEdit()
        self.line.setAccessibleName(name)
        self.line.setPlaceholderText(str(kind))
        sized(self.line, lambda: self.line.setMaximumWidth(px(320)))
        self.line.textEdited.connect(self._take)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line)
        row.addStretch(1)
        self.setFocusProxy(self.line)

    def show_answer(self, answer: Any) -> None:
        """Write an answer into the line."""
        if self.line.text() != shown(answer):
            self.line.setText(shown(answer))

    def _take(self, words: str) -> None:
        if not words.strip():
            self.edited.emit(None)
            return
        try:
            answer = self._kind.read(words)
        except ValueError:
            self.refused.emit(f"{words!r}, expected {self._kind}")
        else:
            self.edited.emit(answer)


def editor_for(name: str, kind: AnswerKind) -> Editor:
    """Make the field for a kind of answer; assistive tools read `name` with it."""
    match kind:
        case YesNo():
            return Choice(name, {"Yes": True, "No": False})
        case OneOf(options):
            return Choice(name, {option: option for option in options})
        case SomeOf(options):
            return Several(name, options)
        case _:
            return Typed(name, kind)


def widen(editor: Typed) -> None:
    """Give a field the width of a column of fields."""
    sized(editor.line, lambda: editor.line.setFixedWidth(px(200)))


def _buttons(owner: Editor, name: str, options: Sequence[str]) -> dict[str, QPushButton]:
    row = QHBoxLayout(owner)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID // 2)
    made: dict[str, QPushButton] = {}
    for words in options:
        one = made[words] = QPushButton(words)
        one.setCheckable(True)
        one.setAutoDefault(False)
        one.setProperty("choice", True)
        one.setAccessibleName(f"{name}: {words}")
        row.addWidget(one)
    row.addStretch(1)
    owner.setFocusProxy(next(iter(made.values())))
    return made


def _moved(event: QKeyEvent, buttons: Sequence[QPushButton]) -> bool:
    """Move the focus along the buttons for an arrow key; tell whether it was one."""
    step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
    at = next((i for i, one in enumerate(buttons) if one.hasFocus()), None)
    if step is None or at is None:
        return False
    buttons[(at + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
    return True
