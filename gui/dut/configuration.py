"""The configuration keys as the station told them, against what the PICS claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from bench.intake import shown
from gui.parts import GRID, Empty, muted
from gui.tables import Cell, Table


class Configuration(QWidget):
    """A row for each key, those that differ from the PICS first to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._answers: Mapping[str, Any] = {}
        self.source = muted("")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search the keys")
        self.search.setAccessibleName("Search the configuration keys")
        self.search.setClearButtonEnabled(True)
        self.only = QCheckBox("Only differences")
        self.only.setAccessibleName("Show only keys that differ from the PICS")
        heads = ("Key", "Value", "Access", "PICS says", "Agrees")
        self.table = Table("Configuration keys of the station", heads, stretch=1)
        self.empty = Empty(
            "No key was read yet",
            "A run of this DUT reads them with GetConfiguration, the case TC_019_CS for one. "
            "They appear here afterwards.",
        )
        head = QHBoxLayout()
        head.setSpacing(2 * GRID)
        head.addWidget(self.source, 1)
        head.addWidget(self.search)
        head.addWidget(self.only)
        self.middle = QStackedWidget()
        self.middle.addWidget(self.table)
        self.middle.addWidget(self.empty)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, GRID, 0, 0)
        box.setSpacing(GRID)
        box.addLayout(head)
        box.addWidget(self.middle, 1)
        self.search.textChanged.connect(self._show)
        self.only.toggled.connect(self._show)
        self._show()

    def take(self, found: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
        """Show the keys as the engine gives them, with the answers that they are held against."""
        self._answers = answers
        self._keys = found["keys"] if found["run"] else ()
        run = found["run"]
        differing, told = sum(map(_differs, self._keys)), sum(one["told"] for one in self._keys)
        self.source.setText(
            f"{told} keys read in run {run}; {differing} differ from the PICS" if run else ""
        )
        self._show()

    def _show(self) -> None:
        words = self.search.text().lower().split()
        keys = [
            one
            for one in self._keys
            if all(word in f"{one['key']} {one.get('value')}".lower() for word in words)
            and (_differs(one) or not self.only.isChecked())
        ]
        self.table.fill((one, self._row(one)) for one in keys)
        if self._keys and not keys:
            self.empty.say("No key fits", "Clear the search, or show all keys.")
        self.middle.setCurrentIndex(0 if keys else 1)

    def _row(self, one: Mapping[str, Any]) -> list[Cell]:
        mark = Cell("– not stated", "quiet")
        if one["claims"]:
            mark = Cell("✕ differs", "bad") if _differs(one) else Cell("✓ agrees", "good")
        access = {True: "read only", False: "read and write"}.get(one["readonly"], "")
        value = Cell("" if one["value"] is None else one["value"])
        claimed = dict.fromkeys(claim["item"] for claim in one["claims"])
        hint = "\n".join(
            f"{claim['item']}: {claim['part']}, {claim['expected']}" for claim in one["claims"]
        )
        said = "; ".join(f"{item}: {shown(self._answers.get(item))}" for item in claimed)
        return [
            Cell(one["key"]),
            value if one["told"] else Cell("the station did not tell it", "quiet"),
            Cell(access, "quiet"),
            Cell(said, hint=hint),
            mark,
        ]


def _differs(one: Mapping[str, Any]) -> bool:
    return not all(claim["holds"] for claim in one["claims"])
