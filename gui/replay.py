"""The playback bar of a replay: play, speed, a time line with the cases, jumps, all by key too."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from bench.clock import spoken
from gui.parts import GRID, Notice, button, deed, text, tone
from gui.playback import SPEEDS, Playback
from gui.recording import BAD, Recording

RESOLUTION = 1000
"""Steps of the time line in a second."""
STEP = 5.0
"""Seconds that one key goes back or on."""

KEYS: tuple[tuple[str, str, str], ...] = (
    ("K", "toggle", "Play or pause"),
    ("Space", "space", "Play or pause"),
    ("J", "back", "5 s back"),
    ("L", "on", "5 s on"),
    ("Ctrl+Home", "begin", "To the begin"),
    ("Ctrl+End", "end", "To the end"),
    ("P", "previous_case", "Previous case"),
    ("N", "next_case", "Next case"),
    ("Shift+S", "previous_step", "Previous step"),
    ("S", "next_step", "Next step"),
    ("Shift+F", "previous_fail", "Previous fail"),
    ("F", "next_fail", "Next fail"),
    ("+", "faster", "Faster"),
    ("-", "slower", "Slower"),
)
"""Key, what it does, and how it is listed; arrows belong to the trees and tables."""


class TimeLine(QSlider):
    """The recording from begin to end: cases in the colours of their verdicts, fails marked."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._recording = recording
        self.setAccessibleName("Position in the recording")
        self.setRange(0, max(1, round(recording.length * RESOLUTION)))
        self.setSingleStep(round(STEP * RESOLUTION))
        self.setPageStep(round(4 * STEP * RESOLUTION))
        self.setFixedHeight(4 * GRID)
        # The keys belong to the whole window, whatever has the focus.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide."""
        return QSize(600, 4 * GRID)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Go to where it was pressed."""
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Go along with the pointer."""
        self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End there."""

    def _follow(self, event: QMouseEvent | None) -> None:
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            share = (event.position().x() - GRID) / max(1, self.width() - 2 * GRID)
            value = round(min(1.0, max(0.0, share)) * self.maximum())
            self.setValue(value)
            self.sliderMoved.emit(value)

    def _x(self, seconds: float) -> float:
        length = self._recording.length or 1.0
        return GRID + (self.width() - 2 * GRID) * min(1.0, max(0.0, seconds / length))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the cases, the fails and the position."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        recording, middle = self._recording, self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("sunken"))
        painter.drawRoundedRect(QRectF(GRID, middle - 4, self.width() - 2 * GRID, 8), 4, 4)
        for case in recording.cases:
            begin = self._x(case.mono - recording.begin)
            ended = case.end if case.end is not None else recording.begin + recording.length
            end = self._x(ended - recording.begin)
            painter.setBrush(tone(_TONES.get(case.verdict, "quiet")))
            painter.drawRect(QRectF(begin, middle - 4, max(2.0, end - begin - 1), 8))
        painter.setBrush(tone("bad"))
        for place in recording.fails:
            x = self._x(place.mono - recording.begin)
            top = middle - 7
            corners = (QPointF(x, top), QPointF(x - 4, top - 7), QPointF(x + 4, top - 7))
            painter.drawPolygon(QPolygonF(corners))
        x = self._x(self.value() / RESOLUTION)
        edge = tone("accent")
        painter.setPen(QPen(edge, 2))
        painter.drawLine(QPointF(x, 3), QPointF(x, self.height() - 3))
        painter.setBrush(tone("ground"))
        painter.drawEllipse(QPointF(x, middle), 6, 6)


_TONES = {"pass": "good", **dict.fromkeys(BAD, "bad"), "inconclusive": "odd"}


class PlaybackBar(QFrame):
    """The bar below the widgets of the Run screen, and the keys of a window that replays."""

    def __init__(self, playback: Playback, window: QWidget) -> None:
        super().__init__()
        self.playback, recording = playback, playback.recording
        self.setProperty("role", "bar")
        self.line = TimeLine(recording)
        self.line.sliderMoved.connect(lambda value: playback.seek(value / RESOLUTION))
        self.play = button("Play", playback.toggle, tip="K or Space", role="primary")
        self.play.setMinimumWidth(96)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed of the replay")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed} ×", speed)
        self.speed.activated.connect(lambda at: playback.set_speed(self.speed.itemData(at)))
        self.time = text("", "strong")
        self.where = text("")
        self.notice = Notice()
        self._acts: dict[str, Callable[[], object]] = {
            "toggle": playback.toggle,
            "space": self._space,
            "back": lambda: playback.seek(playback.at - STEP),
            "on": lambda: playback.seek(playback.at + STEP),
            "begin": lambda: playback.seek(0.0),
            "end": lambda: playback.seek(recording.length),
            "previous_case": lambda: self._jump("cases", -1),
            "next_case": lambda: self._jump("cases", 1),
            "previous_step": lambda: self._jump("steps", -1),
            "next_step": lambda: self._jump("steps", 1),
            "previous_fail": lambda: self._jump("fails", -1),
            "next_fail": lambda: self._jump("fails", 1),
            "faster": lambda: playback.faster(1),
            "slower": lambda: playback.faster(-1),
        }
        self._arrange()
        self.deeds = [
            deed(window, f"replay-{act}", words, self._acts[act], key) for key, act, words in KEYS
        ]
        window.addActions(self.deeds)
        if recording.missing:
            self.notice.say(recording.missing, kind="note")
        playback.moved.connect(self._update)
        self._update()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(text("REPLAY", "key"))
        row.addSpacing(GRID)
        row.addWidget(self.play)
        row.addSpacing(GRID)
        labels = {act: words for _, act, words in KEYS}
        keys = {act: key for key, act, _ in KEYS}
        for act, words in (
            ("previous_case", "◂◂ Case"),
            ("previous_step", "◂ Step"),
            ("next_step", "Step ▸"),
            ("next_case", "Case ▸▸"),
            ("next_fail", "Fail ▸▸"),
        ):
            tip = f"{labels[act]} ({keys[act]})"
            row.addWidget(button(words, self._acts[act], name=labels[act], tip=tip))
        row.addSpacing(GRID)
        row.addWidget(text("Speed"))
        row.addWidget(self.speed)
        row.addSpacing(2 * GRID)
        row.addWidget(self.where, 1)
        row.addWidget(self.time)
        box = QVBoxLayout(self)
        box.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        box.setSpacing(GRID // 2)
        box.addWidget(self.notice)
        box.addWidget(self.line)
        box.addLayout(row)

    def _space(self) -> None:
        """Press the button that has the focus, else play or pause."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton) and focused is not self.play:
            focused.click()
        else:
            self.playback.toggle()

    def _jump(self, kind: str, direction: int) -> None:
        places = getattr(self.playback.recording, kind)
        if not self.playback.jump(places, direction):
            side = "after" if direction > 0 else "before"
            what = {"cases": "case", "steps": "step", "fails": "fail"}[kind]
            self.where.setText(f"There is no {what} {side} this place.")

    def _update(self) -> None:
        playback, recording = self.playback, self.playback.recording
        words = "Pause" if playback.is_playing else "Play"
        if self.play.text() != words:
            self.play.setText(words)
            self.play.setAccessibleName(words)
        if not self.line.isSliderDown():
            self.line.setValue(round(playback.at * RESOLUTION))
        at = SPEEDS.index(playback.speed) if playback.speed in SPEEDS else -1
        self.speed.setCurrentIndex(at)
        self.time.setText(f"{_clock(playback.at)} / {_clock(recording.length)}")
        shown = recording.until(playback.at)
        case = next((one for one in reversed(recording.cases) if one.index < shown), None)
        going = "going there …  " if playback.is_seeking else ""
        self.where.setText(going + (case.title if case is not None else "before the first case"))
        self.line.setAccessibleDescription(f"{spoken(playback.at)} of {spoken(recording.length)}")


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
