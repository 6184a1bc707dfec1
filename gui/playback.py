"""The clock of a replay: hands recorded records out as they came, faster, or from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from bench.journal import Record
from gui.recording import Place, Recording

SPEEDS = (1, 2, 5, 10, 20, 50, 100)
TICK = 33
"""Milliseconds between two hand-outs."""
BUDGET = 0.012
"""Seconds that one hand-out may take, so that the window stays alive while it goes far."""
SLICE = 50
"""Records handed out before the budget is looked at."""
SETTLED = 1.0
"""Seconds after a place within which "previous" means the place before it."""


class Screen(Protocol):
    """What shows the records."""

    def start_over(self) -> None:
        """Forget all records."""

    def take(self, records: Sequence[Record]) -> None:
        """Show further records."""


class Playback(QObject):
    """Plays one recording to a screen."""

    moved = pyqtSignal()
    """Position, state or speed changed."""

    def __init__(
        self,
        recording: Recording,
        screen: Screen,
        *,
        clock: Callable[[], float] = perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.recording = recording
        self.speed = 1
        self.at = 0.0
        """Seconds from the begin of the recording."""
        self._screen = screen
        self._clock = clock
        self._shown = 0
        """How many records the screen has."""
        self._wanted = 0
        self._playing = False
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tick)
        screen.start_over()

    @property
    def is_playing(self) -> bool:
        """Tell whether time passes."""
        return self._playing

    @property
    def is_seeking(self) -> bool:
        """Tell whether the screen is still on its way to the position."""
        return self._shown != self._wanted

    @property
    def is_at_end(self) -> bool:
        """Tell whether all was shown."""
        return self.at >= self.recording.length

    def play(self) -> None:
        """Let time pass; at the end from the begin."""
        if self.is_at_end and self.recording.length > 0:
            self.seek(0.0)
        self._playing, self._last = True, self._clock()
        self._timer.start()
        self.moved.emit()

    def pause(self) -> None:
        """Hold the time."""
        self._playing = False
        self.moved.emit()

    def toggle(self) -> None:
        """Play or pause."""
        if self._playing:
            self.pause()
        else:
            self.play()

    def set_speed(self, speed: int) -> None:
        """Play so many times as fast as it was; 1 to 100."""
        self.speed = max(SPEEDS[0], min(SPEEDS[-1], speed))
        self.moved.emit()

    def faster(self, steps: int) -> None:
        """Take the next speed, or the one before."""
        near = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.speed))
        self.set_speed(SPEEDS[max(0, min(len(SPEEDS) - 1, near + steps))])

    def seek(self, seconds: float) -> None:
        """Go to a time; what lies between is shown as if it had been played."""
        self.at = max(0.0, min(self.recording.length, seconds))
        self._go(self.recording.until(self.at))

    def jump(self, places: Sequence[Place], direction: int) -> bool:
        """Go to the next (1) or previous (-1) of some places; tell whether there is one."""
        times = [self.recording.time_of(place.index) for place in places]
        if direction > 0:
            later = [i for i, place in enumerate(places) if place.index >= self._wanted]
            chosen = later[0] if later else None
        else:
            slack = SETTLED * self.speed if self._playing else 0.0
            before = [
                i
                for i, place in enumerate(places)
                if place.index < self._wanted - 1 and times[i] < self.at - slack
            ]
            chosen = before[-1] if before else None
        if chosen is None:
            return False
        self.at = times[chosen]
        self._go(places[chosen].index + 1)
        return True

    def _go(self, wanted: int) -> None:
        self._wanted = wanted
        if wanted < self._shown:
            self._screen.start_over()
            self._shown = 0
        self._hand_out()
        self.moved.emit()
        self._timer.start()

    def _tick(self) -> None:
        moment = self._clock()
        if self._playing and not self.is_seeking:
            self.at += (moment - self._last) * self.speed
            if self.at >= self.recording.length:
                self.at, self._playing = self.recording.length, False
            self._wanted = self.recording.until(self.at)
        self._last = moment
        self._hand_out()
        self.moved.emit()
        if not self._playing and not self.is_seeking:
            self._timer.stop()

    def _hand_out(self) -> None:
        until = self._clock() + BUDGET
        while self._shown < self._wanted:
            stop = min(self._wanted, self._shown + SLICE)
            self._screen.take(self.recording.records[self._shown : stop])
            self._shown = stop
            if self._clock() >= until:
                break
