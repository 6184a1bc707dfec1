"""The hub of samples: channels that devices feed, a file beside the journal, windows for viewers.

All of it lives in the engine's event loop and nothing in it waits: a sample is noted, a few times
a second what was noted is summed up for viewers, and handed to a thread that writes it down.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.clock import compare, monotonic
from bench.errors import JournalError
from bench.events import ChannelDeclared, Event, FileAttached, Noted
from bench.journal import Record
from bench.sample_file import SAMPLES, Block, SampleFile

log = logging.getLogger(__name__)

TICK = 0.1
"""Seconds that a window for viewers spans."""
TICKS_TO_FLUSH = 4
"""Ticks after which the samples are brought to the file: no more than 0.5 s of them can be lost."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a channel did in a window."""

    channel: ChannelDeclared
    samples: int
    least: float
    greatest: float
    mean: float
    last: float


@dataclass(frozen=True, slots=True)
class Window:
    """A short time summed up; `begin` and `end` in s of the monotonic clock."""

    number: int
    begin: float
    end: float
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class Channel:
    """One quantity of one instrument, with the samples that are not in the file yet."""

    declared: ChannelDeclared
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    summed_up: int = 0
    """How many of them viewers have seen."""

    def window(self) -> Entry | None:
        """Sum up what came since the last time; None when nothing came."""
        values = self.values[self.summed_up :]
        if not values:
            return None
        self.summed_up = len(self.values)
        return Entry(
            self.declared,
            len(values),
            min(values),
            max(values),
            sum(values) / len(values),
            values[-1],
        )

    def take(self) -> Block:
        """Hand over what is not in the file yet."""
        block = Block(self.declared, self.times, self.values)
        self.times, self.values, self.summed_up = array("d"), array("d"), 0
        return block


Watcher = Callable[[Window], None]


class Samples:
    """The samples of the run that goes on."""

    def __init__(self, emit: Callable[[Event], Record]) -> None:
        self._emit = emit
        self._channels: dict[tuple[str, str, int | None], Channel] = {}
        self._watchers: list[Watcher] = []
        self._fresh = asyncio.Event()
        self._number = 0
        self.is_recording = False
        """True while a run goes on."""
        self.newest_declared = 0
        """The record of the newest channel."""

    def add(
        self,
        name: str,
        unit: str,
        instrument: str,
        times: Sequence[float],
        values: Sequence[float],
        *,
        connector: int | None = None,
        register: bool = False,
    ) -> None:
        """Take samples of a channel, in order of their times in s of the monotonic clock.

        The first ones declare the channel; a `register` counts from its first value for viewers.
        Nothing is taken while no run goes on.
        """
        if not self.is_recording or not values:
            return
        key = instrument, name, connector
        channel = self._channels.get(key)
        if channel is None:
            zero = values[0] if register else 0.0
            number = len(self._channels) + 1
            declared = ChannelDeclared(number, name, unit, instrument, connector, zero)
            try:
                self.newest_declared = self._emit(declared).n
            except JournalError:
                return  # the stream has told whom it concerns
            channel = self._channels[key] = Channel(declared)
        channel.times.extend(times)
        channel.values.extend(values)
        self._fresh.set()

    @contextmanager
    def watched_by(self, watcher: Watcher) -> Iterator[None]:
        """Show every window to `watcher` while the context lasts."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    @asynccontextmanager
    async def recording(self, folder: Path) -> AsyncIterator[None]:
        """Take the samples of a run, in a file in its folder; in the end its hash is recorded."""
        self._channels.clear()
        self._fresh, ending = asyncio.Event(), asyncio.Event()
        self._number = self.newest_declared = 0
        file = SampleFile(folder / SAMPLES, run=folder.name, offset=compare()[0])
        self.is_recording = True
        going_on = asyncio.create_task(self._go_on(file, ending), name="samples")
        try:
            yield
        finally:
            self.is_recording = False
            ending.set()
            self._fresh.set()
            await asyncio.wait([going_on])

    async def _go_on(self, file: SampleFile, ending: asyncio.Event) -> None:
        """Sum up what is fresh and bring it to the file, until the end."""
        failed: Exception | None = None
        begin, ticks = monotonic(), 0
        while not ending.is_set():
            if not ticks and not self._fresh.is_set():
                await self._fresh.wait()
                begin = monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await ending.wait()
            end, ticks = monotonic(), ticks + 1
            self._sum_up(begin, end)
            begin = end
            if ticks == TICKS_TO_FLUSH or ending.is_set():
                ticks = 0
                self._fresh.clear()
                blocks = [one.take() for one in self._channels.values() if one.values]
                if blocks and failed is None:
                    failed = await self._do(partial(file.write, blocks))
        failed = failed or await self._do(file.close)
        if file.size:
            self._tell(FileAttached(SAMPLES, file.size, file.digest, file.counts))

    async def _do(self, write: Callable[[], None]) -> Exception | None:
        """Write to the file; what keeps it from growing is noted, and ends it but not the run."""
        try:
            await asyncio.to_thread(write)
        except Exception as error:
            # Whatever it is, the run is worth more.
            if isinstance(error, OSError):
                why = error.strerror
            else:
                log.exception("writing %s failed", SAMPLES)
                why = repr(error)
            self._tell(Noted(f"{SAMPLES}: {why}: no more samples of this run are recorded"))
            return error
        return None

    def _tell(self, event: Event) -> None:
        with suppress(JournalError):
            self._emit(event)

    def _sum_up(self, begin: float, end: float) -> None:
        entries = tuple(filter(None, (channel.window() for channel in self._channels.values())))
        if not entries:
            return
        self._number += 1
        window = Window(self._number, begin, end, entries)
        for watcher in tuple(self._watchers):
            try:
                watcher(window)
            except Exception as error:  # noqa: BLE001 - no viewer may end a run
                log.warning("a viewer of samples failed and is dropped: %r", error)
                self._watchers.remove(watcher)
