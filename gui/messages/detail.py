"""One message: what was expected of it, its JSON to read, and as it was received."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bench.clock import spoken
from bench.events import Checked
from bench.ocpp.frame import Broken, loads
from gui.cursor import TimeCursor
from gui.messages.diff import Line, Mark, differences
from gui.messages.happenings import Message
from gui.messages.model import direction_of, kind_of, round_trip_of
from gui.messages.timeline import Timeline
from gui.palette import font, mark_icon, mark_of, px, theme
from gui.parts import sized

EXPECTED, READABLE, RECEIVED = range(3)
LINE = 24
"""Height of a line in logical pixels, before the operator's scale."""


class MessageDetail(QWidget):
    """Shows the message that is selected."""

    def __init__(self, timeline: Timeline, cursor: TimeCursor) -> None:
        super().__init__()
        self._timeline = timeline
        self._cursor = cursor
        self.message: Message | None = None
        self.title = QLabel()
        self.partner = QPushButton()
        self.equal = QPushButton("Equal fields")
        self.checks = QTreeWidget()
        self.readable = _text("Message as readable JSON")
        self.received = _text("Message as received")
        self.tabs = QTabWidget()
        self._judged: list[tuple[Checked, Message | None]] = []
        self._colouring = JsonColours(self.readable.document())
        self._build()
        sized(self, self.refresh)

    def _build(self) -> None:
        self.title.setProperty("role", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setSizePolicy(self.partner.sizePolicy())
        self.title.setMinimumWidth(1)
        self.partner.setProperty("role", "flat")
        self.partner.clicked.connect(self._to_partner)
        self.equal.setCheckable(True)
        self.equal.setProperty("role", "flat")
        self.equal.setAccessibleName("Show fields that are as expected too")
        self.equal.toggled.connect(self._fill)
        self.checks.setAccessibleName("What was expected and what came")
        self.checks.setColumnCount(4)
        self.checks.setHeaderLabels(["", "Field", "Expected", "Received"])
        self.checks.setRootIsDecorated(False)
        self.checks.setIndentation(px(8))
        self.checks.setIconSize(QSize(px(16), px(16)))
        self.checks.setUniformRowHeights(True)
        self.checks.setMinimumHeight(px(48))
        head = self.checks.header()
        if head is not None:
            head.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
            self.checks.setColumnWidth(0, px(36))
            for column in (1, 2, 3):
                head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
            head.setMinimumSectionSize(px(36))
        self.tabs.addTab(self.checks, "Expected")
        self.tabs.addTab(self.readable, "JSON")
        self.tabs.addTab(self.received, "Raw")
        self.tabs.setCornerWidget(self.equal)
        self.tabs.currentChanged.connect(lambda at: self.equal.setVisible(at == EXPECTED))
        bar = QHBoxLayout()
        bar.addWidget(self.title, 1)
        bar.addWidget(self.partner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.tabs, 1)

    def show_message(self, message: Message | None) -> None:
        """Show a message, or that none is selected."""
        self.message = message
        self.refresh()
        if message is None:
            return
        failed = message.verdict not in ("none", "pass")
        if failed or (self.tabs.currentIndex() == EXPECTED and not message.view.checks):
            self.tabs.setCurrentIndex(EXPECTED if failed else READABLE)

    def show_check(self, check: Checked, message: Message | None) -> None:
        """Show what a check expected beside what came, also when nothing came."""
        if message is None:
            self.message = None
            self.refresh()
            self.title.setText(check.text)
        self._judged = [(check, message)]
        self.tabs.setTabVisible(EXPECTED, True)
        self.tabs.setCurrentIndex(EXPECTED)
        self._fill()

    def refresh(self) -> None:
        """Show what has become known of the message since."""
        message = self.message
        if message is None:
            self._judged = []
            self.title.setText("Select a message to read it")
            self.readable.clear()
            self.received.clear()
            self.partner.hide()
            self._fill()
            return
        view = message.view
        name = view.action or message.message_id or "message"
        self.title.setText(f"{kind_of(message)}  {name}")
        self.title.setToolTip(
            f"{direction_of(message)}, record {message.n}, {view.stamp.utc:%H:%M:%S.%f} UTC"
        )
        self._offer_partner(message)
        _fill_text(self.readable, readable(message))
        _fill_text(self.received, view.text)
        self._judged = [(check.event, message) for check in view.checks]
        self._fill()

    def _offer_partner(self, message: Message) -> None:
        partner = message.partner
        self.partner.setVisible(partner is not None)
        if partner is not None:
            is_answer = partner.moment >= message.moment
            took = spoken(message.round_trip or 0.0)
            took = took if message.round_trip and message.round_trip >= 0.001 else "< 1 ms"
            self.partner.setText(f"Answer after {took} ▸" if is_answer else f"◂ CALL {took} before")
            self.partner.setAccessibleName("Go to the answer" if is_answer else "Go to the CALL")
            self.partner.setToolTip("Go there (P)")

    def _to_partner(self) -> None:
        if self.message is not None and self.message.partner is not None:
            partner = self.message.partner
            self._cursor.select(partner.moment, partner.n)

    def _fill(self) -> None:
        self.checks.clear()
        self._remarks()
        for check, message in self._judged:
            self._add(check, differences(check, message.view.frame if message else None))
        count = len(self._judged)
        self.tabs.setTabText(EXPECTED, f"Expected ({count})" if count else "Expected")
        self.equal.setVisible(self.tabs.currentIndex() == EXPECTED)

    def _remarks(self) -> None:
        """Say what is known of a message beside its checks."""
        message = self.message
        if message is None:
            return
        remarks = [f"taken by the procedure: {pattern}" for pattern in message.claims]
        if message.is_unclaimed:
            remarks.append("no step expected this message")
        if message.view.lost is not None:
            remarks.append(f"could not be sent: {message.view.lost}")
        if message.is_unanswered:
            remarks.append(round_trip_of(message))
        if isinstance(message.view.frame, Broken):
            remarks.append(f"no legal frame: {message.view.frame.reason}")
        if not remarks and not message.view.checks:
            remarks.append("nothing was judged by this message")
        for remark in remarks:
            self._spanned(None, remark)

    def _spanned(self, above: QTreeWidgetItem | None, text: str) -> QTreeWidgetItem:
        """Add a line of text that takes all columns."""
        item = QTreeWidgetItem(above) if above is not None else QTreeWidgetItem(self.checks)
        item.setText(0, text)
        item.setFirstColumnSpanned(True)
        item.setForeground(0, QColor(theme().muted))
        item.setSizeHint(0, QSize(0, px(LINE)))
        return item

    def _add(self, check: Checked, lines: Sequence[Line]) -> None:
        clause = f"  ·  {check.clause}" if check.clause else ""
        word = mark_of(check.verdict).word
        top = self._spanned(None, f"{word}:  {check.text}{clause}")
        top.setIcon(0, mark_icon(check.verdict, px(16)))
        top.setForeground(0, QColor(theme().of(check.verdict)))
        top.setFont(0, font(bold=True))
        top.setToolTip(0, f"expected {check.expected}\ncame {check.actual}")
        hidden = 0
        for line in lines:
            if line.is_equal and not self.equal.isChecked():
                hidden += 1
                continue
            item = QTreeWidgetItem(top, [line.mark, line.path, line.expected, line.received])
            colour = QColor(_ink(line.mark))
            item.setSizeHint(0, QSize(0, px(LINE)))
            item.setTextAlignment(0, Qt.AlignmentFlag.AlignCenter)
            for column in range(4):
                item.setForeground(column, colour)
                item.setFont(column, font(13, monospaced=True, bold=column == 0))
                item.setToolTip(column, item.text(column))
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, _WORDS[line.mark])
        if hidden:
            words = "1 field is equal" if hidden == 1 else f"{hidden} fields are equal"
            words += " or not judged"
            self._spanned(top, f"      {words}")
        top.setExpanded(True)


