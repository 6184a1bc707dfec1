"""The run that is looked at: records folded into a `RunView`, told in batches by one timer."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from bench.clock import Stamp, from_iso
from bench.events import (
    AbortRequested,
    Answered,
    DeviceClosed,
    DeviceLost,
    DeviceOpened,
    OperatorLeft,
    OperatorReturned,
    Prompted,
    PromptWithdrawn,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    StationConnected,
    StationDisconnected,
    ViewerConnected,
    ViewerDisconnected,
    from_data,
)
from bench.journal import Record, stamp_of
from bench.runview import RunView
from bench.samples import Entry, Window
from bench.views import PromptView
from gui.cursor import TimeCursor
from gui.link import Link
from gui.messages.timeline import Timeline

TICK = 33
"""Milliseconds between two looks at what came."""
BUDGET = 0.02
"""Seconds of one look that may go into taking records; the rest waits for the next one."""
_OF_SESSION = (
    RunStarted,
    RunEnded,
    RunPaused,
    RunResumed,
    AbortRequested,
    DeviceOpened,
    DeviceLost,
    DeviceClosed,
    StationConnected,
    StationDisconnected,
    ViewerConnected,
    ViewerDisconnected,
    OperatorLeft,
    OperatorReturned,
)
"""After these the engine's session is another."""
_HEADER = struct.Struct("<HHIdd")
_ENTRY = struct.Struct("<IIffff")


