"""Time: monotonic for deadlines and intervals, UTC for people."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime


class VirtualClock(ABC):
    """An event loop whose time is its own: it passes at once while everybody waits."""

    @abstractmethod
    def utc(self) -> datetime:
        """Return the UTC moment that belongs to the loop's `time()`."""

    @abstractmethod
    def held(self, what: str) -> AbstractContextManager[None]:
        """Let no time pass while the context lasts; `what` names the reason in an error."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment, on both scales."""

    mono: float
    """Seconds of the system's monotonic clock, by which event loops measure deadlines."""
    utc: datetime


def now() -> Stamp:
    """Stamp this moment.

    Not by the event loop's `time`, which is the same clock but in uvloop only that of the last
    turn of the loop, in ms. Both scales have the journal's resolution of 1 µs, so that what is
    judged live is judged the same from the records.
    """
    return Stamp(round(monotonic(), 6), utc())


def monotonic() -> float:
    """Return this moment in seconds of the monotonic clock, or of a virtual one."""
    loop = asyncio.get_running_loop()
    return loop.time() if isinstance(loop, VirtualClock) else time.monotonic()


def utc() -> datetime:
    """Return this moment in UTC; needs a running event loop, which may keep a time of its own."""
    loop = asyncio.get_running_loop()
    return loop.utc() if isinstance(loop, VirtualClock) else datetime.now(UTC)


@contextmanager
def holding_time(what: str) -> Iterator[None]:
    """Keep a virtual clock from leaping while something real is under way; else do nothing.

    A virtual clock leaps to the next timer as soon as nobody has anything to do. It can't see what
    happens outside the event loop: a server in a thread, a process, a socket of the system. Whoever
    starts such work holds the clock from before it begins until its result has reached the loop.
    Work given to `asyncio.to_thread` or to an executor holds the clock by itself.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualClock):
        with loop.held(what):
            yield
    else:
        yield


def compare() -> tuple[float, float]:
    """Read both clocks together: UTC less the monotonic clock, and how far that can be off, in s.

    Of a few tries the closest counts, since the system may look away between two readings.
    """
    tries = []
    for _ in range(5):
        before = monotonic()
        here = utc().timestamp()
        after = monotonic()
        tries.append(((after - before) / 2, here - (before + after) / 2))
    uncertainty, offset = min(tries)
    return round(offset, 6), round(uncertainty, 9)


def iso(moment: datetime) -> str:
    """Write a UTC moment as ISO 8601 with microseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wire(moment: datetime) -> str:
    """Write a UTC moment as the bench's messages carry it: ISO 8601 with milliseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def spoken(seconds: float) -> str:
    """Say a duration as people do: 35 ms, 1.24 s, 12.3 s, 4 min 05 s, 2 h 07 min."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def from_iso(text: str) -> datetime:
    """Read an ISO 8601 date and time with zone; raises ValueError on anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
