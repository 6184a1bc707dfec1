"""Samples: how much a second reaches the file, what viewers cost, and what they do to stamps."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

from bench.config import BenchConfig, BenchSettings
from bench.dut import DutConfig, DutIdentity
from bench.engine import Engine
from bench.events import SCHEMA, ChannelDeclared, FrameReceived, RunStarted
from bench.journal import JOURNAL, JournalReader, JournalWriter, Record
from bench.ocpp.server import OcppServer
from bench.report import rendering
from bench.sample_file import SAMPLES, Block, SampleFile
from bench.samples import Samples
from bench.server import serving
from bench.server.loop import settle
from tests.benchmarks.table import Line

CHANNELS = 20
RATE = 1000
"""Hz of each channel."""
TOKEN = "b" * 43
REPETITIONS = 300
"""Of a recorded run's three cases, in the journal whose report is rendered meanwhile."""
GOLDEN = Path(__file__).parents[1] / "golden/refused-card" / JOURNAL
_RUN = "run1"


def to_file(seconds: float = 60.0) -> Line:
    """Write so many s of samples down, in chunks of 0.4 s as a run does."""
    noise, length, chunks = random.Random(1), int(0.4 * RATE), int(seconds / 0.4)
    # As of a converter of 16 bits, and nowhere the same: repetitions would compress too well.
    values = [noise.randint(-600, 600) * 0.0125 for _ in range(length * (chunks + CHANNELS))]
    declared = [ChannelDeclared(n, f"ch{n}", "V", "adc") for n in range(1, CHANNELS + 1)]
    with tempfile.TemporaryDirectory() as folder:
        file = SampleFile(Path(folder) / SAMPLES, run=_RUN, offset=0.0)
        began = time.perf_counter()
        for chunk in range(chunks):
            times = [chunk * 0.4 + at / RATE for at in range(length)]
            own = (chunk + number for number in range(CHANNELS))
            blocks = [values[n * length + n : (n + 1) * length + n] for n in own]
            file.write(
                [Block(*one) for one in zip(declared, [times] * CHANNELS, blocks, strict=True)]
            )
        file.close()
        took = time.perf_counter() - began
    count = sum(file.counts.values())
    return Line(
        f"samples a second to the MCAP file, {CHANNELS} channels",
        f"{count / took:,.0f}, {file.size / count:.1f} B each",
        f"{RATE * CHANNELS:,} ({CHANNELS} × {RATE} Hz)",
        f"{count / took / (RATE * CHANNELS):.0f}x",
    )


async def viewers(count: int = 20, seconds: float = 10.0) -> list[Line]:
    """Serve so many viewers of 20 channels at 1 kHz, and none, and compare what that costs."""
    idle, _ = await _served(0, seconds)
    busy, received = await _served(count, seconds)
    each = (busy - idle) / seconds / count
    return [
        Line(
            f"bytes per viewer-minute, {CHANNELS} channels, 10 Hz summaries",
            f"{received / count / seconds * 60 / 1000:.0f} kB",
            "4800 kB (all samples as float32)",
        ),
        Line(
            f"viewers served per core, of {count} at 10 Hz summaries",
            f"{1 / each:.0f}",
            f"{each * 1e3:.2f} ms of a core's second each",
        ),
    ]


async def _served(count: int, seconds: float) -> tuple[float, int]:
    """Return the CPU seconds of this process and the bytes that all viewers received."""
    with tempfile.TemporaryDirectory() as folder:
        async with _engine(Path(folder)) as (engine, _):
            async with _watchers(engine, count) as received:
                began = time.process_time()
                await _feed(engine.stream.samples, seconds)
                took = time.process_time() - began
    return took, sum(received)


async def lateness(seconds: float = 20.0) -> list[Line]:
    """Measure from the station's sending until the stamp: alone, with 20 viewers, with reports."""
    load = f"100 frames/s, {CHANNELS} × {RATE} Hz"
    lines = []
    for tuned in ("", ", real-time priority"):
        what = f"receive stamp late{tuned}, {load}"
        try:
            if tuned:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            break  # which the machine does not let us have
        lines += [
            await _lateness(f"{what}, 0 viewers", seconds),
            await _lateness(f"{what}, 20 viewers, desktop", seconds, viewers=20, desktop=True),
            await _lateness("the same, reports of 900 cases all the time", seconds, 20, True, True),
        ]
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return lines


