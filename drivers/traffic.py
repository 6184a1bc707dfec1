"""Bytes on their way through a relay: delayed, held to a rate, or dropped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

_CHUNK = 16 * 1024
"""Bytes read at once."""

_CHUNKS = 1024
"""Chunks kept per direction while they are held back; then the sender has to wait."""

_SLICE = 0.05
"""Seconds of a limited path that are forwarded at once."""


class Traffic:
    """What all connections through a relay share: their delay and their limit."""

    def __init__(self, drops: Callable[[], bool]) -> None:
        """Begin without delay and limit; `drops` tells whether all bytes vanish now."""
        self._drops = drops
        self._delay = 0.0
        self._limit: float | None = None
        self._free = {True: 0.0, False: 0.0}
        """When the limited path is free again: to the engine (True), and to the station."""
        self._changed = asyncio.Event()

    def delay(self, seconds: float) -> None:
        """Delay every byte in both directions; those on their way follow the new delay."""
        self._delay = seconds
        self._change()

    def limit(self, bytes_per_second: float | None) -> None:
        """Let so many bytes a second through in each direction, None: all of them."""
        self._limit = bytes_per_second
        self._change()

    def _change(self) -> None:
        self._free = dict.fromkeys(self._free, 0.0)
        self._changed.set()
        self._changed = asyncio.Event()

    async def carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool
    ) -> None:
        """Carry bytes in one direction, up to and including the end of the stream."""
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive(source, chunks))
            group.create_task(self._send(chunks, sink, up=up))

    async def _receive(
        self, source: asyncio.StreamReader, chunks: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await source.read(_CHUNK)
            except OSError:
                if not self._drops():
                    raise
                return  # that the peer is gone vanishes as well
            await chunks.put((loop.time(), data))
            if not data:
                return

    async def _send(
        self,
        chunks: asyncio.Queue[tuple[float, bytes]],
        sink: asyncio.StreamWriter,
        *,
        up: bool,
    ) -> None:
        while True:
            read_at, data = await chunks.get()
            while await self._sleep_until(read_at + self._delay):
                pass  # the delay is another one now
            if not data and not self._drops():
                sink.write_eof()
                return
            while data:
                size = await self._passed(len(data), up=up)
                if not self._drops():
                    await self._write(sink, data[:size])
                data = data[size:]

    async def _write(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        try:
            sink.write(data)
            await sink.drain()
        except OSError:
            if not self._drops():
                raise

    async def _passed(self, size: int, *, up: bool) -> int:
        """Wait until some of so many bytes have passed the limit; return how many."""
        loop = asyncio.get_running_loop()
        while (limit := self._limit) is not None:
            passing = min(size, max(1, round(limit * _SLICE)))
            end = self._free[up] = max(self._free[up], loop.time()) + passing / limit
            if not await self._sleep_until(end):
                return passing
        return size

    async def _sleep_until(self, moment: float) -> bool:
        """Sleep, or return True when delay or limit have changed before."""
        wait = moment - asyncio.get_running_loop().time()
        if wait <= 0:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                return await self._changed.wait()
        return False
