"""The station's clock: follows the CSMS, stamps messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bench.clock import utc

_STEP = timedelta(seconds=1)
"""Differences below this are the network's delay and rounding, not the clock's error."""


class Clock:
    """A battery-backed clock that runs with the event loop and steps when the CSMS says so."""

    def __init__(self, *, milliseconds: bool) -> None:
        self._timespec = "milliseconds" if milliseconds else "seconds"
        self._loop = asyncio.get_running_loop()
        self._origin = utc() - timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        """Return the time that the station believes it is, in UTC."""
        return self._origin + timedelta(seconds=self._loop.time())

    def stamp(self) -> str:
        """Write this moment as messages carry it."""
        text = self.now().replace(tzinfo=None).isoformat(timespec=self._timespec)
        return f"{text}Z"

    def seconds_of_day(self) -> float:
        """Return the seconds since midnight, UTC."""
        now = self.now()
        return (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()

    def synchronise(self, text: str) -> None:
        """Follow the `currentTime` of the CSMS; an unreadable one is ignored."""
        told = read(text)
        error = timedelta(0) if told is None else told - self.now()
        if abs(error) >= _STEP:
            self._origin += error


def read(text: str) -> datetime | None:
    """Read an ISO 8601 time; one without zone is taken as UTC, None when it is none at all."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
