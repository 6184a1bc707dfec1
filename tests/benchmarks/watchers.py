"""Viewers of the stream in a process of their own: say how many bytes of samples each received."""

from __future__ import annotations

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def watch(url: str, ready: asyncio.Queue[None]) -> int:
    """Read the stream until its end; return the bytes of binary frames, with their headers."""
    received = 0
    async with connect(url, proxy=None, max_size=None, ping_interval=None) as socket:
        await socket.recv()
        await ready.put(None)
        try:
            async for frame in socket:
                if isinstance(frame, bytes):
                    received += len(frame) + (2 if len(frame) < 126 else 4)
        except ConnectionClosed:
            pass
    return received


async def main(url: str, count: int) -> None:
    """Watch by so many connections; they stand for other machines, so all else goes before."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(19)
    ready: asyncio.Queue[None] = asyncio.Queue()
    watching = [asyncio.create_task(watch(url, ready)) for _ in range(count)]
    for _ in range(count):
        await ready.get()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    received = await asyncio.gather(*watching)
    sys.stdout.write(f"{sum(received)}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
