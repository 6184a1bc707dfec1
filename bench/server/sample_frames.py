"""Samples for viewers: each window is written once for all, and the newest wins at each viewer."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.samples import Window

KIND = 1
"""What the first two bytes of a frame say that sums up a window."""
DEPTH = 2
"""Frames that wait for a viewer; an older one gives way."""
LARGEST = (2 - 2**-23) * 2.0**127
"""The largest value that float32 holds."""
_HEADER = struct.Struct("<HHIdd")
_ENTRY = struct.Struct("<IIffff")


def encode(window: Window) -> bytes:
    """Write a window as a binary frame of the stream (docs/reference/api.md, "Samples")."""
    parts = [_HEADER.pack(KIND, len(window.entries), window.number, window.begin, window.end)]
    for entry in window.entries:
        values = (entry.least, entry.greatest, entry.mean, entry.last)
        parts.append(
            _ENTRY.pack(
                entry.channel.channel,
                entry.samples,
                *(max(-LARGEST, min(LARGEST, value - entry.channel.zero)) for value in values),
            )
        )
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class SampleFrame:
    """A window as viewers get it."""

    run: str
    declared: int
    """The record of the newest channel in it: a viewer has to have it."""
    data: bytes


class Outbox:
    """What waits for one viewer."""

    def __init__(self) -> None:
        self._frames: deque[SampleFrame] = deque(maxlen=DEPTH)
        self._fresh = asyncio.Event()

    def put(self, frame: SampleFrame) -> None:
        """Add the newest frame; the oldest gives way."""
        self._frames.append(frame)
        self._fresh.set()

    async def get(self) -> SampleFrame:
        """Wait for a frame and take it."""
        while not self._frames:
            self._fresh.clear()
            await self._fresh.wait()
        return self._frames.popleft()


class SampleFeed:
    """Hands every window to the outboxes of all viewers."""

    def __init__(self, run: Callable[[], str | None], declared: Callable[[], int]) -> None:
        """`run` tells the run that goes on, `declared` the record of its newest channel."""
        self._run = run
        self._declared = declared
        self._outboxes: set[Outbox] = set()

    def take(self, window: Window) -> None:
        """Note a window of the run that goes on."""
        run = self._run()
        if run is None or not self._outboxes:
            return
        frame = SampleFrame(run, self._declared(), encode(window))
        for outbox in self._outboxes:
            outbox.put(frame)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """Fill an outbox while the context lasts."""
        outbox = Outbox()
        self._outboxes.add(outbox)
        try:
            yield outbox
        finally:
            self._outboxes.remove(outbox)