class LiveRun(QObject):
    """What the screens look at; it is fed by a link (`follow`), or by a replay (`take`)."""

    begun = pyqtSignal()
    """Another run is looked at: start over."""
    advanced = pyqtSignal(list)
    """Records of the run, at most once in a tick; they are in `view` already."""
    sampled = pyqtSignal(list)
    """Windows of samples (`bench.samples.Window`), at most once in a tick."""
    prompts_changed = pyqtSignal()
    """`prompts` are others, or have other deadlines."""
    cut_changed = pyqtSignal()
    """`is_cut` is another."""
    ticked = pyqtSignal()
    """A tick is over; for clocks, after all other signals."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = RunView()
        self.timeline = Timeline(self)
        """What happened, along the time; in step with `view`."""
        self.cursor = TimeCursor(self)
        """The moment or record that the operator points at, in whatever view."""
        self.samples: Path | None = None
        """The file of samples of a replay that has one beside it; else the engine has them."""
        self.run: str | None = None
        self.is_live = False
        """False for a replay: nothing of it can be acted on."""
        self.is_cut = False
        """True once the engine told that the run, which has not ended, goes on no more."""
        self.prompts: dict[str, PromptView] = {}
        """What waits for the operator, oldest first; also what is asked between two runs."""
        self.deadlines: dict[str, datetime] = {}
        """Of the open prompts; they move when prompts were held."""
        self.answered: PromptView | None = None
        """The prompt that was answered or withdrawn last, as the engine told."""
        self._link: Link | None = None
        self._records: list[Record] = []
        self._windows: list[Window] = []
        self._asked = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def follow(self, link: Link) -> None:
        """Take what comes over a link from now on."""
        self._link = link
        self.is_live = True
        link.session_changed.connect(self._session_told)

    def restart(self, run: str | None) -> None:
        """Start over with another run."""
        self.flush()
        self.view = RunView()
        self.run, self.is_cut, self.answered = run, False, None
        self._asked = True
        self.cursor.clear()
        self.timeline.begin_anew((), self.view)
        self.begun.emit()

    def take(self, records: Sequence[Record]) -> None:
        """Take the next records of the run; they are told with the next tick."""
        for record in records:
            self.view.apply(record)
            self._prompt(record)
        self._records += records

    def sample(self, windows: Sequence[Window]) -> None:
        """Take windows of samples; they are told with the next tick."""
        self._windows += windows

    def flush(self) -> None:
        """Tell what came and was not told yet."""
        if self._records:
            records, self._records = self._records, []
            self.timeline.take(records, self.view)
            self.advanced.emit(records)
        if self._windows:
            windows, self._windows = self._windows, []
            self.sampled.emit(windows)
        if self._asked:
            self._asked = False
            self.prompts_changed.emit()

    def _session_told(self, session: dict[str, Any]) -> None:
        """See whether the run goes on; of one that begins, the engine tells a moment later."""
        view = self.view
        begun = view.started is not None and view.ended is None
        is_cut = begun and session.get("run") != self.run
        if is_cut != self.is_cut:
            self.is_cut = is_cut
            self.cut_changed.emit()

    def _tick(self) -> None:
        if self._link is not None:
            inbox = self._link.inbox
            until = time.monotonic() + BUDGET
            while inbox:
                self._take_frame(inbox.popleft(), self._link)
                if time.monotonic() > until:
                    break
        self.flush()
        self.ticked.emit()

    def _take_frame(self, frame: str | bytes, link: Link) -> None:
        if isinstance(frame, bytes):
            window = self._decode(frame)
            if window is not None:
                self._windows.append(window)
            return
        parts = orjson.loads(frame)
        if "snapshot" in parts:
            self._snapshot(parts["snapshot"])
            return
        try:
            event = from_data(parts["event"], parts["data"])
        except ValueError:
            return  # of a newer engine; the numbers go on all the same
        record = Record(parts["n"], from_iso(parts["utc"]), parts["mono"], event)
        if isinstance(event, _OF_SESSION):
            link.refresh()
        run = parts["run"]
        if run is None:
            self._prompt(record)
            return
        if run != self.run:
            self.restart(run)
        elif self.view.last is not None and record.n <= self.view.last.n:
            return
        self.take([record])
        link.position = run, record.n

    def _snapshot(self, snapshot: dict[str, Any]) -> None:
        """Take the open prompts as they are now; whatever else was open is not any more."""
        found: dict[str, PromptView] = {}
        for prompt in snapshot.get("prompts", ()):
            name = prompt["id"]
            event = Prompted(
                prompt=name,
                kind=prompt["kind"],
                text=prompt["text"],
                options=prompt["options"],
                deadline=prompt["deadline"],
                action=prompt["action"],
                picture=prompt["picture"],
            )
            found[name] = self.prompts.get(name) or PromptView(0, _here(), event)
            self.deadlines[name] = from_iso(prompt["deadline"])
        self.prompts = found
        self.deadlines = {name: self.deadlines[name] for name in found}
        self._asked = True

    def _prompt(self, record: Record) -> None:
        """Keep `prompts` in step."""
        match record.event:
            case Prompted() as event:
                view = self.view.prompts.get(event.prompt)
                self.prompts[event.prompt] = view or PromptView(record.n, stamp_of(record), event)
                self.deadlines[event.prompt] = from_iso(event.deadline)
            case Answered(prompt=name) as event if name in self.prompts:
                self._close(name).answer = event
            case PromptWithdrawn(prompt=name, reason=reason) if name in self.prompts:
                self._close(name).withdrawn = reason
            case OperatorReturned(deadlines):
                for name, deadline in deadlines.items():
                    if name in self.prompts:
                        self.deadlines[name] = from_iso(deadline)
            case RunEnded():
                self.prompts.clear()
                self.deadlines.clear()
            case _:
                return
        self._asked = True

    def _close(self, name: str) -> PromptView:
        self.deadlines.pop(name, None)
        self.answered = self.prompts.pop(name)
        return self.answered

    def _decode(self, frame: bytes) -> Window | None:
        """Read a window (docs/reference/api.md, "Samples"); None for other kinds of frames."""
        kind, count, number, begin, end = _HEADER.unpack_from(frame)
        if kind != 1:
            return None
        entries = []
        for index in range(count):
            channel, samples, *values = _ENTRY.unpack_from(
                frame, _HEADER.size + index * _ENTRY.size
            )
            declared = self.view.channels.get(channel)
            if declared is not None:
                least, greatest, mean, last = (value + declared.zero for value in values)
                entries.append(Entry(declared, samples, least, greatest, mean, last))
        return Window(number, begin, end, tuple(entries))


def _here() -> Stamp:
    """Stamp this moment by our own clocks: this process has no event loop of asyncio."""
    return Stamp(time.monotonic(), datetime.now(UTC))
