"""The one stream of records that everything reads: written first, shown second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from bench.clock import Stamp, compare, now
from bench.errors import JournalError
from bench.events import Answered, CaseEnded, ClocksCompared, Event, RunEnded, RunStarted
from bench.journal import JournalWriter, Record
from bench.masks import Masks
from bench.samples import Samples

log = logging.getLogger(__name__)

Viewer = Callable[[Record], None]

COMPARING = 60.0
"""Seconds between two comparisons of the clocks."""

_DURABLE = (RunStarted, CaseEnded, Answered, RunEnded)


class Stream:
    """Number and time events, write them to the journal, then show them to the viewers."""

    def __init__(self) -> None:
        self.journal: JournalWriter | None = None
        self.masks = Masks()
        """What keeps secrets out of every record."""
        self.samples = Samples(self.emit)
        """What is too much for records: values that devices observe all the time."""
        self.last = 0
        """Number of the newest record."""
        self.lost: Callable[[JournalError], None] = lambda error: None
        """Called once when the journal can't be written any more."""
        self._viewers: list[Viewer] = []

    def emit(self, event: Event, stamp: Stamp | None = None) -> Record:
        """Record an event; `stamp` when it happened before now. Raises `JournalError`."""
        moment = stamp or now()
        record = Record(self.last + 1, moment.utc, moment.mono, self.masks.apply(event))
        if self.journal is not None:
            try:
                self.journal.append(record, durable=isinstance(event, _DURABLE))
            except JournalError as error:
                # The run stops, but what makes the lab safe must still be able to emit.
                self.journal = None
                self.lost(error)
                raise
        self.last = record.n
        for viewer in tuple(self._viewers):
            try:
                viewer(record)
            except Exception as error:  # noqa: BLE001 - no viewer may end a run
                log.warning("a viewer failed at record %d and is dropped: %r", record.n, error)
                self._viewers.remove(viewer)
        return record

    @contextmanager
    def recording(self, journal: JournalWriter) -> Iterator[None]:
        """Write what happens to `journal`, numbered from 1, while the context lasts."""
        before = self.journal, self.last
        self.journal, self.last = journal, 0
        try:
            yield
        finally:
            self.journal, self.last = before

    @contextmanager
    def watched_by(self, viewer: Viewer) -> Iterator[None]:
        """Show every record to `viewer` while the context lasts."""
        self._viewers.append(viewer)
        try:
            yield
        finally:
            if viewer in self._viewers:
                self._viewers.remove(viewer)


@asynccontextmanager
async def comparing_clocks(
    stream: Stream, *, every: float = COMPARING, unless: Callable[[], bool] = lambda: False
) -> AsyncIterator[None]:
    """Record how far the clocks are apart, now and every so many s while the context lasts.

    Not while `unless` holds: somebody else does it then.
    """
    stream.emit(ClocksCompared(*compare()))

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every)
            if unless():
                continue
            try:
                stream.emit(ClocksCompared(*compare()))
            except JournalError:
                return  # the stream has told whom it concerns

    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going_on.cancel()
        await asyncio.wait([going_on])
