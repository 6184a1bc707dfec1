"""The desktop app as a program: its first paint, and its memory over a day that passes fast."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.clock import iso
from bench.events import (
    CaseStarted,
    ChannelDeclared,
    Event,
    FrameReceived,
    FrameSent,
    RunStarted,
    StepStarted,
    to_data,
)
from bench.server.sample_frames import KIND
from tests.benchmarks.table import Line
from tests.engine.service import TOKEN, idle_engine, served

if TYPE_CHECKING:
    from PyQt6.QtCore import QCoreApplication

    from gui.link import Link

AIM = 1.5
HOURS = 24
CHANNELS = 20
_PAINTED = """
import os, sys, time
from gui.banner import Banner

paint = Banner.paintEvent

def painted(self, event):
    paint(self, event)
    sys.stdout.write(f"{time.time()}\\n")
    sys.stdout.flush()
    os._exit(0)

Banner.paintEvent = painted
from bench.cli import main

main(["gui", "--api", sys.argv[1], "--token-file", sys.argv[2]])
"""
_OFFSCREEN = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


async def first_paint(times: int = 5) -> Line:
    """Measure from the start of `pilotbench gui` until its window has painted itself."""
    took = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token = folder / "token"
        token.write_text(TOKEN, "ascii")
        async with served(idle_engine(folder), folder) as service:
            for _ in range(times):
                began = time.time()
                command = (sys.executable, "-c", _PAINTED, service.url, str(token))
                process = await asyncio.create_subprocess_exec(
                    *command, env=_OFFSCREEN, stdout=subprocess.PIPE
                )
                out, _ = await process.communicate()
                took.append(float(out) - began)
    median = statistics.median(took)
    return Line(
        "first paint of `pilotbench gui`",
        f"{median:.2f} s, longest of {times} {max(took):.2f} s",
        f"aim {AIM:g} s",
        f"{median / AIM:.2f}",
    )


def day() -> Line:
    """Measure what a run of 24 hours leaves in memory, from its 6th hour on."""
    command = [sys.executable, "-m", "tests.benchmarks.desktop"]
    out = subprocess.run(command, env=_OFFSCREEN, stdout=subprocess.PIPE, check=True).stdout
    found = json.loads(out)
    early, late = found["hours"]["6"], found["hours"][str(HOURS - 1)]
    return Line(
        f"memory of the desktop app in a run of {HOURS} h ({found['messages']} messages, "
        f"{CHANNELS} channels at 1 Hz)",
        f"{early:.0f} MB after 6 h, {late:.0f} MB at the end",
        "its 6th hour",
        f"{late / early:.2f}",
    )


def _hour(hour: int, n: int) -> Iterator[tuple[str | bytes, int]]:
    """Write what the stream sends in an hour: samples each second, messages each minute."""
    header, entry = struct.Struct("<HHIdd"), struct.Struct("<IIffff")
    for second in range(hour * 3600, hour * 3600 + 3600):
        values = (10.0 + second % 7, 12.0 + second % 7, 11.0, 11.0)
        entries = [entry.pack(channel, 10, *values) for channel in range(1, CHANNELS + 1)]
        yield header.pack(KIND, CHANNELS, second + 1, second, second + 1.0) + b"".join(entries), n
        if second % 60 == 0:
            call = _meter_values(second)
            for event in (FrameReceived(1, call), FrameSent(1, f'[3,"m{second}",{{}}]')):
                n += 1
                yield _frame(n, float(second), event), n


def _meter_values(second: int) -> str:
    sampled = [
        {"value": f"{second * k}", "measurand": name, "unit": "Wh"}
        for k, name in enumerate(("Energy.Active.Import.Register", "Power.Active.Import"))
    ]
    body = {"connectorId": 1, "transactionId": 7, "meterValue": [{"sampledValue": sampled}]}
    return json.dumps([2, f"m{second}", "MeterValues", body])


def _frame(n: int, mono: float, event: Event) -> str:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=mono)
    record = {"run": "day", "n": n, "utc": iso(moment), "mono": mono}
    return json.dumps({**record, "event": type(event).__name__, "data": to_data(event)})


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _pass_a_day() -> None:
    """Let a day pass in a window, and write the memory after each hour."""
    from gui.application import make_application
    from gui.link import Link
    from gui.live import LiveRun
    from gui.window import MainWindow

    app = make_application()
    run, link = LiveRun(), Link("http://127.0.0.1:1", TOKEN)
    run.follow(link)
    window = MainWindow(run, link)
    window.show()
    cases = [{"id": "TC_003_CS", "title": "A day", "mark": "M", "group": "core"}]
    dut = {"vendor": "V", "model": "M", "identity": "CP1"}
    begin: list[Event] = [
        RunStarted("day", "0", 1, {"name": "bench"}, dut, cases, [], {}, {}, {}),
        CaseStarted("TC_003_CS", "A day", "M", "core", "It lasts a day.", []),
        StepStarted(1, "body", "Charge all day"),
    ]
    begin += [ChannelDeclared(k, "power", "W", f"meter {k}", 1) for k in range(1, CHANNELS + 1)]
    n = 0
    for event in begin:
        n += 1
        link.inbox.append(_frame(n, 0.0, event))
    hours = {}
    for hour in range(HOURS):
        for frame, after in _hour(hour, n):
            link.inbox.append(frame)
            n = after
            if len(link.inbox) >= 600:
                _drain(app, link)
        _drain(app, link)
        hours[hour] = _megabytes()
    shown = {"messages": run.view.records - len(begin), "hours": hours}
    sys.stdout.write(json.dumps(shown))
    sys.stdout.flush()
    os._exit(0)


def _drain(app: QCoreApplication, link: Link) -> None:
    """Let the window take and paint all that has come."""
    while link.inbox:
        app.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    _pass_a_day()
