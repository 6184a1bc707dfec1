"""Devices: how fast a command is confirmed, how fast a meter is read, what polling costs."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import struct
import sys
import time
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from bench import toml
from bench.device import Driver, DriverContext
from drivers import ea_psb, pilot_box, register_meter
from drivers.link.modbus_bus import silence
from drivers.sim.paced import taken
from drivers.sim.pilot_box import PilotBox
from drivers.sim.twin import Twin
from drivers.sim.wire import TcpWire
from drivers.sim.world import World
from tests.benchmarks.table import Line
from tests.wire.responders import crc16

_REQUEST, _FRAME = 8, 5
"""Characters of a request to read registers, and of an answer beside its registers."""


def _made(driver: Driver, link: str, **keys: Any) -> Any:
    settings: Any = toml.parse(driver.settings, {"link": link, **keys}, "benchmark")
    return driver.make(settings, DriverContext("dev", operator=None))  # type: ignore[arg-type]


async def plug_in(times: int = 50) -> Line:
    """Measure from the call until the station's side of the twin sees state B."""
    world = World()
    connector, took = world.connectors[1], []
    async with Twin(PilotBox(connector, world.timeline), TcpWire("modbus-tcp")) as twin:
        box = _made(pilot_box.DRIVER, twin.link)
        settle = 2 * box._profile.timing.settle
        async with box:
            for _ in range(times):
                started = time.perf_counter()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(box.plug_in(1))
                    await world.until(lambda: connector.pilot_state() == "B", within=5.0)
                    took.append(time.perf_counter() - started)
                await box.unplug(1)
    p50 = statistics.median(took)
    return Line(
        "plug_in() to state B on the twin",
        f"p50 {p50 * 1e3:.0f} ms, max {max(took) * 1e3:.0f} ms",
        f"contacts settle {settle / 2 * 1e3:.0f} ms, relay 10 ms",
    )


async def meter_rate(baudrate: int, seconds: int = 9) -> Line:
    """Read an SDM630 as fast as it goes, beside what the characters and pauses take.

    The median second counts: other programs of the machine spoil some. A bare loop in a thread,
    before and after, tells how much of that is the machine. A request that does not keep the pause
    is lost on that line.
    """
    async with _twins(str(baudrate)) as (link,):
        meter = _made(register_meter.DRIVER, link, profile="eastron-sdm630")
        async with meter:
            runs = list(meter._runs)
        bare = await asyncio.to_thread(_bare_rates, link, baudrate, runs, seconds // 2)
        async with meter:
            counts = [await _in_one_second(meter.read) for _ in range(seconds)]
        bare += await asyncio.to_thread(_bare_rates, link, baudrate, runs, seconds // 2)
        transactions = [
            taken(_REQUEST + _FRAME + 2 * registers, baudrate) + 2 * silence(baudrate)
            for _, _, registers in meter._runs
        ]
    rate, limit = statistics.median(counts), 1 / sum(transactions)
    loop = statistics.median(bare)
    least, best = min(counts) / limit, max(counts) / limit
    return Line(
        f"readings a second of an SDM630 at {baudrate} baud",
        f"median {rate:.1f} (seconds from {least:.0%} to {best:.0%})",
        f"line {limit:.1f} (aim 85 %), bare loop {loop:.1f}",
        f"{rate / limit:.0%}, {rate / loop:.0%}",
    )


def _bare_rates(
    link: str, baudrate: int, runs: list[tuple[int, int, int]], seconds: int
) -> list[float]:
    """Count readings a second of a loop that only sends, receives, and keeps the pause."""
    requests = []
    for function, first, count in runs:
        body = struct.pack(">BBHH", 1, function, first, count)
        requests.append((body + crc16(body), _FRAME + 2 * count))
    port = os.open(link.removeprefix("modbus-rtu:").partition("?")[0], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    rates = []
    try:
        for _ in range(seconds):
            readings, begun = 0, time.perf_counter()
            while (passed := time.perf_counter() - begun) < 1.0:
                for request, expected in requests:
                    time.sleep(silence(baudrate))
                    os.write(port, request)
                    got = 0
                    while got < expected:
                        got += len(os.read(port, expected - got))
                readings += 1
            rates.append(readings / passed)
    finally:
        os.close(port)
    return rates


async def _in_one_second(read: Callable[[], Awaitable[Any]]) -> float:
    """Read for a second; return how often that is in one."""
    count, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < 1.0:
        await read()
        count += 1
    return count / passed


async def idle(during: float = 5.0, rate: float = 10.0) -> Line:
    """Poll ten devices and count this process's CPU time; the twins are in another."""
    async with _twins("idle") as links, AsyncExitStack() as stack:
        reads: list[Callable[[], Awaitable[Any]]] = []
        for index, link in enumerate(links):
            if index < 6:
                meter = _made(register_meter.DRIVER, link, profile="eastron-sdm630")
                reads.append((await stack.enter_async_context(meter)).read)
            elif index < 8:
                box = _made(pilot_box.DRIVER, link)
                await stack.enter_async_context(box)
                reads.append(partial(box.read_pilot, 1))
            else:
                load = _made(ea_psb.DRIVER, link, max_current=30.0)
                reads.append((await stack.enter_async_context(load)).is_drawing)
        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(_poll(read, during, 1 / rate) for read in reads))
        share = (time.process_time() - used) / (time.perf_counter() - started)
    return Line(
        f"CPU of {len(reads)} devices polled at {rate:g} Hz",
        f"{share:.1%} of a core",
        "aim 5 %",
        f"{share / 0.05:.1f}x",
    )


async def _poll(read: Callable[[], Awaitable[Any]], during: float, every: float) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    end = due + during
    while due < end:
        await read()
        due += every
        await asyncio.sleep(max(0.0, due - loop.time()))


@asynccontextmanager
async def _twins(what: str) -> AsyncIterator[list[str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.twins", what),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()