async def _lateness(
    what: str, seconds: float, viewers: int = 0, desktop: bool = False, reports: bool = False
) -> Line:
    late: list[float] = []

    def note(record: Record) -> None:
        event = record.event
        if isinstance(event, FrameReceived) and event.text is not None:
            late.append(record.mono - float(event.text.split('"')[1]))

    with tempfile.TemporaryDirectory() as folder:
        async with (
            _engine(Path(folder)) as (engine, address),
            _watchers(engine, viewers, desktop=desktop),
        ):
            settle()
            rendered: list[float] = []
            rendering_on = None
            if reports:
                long = engine.archive.root / "long"
                await asyncio.to_thread(_write_long, long)
                await engine.apart.call(rendering, long, "json")
                rendering_on = asyncio.create_task(_report(engine, long, rendered))
            with engine.stream.watched_by(note):
                station = await _process("punctual", f"ws://{address}/CP", 100, seconds)
                await _feed(engine.stream.samples, seconds)
                await station.wait()
            if rendering_on is not None:
                rendering_on.cancel()
                what += f" ({len(rendered)})"
            await engine.apart.close()
    late = late[100:]
    p50, p99 = statistics.median(late), statistics.quantiles(late, n=100)[98]
    value = f"p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, most {max(late) * 1e3:.1f} ms"
    return Line(what, value, "aim: as without viewers" if viewers else "aim: p99 below 5 ms")


async def _report(engine: Engine, folder: Path, took: list[float]) -> None:
    """Render the report of a long run again and again; note what each took."""
    while True:
        began = time.perf_counter()
        await engine.apart.call(rendering, folder, "html")
        took.append(time.perf_counter() - began)


def _write_long(folder: Path) -> None:
    """Write the journal of a run of many cases: a recorded one, again and again."""
    folder.mkdir()
    first, *records = JournalReader(GOLDEN)
    with JournalWriter(folder / JOURNAL) as journal:
        journal.append(first)
        number = 1
        while number < REPETITIONS * len(records):
            for record in records[:-1]:
                number += 1
                journal.append(replace(record, n=number))


async def _feed(samples: Samples, seconds: float) -> None:
    noise = random.Random(2)
    values = [noise.gauss(230, 1) for _ in range(RATE // 20)]
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (now := loop.time()) < end:
        times = [now + at / RATE for at in range(RATE // 20)]
        for number in range(CHANNELS):
            samples.add(f"ch{number}", "V", "adc", times, values)
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _engine(out: Path) -> AsyncIterator[tuple[Engine, str]]:
    """Have an engine with a run that goes on, without devices; gives the DUT's address as well."""
    dut = DutConfig(out / "dut.toml", DutIdentity("charging-station", "CP", "v", "m"))
    engine = Engine(BenchConfig(out / "bench.toml", BenchSettings("b")), [dut], out)
    session = engine.session
    assert session is not None
    folder = out / _RUN
    folder.mkdir()
    started = RunStarted(_RUN, "1", SCHEMA, {"name": "b"}, asdict(dut.dut), [], [], {}, {}, {})
    server = OcppServer(session.dialogue, identity="CP", max_frame=engine.config.ocpp.max_frame)
    with JournalWriter(folder / JOURNAL) as journal, engine.stream.recording(journal):
        session.run_id = _RUN
        engine.stream.emit(started)
        async with engine.stream.samples.recording(folder), server.listening("127.0.0.1", 0) as at:
            yield engine, at


@asynccontextmanager
async def _watchers(
    engine: Engine, count: int, *, desktop: bool = False
) -> AsyncIterator[list[int]]:
    """Serve the API to so many viewers in another process; the list has their bytes at the end."""
    received: list[int] = []
    async with serving(engine, token=TOKEN) as url, AsyncExitStack() as stack:
        place = f"{url.replace('http', 'ws', 1)}/api/v1/stream?token={TOKEN}"
        watching = await _process("watchers", place, count)
        assert watching.stdout is not None
        await watching.stdout.readline()
        if desktop:
            await stack.enter_async_context(_desktop(engine.archive.root, url))
        yield received
    received.append(int(await watching.stdout.readline()))
    await watching.wait()


@asynccontextmanager
async def _desktop(folder: Path, url: str) -> AsyncIterator[None]:
    """Have the desktop app at the engine, on a screen that nobody sees."""
    token = folder / "token"
    token.write_text(TOKEN)
    window = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "gui", "--api", url, "--token-file", str(token)),
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0)),
    )
    try:
        await asyncio.sleep(5)  # until the window stands
        assert window.returncode is None, "the desktop app has ended"
        yield
        assert window.returncode is None, "the desktop app has ended"
    finally:
        window.kill()
        await window.wait()


async def _process(module: str, *arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
    )
