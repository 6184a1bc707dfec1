"""What tests and scans found, as a table, and in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from PyQt6.QtCore import pyqtSignal

from gui.bench.wired import health
from gui.parts import counted
from gui.tables import Cell, Table

Finding = Mapping[str, Any]
"""One row of `pilotbench devices --json`."""
_HEADS = ("Device", "Driver", "State", "What was seen")


class Findings(Table):
    """The newest finding of each device, and below a scan's what it listed."""

    titled = pyqtSignal(str)
    """How many there are, for the tab."""

    def __init__(self) -> None:
        super().__init__("What tests and scans found", _HEADS)
        self._tested: dict[str, Finding] = {}
        self._scanned: list[Finding] = []

    def begin_test(self) -> None:
        """Forget what was found: all is looked at anew."""
        self._tested.clear()
        self._scanned.clear()
        self._show()

    def begin_scan(self) -> None:
        """Forget what the scan before listed."""
        self._scanned.clear()
        self._show()

    def take(self, one: Finding, devices: Collection[str]) -> None:
        """Take a finding; what is none of the bench's devices was listed by a scan."""
        if one["name"] in devices:
            self._tested[str(one["name"])] = one
        else:
            self._scanned.append(one)
        self._show()

    @property
    def faulty(self) -> list[str]:
        """Name the devices that are not in order."""
        return [str(one["name"]) for one in self._all if health(one["state"]).tone == "bad"]

    @property
    def plugged_in(self) -> str:
        """Say what the scan came to."""
        found = sum(one["state"] == "found" for one in self._scanned)
        rest = len(self._scanned) - found
        more = f"; of {rest} more nobody can tell" if rest else ""
        return f"The scan found {counted(found, 'thing')} plugged in{more}."

    @property
    def _all(self) -> list[Finding]:
        return [*self._scanned, *self._tested.values()]

    def _show(self) -> None:
        self.fill((one, _cells(one)) for one in self._all)
        bad = len(self.faulty)
        count = f" ({len(self._all)})" if self._all else ""
        self.titled.emit(f"Findings{count}" + (f"  ✕ {bad}" if bad else ""))


def _cells(one: Finding) -> list[Cell]:
    shown = health(one["state"])
    return [
        Cell(one["name"]),
        Cell(one["driver"], "quiet"),
        Cell(f"{shown.mark} {shown.word}", shown.tone),
        Cell(one["message"]),
    ]
