"""Fetching a recorded run from the engine, record by record, for a replay."""

from __future__ import annotations

import orjson
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWebSockets import QWebSocketProtocol

from bench.clock import from_iso
from bench.events import from_data
from bench.journal import Record
from gui.link import Link
from gui.recording import Recording

TOLD = 500
"""Records after which the progress is told."""


class RunFetch(QObject):
    """Reads one run over the stream, from its first record to its last."""

    progressed = pyqtSignal(int)
    """So many records came."""
    came = pyqtSignal(object)
    """The `Recording`; `missing` says what the engine did not have."""
    failed = pyqtSignal(str)

    def __init__(self, link: Link, run: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recording = Recording(run)
        self._over = False
        self._socket = link.stream({"run": run, "from": "1", "follow": "false"}, self)
        self._socket.textMessageReceived.connect(self._take)
        self._socket.disconnected.connect(self._ended)

    def cancel(self) -> None:
        """Fetch no more; nothing is told."""
        self._over = True
        self._socket.abort()

    def _take(self, frame: str) -> None:
        parts = orjson.loads(frame)
        if parts.get("run") != self.recording.name:
            return  # the snapshot that every stream begins with
        try:
            event = from_data(parts["event"], parts["data"])
        except ValueError as error:
            self.recording.fault = self.recording.fault or str(error)
            return
        self.recording.add(Record(parts["n"], from_iso(parts["utc"]), parts["mono"], event))
        if len(self.recording.records) % TOLD == 0:
            self.progressed.emit(len(self.recording.records))

    def _ended(self) -> None:
        if self._over:
            return
        self._over = True
        if self._socket.closeCode() == QWebSocketProtocol.CloseCode.CloseCodeNormal:
            self.came.emit(self.recording)
        else:
            why = self._socket.closeReason() or self._socket.errorString()
            self.failed.emit(f"run {self.recording.name} could not be fetched: {why}")
