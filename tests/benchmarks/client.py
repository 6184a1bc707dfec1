"""A scripted station in its own process: CALLs one after the other, as fast as answers come."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

HEARTBEAT: tuple[str, dict[str, Any]] = ("Heartbeat", {})
METER_VALUES: tuple[str, dict[str, Any]] = (
    "MeterValues",
    {
        "connectorId": 1,
        "meterValue": [
            {
                "timestamp": "2026-01-01T00:00:00.000Z",
                "sampledValue": [
                    {
                        "value": f"{230 + i}.5",
                        "context": "Sample.Periodic",
                        "measurand": "Voltage",
                        "phase": "L1",
                        "unit": "V",
                    }
                    for i in range(10)
                ],
            }
        ],
    },
)


async def drive(url: str, message: str, count: int) -> float:
    """Make `count` round trips; return how many a second."""
    action, payload = METER_VALUES if message == "MeterValues" else HEARTBEAT
    body = json.dumps(payload)
    protocols = [Subprotocol("ocpp1.6")]
    async with connect(url, subprotocols=protocols, compression=None) as socket:
        for i in range(count // 10):
            await socket.send(f'[2,"w{i}","{action}",{body}]')
            await socket.recv()
        started = time.perf_counter()
        for i in range(count):
            await socket.send(f'[2,"m{i}","{action}",{body}]')
            await socket.recv()
        return count / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(drive(sys.argv[1], sys.argv[2], int(sys.argv[3])))}\n")
