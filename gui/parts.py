"""Small parts that the screens share: headings, notices, empty states, questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QColor, QKeySequence
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.palette import theme

GRID = 8
"""Pixels of the grid that all spacing is a multiple of."""

_TONES = {"good": "pass", "bad": "fail", "odd": "inconclusive", "busy": "running"}


def tone(name: str) -> QColor:
    """Return a colour by what it says, such as good, bad, odd or quiet, or by a verdict."""
    colours = theme()
    plain = {
        "quiet": colours.muted,
        "edge": colours.border,
        "accent": colours.accent,
        "ink": colours.text,
        "ground": colours.surface,
        "sunken": colours.sunken,
        "hover": colours.hover,
        "selected": colours.selection,
    }
    return QColor(plain[name] if name in plain else colours.of(_TONES.get(name, name)))


def text(words: str = "", role: str = "", *, wraps: bool = False) -> QLabel:
    """Make a label in one of the roles of the style sheet."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    label.setProperty("role", role)
    return label


def counted(number: int, noun: str) -> str:
    """Count things: 1 case, 2 cases."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def muted(words: str = "", *, wraps: bool = False) -> QLabel:
    """Make a label for what is secondary."""
    return text(words, "muted", wraps=wraps)


def button(
    words: str, act: Callable[[], object], *, name: str = "", tip: str = "", role: str = ""
) -> QPushButton:
    """Make a button; `name` is what assistive tools read when the words alone do not say enough."""
    made = QPushButton(words)
    made.setAccessibleName(name or words)
    made.setToolTip(tip)
    made.setProperty("role", role)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: act())
    return made


def deed(owner: QWidget, name: str, words: str, act: Callable[[], object], *keys: str) -> QAction:
    """Make something that can be done on a screen by key, and from the command palette."""
    made = QAction(words, owner)
    made.setObjectName(name)
    made.setShortcuts([QKeySequence(key) for key in keys])
    made.triggered.connect(lambda: act())
    return made


class Notice(QFrame):
    """One sentence that asks for attention, with the way out as a button; hidden while all is well.

    `kind` is "error", "note" or "done"; it is told by a word as well as by colour.
    """

    dismissed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(2 * GRID)
        self._word = text(role="problem")
        self._text = text(wraps=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._act = button("", self._acted)
        self._act.setToolTip("F4")
        self._close = button("Close", self.hide_it, name="Close this notice", tip="Shift+F4")
        self._then: Callable[[], object] | None = None
        row.addWidget(self._word)
        row.addWidget(self._text, 1)
        row.addWidget(self._act)
        row.addWidget(self._close)
        self.hide()

    @property
    def words(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(
        self,
        words: str,
        *,
        kind: str = "error",
        way_out: str = "",
        then: Callable[[], object] | None = None,
    ) -> None:
        """Show a sentence; `way_out` is the text of a button that does `then`."""
        self.setProperty("role", "attention" if kind == "note" else "card")
        self._word.setProperty("role", "problem" if kind == "error" else "strong")
        self._word.setText({"error": "Problem", "note": "Note", "done": "✓ Done"}[kind])
        self._text.setText(words)
        self._act.setText(way_out)
        self._act.setAccessibleName(way_out)
        self._act.setVisible(bool(way_out))
        self._then = then
        restyle(self, self._word, self._text)
        self.show()

    def act(self) -> bool:
        """Do what it offers; tell whether it offers something."""
        if self.isHidden() or self._act.isHidden():
            return False
        self._act.click()
        return True

    def hide_it(self) -> None:
        """Take it away."""
        self.hide()
        self.dismissed.emit()

    def _acted(self) -> None:
        then = self._then
        self.hide()
        if then is not None:
            then()


class Empty(QWidget):
    """What stands where nothing is yet: what it would be, and what to do to get it."""

    def __init__(
        self, title: str, words: str, act: str = "", then: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setSpacing(GRID)
        box.addStretch(2)
        self.title = text(title, "heading")
        self.words = text(words, "muted", wraps=True)
        for label in (self.title, self.words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box.addWidget(self.title)
        line = QHBoxLayout()
        line.addStretch(1)
        self.words.setMinimumWidth(360)
        line.addWidget(self.words, 3)
        line.addStretch(1)
        box.addLayout(line)
        if act and then is not None:
            box.addSpacing(GRID)
            self.act = button(act, then, role="primary")
            box.addWidget(self.act, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch(3)

    def say(self, title: str, words: str) -> None:
        """Say something else."""
        self.title.setText(title)
        self.words.setText(words)


class _Restyled(QObject):
    """Calls something whenever the style of a widget is another."""

    def __init__(self, widget: QWidget, act: Callable[[], object]) -> None:
        super().__init__(widget)
        self._act = act
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """See the style change."""
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._act()
        return False


def sized(widget: QWidget, act: Callable[[], object]) -> None:
    """Set sizes now, and again when the operator scales the texts."""
    act()
    _Restyled(widget, act)


def restyle(*widgets: QWidget) -> None:
    """Let the style see that a property has changed."""
    for widget in widgets:
        style = widget.style()
        if style is not None:
            style.unpolish(widget)
            style.polish(widget)


def ask(
    parent: QWidget,
    title: str,
    question: str,
    choices: Sequence[tuple[str, Callable[[], object]]],
    no: str = "Cancel",
) -> QMessageBox:
    """Ask before something that can't be taken back; Escape and Enter both mean `no`.

    Each choice is the text of a button and what it does.
    """
    box = QMessageBox(QMessageBox.Icon.Question, title, question, parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for words, then in choices:
        chosen = box.addButton(words, QMessageBox.ButtonRole.DestructiveRole)
        assert chosen is not None
        chosen.setAccessibleName(words)
        chosen.clicked.connect(lambda _checked=False, then=then: then())
    refuse = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    box.setEscapeButton(refuse)
    box.open()
    return box
