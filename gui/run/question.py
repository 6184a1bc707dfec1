"""What the bench asks, as the operator reads it: text, drawing, and the time that is left."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from bench.views import PromptView
from gui.link import Link
from gui.live import LiveRun
from gui.palette import px
from gui.parts import restyle, text

HASTE = 20.0
"""Seconds left from which on the time is shown as short."""
PICTURE = 220, 160
"""Largest width and height of a drawing in logical pixels."""
_WORDS = {
    "VehicleCoupler": "Cable",
    "VehicleEmulator": "Vehicle",
    "CardPresenter": "Card",
    "CardReader": "Card reader",
    "PowerMeter": "Energy meter",
    "PowerSwitch": "Supply",
    "NetworkPath": "Network",
    "Provocation": "Provoke a failure",
    "ReferenceEvse": "Reference EVSE",
}


class Question(QWidget):
    """Shows one prompt; the whole text is seen, whatever else has to be smaller for it."""

    def __init__(self, run: LiveRun, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._link = link
        self._prompt: PromptView | None = None
        self._total = 1.0
        self._caption = text(role="small")
        self._more = text(role="small")
        self._text = text(role="prompt", wraps=True)
        self._text.setObjectName("prompt-text")
        self._text.installEventFilter(self)
        self._picture = QLabel()
        self._picture.setObjectName("prompt-picture")
        self._left = text(role="title")
        self._left.setObjectName("prompt-time-left")
        self._time = QProgressBar()
        self._time.setTextVisible(False)
        self._time.setAccessibleName("Time that is left")
        self._time.setFixedWidth(px(110))
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._caption)
        top.addStretch(1)
        top.addWidget(self._more)
        top.addWidget(self._time)
        top.addWidget(self._left)
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addLayout(top)
        words.addWidget(self._text)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(20)
        row.addWidget(self._picture)
        row.addLayout(words, 1)

    def show_prompt(self, prompt: PromptView) -> None:
        """Show another prompt."""
        self._prompt = prompt
        event = prompt.event
        about = "Your turn" if self._run.is_live else "The operator was asked"
        if event.action is not None:
            capability = event.action["capability"]
            about += f" · {_WORDS.get(capability, capability)}"
            connector = event.action["arguments"].get("connector")
            about += f" · connector {connector}" if connector else ""
        self._caption.setText(about)
        self._text.setText(event.text)
        self._text.setMinimumHeight(0)
        self._show_picture(event.picture)
        self._total = max(1.0, self._seconds_left() or 1.0)
        QTimer.singleShot(0, self._fit_text)
        self.tick()

    def count(self, waiting: int) -> None:
        """Tell how many questions are open."""
        self._more.setText(f"1 of {waiting} questions" if waiting > 1 else "")

    def _show_picture(self, name: str | None) -> None:
        self._picture.clear()
        self._picture.setVisible(False)
        if name is None or self._link.state != "connected":
            return
        asked = self._prompt

        def show(data: bytes) -> None:
            pixmap = QPixmap()
            if self._prompt is asked and pixmap.loadFromData(data):
                width, height = (min(px(side), self.width() // 4) for side in PICTURE)
                keeps, smooth = (
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
                self._picture.setPixmap(pixmap.scaled(width, height, keeps, smooth))
                self._picture.setVisible(True)

        self._link.fetch(f"/pictures/{quote(name)}", show, lambda refusal: None)

    def _fit_text(self) -> None:
        width = self._text.width()
        if width > 0:
            self._text.setMinimumHeight(max(0, self._text.heightForWidth(width)))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Fit the text when it gets another width, be it that a drawing came beside it."""
        if watched is self._text and event is not None and event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self._fit_text)
        return super().eventFilter(watched, event)

    # Time.

    def _seconds_left(self) -> float | None:
        prompt = self._prompt
        deadline = None if prompt is None else self._run.deadlines.get(prompt.event.prompt)
        if deadline is None or not self._run.is_live:
            return None
        return (deadline - datetime.now(UTC)).total_seconds() - self._link.clock_ahead

    def tick(self) -> None:
        """Show the time that is left."""
        left = self._seconds_left()
        if left is None:
            words, share, short = "", 0, False
        elif self._link.session.get("held"):
            words, share, short = "held", 100, False
        else:
            minutes, seconds = divmod(int(max(0.0, left)), 60)
            words = f"{minutes}:{seconds:02d}"
            self._total = max(self._total, left)
            share, short = round(100 * max(0.0, left) / self._total), left < HASTE
        if words == self._left.text():
            return
        self._left.setText(words)
        self._left.setAccessibleName(f"{words} left" if words else "")
        self._time.setValue(share)
        self._time.setVisible(bool(words))
        role = "haste" if short else "title"
        if self._left.property("role") != role:
            self._left.setProperty("role", role)
            restyle(self._left)
