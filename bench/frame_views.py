"""The messages of a run as front ends draw them: each with its action, answers too."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from bench.events import FrameLost, FrameReceived, FrameSent, LeftUnanswered
from bench.journal import Record, stamp_of
from bench.ocpp.frame import Call, CallError, CallResult, parse
from bench.views import FrameView


class FrameViews:
    """The messages by record; an answer has the action of the CALL that it answers."""

    def __init__(self) -> None:
        self._frames: dict[int, FrameView] = {}
        self._calls: dict[tuple[bool, str], str] = {}
        """Actions of CALLs not answered yet, by direction and message id."""

    def __iter__(self) -> Iterator[FrameView]:
        return iter(self._frames.values())

    def get(self, n: int | None) -> FrameView | None:
        """Return the message of a record, None if there is none or it was dropped."""
        return None if n is None else self._frames.get(n)

    def take(self, record: Record, event: FrameReceived | FrameSent) -> FrameView:
        """Take the next message."""
        received = isinstance(event, FrameReceived)
        text = event.text
        if text is None:
            raw = base64.b64decode(event.base64 or "") if isinstance(event, FrameReceived) else b""
            frame, text = parse(raw), f"{len(raw)} bytes: {raw.hex(' ', 4)}"
        else:
            frame = parse(text)
        action = ""
        match frame:
            case Call(message_id, action):
                self._calls[received, message_id] = action
            case CallResult(message_id) | CallError(message_id):
                action = self._calls.pop((not received, message_id), "")
        stamp = stamp_of(record)
        view = FrameView(record.n, stamp, event.connection, received, text, frame, action)
        self._frames[record.n] = view
        return view

    def mark(self, event: FrameLost | LeftUnanswered) -> None:
        """Take in what became of a message."""
        view = self._frames.get(event.frame)
        if view is not None and isinstance(event, FrameLost):
            view.lost = event.reason
        elif view is not None:
            view.left_unanswered = True

    def forget_calls(self) -> None:
        """Expect no more answers: the connection is another one."""
        self._calls.clear()

    def drop(self, n: int) -> None:
        """Keep a message no longer, if the record was one."""
        self._frames.pop(n, None)
