"""The form that makes a link for a vendor, and shows it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout

from bench.server.shares import duration
from gui.application import settings
from gui.link import Link
from gui.palette import px
from gui.parts import GRID, button, muted, sized, text
from gui.replies import Refusal

LASTING = (("12 hours", "12h"), ("1 day", "1d"), ("7 days", "7d"), ("2 weeks", "2w"))
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_RUNS = 30
"""Newest runs that are offered to be shared singly."""


class MakeLink(QFrame):
    """For whom, of what, how long."""

    made = pyqtSignal()

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self.setProperty("role", "card")
        sized(self, lambda: self.setFixedWidth(px(340)))
        self.name = QLineEdit()
        self.name.setAccessibleName("For whom the link is")
        self.name.setPlaceholderText("Name of the vendor or person")
        self.name.setMaxLength(200)
        self.what = QComboBox()
        self.what.setAccessibleName("What is shared")
        self.what.currentTextChanged.connect(self.what.setToolTip)
        self.lasting = QComboBox()
        self.lasting.setEditable(True)
        self.lasting.setAccessibleName("How long the link is good")
        for words, value in LASTING:
            self.lasting.addItem(words, value)
        self.lasting.setCurrentIndex(2)
        self.place = QLineEdit(str(settings().value("share/place", "")))
        self.place.setAccessibleName("Where the vendor reaches the engine")
        self.place.setPlaceholderText(link.url)
        self.wrong = text("", "problem", wraps=True)
        self.wrong.hide()
        self.make = button("Make link", self.ask, role="primary")
        self.once = muted("", wraps=True)
        self.address = QLineEdit()
        self.address.setReadOnly(True)
        self.address.setAccessibleName("The new link")
        self.copy = button("Copy link", self._copy)
        self._result = QFrame()
        self._arrange()
        self.name.returnPressed.connect(self.ask)

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        box.setSpacing(GRID)
        box.addWidget(text("New link", "heading"))
        words = "Whoever has the link watches live and reads what is shared, and nothing else."
        box.addWidget(muted(words, wraps=True))
        for label, field in (
            ("For", self.name),
            ("Shares", self.what),
            ("Is good for", self.lasting),
            ("Engine as the vendor reaches it", self.place),
        ):
            box.addWidget(_label(label, field))
            box.addWidget(field)
        box.addWidget(self.wrong)
        box.addSpacing(GRID)
        box.addWidget(self.make)
        result = QVBoxLayout(self._result)
        result.setContentsMargins(0, GRID, 0, 0)
        result.addWidget(self.once)
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.copy)
        result.addLayout(row)
        self._result.hide()
        box.addWidget(self._result)
        box.addStretch(1)

    def offer(self, duts: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]) -> None:
        """Offer DUTs and the newest runs to be shared."""
        chosen = self.what.currentText()
        self.what.clear()
        for dut in duts:
            name = f"{dut['vendor']} {dut['model']} {dut.get('identity', '')}".strip()
            self.what.addItem(f"All runs of {name}", {"dut": dut.get("identity", "")})
        for run in list(reversed(runs))[:MOST_RUNS]:
            self.what.addItem(f"Run {run['run']}", {"run": run["run"]})
        at = self.what.findText(chosen)
        self.what.setCurrentIndex(max(0, at))
        self.make.setEnabled(self.what.count() > 0)

    def ask(self) -> None:
        """Make the link, unless something is missing."""
        name, expires = self.name.text().strip(), self._expires()
        try:
            duration(expires)
        except ValueError as error:
            self._refuse(f"Is good for: {error}.")
            self.lasting.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if not name:
            self._refuse("Say for whom the link is: the records name who watches.")
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.wrong.hide()
        self.make.setEnabled(False)
        place = self.place.text().strip()
        settings().setValue("share/place", place)
        body = {"name": name, "expires": expires, **self.what.currentData()}
        if place:
            body["url"] = place
        self._link.post("/shares", body, lambda found: self._came(name, found), self._failed)

    def _expires(self) -> str:
        words = self.lasting.currentText().strip()
        known = dict(LASTING)
        return known.get(words, words)

    def _came(self, name: str, found: Mapping[str, Any]) -> None:
        self.make.setEnabled(True)
        self.address.setText(str(found["link"]))
        self.address.setCursorPosition(0)
        here = QUrl(str(found["link"])).host() in LOOPBACK
        self.once.setText(
            f"The link for {name}. It is shown only now: copy it."
            + (" It leads to this computer, so it is good for nobody elsewhere." if here else "")
        )
        self._result.show()
        self.name.clear()
        self.copy.setText("Copy link")
        self.copy.setFocus(Qt.FocusReason.OtherFocusReason)
        self.made.emit()

    def _failed(self, refusal: Refusal) -> None:
        self.make.setEnabled(True)
        self._refuse(refusal.text)

    def _refuse(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.show()

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.address.text())
            self.copy.setText("✓ Copied")


def _label(words: str, field: QComboBox | QLineEdit) -> QLabel:
    label = text(words, "caption")
    label.setBuddy(field)
    return label
