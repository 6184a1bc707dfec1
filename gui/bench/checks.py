"""The self-test of the bench, device by device, with progress and cancel; and the scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from gui.link import Link
from gui.replies import Refusal

PATIENCE = 180_000
"""Milliseconds that one device's check, or a scan, may take; the engine has its own deadlines."""


class Checks(QObject):
    """Asks the engine for one device after the other, so that it can be stopped in between."""

    began = pyqtSignal(str)
    """The device that is tested now; empty: the scan."""
    found = pyqtSignal(dict)
    """One finding, as `pilotbench devices --json` has it."""
    ended = pyqtSignal(str)
    """All was done (empty), or why it was not."""

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._left: list[str] = []
        self.is_busy = False
        """Whether the engine is still at it."""
        self._goes_on = False
        self.is_scan = False
        """Whether it looks, or looked last, for what is plugged in."""
        self.done, self.total = 0, 0

    def test(self, devices: Sequence[str]) -> None:
        """Let devices test themselves."""
        self._left, self._goes_on, self.is_busy, self.is_scan = list(devices), True, True, False
        self.done, self.total = 0, len(devices)
        self._next()

    def scan(self) -> None:
        """List what is plugged in."""
        self._left, self._goes_on, self.is_busy, self.is_scan = [], True, True, True
        self.done, self.total = 0, 1
        self.began.emit("")
        self._ask("/bench/scan", {})

    def cancel(self) -> None:
        """Test no further device; the one that is being tested ends as it should, left safe."""
        self._goes_on = False
        self._left = []

    def _next(self) -> None:
        if not self._left:
            self.is_busy = False
            self.ended.emit("" if self._goes_on else "It was cancelled; the devices are left safe.")
            return
        device = self._left.pop(0)
        self.began.emit(device)
        self._ask("/bench/test", {"devices": [device]})

    def _ask(self, path: str, body: Mapping[str, Any]) -> None:
        self._link.post(path, body, self._came, self._failed, within=PATIENCE)

    def _came(self, findings: list[dict[str, Any]]) -> None:
        self.done += 1
        for one in findings:
            self.found.emit(one)
        self._next()

    def _failed(self, refusal: Refusal) -> None:
        self._left, self.is_busy = [], False
        self.ended.emit(refusal.text)
