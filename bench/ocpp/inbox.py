"""What came from the DUT, and which of it an expectation has claimed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

from bench.ocpp.frame import Broken, Call
from bench.ocpp.match import Pattern, distance
from bench.ocpp.message import Received


class Inbox:
    """The DUT's messages in order; each satisfies one expectation at most."""

    def __init__(self) -> None:
        self._messages: list[Received] = []
        self._claimed: dict[int, int] = {}
        """Record of a claimed message to the window in which it was claimed."""
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        """Count all messages, claimed or not."""
        return len(self._messages)

    def add(self, message: Received) -> None:
        """Take a message; who waits learns it from `notify`."""
        self._messages.append(message)

    @property
    def arrival(self) -> asyncio.Event:
        """What is set when something comes from now on."""
        return self._arrival

    def notify(self) -> None:
        """Let those look again who wait."""
        self._arrival.set()
        self._arrival = asyncio.Event()

    def claim(self, message: Received, window: int) -> None:
        """Let no other expectation see a message, in the window that began at a record."""
        self._claimed[message.n] = window

    def last_claimed(self, window: int) -> int:
        """Return the newest record that was claimed in a window, its beginning if none was."""
        return max((n for n, where in self._claimed.items() if where == window), default=window)

    def matching(self, pattern: Pattern, after: int) -> list[Received]:
        """List the messages after a record that match, claimed or not."""
        return [m for m in self._messages if m.n > after and not pattern.misses(m.frame)]

    def unclaimed(self, after: int, *, skipped: int = 0) -> Iterator[Received]:
        """List the messages after a record that nobody has claimed, but for the first ones."""
        for message in itertools.islice(self._messages, skipped, None):
            if message.n > after and message.n not in self._claimed:
                yield message

    def first(self, pattern: Pattern, after: int, until: float, *, skipped: int) -> Received | None:
        """Find the first unclaimed match after a record that came by a monotonic time in s.

        The first `skipped` messages are known not to match.
        """
        for message in self.unclaimed(after, skipped=skipped):
            if message.stamp.mono <= until and not pattern.misses(message.frame):
                return message
        return None

    def nearest(self, pattern: Pattern, after: int) -> Received | None:
        """Find the unclaimed message after a record that comes nearest to a pattern."""
        candidates = [m for m in self.unclaimed(after) if isinstance(m.frame, Call | Broken)]
        return min(candidates, key=lambda m: distance(pattern.misses(m.frame)), default=None)
