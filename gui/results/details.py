"""The chosen run beside the table: what it is, what can be done with it, how verify came out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from gui.page import scrolling
from gui.palette import mark_icon, px
from gui.parts import GRID, button, muted, restyle, sized, text
from gui.results.runs import VERDICTS, RunRow

WIDEST = 420
"""Pixels that the card takes at the most, however large the texts are."""
_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
"""A SHA-256, whose first digits are enough for people."""


class Details(QFrame):
    """A card for one run, or for the two that are marked for comparison."""

    wanted = pyqtSignal(str)
    """What the operator wants: html, pdf, verify, replay, compare."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._runs: Sequence[RunRow] = ()
        sized(self, lambda: self.setFixedWidth(min(px(340), WIDEST)))
        self.title = text("", "heading", wraps=True)
        self.lines = QGridLayout()
        self.lines.setHorizontalSpacing(2 * GRID)
        self.lines.setVerticalSpacing(GRID // 2)
        self.counts = QGridLayout()
        self.counts.setHorizontalSpacing(GRID)
        self.reason = text(wraps=True)
        self.verified = text("", "strong", wraps=True)
        self.more = muted("", wraps=True)
        self.busy = QProgressBar()
        self.busy.setAccessibleName("Verification goes on")
        self.busy.setRange(0, 0)
        self.busy.hide()
        self.acts = {
            "html": button(
                "Open report", lambda: self.wanted.emit("html"), tip="Ctrl+O", role="primary"
            ),
            "pdf": button("Open PDF", lambda: self.wanted.emit("pdf")),
            "replay": button("Replay", lambda: self.wanted.emit("replay"), tip="Ctrl+R"),
            "verify": button("Verify", lambda: self.wanted.emit("verify"), tip="Ctrl+E"),
            "compare": button("Compare…", lambda: self.wanted.emit("compare")),
        }
        self.acts["compare"].setToolTip("Choose a second run with Ctrl")
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        box.setSpacing(GRID)
        box.addWidget(self.title)
        box.addLayout(self.counts)
        box.addLayout(self.lines)
        box.addWidget(self.reason)
        box.addSpacing(GRID)
        box.addWidget(self.acts["html"])
        for pair in (("pdf", "replay"), ("verify", "compare")):
            row = QHBoxLayout()
            row.setSpacing(GRID)
            for name in pair:
                row.addWidget(self.acts[name], 1)
            box.addLayout(row)
        box.addWidget(self.busy)
        box.addWidget(self.verified)
        box.addWidget(self.more)
        box.addStretch(1)
        # A long verification, or little room, must squeeze nothing.
        area = scrolling(page)
        area.setAccessibleName("The chosen run")
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # its end is reached by key, too
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(area)
        sized(area, self._show_runs)  # the marks have the colours of a theme

    def show_runs(self, runs: Sequence[RunRow]) -> None:
        """Show the chosen run; of two, that they can be compared."""
        self._runs = runs
        self.verified.setText("")
        self.more.setText("")
        self._show_runs()

    def _show_runs(self) -> None:
        runs = self._runs
        one = runs[0] if runs else None
        self.title.setText("Choose a run" if one is None else f"{one.dut}")
        _clear(self.lines)
        _clear(self.counts)
        self.reason.setText("")
        if one is not None and len(runs) == 1:
            self._describe(one)
        elif len(runs) == 2:
            self.title.setText("Two runs")
            self.reason.setText("\n".join(run.run for run in reversed(runs)))
        alone = len(runs) == 1 and one is not None
        for name in ("html", "pdf"):
            self.acts[name].setEnabled(alone)
        goes_on = one is not None and one.state == "running"
        for name, key in (("replay", "Ctrl+R"), ("verify", "Ctrl+E")):
            self.acts[name].setEnabled(alone and not goes_on)
            self.acts[name].setToolTip("It goes on: the Run screen shows it" if goes_on else key)
        self.acts["compare"].setEnabled(len(runs) in (1, 2))
        self.acts["compare"].setText("Compare" if len(runs) == 2 else "Compare…")

    def _describe(self, one: RunRow) -> None:
        some = [(name, n) for name in VERDICTS if (n := (one.counts or {}).get(name, 0))]
        for number, (name, count) in enumerate(some):
            mark = text()
            mark.setPixmap(mark_icon(name).pixmap(18, 18))
            self.counts.addWidget(mark, number // 2, number % 2 * 2)
            self.counts.addWidget(
                text(f"{count} {name}", "strong"), number // 2, number % 2 * 2 + 1
            )
        self.counts.setColumnStretch(3, 1)
        rows = (
            ("Run", one.run),
            ("Begun", f"{one.started.astimezone():%Y-%m-%d %H:%M:%S}"),
            ("Sample", one.identity),
            ("Software", one.software),
            ("Bench", one.bench),
            ("Cases", str(one.cases)),
            ("State", one.word),
            ("Signed", "yes" if one.signed else "no"),
        )
        for number, (name, value) in enumerate(row for row in rows if row[1]):
            self.lines.addWidget(muted(name), number, 0, Qt.AlignmentFlag.AlignTop)
            label = text(value, wraps=True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.lines.addWidget(label, number, 1)
        self.lines.setColumnStretch(1, 1)
        unfinished = "It was not finished: its engine ended before. It can be replayed as far as"
        said = {"unfinished": f"{unfinished} it was recorded."}.get(one.state, one.reason)
        self.reason.setText("\n".join(filter(None, (said, one.void))))

    def verifying(self, *, on: bool) -> None:
        """Show that a verification goes on."""
        self.busy.setVisible(on)
        self.acts["verify"].setText("Cancel" if on else "Verify")
        self.acts["verify"].setAccessibleName("Cancel the verification" if on else "Verify")
        words = "Verifying: chain of hashes, files, and every verdict …" if on else ""
        self.verified.setText(words)
        self._tone("strong")
        self.more.setText("")

    def show_verification(self, found: Mapping[str, Any]) -> None:
        """Say how the verification came out, in words."""
        faults = found.get("faults") or []
        if faults:
            self.verified.setText("✕ Not sound: " + faults[0])
        else:
            self.verified.setText("✓ Sound: nothing was changed, and every verdict follows.")
        self._tone("problem" if faults else "strong")
        lines = found.get("summary") or []
        summary = [_HASH.sub(r"\1…", " ".join(line.split())) for line in lines]
        warnings = [f"Warning: {text}" for text in found.get("warnings") or []]
        self.more.setText("\n".join([*faults[1:], *warnings, *summary]))

    def _tone(self, role: str) -> None:
        self.verified.setProperty("role", role)
        restyle(self.verified)


def _clear(layout: QGridLayout) -> None:
    while layout.count():
        part = layout.takeAt(0)
        widget: QWidget | None = part.widget() if part is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()
