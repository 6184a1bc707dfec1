"""The one stream of records that everything reads: written first, shown second."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.clock import Stamp, now
from bench.errors import JournalError
from bench.events import Answered, CaseEnded, Event, RunEnded, RunStarted
from bench.journal import JournalWriter, Record

log = logging.getLogger(__name__)

Viewer = Callable[[Record], None]

_DURABLE = (RunStarted, CaseEnded, Answered, RunEnded)


class Stream:
    """Number and time events, write them to the journal, then show them to the viewers."""

    def __init__(self) -> None:
        self.journal: JournalWriter | None = None
        self.last = 0
        """Number of the newest record."""
        self.lost: Callable[[JournalError], None] = lambda error: None
        """Called once when the journal can't be written any more."""
        self._viewers: list[Viewer] = []

    def emit(self, event: Event, stamp: Stamp | None = None) -> Record:
        """Record an event; `stamp` when it happened before now. Raises `JournalError`."""
        moment = stamp or now()
        record = Record(self.last + 1, moment.utc, moment.mono, event)
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
    def watched_by(self, viewer: Viewer) -> Iterator[None]:
        """Show every record to `viewer` while the context lasts."""
        self._viewers.append(viewer)
        try:
            yield
        finally:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
