"""A scripted station in its own process that sends Heartbeats and writes into each when it does."""

from __future__ import annotations

import asyncio
import sys
import time

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol


async def send(url: str, rate: float, seconds: float) -> None:
    """Send Heartbeats whose message ids are the moments of sending, monotonic clock, in s."""
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], compression=None) as socket:
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            await socket.send(f'[2,"{time.monotonic()!r}","Heartbeat",{{}}]')
            await socket.recv()


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
