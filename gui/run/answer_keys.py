"""What a key means while the bench asks something, and when it means nothing.

An operator may press twice, lean on the keyboard, or read a barcode into it; none of that may
answer a question.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from time import monotonic

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

SETTLING = 0.3
"""Seconds after a prompt came into view in which no key counts."""
BURST = 0.05
"""Seconds: who is faster than this from key to key is a barcode reader, which ends with Enter."""


class Said(StrEnum):
    """What a key says."""

    YES = "yes"
    """Done, pass, or what is chosen or entered."""
    NO = "no"
    """Could not be done, or fail."""
    UNSURE = "unsure"
    COMMENT = "comment"
    BACK = "back"
    """Leave note or comment."""


_KEYS = {
    Qt.Key.Key_Return: Said.YES,
    Qt.Key.Key_Enter: Said.YES,
    Qt.Key.Key_F: Said.NO,
    Qt.Key.Key_I: Said.UNSURE,
    Qt.Key.Key_C: Said.COMMENT,
    Qt.Key.Key_Escape: Said.BACK,
}
_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class AnswerKeys:
    """Reads keys; `clock` in s, monotonic."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shown_at = clock()
        self._pressed_at = -1.0
        self._bursts = False

    def shown(self) -> None:
        """Note that a prompt came into view."""
        self._shown_at = self._clock()

    @property
    def is_settled(self) -> bool:
        """Tell whether the prompt has been in view long enough to be answered."""
        return self._clock() - self._shown_at >= SETTLING

    def pressed(self, event: QKeyEvent) -> bool:
        """Note a key; tell whether it follows another too fast for a hand."""
        # A window that was held up gets all that was pressed meanwhile at once.
        moment = event.timestamp() / 1000 or self._clock()
        self._bursts = moment - self._pressed_at < BURST
        self._pressed_at = moment
        return self._bursts

    def read(self, event: QKeyEvent, *, letters: bool = True) -> Said | int | None:
        """Return what a key says, the number of an option, or None for what says nothing.

        Without `letters` only Enter and Esc speak: a text is being typed.
        """
        if event.isAutoRepeat() or event.modifiers() & _MODIFIERS:
            return None
        bursts = self.pressed(event)
        said = _KEYS.get(Qt.Key(event.key()))
        if said is Said.BACK:
            return said
        if bursts or not self.is_settled:
            return None
        if not letters:
            return said if said is Said.YES else None
        if said is None and event.text().isdigit() and event.text() != "0":
            return int(event.text())
        return said
