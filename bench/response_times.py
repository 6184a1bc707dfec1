"""How long the DUT takes to answer the bench's CALLs, taken from the frames as they pass."""

from __future__ import annotations

import re

from bench.events import FrameReceived, FrameSent
from bench.journal import Record
from bench.samples import Samples

OPEN = 100
"""Newest CALLs whose answers are awaited; a DUT may leave any number unanswered."""
_CALL = re.compile(r'\[\s*2\s*,\s*"((?:[^"\\]|\\.)*)"')
_ANSWER = re.compile(r'\s*\[\s*[34]\s*,\s*"((?:[^"\\]|\\.)*)"')


class ResponseTimes:
    """A viewer of the stream that feeds the channel `response-time`."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._sent: dict[str, float] = {}
        """When CALLs were sent that are not answered yet, by message id."""

    def __call__(self, record: Record) -> None:
        """Take a record."""
        match record.event:
            case FrameSent(text=text) if found := _CALL.match(text):
                if len(self._sent) == OPEN:
                    del self._sent[next(iter(self._sent))]
                self._sent[found[1]] = record.mono
            case FrameReceived(text=str(text)) if found := _ANSWER.match(text):
                sent = self._sent.pop(found[1], None)
                if sent is not None:
                    took = record.mono - sent
                    self._samples.add("response-time", "s", "OCPP", [record.mono], [took])
            case _:
                pass
