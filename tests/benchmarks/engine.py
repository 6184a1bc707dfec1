"""The OCPP engine: time from the socket to a met expectation, and round trips a second."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench.journal import JournalWriter
from bench.ocpp import v16
from tests.benchmarks.table import Line
from tests.engine.support import PATH, Peer, rig


async def latency(count: int = 2000) -> Line:
    """Measure from the stamp at the socket until `expect` returns, journal written."""
    took: list[float] = []
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        async with rig() as csms, csms.connect() as socket:
            csms.dialogue.stream.journal = JournalWriter(Path(folder) / "journal.jsonl")
            peer = Peer(socket)
            for _ in range(count):
                csms.judge.step()
                async with asyncio.TaskGroup() as tasks:
                    expecting = tasks.create_task(csms.station.expect(v16.Heartbeat()))
                    await asyncio.sleep(0)
                    answer = tasks.create_task(peer.call("Heartbeat"))
                    message = await expecting
                    took.append(loop.time() - message.stamp.mono)
                    await answer
            csms.dialogue.stream.journal.close()
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    return Line(
        "socket read to matched expectation", f"p50 {p50 * 1e6:.0f} µs, p99 {p99 * 1e6:.0f} µs"
    )


async def round_trips(message: str, count: int) -> Line:
    """Compare with the PyPI package `ocpp` as CSMS, both driven by the same client process."""
    with tempfile.TemporaryDirectory() as folder:
        async with rig() as csms:
            csms.dialogue.stream.journal = JournalWriter(Path(folder) / "journal.jsonl")
            ours = await _drive(f"ws://{csms.address}{PATH}", message, count)
            csms.dialogue.stream.journal.close()
    async with _package_csms() as address:
        theirs = await _drive(f"ws://{address}/CP", message, count)
    return Line(
        f"{message} round trips a second, journal written",
        f"{ours:.0f}",
        f"{theirs:.0f} (package ocpp, no journal)",
        f"{ours / theirs:.1f}x",
    )


async def _drive(url: str, message: str, count: int) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.client",
        url,
        message,
        str(count),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return float(output)


class _Csms(ChargePoint):  # type: ignore[misc]
    @on("Heartbeat")  # type: ignore[untyped-decorator]
    def heartbeat(self, **_: Any) -> Any:
        return call_result.Heartbeat(current_time="2026-01-01T00:00:00Z")

    @on("MeterValues")  # type: ignore[untyped-decorator]
    def meter_values(self, **_: Any) -> Any:
        return call_result.MeterValues()


@asynccontextmanager
async def _package_csms() -> AsyncIterator[str]:
    async def talk(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await _Csms("CP", socket).start()

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")]) as server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
