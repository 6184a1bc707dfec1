"""What can be answered: the buttons of a prompt, a value, and the note to an answer."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from bench.events import Prompted
from gui.labels import ElidedLabel
from gui.parts import button
from gui.run.answer_keys import Said

_BUTTONS = {
    "confirm": (("Enter  Done", "yes", Said.YES), ("F  Could not be done…", "no", Said.NO)),
    "judge": (
        ("Enter  Pass", "yes", Said.YES),
        ("F  Fail…", "no", Said.NO),
        ("I  Inconclusive…", "unsure", Said.UNSURE),
    ),
    "choose": (("Enter  Answer", "yes", Said.YES),),
    "enter": (("Enter  Send", "yes", Said.YES),),
}
_ASKED = {
    Said.NO: "What is wrong? (needed)",
    Said.UNSURE: "Why? (needed)",
    Said.COMMENT: "Comment",
}


class Answers(QWidget):
    """Buttons and fields of one prompt; what they say is told, and weighed elsewhere."""

    said = pyqtSignal(Said)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = ""
        self.options: list[str] = []
        self.note_for: Said | None = None
        """What the note is for that is typed now."""
        self._chosen = 0
        self._made: list[QPushButton] = []
        self.entry = _field("prompt-entry", "Value to enter")
        self.note = _field("prompt-note", "Note to the answer")
        self.note.setMaxLength(2000)
        self._send = button("Enter  Send", lambda: self.said.emit(Said.YES), role="primary")
        self._send.setObjectName("prompt-send")
        self._back = button("Esc  Back", lambda: self.said.emit(Said.BACK), name="Back")
        self._back.setObjectName("prompt-back")
        self.hint = ElidedLabel()
        self.hint.setProperty("role", "small")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._place = QHBoxLayout()
        self._place.setSpacing(8)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.entry, 2)
        row.addLayout(self._place)
        row.addWidget(self.note, 3)
        row.addWidget(self._send)
        row.addWidget(self._back)
        row.addWidget(self.hint, 2)

    def ask(self, event: Prompted) -> None:
        """Offer what can be answered to another prompt."""
        self.kind, self.options, self._chosen = event.kind, event.options, 0
        for made in self._made:
            self._place.removeWidget(made)
            made.hide()
            made.deleteLater()
        self._made = []
        if self.kind == "choose":
            for number, option in enumerate(self.options, start=1):
                one = self._button(f"{number}  {option}", f"choose-{number}")
                one.setCheckable(True)
                one.clicked.connect(lambda _, n=number: self.choose(n))
        for words, name, said in _BUTTONS[self.kind]:
            self._says(said, words, name)
        if self.kind != "enter":
            self._says(Said.COMMENT, "C  Comment", "comment")
        self.entry.clear()
        self.entry.setVisible(self.kind == "enter")
        self.leave_note()

    def _says(self, said: Said, words: str, name: str) -> None:
        role = "primary" if said is Said.YES else ""
        self._button(words, name, role).clicked.connect(lambda: self.said.emit(said))

    def _button(self, words: str, name: str, role: str = "") -> QPushButton:
        made = QPushButton(words)
        made.setObjectName(f"prompt-{name}")
        made.setAccessibleName(words.partition("  ")[2].rstrip("…"))
        made.setProperty("role", role)
        self._made.append(made)
        self._place.addWidget(made)
        return made

    @property
    def buttons(self) -> list[QPushButton]:
        """All buttons that there are now."""
        return [*self._made, self._send, self._back]

    def enable(self, can: bool) -> None:
        """Let it be answered, or not."""
        for widget in (*self.buttons, self.entry):
            widget.setEnabled(can)

    def choose(self, number: int) -> None:
        """Take an option."""
        if not 1 <= number <= len(self.options) or self.kind != "choose":
            return
        self._chosen = number
        for index, one in enumerate(self._made[: len(self.options)], start=1):
            one.setChecked(index == number)

    def answer(self) -> Any:
        """Return what a plain yes means; raises ValueError in words for what is missing."""
        match self.kind:
            case "choose":
                if not self._chosen:
                    raise ValueError("Choose one of the options first, by its number.")
                return self.options[self._chosen - 1]
            case "enter":
                if not self.entry.text().strip():
                    raise ValueError("Enter a value first.")
                return self.entry.text().strip()
            case "judge":
                return "pass"
            case _:
                return True

    def answer_with_note(self) -> Any:
        """Return what the note explains; raises ValueError in words when there is none."""
        if not self.comment:
            raise ValueError("A note is needed: it tells the reader of the report why.")
        if self.note_for is Said.UNSURE:
            return "inconclusive"
        return "fail" if self.kind == "judge" else False

    @property
    def comment(self) -> str:
        """What goes with the answer."""
        return self.note.text().strip()

    # The note.

    def ask_note(self, said: Said) -> bool:
        """Let a note be typed in the place of the answers; tell whether it means anything here."""
        if said is Said.COMMENT:
            means = self.kind != "enter"
        else:
            means = self.kind in ("confirm", "judge")
        if not means:
            return False
        if said is Said.UNSURE and self.kind == "confirm":
            said = Said.NO  # what could not be done is inconclusive; there is no third answer
        self.note_for = said
        self.note.setPlaceholderText(_ASKED[said])
        words = {Said.UNSURE: "Inconclusive", Said.COMMENT: "Keep"}.get(said, "Fail")
        if said is Said.NO and self.kind == "confirm":
            words = "Not done"
        self._send.setText(f"Enter  {words}")
        self._send.setAccessibleName(words)
        self._show_note(True)
        self.note.setFocus()
        return True

    def keep_note(self) -> None:
        """Go back to the answers; the note stays, and goes with the one that is given."""
        self.note_for = None
        self._show_note(False)

    def leave_note(self) -> None:
        """Go back to the answers without a note."""
        self.note.clear()
        self.keep_note()

    def _show_note(self, shown: bool) -> None:
        # What goes, goes first: both side by side would press everything else together.
        note = self.note, self._send, self._back
        for widget in self._made if shown else note:
            widget.hide()
        for widget in note if shown else self._made:
            widget.show()


def _field(name: str, what: str) -> QLineEdit:
    field = QLineEdit()
    field.setObjectName(name)
    field.setAccessibleName(what)
    return field
