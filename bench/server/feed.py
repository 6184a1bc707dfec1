"""The stream for viewers: each record is written once for all, and read at each viewer's pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from bench.archive import Archive
from bench.engine import Engine
from bench.errors import JournalError
from bench.events import SCHEMA
from bench.journal import JOURNAL, Record, as_json, without_chain
from bench.migration import Migration
from bench.redaction import for_observer
from bench.summary import Summary

KEPT = 4096
"""Newest records in memory; a viewer that is further behind reads the journal's file."""
AT_ONCE = 64
"""Records that are taken from a file, or from memory, before others get their turn."""

MayRead = Callable[[Summary], bool]


@dataclass(frozen=True, slots=True)
class Written:
    """A record as viewers get it: a frame of the stream."""

    n: int
    frame: str
    observed: str
    """What an observer gets in its place."""


def written(run: str | None, n: int, record: bytes) -> Written:
    """Write a record (`journal.as_json`) as a frame of the stream, which names its run."""
    frame = b'{"run":' + orjson.dumps(run) + b"," + record[1:]
    text = frame.decode()
    observed = for_observer(frame)
    return Written(n, text, text if observed is frame else observed.decode())


@dataclass(slots=True)
class Position:
    """Where a viewer is: the next record that it gets is `n` of `run`, None: the first to come."""

    run: str | None
    n: int = 1


class Feed:
    """Follows the engine's stream, and hands every viewer its records in order, none twice.

    Nothing here waits for a viewer: a record is noted, and whoever has read all others is woken.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._archive: Archive = engine.archive
        self._run: str | None = None
        self._kept: deque[Written] = deque(maxlen=KEPT)
        """Newest records of the run that goes on, or went on last."""
        self._apart: deque[tuple[int, Written]] = deque(maxlen=KEPT)
        """Newest records made while no run went on, counted as they came."""
        self._apart_seen = 0
        self._record = asyncio.Event()
        self._turn = asyncio.Event()

    def take(self, record: Record) -> None:
        """Note a record of the stream."""
        run = self._engine.run_id
        one = written(run, record.n, as_json(record))
        if run is None:
            self._apart_seen += 1
            self._apart.append((self._apart_seen, one))
        else:
            if run != self._run:
                self._run = run
                self._kept.clear()
                self.turn()
            self._kept.append(one)
        self._record.set()
        self._record = asyncio.Event()

    def turn(self) -> None:
        """Let every viewer look which run goes on."""
        for change in (self._turn, self._record):
            change.set()
        self._turn, self._record = asyncio.Event(), asyncio.Event()

    async def start(self, run: str | None, may_read: MayRead) -> str | None:
        """Return the run at which a viewer begins: the one named, else the newest it may read."""
        if run is not None:
            return run
        readable = [one.run for one in await self._runs() if may_read(one)]
        return readable[-1] if readable else None

    async def records(
        self, position: Position, may_read: MayRead, *, observer: bool, follow: bool = True
    ) -> AsyncIterator[str]:
        """Yield the frames from a position on, and with `follow` those of all later runs."""
        apart = self._apart_seen
        file: _File | None = None
        try:
            while True:
                # Taken first: nothing is missed while frames are sent.
                record, turn = self._record, self._turn
                if follow and not observer:
                    for number, one in [late for late in self._apart if late[0] > apart]:
                        apart = number
                        yield one.frame
                batch = self._next_kept(position)
                if batch is None and position.run is not None:
                    file = file or _File(self._archive.root / position.run / JOURNAL)
                    batch = await asyncio.to_thread(file.read, position.run, position.n)
                for one in batch or ():
                    yield one.observed if observer else one.frame
                    position.n = one.n + 1
                if batch:
                    await asyncio.sleep(0)  # a viewer that is behind must not hold up the others
                    continue
                live = position.run is not None and position.run == self._engine.run_id
                if not live:
                    if not follow:
                        return
                    following = await self._after(position.run, may_read)
                    if following is not None:
                        position.run, position.n = following, 1
                        if file is not None:
                            file.close()
                            file = None
                        continue
                # Whose run does not go on is not even woken by what happens in another's.
                await (turn if observer and not live else record).wait()
        finally:
            if file is not None:
                file.close()

    def _next_kept(self, position: Position) -> list[Written] | None:
        """Return the kept records that a viewer gets next; None when it has to read the file."""
        kept = self._kept
        if not kept or self._run != position.run or position.n < kept[0].n:
            return None
        start = position.n - kept[0].n
        return [kept[index] for index in range(start, min(start + AT_ONCE, len(kept)))]

    async def _after(self, run: str | None, may_read: MayRead) -> str | None:
        """Return the run that follows one, None when there is none yet."""
        found = await self._runs()
        names = [one.run for one in found]
        later = found[names.index(run) + 1 :] if run in names else found
        return next((one.run for one in later if may_read(one)), None)

    async def _runs(self) -> list[Summary]:
        return await asyncio.to_thread(self._archive.runs)


class _File:
    """A journal's file, read onwards, one part after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._migrated: Migration | None = None
        """Set for a journal of an older version."""

    def read(self, run: str, n: int) -> list[Written]:
        """Read the next records from number `n` on, at most `AT_ONCE`; none at the end."""
        found: list[Written] = []
        try:
            if self._file is None:
                self._file = self._path.open("rb")
            while len(found) < AT_ONCE:
                place = self._file.tell()
                line = self._file.readline()
                if not line.endswith(b"\n"):
                    self._file.seek(place)  # what is half written, or was cut, is no record yet
                    break
                number = int(line[len(b'{"n":') : line.index(b",")])
                record = without_chain(line)
                if place == 0:
                    migration = Migration()
                    migration(orjson.loads(record))
                    self._migrated = migration if migration.schema < SCHEMA else None
                if self._migrated is not None:
                    record = orjson.dumps(self._migrated(orjson.loads(record)))
                if number >= n:
                    found.append(written(run, number, record))
        except (OSError, ValueError, KeyError, TypeError, JournalError):
            pass  # what is no journal holds no more records; `verify` says what is wrong with it
        return found

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
