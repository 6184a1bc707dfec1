"""Conversations written by hand, as records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.events import Checked, Event, FrameReceived, FrameSent
from bench.journal import Record
from bench.runview import RunView
from gui.messages.timeline import Timeline

BEGAN = datetime(2026, 11, 25, 8, tzinfo=UTC)


class Talk:
    """Numbers and times events, 10 ms after each other, and keeps a timeline of them."""

    def __init__(self) -> None:
        self.view = RunView()
        self.timeline = Timeline()
        self.records: list[Record] = []

    def add(self, *events: Event) -> list[Record]:
        """Let these happen in one batch."""
        batch = []
        for event in events:
            n = len(self.records) + 1
            utc = BEGAN + timedelta(milliseconds=10 * n)
            batch.append(Record(n, utc, 100 + n / 100, event))
            self.records.append(batch[-1])
            self.view.apply(batch[-1])
        self.timeline.take(batch, self.view)
        return batch


def came(text: str, connection: int = 1) -> FrameReceived:
    """A message of the station."""
    return FrameReceived(connection, text)


def sent(text: str, connection: int = 1) -> FrameSent:
    """A message to the station."""
    return FrameSent(connection, text)


def checked(frame: int | None, verdict: str, rule: dict[str, Any]) -> Checked:
    """A check that was judged by a record."""
    return Checked("It holds", verdict, "this", "that", frame, rule)
