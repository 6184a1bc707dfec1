"""The button that makes the lab safe, and says how it came out."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QPushButton

from gui.link import Link
from gui.replies import Refusal

WITHIN = 60_000
"""Milliseconds that making the lab safe may take before nobody knows."""


class MakeSafe(QPushButton):
    """Lets the engine make the lab safe, unless a run goes on: to abort that does it."""

    told = pyqtSignal(bool, str)
    """Whether the lab is safe, and what to tell."""

    def __init__(self, link: Link, words: str) -> None:
        super().__init__(words)
        self._link, self._words = link, words
        self.setAccessibleName(words)
        self.setProperty("role", "danger")
        self.setAutoDefault(False)
        self.clicked.connect(self.ask)

    def ask(self) -> None:
        """Make the lab safe: loads off, pilots to A, faults cleared."""
        self.setEnabled(False)
        self.setText("Making safe …")
        self._link.post("/bench/safe", {}, self._came, self._failed, within=WITHIN)

    def _came(self, found: dict[str, Any] | None) -> None:
        failures = (found or {}).get("failures") or {}
        said = "; ".join(f"{name}: {why}" for name, why in failures.items())
        if said:
            self._tell(safe=False, words=f"NOT safe: {said}. Switch these off by hand.")
        else:
            self._tell(safe=True, words="The lab is safe: loads off, pilots in state A.")

    def _failed(self, refusal: Refusal) -> None:
        if refusal.status == 409 and self._link.session.get("run") is not None:
            words = f"Not done: {refusal.text}. To abort the run makes the lab safe."
        elif refusal.status == 409:
            words = f"Not done: {refusal.text}."
        else:
            words = f"Nobody knows whether the lab is safe: {refusal.text}."
        self._tell(safe=False, words=words)

    def _tell(self, *, safe: bool, words: str) -> None:
        self.setText(self._words)
        self.setEnabled(True)
        self._link.refresh()
        self.told.emit(safe, words)
