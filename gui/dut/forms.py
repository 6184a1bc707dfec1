"""Forms that a vendor filled in: chosen, given to the engine, and what they changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from bench.intake import shown
from gui.link import Link
from gui.parts import Notice, counted

KINDS = "Forms (*.csv *.xlsx)"
MENTIONED = 5
"""Changes that are named; the questionnaire shows the others."""


class Forms(QObject):
    """Imports one form at a time, and tells in a notice how it went."""

    taken = pyqtSignal()
    """The engine has taken the answers of a form."""

    def __init__(self, link: Link, notice: Notice, owner: QWidget) -> None:
        super().__init__(owner)
        self._link, self._notice, self._owner = link, notice, owner

    def choose(self, place: str, settle: Callable[[Callable[[], object]], None]) -> None:
        """Let the operator choose a form for the DUT at `place`; `settle` goes on when it may."""
        dialog = QFileDialog(self._owner, "Import answers", "", KINDS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(
            lambda name: settle(lambda: self.take(place, Path(name), settle))
        )
        dialog.open()

    def take(self, place: str, form: Path, settle: Callable[[Callable[[], object]], None]) -> None:
        """Give a form to the engine, which checks it and takes its answers."""
        try:
            data = form.read_bytes()
        except OSError as error:
            self._notice.say(f"{form}: {error.strerror}")
            return
        self._notice.say(f"{form.name} is being read …", kind="note")
        self._link.post(
            f"{place}/import",
            data,
            lambda changes: self._taken(form, changes),
            lambda refusal: self._notice.say(
                f"{form.name} was not taken: {refusal.text}",
                way_out="Choose another",
                then=lambda: self.choose(place, settle),
            ),
        )

    def _taken(self, form: Path, changes: list[dict[str, Any]]) -> None:
        items = ", ".join(
            f"{one['id']} {shown(one['before']) or 'open'} → {shown(one['after'])}"
            for one in changes[:MENTIONED]
        )
        more = " …" if len(changes) > MENTIONED else ""
        told = f"{form.name}: {counted(len(changes), 'answer')} changed."
        self._notice.say(f"{told} {items}{more}".rstrip(), kind="done")
        self.taken.emit()
