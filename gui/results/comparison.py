"""Two runs side by side: what they were made with, verdicts, timings, messages."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.link import Link
from gui.parts import GRID, Notice, button, muted, text
from gui.replies import Refusal
from gui.results.differences import (
    case_row,
    condition_row,
    differs,
    is_idle,
    message_row,
    reasons,
    summary,
    value_rows,
)
from gui.tables import Table

LONG = 600_000
"""Milliseconds that verifying, comparing or reporting a long run may take."""


class Comparison(QWidget):
    """The page that `GET /compare` fills."""

    left = pyqtSignal()
    """The operator goes back to the list."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._asked: tuple[str, str] | None = None
        self.found: dict[str, Any] = {}
        self.title = text("", "heading")
        self.summary = muted("", wraps=True)
        self.notice = Notice()
        self.only = QCheckBox("Only what differs")
        self.only.setAccessibleName("Show only cases that differ")
        self.only.setChecked(True)
        self.only.toggled.connect(self._fill)
        self.cases = Table(
            "Cases of both runs", ["Case", "Title", "First", "Second", "Duration"], stretch=1
        )
        self.cases.itemSelectionChanged.connect(self._choose)
        sides = ["What", "First", "Second"]
        self.conditions = Table("What the runs were made with", sides)
        self.values = Table("Measured values and response times", sides)
        heads = ["", "First", "Second", "Differs in"]
        self.messages = Table("Messages side by side", heads)
        self.reasons = text(wraps=True)
        self.tabs = QTabWidget()
        self._arrange()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(button("◂ All runs", self.left.emit, name="Back to all runs"))
        head.addSpacing(GRID)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.only)
        self.tabs.setAccessibleName("What differs in the chosen case")
        case = QWidget()
        box = QVBoxLayout(case)
        box.setContentsMargins(0, GRID, 0, 0)
        box.addWidget(self.reasons)
        box.addWidget(self.messages, 1)
        self.tabs.addTab(case, "Messages")
        self.tabs.addTab(self.values, "Values and times")
        self.tabs.addTab(self.conditions, "Made with")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.cases)
        split.addWidget(self.tabs)
        split.setSizes([300, 300])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(GRID)
        page.addLayout(head)
        page.addWidget(self.summary)
        page.addWidget(self.notice)
        page.addWidget(split, 1)

    def compare(self, first: str, second: str) -> None:
        """Ask for the comparison of two runs."""
        self._asked = first, second
        self.title.setText(f"{first}  ↔  {second}")
        self.notice.hide()
        self._take({})
        self.summary.setText("Comparing …")
        self._link.get(
            f"/compare?first={first}&second={second}",
            lambda found: self._came((first, second), found),
            lambda refusal: self._failed((first, second), refusal),
            within=LONG,
        )

    def _came(self, asked: tuple[str, str], found: dict[str, Any]) -> None:
        if asked == self._asked:
            self._take(found)
            self.cases.setFocus(Qt.FocusReason.OtherFocusReason)

    def _failed(self, asked: tuple[str, str], refusal: Refusal) -> None:
        if asked == self._asked:
            self.summary.setText("")
            self.notice.say(
                refusal.text, way_out="Try again", then=lambda: self.compare(asked[0], asked[1])
            )

    def _take(self, found: dict[str, Any]) -> None:
        self.found = found
        self.summary.setText(summary(found) if found else "")
        conditions = found.get("conditions", [])
        self.conditions.fill((one, condition_row(one)) for one in conditions)
        self.tabs.setTabText(2, f"Made with ({len(conditions)})")
        self._fill()

    def _fill(self) -> None:
        cases = self.found.get("cases", [])
        if self.only.isChecked():
            cases = [case for case in cases if differs(case)]
        else:
            cases = [case for case in cases if not is_idle(case)]
        self.cases.fill((case, case_row(case)) for case in cases)
        if cases:
            self.cases.selectRow(0)
        self._choose()

    def _choose(self) -> None:
        case = self.cases.chosen
        rows = [] if case is None else case["messages"]
        self.messages.fill((row, message_row(row)) for row in rows)
        values = [] if case is None else value_rows(case)
        self.values.fill((None, row) for row in values)
        self.reasons.setText("" if case is None else reasons(case))
        self.reasons.setVisible(bool(self.reasons.text()))
        if case is not None and case.get("first_other_message") is not None:
            place = self.messages.item(case["first_other_message"], 0)
            middle = QAbstractItemView.ScrollHint.PositionAtCenter
            self.messages.scrollToItem(place, middle)
