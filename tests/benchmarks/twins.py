"""Twins in a process of their own: prints their links as one JSON line, ends with its input."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from drivers.sim.ea_psb import EaPsb
from drivers.sim.energy_meter import EnergyMeter
from drivers.sim.modbus import ModbusLine
from drivers.sim.paced import PacedPtyWire
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World


def idle_bench() -> list[Twin[Any]]:
    """Six meters, two pilot boxes and two loads on TCP."""
    world = World(connectors=2)
    meters = [EnergyMeter(world.supply, world.timeline) for _ in range(6)]
    boxes = [PilotBox(world.connectors[n], world.timeline) for n in (1, 2)]
    loads = [EaPsb(lambda: 325.0, timeline=world.timeline) for _ in range(2)]
    return [
        *(Twin(ModbusLine([meter], "tcp"), TcpWire("modbus-tcp")) for meter in meters),
        *(Twin(box, TcpWire("modbus-tcp")) for box in boxes),
        *(Twin(load, TcpWire("socket")) for load in loads),
    ]


def paced_meter(baudrate: int) -> list[Twin[Any]]:
    """One SDM630 on a line of that rate."""
    world = World()
    meter = EnergyMeter(world.supply, world.timeline)
    wire = PacedPtyWire("modbus-rtu", baudrate=baudrate)
    return [Twin(ModbusLine([meter], "rtu"), wire)]


async def main(what: str) -> None:
    """Serve until standard input ends."""
    async with AsyncExitStack() as stack:
        twins = idle_bench() if what == "idle" else paced_meter(int(what))
        for twin in twins:
            await stack.enter_async_context(twin)
        sys.stdout.write(json.dumps([twin.link for twin in twins]) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
