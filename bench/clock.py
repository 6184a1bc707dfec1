"""Time: monotonic for deadlines and intervals, UTC for people."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment, on both scales."""

    mono: float
    """Seconds of the event loop's monotonic clock."""
    utc: datetime


def now() -> Stamp:
    """Stamp this moment; needs a running event loop, whose clock deadlines are measured by."""
    return Stamp(asyncio.get_running_loop().time(), datetime.now(UTC))


def iso(moment: datetime) -> str:
    """Write a UTC moment as ISO 8601 with microseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """Read an ISO 8601 date and time with zone; raises ValueError on anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
