"""The calibration of the instruments, as a table: what is still good, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from PyQt6.QtCore import pyqtSignal

from gui.bench.wired import Wired
from gui.tables import Cell, Table

_HEADS = ("Device", "Valid", "Due", "Certificate", "Issuer", "Serial", "Note")


class Certificates(Table):
    """A row for each instrument; of what is moved by hand only where a certificate is filed."""

    titled = pyqtSignal(str)
    """How many are not good any more, for the tab."""

    def __init__(self) -> None:
        super().__init__("Calibration of the instruments", _HEADS)

    def show_devices(self, devices: Iterable[Wired]) -> None:
        """Show the devices of the bench."""
        today = date.today()  # noqa: DTZ011 - a certificate ends with the lab's day
        some = [one for one in devices if one.certificate is not None or not one.by_hand]
        self.fill((one, _cells(one, today)) for one in some)
        bad = sum(
            one.certificate is not None and one.certificate.state(today).tone == "bad"
            for one in some
        )
        self.titled.emit("Calibration" + (f"  ✕ {bad}" if bad else ""))


def _cells(one: Wired, today: date) -> list[Cell]:
    found = one.certificate
    if found is None:
        return [Cell(one.name), Cell("○ no certificate filed", "quiet"), *([Cell("")] * 5)]
    shown = found.state(today)
    return [
        Cell(one.name),
        Cell(f"{shown.mark} {shown.word}", shown.tone),
        Cell("" if found.due is None else f"{found.due}"),
        Cell(found.number),
        Cell(found.issuer),
        Cell(one.serial),
        Cell(found.note),
    ]