_WORDS = {
    Mark.SAME: "as expected",
    Mark.DIFFERENT: "different",
    Mark.MISSING: "missing",
    Mark.UNWANTED: "should not be there",
    Mark.UNJUDGED: "not judged",
}


def _ink(mark: Mark) -> str:
    colours = theme()
    return {
        Mark.SAME: colours.passed,
        Mark.DIFFERENT: colours.failed,
        Mark.MISSING: colours.failed,
        Mark.UNWANTED: colours.error,
        Mark.UNJUDGED: colours.muted,
    }[mark]


def readable(message: Message) -> str:
    """Write a message with one field a line; what is no JSON comes as it is, with the reason."""
    try:
        parts = loads(message.view.text)
    except ValueError:
        frame = message.view.frame
        reason = frame.reason if isinstance(frame, Broken) else "not JSON"
        return f"({reason})\n\n{message.view.text}"
    return json.dumps(parts, indent=2, ensure_ascii=False)


def _text(name: str) -> QPlainTextEdit:
    found = QPlainTextEdit()
    found.setReadOnly(True)
    found.setProperty("role", "mono")
    found.setAccessibleName(name)
    found.setTabChangesFocus(True)
    found.setMinimumHeight(px(48))
    return found


def _fill_text(box: QPlainTextEdit, text: str) -> None:
    if box.toPlainText() != text:
        box.setPlainText(text)


class JsonColours(QSyntaxHighlighter):
    """Lifts the names of fields out of their values."""

    _TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)')

    def __init__(self, document: QTextDocument | None) -> None:
        super().__init__(document)

    def highlightBlock(self, text: str | None) -> None:  # noqa: N802
        """Colour one line."""
        colours = theme()
        for found in self._TOKEN.finditer(text or ""):
            whole, colon, number = found.groups()
            colour = colours.accent if colon else colours.passed if whole else colours.inconclusive
            style = QTextCharFormat()
            style.setForeground(QColor(colour))
            start, stop = found.span(3 if number else 1)
            self.setFormat(start, stop - start, style)
